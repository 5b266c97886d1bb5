
// Guess first: a chart is covered until the student has guessed a figure of it; then it is shown with the guesses.

const guesses = {};           // by the name of a chart, then of a design
const uncovered = new Set();  // names of charts
let guessing = document.body.hasAttribute("data-guess");
const STEPS = 600;            // of a slider, from a power of ten below the figures to one above

const charts = () => [...document.querySelectorAll("figure[data-lesson]")];
const texts = () => JSON.parse(document.querySelector("main").dataset.texts);
const say = (key, values) => texts()[`lesson.${key}`].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const rounded = (value) => Number(value.toPrecision(2));
const told = (value) => value.toLocaleString(document.documentElement.lang, { maximumSignificantDigits: 6 });

function range(rows) {
  // Powers of ten with room on both sides, so that the ends tell little of the figures.
  const known = rows.map(([, value]) => value).filter((value) => value > 0);
  return [Math.floor(Math.log10(Math.min(...known))) - 1, Math.ceil(Math.log10(Math.max(...known))) + 1];
}

function guessable(figure) {
  return JSON.parse(figure.dataset.lesson).rows.some(([, value]) => value > 0);
}

function form(figure) {
  const { rows } = JSON.parse(figure.dataset.lesson), mine = (guesses[figure.dataset.name] ||= {});
  const [low, high] = range(rows);
  const made = document.querySelector("template.guess-form").content.cloneNode(true).querySelector("form");
  made.querySelector("p").textContent = say("guess.of", {});
  const submit = made.querySelector("button");
  for (const [name, value] of rows) {
    if (value === null) continue;
    const label = say("guess", { name });
    const row = document.createElement("div");
    const head = document.createElement("span");
    head.textContent = name;
    const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: STEPS, step: 1, value: STEPS / 2 });
    const number = Object.assign(document.createElement("input"), { type: "number", min: 0, step: "any", value: mine[name] ?? "" });
    slider.setAttribute("aria-label", label);
    slider.setAttribute("aria-valuetext", "?");
    number.setAttribute("aria-label", label);
    const set = (guess) => {
      if (Number.isFinite(guess) && guess >= 0) mine[name] = guess;
      else delete mine[name];
      slider.setAttribute("aria-valuetext", mine[name] ?? "?");
      slider.classList.toggle("set", name in mine);
      submit.disabled = !Object.keys(mine).length;
    };
    const move = (guess) => { if (guess > 0) slider.value = ((Math.log10(guess) - low) / (high - low)) * STEPS; };
    slider.addEventListener("input", () => set(Number(number.value = rounded(10 ** (low + (slider.value / STEPS) * (high - low))))));
    number.addEventListener("input", () => { set(number.valueAsNumber); move(number.valueAsNumber); });
    set(mine[name]);
    move(mine[name]);
    row.append(head, slider, number);
    made.querySelector(".rows").append(row);
  }
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    uncovered.add(figure.dataset.name);
    update();
    figure.querySelector(".guesses")?.focus();
  });
  return made;
}

function compared(figure) {
  // The guesses beside the figures, in words and as marks in the drawing.
  const { rows, scale, step } = JSON.parse(figure.dataset.lesson), mine = guesses[figure.dataset.name] || {};
  const list = Object.assign(document.createElement("ul"), { className: "guesses", tabIndex: -1 });
  const svg = figure.querySelector("svg");
  rows.forEach(([name, value, shown], place) => {
    if (!(name in mine)) return;
    const line = document.createElement("li"), guess = mine[name];
    const apart = guess > 0 && value > 0 ? Math.max(guess / value, value / guess) : NaN;
    const times = guess === value || apart < 1.05 ? say("exact", {}) : Number.isNaN(apart) ? "" : say("times", { times: told(rounded(apart)) });
    line.textContent = say("result", { name, guess: told(guess), measured: shown, times }).replace(/[;；]\s*$/, "");
    list.append(line);
    const along = scale.logarithmic ? Math.log(Math.max(guess, scale.low) / scale.low) / Math.log(scale.high / scale.low) : guess / scale.high;
    const x = scale.left + scale.width * Math.min(Math.max(along, 0), 1);
    const mark = document.createElementNS(SVG, "path");
    mark.setAttribute("class", "guess-mark");
    mark.setAttribute("d", `M${x} ${step * (place + 0.08)}V${step * (place + 0.92)}`);
    mark.setAttribute("style", "stroke: var(--warn)");
    mark.setAttribute("stroke-width", "3");
    mark.setAttribute("stroke-dasharray", "4 2");
    svg.append(mark);
  });
  return list;
}

function update() {
  const all = charts().filter(guessable);
  document.body.classList.toggle("guessing", guessing);
  for (const figure of all) {
    const covered = guessing && !uncovered.has(figure.dataset.name);
    figure.classList.toggle("covered", covered);
    for (const old of figure.querySelectorAll("form.guess, .guesses, .guess-mark")) if (!covered || !old.matches("form")) old.remove();
    if (covered && !figure.querySelector("form.guess")) figure.append(form(figure));
    if (guessing && !covered && Object.keys(guesses[figure.dataset.name] || {}).length) figure.append(compared(figure));
  }
  for (const section of document.querySelectorAll("main > section")) section.classList.toggle("covered", guessing && !!section.querySelector("figure.covered"));
  document.body.classList.toggle("covered", guessing && all.some((one) => one.classList.contains("covered")));
  document.querySelector("[data-act=guess]")?.setAttribute("aria-pressed", guessing);
  const showAll = document.querySelector("[data-act=showAll]");
  if (showAll) showAll.hidden = !document.body.classList.contains("covered");
}

acts.guess = () => { guessing = !guessing; update(); };
acts.showAll = () => {
  for (const figure of charts()) uncovered.add(figure.dataset.name);
  update();
  document.querySelector("[data-act=guess]").focus();
};
parts.push(update);
