"""The columns of an exported settlement: their names, order and units. Import reads them back."""

from typing import NamedTuple

VERSION = 1
"""Of the columns' meaning: it rises when a name stays and its unit does not."""


class Column(NamedTuple):
    """`unit` is for a person and for the file's first line; `text` cells are guarded in CSV."""

    name: str
    unit: str
    text: bool = False


DEMO_SOURCE = "demo"
"""The source of rows that were simulated."""

COLUMNS = (
    Column("exchange", "its lower-case name", text=True),
    Column("symbol", "as the exchange writes it", text=True),
    Column("asset", "what the market is about", text=True),
    Column("asset_class", "crypto equity index commodity fx prelaunch unknown", text=True),
    Column("funding_time", "UTC seconds, the end of the interval on the full hour"),
    Column("funding_time_iso", "the same as ISO 8601", text=True),
    Column("kind", "regular or special", text=True),
    Column("rate", "fraction of notional for the whole interval, positive when longs pay"),
    Column("interval_hours", "hours that the payment covers, 0 for a special one, empty when unknown"),
    Column("hourly_rate", "rate / interval_hours"),
    Column("apr_percent", "hourly_rate x 8760 x 100"),
    Column("payment_usd", "what one base unit paid in USD, signed like the rate"),
    Column("source", "exchange, import or recorded; demo for simulated rows", text=True),
)

NAMES = tuple(column.name for column in COLUMNS)

NEEDED = frozenset({"exchange", "symbol", "funding_time", "kind", "rate", "interval_hours", "source"})
"""What a file must have to be read back as one of ours; the rest can be derived or is not known."""

UNITS_MARK = "fundwatch settlements"

UNITS_LINE = (
    f"# {UNITS_MARK}, version {VERSION}: funding_time in UTC seconds; rate is the signed fraction for the "
    "whole interval, positive when longs pay; hourly_rate the same per hour; apr_percent and payment_usd as "
    "named; empty is unknown"
)
"""The first line of an exported CSV file, before the header. Import does not need it."""

UNITS_OBJECT = {
    "fundwatch": "settlements",
    "version": VERSION,
    "units": {column.name: column.unit for column in COLUMNS},
}
"""The first line of exported JSON lines. Import does not need it."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs text that begins so: export puts `'` before it, import takes that away."""


def guarded(text: str) -> str:
    """`text` as a CSV cell that no spreadsheet runs."""
    return f"'{text}" if text.startswith((*FORMULA_STARTS, "'")) else text


def bare(cell: str) -> str:
    """The text that `guarded` made `cell` of."""
    return cell[1:] if cell.startswith("'") else cell
