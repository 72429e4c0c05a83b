"""What a backfill would cost: never "complete" where nothing is known."""

import pytest

from fundwatch.collector.doors.door import Estimate
from fundwatch.tui.backfill.costs import NOTHING, Askable, rows, total
from fundwatch.tui.tables.columns import Cell

LIGHTER, ASTER = Askable("lighter"), Askable("aster")


def texts(one: Askable, cost: Estimate | None, *taken: str) -> list[str]:
    (row,) = rows([one], taken, {} if cost is None else {one.name: cost})
    return [cell.text if isinstance(cell, Cell) else cell for cell in row.cells]


@pytest.mark.parametrize(
    ("one", "cost", "shown"),
    [
        pytest.param(LIGHTER, Estimate(1210, 252.0), ["[x]", "lighter", "1,210", "4 min"], id="holes"),
        pytest.param(LIGHTER, Estimate(3, 0.2), ["[x]", "lighter", "3", "<1 s"], id="little"),
        pytest.param(LIGHTER, Estimate(0, 0.0), ["[x]", "lighter", "0", "complete"], id="complete"),
        pytest.param(
            Askable("lighter", known=False),
            Estimate(0, 0.0),
            ["[x]", "lighter", "0", "no market yet"],
            id="nothing is known",
        ),
        pytest.param(LIGHTER, None, ["[x]", "lighter", "-", "-"], id="not answered"),
        pytest.param(Askable("lighter", "paused"), None, ["", "lighter", "-", "paused"], id="barred"),
    ],
)
def test_a_line_says_what_one_exchange_takes(one: Askable, cost: Estimate | None, shown: list[str]) -> None:
    assert texts(one, cost, "lighter") == shown


def test_what_is_left_out_has_an_empty_box() -> None:
    assert texts(ASTER, None)[0] == "[ ]"


def test_exchanges_are_asked_side_by_side_so_the_longest_counts() -> None:
    costs = {"lighter": Estimate(210, 252.0), "aster": Estimate(1, 9.0)}
    assert total(["lighter", "aster"], costs) == "211 requests, about 4 min at the exchanges' budgets."
    assert total(["aster"], costs) == "1 request, about 9 s at the exchanges' budgets."


def test_a_moment_is_not_called_nothing() -> None:
    assert total(["aster"], {"aster": Estimate(2, 0.3)}).startswith("2 requests, less than a second")


def test_nothing_missing_and_nothing_known_are_two_things() -> None:
    assert total(["aster"], {"aster": Estimate(0, 0.0)}) == NOTHING
    assert total(["aster"], {}) == ""
