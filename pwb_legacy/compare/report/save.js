
// Charts as files: SVG and PNG in the page's present colours, with title and notes; CSV as in data-csv.

const SVG = "http://www.w3.org/2000/svg";
const PNG_SCALE = 2;

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function standalone(figure) {
  // A drawing that needs nothing of this page: no variable, its title inside.
  const style = getComputedStyle(document.documentElement);
  const shown = [...figure.querySelectorAll("svg")].find((one) => one.getClientRects().length);
  const [left, top, width, height] = shown.getAttribute("viewBox").split(" ").map(Number);
  const svg = shown.cloneNode(true);
  const title = figure.querySelector("figcaption")?.firstChild.textContent.trim() || figure.closest("section").querySelector("h2").textContent;
  const notes = figure.querySelector("figcaption span")?.textContent || "";
  const above = 52, around = 12;
  svg.setAttribute("xmlns", SVG);
  svg.setAttribute("viewBox", [left - around, top - above, width + 2 * around, height + above + around].join(" "));
  svg.setAttribute("width", width + 2 * around);
  svg.setAttribute("height", height + above + around);
  const paper = document.createElementNS(SVG, "rect");
  for (const [key, value] of Object.entries({ x: left - around, y: top - above, width: "100%", height: "100%", fill: "var(--page)" })) paper.setAttribute(key, value);
  svg.prepend(paper);
  for (const [text, y, size, fill] of [[title, 30, 15, "var(--ink)"], [notes, 13, 11, "var(--soft)"]]) {
    const line = document.createElementNS(SVG, "text");
    for (const [key, value] of Object.entries({ x: left, y: top - y, "font-size": size, fill, "font-family": "system-ui, sans-serif" })) line.setAttribute(key, value);
    line.textContent = text;
    svg.append(line);
  }
  const text = new XMLSerializer().serializeToString(svg).replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
  return { text, width: width + 2 * around, height: height + above + around };
}

async function png({ text, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * PNG_SCALE, height * PNG_SCALE];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

acts.save = async (button) => {
  const figure = button.closest("figure"), kind = button.dataset.kind;
  const name = `${figure.dataset.name}.${kind}`;
  if (kind === "csv") download(new Blob(["\ufeff", figure.dataset.csv], { type: "text/csv" }), name);
  else if (kind === "svg") download(new Blob([standalone(figure).text], { type: "image/svg+xml" }), name);
  else download(await png(standalone(figure)), name);
};
