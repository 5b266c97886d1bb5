"use strict";
// Draws the lanes of one design as SVG. All boxes of one look are one path, so a thousand steps are a few elements.

const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const [KIND, BEGIN, DURATION, CPU, CLIENT, WAITS, STACK, DETAIL, BYTES] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const NARROW = 640;     // pixels of width below which the name of a lane stands above it
const HAIR = 1.6;       // pixels that a step takes at least, else it could not be seen
const numbers = new Intl.NumberFormat(DATA.language, { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat(DATA.language);

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function element(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function patterns() {
  // Hatched and dotted fills in each colour, once for all charts.
  const svg = element("svg", { width: 0, height: 0, "aria-hidden": "true", style: "position:absolute" }, document.body);
  const names = ["accept", "head", "locate", "find", "read", "send", "client-1", "client-2", "client-3", "plain"];
  for (const name of names) {
    const hatch = element("pattern", { id: `hatch-${name}`, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg);
    element("rect", { width: 5, height: 5, style: "fill: var(--page)" }, hatch);
    element("rect", { width: 1.7, height: 5, style: `fill: var(--${name})` }, hatch);
    const dots = element("pattern", { id: `dots-${name}`, width: 4, height: 4, patternUnits: "userSpaceOnUse" }, svg);
    element("rect", { width: 4, height: 4, style: "fill: var(--page)" }, dots);
    element("circle", { cx: 2, cy: 2, r: 1.2, style: `fill: var(--${name})` }, dots);
  }
}

class Chart {
  constructor(holder, design, wanted = 0) {
    this.holder = holder;
    this.design = design;
    this.wanted = wanted;   // pixels of height, if the lanes should fill so much
    this.from = 0;
    this.to = DATA.end;
    this.current = null;
  }

  layout() {
    this.rem = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    this.width = Math.max(240, this.holder.clientWidth || 980);
    this.above = this.width < NARROW * this.rem;
    this.left = this.above ? 2 : 150 * this.rem;
    this.right = this.width - 8;
    this.scale = this.rem;
    this.place();
    if (this.wanted > this.height) {
      this.scale = Math.min(2.5, this.wanted * this.rem / this.height) * this.rem;
      this.place();
    }
  }

  place() {
    let y = 4;
    this.rows = this.design.lanes.map((lane, place) => {
      const previous = this.design.lanes[place - 1];
      if (previous && previous.kind === "client" && lane.kind !== "client") y += 10 * this.rem;
      if (this.above && lane.label) y += 18 * this.rem;
      const height = this.scale * (["client", "running", "packed"].includes(lane.kind) ? 14 : 20);
      const row = { lane, top: y, height };
      y += height + this.scale * (lane.kind === "packed" ? 3 : 6);
      return row;
    });
    this.bottom = y;
    this.height = y + 20 * this.rem;
  }

  x(time) {
    return this.left + ((time - this.from) / (this.to - this.from)) * (this.right - this.left);
  }

  time(x) {
    return this.from + ((x - this.left) / (this.right - this.left)) * (this.to - this.from);
  }

  draw() {
    this.layout();
    const svg = element("svg", { viewBox: `0 0 ${this.width} ${this.height}`, role: "img", "aria-label": fill(DATA.text.chart, { design: this.design.name }) });
    const id = `clip-${Chart.count = (Chart.count || 0) + 1}`;
    const clip = element("clipPath", { id }, svg);
    element("rect", { x: this.left, y: 0, width: this.right - this.left + 1, height: this.height }, clip);
    this.axis(svg);
    const plot = element("g", { "clip-path": `url(#${id})` }, svg);
    this.paths = {};
    for (const row of this.rows) {
      for (const step of row.lane.steps) if (step[BEGIN] + step[DURATION] >= this.from && step[BEGIN] <= this.to) this.step(row, step);
    }
    for (const look in this.paths) element("path", { d: this.paths[look].join(""), fill: look }, plot);
    this.moves(plot);
    if (this.current) this.mark(plot);
    this.names(svg);
    this.holder.replaceChildren(svg);
  }

  box(look, from, to, top, height) {
    const begin = Math.max(this.x(from), this.left - 2), end = Math.min(Math.max(this.x(to), this.x(from) + HAIR), this.right + 2);
    if (end > begin) (this.paths[look] ||= []).push(`M${begin.toFixed(1)} ${top}h${(end - begin).toFixed(1)}v${height}H${begin.toFixed(1)}z`);
  }

  step(row, step) {
    const [kind, begin, duration, cpu, client, waits] = step, end = begin + duration;
    const { lane, top, height } = row;
    const own = client ? `client-${client}` : "plain";
    if (kind === "wait" || kind === "pause") {
      this.box("var(--wait)", begin, end, top + height * 0.36, Math.max(2, height * 0.14));
      return;
    }
    if (lane.kind === "client") {
      this.box(kind === "await" ? `url(#hatch-${own})` : `var(--${own})`, begin, end, top, height);
      return;
    }
    const strip = lane.kind === "running" ? 0 : 5, name = kind === "run" ? own : kind;
    if (waits) this.box(`url(#${waits === "lock" || waits === "core" ? "dots" : "hatch"}-${name})`, begin + cpu, end, top, height - strip);
    this.box(`var(--${name})`, begin, waits ? begin + cpu : end, top, height - strip);
    if (strip && client) this.box(`var(--client-${client})`, begin, end, top + height - 3, 3);
  }

  axis(svg) {
    const span = this.to - this.from, rough = span / Math.max(2, (this.right - this.left) / (90 * this.rem));
    const power = 10 ** Math.floor(Math.log10(rough)), unit = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
    for (let tick = Math.ceil(this.from / unit) * unit; tick <= this.to; tick += unit) {
      const x = this.x(tick);
      element("line", { x1: x, x2: x, y1: 0, y2: this.bottom, class: "grid" }, svg);
      const anchor = x < this.left + 15 ? "start" : x > this.right - 25 ? "end" : "middle";
      const digits = new Intl.NumberFormat(DATA.language, { maximumFractionDigits: Math.max(0, -Math.floor(Math.log10(unit))) });
      element("text", { x, y: this.height - 5, class: "tick", "text-anchor": anchor }, svg, fill(DATA.text.ms, { number: digits.format(tick) }));
    }
    const first = this.rows.find((row) => row.lane.kind !== "client");
    const line = first ? first.top - (this.above ? 20 : 7) * this.rem : 0;
    if (first && line > 4) element("line", { x1: 0, x2: this.width, y1: line, y2: line, class: "base" }, svg);
  }

  names(svg) {
    for (const { lane, top, height } of this.rows) {
      if (!lane.label) continue;
      const where = this.above ? { x: 2, y: top - 4 * this.rem } : { x: this.left - 10, y: top + height / 2 + 4 * this.rem, "text-anchor": "end" };
      element("text", where, svg, lane.label);
    }
  }

  moves(plot) {
    // An upright line where a connection is continued on another lane.
    const steps = this.rows.filter((row) => row.lane.kind !== "client" && row.lane.kind !== "running")
      .flatMap((row) => row.lane.steps.filter((step) => step[CLIENT]).map((step) => [step, row])).sort((a, b) => a[0][BEGIN] - b[0][BEGIN]);
    const last = {}, paths = {};
    for (const [step, row] of steps) {
      const before = last[step[CLIENT]];
      if (before && before !== row && step[BEGIN] >= this.from && step[BEGIN] <= this.to) {
        const x = this.x(step[BEGIN]).toFixed(1);
        (paths[step[CLIENT]] ||= []).push(`M${x} ${before.top + before.height}V${row.top + row.height}`);
      }
      last[step[CLIENT]] = row;
    }
    for (const client in paths) element("path", { d: paths[client].join(""), class: "move", style: `stroke: var(--client-${client})` }, plot);
  }

  mark(plot) {
    const { row, step } = this.current, x = this.x(step[BEGIN]);
    element("line", { x1: x, x2: x, y1: 0, y2: this.bottom, class: "head" }, plot);
    const width = Math.max(this.x(step[BEGIN] + step[DURATION]) - x, HAIR) + 4;
    const shown = this.rows[row];
    element("rect", { x: x - 2, y: shown.top - 2, width, height: shown.height + 4, class: "current" }, plot);
  }

  at(x, y) {
    // The step under a point, the shortest one if there are several; null if there is none.
    const row = this.rows.findIndex((one) => y >= one.top - 2 && y <= one.top + one.height + 2);
    if (row < 0 || x < this.left - 3) return null;
    const near = (3 * (this.to - this.from)) / (this.right - this.left), time = this.time(x);
    const under = this.rows[row].lane.steps.filter((step) => step[BEGIN] - near <= time && time <= step[BEGIN] + step[DURATION] + near);
    under.sort((a, b) => a[DURATION] - b[DURATION]);
    return under.length ? { row, step: under[0] } : null;
  }
}
