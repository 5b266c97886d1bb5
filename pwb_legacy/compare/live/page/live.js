"use strict";
// Polls state.json, which the lesson writes twice a second, and draws it. All sentences are those of words.json.

const COLUMNS = ["lane", "wait", "rate", "waiting", "lost", "cpu", "memory", "threads", "processes", "clients", "running"];
const BARS = ["cpu", "memory", "threads", "processes", "clients"];
const ALARMS = ["blocked", "stuck", "behind", "ended"];
const PIECES = 120, HEIGHT = 40, LEAST = 1, MOST = 2000; // of a lane: half seconds, units, milliseconds
const SVG = "http://www.w3.org/2000/svg";
const still = matchMedia("(prefers-reduced-motion: reduce)");
const [address, token] = location.hash.slice(1).split("/");
const byId = (id) => document.getElementById(id);

let catalogue, words, language = new URLSearchParams(location.search).get("lang") === "zh" ? "zh" : "en";
let state = null, rows = {}, drawn = 0;

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) =>
  Array.isArray(values[name]) ? values[name].join(words.page.comma) : values[name]);

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function setText(node, text) { // a text that stays is not touched, so that a selection or a screen reader is not disturbed
  if (node.textContent !== text) node.textContent = text;
}

function translate() {
  words = catalogue[language];
  document.documentElement.lang = words.page.lang;
  document.title = words.page.title;
  byId("language").lang = language === "zh" ? "en" : "zh-CN";
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = words.page[node.dataset.word];
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", words.page[node.dataset.label]);
  byId("heads").replaceChildren(...["design", ...COLUMNS].map((name) => {
    const head = element("th", name, words.page[name]);
    const more = {lane: "scale", wait: "wait-of"}[name];
    if (more) head.append(element("small", "soft", words.page[more]));
    head.scope = "col";
    head.setAttribute("role", "columnheader");
    return head;
  }));
  byId("rows").replaceChildren();
  rows = {};
  if (state) draw();
}

function makeRow(name) {
  const row = element("tr", catalogue.families[name] || "async"), head = element("th", "", name), cells = {};
  row.dataset.design = name;
  row.setAttribute("role", "row");
  head.scope = "row";
  head.setAttribute("role", "rowheader");
  head.append(element("small", "", words.designs[name]));
  row.append(head);
  for (const column of COLUMNS) {
    const cell = cells[column] = element("td", column);
    cell.dataset.name = words.page[column];
    cell.setAttribute("role", "cell");
    row.append(cell);
  }
  BARS.forEach((column) => cells[column].classList.add("bar"));
  const lane = makeLane(name), box = element("input");
  cells.lane.append(lane.svg);
  box.type = "checkbox";
  box.setAttribute("role", "switch");
  box.setAttribute("aria-label", fill(words.page["running-of"], {name}));
  box.addEventListener("change", () => press(`${box.checked ? "resume" : "pause"}/${name}`));
  cells.running.append(box);
  byId("rows").append(row);
  return rows[name] = {row, cells, lane, box};
}

const level = (ms) => HEIGHT * (1 - Math.log(Math.min(Math.max(ms, LEAST), MOST) / LEAST) / Math.log(MOST / LEAST));

function makeLane(name) {
  const make = (tag, className) => {
    const made = document.createElementNS(SVG, tag);
    if (className) made.setAttribute("class", className);
    return made;
  };
  const svg = make("svg"), grid = make("path", "grid"), moving = make("g"), waits = make("path", "waits"), losses = make("path", "losses");
  svg.setAttribute("viewBox", `0 0 ${PIECES} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${words.page.lane}: ${name}`);
  grid.setAttribute("d", [10, 100, 1000].map((ms) => `M0 ${level(ms)}H${PIECES}`).join(""));
  moving.append(waits, losses);
  svg.append(grid, moving);
  return {svg, moving, waits, losses};
}

