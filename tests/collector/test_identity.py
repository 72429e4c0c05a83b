"""Which markets are the same asset: by name, then by price, sample after sample, over a real database."""

from fundwatch.collector import derive
from fundwatch.collector.ledger import Ledger
from fundwatch.exchanges.base import Facts, Listing, Quotes
from fundwatch.models import Asset, AssetClass, Market, Quote
from fundwatch.storage import queries
from tests.collector.scripted import HandClock, Scripted, Watch, scripted

CRYPTO, EQUITY = AssetClass.CRYPTO, AssetClass.EQUITY


class Sampler:
    """Exchanges with one market each of the same name, at prices that the test sets."""

    def __init__(self, ledger: Ledger, clock: HandClock) -> None:
        self.ledger = ledger
        self.clock = clock
        self.markets: dict[str, Market] = {}
        self.prices: dict[str, float | None] = {}

    def market(
        self, exchange: str, price: float, *, multiplier: float = 1.0, asset_class: AssetClass = CRYPTO
    ) -> None:
        self.markets[exchange] = Market(exchange, "BB", Asset("BB", asset_class, multiplier))
        self.prices[exchange] = price

    def sample(self, times: int = 1) -> dict[str, tuple[int | None, str | None]]:
        """(group, reason) by exchange after so many passes five minutes apart."""
        for _ in range(times):
            self.clock.advance(300)
            now = int(self.clock.now())
            for exchange, market in self.markets.items():
                price = self.prices[exchange]
                if price is None:
                    continue
                facts = Facts(exchange, "", {}, 0, None, {})
                run_id = self.ledger.begin(exchange, "quotes", facts)
                quote = Quote(exchange, "BB", now, 0.00001, 1.0, mark_price=price)
                self.ledger.quotes(run_id, facts, Listing((market,)), Quotes((quote,)), [])
            derive.refresh_identity(self.ledger, self.clock.now())
        return {
            row.exchange: (row.same_as_group, row.identity_reason)
            for row in queries.market_rows(self.ledger.writer)
        }


APART = "its price is not that of the others with this name"


def test_markets_that_agree_in_price_are_one(ledger: Ledger, clock: HandClock) -> None:
    sampler = Sampler(ledger, clock)
    sampler.market("aster", 100.0)
    sampler.market("lighter", 102.9)
    sampler.market("extended", 0.101, multiplier=0.001)
    assert sampler.sample() == dict.fromkeys(("aster", "lighter", "extended"), (0, None))


def test_a_market_at_another_price_is_set_aside_with_the_reason(ledger: Ledger, clock: HandClock) -> None:
    sampler = Sampler(ledger, clock)
    sampler.market("aster", 100.0)
    sampler.market("lighter", 100.5)
    sampler.market("extended", 6.0)
    assert sampler.sample() == {"aster": (0, None), "lighter": (0, None), "extended": (1, APART)}


def test_another_class_is_another_asset_whatever_its_price(ledger: Ledger, clock: HandClock) -> None:
    sampler = Sampler(ledger, clock)
    sampler.market("aster", 100.0)
    sampler.market("lighter", 5.0, asset_class=EQUITY)
    assert sampler.sample() == {"aster": (0, None), "lighter": (0, None)}


def test_a_verdict_changes_after_three_samples_and_no_sooner(ledger: Ledger, clock: HandClock) -> None:
    sampler = Sampler(ledger, clock)
    for exchange in ("aster", "lighter", "extended"):
        sampler.market(exchange, 100.0)
    sampler.sample()
    sampler.prices["extended"] = 6.0
    assert sampler.sample(2)["extended"] == (0, None)
    sampler.prices["extended"] = 100.0
    sampler.sample()
    sampler.prices["extended"] = 6.0
    assert sampler.sample(2)["extended"] == (0, None)
    assert sampler.sample()["extended"] == (1, APART)
    sampler.prices["extended"] = 100.0
    assert sampler.sample(2)["extended"] == (1, APART)
    assert sampler.sample()["extended"] == (0, None)


def test_a_market_that_is_set_aside_stays_so_while_prices_are_stale(ledger: Ledger, clock: HandClock) -> None:
    sampler = Sampler(ledger, clock)
    sampler.market("aster", 100.0)
    sampler.market("lighter", 100.0)
    sampler.market("extended", 6.0)
    before = sampler.sample()
    sampler.prices = dict.fromkeys(sampler.prices, None)
    assert sampler.sample(20) == before


def test_a_price_of_long_ago_is_not_held_against_the_prices_of_now(ledger: Ledger, clock: HandClock) -> None:
    sampler = Sampler(ledger, clock)
    for exchange in ("aster", "lighter", "extended"):
        sampler.market(exchange, 100.0)
    sampler.sample()
    sampler.prices["extended"] = None
    sampler.sample(4)
    sampler.prices |= {"aster": 150.0, "lighter": 150.0}
    assert sampler.sample(5)["extended"] == (0, None)


def test_of_two_equal_camps_the_same_one_is_set_aside_every_time(ledger: Ledger, clock: HandClock) -> None:
    sampler = Sampler(ledger, clock)
    sampler.market("aster", 100.0)
    sampler.market("lighter", 101.0)
    sampler.market("extended", 6.0)
    sampler.market("paradex", 6.03)
    seen = []
    for width in (0.01, 2.5, 0.01, 2.5):
        sampler.prices["lighter"] = 100.0 + width
        seen.append({exchange for exchange, (_, reason) in sampler.sample().items() if reason})
    assert len(seen[0]) == 2
    assert all(one == seen[0] for one in seen)


def test_a_market_without_a_price_is_not_compared_and_says_so(ledger: Ledger, clock: HandClock) -> None:
    sampler = Sampler(ledger, clock)
    sampler.market("aster", 100.0)
    sampler.market("lighter", 0.0)
    found = sampler.sample()
    assert found["aster"] == (0, None)
    assert found["lighter"] == (None, "no mark price to compare")


def test_a_lone_market_is_itself(ledger: Ledger, clock: HandClock) -> None:
    sampler = Sampler(ledger, clock)
    sampler.market("aster", 100.0)
    assert sampler.sample() == {"aster": (0, None)}


async def test_a_sweep_of_two_exchanges_ends_in_pairs(ledger: Ledger, clock: HandClock) -> None:
    for name in ("aster", "lighter"):
        exchange: Scripted = scripted(clock, 25, name=name)
        await Watch(ledger, exchange, clock).tracker.sweep()
    derive.refresh_identity(ledger, clock.now())
    derive.refresh_summaries(ledger, clock.now())
    rows = queries.markets_of_asset(ledger.writer, "M001")
    assert [(row.exchange, row.same_as_group, row.identity_reason) for row in rows] == [
        ("aster", 0, None),
        ("lighter", 0, None),
    ]
    assert {round(row.apr_24h or 0, 6) for row in rows} == {10.95}
    assert {row.coverage_24h for row in rows} == {23 / 24}
