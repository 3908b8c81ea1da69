// Preact with htm: markup in template literals, no build step.
import { h, render } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export { render };
export const html = htm.bind(h);

// fill renders into an element that the server has filled for the first paint.
export function fill(id, view) {
  const root = document.getElementById(id);
  if (!root.dataset.live) {
    root.textContent = "";
    root.dataset.live = "1";
  }
  render(view, root);
}
