"""How a recorded file is handed to the exchange module that it belongs to, by kind of file."""

import json
from types import ModuleType
from typing import Any

from fundwatch.analytics.intervals import fill_intervals
from fundwatch.exchanges import binance, extended, lighter, lighter_units, paradex_answers, variational
from fundwatch.exchanges import hyperliquid_answers as hyperliquid
from fundwatch.exchanges.fapi import TermsBook
from fundwatch.exchanges.lighter_answers import parse_book, quotes_of
from fundwatch.models import Window
from tests.exchanges.recordings.raw import Values, at, funding_rate, loaded, stamp_ms
from tests.exchanges.recordings.reading import Reader, Reading, of_markets, of_payments, of_quotes, reasons

LATER = 1_893_456_000
"""2030-01-01: after everything recorded."""


def _body(value: object) -> bytes:
    return json.dumps(value).encode()


def _table(body: bytes) -> Any:
    """The rows of somebody's table, JSON or CSV."""
    return loaded(".json" if body.lstrip().startswith(b"[") else ".csv", body)


def lighter_details(body: bytes) -> Reading:
    """Beside a funding-rates answer, of which none was recorded: with its documented resting rate."""
    ids = [row["market_id"] for row in json.loads(body)["order_book_details"]]
    resting = [{"market_id": number, "exchange": "lighter", "rate": 0.000096} for number in ids]
    quotes = lighter.parse_quotes(body, _body({"code": 200, "funding_rates": resting}), LATER)
    listing = lighter.parse_markets(body)
    rates, figures = of_quotes(quotes.quotes)
    figures |= of_markets(listing.markets)
    return Reading(rates, figures, len(listing.markets), len(listing.closed), reasons(quotes.refused))


def lighter_fundings(symbol: str, mark_price: float) -> Reader:
    def read(body: bytes) -> Reading:
        page = lighter.parse_fundings(body, symbol, LATER, mark_price)
        return Reading(*of_payments(page.rows), refused=reasons(page.refused))

    return read


def lighter_unsigned(body: bytes) -> Reading:
    """Rows of /fundings whose `direction` was lost on the way."""
    by_symbol: dict[str, list[dict[str, object]]] = {}
    for row in _table(body):
        told = {"timestamp": int(row["timestamp_s"]), "rate": row["rate_percent_unsigned"]}
        by_symbol.setdefault(row["symbol"], []).append(told)
    pages = [
        lighter.parse_fundings(_body({"code": 200, "fundings": told}), symbol, LATER)
        for symbol, told in by_symbol.items()
    ]
    rates, figures = of_payments(row for page in pages for row in page.rows)
    refused = reasons(refusal for page in pages for refusal in page.refused)
    return Reading(rates, figures, len(by_symbol), refused=refused)


def lighter_log(body: bytes) -> Reading:
    """Each poll of the log as the funding-rates answer that it was: its hourly rates times eight."""
    polls: dict[str, list[dict[str, str]]] = {}
    for row in _table(body):
        polls.setdefault(row["timestamp_utc"], []).append(row)
    coins = sorted({row["coin"] for rows in polls.values() for row in rows})
    ids = {coin: number for number, coin in enumerate(coins)}
    details = [{"symbol": coin, "market_id": ids[coin], "status": "active"} for coin in coins]
    book = parse_book(_body({"code": 200, "order_book_details": details}))
    rates: Values = {}
    refused: list[str] = []
    for time, rows in polls.items():
        told = [
            {"market_id": ids[row["coin"]], "exchange": "lighter", "rate": float(row["funding_rate_1h"]) * 8}
            for row in rows
        ]
        quotes = quotes_of(book, _body({"code": 200, "funding_rates": told}), LATER)
        refused += reasons(quotes.refused)
        rates |= {f"{q.symbol} {time}": q.hourly_rate for q in quotes.quotes if q.hourly_rate is not None}
    return Reading(rates, {}, len(book.listing.markets), refused=tuple(refused))


