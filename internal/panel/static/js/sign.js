// Signing an act: who, PIN, and what the signature means, shown before it is
// given. The PIN is in the field and in the request, and nowhere else.
import { html, fill } from "./html.js";
import { now } from "./store.js";
import { clock, words, zone } from "./words.js";
import { Icon } from "./board.js";
import { trouble } from "./live.js";

const acts = {
  ack: {
    title: "Acknowledge",
    meaning: "acknowledged",
    says: "I have seen this alarm and am acting on it. The record of it stays open until the value returns.",
    causes: ["Adjusting the process", "Sensor suspected", "Material", "Changeover", "Maintenance called", "Quality called"],
  },
  comment: {
    title: "Comment",
    meaning: "commented",
    says: "I add this comment to the alarm's record.",
    causes: ["Sensor replaced", "Setpoint corrected", "Load set apart", "Quality informed"],
    needs: true,
  },
  shelve: {
    title: "Shelve",
    meaning: "shelved",
    says: "I put this alarm aside until then and answer for watching it. It is judged and recorded all the same, and comes back by itself.",
    causes: ["Chattering, maintenance called", "Sensor under repair", "Trial run"],
    needs: true,
  },
  unshelve: {
    title: "Take back",
    meaning: "unshelved",
    says: "I take this alarm off the shelf: it is annunciated again if it stands.",
    causes: ["Repaired", "Trial over"],
  },
  context: {
    title: "What is being made",
    meaning: "declared",
    says: "What I give here is what is being made from now on. It is on record with every event.",
    causes: [],
  },
};

// How long an alarm can be shelved, in seconds; the last is the longest there is.
const times = [
  [900, "15 min"],
  [3600, "1 h"],
  [14400, "4 h"],
  [28800, "8 h"],
];

const people = JSON.parse(document.body.dataset.people || "null") || [];
let told = ""; // the trouble that the dialog names
let open = null; // {alarm or equipment, act, user, pin, comment, duration or fields, wrong, busy}

export const sign = (alarm, act) => begin({ alarm, act, duration: times[0][0] });

// say is the act that tells what is being made on a piece of equipment.
export function say(equipment) {
  const fields = equipment.context.filter((f) => f.from === "panel").map((f) => ({ name: f.name, value: f.known ? f.value : "", known: f.known, was: f.value }));
  begin({ equipment, act: "context", fields });
}

function begin(it) {
  open = { user: people.length === 1 ? people[0].id : "", pin: "", comment: "", wrong: "", busy: false, ...it };
  draw();
  const d = document.querySelector("dialog");
  d.showModal();
  d.addEventListener("close", () => ((open = null), draw()), { once: true });
  d.querySelector(open.user ? "[name=pin]" : "[name=user]").focus();
}

export const signing = () => open !== null;

function set(change) {
  Object.assign(open, change);
  draw();
}

const close = () => document.querySelector("dialog").close();

async function answerOf(response) {
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw new Error(body.detail || body.title || `The gateway answered ${response.status}.`);
}

// ask is the request that an act is: where it goes and what it says besides who
// signs.
function ask({ alarm, equipment, act, duration, fields }) {
  if (act !== "context") return [`/api/v1/alarms/${encodeURIComponent(alarm.id)}/${act}`, act === "shelve" ? { duration_s: duration } : {}];
  const said = fields.filter((f) => !f.known || f.value.trim() !== f.was).filter((f) => f.known || f.value.trim());
  if (said.length === 0) throw new Error("Nothing is changed");
  return ["/api/v1/context", { equipment: equipment.name, fields: Object.fromEntries(said.map((f) => [f.name, f.value.trim()])) }];
}

async function submit(event) {
  event.preventDefault();
  if (open.busy || trouble()) return;
  set({ busy: true, wrong: "" });
  const { act, user, pin, comment } = open;
  try {
    const [path, more] = ask(open);
    const { nonce } = await answerOf(await fetch("/api/v1/nonce"));
    const body = JSON.stringify({ user, pin, meaning: acts[act].meaning, comment, nonce, ...more });
    await answerOf(await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body }));
    if (open) close();
  } catch (err) {
    if (open) set({ busy: false, pin: "", wrong: err instanceof TypeError ? "The gateway does not answer: nothing is known of the signature." : `${err.message}.` });
  }
}

