"use strict";
// What the page does for a lesson. Each part is started again when the language changes, for the elements are others.

const parts = [];
const acts = {};

function begin() {
  for (const tools of document.querySelectorAll(".tools")) tools.hidden = false;
  for (const part of parts) part();
}

const sizes = new ResizeObserver((changed) => {
  // A table is a stop of the Tab key only where it does not fit.
  for (const { target } of changed) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
});
parts.push(() => {
  for (const table of document.querySelectorAll(".scroll")) sizes.observe(table);
});

acts.language = () => {
  // The other language lies in the <template>; the two change places.
  const template = document.querySelector("template[data-language]");
  const shown = document.createDocumentFragment();
  const last = [...document.body.childNodes].slice(0, [...document.body.childNodes].indexOf(template));
  const top = scrollY;
  shown.append(...last);
  document.body.prepend(template.content);
  template.content.append(shown);
  const [language, title] = [document.documentElement.lang, document.title];
  document.documentElement.lang = template.dataset.language;
  document.title = template.dataset.title;
  [template.dataset.language, template.dataset.title] = [language, title];
  begin();
  scrollTo(0, top);
  document.querySelector("[data-act=language]").focus({ preventScroll: true });
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (button) acts[button.dataset.act](button);
});
