// How instants, ages and states are written: as the server does for the first
// paint.

const two = (n) => String(n).padStart(2, "0");

export function clock(text) {
  if (!text) return "—";
  const t = new Date(text);
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}

export function zone(ms) {
  const minutes = -new Date(ms).getTimezoneOffset();
  const a = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(a / 60))}:${two(a % 60)}`;
}

export function age(now, text) {
  if (!text) return "never";
  const s = Math.max(0, Math.floor((now - Date.parse(text)) / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${two(Math.floor(s / 60))}:${two(s % 60)}`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)}`;
}

// left is how long it still is to an instant.
export function left(now, text) {
  const m = Math.max(0, Math.ceil((Date.parse(text) - now) / 60000));
  return m < 60 ? `${m} min left` : `${Math.floor(m / 60)} h ${two(m % 60)} left`;
}

const states = {
  UNACK: "NOT ACKNOWLEDGED",
  ACKED: "acknowledged",
  RTNUN: "returned, NOT ACKNOWLEDGED",
  LTUNK: "latched",
  LTACK: "latched",
  SHLVD: "shelved",
  DSUPR: "suppressed by design",
  OOSRV: "out of service",
};

export const stateWord = (s) => states[s] || s;
// who is a person as a signature is printed: name and id.
export const who = (name, id) => (name && name !== id ? `${name} (${id})` : id);

export const words = (s) => s.replaceAll("_", " ");
export const percent = (x) => `${(100 * x).toFixed(2)}%`;
