// The client of PWB's live reload, the last element of each page while PWB runs with --live-reload.
//
// The query of this script's address is the version of the site that the page was made of. Events bring each new version
// (pwb_async/live_reload/events.py). A page that cannot swap what has changed reloads.
//
// Browsers open six connections to a server over HTTP/1.1, and an event stream keeps one. So of all tabs one leads,
// the one that holds a lock (Web Locks): it has the event stream, and passes the events on (BroadcastChannel). Pages
// from plain HTTP on another machine have no locks; of these, each tab has a stream while it is visible.
"use strict";

(() => {
  const loaded = Symbol.for("pwb live reload");
  if (window[loaded]) return;
  window[loaded] = true;

  const address = new URL(document.currentScript.src);
  const stream = new URL("live-reload", address).href;
  const name = "pwb live reload " + address.pathname;
  const retry = 1000; // milliseconds

  let version = address.search.slice(1); // of this page
  let latest = null; // the last version that the server has named, or another tab
  let events = null;
  let timer = 0;
  let channel = null;
  let leave = null; // an AbortController, whose signal ends the lead

  function reload() {
    disconnect();
    location.reload(); // the browser keeps the scroll position
  }

  // Events

  function handle(event) {
    latest = event.version;
    if (event.version === version) return;
    const swaps = event.after === version && event.swap ? findSwaps(event.swap, event.version) : null;
    if (!swaps) {
      reload();
      return;
    }
    version = event.version;
    for (const swap of swaps) swap();
  }

  function connect() {
    clearTimeout(timer);
    events = new EventSource(stream);
    events.onmessage = (message) => {
      channel?.postMessage(message.data);
      handle(JSON.parse(message.data));
    };
    events.onerror = () => {
      // A browser connects again by itself, unless it got a response that is no event stream.
      if (events?.readyState === EventSource.CLOSED) timer = setTimeout(connect, retry);
    };
  }

  function disconnect() {
    clearTimeout(timer);
    events?.close();
    events = null;
  }

  // Which tab has the event stream

  function lead() {
    connect();
    return new Promise((resolve) => leave.signal.addEventListener("abort", resolve));
  }

  function start() {
    if (!navigator.locks || !window.BroadcastChannel) {
      showOrHide();
      document.addEventListener("visibilitychange", showOrHide);
      return;
    }
    leave = new AbortController();
    channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => {
      if (data) handle(JSON.parse(data));
      else if (events && latest) channel.postMessage(JSON.stringify({ version: latest }));
    };
    channel.postMessage(""); // the tab that leads answers with the version, as events may have been missed
    navigator.locks.request(name, { signal: leave.signal }, lead).catch(() => {}); // it was not this tab's turn
  }

  function showOrHide() {
    disconnect();
    if (document.visibilityState === "visible") connect();
  }

  function stop() {
    document.removeEventListener("visibilitychange", showOrHide);
    disconnect();
    leave?.abort();
    channel?.close();
    channel = leave = null;
  }

  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => {
    if (event.persisted) start(); // the way back in the history
  });

  // Style sheets and images

  const before = new WeakMap(); // for each style sheet that is being loaded, those that it is to replace
  const outgoing = new WeakSet();

  // The functions that swap all these files, or null if the page has to be reloaded.
  function findSwaps(paths, next) {
    const swaps = [];
    for (const path of paths) {
      const found = path.toLowerCase().endsWith(".css") ? findSheets(path, next) : findImages(path, next);
      // What a style sheet itself uses, a page cannot exchange.
      if (!found.length || isUsedByStyles(path)) return null;
      swaps.push(...found);
    }
    return swaps;
  }

  function pathOf(text, base = document.baseURI) {
    try {
      const url = new URL(text, base);
      return url.origin === location.origin ? decodeURIComponent(url.pathname) : null;
    } catch {
      return null;
    }
  }

  function withVersion(text, next) {
    const url = new URL(text, document.baseURI);
    url.searchParams.set("live-reload", next);
    return url.href;
  }

  // Whether a style sheet has loaded a file, or names one that an element has loaded before.
  function isUsedByStyles(path) {
    const loaded = performance.getEntriesByType("resource").filter((entry) => entry.initiatorType === "css");
    const sheets = [...document.styleSheets];
    return loaded.some((entry) => pathOf(entry.name) === path) || sheets.some((sheet) => pathsIn(sheet).includes(path));
  }

  function pathsIn(sheet) {
    try {
      return [...sheet.cssRules].flatMap(({ cssText, styleSheet }) => {
        const named = [...cssText.matchAll(/url\("(.*?)"\)/g)].map((match) => pathOf(match[1], sheet.href ?? undefined));
        return styleSheet ? [...named, ...pathsIn(styleSheet)] : named;
      });
    } catch {
      return []; // of another origin
    }
  }

  function findSheets(path, next) {
    return [...document.querySelectorAll("link[rel~='stylesheet' i][href]")]
      .filter((link) => !outgoing.has(link) && pathOf(link.href) === path)
      .map((link) => () => swapSheet(link, next));
  }

  function swapSheet(link, next) {
    const fresh = link.cloneNode();
    const old = [link, ...(before.get(link) ?? [])];
    fresh.href = withVersion(link.href, next);
    fresh.addEventListener("load", () => {
      old.forEach((each) => each.remove());
      before.delete(fresh);
    });
    fresh.addEventListener("error", reload);
    before.set(fresh, old);
    outgoing.add(link);
    link.after(fresh); // the old one stays until the new one is there, so that nothing flashes
  }

  function findImages(path, next) {
    const found = [];
    for (const element of document.querySelectorAll("img, source, input, video, image, link[rel~='icon' i]")) {
      for (const attribute of ["src", "srcset", "poster", "href"]) {
        const value = element.getAttribute(attribute);
        if (!value) continue;
        const addresses = attribute === "srcset" ? /[^\s,]\S*[^\s,]/g : /\S.*\S/gs;
        const fresh = value.replace(addresses, (text) => (pathOf(text) === path ? withVersion(text, next) : text));
        if (fresh !== value) found.push(() => element.setAttribute(attribute, fresh));
      }
    }
    return found;
  }

  start();
})();
