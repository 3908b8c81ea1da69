// The page's script: it takes over from the server's first paint as soon as the
// stream speaks, and keeps every part of the page at what has been committed.
import { html, fill } from "./html.js";
import { open, watch, connected } from "./store.js";
import { Head, Nav, Banner, liveness } from "./frame.js";
import { Board } from "./board.js";
import { Alarms } from "./alarms.js";

const page = document.body.dataset.page;
const views = { board: Board, alarms: Alarms };
// What the other pages show is made by the server; they are asked for again when
// one of these parts has changed, at most once a second.
const follows = { events: ["events"], event: ["events"], specs: ["specs"], health: ["sources", "outbox", "clock", "recording", "specs"] };

// sizes makes millimetres on the glass of this screen's own pixels.
function sizes() {
  const diagonal = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--diagonal"));
  const pixels = Math.hypot(screen.width, screen.height);
  if (diagonal > 0 && pixels > 0) document.documentElement.style.setProperty("--mm", `${(pixels / diagonal).toFixed(4)}px`);
}

let asked = 0;
let again = 0;

async function reload() {
  clearTimeout(again);
  const wait = asked + 1000 - performance.now();
  if (wait > 0) {
    again = setTimeout(reload, wait);
    return;
  }
  asked = performance.now();
  const response = await fetch(location.href).catch(() => null); // NOT LIVE says it
  if (!response || !response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("main");
  if (fresh) document.getElementById("main").replaceChildren(...fresh.childNodes);
}

function draw(changed) {
  liveness();
  if (!connected()) return;
  fill("head", html`<${Head} />`);
  fill("banner", html`<${Banner} />`);
  fill("nav", html`<${Nav} />`);
  if (views[page]) fill("main", html`<${views[page]} />`);
  else if (follows[page] && changed && follows[page].some((name) => changed.has(name))) reload();
}

const keys = { F1: "/", F2: "/alarms", F3: "/events", F4: "/specs", F6: "/health" };
addEventListener("keydown", (e) => {
  if (keys[e.key] && !document.querySelector("dialog[open]")) {
    e.preventDefault();
    location.assign(keys[e.key]);
  }
});

sizes();
watch(draw);
open();
setInterval(liveness, 250);
