// Draws again in the reader's own browser: the lists and the chance come from the published files,
// hashes from the browser's own cryptography. Nothing is asked of the server but the files.
const button = document.getElementById("run");
const said = document.getElementById("said");
const far = document.getElementById("far");
const text = new TextEncoder();

async function sha256(words) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", text.encode(words)));
}

function hex(bytes) {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

async function ticket(key, name) {
  const number = BigInt(`0x${hex(await sha256(key + name))}`).toString();
  return `0.${Array.from(number.padStart(64, "0")).reverse().join("")}`;
}

async function load(name) {
  const answer = await fetch(button.dataset.files.replace(/x$/, name));
  if (!answer.ok) throw new Error(`取不到 ${name}`);
  return answer.text();
}

function rows(body) {
  return body.split("\n").slice(0, -1).map((line) => line.split(","));
}

async function tickets(key, codes, done) {
  const found = [];
  for (let i = 0; i < codes.length; i += 2000) {
    const part = codes.slice(i, i + 2000);
    const made = await Promise.all(part.map((code) => ticket(key, code)));
    part.forEach((code, n) => found.push([made[n], code]));
    done(part.length);
  }
  return found.sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

async function again() {
  const names = ["frame", "excluded", "inspectors", "conflicts"];
  const [commitment, chance, result, ...lists] = await Promise.all(
    ["commitment.json", "chance.json", "result.csv", ...names.map((n) => `${n}.csv`)].map(load),
  );
  const told = JSON.parse(commitment);
  const drawn = JSON.parse(chance);
  for (const [n, name] of names.entries()) {
    if (hex(await sha256(lists[n])) !== told[name].sha256) throw new Error(`${name}.csv 与承诺书不符`);
  }
  const way = drawn.fallback ? "fallback" : "agreed";
  const seed = `${hex(await sha256(commitment))}:${way}:${drawn.kind}:${drawn.digits}`;
  if (seed !== drawn.seed) throw new Error("种子不是由承诺书和随机数算出来的");
  const key = hex(await sha256(seed));
  const of = new Map(told.strata.map((s) => [s.name, []]));
  rows(lists[0]).forEach(([code, stratum]) => of.get(stratum).push(code));
  const able = rows(lists[2]).filter((row) => row[1] === told.qualification).map((row) => row[0]);
  const apart = new Set(rows(lists[3]).map((row) => row.join("/")));
  let made = 0;
  const step = (n) => {
    made += n;
    far.value = Math.floor((100 * made) / told.frame.count);
  };
  let lines = "";
  for (const stratum of told.strata) {
    const held = (await tickets(key, of.get(stratum.name), step)).slice(0, stratum.size);
    for (const [n, [number, code]] of held.entries()) {
      const free = able.filter((one) => !apart.has(`${one}/${code}`));
      const team = (await tickets(key, free.map((one) => `${code}/${one}`), () => {}))
        .slice(0, told.team).map((pair) => pair[1].split("/")[1]);
      lines += `${stratum.name},${n + 1},${code},${number},${team.join("+")}\n`;
    }
  }
  if (lines !== result) throw new Error("重新抽取的结果与公布的不同");
  return { count: rows(result).length, digest: hex(await sha256(lines)), of: told.frame.count };
}

button?.addEventListener("click", async () => {
  button.disabled = true;
  far.hidden = false;
  said.textContent = "正在下载名录，重新抽取…";
  const from = performance.now();
  try {
    const { count, of, digest } = await again();
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    said.textContent = `一致：从 ${of} 户里重新抽出 ${count} 户，与公布的逐字相同（${digest.slice(0, 16)}…，用了 ${seconds} 秒）。日志的先后请用核对程序看。`;
  } catch (error) {
    said.textContent = `不一致：${error.message}。请保存全部文件，向同级人民政府或者上级部门反映。`;
  }
  far.hidden = true;
  button.disabled = false;
});
