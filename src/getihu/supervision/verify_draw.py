"""Checks a published draw from outside: python3 verify_draw.py FOLDER-OR-ZIP

Needs Python 3.11 and nothing else. It works everything out again from the published lists: that
they are the ones committed to, that chance came afterwards and is of the promised kind, who was
drawn and by whom she is visited, and that the public log holds the steps in this order. The
signature on the log's checkpoint is checked by verify_log.py. Exit code 0: it holds; 1: it does not.
"""

import base64
import itertools
import json
import re
import sys
import zipfile
from collections import Counter
from datetime import datetime
from hashlib import sha256
from pathlib import Path

CHANCE = {"dice": "[1-6]{25}", "lottery": "[0-9]{20}", "drand": "[0-9a-f]{64}"}
LISTS = ("frame", "excluded", "inspectors", "conflicts")
FIELD = re.compile(r"[0-9A-Z][0-9A-Z-]{0,39}|[a-z0-9][a-z0-9_]{0,39}", re.ASCII)


class DoesNotHold(Exception):
    """What was published is not so; the text says what."""


def need(holds: bool, else_: str) -> None:
    if not holds:
        raise DoesNotHold(else_)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"


def load(where: Path) -> dict[str, str]:
    if where.is_dir():
        return {path.name: path.read_bytes().decode("ascii") for path in where.iterdir()}
    with zipfile.ZipFile(where) as archive:
        return {name: archive.read(name).decode("ascii") for name in archive.namelist()}


def rows(text: str, name: str) -> list[list[str]]:
    """Rows of a list, once it is written in its one form: sorted, none twice, no blanks."""
    lines = text.split("\n")
    need(lines.pop() == "", f"{name}：最后一行没有换行")
    need(all(a < b for a, b in itertools.pairwise(lines)), f"{name}：没有排序或有重复")
    found = [line.split(",") for line in lines]
    fits = all(len(row) == 2 and all(map(FIELD.fullmatch, row)) for row in found)
    need(fits, f"{name}：有一行的写法不对")
    return found


