// Keys of the desk. Everything they do can be done with links and buttons alone.

const rows = () =>
  [...document.querySelectorAll("[data-row]")]
    .map((row) => row.querySelector("a, summary, button"))
    .filter(Boolean);
const isTyping = (target) => target.closest("input, select, textarea");

function move(by) {
  const links = rows();
  if (!links.length) return;
  const row = document.activeElement.closest("[data-row]");
  const at = links.findIndex((link) => row?.contains(link));
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1);
  links[next].focus();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  "/": () => document.querySelector("[data-search]")?.focus(),
  u: () => document.querySelector("[data-up]")?.click(),
  "?": () => {
    const table = document.getElementById("keys");
    table.open = !table.open;
    if (table.open) table.querySelector("summary").focus();
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// The address says what is shown, so that a reload shows the same.
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "inbox") return;
  const address = new URL(event.detail.xhr.responseURL);
  for (const [name, value] of [...address.searchParams]) if (!value) address.searchParams.delete(name);
  history.replaceState(null, "", address);
});
