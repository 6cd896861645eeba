// What is told at the pointer.

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
    if (kind !== "pass" && kind !== "measured") verdict.append(element("span", `v ${kind}`, word));
    const measure = element("td", "n", measured);
    if (shown && bucket) measure.append(element("span", "bucket", bucket));
    row.append(swatch, name, measure, verdict);
    return row;
  },
};
