// The live feed: newest first, bounded.

import { element } from "./element.js";

const MOST = 200;

function entry(event) {
  const when = new Date(event.at * 1000);
  const facts = Object.entries(event.fields).map(([name, value]) =>
    element("div", {}, [element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, String(value))]),
  );
  return element("li", {}, [
    element("time", { datetime: when.toISOString() }, when.toLocaleTimeString([], { hour12: false })),
    element("span", { class: "kind" }, event.kind.replaceAll("_", " ")),
    element("dl", {}, facts),
  ]);
}

export function addFeed(list, events) {
  if (!events.length) return;
  list.querySelector(".empty")?.remove();
  list.prepend(...events.map(entry).reverse());
  while (list.children.length > MOST) list.lastElementChild.remove();
}

export function emptyFeed(list) {
  list.replaceChildren(element("li", { class: "empty" }, "Nothing yet. Text something and watch."));
}
