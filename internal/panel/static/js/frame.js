// What stands around every page: header, navigation, and the two things that
// must be seen before all else, NOT LIVE and NOT RECORDING.
import { html, fill } from "./html.js";
import { part, now, silence, lastBeat, connected } from "./store.js";
import { clock, zone } from "./words.js";
import { active, shelved } from "./alarms.js";

// quiet is how long nothing may be heard, in ms: beats come every second, and
// within three the screen must say that it is not live.
const quiet = 2500;
// standing is how long the gateway's pipeline may not have gone round: it does
// every two seconds when there is nothing to do.
const standing = 6000;

// patience is how long the quality system may take for a receipt, in ms, before
// the header makes something of it.
const patience = 30000;

let gone = null; // when it was noticed that nothing is heard

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
  if (part("recording")) return null;
  const head = part("head");
  return html`<section class="notrecording"><strong>NOT RECORDING</strong>
    <span>${head ? `Nothing is judged or on record since ${clock(head.time)}. Hold the product. Call maintenance: the disk of gateway ${part("gateway").id} is full or faulty.` : "The gateway is starting: nothing has been recorded yet."}</span></section>`;
}

// liveness shows or takes away the overlay. It runs four times a second and at
// every word from the gateway.
export function liveness() {
  const beat = lastBeat();
  const silent = silence() > quiet;
  const stuck = !silent && beat && beat.standing_ms > standing;
  const root = document.getElementById("notlive");
  document.body.classList.toggle("dead", silent || !!stuck || (connected() && !part("recording")));
  if (!silent && !stuck) {
    gone = null;
    root.hidden = true;
    return;
  }
  gone ??= now() - silence();
  fill("notlive", html`<div><strong>NOT LIVE</strong><p>${stuck ? "The gateway stands still" : "Nothing heard from the gateway"} since ${clock(new Date(gone).toISOString())}.</p>
    <p>What is shown is old. ${stuck ? "Restart the gateway." : "Trying again…"}</p></div>`);
  root.hidden = false;
}
