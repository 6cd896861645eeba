// Makes the charts of a report explorable: what Vega draws replaces the still picture once it comes near the window.
// Without it the pictures stay. It builds text nodes only, so that no label can become markup.
"use strict";
(() => {
  const NEAR = "600px";
  const LEAST_SPAN = 5; // steps: closer than this nobody zooms
  const DRAG = 5; // pixels from which a press is a drag
  const SETTLED = 120; // milliseconds after which the other charts follow one that is zoomed
  const NARROW = 560; // pixels below which what stands around the plot takes less room
  const charts = [];
  let together = true;
  let shared = null; // [left, right] of all charts, null: everything
  let settling; // until the other charts follow

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // ---- From columns to rows --------------------------------------------------------------------------------------

  const doubles = (text) => new Float64Array(Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer);

  const letter = (text, place) => (text ? text.charCodeAt(text.length === 1 ? 0 : place) - 48 : 0);

  const slots = ([first, unit, steps]) => {
    if (typeof steps === "number") return Array.from({ length: steps }, (_, place) => (first + place * unit) * 1000);
    const found = [first];
    for (const step of steps) found.push(found[found.length - 1] + step * unit);
    return found.map((slot) => slot * 1000);
  };

  const named = ({ keys, rows }) => rows.map((row) => Object.fromEntries(keys.map((key, place) => [key, row[place]])));

  const decoded = (line) => ({
    ...line,
    at: slots(line.at),
    values: doubles(line.values),
  });

  const points = (lines, factor) => {
    const rows = [];
    for (let number = lines.length - 1; number >= 0; number--) {
      const line = lines[number];
      let part = 0;
      for (let place = 0; place < line.at.length; place++) {
        const flags = letter(line.flags, place);
        const row = { line: number, at: line.at[place] };
        if (flags & 1) {
          part++;
          rows.push({ ...row, value: null });
        }
        if (flags & 4) {
          rows.push({ ...row, value: line.values[place] / factor, alone: (flags >> 1) & 1, part: `${number} ${part}` });
        }
      }
    }
    return rows;
  };

  // ---- One chart -------------------------------------------------------------------------------------------------

  class Chart {
    constructor(figure, script) {
      this.figure = figure;
      this.frame = figure.querySelector(".chart-frame");
      this.data = JSON.parse(script.textContent);
      this.lines = this.data.lines.map(decoded);
      this.rows = Object.fromEntries(Object.entries(this.data.rows).map(([name, set]) => [name, named(set)]));
      this.hidden = new Set();
      this.range = null;
      this.view = null;
    }

    async draw() {
      const still = this.frame.querySelector("svg").getBoundingClientRect();
      const { spec, factor } = this.data;
      const all = { ...this.rows, points: points(this.lines, factor) };
      for (const set of spec.data) if (set.name in all) set.values = all[set.name];
      this.live = element("div", "live");
      this.live.tabIndex = 0;
      this.live.setAttribute("role", "img");
      this.live.setAttribute("aria-label", this.frame.querySelector(".static").getAttribute("aria-label"));
      this.plot = element("div", "plot");
      this.live.append(this.plot);
      this.frame.append(this.live);
      this.wide = spec.padding;
      this.fit();
      spec.padding = this.padding;
      spec.width = this.width;
      spec.height = Math.max(160, Math.round(still.height) - this.padding.top - this.padding.bottom);
      const made = await globalThis.vegaEmbed(this.plot, spec, {
        mode: "vega", renderer: "svg", ast: true, actions: false, defaultStyle: false, tooltip: false, hover: false,
      });
      this.view = made.view;
      this.figure.classList.add("drawn");
      this.listen();
      this.legend();
      this.tools();
      if (together && shared) this.show(shared);
    }

    fit() {
      const whole = this.frame.clientWidth;
      const { left, right } = this.wide;
      this.padding = whole < NARROW ? { ...this.wide, left: left - 22, right: Math.round(right * 0.8) } : this.wide;
      this.width = Math.max(160, whole - this.padding.left - this.padding.right);
    }

    // -- Zoom

    get extent() {
      return this.range ?? [this.data.start, this.data.end];
    }

    zoom(left, right) {
      const { start, end, step } = this.data;
      const span = Math.min(Math.max(right - left, LEAST_SPAN * step), end - start);
      const from = Math.min(Math.max((left + right - span) / 2, start), end - span);
      const range = span >= end - start ? null : [from, from + span];
      this.show(range);
      if (!together) return;
      shared = range;
      clearTimeout(settling);
      settling = setTimeout(follow, SETTLED);
    }

    // At most once a frame, however fast the wheel turns.
    show(range) {
      this.range = range;
      this.due ??= requestAnimationFrame(async () => {
        this.due = undefined;
        const [left, right] = this.extent;
        await this.view.signal("left", left).signal("right", right).runAsync();
        this.figure.classList.toggle("zoomed", this.range !== null);
      });
    }

    time(x) {
      const [left, right] = this.extent;
      return left + (x / this.view.width()) * (right - left);
    }

    // -- Pointing

    place(event) {
      const box = this.plot.getBoundingClientRect();
      const x = event.clientX - box.left - this.padding.left;
      return [Math.min(Math.max(x, 0), this.view.width()), event.clientY - box.top - this.padding.top];
    }

    listen() {
      let from = null;
      const selection = element("div", "selection");
      this.live.append(selection);
      const drop = () => {
        from = null;
        selection.classList.remove("shown");
      };
      this.plot.addEventListener("pointerdown", (event) => {
        if (event.button === 0 && event.isPrimary) from = this.place(event)[0];
      });
      this.plot.addEventListener("pointermove", (event) => {
        const [x, y] = this.place(event);
        if (from !== null && Math.abs(x - from) > DRAG) {
          this.plot.setPointerCapture(event.pointerId);
          selection.style.left = `${Math.min(x, from) + this.padding.left}px`;
          selection.style.width = `${Math.abs(x - from)}px`;
          selection.style.top = `${this.padding.top}px`;
          selection.style.height = `${this.view.height()}px`;
          selection.classList.add("shown");
        }
        this.point(x, y);
      });
      this.plot.addEventListener("pointerup", (event) => {
        const [x] = this.place(event);
        if (from !== null && Math.abs(x - from) > DRAG) {
          const ends = [this.time(from), this.time(x)].sort((a, b) => a - b);
          this.zoom(...ends);
        }
        drop();
      });
      this.plot.addEventListener("pointercancel", drop);
      this.plot.addEventListener("pointerleave", () => this.leave());
      this.plot.addEventListener("dblclick", () => this.zoom(this.data.start, this.data.end));
      this.plot.addEventListener(
        "wheel",
        (event) => {
          if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
          event.preventDefault();
          this.closer(Math.exp(event.deltaY / 300), this.time(this.place(event)[0]));
        },
        { passive: false },
      );
      this.live.addEventListener("keydown", (event) => this.key(event));
      new ResizeObserver(() => {
        this.fit();
        if (this.width !== this.view.width()) this.view.padding(this.padding).width(this.width).runAsync();
      }).observe(this.frame);
    }

    closer(factor, around) {
      const [left, right] = this.extent;
      this.zoom(around - (around - left) * factor, around + (right - around) * factor);
    }

    key(event) {
      const [left, right] = this.extent;
      const tenth = (right - left) / 10;
      const acts = {
        "+": () => this.closer(0.7, (left + right) / 2),
        "-": () => this.closer(1.4, (left + right) / 2),
        ArrowLeft: () => this.zoom(left - tenth, right - tenth),
        ArrowRight: () => this.zoom(left + tenth, right + tenth),
        Escape: () => this.zoom(this.data.start, this.data.end),
      };
      if (!(event.key in acts) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      acts[event.key]();
    }

    // -- What stands at the pointer

    nearest(time) {
      let found = null;
      this.lines.forEach((line, number) => {
        if (this.hidden.has(number)) return;
        for (const place of [after(line.at, time) - 1, after(line.at, time)]) {
          const slot = line.at[place];
          if (slot !== undefined && (found === null || Math.abs(slot - time) < Math.abs(found - time))) found = slot;
        }
      });
      return found;
    }

    point(x, y) {
      const time = this.nearest(this.time(x));
      if (time === null) return;
      this.view.signal("pointer", time).runAsync();
      const rows = [];
      this.lines.forEach((line, number) => {
        if (this.hidden.has(number)) return;
        const place = closest(line.at, time, this.data.step / 2);
        if (place !== null) rows.push({ line, number, place, distance: this.distance(line, place, y) });
      });
      const best = Math.min(...rows.map((row) => row.distance));
      tip.show(this, time, rows, rows.find((row) => row.distance === best && best < Infinity));
    }

    distance(line, place, y) {
      if (!(letter(line.flags, place) & 4)) return Infinity;
      return Math.abs(this.view.scale("y")(line.values[place] / this.data.factor) - y);
    }

    leave() {
      this.view.signal("pointer", 0).runAsync();
      tip.hide();
    }

    // -- Legend and tools

    legend() {
      for (const item of this.figure.querySelectorAll(".chart-legend li[data-line]")) {
        const button = element("button");
        button.type = "button";
        button.title = this.data.words.switch;
        button.append(...item.childNodes);
        item.append(button);
        button.addEventListener("click", (event) => this.choose(Number(item.dataset.line), event.shiftKey));
      }
      this.mark();
    }

    async choose(number, alone) {
      const others = this.lines.map((_, place) => place).filter((place) => place !== number);
      if (alone) this.hidden = new Set(others.every((place) => this.hidden.has(place)) ? [] : others);
      else if (!this.hidden.delete(number)) this.hidden.add(number);
      await this.view.signal("hidden", [...this.hidden]).signal("top", this.top()).runAsync();
      this.mark();
    }

    mark() {
      for (const item of this.figure.querySelectorAll(".chart-legend li[data-line]")) {
        item.firstChild.setAttribute("aria-pressed", String(!this.hidden.has(Number(item.dataset.line))));
      }
    }

    // The same rule as frame.py: a little above what is seen, and the limits that are not far beyond it.
    top() {
      const seen = this.lines.filter((_, number) => !this.hidden.has(number));
      if (this.data.good || seen.length === 0 || seen.length === this.lines.length) return this.data.top;
      const highest = this.data.stacked ? stacked(seen, this.data.factor) : Math.max(...seen.map((line) => line.reach));
      if (highest <= 0) return this.data.top;
      const near = this.rows.limits.map((limit) => limit.value).filter((value) => value <= this.data.far * highest);
      return Math.max(highest, ...near) * this.data.headroom;
    }

    tools() {
      const { words } = this.data;
      const bar = element("div", "chart-tools");
      const all = element("button", "", words.reset);
      all.type = "button";
      all.addEventListener("click", () => this.zoom(this.data.start, this.data.end));
      const label = element("label");
      const box = element("input");
      box.type = "checkbox";
      box.checked = together;
      box.addEventListener("change", () => {
        together = box.checked;
        for (const chart of charts) if (chart.box) chart.box.checked = together;
        if (!together) return;
        shared = this.range;
        follow();
      });
      this.box = box;
      label.append(box, words.together);
      bar.append(element("span", "hint", words.hint), label, all);
      this.figure.prepend(bar);
    }
  }

  // The charts in sight show what the one that was zoomed shows, the others as soon as they come near.
  const follow = () => {
    if (!together) return;
    for (const chart of charts) if (chart.view && chart.near && chart.range !== shared) chart.show(shared);
  };

  const after = (times, time) => {
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const closest = (times, time, reach) => {
    const place = after(times, time);
    const near = [place - 1, place].filter((one) => Math.abs(times[one] - time) <= reach);
    near.sort((a, b) => Math.abs(times[a] - time) - Math.abs(times[b] - time));
    return near.length ? near[0] : null;
  };

  const stacked = (lines, factor) => {
    const totals = new Map();
    for (const line of lines) {
      line.at.forEach((slot, place) => {
        const value = letter(line.flags, place) & 4 ? line.values[place] / factor : 0;
        totals.set(slot, (totals.get(slot) ?? 0) + value);
      });
    }
    return Math.max(...totals.values());
  };

  // ---- The tip at the pointer ------------------------------------------------------------------------------------

  const number = (value, digits) => {
    const [whole, rest] = String(Number(value.toPrecision(digits))).split(".");
    if (whole.includes("e")) return whole;
    const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
    return rest ? `${grouped}.${rest}` : grouped;
  };

  const tip = {
    box: element("div", "chart-tip"),

    show(chart, time, rows, best) {
      const { data } = chart;
      const parts = [element("p", "when", this.when(data, time))];
      const table = element("table");
      for (const row of rows) table.append(this.row(chart, row, row === best && rows.length > 1));
      parts.push(table);
      if (best) {
        const exact = `${best.line.values[best.place]} ${data.base}`;
        parts.push(element("p", "exact", data.words.exactly.replace("{value}", exact)));
      }
      for (const text of this.around(data, time)) parts.push(element("p", "event", text));
      this.box.replaceChildren(...parts);
      if (!this.box.isConnected) document.body.append(this.box);
      this.box.classList.add("shown");
      this.move(chart, time);
    },

    move(chart, time) {
      const plot = chart.plot.getBoundingClientRect();
      const [left, right] = chart.extent;
      const x = plot.left + chart.padding.left + ((time - left) / (right - left)) * chart.view.width();
      const room = document.documentElement.clientWidth;
      const { offsetWidth: width, offsetHeight: height } = this.box;
      const beside = [x + 16, x - 16 - width].find((at) => at >= 4 && at + width <= room - 4);
      const top = Math.max(4, Math.min(plot.top + chart.padding.top, innerHeight - height - 8));
      // Where there is no room beside the pointer the tip stands below the chart.
      this.box.style.left = `${(beside ?? Math.max(4, (room - width) / 2)) + scrollX}px`;
      this.box.style.top = `${(beside === undefined ? plot.bottom - 4 : top) + scrollY}px`;
    },

    hide() {
      this.box.classList.remove("shown");
    },

    when(data, time) {
      const moment = new Date(time).toISOString();
      const seconds = moment.slice(17, 19) === "00" ? "" : moment.slice(16, 19);
      const phase = data.phases.find(([from, to]) => from < time && time <= to);
      return `${moment.slice(0, 10)} ${moment.slice(11, 16)}${seconds} UTC${phase ? ` · ${phase[2]}` : ""}`;
    },

    around(data, time) {
      return [
        ...data.exclusions.filter(([from, to]) => from < time && time <= to).map((one) => one[2]),
        ...data.restarts.filter(([at]) => time - data.step < at && at <= time).map((one) => one[1]),
      ];
    },

    row(chart, { line, number: place, place: at }, nearest) {
      const { data } = chart;
      const row = element("tr", nearest ? "nearest" : "");
      const swatch = element("td");
      const drawn = chart.figure.querySelector(`.chart-legend li[data-line="${place}"] svg`);
      if (drawn) swatch.append(drawn.cloneNode(true));
      const name = element("td", "", line.name);
      const inside = letter(line.inside, at);
      const bucket = inside ? data.buckets[inside - 1] : "";
      const value = line.values[at];
      const shown = letter(line.flags, at) & 4 ? `${number(value / data.factor, data.digits)} ${data.unit}`.trim() : "";
      const measured = shown || bucket || (Number.isNaN(value) ? "—" : String(value));
      const [kind, word] = data.outcomes[letter(line.outcomes, at)];
      const verdict = element("td");
      if (kind !== "pass") verdict.append(element("span", `v ${kind}`, word));
      const measure = element("td", "n", measured);
      if (shown && bucket) measure.append(element("span", "bucket", bucket));
      row.append(swatch, name, measure, verdict);
      return row;
    },
  };

  // ---- All of them -----------------------------------------------------------------------------------------------

  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        const chart = charts.find((one) => one.figure === entry.target);
        chart.near = entry.isIntersecting;
        if (chart.near) chart.drawing ??= chart.draw();
      }
      follow();
    },
    { rootMargin: NEAR },
  );
  for (const script of document.querySelectorAll("script[data-chart]")) {
    const figure = document.getElementById(script.dataset.chart);
    if (!figure || !globalThis.vegaEmbed) continue;
    charts.push(new Chart(figure, script));
    seen.observe(figure);
  }
})();
