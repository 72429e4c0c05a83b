"""stdout carries the answer only: one JSON document, CSV, or a table."""

import csv
import sys
from collections.abc import Sequence

import msgspec

from fundwatch.tables import Column, render


def print_json(answer: object) -> None:
    """One JSON document; missing is null."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n")


def print_csv(rows: Sequence[msgspec.Struct], shape: type[msgspec.Struct]) -> None:
    """A heading and a line for each row; text that a spreadsheet would run as a formula gets a quote."""
    writer = csv.writer(sys.stdout)
    fields = shape.__struct_fields__
    writer.writerow(fields)
    for row in rows:
        writer.writerow(["" if v is None else _safe(v) for v in (getattr(row, f) for f in fields)])


def print_world(*, demo: bool) -> None:
    """Says above a table when its numbers are not real."""
    if demo:
        print("DEMO: simulated exchanges")


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    print(render(columns, rows))


def _safe(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value
