// What is known of the gateway: the parts of its committed state, as the stream
// brings them, and when it was last heard. Nothing here is guessed or counted
// on: a value is what the gateway said, and its age is told beside it.

const parts = new Map();
const watchers = new Set();
let heard = 0; // performance.now() of the last word from the gateway
let beat = null; // its last beat
let began = performance.now();

// The gateway's clock is what ages are counted by: the screen's own may be wrong.
let ahead = 0;

export const part = (name) => parts.get(name);
export const now = () => Date.now() + ahead;
export const watch = (fn) => watchers.add(fn);

// silence is how long nothing has been heard, in ms.
export const silence = () => performance.now() - (heard || began);
export const lastBeat = () => beat;
export const connected = () => heard > 0 && parts.size > 0;
export const build = document.body.dataset.build;

function tell(changed) {
  for (const fn of watchers) fn(changed);
}

// open begins the stream. The browser opens it again by itself when it breaks;
// when it gives up (a server that answers with an error), we do.
export function open() {
  const source = new EventSource("/api/v1/stream");
  source.addEventListener("change", (e) => {
    const m = JSON.parse(e.data);
    heard = performance.now();
    if (m.whole) parts.clear();
    for (const [name, value] of Object.entries(m.parts)) {
      if (value === null) parts.delete(name);
      else parts.set(name, value);
    }
    tell(m.whole ? null : new Set(Object.keys(m.parts)));
  });
  source.addEventListener("beat", (e) => {
    beat = JSON.parse(e.data);
    heard = performance.now();
    ahead = Date.parse(beat.now) - Date.now();
    if (beat.build !== build) location.reload();
    tell(new Set(["beat"]));
  });
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(open, 1000);
    }
  };
}
