"""What of an exchange's market list and quotes is believed, and which markets they lack."""

from collections.abc import Collection, Mapping

from fundwatch.assets import Overrides, overridden
from fundwatch.exchanges.base import Listing, Quotes
from fundwatch.exchanges.errors import Drift
from fundwatch.models import Market, Refusal

SHRUNK_SHARE, SHRUNK_FROM = 0.5, 4
VANISHED_SHARE, VANISHED_MARKETS = 0.05, 3
UNREADABLE_SHARE = 0.2


def believed(listing: Listing, before: int, overrides: Overrides | None, limit: int | None) -> Listing:
    """The listing with our corrections, cut to `limit` markets where there is one.

    Raises `Drift` when most of the markets there were `before` are suddenly gone: an exchange that
    closes down says so, an empty or torn list says nothing.
    """
    markets = listing.markets
    if not markets or (before >= SHRUNK_FROM and len(markets) < SHRUNK_SHARE * before):
        raise Drift(f"its list shrank from {before} markets to {len(markets)}: not believed")
    if overrides:
        markets = tuple(overridden(market, overrides) for market in markets)
    return Listing(markets[:limit], listing.closed, listing.refused)


def of_listed(quotes: Quotes, markets: Mapping[str, Market]) -> tuple[Quotes, dict[str, str]]:
    """The quotes of `markets`, and why the others of them have none. Raises `Drift` without any quote."""
    kept = tuple(quote for quote in quotes.quotes if quote.symbol in markets)
    if markets and not kept:
        raise Drift(f"none of its {len(markets)} markets has a readable quote")
    quoted = {quote.symbol for quote in kept}
    refused = tuple(r for r in quotes.refused if r.symbol in markets and r.symbol not in quoted)
    failed = {symbol: "listed, but without a quote" for symbol in markets if symbol not in quoted}
    return Quotes(kept, refused), failed | {r.symbol: r.reason for r in refused}


def unlisted(
    refused: Collection[Refusal],
    vanished: Collection[str],
    active: Collection[str],
    markets: Collection[str],
) -> dict[str, str]:
    """The markets that a list should have brought and did not, with the reason.

    `refused` are rows of the list that could not be read: they count where the market is known (as
    `active`), or when they are too many to be strangers. `vanished` are missing without a word from
    the venue: a few of them are forgiven.
    """
    rows = {r.symbol: r.reason for r in refused if r.symbol not in markets}
    unreadable = len(rows) > UNREADABLE_SHARE * (len(markets) + len(rows))
    failed = {symbol: why for symbol, why in rows.items() if unreadable or symbol in active}
    if len(vanished) > max(VANISHED_MARKETS, VANISHED_SHARE * (len(markets) + len(vanished))):
        failed |= dict.fromkeys(vanished, "gone from the market list without a word")
    return failed