function drawLane(lane, pieces, moves) {
  let waits = "", losses = "";
  pieces.forEach(([median, longest, lost], index) => {
    const x = PIECES - pieces.length + index + .5;
    if (median !== null) waits += `M${x} ${Math.min(level(median) + 1.5, HEIGHT)}V${Math.max(0, level(longest) - 1.5)}`;
    if (lost) losses += `M${x} 0V${median === null ? HEIGHT : HEIGHT / 4}`;
  });
  lane.waits.setAttribute("d", waits);
  lane.losses.setAttribute("d", losses);
  if (moves) lane.moving.animate([{transform: "translateX(1px)"}, {transform: "none"}], {duration: 500});
}

const digits = (number) => number >= 10 ? number.toFixed(0) : number.toFixed(1);

function drawRow(figures, most, moves) {
  const {row, cells, lane, box} = rows[figures.name] || makeRow(figures.name);
  for (const column of ["rate", "waiting", "lost", "cpu", "memory", "threads", "processes", "clients"]) {
    const value = figures[column];
    setText(cells[column], value === null ? "–" : column === "memory" ? digits(value) : String(value));
  }
  BARS.forEach((column) => cells[column].style.setProperty("--share", most[column] ? 100 * figures[column] / most[column] : 0));
  setText(cells.wait, figures.median === null ? words.page.none : `${digits(figures.median)} / ${digits(figures.longest)}`);
  cells.wait.classList.toggle("hot", figures.silent >= 1);
  cells.waiting.classList.toggle("hot", figures.waiting > state.rate);
  cells.lost.classList.toggle("hot", figures.lost > 0);
  row.classList.toggle("paused", figures.paused);
  if (document.activeElement !== box || box.checked === figures.paused) box.checked = !figures.paused;
  drawLane(lane, figures.lane, moves);
}

function drawStory() {
  const list = byId("story"), [load, ...story] = state.story;
  setText(byId("load"), fill(words.story.load, load[1]));
  story.forEach(([key, values], index) => {
    const item = list.children[index] || list.appendChild(element("li"));
    setText(item, fill(words.story[key], values));
    item.className = ALARMS.includes(key) ? "alarm" : "";
    item.dataset.key = key;
  });
  while (list.children.length > story.length) list.lastChild.remove();
}

function draw(moves = false) {
  const most = {}, minutes = Math.ceil(state.left / 60);
  for (const column of BARS) most[column] = Math.max(...state.rows.map((figures) => figures[column] || 0));
  most.cpu = Math.max(most.cpu, 25);
  for (const figures of state.rows) drawRow(figures, most, moves && !still.matches);
  drawStory();
  for (const button of document.querySelectorAll("[data-press]")) {
    if (button.classList.contains("toggle")) button.setAttribute("aria-pressed", state.on.includes(button.dataset.press));
    const killed = button.dataset.press === "kill" && !state.rows.some((row) => row.name === "process" && row.processes > 1);
    button.disabled = state.over || killed;
  }
  setText(byId("left"), state.over ? "" : minutes > 1 ? fill(words.page.left, {minutes}) : words.page["last-minute"]);
  if (state.over) end();
}

function end() {
  byId("notice").textContent = words.page.over;
  for (const control of document.querySelectorAll("[data-press], #rows input")) control.disabled = true;
}

async function press(action) {
  let refused = "unreached";
  try {
    const response = await fetch(`http://${address}/${token}/${action}`, {method: "POST"});
    refused = response.ok ? "" : "refused";
  } catch { /* it has ended, or there is no address */ }
  byId("notice").textContent = refused ? words.page[refused] : "";
  await read();
}

async function read() {
  const response = await fetch("state.json", {cache: "no-store"});
  if (!response.ok) return; // it has not been written yet
  state = await response.json();
  const now = performance.now(), moves = now - drawn > 300;
  drawn = now;
  draw(moves);
}

async function poll() {
  try {
    await read();
  } catch {
    if (state) state.over = true;
    end();
  }
  if (!state || !state.over) setTimeout(poll, 500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-press]");
  if (!button) return;
  const pressed = button.getAttribute("aria-pressed");
  press(button.dataset.press + (pressed === null ? "" : pressed === "true" ? "/off" : "/on"));
});
byId("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  const query = new URLSearchParams(location.search);
  query.set("lang", language);
  history.replaceState(null, "", `?${query}${location.hash}`);
  translate();
});

fetch("words.json").then((response) => response.json()).then((found) => {
  catalogue = found;
  translate();
  poll();
});
