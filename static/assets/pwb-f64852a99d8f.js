// The only script of the site. Every page can be read without it, and each part below does nothing where its element is
// not on the page. It sends requests only to the server of the page.
//
//   1. the head of the response HEAD for this page, and on demand GET with its validator
//   2. the search box           filters the eight designs
//   3. tables of files          HEAD for every file, one after the other; and what this page has loaded
//   4. the sound                byte ranges, note by note
//   5. the rest                 the real address and target in the text, copy buttons, opening the linked sketch
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const REASONS = { 200: "OK", 206: "Partial Content", 304: "Not Modified", 404: "Not Found", 416: "Range Not Satisfiable" };
  const overHttp = location.protocol === "http:" || location.protocol === "https:";

  document.documentElement.classList.add("js");

  const status = (response) => `${response.status} ${response.statusText || REASONS[response.status] || ""}`.trim();

  // null where the page was not loaded over HTTP, or the server does not respond: the page then shows that.
  const ask = async (target, method = "GET", fields = {}) => {
    if (!overHttp) return null;
    try {
      return await fetch(target, { method, headers: fields, cache: "no-store" });
    } catch {
      return null;
    }
  };

  // 1. ---- the head of the response ----
  const served = byId("served");
  if (served) {
    const here = location.href.split("#")[0];
    const again = byId("served-again");
    const show = (name, value) => { byId(`served-${name}`).textContent = value || "（没有 none）"; };
    let validator = null;

    const first = async () => {
      served.dataset.state = "loading";
      const start = performance.now();
      const response = await ask(here, "HEAD");
      const spent = performance.now() - start;
      if (!response) {
        show("status", overHttp ? "没有响应 no response" : "不是通过 HTTP 打开的 not loaded over HTTP");
        served.dataset.state = "failed";
        return;
      }
      const field = (name) => response.headers.get(name);
      show("status", status(response));
      show("server", field("Server"));
      show("etag", field("ETag"));
      show("modified", field("Last-Modified"));
      show("type", field("Content-Type"));
      show("coding", field("Content-Encoding"));
      show("length", field("Content-Length"));
      show("cache", field("Cache-Control"));
      show("time", `${spent.toFixed(1)} ms`);
      if (field("ETag")) validator = ["If-None-Match", field("ETag")];
      else if (field("Last-Modified")) validator = ["If-Modified-Since", field("Last-Modified")];
      again.disabled = !validator;
      served.dataset.state = "done";
    };

    again.addEventListener("click", async () => {
      again.disabled = true;
      const [name, value] = validator;
      const response = await ask(here, "GET", { [name]: value });
      const size = response ? (await response.arrayBuffer().catch(() => null))?.byteLength ?? 0 : 0;
      byId("served-again-result").textContent = response
        ? `${name}: ${value} → ${status(response)}，正文 ${size} 字节 (${size} bytes of content)`
        : "没有响应 no response";
      again.disabled = false;
    });

    first();
  }

  // 2. ---- the search box ----
  const form = byId("search-form");
  if (form) {
    const input = byId("search-input");
    const count = byId("search-count");
    const plain = (text) => text.normalize("NFKC").toLowerCase();
    const designs = all("[data-design]").map((item) => [item, plain(`${item.textContent} ${item.dataset.words}`)]);

    const filter = () => {
      const words = plain(input.value).split(/\s+/).filter(Boolean);
      let found = 0;
      for (const [item, text] of designs) {
        item.hidden = !words.every((word) => text.includes(word));
        if (!item.hidden) found += 1;
      }
      count.textContent = `${found} / ${designs.length} 种设计 designs`;
      byId("no-results").hidden = found > 0;
    };
    const search = (text) => { input.value = text; filter(); input.focus(); };

    input.addEventListener("input", filter);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      filter();
      const query = input.value.trim();
      if (overHttp) history.replaceState(null, "", query ? `?q=${encodeURIComponent(query)}` : location.pathname);
    });
    for (const chip of all("[data-query]")) chip.addEventListener("click", () => search(chip.dataset.query));
    input.value = new URLSearchParams(location.search).get("q") ?? "";
    filter();
  }

  // 3. ---- tables of files ----
  // One request at a time: the designs `single` and `fixed` serve one client at a time.
  const tables = all("[data-live]");
  const CELLS = {
    status: (response) => response.redirected ? `→ ${new URL(response.url).pathname}` : String(response.status),
    type: (response) => response.headers.get("Content-Type"),
    coding: (response) => response.headers.get("Content-Encoding"),
    length: (response) => response.headers.get("Content-Length"),
    cache: (response) => response.headers.get("Cache-Control"),
  };
  for (const table of tables) {
    (async () => {
      for (const row of table.querySelectorAll("[data-file]")) {
        const response = await ask(row.querySelector("a").href, "HEAD");
        if (!response) break;
        for (const cell of row.querySelectorAll("[data-cell]")) cell.textContent = CELLS[cell.dataset.cell](response) ?? "—";
      }
      table.dataset.state = "done";
    })();
  }

  const loaded = byId("loaded");
  if (loaded) {
    const bytes = (number) => number.toLocaleString("en");
    const list = () => {
      const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
      const rows = entries.filter((entry) => ["navigation", "link", "script", "img"].includes(entry.initiatorType));
      loaded.replaceChildren(...rows.map((entry) => {
        const row = document.createElement("tr");
        const name = document.createElement("th");
        name.scope = "row";
        name.textContent = new URL(entry.name).pathname;
        row.append(name);
        const kept = entry.transferSize === 0 && entry.decodedBodySize > 0;
        const sent = kept ? "缓存 from the cache" : bytes(entry.encodedBodySize);
        for (const text of [sent, bytes(entry.decodedBodySize)]) {
          const cell = document.createElement("td");
          cell.className = "mono";
          cell.textContent = text;
          row.append(cell);
        }
        return row;
      }));
    };
    if (document.readyState === "complete") list();
    else window.addEventListener("load", () => setTimeout(list));
  }

  // 4. ---- the sound ----
  const tone = byId("tone");
  if (tone) {
    const answer = byId("range-answer");
    const source = tone.currentSrc || tone.querySelector("source").src;
    const HEADER = 44, SECOND = 8000;  // a WAV header, then 8,000 one-byte samples a second
    let stop = 0;

    const range = async (first, last, explain) => {
      const response = await ask(source, "GET", { Range: `bytes=${first}-${last}` });
      if (!response) { answer.textContent = "没有响应 no response"; return; }
      const bytes = new DataView(await response.arrayBuffer().catch(() => new ArrayBuffer(0)));
      answer.textContent = [
        `Range: bytes=${first}-${last}`,
        `→ ${status(response)}`,
        `Content-Range: ${response.headers.get("Content-Range") ?? "（没有 none）"}`,
        explain(bytes, response.status === 206),
      ].join("\n");
    };
    const got = (bytes, partial) => partial
      ? `收到 ${bytes.byteLength} 字节 bytes`
      : `服务器忽略了 Range，发送了全部 ${bytes.byteLength} 字节 (the server ignored Range and sent the whole file)`;

    byId("read-header").addEventListener("click", () => range(0, HEADER - 1, (bytes, partial) => {
      if (bytes.byteLength < HEADER) return got(bytes, partial);
      const word = (at) => String.fromCharCode(...[0, 1, 2, 3].map((i) => bytes.getUint8(at + i)));
      return `${got(bytes, partial)}: ${word(0)} ${word(8)}, ${bytes.getUint32(24, true)} Hz, `
        + `${bytes.getUint16(22, true)} 声道 channel, ${bytes.getUint16(34, true)} bit`;
    }));

    for (const note of all("[data-note]")) {
      note.addEventListener("click", (event) => {
        event.preventDefault();
        const second = Number(note.dataset.note);
        const first = HEADER + second * SECOND;
        clearTimeout(stop);
        tone.currentTime = second;
        tone.play().then(() => { stop = setTimeout(() => tone.pause(), 980); }, () => {});
        range(first, first + SECOND - 1, got);
      });
    }
    const follow = () => {
      const now = tone.paused ? -1 : Math.min(7, Math.floor(tone.currentTime));
      for (const note of all("[data-note]")) note.classList.toggle("playing", Number(note.dataset.note) === now);
    };
    for (const moment of ["timeupdate", "pause", "ended"]) tone.addEventListener(moment, follow);
  }

  // 5. ---- the rest ----
  if (overHttp) {
    for (const place of all("[data-origin]")) place.textContent = location.origin;
    for (const place of all("[data-target]")) place.textContent = location.pathname;
  }

  for (const button of all("[data-copy]")) {
    if (!navigator.clipboard) { button.hidden = true; continue; }
    const label = button.textContent;
    const command = byId(button.dataset.copy);
    button.addEventListener("click", async () => {
      const done = await navigator.clipboard.writeText(command.textContent).then(() => true, () => false);
      if (!done) getSelection().selectAllChildren(command);  // the browser forbids it: the user can press Ctrl+C
      button.textContent = done ? "好了 done" : "Ctrl+C";
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }

  // What scrolls sideways needs the keyboard focus; what fits would be one more stop on the way.
  const scrollers = all(".scroll[tabindex], pre[tabindex]");
  const focusable = () => {
    for (const each of scrollers) each.tabIndex = each.scrollWidth > each.clientWidth ? 0 : -1;
  };
  window.addEventListener("resize", focusable);
  for (const each of all("details")) each.addEventListener("toggle", focusable);
  for (const table of tables) {
    new MutationObserver(focusable).observe(table, { subtree: true, childList: true, characterData: true });
  }
  focusable();

  const openLinked = () => {
    const target = location.hash && byId(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  window.addEventListener("hashchange", openLinked);
  openLinked();
})();
