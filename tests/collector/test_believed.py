import pytest

from fundwatch.assets import Overrides
from fundwatch.collector.believed import believed, of_listed, unlisted
from fundwatch.exchanges.base import Listing, Quotes
from fundwatch.exchanges.errors import Drift
from fundwatch.models import Quote, Refusal
from tests.collector.scripted import NOON, market, symbols


def listing(size: int) -> Listing:
    return Listing(tuple(market(symbol) for symbol in symbols(size)))


def quote(symbol: str) -> Quote:
    return Quote("aster", symbol, NOON, 0.00001, 1.0)


@pytest.mark.parametrize(("before", "now"), [(0, 1), (3, 1), (100, 50), (100, 300)])
def test_a_list_is_believed_that_has_half_of_the_markets(before: int, now: int) -> None:
    assert len(believed(listing(now), before, None, None).markets) == now


@pytest.mark.parametrize(("before", "now"), [(0, 0), (3, 0), (4, 1), (100, 49), (100, 0)])
def test_an_empty_list_or_half_a_list_is_not_believed(before: int, now: int) -> None:
    with pytest.raises(Drift, match=f"shrank from {before} markets to {now}"):
        believed(listing(now), before, None, None)


def test_a_limit_cuts_the_list_after_it_was_believed() -> None:
    assert len(believed(listing(100), 100, None, 5).markets) == 5
    with pytest.raises(Drift):
        believed(listing(20), 100, None, 5)


def test_a_persons_corrections_are_in_the_list() -> None:
    corrected = believed(listing(2), 0, Overrides(ticker={"aster:M001": "PEPE"}), None)
    assert [m.asset.ticker for m in corrected.markets] == ["M000", "PEPE"]


def test_quotes_of_strangers_are_left_out_and_the_markets_without_one_are_named() -> None:
    markets = {symbol: market(symbol) for symbol in ("A", "B", "C")}
    quotes = Quotes((quote("A"), quote("X")), (Refusal("B", "rate is missing"), Refusal("Y", "unreadable")))
    kept, failed = of_listed(quotes, markets)
    assert [q.symbol for q in kept.quotes] == ["A"]
    assert kept.refused == (Refusal("B", "rate is missing"),)
    assert failed == {"B": "rate is missing", "C": "listed, but without a quote"}


def test_no_quote_at_all_is_drift() -> None:
    with pytest.raises(Drift, match="none of its 1 markets"):
        of_listed(Quotes((quote("X"),)), {"A": market("A")})


@pytest.mark.parametrize(("gone", "told"), [(3, 0), (4, 4)])
def test_up_to_three_vanished_markets_are_forgiven(gone: int, told: int) -> None:
    assert len(unlisted((), symbols(gone, 20), (), symbols(20))) == told


@pytest.mark.parametrize(("gone", "told"), [(10, 0), (11, 11)])
def test_up_to_five_percent_vanished_markets_are_forgiven(gone: int, told: int) -> None:
    assert len(unlisted((), symbols(gone, 190), (), symbols(200 - gone))) == told


def test_an_unreadable_row_of_a_known_market_is_a_failure_of_that_market() -> None:
    refused = (Refusal("OLD", "no price scale"), Refusal("#7", "unreadable row"), Refusal("M000", "?"))
    assert unlisted(refused, (), {"OLD", "M000"}, symbols(50)) == {"OLD": "no price scale"}


def test_a_list_of_which_a_fifth_cannot_be_read_is_a_failure_even_of_strangers() -> None:
    refused = tuple(Refusal(f"#{n}", "unreadable row") for n in range(20))
    assert unlisted(refused, (), (), symbols(80)) == {}
    assert len(unlisted(refused, (), (), symbols(79))) == 20
