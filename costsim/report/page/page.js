"use strict";
// The page is whole without scripts. They add: what is under the pointer, as text, and a
// timeline that can be zoomed and moved.

const SVG = "http://www.w3.org/2000/svg";
const COLORS = embedded("costsim-colors");
const result = embedded("costsim-result"); // a study has none

function embedded(id) {
  const element = document.getElementById(id);
  return element && JSON.parse(element.textContent);
}

function make(name, attributes, parent) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (parent) parent.append(node);
  return node;
}

// What marks say to screen readers is shown to everybody under the pointer.
function addTooltips() {
  const box = document.createElement("div");
  box.className = "tooltip";
  box.hidden = true;
  document.body.append(box);
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest("figure svg [aria-label]");
    const inMark = mark && mark.getAttribute("aria-roledescription") !== "axis" &&
      mark.hasAttribute("role") && mark.getAttribute("role") === "graphics-symbol" &&
      !/^(X-axis|Y-axis|Symbol legend|Title)/.test(mark.getAttribute("aria-label"));
    box.hidden = !inMark;
    if (!inMark) return;
    box.textContent = mark.getAttribute("aria-label").replaceAll("; ", "\n");
    const left = Math.min(event.pageX + 12, document.documentElement.clientWidth - 240);
    box.style.left = `${Math.max(4, left)}px`;
    box.style.top = `${event.pageY + 14}px`;
  });
}

class Timeline {
  constructor(figure, content, names) {
    this.figure = figure;
    this.content = content;
    this.n = content.arrivals_per_s.length;
    this.window = [0, this.n];
    this.series = names.map((name, i) => {
      const one = content.deployments[name];
      return { name, color: COLORS.palette[i], dash: COLORS.dashes[i],
        values: one.ready_replicas.map((ready, bin) => ready + one.starting_replicas[bin]) };
    });
    this.start = content.start === null ? null : Date.parse(`${content.start.slice(0, 19)}Z`);
    this.box = figure.querySelector(".live");
    this.said = figure.querySelector("output");
    figure.querySelector(".static").hidden = true;
    figure.querySelector(".controls").hidden = false;
    this.box.hidden = false;
    this.addLegend();
    this.listen();
    this.draw();
  }

  addLegend() {
    const list = document.createElement("ul");
    list.className = "legend";
    this.series.forEach((one, i) => {
      const item = document.createElement("li");
      const sample = make("svg", { width: 34, height: 8, "aria-hidden": "true" });
      make("line", { x1: 0, x2: 34, y1: 4, y2: 4, stroke: one.color, "stroke-width": 2,
        "stroke-dasharray": one.dash.join(" ") }, sample);
      const name = document.createElement("bdi");
      name.textContent = COLORS.labels[i];
      item.append(sample, name);
      list.append(item);
    });
    this.box.after(list);
  }

