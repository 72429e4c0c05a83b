"""Rows from JSON: one object on each line, or one array of objects."""

import json
import re
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any

import msgspec

from fundwatch.exchanges.decode import BadNumber
from fundwatch.exports.columns import UNITS_MARK
from fundwatch.imports import heads, shapes
from fundwatch.imports.archive import Read
from fundwatch.imports.asked import Asked
from fundwatch.imports.cells import shown
from fundwatch.imports.layouts import Layout
from fundwatch.imports.lines import BLOCK_BYTES, Batch
from fundwatch.imports.rows import BadRow, FileRefused, ImportedRow, NotThisLayout
from fundwatch.text import clean

Rows = Iterator[ImportedRow | BadRow]
Object = dict[str, Any]
Record = tuple[int, str | bytes] | BadRow

_NAME_END = re.compile(r'"\s*:', re.ASCII)

_decode = msgspec.json.Decoder(Object).decode


class NotAnObject(ValueError):
    """A line or element that is no JSON object with each name once; the message is for a person."""


def json_lines(batches: Iterator[Batch | BadRow], asked: Asked, member: str | None) -> tuple[Layout, Rows]:
    """Layout and rows of JSON lines. Raises `NotThisLayout`."""
    begun = heads.first_line(batches)
    head = _head(begun)
    if "fundwatch" in head:
        heads.check_version(f"{UNITS_MARK} version {head.get('version')}")
        begun = heads.first_line(batches, (begun[0] + 1, begun[1][1:]))
        head = _head(begun)
    return _rows(head, _records(begun, batches), asked, member)


def _head(begun: Batch) -> Object:
    try:
        return _object(begun[1][0])
    except NotAnObject as error:
        raise NotThisLayout(f"line {begun[0]} {error}: write one whole object on each line") from None


def _records(begun: Batch, batches: Iterator[Batch | BadRow]) -> Iterator[Record]:
    batch: Batch | BadRow | None = begun
    while batch is not None:
        if isinstance(batch, BadRow):
            yield batch
        else:
            yield from enumerate(batch[1], batch[0])
        batch = next(batches, None)


class _Answer(msgspec.Struct):
    results: list[msgspec.Raw] = []


def document(read: Read, asked: Asked, limit: int, *, where: str, member: str | None) -> tuple[Layout, Rows]:
    """Layout and rows of a JSON array of objects, or of arrays under `results`, as D1's wrangler prints.

    `limit` (bytes) bounds it, as it is read at once. A row's line is its number in the array. Raises
    `FileRefused` and `NotThisLayout`.
    """
    body = bytearray()
    while data := read(BLOCK_BYTES):
        body += data
        if len(body) > limit:
            raise FileRefused(
                f"{where} is one JSON array of more than {limit / 1024**2:.0f} MB: make JSON lines of it, "
                "for example with `jq -c '.[]'`"
            )
    try:
        elements = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"), type=list[msgspec.Raw])
        if elements and b'"results"' in bytes(elements[0])[:200]:
            answers = (msgspec.json.decode(element, type=_Answer) for element in elements)
            elements = [row for answer in answers for row in answer.results]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise FileRefused(f"{where} is no JSON array of objects ({clean(str(error), 80)})") from None
    if not elements:
        raise NotThisLayout("it holds no rows")
    try:
        head = _object(bytes(elements[0]))
    except NotAnObject as error:
        raise NotThisLayout(f"its first element {error}") from None
    return _rows(head, enumerate(map(bytes, elements), 1), asked, member)


def _rows(head: Object, records: Iterable[Record], asked: Asked, member: str | None) -> tuple[Layout, Rows]:
    layout = shapes.decide(heads.names(head), asked, text="jsonl")
    return layout, _each(tuple(head), records, layout, member)


def _each(keys: tuple[str, ...], records: Iterable[Record], layout: Layout, member: str | None) -> Rows:
    read, width = layout.read, len(keys)
    of_all = itemgetter(*keys) if width > 1 else lambda found: (found[keys[0]],)
    known = frozenset(keys)
    for record in records:
        if isinstance(record, BadRow):
            yield record
            continue
        number, text = record
        if not text or text.isspace():
            continue
        try:
            found = _object(text)
            if found.keys() == known:
                cells = of_all(found)
            else:
                if strange := found.keys() - known:
                    raise NotAnObject(f"has {shown(min(strange))}, which the first row has not")
                cells = tuple(found.get(key) for key in keys)
            row = read(number, cells)
        except NotAnObject as error:
            yield BadRow(number, member, f"it {error}")
        except BadNumber as error:
            yield BadRow(number, member, str(error))
        else:
            yield row


def _object(text: str | bytes) -> Object:
    try:
        found = _decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
        raise NotAnObject(f"is no JSON object ({clean(str(error), 80)})") from None
    colons = text.count(":") if isinstance(text, str) else text.count(b":")
    if colons != len(found) and _has_a_name_twice(text, len(found)):
        raise NotAnObject("has a name twice")
    return found


def _has_a_name_twice(text: str | bytes, names: int) -> bool:
    """Asked only where colons stand elsewhere too; the second look only where they follow a quote."""
    line = text if isinstance(text, str) else text.decode()
    if len(_NAME_END.findall(line)) == names:
        return False
    twice = False

    def pairs(found: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len({name for name, _ in found}) != len(found)

    try:
        json.loads(line, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return True
    return twice
