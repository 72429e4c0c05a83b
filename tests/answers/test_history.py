"""What was paid for one asset, whatever a person calls it."""

from typing import Any

import msgspec
import pytest

from fundwatch.answers.history import History, UnknownAsset, history, nothing_yet
from fundwatch.models import Kind, Source
from tests.answers.stage import END, NOW, Stage
from tests.storage.ledger import hour, paid


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """BTC on two exchanges, PEPE in thousands and alone, BB as a coin and as an equity."""
    for exchange, symbol, columns in (
        ("aster", "BTCUSDT", {"ticker": "BTC"}),
        ("lighter", "BTC", {"ticker": "BTC"}),
        ("aster", "1000PEPEUSDT", {"ticker": "PEPE", "multiplier": 1000.0}),
        ("lighter", "1000PEPE", {"ticker": "PEPE", "multiplier": 1000.0}),
        ("aster", "BBUSDT", {"ticker": "BB"}),
        ("hyperliquid", "xyz:BB", {"ticker": "BB", "asset_class": "equity"}),
        ("hyperliquid", "xyz:GOLD", {"ticker": "XAU", "asset_class": "commodity"}),
        ("aster", "OLDUSDT", {"ticker": "OLD", "status": "delisted"}),
    ):
        stage.market(symbol, exchange=exchange, **columns)
    return stage


def shown(stage: Stage, asset: str, days: float = 7) -> History:
    with stage.read() as db:
        return history(db, asset, NOW, days=days)


def settle(stage: Stage, exchange: str, *rows: Any, source: Source = Source.EXCHANGE) -> None:
    stage.exchange = exchange
    stage.save(*rows, source=source)


def markets(found: History) -> list[tuple[str, str, str]]:
    return [(series.exchange, series.symbol, series.asset_class) for series in found.series]


def test_a_settlement_by_hand(stage: Stage) -> None:
    settle(stage, "aster", paid(END - 4, -0.0001, 4.0, symbol="BTCUSDT"))
    found = shown(stage, "BTC")
    assert found.asset == "BTC"
    assert markets(found) == [("aster", "BTCUSDT", "crypto"), ("lighter", "BTC", "crypto")]
    assert found.series[1].settlements == []
    (row,) = found.series[0].settlements
    assert msgspec.structs.asdict(row) == {
        "funding_time": hour(END - 4),
        "rate": -0.0001,
        "interval_hours": 4.0,
        "hourly_rate": -0.000025,
        "apr_percent": pytest.approx(-21.9),
        "kind": "regular",
        "source": "exchange",
    }


def test_oldest_first_and_only_of_the_days_asked_for(stage: Stage) -> None:
    settle(stage, "lighter", *(paid(end, symbol="BTC") for end in (END, END - 30, END - 5)))
    rows = shown(stage, "BTC").series[1].settlements
    assert [row.funding_time for row in rows] == [hour(END - 30), hour(END - 5), hour(END)]
    rows = shown(stage, "BTC", days=1).series[1].settlements
    assert [row.funding_time for row in rows] == [hour(END - 5), hour(END)]


def test_an_interval_that_is_not_known_is_null_and_so_are_its_rates(stage: Stage) -> None:
    settle(stage, "aster", paid(END, 0.0001, None, symbol="BTCUSDT"))
    (row,) = shown(stage, "BTC").series[0].settlements
    assert (row.rate, row.interval_hours, row.hourly_rate, row.apr_percent) == (0.0001, None, None, None)


def test_a_special_payment_and_a_recorded_one_say_so(stage: Stage) -> None:
    settle(stage, "aster", paid(END, 0.001, 0.0, symbol="BTCUSDT", kind=Kind.SPECIAL))
    settle(stage, "lighter", paid(END, 0.00001, symbol="BTC"), source=Source.RECORDED)
    aster, lighter = shown(stage, "BTC").series
    special, recorded = aster.settlements[0], lighter.settlements[0]
    assert (special.kind, special.source, special.hourly_rate) == ("special", "exchange", None)
    assert (recorded.kind, recorded.source) == ("regular", "recorded")


