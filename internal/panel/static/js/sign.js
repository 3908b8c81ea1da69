// Signing an act: who, PIN, and what the signature means, shown before it is
// given. The PIN is in the field and in the request, and nowhere else.
import { html, fill } from "./html.js";
import { now } from "./store.js";
import { clock, zone } from "./words.js";
import { Icon } from "./board.js";

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
  },
};

const people = JSON.parse(document.body.dataset.people || "null") || [];
let open = null; // {alarm, act, user, pin, comment, wrong, busy}

export function sign(alarm, act) {
  open = { alarm, act, user: people.length === 1 ? people[0].id : "", pin: "", comment: "", wrong: "", busy: false };
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

async function submit(event) {
  event.preventDefault();
  if (open.busy) return;
  set({ busy: true, wrong: "" });
  const { alarm, act, user, pin, comment } = open;
  try {
    const { nonce } = await answerOf(await fetch("/api/v1/nonce"));
    const body = JSON.stringify({ user, pin, meaning: acts[act].meaning, comment, nonce });
    await answerOf(await fetch(`/api/v1/alarms/${encodeURIComponent(alarm.id)}/${act}`, { method: "POST", headers: { "Content-Type": "application/json" }, body }));
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

function Dialog() {
  const { alarm, act, comment, wrong, busy } = open;
  const it = acts[act];
  return html`<dialog aria-labelledby="sign-title">
    <h1 id="sign-title"><${Icon} rank=${alarm.rank} />${it.title}: ${alarm.equipment} · ${alarm.name}</h1>
    <form onSubmit=${submit} autocomplete="off">
      <div class="left">
        <p>${alarm.text} ${alarm.limit && html`<b>${alarm.value_text}</b>, ${alarm.limit}`}</p>
        ${alarm.action && html`<p><b>What to do:</b> ${alarm.action}</p>`}
        <div class="chips">${it.causes.map((c) => html`<button type="button" key=${c} aria-pressed=${comment === c} onClick=${() => set({ comment: comment === c ? "" : c })}>${c}</button>`)}</div>
        <label>Comment<input name="comment" maxlength="500" required=${act === "comment"} value=${comment} onInput=${(e) => set({ comment: e.target.value })} /></label>
        <${Who} />
        <label>PIN<input name="pin" type="password" inputmode="numeric" required maxlength="64" autocomplete="off" value=${open.pin} onInput=${(e) => set({ pin: e.target.value })} /></label>
        <p class="meaning">Meaning of the signature: <b>${it.meaning.toUpperCase()}</b>. ${it.says}<br /><small>${clock(new Date(now()).toISOString())} ${zone(now())}</small></p>
      </div>
      <${Keys} />
      <div class="end">
        ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
        <button type="button" onClick=${close}>Cancel</button>
        <button class="sign" disabled=${busy || !open.user || !open.pin}>${busy ? "…" : "SIGN"}</button>
      </div>
    </form>
  </dialog>`;
}

function draw() {
  fill("dialog", open && html`<${Dialog} />`);
}
