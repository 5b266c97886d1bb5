// Steps through the events of one design, with its source beside them.

const id = (name) => document.getElementById(name);
const player = { chart: null, order: [], place: 0, timer: 0 };
const STEP_TIME = 300;  // milliseconds of a step that is played

function choose(number, place = 0) {
  const design = DATA.designs[number];
  if (!design) return;
  play(false);
  player.chart = new Chart(id("chart"), design, 430);
  player.order = design.lanes.flatMap((lane, row) => (lane.kind === "client" || lane.kind === "running" ? [] : lane.steps.map((step) => ({ row, step }))));
  player.order.sort((a, b) => a.step[BEGIN] - b.step[BEGIN]);
  id("chart").setAttribute("aria-label", fill(DATA.text.chart, { design: design.name }));
  id("scrubber").max = Math.max(0, player.order.length - 1);
  for (const radio of document.getElementsByName("design")) radio.checked = Number(radio.value) === number;
  listing(id("source"), design.lines, 1, 0, design.idea);
  go(place);
}

function go(place) {
  player.place = Math.min(Math.max(0, place), player.order.length - 1);
  const now = player.order[player.place], chart = player.chart;
  if (!now) { chart.draw(); return; }
  chart.current = now;
  follow(chart, now.step);
  chart.draw();
  id("scrubber").value = player.place;
  const sentences = describe(chart.design, now);
  const where = fill(DATA.text.position, { number: player.place + 1, count: player.order.length, begin: numbers.format(now.step[BEGIN]) });
  id("scrubber").setAttribute("aria-valuetext", `${where}. ${sentences.join(". ")}`);
  paragraphs(id("detail"), [where, ...sentences]);
  source(chart.design, now);
}

function follow(chart, step) {
  // Moves the part that is shown, if the step is outside of it.
  const span = chart.to - chart.from;
  if (step[BEGIN] >= chart.from && step[BEGIN] <= chart.to) return;
  show(chart, step[BEGIN] - span / 4, span);
}

function show(chart, from, span) {
  span = Math.min(Math.max(span, 0.02), DATA.end);
  chart.from = Math.min(Math.max(0, from), DATA.end - span);
  chart.to = chart.from + span;
}

function zoom(factor, centre) {
  const chart = player.chart, now = chart.current && chart.current.step[BEGIN];
  const inside = now !== null && now >= chart.from && now <= chart.to;
  const middle = centre ?? (inside ? now : (chart.from + chart.to) / 2);
  show(chart, middle - (middle - chart.from) / factor, (chart.to - chart.from) / factor);
  chart.draw();
}

function describe(design, { row, step }) {
  const lane = design.lanes[row], text = DATA.text, client = DATA.clients[step[CLIENT] - 1];
  const kind = lane.kind === "loop" && step[KIND] === "wait" ? "between" : step[KIND];
  const values = { lane: lane.title, does: DATA.kinds[kind] || kind, client };
  const does = lane.kind === "client" ? text.client_does : client ? text.does_for : text.does;
  const time = { duration: numbers.format(step[DURATION]), cpu: numbers.format(step[CPU]), waiting: numbers.format(step[DURATION] - step[CPU]) };
  const took = lane.kind === "client" ? text.took_client : step[WAITS] ? text.took_waiting : text.took;
  const sentences = [fill(does, { ...values, client: client || lane.title }), fill(took, time)];
  if (step[WAITS]) sentences.push(DATA.waits[step[WAITS]]);
  const more = [step[DETAIL], step[BYTES] ? fill(text.bytes, { bytes: whole.format(step[BYTES]) }) : ""].filter(Boolean);
  if (more.length) sentences.push(more.join(" · "));
  return sentences;
}

function paragraphs(holder, sentences) {
  holder.replaceChildren(...sentences.map((sentence, place) => {
    const made = document.createElement("p");
    made.className = ["soft", "does", "", "", ""][place];
    made.textContent = sentence;
    return made;
  }));
}

function listing(holder, lines, first, now, idea) {
  const list = document.createElement("ol");
  lines.forEach((line, place) => {
    const item = document.createElement("li"), number = document.createElement("span"), code = document.createElement("span");
    number.className = "number";
    number.textContent = first + place;
    code.className = "line";
    code.textContent = line || " ";
    item.append(number, code);
    if (first + place === idea) tagged(item, "idea", DATA.text.idea);
    list.append(item);
  });
  holder.replaceChildren(list);
  if (now) mark(holder, now - first);
}

function tagged(item, name, words) {
  const tag = document.createElement("span");
  tag.className = "tag";
  tag.textContent = words;
  item.classList.add(name);
  item.append(tag);
}

function mark(holder, place, elsewhere = "") {
  // Marks the line that runs now and scrolls to it inside of its box. With a negative place none of them runs: then the
  // line of the whole idea has the words of `elsewhere`.
  for (const item of holder.querySelectorAll(".now, .elsewhere")) {
    item.classList.remove("now", "elsewhere");
    item.removeAttribute("aria-current");
    item.querySelector(".tag:last-child").remove();
  }
  const item = holder.querySelectorAll("li")[place] || (holder.querySelector(".idea"));
  if (!item) return;
  tagged(item, place >= 0 ? "now" : "elsewhere", place >= 0 ? DATA.text.now : elsewhere);
  if (place >= 0) item.setAttribute("aria-current", "step");
  holder.scrollTop = item.offsetTop - holder.clientHeight / 2;
}

