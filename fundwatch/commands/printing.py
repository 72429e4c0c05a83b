"""stdout carries the answer only: one JSON document, CSV, or a table."""

import csv
import json
import re
import sys
from collections.abc import Sequence

import click
import msgspec

from fundwatch.tables import Column, render
from fundwatch.text import printable

_UNUSUAL = re.compile(r"[^\n -~]+")


def print_json(answer: object) -> None:
    """One JSON document; missing is null. What a terminal would obey is escaped, and means the same."""
    document = msgspec.json.format(msgspec.json.encode(answer), indent=2).decode()
    sys.stdout.write(_UNUSUAL.sub(_escaped, document) + "\n")


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    return text if text == printable(text) else json.dumps(text)[1:-1]


def print_csv(rows: Sequence[msgspec.Struct], shape: type[msgspec.Struct]) -> None:
    """A heading and a line for each row; text that a spreadsheet would run as a formula gets a quote, and
    what a terminal would obey is replaced."""
    writer = csv.writer(sys.stdout)
    fields = shape.__struct_fields__
    writer.writerow(fields)
    for row in rows:
        writer.writerow(["" if v is None else _safe(v) for v in (getattr(row, f) for f in fields)])


def print_world(*, demo: bool) -> None:
    """Says above a table when its numbers are not real."""
    if demo:
        print("DEMO: simulated exchanges")


def print_error(error: object) -> None:
    """What went wrong, in words on stderr, where it may name files and assets as somebody typed them."""
    click.echo("\n".join(map(printable, f"Error: {error}".splitlines())), err=True)


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    print(render(columns, rows))


def _safe(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") else text
