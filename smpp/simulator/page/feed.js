// The live feed: newest first, bounded. Kinds that are known read as sentences, others as names and values.

import { element } from "./element.js";

const MOST = 200;

// One letter a code, as the gateway's claim answers it.
const CODES = { C: "claimed", R: "used before", P: "paused", N: "not started", E: "ended", V: "voided" };

const OUTCOMES = { "re-delivered": "the same text again, so no second answer", silent: "no answer, and counted" };

function codes(letters) {
  const words = [...letters].map((letter) => CODES[letter] ?? letter);
  if (!words.length) return "";
  return words.length === 1 ? `, code ${words[0]}` : `, codes: ${words.join(", ")}`;
}

const SENTENCES = {
  text: [["sender", "to", "outcome", "codes"], (f) => `from ${f.sender} to ${f.to}: ${OUTCOMES[f.outcome] ?? f.outcome}${codes(String(f.codes))}`],
  settled: [["outcome"], (f) => String(f.outcome) || "nothing to credit"],
  answer: [["to", "state"], (f) => `to ${f.to}: ${f.state} by the operator`],
  link: [["link", "state"], (f) => `to ${f.link}: ${f.state}`],
};

function told({ kind, fields }) {
  const [needed, sentence] = SENTENCES[kind] ?? [];
  if (needed?.every((name) => name in fields)) return element("span", {}, sentence(fields).replaceAll("_", " "));
  const facts = Object.entries(fields).map(([name, value]) =>
    element("div", {}, [element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, String(value))]),
  );
  return element("dl", {}, facts);
}

function entry(event) {
  const when = new Date(event.at * 1000);
  return element("li", { "data-kind": event.kind, "data-at": event.at }, [
    element("time", { datetime: when.toISOString() }, when.toLocaleTimeString([], { hour12: false })),
    element("span", { class: "kind" }, event.kind.replaceAll("_", " ")),
    told(event),
  ]);
}

export function addFeed(list, events) {
  if (!events.length) return;
  list.querySelector(".empty")?.remove();
  for (const event of events) {
    // By the time it happened: several processes write the feed, each in batches.
    const older = [...list.children].find((node) => Number(node.dataset.at) <= event.at);
    list.insertBefore(entry(event), older ?? null);
  }
  while (list.children.length > MOST) list.lastElementChild.remove();
}

export function emptyFeed(list) {
  list.replaceChildren(element("li", { class: "empty" }, "Nothing yet. Text something and watch."));
}
