"""Makes docs/reference/rules.md of the tables: ``python -m tests.spec.manual``."""

from pathlib import Path

FOLDER = Path(__file__).parent
MANUAL = FOLDER.parent.parent / "docs" / "reference" / "rules.md"


def manual_text() -> str:
    """The parts of this folder in order."""
    parts = [path.read_text("utf-8").strip() for path in sorted(FOLDER.glob("*.md"))]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    MANUAL.write_text(manual_text(), "utf-8")
