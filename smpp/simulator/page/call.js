// The telephone of the handsets: dials the free number, shows how far the call is, sends keys, plays what is said.

import { element } from "./element.js";
import { rings } from "./rings.js";
import { speaker } from "./sound.js";
import { connect } from "./wire.js";

const KEYS = [..."123456789*0#"];
const SHOWN_KEYS = 12;
const CLOSES_AFTER_MS = 1500;
const WORDS = { dialling: "dialling …", ringing: "ringing …", leaving: "hanging up …", over: "The call is over." };
const at = (id) => document.getElementById(id);

// `caller` gives the handset that is in the hand: { key, holder }. `holder`: of a key. `take`: another one in the hand.
export function telephone({ caller, holder, take }) {
  const sound = speaker();
  let service = {};
  let stage = "over";
  let answeredAt = 0;
  let closing = 0;

  const inCall = () => stage !== "over";

  function showService() {
    at("call").hidden = service.readiness !== "ready" && service.readiness !== "preparing";
    at("call").disabled = service.readiness !== "ready" || inCall();
    at("call").textContent = `Call ${service.number}`;
    const why = service.readiness === "preparing" ? "The voices of the free number are being made, once." : service.why;
    // What stands in backquotes is to be typed.
    at("call-hint").replaceChildren(...(why ?? "").split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part)));
    at("call-hint").hidden = !why;
  }

  function showTime() {
    if (stage !== "talking") return;
    const seconds = Math.floor((Date.now() - answeredAt) / 1000);
    at("call-stage").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  function showStage(next, why) {
    stage = next;
    if (stage === "talking") {
      answeredAt = Date.now();
      showTime();
    } else {
      at("call-stage").textContent = why || WORDS[stage];
    }
    at("call-screen").dataset.stage = stage;
    for (const key of at("keypad").children) key.disabled = stage !== "talking";
    at("call-end").textContent = inCall() ? "Hang up" : "Close";
    showService();
    if (inCall()) return;
    sound.close();
    if (!why) closing = setTimeout(close, CLOSES_AFTER_MS);
  }

  function open(who) {
    clearTimeout(closing);
    sound.open();
    at("call-who").textContent = who;
    at("call-keys").textContent = "";
    at("call-screen").hidden = false;
  }

  function answer(key) {
    if (inCall() || !wire.send({ type: "answer", handset: key })) return;
    take(key);
    open(`${service.number} calls ${holder(key)}`);
    at("call-end").focus();
  }

  function dial() {
    const handset = caller();
    open(`${handset.holder} calls ${service.number}`);
    if (wire.send({ type: "dial", handset: handset.key })) showStage("dialling", "");
    else showStage("over", "The simulator is away; nothing was dialled.");
    at("call-end").focus();
  }

  function press(keys) {
    if (stage !== "talking") return false;
    for (const key of keys) wire.send({ type: "key", key });
    at("call-keys").textContent = (at("call-keys").textContent + keys).slice(-SHOWN_KEYS);
    return true;
  }

  function close() {
    at("call-screen").hidden = true;
    at("call").focus();
  }

  at("keypad").replaceChildren(
    ...KEYS.map((key) => {
      const button = element("button", { type: "button", disabled: "" }, key);
      button.addEventListener("click", () => press(key));
      return button;
    }),
  );
  at("call").addEventListener("click", dial);
  at("call-end").addEventListener("click", () => (inCall() ? wire.send({ type: "hang_up" }) : close()));
  at("call-screen").addEventListener("keydown", (event) => {
    if (KEYS.includes(event.key) && !event.ctrlKey && !event.metaKey && press(event.key)) event.preventDefault();
  });
  setInterval(showTime, 500);

  const told = {
    service(message) {
      service = message;
      showService();
    },
    call: ({ stage: next, why }) => showStage(next, why),
    refused: ({ why }) => showStage(stage, why),
    ring: ({ handset }) => ringing.add(handset, service.number || "The free number"),
    ring_over: ({ handset }) => ringing.remove(handset),
  };
  const ringing = rings({ holder, answer, decline: (key) => wire.send({ type: "decline", handset: key }) });
  const wire = connect({
    path: "call",
    onMessage: (message) => told[message.type]?.(message),
    onSound: (octets) => sound.play(octets),
    onState(on) {
      if (!on) ringing.clear();
      if (!on && inCall()) showStage("over", "The simulator is away; the call is lost.");
    },
  });

  return {
    // True if somebody listened: a code from a cap, keyed in and ended.
    key: (code) => press(`${code.replace(/[^0-9]/g, "")}#`),
  };
}
