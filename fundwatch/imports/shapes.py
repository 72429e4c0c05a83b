"""Which of the documented shapes a file has: decided by its columns and what the person said."""

import re
from collections.abc import Sequence

from fundwatch.exports import columns as own
from fundwatch.imports import predecessor, simple
from fundwatch.imports.asked import Asked, named
from fundwatch.imports.cells import TimeUnit, shown
from fundwatch.imports.columnwise import placed
from fundwatch.imports.layouts import Layout, Places
from fundwatch.imports.rows import NotThisLayout

_VISION_NAME = re.compile(r"([^/\\ ]+)-fundingRate-\d{4}-\d\d(?: \(\d+\))?\.(?:csv|zip)$")
VISION = ("calc_time", "funding_interval_hours", "last_funding_rate")
_VISION_NOTE = "data.binance.vision: signed fractions for the interval, times in milliseconds"
_ANSWER_NOTE = "saved fundingRate answers: signed fractions for the interval, times in milliseconds"


def decide(names: Sequence[str], asked: Asked, *, text: str) -> Layout:
    """The layout of a file with these columns (lower case). `text` is `csv` or `jsonl`.

    Raises `NotThisLayout` with the columns that there are and those that are understood.
    """
    wanted = asked.format
    found = None
    if wanted in ("auto", "fundwatch"):
        found = _own(names, asked)
    if found is None and wanted in ("auto", "vision"):
        found = _vision(names, asked) or _answers(names, asked)
    if found is None and wanted in ("auto", "predecessor"):
        found = predecessor.layout(names, exchange=asked.exchange, file_names=asked.names, now=asked.now)
    if found is not None and asked.time_unit is not None:
        raise NotThisLayout(f"its times need no --time-unit: it is {found.unit_note}")
    if found is None and wanted in ("auto", "csv", "jsonl"):
        if wanted not in ("auto", text):
            raise NotThisLayout(f"it is {text}, not {wanted}")
        found = simple.layout(names, asked, text)
    if found is None:
        raise NotThisLayout(f"it is no file of the format {wanted}: {named(names)}")
    return found


def headerless(width: int, asked: Asked) -> Layout | None:
    """data.binance.vision's older files begin with a row of numbers; None for anything else."""
    if asked.format not in ("auto", "vision") or width != len(VISION):
        return None
    return _vision(VISION, asked)


def _own(names: Sequence[str], asked: Asked) -> Layout | None:
    if not own.NEEDED <= set(names) <= set(own.NAMES):
        return None
    places = Places(
        time=names.index("funding_time"),
        unit=TimeUnit.SECONDS,
        rate=names.index("rate"),
        symbol=names.index("symbol"),
        exchange=names.index("exchange"),
        interval=names.index("interval_hours"),
        kind=names.index("kind"),
        payment=names.index("payment_usd") if "payment_usd" in names else None,
        origin=names.index("source"),
    )
    note = "an export of fundwatch: signed fractions for the interval, times in seconds"
    return placed("fundwatch", note, names, places, asked.now, own.bare)


def _vision(names: Sequence[str], asked: Asked) -> Layout | None:
    if tuple(names) != VISION:
        return None
    if asked.exchange not in (None, "binance"):
        raise NotThisLayout(f"it is a file of data.binance.vision, but --exchange names {asked.exchange}")
    said = [found[1] for name in asked.names if (found := _VISION_NAME.search(name))]
    said += [asked.symbol] if asked.symbol is not None else []
    if not said:
        raise NotThisLayout(
            "a file of data.binance.vision says its market only in its name, like "
            "BTCUSDT-fundingRate-2026-01.csv: give it that name back, or name the market with --symbol"
        )
    if len(set(said)) > 1:
        raise NotThisLayout(f"its names and --symbol disagree on the market: {', '.join(map(shown, said))}")
    symbol = said[0]
    places = Places(time=0, unit=TimeUnit.MILLISECONDS, rate=2, interval=1, symbol=symbol, exchange="binance")
    return placed("vision", _VISION_NOTE, VISION, places, asked.now)


def _answers(names: Sequence[str], asked: Asked) -> Layout | None:
    """Binance's (and Aster's) own fundingRate rows, saved as they came or with the names of a known copy."""
    found = frozenset(names)
    time, rate = ("fundingtime", "fundingrate") if "fundingtime" in found else ("timestamp", "funding_rate")
    needs = {"symbol", time, rate}
    if not needs <= found <= needs | {"markprice", "ratetype"}:
        return None
    if asked.exchange not in ("binance", "aster"):
        if time == "timestamp":
            return None
        raise NotThisLayout("these are rows of fundingRate: say whose with --exchange binance or aster")
    if time == "timestamp" and (asked.exchange != "binance" or asked.time_unit is TimeUnit.SECONDS):
        return None
    places = Places(
        time=names.index(time),
        unit=TimeUnit.MILLISECONDS,
        rate=names.index(rate),
        symbol=names.index("symbol"),
        kind=names.index("ratetype") if "ratetype" in found else None,
    )
    return placed("vision", _ANSWER_NOTE, names, places, asked.now)
