"""办事指南: what the law wants shown of every matter, made from the matter itself.

行政许可法 第三十条: the basis, conditions, procedure, term and all documents are shown. A guide
holds nothing of its own but the ways of appeal, so it cannot say anything else than the matter.
"""

from dataclasses import asdict, dataclass
from typing import Any

from getihu.cases.selectors import Matter, matter_catalogue, term_silence, term_text, term_words
from getihu.reference import selectors as reference

NO_FEE = "不收费"
NO_FEE_BASIS = "行政许可法 第五十八条（没有法律、行政法规的规定不得收费）"
# Who asks is told both before and after (行政许可法 第七条).
APPEALS = (
    ("办理当中", "可以陈述、申辩", "行政许可法 第七条"),
    ("对结果不服", "可以依法申请行政复议或者提起行政诉讼", "行政许可法 第七条"),
    (
        "办得好不好",
        "可以评价、追评；差评 1 日内回访，要改的 15 日内改好",
        "国办发〔2019〕51号（好差评）",
    ),
    ("合法权益受侵害", "可以向有关部门投诉、举报", "促进个体工商户发展条例 第三十三条"),
)
SUBJECTS = {"individual": "个体工商户", "enterprise": "企业"}
STARTED_BY = {
    "owner": "经营者本人",
    "representative": "经营者，或者她授权的人",
    "officer": "承办机关",
    "anybody": "想开店的人",
}
RESULT_KINDS = {
    "licence": "许可证件",
    "registration": "登记",
    "certificate": "证明",
    "decision": "决定",
    "service": "服务",
    "award": "兑付",
}


@dataclass(frozen=True)
class GuideTerm:
    """A term of the law as people read it. ``silence``: what follows when nothing is done in time;
    empty where the law says nothing."""

    text: str
    title: str
    source: str
    silence: str


@dataclass(frozen=True)
class GuideDocument:
    """Something to bring."""

    title: str
    article: str
    is_required: bool
    sample: str


@dataclass(frozen=True)
class GuideHeld:
    """Something a department holds already: never asked for."""

    title: str
    article: str
    agency: str


@dataclass(frozen=True)
class GuideStep:
    """One department's part. ``after`` are ids of earlier steps; ``depth`` 1 comes first."""

    id: str
    title: str
    agency: str
    term: GuideTerm
    after: tuple[str, ...]
    depth: int


@dataclass(frozen=True)
class GuideQuestion:
    """One question of the form. ``is_known``: a department's answer is filled in."""

    label: str
    is_required: bool
    is_known: bool
    help: str


@dataclass(frozen=True)
class ServiceGuide:
    """The guide of a matter for a place. ``overall`` None: no term over all steps together."""

    id: str
    title: str
    summary: str
    measure: int
    place: str
    place_name: str
    agency: str
    subjects: tuple[str, ...]
    started_by: str
    legal_basis: tuple[str, ...]
    documents: tuple[GuideDocument, ...]
    held: tuple[GuideHeld, ...]
    questions: tuple[GuideQuestion, ...]
    acceptance: GuideTerm
    overall: GuideTerm | None
    steps: tuple[GuideStep, ...]
    result: str
    result_kind: str
    result_article: str
    valid_years: int | None
    fee: str
    fee_basis: str
    appeals: tuple[tuple[str, str, str], ...]

    def as_data(self) -> dict[str, Any]:
        """The guide for other systems: plain JSON values."""
        return asdict(self)


def guide_of(matter: Matter, place: str = reference.WENZHOU) -> ServiceGuide:
    """The guide of a matter for a shop in ``place`` (town or county; the city: not chosen yet)."""

    def agency(department: str, level: str = "county") -> str:
        over = place if level != "city" else reference.WENZHOU
        return reference.agency_name(department, over)

    depths = _depths(matter)
    return ServiceGuide(
        id=matter.id,
        title=matter.title,
        summary=matter.summary,
        measure=matter.measure,
        place=place,
        place_name=reference.division_name(place[:6]),
        agency=agency(matter.handler.department, matter.handler.level),
        subjects=tuple(SUBJECTS[each] for each in matter.subjects),
        started_by=STARTED_BY[matter.started_by],
        legal_basis=matter.legal_basis,
        documents=tuple(
            GuideDocument(d.title, d.article, d.required, d.sample) for d in matter.to_bring
        ),
        held=tuple(
            GuideHeld(d.title, d.article, agency(d.held_by.department))
            for d in matter.documents
            if d.held_by
        ),
        questions=tuple(
            GuideQuestion(f.label, f.required, f.fact is not None, f.help) for f in matter.form
        ),
        acceptance=_term(matter.acceptance_clock),
        overall=_term(matter.clock) if matter.clock else None,
        steps=tuple(
            GuideStep(
                stage.id,
                stage.title,
                agency(stage.handler.department, stage.handler.level),
                _term(stage.clock),
                stage.after,
                depths[stage.id],
            )
            for stage in matter.stages
        ),
        result=matter.result.title,
        result_kind=RESULT_KINDS[matter.result.kind],
        result_article=matter.result.article,
        valid_years=matter.result.valid_years,
        fee=NO_FEE,
        fee_basis=NO_FEE_BASIS,
        appeals=APPEALS,
    )


def list_guides(text: str = "", place: str = reference.WENZHOU) -> list[ServiceGuide]:
    """Guides of everything a trader can ask for that speak of ``text``, by title."""
    found = [
        guide_of(matter, place)
        for matter in matter_catalogue().values()
        if matter.started_by != "officer"
    ]
    words = text.lower().split()
    found = [guide for guide in found if all(word in _said(guide) for word in words)]
    return sorted(found, key=lambda guide: guide.title)


def _said(guide: ServiceGuide) -> str:
    said = (guide.title, guide.summary, guide.agency, guide.result, *guide.legal_basis)
    named = [*(d.title for d in guide.documents), *(s.title for s in guide.steps)]
    return " ".join([*said, *named, *(s.agency for s in guide.steps)]).lower()


def _term(term_id: str) -> GuideTerm:
    title, source = term_words(term_id)
    return GuideTerm(term_text(term_id), title, source, term_silence(term_id))


def _depths(matter: Matter) -> dict[str, int]:
    """How many steps come before each, on the longest way, itself included."""
    depths: dict[str, int] = {}
    left = list(matter.stages)
    while left:
        for stage in [s for s in left if all(name in depths for name in s.after)]:
            depths[stage.id] = 1 + max((depths[name] for name in stage.after), default=0)
            left.remove(stage)
    return depths