@pytest.mark.parametrize(
    "text", ["BTC", "btc", " Btc ", "xbt", "btcusdt", "BTCUSDT", "BTC:crypto", "btc:CRYPTO"]
)
def test_an_asset_has_many_names(stage: Stage, text: str) -> None:
    assert shown(stage, text).asset == "BTC"
    assert len(shown(stage, text).series) == 2


@pytest.mark.parametrize("text", ["pepe", "kPEPE", "1000PEPE", "1000pepeusdt"])
def test_multipliers_are_part_of_the_name_not_of_the_asset(stage: Stage, text: str) -> None:
    found = shown(stage, text)
    assert (found.asset, len(found.series)) == ("PEPE", 2)


def test_an_alias_of_a_commodity(stage: Stage) -> None:
    assert shown(stage, "gold").asset == "XAU"


def test_a_ticker_of_two_things_shows_both_and_a_class_picks_one(stage: Stage) -> None:
    assert markets(shown(stage, "bb")) == [
        ("aster", "BBUSDT", "crypto"),
        ("hyperliquid", "xyz:BB", "equity"),
    ]
    assert markets(shown(stage, "BB:equity")) == [("hyperliquid", "xyz:BB", "equity")]
    assert markets(shown(stage, "bb:crypto")) == [("aster", "BBUSDT", "crypto")]


def test_a_venues_symbol_means_its_asset_on_every_exchange(stage: Stage) -> None:
    assert shown(stage, "xyz:gold").asset == "XAU"
    assert shown(stage, "btcusdt").series[1].symbol == "BTC"


def test_one_answer_is_about_one_ticker(stage: Stage) -> None:
    """Somebody lists a coin GOLD: that is what is spelt like it, and XAU stays XAU."""
    stage.market("GOLDUSDT", exchange="aster", ticker="GOLD")
    assert markets(shown(stage, "gold")) == [("aster", "GOLDUSDT", "crypto")]
    assert markets(shown(stage, "xau")) == [("hyperliquid", "xyz:GOLD", "commodity")]


def test_delisted_markets_keep_their_history(stage: Stage) -> None:
    settle(stage, "aster", paid(END - 20, symbol="OLDUSDT"))
    assert len(shown(stage, "old").series[0].settlements) == 1
    assert shown(stage, "oldusdt").asset == "OLD"


def test_the_largest_market_of_an_exchange_comes_first(stage: Stage) -> None:
    for symbol, volume in (("BTCUSD1", 1.0), ("BTCUSDC", 9.0)):
        market = stage.market(symbol, exchange="aster", ticker="BTC")
        stage.quote(market, volume_24h_usd=volume)
    found = [symbol for exchange, symbol, _ in markets(shown(stage, "btc")) if exchange == "aster"]
    assert found == ["BTCUSDC", "BTCUSD1", "BTCUSDT"]


@pytest.mark.parametrize(
    ("text", "near"), [("PEPEE", "PEPE"), ("bt", "BTC"), ("BTC:equity", "BTC"), ("xua", "XAU")]
)
def test_an_unknown_name_brings_the_nearest_ones(stage: Stage, text: str, near: str) -> None:
    with pytest.raises(UnknownAsset) as caught:
        shown(stage, text)
    assert str(caught.value).startswith(f"no market is about {text!r}; near it: ")
    assert near in str(caught.value)


def test_a_name_like_nothing_has_no_hint(stage: Stage) -> None:
    with pytest.raises(UnknownAsset, match=r"^no market is about 'qqqqqqqq'$"):
        shown(stage, "qqqqqqqq")


def test_before_anything_was_collected_no_name_is_unknown(stage: Stage) -> None:
    stage.change("DELETE FROM market")
    assert shown(stage, "btc") == nothing_yet("btc") == History("BTC", [])
