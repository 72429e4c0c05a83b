"""Files of anybody's making: the columns' names must declare the units."""

from collections.abc import Iterable, Sequence

from fundwatch.imports.asked import Asked, named
from fundwatch.imports.cells import TimeUnit, shown
from fundwatch.imports.columnwise import placed
from fundwatch.imports.layouts import Layout, Measure, Places
from fundwatch.imports.rows import NotThisLayout

_SYMBOL = frozenset({"symbol", "coin", "market"})
_STEMS = ("funding_time", "timestamp", "time")
_ENDS = {
    "_s": TimeUnit.SECONDS,
    "_seconds": TimeUnit.SECONDS,
    "_ms": TimeUnit.MILLISECONDS,
    "_milliseconds": TimeUnit.MILLISECONDS,
    "_iso": TimeUnit.ISO,
    "_utc": TimeUnit.UTC_TEXT,
}
_TIME: dict[str, TimeUnit | None] = dict.fromkeys(_STEMS)
_TIME.update((f"{stem}{end}", unit) for stem in _STEMS for end, unit in _ENDS.items())
"""None where the name declares no unit: then the person must, or the cells are ISO 8601."""

_RATE = {
    "rate": Measure.FRACTION,
    "funding_rate": Measure.FRACTION,
    "rate_percent": Measure.PERCENT,
    "funding_rate_percent": Measure.PERCENT,
    "hourly_rate": Measure.HOURLY,
    "apr_percent": Measure.APR,
}
_INTERVAL = frozenset({"interval_hours", "funding_interval_hours"})
_OTHERS = frozenset({"exchange", "kind", "payment_usd"})
_IGNORED = frozenset({"asset", "asset_class", "premium", "mark_price", "index_price"})

UNDERSTOOD = (
    "symbol; one time (funding_time_s, funding_time_ms, or funding_time as 2026-01-31T08:00:00Z); "
    "one rate (rate as a fraction for the interval, rate_percent, or hourly_rate or apr_percent with "
    "interval_hours); and, where there are any, interval_hours, exchange, kind, payment_usd"
)


def layout(names: Sequence[str], asked: Asked, text: str) -> Layout:
    """How to read a file with these columns; `text` is `csv` or `jsonl`.

    Raises `NotThisLayout` when a column is unknown, doubled in meaning, or missing.
    """
    known = _SYMBOL | _TIME.keys() | _RATE.keys() | _INTERVAL | _OTHERS | _IGNORED
    if strange := [shown(name) for name in names if name not in known]:
        raise NotThisLayout(
            f"what {', '.join(strange[:5])} holds is not known, and a guess could be wrong; {named(names)}. "
            f"Understood are: {UNDERSTOOD}"
        )
    time = _time(names)
    rate = _one(names, _RATE, "rate")
    symbol = _at_most_one(names, _SYMBOL, "symbol")
    interval = _at_most_one(names, _INTERVAL, "interval")
    if symbol is None and asked.symbol is None:
        raise NotThisLayout(f"no column names the market, so name it with --symbol; {named(names)}")
    measure = _RATE[rate]
    if measure in (Measure.HOURLY, Measure.APR) and interval is None:
        raise NotThisLayout(f"{rate} tells what was paid only together with interval_hours; {named(names)}")
    declared = _TIME[time]
    if declared is not None and asked.time_unit not in (None, declared):
        raise NotThisLayout(f"{time} says that it is {declared}, and --time-unit {asked.time_unit}")
    unit = declared or asked.time_unit or TimeUnit.ISO
    places = Places(
        time=names.index(time),
        unit=unit,
        rate=names.index(rate),
        measure=measure,
        symbol=names.index(symbol) if symbol is not None else asked.symbol or "",
        exchange=_place(names, "exchange"),
        interval=_place(names, interval),
        kind=_place(names, "kind"),
        payment=_place(names, "payment_usd"),
    )
    note = f"{rate} is {measure}, positive when longs pay; {time} is {unit}"
    return placed(text, note, names, places, asked.now)


def _time(names: Sequence[str]) -> str:
    """The column of the time; where text stands beside a number, the number."""
    found = [name for name in names if name in _TIME]
    numbers = [name for name in found if _TIME[name] in (TimeUnit.SECONDS, TimeUnit.MILLISECONDS)]
    return _one(numbers if len(found) == 2 and len(numbers) == 1 else found, _TIME, "time", names)


def _one(names: Sequence[str], known: Iterable[str], what: str, there: Sequence[str] | None = None) -> str:
    name = _at_most_one(names, known, what)
    if name is None:
        raise NotThisLayout(
            f"no column holds a {what}; {named(there or names)}. Understood are: {UNDERSTOOD}"
        )
    return name


def _at_most_one(names: Sequence[str], known: Iterable[str], what: str) -> str | None:
    known = frozenset(known)
    found = [name for name in names if name in known]
    if len(found) > 1:
        raise NotThisLayout(f"{' and '.join(found)} all hold a {what}: leave the one that counts")
    return found[0] if found else None


def _place(names: Sequence[str], name: str | None) -> int | None:
    return names.index(name) if name is not None and name in names else None
