// What stands in the page as columns, as rows; and the little that every part needs.

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
