"""What a backfill would cost, exchange by exchange, before it starts."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from fundwatch.collector.doors.door import Estimate
from fundwatch.storage.queries import ExchangeRow
from fundwatch.text import age
from fundwatch.tui.rows.run_words import counted
from fundwatch.tui.rows.tracker_rows import publishes_none
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.words import MISSING

COLUMNS = (
    Column("taken", "", 3, sortable=False),
    Column("exchange", "exchange", 12, sortable=False),
    Column("requests", "requests", 10, "right", sortable=False),
    Column("time", "takes about", 16, "right", sortable=False),
)
NOTHING = "Nothing is missing in this range."


class Askable(NamedTuple):
    """An exchange; `barred` says why it cannot be asked, "" where it can. `known` is whether it has
    markets by now: without any nothing can be missing, nor complete."""

    name: str
    barred: str = ""
    known: bool = True


def askable(snapshot: Snapshot) -> list[Askable]:
    """The enabled exchanges."""
    return [
        Askable(one.exchange, _barred(one.health, snapshot.exchanges.get(one.exchange)), bool(one.markets))
        for one in snapshot.status.counted
    ]


def _barred(health: str, row: ExchangeRow | None) -> str:
    if publishes_none(row):
        return "publishes none"
    return "paused" if health == "paused" else ""


def rows(exchanges: Sequence[Askable], taken: Collection[str], costs: Mapping[str, Estimate]) -> list[Row]:
    """One row for each exchange; the key is its name."""
    return [
        Row(
            one.name,
            (
                "" if one.barred else "[x]" if one.name in taken else "[ ]",
                one.name,
                *_cost(one, costs.get(one.name)),
            ),
            style="" if one.name in taken else "muted",
        )
        for one in exchanges
    ]


def _cost(one: Askable, cost: Estimate | None) -> tuple[Cell, Cell]:
    if one.barred:
        return MISSING, Cell(one.barred)
    if cost is None:
        return MISSING, MISSING
    if not cost.requests:
        return Cell("0"), Cell("complete" if one.known else "no market yet")
    return Cell(f"{cost.requests:,}"), Cell(_duration(cost.seconds))


def total(taken: Sequence[str], costs: Mapping[str, Estimate]) -> str:
    """All of it in a sentence; "" while nothing is known."""
    known = [costs[name] for name in taken if name in costs]
    if not known:
        return ""
    requests = sum(cost.requests for cost in known)
    if not requests:
        return NOTHING
    longest = max(cost.seconds for cost in known)
    takes = f"about {age(longest)}" if longest >= 1 else "less than a second"
    return f"{counted(requests, 'request')}, {takes} at the exchanges' budgets."


def _duration(seconds: float) -> str:
    return age(seconds) if seconds >= 1 else "<1 s"
