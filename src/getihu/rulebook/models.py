"""What the rulebook keeps of record: versions that decided, drift reports, kept what-ifs.

These are promises and grounds, not results of files that can be made again, so they live in the
transactional database and not beside the facts. Nothing here is about one trader.
"""

from django.db import models


class LiveRule(models.Model):
    """A version of a rule that has decided the city, with its text as it was.

    ``ground``: initial (came with the first sweep), first (first version of its rule) or the key
    of the drift report that let it in. ``as_of`` and ``snapshot_id`` tell the first sweep.
    """

    rule_id = models.CharField(max_length=120)
    version = models.CharField(max_length=64)
    text = models.TextField()
    as_of = models.DateField()
    snapshot_id = models.CharField(max_length=40)
    ground = models.CharField(max_length=200)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["rule_id", "version"], name="live_rule_once"),
        )


class DriftReport(models.Model):
    """Who moves from one version to another, on one snapshot and date. Written once."""

    key = models.CharField(max_length=200, unique=True)
    rule_id = models.CharField(max_length=120, db_index=True)
    before_version = models.CharField(max_length=64)
    after_version = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    content = models.JSONField()  # a Comparison


class Scenario(models.Model):
    """A what-if somebody kept, with the text it was made from and what came out."""

    title = models.CharField(max_length=80)
    rule_id = models.CharField(max_length=120, db_index=True)
    base_text = models.TextField()
    changes = models.JSONField()  # a list of RuleChange
    made_at = models.DateTimeField()
    content = models.JSONField()  # a Comparison
