// The sliders of a policy page. The curves come once; after that nothing is asked of the server.
// Without this script the same numbers can be typed and worked out by the server.

const sheet = document.querySelector("[data-curves]");
const address = sheet?.dataset.curves;

const number = new Intl.NumberFormat("zh-CN");
const byId = (id) => document.getElementById(id);
// Rules over personal facts move in fives; then a number says so.
const about = (n) => `${sheet?.dataset.guarded && n ? "约 " : ""}${number.format(n)}`;
const signed = (n) => (n ? `${n > 0 ? "+" : "−"}${number.format(Math.abs(n))}` : "");

const elements = [...document.querySelectorAll(".slide")].filter((each) => each.querySelector(".track"));
const live = { count: byId("live-count"), change: byId("live-change"), yuan: byId("live-yuan"), yuanChange: byId("live-yuan-change"), said: byId("live-said") };
const tiles = places(".tile");
const trades = places("#trades > li");
const before = { count: live.count?.textContent, yuan: live.yuan?.textContent };

/** Each county or trade with what it shows before anything moves. */
function places(selector) {
  return [...document.querySelectorAll(selector)].map((item) => ({
    item,
    code: item.dataset.code,
    text: item.querySelector("b"),
    small: item.querySelector("small"),
    bar: item.querySelector("rect"),
    said: item.querySelector("b").textContent,
    rate: item.querySelector("small")?.textContent,
    width: item.querySelector("rect")?.getAttribute("width"),
    shade: [...item.classList].find((name) => name.startsWith("shade-")),
    traders: Number(item.dataset.traders || 0),
  }));
}

function start(curves) {
  const slides = elements.flatMap((element) => {
    const curve = curves.find((each) => each.name === element.dataset.parameter);
    element.querySelector(".track").hidden = !curve;
    return curve ? [new Slide(element, curve)] : [];
  });
  for (const slide of slides) {
    slide.range.addEventListener("input", () => {
      for (const other of slides) if (other !== slide) other.set(other.curve.at);
      slide.set(Number(slide.range.value));
      show(slide.curve, Number(slide.range.value));
    });
    slide.range.addEventListener("change", () => say(slide.curve, Number(slide.range.value)));
  }
  byId("reset")?.addEventListener("click", (event) => {
    event.preventDefault(); // a plain reset would put every slider at its left end
    for (const slide of slides) slide.set(slide.curve.at);
    rest();
  });
}

class Slide {
  constructor(element, curve) {
    this.curve = curve;
    this.range = element.querySelector("input[type=range]");
    this.typed = element.querySelector(".typed input");
    this.line = element.querySelector("line");
    this.range.max = curve.values.length - 1;
    draw(element.querySelector("polyline"), curve);
    this.range.disabled = false;
    this.set(curve.at);
  }

  set(place) {
    const { values, shown } = this.curve;
    this.range.value = place;
    this.range.setAttribute("aria-valuetext", shown[place]);
    this.typed.value = values[place];
    const x = (100 * place) / (values.length - 1);
    this.line.setAttribute("x1", x);
    this.line.setAttribute("x2", x);
  }
}

/** The curve itself, above the slider: how many at each value; cost where the count is flat. */
function draw(polyline, curve) {
  const flat = new Set(curve.counts).size === 1;
  const heights = flat && curve.yuan.length ? curve.yuan : curve.counts;
  const top = Math.max(...heights) || 1;
  const last = heights.length - 1;
  polyline.setAttribute("points", heights.map((h, n) => `${(100 * n) / last},${29 - (28 * h) / top}`).join(" "));
}

function show(curve, place) {
  if (place === curve.at) return rest();
  live.count.textContent = number.format(curve.counts[place]);
  live.change.textContent = signed(curve.counts[place] - curve.counts[curve.at]);
  if (live.yuan && curve.yuan.length) {
    live.yuan.textContent = `${number.format(curve.yuan[place])}元`;
    const change = curve.yuan[place] - curve.yuan[curve.at];
    live.yuanChange.textContent = change ? `${signed(change)}元` : "";
  }
  spread(tiles, curve.county, place, curve.at);
  spread(trades, curve.trade, place, curve.at);
  document.body.classList.add("is-trying");
}

function spread(parts, counts, place, at) {
  const now = parts.map((part) => counts[part.code]?.[place] ?? 0);
  const longest = Math.max(...now, 1);
  // Shades are measured by the standards in force, so that a tile darkens and fades as it moves.
  const densest = Math.max(...parts.map((part) => (part.traders ? (counts[part.code]?.[at] ?? 0) / part.traders : 0)), 1e-9);
  parts.forEach((part, n) => {
    part.text.textContent = about(now[n]);
    part.bar?.setAttribute("width", (100 * now[n]) / longest);
    const change = now[n] - (counts[part.code]?.[at] ?? 0);
    if (part.small) part.small.textContent = signed(change) || "不变";
    if (part.shade) shade(part.item, part.traders ? now[n] / part.traders / densest : 0);
  });
}

function shade(item, share) {
  for (let n = 0; n <= 5; n += 1) item.classList.remove(`shade-${n}`);
  item.classList.add(`shade-${share <= 0 ? 0 : Math.min(5, Math.floor(Math.min(share, 1.2) * 4 - 1e-9) + 1)}`);
}

/** Back to what the server said: the exact counts of the standards in force. */
function rest() {
  live.count.textContent = before.count;
  live.change.textContent = "";
  if (live.yuan) live.yuan.textContent = before.yuan;
  if (live.yuanChange) live.yuanChange.textContent = "";
  for (const part of [...tiles, ...trades]) {
    part.text.textContent = part.said;
    if (part.small) part.small.textContent = part.rate;
    part.bar?.setAttribute("width", part.width);
    if (part.shade) {
      for (let n = 0; n <= 5; n += 1) part.item.classList.remove(`shade-${n}`);
      part.item.classList.add(part.shade);
    }
  }
  document.body.classList.remove("is-trying");
}

function say(curve, place) {
  const change = curve.counts[place] - curve.counts[curve.at];
  live.said.textContent = `${curve.shown[place]}：${sheet.dataset.outcome} ${number.format(curve.counts[place])} 户，${change ? signed(change) : "没有变化"}`;
}

// Room for the sliders at once, so that nothing jumps when the curves arrive.
if (address) {
  for (const element of elements) {
    element.querySelector("input[type=range]").disabled = true;
    element.querySelector(".track").hidden = false;
  }
  fetch(address)
    .then((answer) => (answer.ok ? answer.json() : { parameters: [] }))
    .then((found) => start(found.parameters))
    .catch(() => start([]));
}