def lighter_stream(body: bytes) -> Reading:
    """market_stats frames: `current_funding_rate` is /fundings' percent per hour with a sign of its own."""
    rates: Values = {}
    figures: Values = {}
    frames = json.loads(body)
    for frame in frames if isinstance(frames, list) else [frames]:
        stats = frame.get("market_stats", {})
        for market in [stats] if "market_id" in stats else stats.values():
            key = f"{market['market_id']}"
            percent = float(market["current_funding_rate"])
            rates[key] = lighter_units.rate_from_fundings(abs(percent), "short" if percent < 0 else "long")
            figures[f"{key} mark_price"] = float(market["mark_price"])
    return Reading(rates, figures)


def dex(name: str) -> Reader:
    def read(body: bytes) -> Reading:
        answer = hyperliquid.parse_dex(body, LATER, name)
        rates, figures = of_quotes(answer.quotes)
        figures |= of_markets(answer.markets)
        return Reading(rates, figures, len(answer.markets), len(answer.closed), reasons(answer.refused))

    return read


def dexes(body: bytes) -> Reading:
    names = hyperliquid.parse_dexes(body)
    return Reading({}, dict.fromkeys(names), len(names))


def all_dexes(body: bytes) -> Reading:
    """Frames of all dexes at once: the contexts of metaAndAssetCtxs, without the names."""
    rates: Values = {}
    refused: list[str] = []
    for name, contexts in json.loads(body)["data"]["ctxs"]:
        places = [f"{name}:{place}" if name else str(place) for place in range(len(contexts))]
        universe = {"universe": [{"name": place} for place in places]}
        reading = dex(name)(_body([universe, contexts]))
        rates |= reading.rates
        refused += reading.refused
    return Reading(rates, {}, refused=tuple(refused))


def context_frames(body: bytes) -> Reading:
    frames = [frame["data"] for frame in json.loads(body) if frame["channel"] == "activeAssetCtx"]
    universe = {"universe": [{"name": frame["coin"]} for frame in frames]}
    return dex("")(_body([universe, [frame["ctx"] for frame in frames]]))


def history(body: bytes) -> Reading:
    coins = {row["coin"] for row in json.loads(body)}
    rates: Values = {}
    figures: Values = {}
    refused: list[str] = []
    for coin in coins:
        own = body if len(coins) == 1 else _body([r for r in json.loads(body) if r["coin"] == coin])
        answer = hyperliquid.parse_settlements(own, coin, Window(0, LATER))
        own_rates, own_figures = of_payments(answer.settlements)
        rates |= own_rates
        figures |= own_figures
        refused += reasons(answer.refused)
    return Reading(rates, figures, refused=tuple(refused))


def history_table(body: bytes) -> Reading:
    rows = _table(body)
    return history(
        _body([{"coin": r["coin"], "fundingRate": funding_rate(r), "time": stamp_ms(r)} for r in rows])
    )


def predicted(body: bytes) -> Reading:
    """What predictedFundings relays: Hyperliquid's own estimate, and Binance's raw one."""
    rates: Values = {}
    for coin, venues in json.loads(body):
        told = {venue: terms for venue, terms in venues if terms}
        rates[f"{coin} HlPerp"] = hyperliquid.context_hourly_rate(told["HlPerp"]["fundingRate"])
        if row := told.get("BinPerp"):
            rate = binance.hourly_estimate(row["fundingRate"], row["fundingIntervalHours"])
            rates[f"{coin} BinPerp"] = rate
    return Reading(rates, {})


def fapi_markets(module: ModuleType) -> Reader:
    def read(body: bytes) -> Reading:
        listing = module.parse_markets(body)
        figures = of_markets(listing.markets)
        return Reading({}, figures, len(listing.markets), len(listing.closed), reasons(listing.refused))

    return read


def fapi_terms(module: ModuleType) -> Reader:
    def read(body: bytes) -> Reading:
        figures: Values = {}
        for symbol, terms in module.parse_terms(body).by_symbol.items():
            figures[f"{symbol} interval_hours"] = terms.interval_hours
            figures[f"{symbol} hourly_rate_cap"] = terms.hourly_rate_cap
        return Reading({}, figures)

    return read


def fapi_volumes(module: ModuleType) -> Reader:
    return lambda body: Reading({}, {f"{s} volume_24h_usd": v for s, v in module.parse_volumes(body).items()})


