// Conversation bubbles.

import { element } from "./element.js";

const TICKS = {
  waiting: () => "◷ waits for the gateway",
  sent: (b) => (b.attempts > 1 ? `✓ sent · attempt ${b.attempts}` : "✓ sent"),
  retrying: (b) => `↻ ${b.status ? `told to wait (${hex(b.status)})` : "no answer yet"}, comes again`,
  acknowledged: (b) => `✓✓ acknowledged ${took(b.at, b.acknowledged_at)}${again(b)}`,
  answered: (b) => {
    const taken = b.acknowledged_at === null ? "" : `acknowledged ${took(b.at, b.acknowledged_at)} · `;
    return `✓✓ ${taken}answered ${took(b.at, b.answered_at)}${again(b)}`;
  },
  refused: (b) => `✕ refused (${hex(b.status)})`,
  expired: () => "✕ the operator gave up",
};

const hex = (status) => `0x${status.toString(16).toUpperCase().padStart(2, "0")}`;
const again = (b) => (b.attempts > 1 ? ` · attempt ${b.attempts}` : "");

function took(from, to) {
  const ms = Math.max(0, (to - from) * 1000);
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });

function metaOf(bubble) {
  const segments = bubble.segments === 1 ? "1 segment" : `${bubble.segments} segments`;
  const facts = `${clock(bubble.at)} · ${bubble.encoding} · ${segments}`;
  const meta = element("p", { class: "meta" }, facts);
  if (bubble.tick) meta.append(element("span", { class: "tick", "data-tick": bubble.tick }, TICKS[bubble.tick](bubble)));
  return meta;
}

function bubbleNode(bubble, holder) {
  const who = bubble.direction === "texted" ? `${holder} to ${bubble.peer}: ` : `${bubble.peer}: `;
  return element("li", { class: "bubble", "data-id": bubble.id, "data-direction": bubble.direction }, [
    element("span", { class: "hidden" }, who),
    element("p", { class: "text", dir: "auto" }, bubble.text || " "),
    metaOf(bubble),
  ]);
}

export function showTalk(list, bubbles, handset) {
  const empty = element("li", { class: "empty" }, "Nothing here yet. Text a code from under a cap, or any word below.");
  list.setAttribute("lang", handset.language);
  list.replaceChildren(...(bubbles.length ? bubbles.map((b) => bubbleNode(b, handset.holder)) : [empty]));
  toEnd(list);
}

export function putBubble(list, bubble, handset) {
  const old = list.querySelector(`[data-id="${CSS.escape(bubble.id)}"]`);
  if (old) {
    old.querySelector(".meta").replaceWith(metaOf(bubble));
    return;
  }
  const screen = list.parentElement;
  const atEnd = screen.scrollHeight - screen.scrollTop - screen.clientHeight < 80;
  list.querySelector(".empty")?.remove();
  list.append(bubbleNode(bubble, handset.holder));
  if (atEnd || bubble.direction === "texted") toEnd(list);
}

function toEnd(list) {
  list.parentElement.scrollTop = list.parentElement.scrollHeight;
}
