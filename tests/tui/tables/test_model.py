import math

import pytest

from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.tables.model import TableModel

COLUMNS = [
    Column("asset", "asset", 8, sort_key=str.casefold),
    Column("apr", "APR %", 8, "right"),
    Column("size", "size", 8, "right", sort_key=abs),
]


def row(key: str, apr: float | None = 0.0, size: float | None = 0.0) -> Row:
    return Row(key, (Cell(key, "bold"), f"{apr}", f"{size}"), (key, apr, size))


def model(*rows: Row) -> TableModel:
    table = TableModel(COLUMNS)
    table.replace(rows)
    table.arrange()
    return table


def order(table: TableModel, by: str | None = None, descending: bool = False) -> list[object]:
    table.sorted_by, table.descending = by, descending
    table.arrange()
    return [row.key for row in table.visible]


def test_rows_keep_the_order_they_came_in() -> None:
    assert order(model(row("B"), row("A"))) == ["B", "A"]


@pytest.mark.parametrize("unknown", [None, math.nan])
def test_unknown_values_sort_last_in_both_directions(unknown: float | None) -> None:
    table = model(row("A", unknown), row("B", -5), row("C", 3))
    assert order(table, "apr") == ["B", "C", "A"]
    assert order(table, "apr", descending=True) == ["C", "B", "A"]


def test_equal_values_keep_the_order_they_came_in_in_both_directions() -> None:
    table = model(row("B", 1), row("A", 1), row("C", 2))
    assert order(table, "apr") == ["B", "A", "C"]
    assert order(table, "apr", descending=True) == ["C", "B", "A"]


def test_a_column_can_sort_by_something_made_of_its_value() -> None:
    assert order(model(row("b"), row("A"), row("C")), "asset") == ["A", "b", "C"]
    table = model(row("A", size=-9), row("B", size=3), row("C", size=None))
    assert order(table, "size", descending=True) == ["A", "B", "C"]


def test_rows_without_sort_values_keep_their_order_at_the_end() -> None:
    table = model(Row("X", ("X", "", "")), row("A", 2), row("B", 1))
    assert order(table, "apr") == ["B", "A", "X"]


def test_rank_comes_before_the_sort() -> None:
    table = model(row("A", 1), row("B", 2), row("C", 3), row("D", 4))
    table.rank = lambda row: {"C": 0, "B": 0, "D": 2}.get(str(row.key), 1)
    assert order(table, "apr", descending=True) == ["C", "B", "A", "D"]


def test_words_of_a_filter_must_all_occur_in_any_case_and_order() -> None:
    table = model(row("Ethereum classic"), row("Ethereum"), row("Bitcoin"))
    table.filter = "CLASSIC ether"
    assert order(table) == ["Ethereum classic"]
    table.filter = "  "
    assert len(order(table)) == 3


def test_a_filter_looks_at_words_not_at_numbers() -> None:
    table = model(row("A", 10.95), row("B10", 1))
    table.filter = "10"
    assert order(table) == ["B10"]


def test_a_filter_can_be_a_function() -> None:
    table = model(row("A", 1), row("B", 2))
    table.filter = lambda row: row.value(1) > 1
    assert order(table) == ["B"]
    assert table.holds("A")
    assert not table.holds("X")


def test_rows_that_do_not_match_the_columns_are_refused() -> None:
    table = TableModel(COLUMNS)
    with pytest.raises(ValueError, match=r"\[2\] cells in a table of 3"):
        table.replace([Row("A", ("A", "1"))])


def test_of_two_rows_with_one_key_the_upper_answers_to_it() -> None:
    table = model(row("A"), row("B", 1), row("B", 2))
    assert table.position("B") == 1
    assert len(table.visible) == 3


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(KeyError, match="nothing"):
        TableModel(COLUMNS).index("nothing")


def test_other_columns_keep_the_sort_only_if_they_have_it() -> None:
    table = model(row("A"))
    table.sorted_by, table.descending = "apr", True
    table.set_columns(COLUMNS[:2])
    assert table.sorted_by == "apr"
    assert table.descending
    table.set_columns([COLUMNS[0], COLUMNS[2]])
    table.arrange()
    assert [table.sorted_by] == [None]


def test_amended_cells_are_there_now_and_after_the_next_sort() -> None:
    table = model(row("BTC", 2), row("ETH", 1))
    table.amend("size", {"ETH": "7.0", "gone": "8.0"})
    assert [r.cells[2] for r in table.visible] == ["0.0", "7.0"]
    assert order(table, "apr") == ["ETH", "BTC"]
    assert table.visible[0].cells[2] == "7.0"
