import math
import re
from typing import Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fundwatch.exchanges.decode import BadNumber, Number, bounded, envelope, number, optional, positive, rows
from fundwatch.exchanges.errors import Drift


class Row(msgspec.Struct):
    symbol: str
    rate: Number = None
    kind: Literal["PERP"] = "PERP"


class Page(msgspec.Struct):
    data: list[msgspec.Raw]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.0001", 0.0001),
        ("-0.00022196", -0.00022196),
        ("+1", 1.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-5", 1e-5),
        ("1E+2", 100.0),
        ("0", 0.0),
        (7, 7.0),
        (-1.25e-5, -1.25e-5),
        (2**63, 2.0**63),
    ],
)
def test_decimals_and_numbers_are_read(value: object, expected: float) -> None:
    assert number(value, "rate") == expected


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "nan",
        "Infinity",
        "-inf",
        "1_000",
        "1,000",
        "١٢",
        "１２",
        " 1",
        "1 ",
        "1\n",
        "0x10",
        "--1",
        "1e",
        "e5",
        *(".", "+", "1.2.3", "1e9999", "1e999", "0.0001%", "null", "9" * 81),
        *(math.nan, math.inf, -math.inf, True, False, [], {}, [1], b"1", 10**400),
    ],
)
def test_what_is_no_finite_number_is_bad(value: object) -> None:
    with pytest.raises(BadNumber, match="rate is not"):
        number(value, "rate")
    assert optional(value) is None
    assert positive(value) is None


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_number_is_none_not_zero(value: object) -> None:
    with pytest.raises(BadNumber, match="rate is missing"):
        number(value, "rate")
    assert optional(value) is None
    assert positive(value) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_survives_its_way_as_text(value: float) -> None:
    assert number(repr(value), "rate") == value


@given(st.text(max_size=30))
@example("1e308")
@example("1e309")
@example("٠.٠")
def test_no_text_ever_becomes_anything_but_a_finite_number_or_an_error(text: str) -> None:
    try:
        result = number(text, "rate")
    except BadNumber as error:
        assert str(error).startswith("rate is ")  # noqa: PT017
    else:
        assert math.isfinite(result)
        assert text.isascii()


@pytest.mark.parametrize(("value", "expected"), [("0", None), ("-1", None), (0, None), ("0.5", 0.5)])
def test_a_price_is_above_zero_or_unknown(value: object, expected: float | None) -> None:
    assert positive(value) == expected
    assert optional("-1") == -1


@pytest.mark.parametrize("rate", [0.0, 0.1, -0.1, 0.05, -1e-9])
def test_real_extremes_are_kept(rate: float) -> None:
    assert bounded(rate) == rate


@pytest.mark.parametrize("rate", [0.1000001, -0.5, 5.0, math.inf, -math.inf, math.nan])
def test_absurd_rates_are_refused(rate: float) -> None:
    with pytest.raises(BadNumber, match="absurd"):
        bounded(rate)


def test_one_bad_row_costs_one_row() -> None:
    page = envelope(
        b'{"data":[{"symbol":"A","rate":"1"},{"rate":2},{"symbol":7},[],{"symbol":"B","kind":"SPOT"},'
        b'{"symbol":"\xfc"},{"symbol":"C","rate":1e999},{"symbol":"D","rate":[]},{"symbol":"E","more":{}}]}',
        Page,
    )
    taken = list(rows(page.data, Row))
    assert [row.symbol for row in taken if isinstance(row, Row)] == ["A", "E"]
    reasons = [row for row in taken if isinstance(row, str)]
    assert len(reasons) == 7
    assert all(reason.startswith("unreadable row: ") for reason in reasons)
    assert "symbol" in reasons[0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"data":{}}',
        b'{"data":null}',
        b'{"Data":[]}',
        b'{"data":[',
        b'{"data":NaN}',
        b"[" * 100_000,
        b'{"data":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b"\xff\xfe{\x00",
        b'{"data":[]} {"data":[]}',
    ],
)
def test_a_wrong_envelope_is_drift(body: bytes) -> None:
    with pytest.raises(Drift, match="not in the documented shape"):
        envelope(body, Page)


def test_more_fields_than_documented_are_fine() -> None:
    assert envelope(b'{"new":[1],"data":[],"also":{"x":1e999}}', Page).data == []


@pytest.mark.parametrize(
    "row",
    [
        b'{"symbol":"A","rate":"1","rate":"2"}',
        b'{"rate":"1","symbol":"A","rate":"1"}',
        b'{"symbol":"A" , "rate" : 1, "symbol" : "B"}',
        b'{"symbol":"A","rate":"1","r\\u0061te":"2"}',
        b'{"symbol":"A","rate":"1","rate":' + b"9" * 5000 + b"}",
    ],
)
def test_a_row_that_says_a_thing_twice_is_refused(row: bytes) -> None:
    (reason,) = rows([msgspec.Raw(row)], Row)
    assert isinstance(reason, str)
    assert re.fullmatch(r"unreadable row: (rate|symbol) is in it twice", reason) or b"999" in row


@pytest.mark.parametrize(
    "row",
    [
        b'{"symbol":"rate","rate":"1"}',
        b'{"symbol":"A","rate":"1","more":{"rate":"2","symbol":"B"}}',
        b'{"symbol":"A","rate":"1","more":"\\u0022rate\\u0022","and":["rate","rate"]}',
        b'{"symbol":"A","rate":"1","new":1,"new":2}',
    ],
)
def test_a_row_that_only_looks_as_if_it_said_a_thing_twice_is_taken(row: bytes) -> None:
    (taken,) = rows([msgspec.Raw(row)], Row)
    assert isinstance(taken, Row)
    assert taken.rate == "1"


def test_an_answer_with_two_lists_of_rows_is_drift() -> None:
    with pytest.raises(Drift, match="data is in it twice"):
        envelope(b'{"data":[1],"data":[]}', Page)
    assert len(envelope(b'{"data":[{"data":1},{"data":2}]}', Page).data) == 2


def test_an_integer_of_thousands_of_digits_is_refused() -> None:
    huge = b"9" * 5000
    (reason,) = rows([msgspec.Raw(b'{"symbol":"A","rate":' + huge + b"}")], Row)
    assert isinstance(reason, str)
    (row,) = rows([msgspec.Raw(b'{"symbol":"A","rate":"' + huge + b'"}')], Row)
    assert isinstance(row, Row)
    assert optional(row.rate) is None


def test_outside_text_in_a_reason_is_cleaned() -> None:
    hostile = b'{"symbol":"A","kind":"\\u001b]52;c;x\\u0007\\u202e' + b"y" * 5000 + b'"}'
    (reason,) = rows([msgspec.Raw(hostile)], Row)
    assert isinstance(reason, str)
    assert reason.isprintable()
    assert len(reason) < 200
    with pytest.raises(Drift) as caught:
        envelope(hostile, Row)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 250


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_drift(body: bytes) -> None:
    try:
        envelope(body, Page)
    except Drift as error:
        assert error.message.isprintable()  # noqa: PT017
