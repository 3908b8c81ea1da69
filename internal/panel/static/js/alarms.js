// The list of alarms: unacknowledged first, as the gateway orders them. The order
// stands still while a finger is on the list, so that no row moves under it.
import { html } from "./html.js";
import { part, now } from "./store.js";
import { age, clock, stateWord } from "./words.js";
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

export function AlarmRow({ a, all }) {
  const acked = a.state === "ACKED";
  const record = recordOf(a);
  return html`<article class="alarm rank${a.rank} ${acked ? "acked" : "unacked"} ${a.cleared_at ? "over" : ""}" data-alarm=${a.id}>
    <${Icon} rank=${a.rank} />
    <div class="what"><b>${a.equipment} · ${a.name}</b><span>${a.text}${record && ` · ${record.kind} ${marks[record.receipt]}`}</span></div>
    <div class="how"><b>${a.value_text}</b><span>${a.limit}</span></div>
    <div class="when"><b>${clock(a.raised_at)}</b><span>${age(now(), a.raised_at)}${a.count > 1 && ` · ${a.count} times`}</span></div>
    <div class="state"><b>${stateWord(a.state)}</b>
      <span>${acked ? `${a.acked_by} ${clock(a.acked_at)}${a.comment ? ": " + a.comment : ""}` : a.action}</span></div>
    <div class="act">
      ${!acked && html`<button class="sign" data-act="ack" onClick=${() => sign(a, "ack")}>ACKNOWLEDGE</button>`}
      ${(all || acked) && html`<button data-act="comment" onClick=${() => sign(a, "comment")}>Comment</button>`}
      ${all && record && html`<a class="button" href="/events/${record.event_id}">Record</a>`}
    </div>
  </article>`;
}

export function Alarms() {
  const alarms = ordered(part("alarms") || []);
  return html`<section class="list">
    ${alarms.map((a) => html`<${AlarmRow} key=${a.id} a=${a} all=${true} />`)}
    ${alarms.length === 0 && html`<p class="calm">No alarm.</p>`}
  </section>`;
}
