"""What others may read of supervision."""

from getihu.supervision.catalogue.fields import UnknownField, get_field, list_fields
from getihu.supervision.selectors.burden import burden_of, class_of, ratios_of
from getihu.supervision.selectors.dossiers import (
    DOSSIER_FILES,
    dossier,
    find_file,
    list_files,
    program_sha256,
    verifier_text,
)
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
    list_visits,
    list_visits_of,
    visible_visits,
)

__all__ = [
    "DOSSIER_FILES",
    "UnknownField",
    "burden_of",
    "class_of",
    "dossier",
    "find_file",
    "find_visit_by_code",
    "get_field",
    "get_plan",
    "get_visit",
    "list_fields",
    "list_files",
    "list_inspectors",
    "list_plans",
    "list_public_plans",
    "list_visits",
    "list_visits_of",
    "program_sha256",
    "ratios_of",
    "source_at",
    "verifier_text",
    "visible_visits",
]
