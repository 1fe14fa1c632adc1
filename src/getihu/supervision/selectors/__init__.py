"""What others may read of supervision."""

from getihu.supervision.catalogue.fields import UnknownField, get_field, list_fields
from getihu.supervision.catalogue.items import UnknownItem, get_item, list_items
from getihu.supervision.selectors.breaches import (
    answer_of,
    asked_of,
    comparable_to,
    consistency_of,
    find_breach,
    get_breach,
    list_breaches,
    list_breaches_of,
    looked_up,
    remembers,
    seen_digest,
    visible_breaches,
)
from getihu.supervision.selectors.burden import burden_of, class_of, ratios_of
from getihu.supervision.selectors.dossiers import (
    DOSSIER_FILES,
    dossier,
    find_file,
    list_files,
    program_sha256,
    verifier_text,
)
from getihu.supervision.selectors.memory import memory_of, memory_since
from getihu.supervision.selectors.plans import (
    get_plan,
    list_inspectors,
    list_plans,
    list_public_plans,
    source_at,
)
from getihu.supervision.selectors.visits import (
    find_visit_by_code,
    get_visit,
    list_done,
    list_visits,
    list_visits_of,
    visible_visits,
)

__all__ = [
    "DOSSIER_FILES",
    "UnknownField",
    "UnknownItem",
    "answer_of",
    "asked_of",
    "burden_of",
    "class_of",
    "comparable_to",
    "consistency_of",
    "dossier",
    "find_breach",
    "find_file",
    "find_visit_by_code",
    "get_breach",
    "get_field",
    "get_item",
    "get_plan",
    "get_visit",
    "list_breaches",
    "list_breaches_of",
    "list_done",
    "list_fields",
    "list_files",
    "list_inspectors",
    "list_items",
    "list_plans",
    "list_public_plans",
    "list_visits",
    "list_visits_of",
    "looked_up",
    "memory_of",
    "memory_since",
    "program_sha256",
    "ratios_of",
    "remembers",
    "seen_digest",
    "source_at",
    "verifier_text",
    "visible_breaches",
    "visible_visits",
]
