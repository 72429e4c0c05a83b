"""What Extended's answers mean: markets, estimates and settlements, with their units."""

import msgspec

from fundwatch.assets import identify
from fundwatch.exchanges.base import Listing, Quotes
from fundwatch.exchanges.decode import (
    BadNumber,
    bounded,
    envelope,
    notional,
    number,
    positive,
    rows,
    time_from_ms,
)
from fundwatch.exchanges.errors import Drift, Refused
from fundwatch.exchanges.hourly_history import Page, hour_of
from fundwatch.models import HOUR, AssetClass, Market, Quote, Refusal, Settlement, settlement_hour
from fundwatch.text import clean, is_symbol

NAME = "extended"

_CLOSED = frozenset({"DELISTED", "SETTLED", "DISABLED", "REDUCE_ONLY"})
"""What the venue calls markets that no position can be opened on any more."""

_NOT_YET = frozenset({"PRELISTED"})
_SESSION_SUFFIX = "_24_5"
_CLASSES = {
    "equity": AssetClass.EQUITY,
    "equities": AssetClass.EQUITY,
    "stock": AssetClass.EQUITY,
    "stocks": AssetClass.EQUITY,
    "commodity": AssetClass.COMMODITY,
    "commodities": AssetClass.COMMODITY,
    "fx": AssetClass.FX,
    "forex": AssetClass.FX,
    "etf": AssetClass.INDEX,
    "index": AssetClass.INDEX,
    "indices": AssetClass.INDEX,
    "etfindex": AssetClass.INDEX,
    "premarket": AssetClass.PRELAUNCH,
}


def hourly_rate_from_market_stats(rate: float) -> float:
    """Fraction per hour from `marketStats.fundingRate`: a signed fraction per 1 hour already.

    Source: API documentation (the rate applied on the hour; its formula divides by 8); the value
    before the hour equalled the settled one on 12 of 12 markets (measured 2026-09-12).
    """
    return rate


def rate_from_funding_history(rate: float) -> float:
    """Fraction for one hour from `f` of a funding history row: a signed fraction per 1 hour already.

    Source: API documentation, "1-hour rates that were applied"; the neutral row is 0.000013.
    """
    return rate


class _Failure(msgspec.Struct):
    code: object = None
    message: object = None


class _Envelope(msgspec.Struct):
    status: object = None
    data: list[msgspec.Raw] | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


class _Stats(msgspec.Struct, rename="camel"):
    """Open interest and volume in USD; `next_funding_rate` is a TIME in ms, whatever its name says."""

    funding_rate: object = None
    next_funding_rate: object = None
    mark_price: object = None
    index_price: object = None
    open_interest: object = None
    daily_volume: object = None


class _Market(msgspec.Struct, rename="camel"):
    name: object = None
    type: object = None
    category: object = None
    sub_category: object = None
    asset_name: object = None
    description: object = None
    active: object = True
    status: object = None
    visible_on_ui: object = True
    is_off_hours: object = None
    created_at: object = None
    market_stats: msgspec.Raw = msgspec.Raw(b"null")


class _Funding(msgspec.Struct):
    m: object = None
    f: object = None
    T: object = None


def parse_markets(body: bytes) -> Listing:
    """The perpetuals of a GET /info/markets answer."""
    return _read(body, 0)[0]


def parse_quotes(body: bytes, observed_at: int) -> Quotes:
    """The quotes of a GET /info/markets answer, seen at `observed_at` (UTC seconds)."""
    return _read(body, observed_at)[1]


def parse_funding(body: bytes, symbol: str, now: float) -> Page:
    """The settlements of one market from a GET /info/{market}/funding answer received at `now`."""
    settlements: list[Settlement] = []
    refused: list[Refusal] = []
    hours: set[int] = set()
    for row in rows(_payload(body), _Funding):
        try:
            if isinstance(row, str):
                raise BadNumber(row)
            if row.m != symbol:
                raise BadNumber("the row belongs to another market")
            hour = hour_of(number(row.T, "T") / 1000, now)
            hours.add(hour)
            rate = bounded(rate_from_funding_history(number(row.f, "f")))
        except BadNumber as error:
            refused.append(Refusal(symbol, str(error)))
        else:
            settlements.append(Settlement(symbol, hour, rate, 1.0))
    return Page(tuple(settlements), tuple(refused), frozenset(hours))


def _payload(body: bytes) -> list[msgspec.Raw]:
    """The rows of an answer; raises `Refused` for an error inside it."""
    answer = envelope(body, _Envelope)
    status = answer.status.casefold() if isinstance(answer.status, str) else answer.status
    if status != "ok" and not (status is None and answer.data is not None):
        failure = _failure(answer.error)
        words = clean(failure.message, 120) if isinstance(failure.message, str) else "no reason given"
        told = f" ({clean(str(failure.code), 20)})" if isinstance(failure.code, str | int) else ""
        raise Refused(f"answers with an error: {words}{told}")
    if answer.data is None:
        raise Drift("the answer is not in the documented shape: data is missing")
    return answer.data


