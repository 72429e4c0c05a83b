"""Markets as they come and go, and what their exchanges say of them now.

All functions that write do so inside the caller's transaction. Times are UTC seconds.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from fundwatch.models import HOUR, Asset, AssetClass, Market, Quote
from fundwatch.storage.alerts import add_event
from fundwatch.storage.database import Database, Writer
from fundwatch.storage.trackers import exchange_id
from fundwatch.text import clean

ABSENCES_TO_DELIST = 24
"""A market that its exchange stops to list without a word is taken for delisted after so many
lists, of which at most one an hour counts."""

FAILURES_TO_LIST = 3
"""A market that fails so many sweeps in a row is no longer expected."""

REASON_LENGTH = 200
FUTURE_SECONDS = 5


class ListingChange(NamedTuple):
    """What a market list changed; symbols in their order.

    `new` were never seen before, `delisted` are so since this list,
    `returned` were delisted before. `absent` are all that are missing now without a word from the
    venue, `lost_share` their share of all markets that should be there.
    """

    new: tuple[str, ...] = ()
    delisted: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    lost_share: float = 0.0


class _Known(NamedTuple):
    id: int
    asset: Asset
    status: str
    last_seen: int
    absences: int


def save_listing(
    writer: Writer,
    exchange: str,
    markets: Sequence[Market],
    closed: Collection[str],
    now: float,
    refused_symbols: Collection[str] = (),
    *,
    whole: bool = True,
) -> ListingChange:
    """Takes over the market list of `exchange`, with an event for each market that came or went.

    A list that more than doubles the known markets (the first one does) makes no events "listed". Nor
    is it an event that a market which only an imported file knew is listed now.
    `closed` are the symbols that the venue itself calls closed, `refused_symbols` those that it lists
    in a row we could not read: they are neither present nor absent. `whole` is False for a list that
    was cut on purpose: then nothing is said of the markets that are not on it.
    """
    number = exchange_id(writer, exchange)
    known = _known(writer, number)
    listed = {market.symbol: market for market in markets}
    new = [symbol for symbol in listed if symbol not in known]
    returned = [s for s in listed if s in known and known[s].status == "delisted"]
    writer.executemany(_UPSERT, [_listed_row(number, market, int(now)) for market in listed.values()])

    back = [symbol for symbol in returned if _was_delisted(writer, known[symbol].id)]
    first_listed = set(returned) - set(back)
    if len(new) <= len(known) - len(
        first_listed
    ):  # else our view has widened: the first list, another dex, no limit any more
        ids = market_ids(writer, exchange) if new else {}
        for symbol in new:
            text = f"{symbol} is listed ({_described(listed[symbol].asset)})"
            add_event(writer, "listed", text, now, exchange=exchange, market_id=ids[symbol])
    for symbol in back:
        text = f"{symbol} trades again"
        add_event(writer, "returned", text, now, exchange=exchange, market_id=known[symbol].id)
    for symbol, market in listed.items():
        if symbol in known and symbol not in first_listed and known[symbol].asset != market.asset:
            text = f"{symbol} is {_described(market.asset)} now, was {_described(known[symbol].asset)}"
            add_event(writer, "asset", text, now, exchange=exchange, market_id=known[symbol].id)

    delisted, absent = [], []
    for symbol, stored in known.items():
        if symbol in listed or stored.status == "delisted":
            continue
        if symbol in closed:
            _delist(writer, exchange, stored.id, f"{symbol} is delisted", now)
            delisted.append(symbol)
        elif symbol in refused_symbols or not whole:
            if stored.status == "absent":
                absent.append(symbol)
        else:
            absences = min(stored.absences + 1, 1 + max(0, int(now) - stored.last_seen) // HOUR)
            writer.change(
                "UPDATE market SET status = 'absent', absences = ? WHERE id = ?", absences, stored.id
            )
            if absences >= ABSENCES_TO_DELIST:
                text = f"{symbol} is missing from {absences} lists in a row: taken for delisted"
                _delist(writer, exchange, stored.id, text, now)
                delisted.append(symbol)
            else:
                absent.append(symbol)
    lost_share = len(absent) / (len(listed) + len(absent)) if absent else 0.0
    return ListingChange(tuple(new), tuple(delisted), tuple(absent), tuple(returned), lost_share)


_UPSERT = """
INSERT INTO market (exchange_id, symbol, ticker, asset_class, multiplier, venue_id, group_name,
                    listed_time, delisting_time, status, first_seen, last_seen)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', ?, ?)
