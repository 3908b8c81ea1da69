// What stands around every page: header, navigation, and the two things that
// must be seen before all else, NOT LIVE and NOT RECORDING.
import { html, fill } from "./html.js";
import { part, now } from "./store.js";
import { clock, zone } from "./words.js";
import { active, shelved } from "./alarms.js";
import { notLive, notRecording } from "./live.js";
import { recheck } from "./sign.js";

// patience is how long the quality system may take for a receipt, in ms, before
// the header makes something of it.
const patience = 30000;

export function Head() {
  const g = part("gateway") || {};
  const specs = part("specs") || [];
  const lanes = (part("outbox") || { lanes: {} }).lanes;
  const waiting = lanes.quality ? lanes.quality.pending : 0;
  const rejected = Object.values(lanes).reduce((n, l) => n + l.rejected, 0);
  const since = (part("outbox") || {}).oldest_pending;
  const late = since && now() - Date.parse(since) > patience;
  const synced = (part("clock") || {}).synced;
  return html`<div class="who"><b>${g.id}</b><small>${g.site}</small></div>
    <div class="fact ${specs.length ? "" : "odd"}"><small>Specification in force</small><b>${specs.map((s) => `${s.id} rev ${s.revision}`).join(", ") || "NONE: nothing is judged"}</b></div>
    <div class="fact ${rejected || late ? "odd" : ""}"><small>Quality system</small><b>${rejected ? `${rejected} rejected` : waiting ? `${waiting} waiting${since ? ` since ${clock(since)}` : ""}` : "all receipted"}</b></div>
    <div class="fact ${synced ? "" : "odd"}"><small>Clock</small><b>${synced ? "synchronised" : "NOT SYNCHRONISED"}</b></div>
    <div class="time"><b>${clock(new Date(now()).toISOString())}</b><small>${zone(now())} · live</small></div>`;
}

export function Nav() {
  const page = document.body.dataset.page;
  const alarms = [active().length || "", shelved().length ? `${shelved().length} shelved` : ""].filter(Boolean).join(", ");
  const open = (part("events") || []).filter((e) => e.open).length;
  const link = (path, name, text, count) =>
    html`<a href=${path} aria-current=${page === name || (name === "events" && page === "event") ? "page" : null}>${text} <i>${count}</i></a>`;
  return html`${link("/", "board", "Board", "")}${link("/alarms", "alarms", "Alarms", alarms)}
    ${link("/events", "events", "Events", open ? `${open} open` : "")}${link("/specs", "specs", "Specifications", "")}${link("/health", "health", "Health", "")}`;
}

export function Banner() {
  const wrong = notRecording();
  return wrong && html`<section class="notrecording"><strong>${wrong.what}</strong> <span>${wrong.why}</span></section>`;
}

// liveness shows or takes away the overlay, and has an open dialog say the same.
// It runs four times a second and at every word from the gateway.
export function liveness() {
  const wrong = notLive();
  document.body.classList.toggle("dead", !!(wrong || notRecording()));
  recheck();
  const root = document.getElementById("notlive");
  root.hidden = !wrong;
  if (wrong) fill("notlive", html`<div><strong>${wrong.what}</strong><p>${wrong.why}</p><p>${wrong.cure}</p></div>`);
}