def _failure(raw: msgspec.Raw) -> _Failure:
    try:
        return msgspec.json.decode(raw, type=_Failure)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _Failure()


def _read(body: bytes, observed_at: int) -> tuple[Listing, Quotes]:
    markets: list[Market] = []
    quotes: list[Quote] = []
    closed: set[str] = set()
    unlisted: list[Refusal] = []
    unquoted: list[Refusal] = []
    seen: set[str] = set()
    for row in rows(_payload(body), _Market):
        symbol = "?"
        try:
            if isinstance(row, str):
                raise BadNumber(row)
            symbol = clean(row.name, 64) if isinstance(row.name, str) else "?"
            if not _is_perpetual(row):
                continue
            if not isinstance(row.name, str) or not is_symbol(row.name):
                raise BadNumber("name is missing" if row.name is None else "name cannot be taken")
            if symbol in seen:
                raise BadNumber("listed twice")
            seen.add(symbol)
            if not _trades(row):
                if row.status in _CLOSED:
                    closed.add(symbol)
                continue
            market = _market(row, symbol)
        except BadNumber as error:
            unlisted.append(Refusal(symbol, str(error)))
            continue
        markets.append(market)
        try:
            quotes.append(_quote(row, symbol, observed_at))
        except BadNumber as error:
            unquoted.append(Refusal(symbol, str(error)))
    listing = Listing(tuple(markets), frozenset(closed), tuple(unlisted))
    return listing, Quotes(tuple(quotes), (*unlisted, *unquoted))


def _is_perpetual(row: _Market) -> bool:
    """Rows before 2026-09 have no type: what does not call itself spot was a perpetual."""
    if row.type is None:
        return "spot" not in (_folded(row.category), _folded(row.sub_category))
    if not isinstance(row.type, str):
        raise BadNumber("type is not a word")
    return row.type.upper() == "PERPETUAL"


def _trades(row: _Market) -> bool:
    if not isinstance(row.status, str):
        raise BadNumber("status is missing" if row.status is None else "status is not a word")
    if row.status not in _CLOSED | _NOT_YET | {"ACTIVE"}:
        raise BadNumber(f"status is not a documented one but {clean(row.status, 20)!r}")
    if not isinstance(row.active, bool) or not isinstance(row.visible_on_ui, bool):
        raise BadNumber("active or visibleOnUi is neither true nor false")
    return row.status == "ACTIVE" and row.active and row.visible_on_ui


def _market(row: _Market, symbol: str) -> Market:
    base = row.asset_name if isinstance(row.asset_name, str) and is_symbol(row.asset_name) else symbol
    base = base.removesuffix("-USD").removesuffix(_SESSION_SUFFIX) or symbol
    name = clean(row.description, 80) if isinstance(row.description, str) else ""
    asset = identify(base, asset_class=_asset_class(row), name=name)
    return Market(NAME, symbol, asset, listed_time=time_from_ms(row.created_at))


def _asset_class(row: _Market) -> AssetClass | None:
    """The venue's own word for what the market is about, None where it says nothing.

    Tokenised gold (PAXG, XAUT) is in category Crypto, as on the other exchanges.
    """
    category = _folded(row.category)
    if not category:
        return None
    if category == "crypto":
        return AssetClass.CRYPTO
    return _CLASSES.get(_folded(row.sub_category)) or _CLASSES.get(category, AssetClass.UNKNOWN)


def _folded(value: object) -> str:
    return "".join(c for c in value.casefold() if c.isalpha()) if isinstance(value, str) else ""


def _quote(row: _Market, symbol: str, observed_at: int) -> Quote:
    [stats] = rows([row.market_stats], _Stats)
    if isinstance(stats, str):
        raise BadNumber(f"marketStats: {stats}")
    hourly_rate = bounded(hourly_rate_from_market_stats(number(stats.funding_rate, "fundingRate")))
    told_time = time_from_ms(stats.next_funding_rate)
    next_time = None if told_time is None else settlement_hour(told_time)
    if next_time is not None and not 0 <= next_time - observed_at <= 25 * HOUR:
        next_time = None
    return Quote(
        NAME,
        symbol,
        observed_at,
        hourly_rate,
        1.0,
        next_funding_time=next_time,
        mark_price=positive(stats.mark_price),
        index_price=positive(stats.index_price),
        open_interest_usd=notional(stats.open_interest, 1.0),
        volume_24h_usd=notional(stats.daily_volume, 1.0),
        session_open=None if not isinstance(row.is_off_hours, bool) else not row.is_off_hours,
    )
