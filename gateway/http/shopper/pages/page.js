// Activates codes: proves the number by a PIN, then claims. The code comes in the address's fragment, which
// browsers keep to themselves, and is taken out of the address at once.

const $ = (id) => document.getElementById(id);
const words = JSON.parse($("words").textContent);
const ask = $("ask");
const prove = $("prove");
const done = $("done");
const language = document.documentElement.lang;
let sentTo = ""; // the number whose PIN is still good for something

class Refused extends Error {
  constructor(status, retryAfterS, problem) {
    super(String(status));
    Object.assign(this, { status, retryAfterS, problem });
  }
}

async function post(path, body) {
  const late = new AbortController(); // AbortSignal.timeout is too young for many phones
  const timer = setTimeout(() => late.abort(), 20000);
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "omit",
    signal: late.signal,
  }).finally(() => clearTimeout(timer));
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, Number(response.headers.get("Retry-After")), told);
  return told;
}

function tell(text, ...fields) {
  $("told").textContent = text;
  $("told").hidden = !text;
  for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const field of fields) field.setAttribute("aria-invalid", "true");
  fields[0]?.focus();
}

function tellError(error) {
  if (!(error instanceof Refused)) return tell(words.offline);
  const { status, retryAfterS, problem } = error;
  const pointers = (problem.errors ?? []).map((fault) => fault.pointer);
  if (status === 403 && problem.type?.endsWith(":pin")) return tell(words.bad_pin, $("pin"));
  if (pointers.includes("#/phone")) {
    show(ask);
    return tell(words.bad_phone, $("phone"));
  }
  if (status === 400 || status === 422) {
    show(ask);
    return tell(words.bad_form, $("codes"));
  }
  if (problem.type?.endsWith(":limited")) {
    return tell(words.too_many.replace("{minutes}", Math.max(1, Math.ceil((retryAfterS || 60) / 60))));
  }
  return tell(words.away);
}

async function busy(form, work) {
  const button = form.querySelector("[type=submit]");
  const label = button.textContent;
  const buttons = form.querySelectorAll("button");
  for (const one of buttons) one.disabled = true;
  button.textContent = words.wait;
  tell("");
  try {
    await work();
  } catch (error) {
    tellError(error);
  } finally {
    for (const one of buttons) one.disabled = false;
    button.textContent = label;
  }
}

function show(shown) {
  for (const part of [ask, prove, done]) part.hidden = part !== shown;
}

const codes = () => $("codes").value.split(/[\n,;]+/).map((code) => code.trim()).filter(Boolean);
const phone = () => $("phone").value.trim();

function wanting() {
  if (!codes().length) return tell(words.bad_form, $("codes")) ?? true;
  if (phone().replace(/\D/g, "").length < 8) return tell(words.bad_phone, $("phone")) ?? true;
  return false;
}

function sendPin(form) {
  return busy(form, async () => {
    await post("/v1/web/pins", { phone: phone(), short_number: $("short-number").value, language });
    sentTo = phone();
    $("sent").textContent = words.pin_sent.replace("{phone}", phone());
    $("pin").value = "";
    show(prove);
    $("pin").focus();
  });
}

ask.addEventListener("submit", (event) => {
  event.preventDefault();
  if (wanting()) return;
  if (phone() !== sentTo) return sendPin(ask);
  tell("");
  show(prove);
  $("pin").focus();
});

prove.addEventListener("submit", (event) => {
  event.preventDefault();
  const pin = $("pin").value.replace(/\s/g, "");
  if (!/^[0-9]{6}$/.test(pin)) return tell(words.bad_pin, $("pin"));
  busy(prove, async () => {
    const typed = codes();
    const offers = $("offers").checked;
    const wish = { phone: phone(), short_number: $("short-number").value, pin, codes: typed, language, offers };
    const { results } = await post("/v1/web/activations", wish);
    $("offers").checked = false;
    const lines = results.map(({ outcome, message }, at) => {
      const line = document.createElement("li");
      line.className = outcome;
      const code = document.createElement("b");
      code.textContent = typed[at].toUpperCase();
      line.append(code, message);
      return line;
    });
    $("results").textContent = "";
    $("results").append(...lines);
    // A credited code uses the PIN up. What may have been mistyped stays in the form.
    if (results.some(({ outcome }) => outcome === "activated")) sentTo = "";
    const kept = typed.filter((_, at) => ["invalid", "limited"].includes(results[at].outcome));
    $("codes").value = kept.join("\n");
    show(done);
    done.focus();
  });
});

$("again").addEventListener("click", () => sendPin(prove));

$("back").addEventListener("click", () => {
  tell("");
  show(ask);
  $("codes").focus();
});

$("more").addEventListener("click", () => {
  tell("");
  show(ask);
  $("codes").focus();
});

// The language's link takes along, in the fragment, what was typed.
for (const link of document.querySelectorAll("nav a")) {
  link.addEventListener("click", () => {
    link.hash = $("codes").value.trim() ? "#" + encodeURIComponent($("codes").value.trim()) : "";
  });
}

function codeFromAddress() {
  if (location.hash.length < 2) return;
  try {
    $("codes").value = decodeURIComponent(location.hash.slice(1)).slice(0, 1300);
  } catch {
    return; // not what a QR of ours holds
  } finally {
    history.replaceState(null, "", location.pathname + location.search);
  }
}

codeFromAddress();
window.addEventListener("hashchange", codeFromAddress);
show(ask);
($("codes").value ? $("phone") : $("codes")).focus();
