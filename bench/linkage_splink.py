"""The same linkage by Splink 5, in a Python of its own (``bench.linkage --splink``)."""

import json
import sys
import time
from pathlib import Path

import duckdb
import splink.comparison_library as cl
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI

BLOCKS = (
    block_on("name", "county_code"),
    block_on("town_code", "substr(name, 1, 2)"),
    block_on("established_on", "county_code"),
    block_on("town_code", "substr(industry_code, 1, 2)", "year(established_on)"),
)


def main(folder: Path) -> None:
    engine = duckdb.connect()
    for table in ("records", "traders"):
        engine.execute(f"CREATE TABLE {table} AS FROM read_parquet('{folder}/{table}.parquet')")
    began = time.monotonic()
    api = DuckDBAPI(connection=engine)
    settings = SettingsCreator(
        link_type="link_only",
        unique_id_column_name="id",
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.92, 0.8]),
            cl.ExactMatch("town_code"),
            cl.ExactMatch("industry_code"),
            cl.ExactMatch("established_on"),
            cl.ExactMatch("premises_m2"),
        ],
        blocking_rules_to_generate_predictions=list(BLOCKS),
    )
    linker = Linker([api.register("records"), api.register("traders")], settings)
    many = engine.execute("SELECT count(*) FROM traders").fetchall()[0][0]
    settings.probability_two_random_records_match = 0.8 / many
    linker.training.estimate_probability_two_random_records_match(
        [block_on("name", "town_code", "established_on")], recall=0.5
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("name"))
    linker.training.estimate_parameters_using_expectation_maximisation(
        block_on("established_on", "county_code")
    )
    found = linker.inference.predict(threshold_match_probability=0.99).as_duckdbpyrelation()  # noqa: F841  read by name below
    rows = engine.sql(
        "SELECT id_l, id_r FROM found QUALIFY row_number()"
        " OVER (PARTITION BY id_l ORDER BY match_weight DESC, id_r) = 1"
    ).fetchall()
    seconds = time.monotonic() - began
    pairs = [(a, b) if a.startswith("R") else (b, a) for a, b in rows]
    (folder / "out.json").write_text(json.dumps({"seconds": seconds, "linked": dict(pairs)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