ON CONFLICT (exchange_id, symbol) DO UPDATE SET
  ticker = excluded.ticker, asset_class = excluded.asset_class, multiplier = excluded.multiplier,
  venue_id = COALESCE(excluded.venue_id, venue_id), group_name = excluded.group_name,
  listed_time = COALESCE(excluded.listed_time, listed_time), delisting_time = excluded.delisting_time,
  status = 'active', absences = 0, last_seen = excluded.last_seen
"""


def _listed_row(number: int, market: Market, now: int) -> tuple[object, ...]:
    ticker, asset_class, multiplier = market.asset
    times = (market.listed_time, market.delisting_time)
    return (
        *(number, market.symbol, ticker, asset_class.value, multiplier, market.venue_id, market.group),
        *(*times, now, now),
    )


def _delist(writer: Writer, exchange: str, market_id: int, text: str, now: float) -> None:
    writer.change("UPDATE market SET status = 'delisted' WHERE id = ?", market_id)
    add_event(writer, "delisted", text, now, exchange=exchange, market_id=market_id)


def _was_delisted(writer: Writer, market_id: int) -> bool:
    """Whether a list ever told so: a market that only a file knows is not listed, but was not taken off."""
    return bool(
        writer.value("SELECT 1 FROM event WHERE market_id = ? AND kind = 'delisted' LIMIT 1", market_id)
    )


def _known(database: Database, number: int) -> dict[str, _Known]:
    rows = database.rows(
        "SELECT symbol, id, ticker, asset_class, multiplier, status, last_seen, absences"
        " FROM market WHERE exchange_id = ? ORDER BY id",
        number,
    )
    return {
        symbol: _Known(market_id, Asset(ticker, AssetClass(asset_class), multiplier), *rest)
        for symbol, market_id, ticker, asset_class, multiplier, *rest in rows
    }


def _described(asset: Asset) -> str:
    lot = "" if asset.multiplier == 1 else f" x {asset.multiplier:g}"
    return f"{asset.ticker}{lot}, {asset.asset_class}"


def market_ids(database: Database, exchange: str) -> dict[str, int]:
    """The numbers of all markets ever seen of `exchange`, by symbol."""
    return dict(
        database.rows(
            "SELECT symbol, market.id FROM market JOIN exchange ON exchange.id = exchange_id WHERE name = ?",
            exchange,
        )
    )


def active_markets(database: Database, exchange: str) -> int:
    """How many markets the last list of `exchange` had."""
    count: int = database.value(
        "SELECT count(*) FROM market JOIN exchange ON exchange.id = exchange_id"
        " WHERE name = ? AND status = 'active'",
        exchange,
    )
    return count


def save_quotes(writer: Writer, exchange: str, quotes: Iterable[Quote], now: float) -> int:
    """Takes over quotes of known markets, each unless a newer one is stored; how many were given.

    The last quote of an hour moves to `market_history` (by the hour's start) when the first of a
    later hour comes. An interval that differs from the last one seen of its market, or is the first,
    becomes an event "interval" with the hours as its value.
    """
    ids = market_ids(writer, exchange)
    before: dict[int, tuple[int, float | None]] = {
        market_id: (observed_at, hours)
        for market_id, observed_at, hours in writer.rows(
            "SELECT market_id, observed_at, interval_hours FROM quote JOIN market ON market.id = market_id"
            " JOIN exchange ON exchange.id = exchange_id WHERE name = ?",
            exchange,
        )
    }
    taken = {ids[quote.symbol]: quote for quote in quotes if quote.symbol in ids}
    finished = [
        (market_id,)
        for market_id, quote in taken.items()
        if market_id in before and before[market_id][0] // HOUR < quote.observed_at // HOUR
    ]
    writer.executemany(_TO_HISTORY, finished)
    writer.executemany(
        _QUOTE,
        [(*_quote_row(market_id, quote), int(now) + FUTURE_SECONDS) for market_id, quote in taken.items()],
    )
    for market_id, quote in taken.items():
        hours = quote.interval_hours
        if hours is not None and (market_id not in before or before[market_id][1] != hours):
            _note_interval(writer, exchange, market_id, quote.symbol, hours, quote.observed_at)
    if taken:
        writer.change(
            "UPDATE tracker SET last_quotes = ? WHERE exchange_id = ?",
            max(quote.observed_at for quote in taken.values()),
            exchange_id(writer, exchange),
        )
    return len(taken)


_TO_HISTORY = """
INSERT OR IGNORE INTO market_history
  (market_id, hour, hourly_rate, interval_hours, mark_price, open_interest_usd, volume_24h_usd)
SELECT market_id, observed_at / 3600 * 3600, hourly_rate, interval_hours, mark_price,
  open_interest_usd, volume_24h_usd
FROM quote WHERE market_id = ?
"""

# A stored quote from the future was taken while the clock was wrong: it gives way.
_QUOTE = """
INSERT INTO quote (market_id, observed_at, hourly_rate, interval_hours, next_funding_time, mark_price,
  index_price, open_interest_usd, volume_24h_usd, quoted_spread_percent, hourly_rate_cap, session_open)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (market_id) DO UPDATE SET
  observed_at = excluded.observed_at, hourly_rate = excluded.hourly_rate,
  interval_hours = excluded.interval_hours, next_funding_time = excluded.next_funding_time,
  mark_price = excluded.mark_price, index_price = excluded.index_price,
  open_interest_usd = excluded.open_interest_usd, volume_24h_usd = excluded.volume_24h_usd,
  quoted_spread_percent = excluded.quoted_spread_percent, hourly_rate_cap = excluded.hourly_rate_cap,
  session_open = excluded.session_open
WHERE excluded.observed_at >= quote.observed_at OR quote.observed_at > ?
"""


def _quote_row(market_id: int, quote: Quote) -> tuple[object, ...]:
    return (
        market_id,
        quote.observed_at,
        quote.hourly_rate,
        quote.interval_hours,
        quote.next_funding_time,
        quote.mark_price,
        quote.index_price,
        quote.open_interest_usd,
        quote.volume_24h_usd,
        quote.quoted_spread_percent,
        quote.hourly_rate_cap,
        None if quote.session_open is None else int(quote.session_open),
    )


def _note_interval(
    writer: Writer, exchange: str, market_id: int, symbol: str, hours: float, observed_at: int
) -> None:
    last = writer.value(
        "SELECT value FROM event WHERE market_id = ? AND kind = 'interval'"
        " ORDER BY time DESC, id DESC LIMIT 1",
        market_id,
    )
    if last == hours:
        return
    text = f"{symbol} pays every {hours:g} h"
    if last is not None:
        text += f" now, was {last:g} h"
    add_event(writer, "interval", text, observed_at, exchange=exchange, market_id=market_id, value=hours)


def mark_failures(writer: Writer, exchange: str, failed: Mapping[str, str], ok: Collection[str]) -> None:
    """Counts a sweep's failures by market: one more for `failed` (with the reason), none for `ok`."""
    ids = market_ids(writer, exchange)
    writer.executemany(
        "UPDATE market SET failures = failures + 1, failure = ? WHERE id = ?",
        [(clean(reason, REASON_LENGTH), ids[symbol]) for symbol, reason in failed.items() if symbol in ids],
    )
    writer.executemany(
        "UPDATE market SET failures = 0, failure = NULL WHERE id = ? AND failures > 0",
        [(ids[symbol],) for symbol in ok if symbol in ids and symbol not in failed],
    )


def failing(database: Database, exchange: str) -> dict[str, str]:
    """The markets that are no longer expected since they fail sweep after sweep, with the reason."""
    return dict(
        database.rows(
            "SELECT symbol, COALESCE(failure, '') FROM market JOIN exchange ON exchange.id = exchange_id"
            " WHERE name = ? AND failures >= ? AND status = 'active' ORDER BY symbol",
            exchange,
            FAILURES_TO_LIST,
        )
    )