def check_commitment(files: dict[str, str]) -> dict:
    text = files["commitment.json"]
    told = json.loads(text)
    need(canonical(told) == text and told["format"] == "getihu.draw/1", "承诺书不是规定的写法")
    for name in LISTS:
        body = files[f"{name}.csv"]
        need(digest(body) == told[name]["sha256"], f"{name}.csv 与承诺书的散列值不符")
        need(len(rows(body, name)) == told[name]["count"], f"{name}.csv 的行数与承诺书不符")
    frame, excluded = rows(files["frame.csv"], "frame"), rows(files["excluded.csv"], "excluded")
    codes = sorted([row[0] for row in frame] + [row[0] for row in excluded])
    need(len(set(codes)) == len(codes), "有人出现两次，或既在名录里又被排除")
    register = "".join(f"{code}\n" for code in codes)
    need(digest(register) == told["register"]["sha256"], "名录加排除名单不等于登记的全部户")
    counts = Counter(stratum for _, stratum in frame)
    told_counts = [(s["name"], s["count"]) for s in told["strata"]]
    need(told_counts == sorted(counts.items()), "各层户数与名录不符")
    for each in told["strata"]:
        above, below = map(int, each["rate"].split("/"))
        need(each["size"] == -(-each["count"] * above // below), "有一层的抽取数不等于户数乘比例")
    need(told["team"] >= 2, "检查人员少于两人")
    return told


def check_chance(files: dict[str, str], told: dict) -> str:
    chance, recipe = json.loads(files["chance.json"]), told["recipe"]
    need(canonical(chance) == files["chance.json"], "随机数文件不是规定的写法")
    agreed = recipe["fallback"] if chance["fallback"] else recipe
    kind, digits = chance["kind"], chance["digits"]
    need(kind == agreed["kind"], "随机数不是约定的来源")
    need(re.fullmatch(CHANCE[kind], digits, re.ASCII) is not None, "随机数写法不对")
    way = "fallback" if chance["fallback"] else "agreed"
    seed = f"{digest(files['commitment.json'])}:{way}:{kind}:{digits}"
    need(chance["seed"] == seed, "种子不是由承诺书和随机数算出来的")
    return seed


def ticket(key: str, name: str) -> str:
    number = int.from_bytes(sha256((key + name).encode()).digest(), "big")
    return "0." + str(number).zfill(64)[::-1]


def draw(files: dict[str, str], told: dict, seed: str) -> str:
    key = digest(seed)
    frame = rows(files["frame.csv"], "frame")
    people = rows(files["inspectors.csv"], "inspectors")
    able = [number for number, skill in people if skill == told["qualification"]]
    apart = {tuple(row) for row in rows(files["conflicts.csv"], "conflicts")}
    lines = []
    for stratum in told["strata"]:
        held = sorted((ticket(key, code), code) for code, name in frame if name == stratum["name"])
        for place, (number, code) in enumerate(held[: stratum["size"]], 1):
            free = [one for one in able if (one, code) not in apart]
            team = sorted((ticket(key, f"{code}/{one}"), one) for one in free)[: told["team"]]
            need(len(team) == told["team"], f"{code} 没有足够的检查人员")
            them = "+".join(one for _, one in team)
            lines.append(f"{stratum['name']},{place},{code},{number},{them}\n")
    return "".join(lines)


def check_log(files: dict[str, str], told: dict, seed: str) -> None:
    wanted = {
        "draw.committed": ("commitment", digest(files["commitment.json"])),
        "draw.seeded": ("seed", seed),
        "draw.drawn": ("result", digest(files["result.csv"])),
    }
    seen: dict[str, tuple[int, datetime]] = {}
    for entry in json.loads(files["log.json"]):
        record, salt = entry["record"].encode(), bytes.fromhex(entry["salt"])
        made = sha256(b"getihu.audit/v1\n" + salt + record).hexdigest()
        need(made == entry["commitment"], "日志里的一条与它的承诺值不符")
        event = json.loads(record)
        if event["kind"] not in wanted:
            continue
        need(event["kind"] not in seen, f"日志里有两次 {event['kind']}：抽了不止一次")
        need(event["object"] == f"draw:{told['about']['plan']}", "日志里的一条是别的计划的")
        name, value = wanted[event["kind"]]
        need(event["body"][name] == value, f"日志里的 {event['kind']} 与公布的文件不符")
        need(entry["proof"] is not None, f"{event['kind']} 还没有进入签过名的日志")
        index = included(entry["proof"], bytes.fromhex(made))
        seen[event["kind"]] = (index, datetime.fromisoformat(event["at"]))
    need(set(seen) == set(wanted), "日志里缺少冻结、随机数或抽取的一步")
    frozen, chosen, drawn = (seen[step] for step in wanted)
    need(frozen[0] < chosen[0] < drawn[0], "日志里各步的先后不对")
    recipe = told["recipe"]
    start, end = (datetime.fromisoformat(recipe[name]) for name in ("not_before", "until"))
    need(frozen[1] < start <= chosen[1] <= drawn[1], "名录冻结、随机数、抽取的时间先后不对")
    need((":fallback:" in seed) == (chosen[1] >= end), "约定的时间里用约定的来源，过时用备用的")
    for source, after in ((recipe, start), (recipe["fallback"], end)):
        if source["kind"] == "drand":
            made = source["genesis"] + (source["round"] - 1) * source["period_s"]
            need(made > after.timestamp(), "信标的轮次早于约定的时间，可以事先知道")


def included(proof: str, commitment: bytes) -> int:
    """Number of the entry, once its path leads to the root of the checkpoint (RFC 9162, 2.1.3.2)."""
    head, _, checkpoint = proof.partition("\n\n")
    lines = head.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("index "))
    index = int(lines[at].removeprefix("index "))
    path = [base64.b64decode(line) for line in lines[at + 1 :]]
    size, root = int(checkpoint.split("\n")[1]), base64.b64decode(checkpoint.split("\n")[2])
    place, last, hash_ = index, size - 1, sha256(b"\x00" + commitment).digest()
    need(0 <= index < size, "存在证明的序号不在日志里")
    for step in path:
        need(last > 0, "存在证明太长")
        if place & 1 or place == last:
            hash_ = sha256(b"\x01" + step + hash_).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            hash_ = sha256(b"\x01" + hash_ + step).digest()
        place, last = place >> 1, last >> 1
    need(last == 0 and hash_ == root, "存在证明算出的根与检查点不符")
    return index


def verify(files: dict[str, str]) -> dict:
    """Returns the commitment once everything holds. Raises DoesNotHold."""
    try:
        told = check_commitment(files)
        seed = check_chance(files, told)
        need(draw(files, told, seed) == files["result.csv"], "重新抽取的结果与公布的不同")
        check_log(files, told, seed)
    except (KeyError, ValueError, TypeError, IndexError, StopIteration) as error:
        raise DoesNotHold(f"文件缺少内容或写法不对：{error!r}") from None
    return told


def main() -> int:
    try:
        told = verify(load(Path(sys.argv[1])))
    except (DoesNotHold, OSError, ValueError, IndexError, zipfile.BadZipFile) as error:
        print(f"不成立：{error}")
        return 1
    sizes = "、".join(f"{s['name']} {s['count']} 户抽 {s['size']} 户" for s in told["strata"])
    print(f"成立：{told['about']['number']}，{sizes}；名录先冻结，随机数后产生。")
    return 0


if __name__ == "__main__":
    sys.exit(main())
