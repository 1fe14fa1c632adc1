"""A matter as a picture, generated from its file and the table of moves (Mermaid text)."""

from getihu.cases.clocks.terms import get_term
from getihu.cases.machine import FINAL, MOVES, STATE_LABELS, State
from getihu.cases.matters.bundle import WholeBundle
from getihu.cases.matters.model import Matter

_UNITS = {"working_day": "个工作日", "natural_day": "日", "month": "个月", "year": "年"}


def term_text(term_id: str) -> str:
    """A term as people read it: 20个工作日."""
    term = get_term(term_id)
    return f"{term.amount}{_UNITS[term.unit]}"


def states_diagram() -> str:
    """States and moves, the same for every matter."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.DRAFT}"]
    lines += [f'    state "{label}" as {state}' for state, label in STATE_LABELS.items()]
    lines += [f"    {move.before} --> {move.after}: {move.label}" for move in MOVES]
    lines += [f"    {state} --> [*]" for state in State if state in FINAL]
    return "\n".join(lines) + "\n"


def stages_diagram(matter: Matter) -> str:
    """Who acts, side by side or in turn, and how long the law gives each."""
    lines = [
        "flowchart LR",
        f'    submit(["提交"]) --> accept["受理 {term_text(matter.acceptance_clock)}"]',
    ]
    for stage in matter.stages:
        box = f'{stage.id}["{stage.title}<br>{term_text(stage.clock)}"]'
        lines += [f"    {before} --> {box}" for before in stage.after or ("accept",)]
    waited_for = {before for stage in matter.stages for before in stage.after}
    last = [stage.id for stage in matter.stages if stage.id not in waited_for]
    overall = f"<br>合计不超过 {term_text(matter.clock)}" if matter.clock else ""
    lines += [f'    {name} --> done(["{matter.result.title}{overall}"])' for name in last]
    return "\n".join(lines) + "\n"


def parts_diagram(whole: WholeBundle) -> str:
    """Which part comes after which; a dashed one is needed only for some."""
    lines = ["flowchart LR", '    submit(["一次提交"])']
    for part in whole.bundle.parts:
        lines.append(f'    {part.id}["{whole.matter(part.id).title}"]')
        arrow = "-->" if part.when is None else "-.->"
        lines += [f"    {before} {arrow} {part.id}" for before in part.after or ("submit",)]
    return "\n".join(lines) + "\n"
