// The line board: every parameter against its limits, and the gravest alarms.
import { html } from "./html.js";
import { part, now } from "./store.js";
import { age, clock, percent, words } from "./words.js";
import { AlarmRow, active, shelved } from "./alarms.js";
import { say } from "./sign.js";

const strip = 2; // alarms at the board's foot

export function Icon({ rank }) {
  const shape = { 1: "M15 3h18l12 12v18L33 45H15L3 33V15z", 2: "M24 4l21 40H3z", 3: "M5 5h38v38H5z" }[rank];
  return html`<svg class="icon rank${rank}" viewBox="0 0 48 48" role="img" aria-label="priority ${rank}">
    <path d=${shape} /><text x="24" y=${rank === 2 ? 41 : 36} text-anchor="middle">${rank}</text></svg>`;
}

function Limit({ at, on }) {
  if (at === null) return null;
  return html`<line class="limit" x1=${percent(at)} x2=${percent(at)} y1="4%" y2="96%" stroke-dasharray=${on ? "" : "4 4"} />`;
}

function Bar({ bar }) {
  const low = bar.low ?? 0;
  const high = bar.high ?? 1;
  return html`<svg class="bar" aria-hidden="true">
    <rect class="rail" x="0" y="35%" width="100%" height="30%" />
    <rect class="band" x=${percent(low)} y="20%" width=${percent(high - low)} height="60%" />
    ${bar.nor && html`<rect class="nor" x=${percent(bar.nor[0])} y="20%" width=${percent(bar.nor[1] - bar.nor[0])} height="60%" />`}
    <${Limit} at=${bar.low} on=${bar.low_on} /><${Limit} at=${bar.high} on=${bar.high_on} />
    ${bar.marks.map((x) => html`<line class="mark" x1=${percent(x)} x2=${percent(x)} y1="24%" y2="76%" />`)}
    ${bar.lead !== null && html`<svg class="pointer" x=${percent(bar.lead)} y="50%"><path d="M0-13L11 0L0 13L-11 0z" /></svg>`}
  </svg>`;
}

// long values (a recipe's name) are written smaller, so that they can be read whole.
const long = (text) => (text.length > 7 ? "long" : "");

function Tile({ p, live }) {
  const s = p.shown;
  const lead = p.inputs[s.lead];
  const classes = ["tile", s.state, s.rank ? `rank${s.rank}` : "", s.unacked ? "unacked" : ""].join(" ");
  return html`<article class=${classes} data-parameter=${p.id}>
    <h3>${p.name}${s.rank > 0 && html`<${Icon} rank=${s.rank} />`}</h3>
    <p class="value ${long(s.value)}"><b>${s.value}</b> <span>${s.unit}</span></p>
    ${s.bar && html`<${Bar} bar=${s.bar} />`}
    <p class="word"><b>${live ? s.word : "NOT RECORDED"}</b><span>${s.limit}</span></p>
    ${s.shelved_until && html`<p class="from">alarm shelved until ${clock(s.shelved_until)}</p>`}
    <p class="from">${lead && lead.tag}${p.inputs.length > 1 && ` of ${p.inputs.length}`} · heard ${age(now(), s.heard)}${s.heard ? " ago" : ""}</p>
  </article>`;
}

function Field({ f }) {
  return html`<span class="field ${f.known ? "" : "unknown"}"><small>${words(f.name)}</small>${f.value || "none"}</span>`;
}

function Equipment({ name, live }) {
  const e = part(`equipment/${name}`);
  if (!e) return null;
  const asked = e.context.some((f) => f.from === "panel");
  const tiles = e.keys.map((key) => part(key)).filter(Boolean);
  return html`<section class="equipment">
    <h2>${e.title} <small>${e.name}</small>${e.context.map((f) => html`<${Field} f=${f} />`)}
      ${asked && html`<button class="say" data-act="context" onClick=${() => say(e)}>Change</button>`}</h2>
    <div class="tiles">
      ${tiles.map((p) => html`<${Tile} key=${p.spec.id + p.id} p=${p} live=${live} />`)}
      ${tiles.length === 0 && html`<p class="nothing">Nothing is judged here: no specification in force is for this equipment.</p>`}
    </div>
  </section>`;
}

export function Board() {
  const names = part("equipment");
  const alarms = active();
  const aside = shelved().length;
  if (!names) return html`<p class="nothing">No equipment yet: the gateway is starting.</p>`;
  const more = alarms.length - strip;
  return html`${names.map((name) => html`<${Equipment} key=${name} name=${name} live=${part("recording")} />`)}
    <section class="strip">
      ${alarms.slice(0, strip).map((a) => html`<${AlarmRow} key=${a.id} a=${a} />`)}
      ${alarms.length === 0 && html`<p class="calm">No alarm.</p>`}
      ${more > 0 && html`<a class="more" href="/alarms">${more} more ${more === 1 ? "alarm" : "alarms"}</a>`}
      ${aside > 0 && html`<a class="more" href="/alarms">${aside} shelved</a>`}
    </section>`;
}