function Keys() {
  const press = (k) => set({ pin: k === "⌫" ? open.pin.slice(0, -1) : open.pin + k });
  return html`<div class="keys" role="group" aria-label="PIN">
    ${["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "⌫"].map((k) =>
      k ? html`<button type="button" key=${k} aria-label=${k === "⌫" ? "delete" : k} onClick=${() => press(k)}>${k}</button>` : html`<span></span>`)}
  </div>`;
}

function Who() {
  const name = people.find((p) => p.id === open.user);
  return html`<label>Who signs${name && `: ${name.name}`}
    <input name="user" required maxlength="64" autocomplete="off" autocapitalize="off" spellcheck=${false} value=${open.user} onInput=${(e) => set({ user: e.target.value })} /></label>
    ${people.length <= 12 && html`<div class="chips">${people.map((p) =>
      html`<button type="button" key=${p.id} aria-pressed=${p.id === open.user} onClick=${() => set({ user: p.id })}>${p.name}</button>`)}</div>`}`;
}

function Subject() {
  const { alarm, act, fields } = open;
  if (act === "context")
    return fields.map((f) => html`<label key=${f.name}>${words(f.name)}
      <input name=${`field-${f.name}`} maxlength="200" autocomplete="off" placeholder=${f.known ? "none" : "unknown"} value=${f.value} onInput=${(e) => ((f.value = e.target.value), draw())} /></label>`);
  return html`<p>${alarm.text} ${alarm.limit && html`<b>${alarm.value_text}</b>, ${alarm.limit}`}</p>
    ${alarm.action && html`<p><b>What to do:</b> ${alarm.action}</p>`}`;
}

function Times() {
  return html`<div class="chips times" role="group" aria-label="for how long">${times.map(([s, text]) =>
    html`<button type="button" key=${s} data-seconds=${s} aria-pressed=${open.duration === s} onClick=${() => set({ duration: s })}>${text}</button>`)}</div>`;
}

// Trouble is what must be seen before all else. A dialog lies over the page and
// hides where the page says it.
function Trouble({ is }) {
  return html`<section class="trouble ${is.what === "NOT RECORDING" ? "notrecording" : ""}" role="alert"><strong>${is.what}</strong>
    <p>Nothing can be signed. ${is.why} ${is.cure}</p></section>`;
}

function Dialog() {
  const { alarm, equipment, act, comment, wrong, busy } = open;
  const it = acts[act];
  const dead = trouble();
  return html`<dialog aria-labelledby="sign-title">
    ${dead && html`<${Trouble} is=${dead} />`}
    <h1 id="sign-title">${alarm && html`<${Icon} rank=${alarm.rank} />`}${it.title}: ${alarm ? `${alarm.equipment} · ${alarm.name}` : equipment.title}</h1>
    <form onSubmit=${submit} autocomplete="off">
      <div class="left">
        <${Subject} />
        ${act === "shelve" && html`<${Times} />`}
        ${it.causes.length > 0 && html`<div class="chips">${it.causes.map((c) => html`<button type="button" key=${c} aria-pressed=${comment === c} onClick=${() => set({ comment: comment === c ? "" : c })}>${c}</button>`)}</div>`}
        <label>${act === "shelve" ? "Reason" : "Comment"}<input name="comment" maxlength="500" required=${!!it.needs} value=${comment} onInput=${(e) => set({ comment: e.target.value })} /></label>
        <${Who} />
        <label>PIN<input name="pin" type="password" inputmode="numeric" required maxlength="64" autocomplete="off" value=${open.pin} onInput=${(e) => set({ pin: e.target.value })} /></label>
        <p class="meaning">Meaning of the signature: <b>${it.meaning.toUpperCase()}</b>. ${act === "shelve" && html`<b>Until ${clock(new Date(now() + 1000 * open.duration).toISOString())}.</b> `}${it.says}<br /><small>${clock(new Date(now()).toISOString())} ${zone(now())}</small></p>
      </div>
      <${Keys} />
      <div class="end">
        ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
        <button type="button" onClick=${close}>Cancel</button>
        <button class="sign" disabled=${!!dead || busy || !open.user || !open.pin}>${busy ? "…" : "SIGN"}</button>
      </div>
    </form>
  </dialog>`;
}

// recheck draws an open dialog again when the page has become live or ceased to
// be.
export function recheck() {
  if (open && (trouble()?.what || "") !== told) draw();
}

function draw() {
  told = trouble()?.what || "";
  fill("dialog", open && html`<${Dialog} />`);
}