def premium(body: bytes) -> Reading:
    rows = json.loads(body)
    symbols = [row["symbol"] for row in rows]
    quotes = binance.parse_quotes(body, symbols, TermsBook({}), {}, rows[0]["time"] / 1000)
    return Reading(*of_quotes(quotes.quotes), refused=reasons(quotes.refused))


def payments(module: ModuleType) -> Reader:
    def read(body: bytes) -> Reading:
        page = module.parse_page(body, LATER)
        filled = fill_intervals(page.rows, previous_time=None)
        return Reading(*of_payments(filled), refused=reasons(page.refused))

    return read


def payment_table(symbol: str) -> Reader:
    def read(body: bytes) -> Reading:
        rows = [
            {"symbol": symbol, "fundingRate": funding_rate(row), "fundingTime": stamp_ms(row)}
            for row in _table(body)
        ]
        return payments(binance)(_body(rows))

    return read


def mark_frames(body: bytes) -> Reading:
    """markPriceUpdate frames: `r` is premiumIndex's lastFundingRate; a dated contract has no T."""
    rates: Values = {}
    figures: Values = {}
    for frame in (told["data"] for told in json.loads(body)):
        if frame.get("e") == "markPriceUpdate" and frame["T"]:
            key = at(frame["s"], frame["E"] / 1000)
            rates[key] = binance.hourly_estimate(frame["r"], 8)
            figures[f"{key} mark_price"] = float(frame["p"])
    return Reading(rates, figures)


def extended_markets(observed_at: int) -> Reader:
    def read(body: bytes) -> Reading:
        listing, quotes = extended.parse_markets(body), extended.parse_quotes(body, observed_at)
        rates, figures = of_quotes(quotes.quotes)
        figures |= of_markets(listing.markets)
        return Reading(rates, figures, len(listing.markets), len(listing.closed), reasons(quotes.refused))

    return read


def extended_funding(symbol: str) -> Reader:
    def read(body: bytes) -> Reading:
        page = extended.parse_funding(body, symbol, LATER)
        return Reading(*of_payments(page.rows), refused=reasons(page.refused))

    return read


def paradex_markets(body: bytes) -> Reading:
    perps = paradex_answers.parse_markets(body)
    figures = of_markets(perp.market for perp in perps.perps.values())
    for symbol, perp in perps.perps.items():
        figures[f"{symbol} period_hours"] = perp.period_hours
        figures[f"{symbol} hourly_rate_cap"] = perp.hourly_rate_cap
    return Reading({}, figures, len(perps.perps), refused=reasons(perps.refused))


def paradex_summary(body: bytes) -> Reading:
    """With the list of its time, which names no period; "at 8 h" is the rate by the usual one."""
    rows = json.loads(body)["results"]
    listed = [{"symbol": r["symbol"], "base_currency": "BTC", "asset_kind": "PERP"} for r in rows]
    perps = paradex_answers.parse_markets(_body({"results": listed})).perps
    quotes, refused = paradex_answers.parse_quotes(body, LATER, perps)
    figures: Values = {
        f"{r['symbol']} at 8 h": paradex_answers.hourly_rate(r["funding_rate"], 8) for r in rows
    }
    return Reading(of_quotes(quotes)[0], figures, refused=reasons(refused))


def funding_data(body: bytes) -> Reading:
    """funding_data frames, each a row of GET /v1/funding/data, asked for a minute later."""
    rates: Values = {}
    figures: Values = {}
    for row in (frame["params"]["data"] for frame in json.loads(body)):
        symbol = row["market"]
        index = paradex_answers.parse_index_row(_body(row), symbol, row["created_at"] // 1000 + 60)
        rates[symbol] = paradex_answers.hourly_rate(row["funding_rate"], row["funding_period_hours"])
        figures[f"{symbol} funding_index"] = index.funding_index
        figures[f"{symbol} spot_price"] = index.spot_price
    return Reading(rates, figures)


def stats(body: bytes) -> Reading:
    answer = variational.parse_stats(body, LATER)
    return Reading(*of_quotes(answer.quotes.values()), len(answer.markets), refused=reasons(answer.refused))


def listing(body: bytes) -> Reading:
    return stats(_body({"listings": [json.loads(body)]}))
