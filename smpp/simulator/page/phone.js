// The page: handsets, what is typed, and what the simulator tells.

import { telephone } from "./call.js";
import { madeUp, showCaps } from "./caps.js";
import { element } from "./element.js";
import { addFeed, emptyFeed } from "./feed.js";
import { putBubble, showTalk } from "./talk.js";
import { connect } from "./wire.js";

const MEASURE_AFTER_MS = 120;
const FEED_HINT = "Numbers are masked here, and codes are never shown: this is what an operator may see.";
const FEED_AWAY = "The gateway’s API does not answer. The feed comes back by itself when it does.";
const at = (id) => document.getElementById(id);
const state = { handsets: [], bubbles: {}, unread: {}, demo: { codes: [], fault: "" }, active: null, lastFeedId: "" };

const active = () => state.handsets.find((handset) => handset.key === state.active);

// Handsets

function showHandsets() {
  at("handsets").replaceChildren(
    ...state.handsets.map((handset) => {
      const chosen = handset.key === state.active;
      const unread = state.unread[handset.key] ?? 0;
      const label = [element("b", {}, handset.holder), element("small", {}, handset.place)];
      if (unread) label.push(element("span", { class: "unread" }, [String(unread), element("span", { class: "hidden" }, " new")]));
      const tab = element(
        "button",
        { type: "button", role: "tab", "data-key": handset.key, "aria-selected": String(chosen), "aria-controls": "screen", tabindex: chosen ? "0" : "-1" },
        label,
      );
      tab.addEventListener("click", () => choose(handset.key));
      return tab;
    }),
  );
}

function choose(key) {
  state.active = key;
  state.unread[key] = 0;
  const handset = active();
  at("holder").textContent = `${handset.holder}’s phone`;
  at("number").textContent = handset.shown_number;
  at("words").replaceChildren(
    ...handset.words.map((word) => {
      const button = element("button", { type: "button", lang: handset.language }, word);
      button.addEventListener("click", () => text(word));
      return button;
    }),
  );
  showHandsets();
  showTalk(at("talk"), state.bubbles[key] ?? [], handset);
}

at("handsets").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1, Home: -state.handsets.length, End: state.handsets.length }[event.key];
  if (!step) return;
  event.preventDefault();
  const now = state.handsets.findIndex((handset) => handset.key === state.active);
  const last = state.handsets.length - 1;
  const next = Math.abs(step) > 1 ? (step < 0 ? 0 : last) : (now + step + last + 1) % (last + 1);
  choose(state.handsets[next].key);
  at("handsets").querySelector('[aria-selected="true"]').focus();
});

// Texting

function notice(why) {
  at("notice").textContent = why;
  at("notice").hidden = !why;
}

function text(content) {
  if (!at("peer").checkValidity()) {
    showView("phone");
    notice("A short number has two to twelve digits.");
    return false;
  }
  const sent = wire.send({ type: "text", handset: state.active, to: at("peer").value.trim(), text: content });
  notice(sent ? "" : "The simulator is away; nothing was sent.");
  if (sent) showView("phone");
  return sent;
}

// In a call a code is keyed in, else it is texted.
function tapped(code) {
  if (phone.key(code)) showView("phone");
  else text(code);
}

function submit() {
  const field = at("compose-text");
  if (field.value.trim() && text(field.value)) {
    field.value = "";
    fit();
  }
  field.focus();
}

at("compose").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});

at("compose-text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});

let measuring = 0;
function fit() {
  const field = at("compose-text");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
  clearTimeout(measuring);
  if (!field.value) {
    at("measure").textContent = "Enter sends, Shift+Enter starts a new line";
    return;
  }
  measuring = setTimeout(() => wire.send({ type: "measure", text: field.value }), MEASURE_AFTER_MS);
}
at("compose-text").addEventListener("input", fit);

at("made-up").addEventListener("click", () => text(madeUp(state.demo.codes[0].code)));

// Views of a narrow screen

function showView(name) {
  document.querySelector("main").dataset.view = name;
  for (const button of document.querySelectorAll(".views button")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === name));
  }
}
for (const button of document.querySelectorAll(".views button")) {
  button.addEventListener("click", () => showView(button.dataset.view));
}

at("feed-clear").addEventListener("click", () => emptyFeed(at("feed")));

// What the simulator tells

function light(id, on, words) {
  at(id).dataset.state = on ? "on" : "off";
  at(id).textContent = words;
}

function showDemo(demo) {
  const fresh = demo.short_number !== state.demo.short_number;
  state.demo = demo;
  at("campaign").textContent = [demo.firm, demo.campaign].filter(Boolean).join(" · ") || "No campaign yet";
  if (fresh) at("peer").value = demo.short_number;
  at("peers").replaceChildren(element("option", { value: demo.short_number }));
  at("made-up").hidden = !demo.codes.length;
  showCaps(at("caps"), at("caps-hint"), demo, tapped);
}

const told = {
  hello(message) {
    state.handsets = message.handsets;
    state.bubbles = message.bubbles;
    showDemo(message.demo);
    choose(state.active ?? state.handsets[0].key);
    emptyFeed(at("feed"));
    addFeed(at("feed"), message.feed);
    told.gateways(message);
    told.feed_state(message);
  },
  gateways({ gateways }) {
    const bound = gateways > 1 ? `gateway bound ×${gateways}` : "gateway bound";
    light("link-smpp", gateways > 0, gateways ? bound : "no gateway yet");
  },
  feed_state({ feed_live: live }) {
    light("link-feed", live, live ? "feed live" : "feed away");
    at("feed-hint").textContent = live ? FEED_HINT : FEED_AWAY;
  },
  bubble({ bubble }) {
    const kept = (state.bubbles[bubble.handset] ??= []);
    const place = kept.findIndex((old) => old.id === bubble.id);
    if (place < 0) kept.push(bubble);
    else kept[place] = bubble;
    if (bubble.handset === state.active) putBubble(at("talk"), bubble, active());
    else if (place < 0 && bubble.direction === "received") {
      state.unread[bubble.handset] = (state.unread[bubble.handset] ?? 0) + 1;
      showHandsets();
    }
  },
  demo: ({ demo }) => showDemo(demo),
  feed: ({ events }) => addFeed(at("feed"), events),
  refused: ({ why }) => notice(why),
  measure({ encoding, segments, left }) {
    if (!at("compose-text").value) return;
    const count = segments === 1 ? "1 segment" : `${segments} segments`;
    at("measure").textContent = `${encoding} · ${count} · ${left} left in the last`;
  },
};

emptyFeed(at("feed"));
const phone = telephone({
  caller: active,
  holder: (key) => state.handsets.find((handset) => handset.key === key)?.holder ?? "",
  take(key) {
    choose(key);
    showView("phone");
  },
});
const wire = connect({
  path: "socket",
  onMessage: (message) => told[message.type]?.(message),
  onState(on) {
    light("link-page", on, on ? "page live" : "page offline");
    at("send").disabled = !on;
    if (!on) {
      light("link-smpp", false, "gateway unknown");
      light("link-feed", false, "feed unknown");
    }
  },
});
