// Whether what is shown is true just now, and what a person signs would be on
// record. The page, and a dialog that lies over it, say it in the same words.
import { part, now, silence, lastBeat, connected } from "./store.js";
import { clock } from "./words.js";

// quiet is how long nothing may be heard, in ms: beats come every second, and
// within three the screen must say that it is not live.
const quiet = 2500;
// standing is how long the gateway's pipeline may not have gone round: it does
// every two seconds when there is nothing to do.
const standing = 6000;

let gone = null; // when it was noticed that nothing is heard

// notLive is what is wrong when the page is not live, null when it is.
export function notLive() {
  const beat = lastBeat();
  const silent = silence() > quiet;
  const stuck = !silent && beat && beat.standing_ms > standing;
  if (!silent && !stuck) {
    gone = null;
    return null;
  }
  gone ??= now() - silence();
  return {
    what: "NOT LIVE",
    why: `${stuck ? "The gateway stands still" : "Nothing heard from the gateway"} since ${clock(new Date(gone).toISOString())}.`,
    cure: `What is shown is old. ${stuck ? "Restart the gateway." : "Trying again…"}`,
  };
}

// notRecording is what is wrong when what comes is not on record, null otherwise.
export function notRecording() {
  if (!connected() || part("recording")) return null;
  const head = part("head");
  return {
    what: "NOT RECORDING",
    why: head
      ? `Nothing is judged or on record since ${clock(head.time)}. Hold the product. Call maintenance: the disk of gateway ${part("gateway").id} is full or faulty.`
      : "The gateway is starting: nothing has been recorded yet.",
  };
}

// trouble is the graver of the two: nothing can be signed then.
export const trouble = () => notLive() || notRecording();
