// The list of alarms: unacknowledged first, as the gateway orders them. The order
// stands still while a finger is on the list, so that no row moves under it.
import { html } from "./html.js";
import { part, now } from "./store.js";
import { age, clock, left, stateWord, who } from "./words.js";
import { Icon } from "./board.js";
import { sign } from "./sign.js";

let held = null; // ids in the order at which a finger came down

addEventListener("pointerdown", () => (held = (part("alarms") || []).map((a) => a.id)), true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => (held = null)), true);

function ordered(alarms) {
  if (!held) return alarms;
  const place = (a) => (held.includes(a.id) ? held.indexOf(a.id) : held.length);
  return alarms.toSorted((a, b) => place(a) - place(b));
}

// recordOf is the newest quality event beside an alarm: another machine, with a
// life of its own.
function recordOf(a) {
  return (part("events") || []).find((e) => e.equipment === a.equipment && e.parameter === a.parameter && e.rule === a.rule);
}

const marks = { receipted: "✓ receipted", queued: "… queued", rejected: "✗ rejected" };

export const isShelved = (a) => a.state === "SHLVD";
export const active = () => (part("alarms") || []).filter((a) => !isShelved(a));
export const shelved = () => (part("alarms") || []).filter(isShelved);

// Said is what people have said of an alarm apart from acknowledging it, each with
// who it was: the last of it at the board's foot, somewhat more in the list.
function Said({ a, most }) {
  const said = a.comments || [];
  return html`${said.slice(-most).map((c) => html`<span class="said">${clock(c.at)} ${who(c.name, c.by)}: ${c.text}</span>`)}`;
}

export function AlarmRow({ a, all }) {
  const acked = a.state === "ACKED";
  const record = recordOf(a);
  return html`<article class="alarm rank${a.rank} ${acked ? "acked" : "unacked"} ${a.cleared_at ? "over" : ""}" data-alarm=${a.id}>
    <${Icon} rank=${a.rank} />
    <div class="what"><b>${a.equipment} · ${a.name}</b><span>${a.text}${record && ` · ${record.kind} ${marks[record.receipt]}`}</span></div>
    <div class="how"><b>${a.value_text}</b><span>${a.limit}</span></div>
    <div class="when"><b>${clock(a.raised_at)}</b><span>${age(now(), a.raised_at)}${a.count > 1 && ` · ${a.count} times`}</span></div>
    <div class="state"><b>${stateWord(a.state)}</b>
      <span>${acked ? `${who(a.acked_by_name, a.acked_by)} ${clock(a.acked_at)}${a.comment ? ": " + a.comment : ""}` : a.action}</span>
      <${Said} a=${a} most=${all ? 3 : 1} /></div>
    <div class="act">
      ${!acked && html`<button class="sign" data-act="ack" onClick=${() => sign(a, "ack")}>ACKNOWLEDGE</button>`}
      ${(all || acked) && html`<button data-act="comment" onClick=${() => sign(a, "comment")}>Comment</button>`}
      ${all && html`<button data-act="shelve" onClick=${() => sign(a, "shelve")}>Shelve</button>`}
      ${all && record && html`<a class="button" href="/events/${record.event_id}">Record</a>`}
    </div>
  </article>`;
}

function ShelvedRow({ a }) {
  return html`<tr data-alarm=${a.id}>
    <td><${Icon} rank=${a.rank} /></td>
    <td><b>${a.equipment} · ${a.name}</b><small>${a.text}</small></td>
    <td>${a.cleared_at ? "returned" : html`<b>STANDING</b><small>${a.value_text}, ${a.limit}</small>`}</td>
    <td>${a.shelved_reason}</td><td>${who(a.shelved_by_name, a.shelved_by)}</td><td>${clock(a.shelved_at)}</td>
    <td><b>${clock(a.shelved_until)}</b><small>${left(now(), a.shelved_until)}</small></td>
    <td><button data-act="unshelve" onClick=${() => sign(a, "unshelve")}>Take back</button></td></tr>`;
}

function Shelf() {
  const list = shelved();
  if (list.length === 0) return null;
  return html`<section class="shelf"><h2>${list.length} shelved</h2>
    <p class="note">Not annunciated until then; judged and recorded all the same.</p>
    <table><thead><tr><th></th><th>Alarm</th><th>Now</th><th>Why</th><th>By</th><th>Since</th><th>Until</th><th></th></tr></thead>
    <tbody>${list.map((a) => html`<${ShelvedRow} key=${a.id} a=${a} />`)}</tbody></table></section>`;
}

export function Alarms() {
  const alarms = ordered(active());
  return html`<section class="list">
    ${alarms.map((a) => html`<${AlarmRow} key=${a.id} a=${a} all=${true} />`)}
    ${alarms.length === 0 && html`<p class="calm">No alarm.</p>`}
  </section><${Shelf} />`;
}
