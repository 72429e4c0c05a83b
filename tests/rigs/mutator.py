"""Answers of an exchange, damaged where it hurts: the mutator knows what JSON is and what venues send in it.

    Mutator(seed).mutate(body)

gives another body each time, and the same ones again for the same seed and bodies. Most mutations reach
into the document (a field, a row, a whole column, a list); the others damage its bytes.
"""

import json
import random
from collections.abc import Callable
from copy import copy
from math import isfinite
from typing import Any, NamedTuple

from tests.acceptance import hostile

MANY_ROWS = 20
_BYTES_SHARE = 0.15
_COLUMN_SHARE = 0.3
_DEEP = 100_000

_NUMBERS: tuple[Any, ...] = (
    "NaN", "nan", "Infinity", "-Infinity", "inf", "1e999", "-1e999", "1e400", "", " ", "-", ".", "+.5",
    "0x10", "1_000", "1,000", "1 000", "١٢", "１２", "²", "0.0001%", "0,5", "1e-5", "1E+2", "5.", "--1",
    "9" * 5000, None, True, False, [], {}, [0.0001], {"value": "0.0001"}, 0, -0.0, "0", "-0", 1, -1, 0.5,
    "0.5", 5, -5, 1e308, -1e308, 5e-324, 2**31, 2**63, -(2**63) - 1, 2**64, 10**30,
)  # fmt: skip
_BARE = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e999",
    "9" * 5000,
    "0123",
    "1.",
    "+1",
    "'1'",
    "undefined",
)
"""Words that stand in the document without quotation marks."""

_STAMPS = (
    0,
    -1,
    1,
    1_795_176_000,
    1_795_176_000_000,
    1_700_000_000,
    253_402_300_800,
    1_700_380_800_000_000,
    2**53,
)
_SHIFTS = (11, -11, 59, -59, 61, -61, 600, 900, 1000, 3599, 3600, 7200, 86_400, 100 * 86_400)
_WORDS = ("active", "TRADING", "short", "long", "", "null", "BTC", "lighter", "PERP", "settled", "Special")
_SYMBOLS = (*hostile.EVERY, "=cmd", "a" * 65, "A" * 1_000_000, "%00", "btc", "BTC ", "\ud800", "BTC\udfff")


class Mutation(NamedTuple):
    """`what` names the damage for a report."""

    what: str
    body: bytes


