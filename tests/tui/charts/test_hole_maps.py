"""How many hours a screen shows, and what stands above them."""

import pytest

from fundwatch.models import HOUR
from fundwatch.tui.charts.bars import Span, hour_ruler
from fundwatch.tui.charts.hole_maps import hours_shown
from fundwatch.tui.words import Words

NOON = 1_795_176_000
"""2026-11-20 12:00 UTC."""


def text(spans: list[Span]) -> str:
    return "".join(part for part, _ in spans)


@pytest.mark.parametrize(
    ("width", "hours"), [(40, 24), (60, 24), (80, 48), (120, 72), (200, 168), (400, 168)]
)
def test_whole_days_are_shown(width: int, hours: int) -> None:
    assert hours_shown(width) == hours


def test_the_ruler_marks_days_by_their_date_and_quarters_by_their_hour() -> None:
    assert text(hour_ruler(NOON + 3 * HOUR, 30, Words())) == "  12    18    11-20 06    12  "
    assert [style for part, style in hour_ruler(NOON, 24, Words()) if part == "11-20"] == ["accent"]


def test_the_label_stands_above_the_payments_of_its_hour() -> None:
    width = 24
    ruler = text(hour_ruler(NOON + 3 * HOUR, width, Words()))
    newest = NOON + 3 * HOUR
    for hour in (6, 12):
        cell = ruler.index(f"{hour:02}")
        assert newest - (width - 1 - cell) * HOUR == NOON - NOON % (24 * HOUR) + hour * HOUR


@pytest.mark.parametrize("width", [0, 1, 4, 13, 48, 168])
def test_the_ruler_is_exactly_as_wide_as_its_hours(width: int) -> None:
    for shift in range(24):
        assert len(text(hour_ruler(NOON + shift * HOUR, width, Words()))) == width
