// One chart: drawn by Vega in the place of its picture, zoomed, pointed at, its lines chosen.

class Chart {
  constructor(figure, script) {
    this.figure = figure;
    this.frame = figure.querySelector(".chart-frame");
    this.script = script;
    this.hidden = new Set();
    this.range = null;
    this.view = null;
  }

  async draw() {
    this.data = JSON.parse(this.script.textContent);
    this.lines = this.data.lines.map(decoded);
    this.rows = Object.fromEntries(Object.entries(this.data.rows).map(([name, set]) => [name, named(set)]));
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