function source(design, { row, step }) {
  const frames = step[STACK] < 0 ? [] : DATA.stacks[step[STACK]];
  const own = frames.find((frame) => frame[0] === design.file), inner = frames[0];
  id("source-title").textContent = fill(DATA.text.source, { file: design.file });
  const shared = id("shared"), found = inner && inner !== own && DATA.functions[inner[2]];
  mark(id("source"), own ? own[1] - 1 : -1, found ? DATA.text.now_below : DATA.text.now_nowhere);
  const started = ["main", "loop"].includes(design.lanes[row].kind) ? DATA.text.shared_only : DATA.text.started;
  const note = own ? DATA.text.in_design : frames.length ? started : DATA.text.not_pwb;
  id("shared-title").textContent = found ? fill(DATA.text.shared, found) : note;
  shared.hidden = !found;
  if (found) listing(shared, found.lines, found.first, inner[1], 0);
  if (found && !own) {
    const told = document.createElement("p");
    told.textContent = note;
    shared.prepend(told);
  }
}

function along(direction) {
  // The next step of the same client in this direction.
  const client = player.order[player.place].step[CLIENT];
  for (let place = player.place + direction; place >= 0 && place < player.order.length; place += direction) {
    if (player.order[place].step[CLIENT] === client) return go(place);
  }
}

function play(on) {
  // Goes on from step to step, until it is stopped or at the end; a screen reader is not told every step of it.
  clearInterval(player.timer);
  player.timer = on ? setInterval(() => (player.place < player.order.length - 1 ? go(player.place + 1) : play(false)), STEP_TIME) : 0;
  id("play").setAttribute("aria-pressed", String(on));
  id("play").textContent = on ? "❚❚" : "▶";
  id("detail").setAttribute("aria-live", on ? "off" : "polite");
}

function move(by) {
  play(false);
  go(player.place + by);
}

const KEYS = {
  ArrowLeft: () => move(-1),
  ArrowRight: () => move(1),
};
const CHART_KEYS = {
  " ": () => play(!player.timer),
  ArrowUp: () => along(-1),
  ArrowDown: () => along(1),
  Home: () => go(0),
  End: () => go(player.order.length - 1),
  "+": () => zoom(2),
  "=": () => zoom(2),
  "-": () => zoom(0.5),
  0: () => zoom(1e-9),
};

function listen() {
  const chart = id("chart"), tip = id("tip");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidden = true;
    const act = KEYS[event.key] || (event.target === chart && CHART_KEYS[event.key]);
    if (!act || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, .scroll") || !player.order.length) return;
    event.preventDefault();
    act();
  });
  id("scrubber").addEventListener("input", (event) => go(Number(event.target.value)));
  id("previous").addEventListener("click", KEYS.ArrowLeft);
  id("play").addEventListener("click", () => play(!player.timer));
  id("next").addEventListener("click", KEYS.ArrowRight);
  id("zoom-in").addEventListener("click", () => zoom(2));
  id("zoom-out").addEventListener("click", () => zoom(0.5));
  id("zoom-all").addEventListener("click", CHART_KEYS[0]);
  for (const radio of document.getElementsByName("design")) radio.addEventListener("change", () => choose(Number(radio.value)));
  for (const button of document.querySelectorAll(".choose")) button.addEventListener("click", () => {
    choose(Number(button.value));
    id("player").scrollIntoView();
    chart.focus({ preventScroll: true });
  });
  hover(chart, tip, () => player.chart);
  drag(chart);
  chart.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, player.chart.time(event.clientX - chart.getBoundingClientRect().left));
  }, { passive: false });
}

function hover(holder, tip, chart) {
  holder.addEventListener("pointermove", (event) => {
    const edge = holder.getBoundingClientRect(), shown = chart();
    const found = shown && shown.at(event.clientX - edge.left, event.clientY - edge.top);
    tip.hidden = !found || event.buttons > 0;
    if (!found) return;
    paragraphs(tip, describe(shown.design, found));
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
    tip.style.top = `${event.clientY + 18 + box.height < innerHeight ? event.clientY + 18 : event.clientY - box.height - 12}px`;
  });
  holder.addEventListener("pointerleave", () => { tip.hidden = true; });
}

function drag(holder) {
  let start = null;
  holder.addEventListener("pointerdown", (event) => {
    start = { x: event.clientX, from: player.chart.from, moved: false };
  });
  holder.addEventListener("pointermove", (event) => {
    if (!start || !event.buttons || Math.abs(event.clientX - start.x) < 4) return;
    start.moved = true;
    const chart = player.chart, span = chart.to - chart.from;
    show(chart, start.from - ((event.clientX - start.x) * span) / (chart.right - chart.left), span);
    chart.draw();
  });
  holder.addEventListener("pointerup", (event) => {
    const edge = holder.getBoundingClientRect(), found = !start.moved && player.chart.at(event.clientX - edge.left, event.clientY - edge.top);
    start = null;
    const place = found ? player.order.findIndex((one) => one.step === found.step) : -1;
    if (place >= 0) go(place);
  });
}

patterns();
const overviews = [...document.querySelectorAll(".overview")].map((holder) => new Chart(holder, DATA.designs[holder.dataset.design]));
listen();
choose(Math.max(0, DATA.designs.findIndex((design) => design.name === "thread")));
for (const one of overviews) {
  one.draw();
  hover(one.holder, id("tip"), () => one);
}
let width = document.documentElement.clientWidth;
new ResizeObserver(() => {
  if (width === (width = document.documentElement.clientWidth)) return;
  for (const one of [player.chart, ...overviews]) if (one) one.draw();
}).observe(document.documentElement);
