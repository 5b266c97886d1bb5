
// Slides: one scenario a screen, by arrow keys; Esc ends them.

let slide = -1;   // the place of the section that is shown; -1: the whole page

const slides = () => [...document.querySelectorAll("main > section")];

function show(place) {
  const all = slides();
  const left = slide;
  slide = place < 0 ? -1 : Math.min(place, all.length - 1);
  document.body.classList.toggle("slides", slide >= 0);
  all.forEach((section, at) => section.classList.toggle("current", at === slide));
  document.querySelector(".place").textContent = slide < 0 ? "" : say("slide", { place: slide + 1, all: all.length });
  document.querySelector("[data-act=previous]").disabled = slide === 0;
  document.querySelector("[data-act=next]").disabled = slide === all.length - 1;
  if (slide >= 0) scrollTo(0, 0);
  else if (left >= 0) all[left].scrollIntoView();
  return slide < 0 ? document.querySelector("[data-act=slides]") : all[slide].querySelector("h2");
}

function go(place) {
  const head = show(place);
  if (head.matches("h2")) head.tabIndex = -1;
  head.focus({ preventScroll: true });
}

function nearest() {
  // The section that is on the screen, so that slides begin where the reader is.
  const place = slides().findIndex((one) => one.getBoundingClientRect().bottom > 80);
  return Math.max(place, 0);
}

acts.slides = () => go(slide < 0 ? nearest() : -1);
acts.previous = () => go(Math.max(slide - 1, 0));
acts.next = () => go(slide + 1);
parts.push(() => show(slide));

document.addEventListener("keydown", (event) => {
  if (slide < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "Escape") return go(-1);
  if (event.target.closest("input, .scroll")) return;
  const places = {
    ArrowRight: slide + 1, PageDown: slide + 1, ArrowLeft: Math.max(slide - 1, 0), PageUp: Math.max(slide - 1, 0), Home: 0, End: slides().length - 1,
  };
  if (event.key in places) {
    event.preventDefault();
    go(places[event.key]);
  }
});