  listen() {
    const act = {
      in: () => this.zoom(0.5), out: () => this.zoom(2), all: () => this.show(0, this.n),
      left: () => this.move(-0.5), right: () => this.move(0.5),
    };
    for (const button of this.figure.querySelectorAll(".controls button"))
      button.addEventListener("click", act[button.dataset.act]);
    const keys = { "+": "in", "=": "in", "-": "out", 0: "all", ArrowLeft: "left", ArrowRight: "right" };
    this.box.addEventListener("keydown", (event) => {
      if (!(event.key in keys) || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      act[keys[event.key]]();
    });
    let from = null;
    this.box.addEventListener("pointerdown", (event) => {
      from = this.binAt(event);
      this.box.setPointerCapture(event.pointerId);
    });
    this.box.addEventListener("pointerup", (event) => {
      const to = this.binAt(event);
      if (from !== null && Math.abs(to - from) > 0.01 * (this.window[1] - this.window[0]))
        this.show(Math.min(from, to), Math.max(from, to));
      from = null;
    });
    this.box.addEventListener("dblclick", () => this.show(0, this.n));
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  binAt(event) {
    const left = this.box.getBoundingClientRect().left + this.left;
    const share = Math.min(1, Math.max(0, (event.clientX - left) / this.width));
    return this.window[0] + share * (this.window[1] - this.window[0]);
  }

  zoom(factor) {
    const middle = (this.window[0] + this.window[1]) / 2;
    const half = ((this.window[1] - this.window[0]) * factor) / 2;
    this.show(middle - half, middle + half);
  }

  move(share) {
    const span = this.window[1] - this.window[0];
    const low = Math.min(Math.max(0, this.window[0] + share * span), this.n - span);
    this.show(low, low + span);
  }

  show(low, high) {
    const span = Math.min(this.n, Math.max(4, high - low));
    const begin = Math.min(Math.max(0, low), this.n - span);
    this.window = [begin, begin + span];
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => { this.asked = 0; this.draw(); });
  }

  // Means of neighbours, so that there are never more steps than can be seen.
  thinned(values) {
    const first = Math.max(0, Math.floor(this.window[0]));
    const last = Math.min(this.n, Math.ceil(this.window[1]));
    const group = Math.max(1, Math.ceil((last - first) / Math.max(60, this.width / 2)));
    const points = [];
    for (let bin = first; bin < last; bin += group) {
      let sum = 0;
      const end = Math.min(last, bin + group);
      for (let i = bin; i < end; i += 1) sum += values[i];
      points.push([bin, end, sum / (end - bin)]);
    }
    return points;
  }

  draw() {
    const whole = Math.max(260, this.box.clientWidth);
    this.left = 48;
    this.width = whole - this.left - 8;
    const svg = make("svg", { width: whole, height: 330, role: "img" });
    const clip = make("clipPath", { id: "timeline-clip" }, make("defs", {}, svg));
    make("rect", { x: this.left, y: 0, width: this.width, height: 330 }, clip);
    const [scale, unit] = this.rateUnit();
    this.panel(svg, 10, 80, `requests/${unit}`, [
      { name: "traffic", color: COLORS.traffic, fill: true,
        points: this.thinned(this.content.arrivals_per_s).map(([a, b, y]) => [a, b, y * scale]) }]);
    const curves = this.series.map((one) => ({ ...one, points: this.thinned(one.values) }));
    this.panel(svg, 112, 180, "replicas", curves);
    this.timeAxis(svg, 292);
    this.box.replaceChildren(svg);
    this.said.textContent = `${this.moment(this.window[0], true)} to ${this.moment(this.window[1], true)}`;
    svg.setAttribute("aria-label", `Traffic and replicas, ${this.said.textContent}. ${inWords(curves)}`);
  }

  rateUnit() {
    const peak = this.content.arrivals_per_s.reduce((a, b) => Math.max(a, b), 0);
    if (peak >= 1) return [1, "s"];
    return peak * 60 >= 1 ? [60, "min"] : [3600, "h"];
  }

  x(bin) {
    return this.left + ((bin - this.window[0]) / (this.window[1] - this.window[0])) * this.width;
  }

  panel(svg, top, height, title, curves) {
    const peak = curves.reduce((most, one) => one.points.reduce((a, p) => Math.max(a, p[2]), most), 0) || 1;
    const step = nice(peak / 3);
    for (let y = 0; y <= peak; y += step) {
      const at = top + height - (y / peak) * height;
      make("line", { x1: this.left, x2: this.left + this.width, y1: at, y2: at, class: "grid" }, svg);
      make("text", { x: this.left - 6, y: at + 4, "text-anchor": "end" }, svg)
        .textContent = `${Number(y.toPrecision(3))}`;
    }
    make("text", { x: -top - height / 2, y: 12, transform: "rotate(-90)", "text-anchor": "middle" }, svg)
      .textContent = title;
    const inner = make("g", { "clip-path": "url(#timeline-clip)" }, svg);
    for (const one of curves) {
      const at = (y) => (top + height - (y / peak) * height).toFixed(1);
      let path = one.points.map(([a, b, y]) =>
        `${this.x(a).toFixed(1)},${at(y)} ${this.x(b).toFixed(1)},${at(y)}`).join(" ");
      if (one.fill && one.points.length)
        path = `${this.x(one.points[0][0]).toFixed(1)},${top + height} ${path} ` +
          `${this.x(one.points.at(-1)[1]).toFixed(1)},${top + height}`;
      make("polyline", { points: path, "data-curve": one.name, fill: one.fill ? one.color : "none",
        stroke: one.fill ? "none" : one.color, "stroke-width": 1.6,
        "stroke-dasharray": (one.dash || [1, 0]).join(" ") }, inner);
    }
  }

  timeAxis(svg, top) {
    make("line", { x1: this.left, x2: this.left + this.width, y1: top, y2: top, class: "axis" }, svg);
    const count = Math.max(2, Math.floor(this.width / 130));
    for (let i = 0; i <= count; i += 1) {
      const bin = this.window[0] + ((this.window[1] - this.window[0]) * i) / count;
      const anchor = i === 0 ? "start" : i === count ? "end" : "middle";
      make("line", { x1: this.x(bin), x2: this.x(bin), y1: top, y2: top + 5, class: "axis" }, svg);
      make("text", { x: this.x(bin), y: top + 18, "text-anchor": anchor }, svg).textContent = this.moment(bin);
    }
  }

  moment(bin, whole = false) {
    // The last bin may be shorter.
    const seconds = Math.min(bin * this.content.bin_s, result.horizon_s);
    if (this.start === null) return `${Number((seconds / 3600).toFixed(2))} h`;
    const text = new Date(this.start + 1000 * seconds).toISOString();
    if (whole) return text.slice(0, 16).replace("T", " ");
    const span = (this.window[1] - this.window[0]) * this.content.bin_s;
    return span > 3 * 86400 ? text.slice(5, 10) : text.slice(5, 16).replace("T", " ");
  }
}

// What can be seen of curves, for those who do not see them.
function inWords(curves) {
  const told = curves.map((one, i) => {
    const values = one.points.map((point) => point[2]);
    const [low, high] = [Math.min(...values), Math.max(...values)].map((y) => Number(y.toPrecision(2)));
    return `${COLORS.labels[i]}: ${low} to ${high}`;
  });
  return `Replicas of ${told.join("; ")}.`;
}

function nice(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5, 10].find((one) => one * power >= step) || 10);
}

addTooltips();
const figure = document.getElementById("timeline");
if (figure && result && result.timeline) new Timeline(figure, result.timeline, COLORS.names);
document.documentElement.dataset.ready = "true";
performance.mark("ready");
