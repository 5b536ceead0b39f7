// Calls that come to the handsets: each rings until somebody answers, declines, or gives up.

import { element } from "./element.js";
import { bell } from "./sound.js";

const at = (id) => document.getElementById(id);

// `holder`: of a handset, by its key. `answer`, `decline`: told the key.
export function rings({ holder, answer, decline }) {
  const title = document.title;
  const rows = new Map();
  const sound = bell();

  function show() {
    at("rings").replaceChildren(...rows.values());
    document.title = rows.size ? `☎ ${title}` : title;
    sound.ring(rows.size > 0);
  }

  function button(name, words, told) {
    const made = element("button", { type: "button", class: name }, words);
    made.addEventListener("click", told);
    return made;
  }

  return {
    add(key, number) {
      const words = element("b", {}, `${number} calls ${holder(key)}`);
      const row = [words, button("answer", "Answer", () => answer(key)), button("decline", "Decline", () => decline(key))];
      rows.set(key, element("li", { "data-key": key }, row));
      show();
    },
    remove(key) {
      if (rows.delete(key)) show();
    },
    clear() {
      rows.clear();
      show();
    },
  };
}