class Mutator:
    def __init__(self, seed: float | str) -> None:
        self._chance = random.Random(seed)
        self._tokens: dict[str, str] = {}

    def mutate(self, body: bytes) -> Mutation:
        """`body`, a JSON document, with one to three things wrong in it."""
        if self._chance.random() < _BYTES_SHARE:
            what, damaged = self._damaged(body)
            return Mutation(what, damaged)
        try:
            tree = json.loads(body)
        except ValueError:
            return Mutation("not JSON already", body)
        self._tokens = {}
        done = [self._once(tree) for _ in range(self._chance.choice((1, 1, 1, 2, 3)))]
        return Mutation(", ".join(done), self._written(tree))

    # Inside the document

    def _once(self, tree: Any) -> str:
        trail = self._trail(tree)
        if not trail:
            return "nothing to mutate"
        holder, key = trail[-1]
        if self._chance.random() < 0.4:
            return self._reshaped(holder, key)
        name, change = self._change_for(key, holder[key])
        rows = self._column(trail) if self._chance.random() < _COLUMN_SHARE else None
        if rows:
            for row in rows:
                row[key] = change(row[key])
            return f"{name} in all {key!r}"
        holder[key] = change(holder[key])
        return f"{name} in {key!r}"

    def _trail(self, tree: Any) -> list[tuple[Any, Any]]:
        """A random way down: the holder and the key of each step."""
        trail: list[tuple[Any, Any]] = []
        node = tree
        while isinstance(node, dict | list) and node and (not trail or self._chance.random() < 0.9):
            keys = list(node) if isinstance(node, dict) else range(len(node))
            larger = [key for key in keys if isinstance(node[key], dict | list)]
            key = self._chance.choice(larger if larger and self._chance.random() < 0.6 else keys)
            trail.append((node, key))
            node = node[key]
        return trail

    def _column(self, trail: list[tuple[Any, Any]]) -> list[Any] | None:
        """The neighbours of the row at the end of `trail` that have the same field."""
        if len(trail) < 2:
            return None
        (holder, _), (_, key) = trail[-2:]
        if not isinstance(holder, list):
            return None
        rows = holder if self._chance.random() < 0.5 else self._chance.sample(holder, (len(holder) + 1) // 2)
        return [row for row in rows if _has(row, key)]

    def _change_for(self, key: Any, value: Any) -> tuple[str, Callable[[Any], Any]]:
        """A change that fits what stands there, or, one time in three, any change."""
        kinds = [self._another_number, self._bare_word, self._another_word]
        if self._chance.random() < 0.67:
            if _is_stamp(value):
                kinds = [self._another_stamp]
            elif _number_of(value) is not None:
                kinds = [self._another_number, self._bare_word, self._scaled]
            elif isinstance(value, str):
                kinds = [self._another_word]
        return self._chance.choice(kinds)()

    def _another_number(self) -> tuple[str, Callable[[Any], Any]]:
        new = self._chance.choice(_NUMBERS)
        return f"{str(new)[:12]!r}", lambda _: copy(new)

    def _bare_word(self) -> tuple[str, Callable[[Any], Any]]:
        word = self._chance.choice(_BARE)
        return f"bare {word[:12]}", lambda _: self._token(word)

    def _another_word(self) -> tuple[str, Callable[[Any], Any]]:
        new = self._chance.choice(_SYMBOLS if self._chance.random() < 0.8 else _WORDS)
        return f"{new[:12]!r}", lambda _: new

    def _scaled(self) -> tuple[str, Callable[[Any], Any]]:
        factor = self._chance.choice((-1, 100, -100, 0.01, 8, 24, 1000, 1e6, 1e300))

        def scale(value: Any) -> Any:
            number = _number_of(value)
            if number is None:
                return value
            return repr(number * factor) if isinstance(value, str) else number * factor

        return f"times {factor:g}", scale

    def _another_stamp(self) -> tuple[str, Callable[[Any], Any]]:
        shift, stamp = self._chance.choice(_SHIFTS), self._chance.choice(_STAMPS)
        factor = self._chance.choice((0.001, 1000, 1e6))
        how = self._chance.randrange(4)

        def change(value: Any) -> Any:
            number = _number_of(value)
            if number is None or how == 0:
                new: float = stamp
            elif how == 1:
                new = number * factor
            else:
                new = number + shift * (1000 if number > 1e11 else 1)
            if how == 3 or isinstance(value, str):
                return f"{new:.0f}"
            return int(new) if isfinite(new) else new

        return ("another stamp", f"stamp times {factor:g}", f"stamp {shift:+} s", f"stamp text {shift:+} s")[
            how
        ], change

    def _reshaped(self, holder: Any, key: Any) -> str:
        value = holder[key]
        ways = ["delete", "swap type", "wrap"]
        ways += ["rename", "duplicate key", "extra field"] if isinstance(holder, dict) else ["duplicate row"]
        if isinstance(value, list) and len(value) > 1:
            ways += ["shuffle", "truncate", "double", "empty", "many"]
        way = self._chance.choice(ways)
        if way == "delete":
            del holder[key]
        elif way == "swap type":
            holder[key] = (
                list(value.items())
                if isinstance(value, dict)
                else dict(enumerate(value))
                if isinstance(value, list)
                else [value]
            )
        elif way == "wrap":
            holder[key] = self._chance.choice(([value], {"data": value}, json.dumps(value)))
        elif way == "rename":
            holder[
                self._chance.choice((f"{key}Value", f"{key}".upper(), f"{key}".capitalize(), f" {key}"))
            ] = holder.pop(key)
        elif way == "duplicate key":
            again = self._token(json.dumps(f"{key}")[1:-1])
            holder[again] = self._chance.choice((value, None, "0.0001", -1, []))
        elif way == "extra field":
            holder[self._chance.choice(("extra", "", "__class__", *hostile.MARKUP))] = value
        elif way == "duplicate row":
            self._repeat(holder, key)
        elif way == "shuffle":
            self._chance.shuffle(value)
        elif way == "truncate":
            del value[self._chance.randrange(len(value)) :]
        elif way == "empty":
            value.clear()
        elif way == "double":
            value += value[:]
        else:
            value *= MANY_ROWS
        return f"{way} {str(key)[:20]!r}"

    def _repeat(self, rows: list[Any], at: int) -> None:
        """A second row like the one at `at`: the same, or with one value from its neighbour."""
        again = rows[at]
        if isinstance(again, dict) and again:
            other = rows[self._chance.randrange(len(rows))]
            field = self._chance.choice(list(again))
            again = again | ({field: other[field]} if _has(other, field) else {field: "0.0002"})
        rows.insert(self._chance.choice((at, at + 1, len(rows))), again)

    def _token(self, word: str) -> str:
        """A text that `_written` replaces by the bare `word`."""
        mark = f"@{len(self._tokens)}@"
        self._tokens[mark] = word
        return mark

    def _written(self, tree: Any) -> bytes:
        ascii_only = self._chance.random() < 0.5
        spaced = None if self._chance.random() < 0.1 else (",", ":")
        text = json.dumps(tree, ensure_ascii=ascii_only, separators=spaced)
        for mark, word in self._tokens.items():
            text = text.replace(f'"{mark}":', f'"{word}":').replace(f'"{mark}"', word)
        return text.encode("utf-8", "surrogatepass")

    # The bytes of the document

    def _damaged(self, body: bytes) -> tuple[str, bytes]:
        chance, at = self._chance, self._chance.randrange(len(body) + 1)
        deep = chance.choice((b"[", b'{"a":', b"[[[["))
        ways: dict[str, Callable[[], bytes]] = {
            "cut": lambda: body[:at],
            "a byte gone": lambda: body[:at] + body[at + 1 :],
            "a byte changed": lambda: body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :],
            "a piece gone": lambda: body[:at] + body[at + chance.randrange(200) :],
            "a piece twice": lambda: body[: at + chance.randrange(200)] + body[at:],
            "byte order mark": lambda: b"\xef\xbb\xbf" + body,
            "two byte order marks": lambda: b"\xef\xbb\xbf" * 2 + body,
            "UTF-16": lambda: body.decode("utf-8", "replace").encode("utf-16"),
            "latin-1": lambda: body.replace(b'":"', '":"é'.encode("latin-1"), chance.randrange(1, 9)),
            "more behind it": lambda: body + chance.choice((b"x", b"{}", b"\x00", b"\n\n", body)),
            "more before it": lambda: chance.choice((b"x", b"\x00", b"  \n", b")]}',\n", b"//\n")) + body,
            "another document": lambda: chance.choice(_DOCUMENTS),
            "very deep": lambda: deep * _DEEP + (b"1" if chance.random() < 0.5 else b""),
            "deep and whole": lambda: b"[" * _DEEP + b"]" * _DEEP,
            "deep inside": lambda: body[:-1] + b',"x":' + b"[" * _DEEP + b"]" * _DEEP + body[-1:],
            "single quotes": lambda: body.replace(b'"', b"'"),
            "a comma too many": lambda: body[:-1] + b"," + body[-1:],
        }
        what = chance.choice(list(ways))
        return what, ways[what]()


_DOCUMENTS = (
    b"", b" ", b"null", b"true", b"0", b'""', b"[]", b"{}", b"[[]]", b"[{}]", b"[null]", b"[null,null]",
    b'["a"]', b"[[],[]]", b"[{},{}]", b'{"data":[]}', b'{"data":{}}', b'{"results":null}', b'{"code":200}',
    b"NaN", b'{"code":-1003,"msg":"Too many requests"}', b'{"code":23000,"message":"Too Many Requests!"}',
    b'{"status":"ERROR","error":{"code":1,"message":"\\u001b[2J"}}', b"<html>Just a moment...</html>",
    b'{"error":"MAINTENANCE","message":"back soon"}', b"\xff\xfe", b"\x00" * 1000,
)  # fmt: skip


def _has(row: Any, key: Any) -> bool:
    return (isinstance(row, dict) and key in row) or (
        isinstance(row, list) and isinstance(key, int) and key < len(row)
    )


def _number_of(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _is_stamp(value: Any) -> bool:
    number = _number_of(value)
    return number is not None and 1.2e9 < number < 5e12
