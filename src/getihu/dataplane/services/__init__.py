"""Verbs of the data plane: take deliveries in, build facts."""

from getihu.dataplane.intake.manifest import Rejected
from getihu.dataplane.services.facts import build_facts
from getihu.dataplane.services.ingest import (
    IngestRunning,
    NoDelivery,
    RebuildDiffers,
    UnknownDelivery,
    ingest_directory,
    rebuild,
    release_held,
    store_alone,
)

__all__ = [
    "IngestRunning",
    "NoDelivery",
    "RebuildDiffers",
    "Rejected",
    "UnknownDelivery",
    "build_facts",
    "ingest_directory",
    "rebuild",
    "release_held",
    "store_alone",
]
