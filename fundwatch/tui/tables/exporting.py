"""What a table shows, as a file and for the clipboard."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from fundwatch.text import printable


def write_csv(
    folders: Sequence[Path], name: str, now: float, headings: Sequence[str], rows: Sequence[Sequence[str]]
) -> Path:
    """A new file in the first folder that takes one; its path. Raises `OSError` when none does.

    Nothing is overwritten. Text that a spreadsheet would run as a formula gets a quote; numbers lose
    their thousands' commas and `-`, which stands for missing, becomes empty.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    trouble: OSError | None = None
    for folder in folders:
        for number in range(1, 100):
            again = "" if number == 1 else f"-{number}"
            path = folder / f"fundwatch-{name}-{stamp}{again}.csv"
            try:
                with path.open("x", newline="", encoding="utf-8") as file:
                    writer = csv.writer(file)
                    writer.writerow(headings)
                    writer.writerows([value(cell) for cell in row] for row in rows)
            except FileExistsError:
                continue
            except OSError as error:
                trouble = error
                break
            return path
    raise trouble or FileExistsError("too many files of this second")


def value(cell: str) -> str:
    """A cell's text as CSV wants it."""
    text = printable(cell).strip()
    if text == "-":
        return ""
    bare = text.replace(",", "")
    try:
        float(bare)
    except ValueError:
        return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
    return bare
