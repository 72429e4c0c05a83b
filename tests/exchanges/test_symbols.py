import pytest

from fundwatch.exchanges import REGISTRY
from fundwatch.exchanges.symbols import example, market_named
from fundwatch.models import Asset, AssetClass

CRYPTO = AssetClass.CRYPTO


@pytest.mark.parametrize(
    ("exchange", "symbol", "asset", "group"),
    [
        ("binance", "BTCUSDT", Asset("BTC", CRYPTO), ""),
        ("binance", "1000PEPEUSDC", Asset("PEPE", CRYPTO, 1000.0), ""),
        ("binance", "币安人生USDT", Asset("币安人生", CRYPTO), ""),
        ("aster", "TSLAUSDT", Asset("TSLA", AssetClass.EQUITY), ""),
        ("extended", "TSLA_24_5-USD", Asset("TSLA", AssetClass.EQUITY), ""),
        ("paradex", "kPEPE-USD-PERP", Asset("PEPE", CRYPTO, 1000.0), ""),
        ("hyperliquid", "kBONK", Asset("BONK", CRYPTO, 1000.0), ""),
        ("hyperliquid", "xyz:GOLD", Asset("XAU", AssetClass.COMMODITY), "xyz"),
        ("lighter", "EURUSD", Asset("EURUSD", AssetClass.FX), ""),
        ("variational", "ETH", Asset("ETH", CRYPTO), ""),
    ],
)
def test_a_market_is_read_from_its_name(exchange: str, symbol: str, asset: Asset, group: str) -> None:
    market = market_named(exchange, symbol)
    assert market is not None
    assert (market.symbol, market.asset, market.group) == (symbol, asset, group)


@pytest.mark.parametrize("exchange", ["hyperliquid", "lighter", "variational"])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTC-USD", "BTC-USD-PERP", "BTCUSD_PERP", "BTC/USDC:USDC"])
def test_bare_names_have_no_quote(exchange: str, symbol: str) -> None:
    assert market_named(exchange, symbol) is None


@pytest.mark.parametrize(
    ("exchange", "symbol"),
    [
        ("binance", "BTC"),
        ("binance", "btcusdt"),
        ("binance", "BTCUSDT_260327"),
        ("aster", "BTC-USD"),
        ("extended", "BTC-USD-PERP"),
        ("extended", "BTC"),
        ("paradex", "BTC-USD"),
        ("paradex", "BTC-USD-27MAR26-100000-C"),
    ],
)
def test_what_is_written_otherwise_is_no_market_there(exchange: str, symbol: str) -> None:
    assert market_named(exchange, symbol) is None


@pytest.mark.parametrize("exchange", REGISTRY)
def test_every_exchange_has_an_example_that_is_one(exchange: str) -> None:
    assert market_named(exchange, example(exchange).partition(",")[0]) is not None
