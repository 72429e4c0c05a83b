"""One stream of bytes to rows, whatever kind of text it is; CSV itself is read here."""

import csv
import re
from collections.abc import Iterator

from fundwatch.exchanges.decode import BadNumber
from fundwatch.imports import heads, objects, shapes
from fundwatch.imports.archive import Read
from fundwatch.imports.asked import Asked
from fundwatch.imports.layouts import Layout
from fundwatch.imports.lines import BLOCK_BYTES, Batch, lines
from fundwatch.imports.objects import Rows
from fundwatch.imports.rows import BadRow, Limits, NotThisLayout

_NUMBER = re.compile(r"[+-]?[\d.]+([eE][+-]?\d+)?", re.ASCII)
_OTHER_SEPARATORS = ";\t|"


def begin(read: Read, asked: Asked, limits: Limits, *, where: str, member: str | None) -> tuple[Layout, Rows]:
    """The layout of what `read` gives, and its rows.

    Raises `FileRefused` or `NotThisLayout` for what is no table, at once or on the way.
    """
    head = read(BLOCK_BYTES)
    heads.refuse_other_files(head, where)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]

    def from_start(size: int) -> bytes:
        nonlocal head
        data, head = head, b""
        return data or read(size)

    if start == b"[":
        return objects.document(from_start, asked, limits.document_bytes, where=where, member=member)
    batches = lines(from_start, limit=limits.line_bytes, where=where, member=member)
    if start == b"{":
        return objects.json_lines(batches, asked, member)
    return _csv(batches, asked, member)


def _csv(batches: Iterator[Batch | BadRow], asked: Asked, member: str | None) -> tuple[Layout, Rows]:
    number, found = heads.first_line(batches)
    if found[0].startswith("#"):
        heads.check_version(found[0])
        number, found = heads.first_line(batches, (number + 1, found[1:]))
    header = found[0]
    columns = _cells(header)
    if columns is None:
        raise NotThisLayout(f"line {number} opens a quote and does not close it")
    if len(columns) == 1 and (mark := next((mark for mark in _OTHER_SEPARATORS if mark in header), None)):
        raise NotThisLayout(f"its columns are separated by {mark!r}: save it with commas and decimal points")
    if not all(_NUMBER.fullmatch(name) for name in columns):
        layout = shapes.decide(heads.names(columns), asked, text="csv")
        return layout, _rows((number + 1, found[1:]), batches, layout, member)
    headerless = shapes.headerless(len(columns), asked)
    if headerless is None:
        raise NotThisLayout(f"line {number} should name the columns, and holds only numbers")
    return headerless, _rows((number, found), batches, headerless, member)


def _rows(begun: Batch, batches: Iterator[Batch | BadRow], layout: Layout, member: str | None) -> Rows:
    read, many, width = layout.read, layout.read_many, len(layout.columns)
    batch: Batch | BadRow | None = begun
    while batch is not None:
        if isinstance(batch, BadRow):
            yield batch
            batch = next(batches, None)
            continue
        if many is not None and len(batch[1]) > 1 and '"' not in "".join(batch[1]):
            together = many(*batch)
            if together is not None:
                yield from together
                batch = next(batches, None)
                continue
        number = batch[0] - 1
        for line in batch[1]:
            number += 1
            cells = _cells(line) if '"' in line else line.split(",")
            if cells is not None and len(cells) == width:
                try:
                    row = read(number, cells)
                except BadNumber as error:
                    yield BadRow(number, member, str(error))
                else:
                    yield row
            elif cells is None:
                yield BadRow(number, member, "it opens a quote and does not close it on its line")
            elif line.strip():
                yield BadRow(number, member, f"it has {len(cells)} cells where there are {width} columns")
        batch = next(batches, None)


def _cells(line: str) -> list[str] | None:
    """The cells of one line; None when a quote stays open."""
    try:
        return next(csv.reader((line,), strict=True), [])
    except csv.Error:
        return None
