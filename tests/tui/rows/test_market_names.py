"""What tells markets of one asset apart."""

import pytest

from fundwatch.tui.rows.market_names import names, of_several_classes, own_part
from tests.tui.markets import market


@pytest.mark.parametrize(
    ("symbol", "ticker", "part"),
    [
        ("BTCUSDC", "BTC", "USDC"),
        ("xyz:TSLA", "TSLA", "xyz"),
        ("BTC-USD-PERP", "BTC", "USD-PERP"),
        ("1000PEPEUSDT", "PEPE", "1000 USDT"),
        ("kPEPE", "PEPE", "k"),
        ("BTC", "BTC", ""),
        ("XBTUSD", "BTC", "XBTUSD"),
    ],
)
def test_what_a_symbol_says_besides_its_ticker(symbol: str, ticker: str, part: str) -> None:
    assert own_part(symbol, ticker) == part


def test_a_market_alone_under_its_name_needs_no_other() -> None:
    assert names([market("BTC"), market("BTC", "binance"), market("ETH")], 9) == {}


def test_the_plain_one_stays_plain_beside_that_of_a_dex() -> None:
    plain = market("BTC", symbol="BTC")
    builder = market("BTC", symbol="hyna:BTC")
    assert names([plain, builder], 9) == {builder.market_id: "BTC hyna"}


def test_classes_are_told_apart_across_exchanges() -> None:
    coin, share = market("BB", "paradex"), market("BB", "binance", asset_class="equity")
    assert names([coin, share], 9) == {coin.market_id: "BB crypto", share.market_id: "BB equity"}
    assert of_several_classes([("BB", "crypto"), ("BB", "equity"), ("BB", "crypto"), ("X", "fx")]) == {"BB"}


def test_one_word_is_enough() -> None:
    one, other = market("SOL", symbol="SOL"), market("SOL", symbol="hyna:SOL")
    share = market("SOL", "binance", asset_class="equity")
    assert set(names([one, other, share], 9).values()) == {"SOL crypto", "SOL hyna", "SOL equity"}


def test_the_ticker_gives_way_to_what_tells_apart() -> None:
    one, other = (market("FARTCOIN", symbol=f"FARTCOIN{quote}") for quote in ("USDT", "USDC"))
    assert names([one, other], 9) == {one.market_id: "FART…USDT", other.market_id: "FART…USDC"}
    assert names([one, other], 14)[one.market_id] == "FARTCOIN USDT"
