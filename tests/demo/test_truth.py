from collections import Counter

import pytest

from fundwatch.demo.accrual import Accrual
from fundwatch.demo.listings import EXCHANGES, listing
from fundwatch.demo.markets import DemoMarket
from fundwatch.demo.truth import CLAMP, Truth
from tests.demo.conftest import NOW

HOUR = int(NOW // 3600)


def open_markets(exchange: str) -> list[DemoMarket]:
    return [m for m in listing(exchange).at(HOUR) if m.is_open(HOUR)]


def market(exchange: str, symbol: str) -> DemoMarket:
    found = listing(exchange).find(symbol, HOUR)
    assert found is not None
    return found


def test_two_worlds_with_one_seed_agree_in_any_order_of_asking() -> None:
    one, other = Truth(7), Truth(7)
    bitcoin, pepe = market("binance", "BTCUSDT"), market("hyperliquid", "kPEPE")
    other.estimate(pepe, NOW)
    hours = range(HOUR - 100, HOUR)
    first = [one.settled(bitcoin, hour, 8) for hour in hours]
    assert [other.settled(bitcoin, hour, 8) for hour in reversed(hours)][::-1] == first
    assert other.estimate(pepe, NOW) == one.estimate(pepe, NOW)


def test_another_seed_is_another_world() -> None:
    bitcoin = market("binance", "BTCUSDT")
    assert Truth(7).index_price(bitcoin, HOUR) != Truth(8).index_price(bitcoin, HOUR)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_about_half_of_the_crypto_markets_rest_exactly(exchange: str) -> None:
    truth = Truth(7)
    crypto = [m for m in open_markets(exchange) if m.asset.asset_class == "crypto" and m.factor == 1]
    resting = [m for m in crypto if truth.settled(m, HOUR // 8 * 8, 8) == 0.0001]
    assert 0.4 < len(resting) / len(crypto) < 0.72


def test_a_premium_beyond_the_clamp_moves_the_rate_by_what_is_beyond() -> None:
    truth, bitcoin = Truth(7), market("binance", "BTCUSDT")
    assert truth.rate(bitcoin, 0.0001 + CLAMP, 8) == pytest.approx(0.0001)
    assert truth.rate(bitcoin, 0.0011, 8) == pytest.approx(0.0006)
    assert truth.rate(bitcoin, -0.0009, 4) == pytest.approx(-0.0002)


def test_no_rate_is_absurd() -> None:
    truth = Truth(7)
    for exchange in EXCHANGES:
        for m in open_markets(exchange):
            assert abs(truth.settled(m, HOUR, 1)) < 0.01


def test_prices_of_one_asset_agree_between_exchanges() -> None:
    truth = Truth(7)
    a = truth.mark_price(market("binance", "1000PEPEUSDT"), HOUR) / 1000
    b = truth.mark_price(market("hyperliquid", "kPEPE"), HOUR) / 1000
    assert a == pytest.approx(b, rel=0.02)


def test_one_ticker_can_be_two_assets() -> None:
    truth = Truth(7)
    coin = truth.mark_price(market("aster", "BBUSDT"), HOUR)
    company = truth.mark_price(market("extended", "BB-USD"), HOUR)
    assert company > 50 * coin


def test_the_last_estimate_is_what_is_settled() -> None:
    truth = Truth(7)
    for symbol in ("BTC", "SOL", "DOGE", "PEPE", "WIF"):
        found = listing("variational").find(symbol, HOUR)
        if found is None:
            continue
        interval = found.interval(HOUR - 1)
        boundary = HOUR // interval * interval
        last = truth.estimate(found, boundary * 3600 - 200, 300)
        assert last == truth.settled(found, boundary, interval)


def test_an_estimate_moves_inside_the_interval() -> None:
    truth = Truth(7)
    restless = [m for m in open_markets("binance") if truth.settled(m, HOUR // 8 * 8, 8) != 0.0001][:20]
    start = HOUR // 8 * 8 * 3600
    assert any(truth.estimate(m, start + 600) != truth.estimate(m, start + 1800) for m in restless)


def test_some_assets_pay_differently_on_two_exchanges_for_days() -> None:
    truth = Truth(7)
    binance = {m.asset.key: m for m in open_markets("binance")}
    lasting = 0
    for m in open_markets("hyperliquid"):
        other = binance.get(m.asset.key)
        if other is None or m.group:
            continue
        days = [
            sum(truth.settled(m, h, 1) for h in range(end - 23, end + 1))
            - 3 * truth.settled(other, end // 8 * 8, 8)
            for end in range(HOUR - 72, HOUR + 1, 24)
        ]
        lasting += min(days) > 0.0005 or max(days) < -0.0005
    assert lasting >= 5


def test_accrued_funding_is_the_integral_of_the_premium() -> None:
    truth, bitcoin = Truth(7), market("paradex", "BTC-USD-PERP")
    accrual = Accrual.of(truth, bitcoin)
    start, steps, step = HOUR * 3600, 960, 30
    middles = (start + step * (i + 0.5) for i in range(steps))
    summed = sum(accrual.premium_usdc(t) * step / 28_800 for t in middles)
    exact = accrual.paid_usdc(start + steps * step) - accrual.paid_usdc(start)
    assert exact == pytest.approx(summed, rel=1e-6)
    assert accrual.paid_usdc(bitcoin.listed_hour * 3600) == 0


def test_largest_markets_are_where_they_are_expected() -> None:
    truth = Truth(7)
    volumes = Counter({m.symbol: truth.volume_24h_usd(m, HOUR) for m in open_markets("binance")})
    assert volumes.most_common(1)[0][0] == "BTCUSDT"
    assert all(volume > 0 for volume in volumes.values())
