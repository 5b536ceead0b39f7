// Codes of the running campaign: one tap texts one.

import { element } from "./element.js";

const HINT = "Tap a code: the phone texts it, or keys it in during a call. A used one can be texted again after ten seconds, to see what is answered; sooner it counts as the network repeating itself.";

export function showCaps(list, hint, demo, onTap) {
  // What stands in backquotes is to be typed.
  const words = (demo.fault || HINT).split("`");
  hint.replaceChildren(...words.map((part, i) => (i % 2 ? element("code", {}, part) : part)));
  list.replaceChildren(
    ...demo.codes.map(({ code, texted_by: textedBy }) => {
      const button = element("button", { type: "button" }, [
        element("code", {}, code),
        element("small", {}, textedBy ? `✓ texted by ${textedBy}` : "not texted yet"),
      ]);
      button.addEventListener("click", () => onTap(code));
      return element("li", textedBy ? { class: "used" } : {}, [button]);
    }),
  );
}

// A code of the same shape that most likely nobody printed.
export function madeUp(like) {
  const bytes = crypto.getRandomValues(new Uint8Array(like.length));
  return [...like]
    .map((char, i) => {
      if (/[0-9]/.test(char)) return String(bytes[i] % 10);
      return /[A-Z]/.test(char) ? "ACEHKMPTX"[bytes[i] % 9] : char;
    })
    .join("");
}
