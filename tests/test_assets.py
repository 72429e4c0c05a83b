import pytest

from fundwatch.assets import Overrides, identify, listed_class, nearest, overridden, resolve
from fundwatch.models import Asset, AssetClass, Market

CRYPTO, EQUITY, INDEX = AssetClass.CRYPTO, AssetClass.EQUITY, AssetClass.INDEX
COMMODITY, FX, PRELAUNCH = AssetClass.COMMODITY, AssetClass.FX, AssetClass.PRELAUNCH


@pytest.mark.parametrize(
    ("base", "ticker", "multiplier"),
    [
        ("kPEPE", "PEPE", 1e3),
        ("kNEIRO", "NEIRO", 1e3),
        ("kNOT", "NOT", 1e3),
        ("kXEC", "XEC", 1e3),
        ("1000PEPE", "PEPE", 1e3),
        ("1000CAT", "CAT", 1e3),
        ("1000CHEEMS", "CHEEMS", 1e3),
        ("1000SATS", "SATS", 1e3),
        ("1000AI16Z", "AI16Z", 1e3),
        ("10000WHY", "WHY", 1e4),
        ("1000000MOG", "MOG", 1e6),
        ("1000000BOB", "BOB", 1e6),
        ("1MBABYDOGE", "BABYDOGE", 1e6),
        ("MSATS", "SATS", 1e6),
    ],
)
def test_a_multiplier_is_taken_off_the_name(base: str, ticker: str, multiplier: float) -> None:
    assert identify(base) == Asset(ticker, CRYPTO, multiplier)
    assert identify(base, asset_class=CRYPTO) == Asset(ticker, CRYPTO, multiplier)


@pytest.mark.parametrize(
    "base",
    [
        "KAITO",
        "KAS",
        "KNC",
        "KPEPE",
        "KMNO",
        "KSM",
        "1INCH",
        "0G",
        "2Z",
        "4",
        "1000X",
        "1000",
        "MOG",
        "LUNA2",
        "BTC",
        "币安人生",
        "S",
        "W",
        "1MIL",
        "100X",
    ],
)
def test_a_name_that_only_looks_like_a_multiplier_stays_whole(base: str) -> None:
    assert identify(base) == Asset(base, CRYPTO, 1.0)


def test_only_a_lower_case_k_before_a_known_coin_is_a_thousand() -> None:
    assert identify("kAITO").ticker == "KAITO"
    assert identify("KSHIB").ticker == "KSHIB"


def test_an_equity_keeps_digits_and_k() -> None:
    assert identify("KLAC") == Asset("KLAC", EQUITY)
    assert identify("1000CAT", asset_class=EQUITY) == Asset("1000CAT", EQUITY)


@pytest.mark.parametrize(
    ("base", "ticker"),
    [
        ("XBT", "BTC"),
        ("OPN_OPINION", "OPN"),
        ("RE_ETH", "RE"),
        ("1NEIRO", "NEIRO"),
        ("FF0", "FF"),
        ("BTR0", "BTR"),
    ],
)
def test_other_spellings_of_a_coin(base: str, ticker: str) -> None:
    assert identify(base) == Asset(ticker, CRYPTO)


@pytest.mark.parametrize(
    ("base", "ticker", "asset_class"),
    [
        ("xyz:GOLD", "XAU", COMMODITY),
        ("GOLD", "XAU", COMMODITY),
        ("SILVER", "XAG", COMMODITY),
        ("CL", "WTI", COMMODITY),
        ("XNG", "NATGAS", COMMODITY),
        ("XBR", "BRENTOIL", COMMODITY),
        ("SP500", "SP500", INDEX),
        ("US500", "SP500", INDEX),
        ("SPX500m", "SP500", INDEX),
        ("TECH100m", "US100", INDEX),
        ("XYZ100", "US100", INDEX),
        ("xyz:EUR", "EURUSD", FX),
        ("EURUSD", "EURUSD", FX),
        ("JPY", "USDJPY", FX),
        ("OAI", "OPENAI", PRELAUNCH),
        ("ANTH", "ANTHROPIC", PRELAUNCH),
        ("vntl:SPACEX", "SPACEX", PRELAUNCH),
        ("TSLA", "TSLA", EQUITY),
        ("MU_24_5", "MU", EQUITY),
        ("SPY", "SPY", EQUITY),
        ("QQQ", "QQQ", EQUITY),
    ],
)
def test_the_tables_know_what_is_no_coin(base: str, ticker: str, asset_class: AssetClass) -> None:
    assert identify(base) == Asset(ticker, asset_class)


@pytest.mark.parametrize("ticker", ["PAXG", "XAUT"])
@pytest.mark.parametrize("stated", [None, CRYPTO, COMMODITY])
def test_a_token_backed_by_gold_is_a_coin_of_its_own(ticker: str, stated: AssetClass | None) -> None:
    assert identify(ticker, asset_class=stated) == Asset(ticker, CRYPTO)


def test_spx_is_the_coin_unless_the_venue_calls_it_an_index() -> None:
    assert identify("SPX") == Asset("SPX", CRYPTO)
    assert identify("SPX", asset_class=CRYPTO) == Asset("SPX", CRYPTO)
    assert identify("SPX", asset_class=INDEX) == Asset("SP500", INDEX)


@pytest.mark.parametrize("ticker", ["CAT", "BB", "QNT", "BE", "LITE", "BOT", "GAS", "DIA"])
def test_a_ticker_of_two_things_is_the_coin_without_a_hint_and_the_share_with_one(ticker: str) -> None:
    assert identify(ticker) == Asset(ticker, CRYPTO)
    assert identify(ticker, asset_class=EQUITY) == Asset(ticker, EQUITY)
    assert identify(ticker, name="Something Inc.") == Asset(ticker, EQUITY)


@pytest.mark.parametrize(
    "name",
    [
        "Caterpillar Inc.",
        "Nokia Corp",
        "Alphabet Inc. Class A",
        "Vanguard S&P 500 ETF",
        "ASML Holding N.V.",
        "Arm Holdings PLC",
        "Eli Lilly and Company",
        "Tesla, Inc. (TSLA)",
        "SPDR Gold Shares",
        "SAP SE",
    ],
)
def test_the_long_name_of_a_company_or_fund_means_equity(name: str) -> None:
    assert identify("QZX", name=name) == Asset("QZX", EQUITY)


@pytest.mark.parametrize(
    "name",
    ["Bitcoin", "Trust Wallet Token", "Ethereum Classic", "Incentive", "Corporate Punk", "Cosmos", "Usual"],
)
def test_the_long_name_of_a_coin_does_not(name: str) -> None:
    assert identify("QZX", name=name) == Asset("QZX", CRYPTO)


def test_the_venue_decides_between_coin_and_share() -> None:
    assert identify("META", asset_class=CRYPTO) == Asset("META", CRYPTO)
    assert identify("GOLD", asset_class=EQUITY, name="Barrick") == Asset("GOLD", EQUITY)
    assert identify("CL", asset_class=EQUITY) == Asset("CL", EQUITY)
    assert identify("CAT", asset_class=CRYPTO, name="Caterpillar Inc.") == Asset("CAT", CRYPTO)


def test_a_fund_filed_under_its_index_is_still_a_share_and_not_the_index() -> None:
    assert identify("SPY", asset_class=INDEX) == Asset("SPY", EQUITY)
    assert identify("USO", asset_class=COMMODITY) == Asset("USO", EQUITY)


@pytest.mark.parametrize("stated", [None, EQUITY, PRELAUNCH])
def test_a_company_before_its_launch_is_the_same_on_every_exchange(stated: AssetClass | None) -> None:
    assert identify("OPENAI", asset_class=stated) == Asset("OPENAI", PRELAUNCH)
    assert identify("OAI", asset_class=stated) == Asset("OPENAI", PRELAUNCH)


def test_a_venue_that_does_not_know_leaves_it_to_the_tables_and_then_to_unknown() -> None:
    assert identify("TSLA", asset_class=AssetClass.UNKNOWN) == Asset("TSLA", EQUITY)
    assert identify("QZX", asset_class=AssetClass.UNKNOWN) == Asset("QZX", AssetClass.UNKNOWN)
    assert identify("1000PEPE", asset_class=AssetClass.UNKNOWN) == Asset("PEPE", CRYPTO, 1e3)


def test_identifying_an_identified_ticker_changes_nothing() -> None:
    for base in ["kPEPE", "XBT", "GOLD", "US500", "EUR", "OAI", "TSLA", "CAT", "SPX", "PAXG", "NIKKEI"]:
        asset = identify(base)
        assert identify(asset.ticker, asset_class=asset.asset_class) == asset._replace(multiplier=1.0)


def test_the_listed_class_of_a_coin_is_unknown() -> None:
    assert listed_class("BTC") is None
    assert listed_class("tsla") is EQUITY
    assert listed_class("GOLD") is COMMODITY


KNOWN = [
    Asset("BTC", CRYPTO),
    Asset("PEPE", CRYPTO, 1e3),
    Asset("PEPE", CRYPTO, 1.0),
    Asset("BB", CRYPTO),
    Asset("BB", EQUITY),
    Asset("XAU", COMMODITY),
    Asset("SPX", CRYPTO),
    Asset("SP500", INDEX),
    Asset("KAITO", CRYPTO),
]


@pytest.mark.parametrize(
    "text", ["PEPE", "pepe", "kPEPE", "kpepe", "KPEPE", "1000pepe", " Pepe ", "pepe:crypto"]
)
def test_a_person_may_write_an_asset_in_any_way_the_venues_do(text: str) -> None:
    assert resolve(text, KNOWN) == [Asset("PEPE", CRYPTO)]


def test_a_ticker_of_two_assets_gives_both_unless_the_class_is_named() -> None:
    assert resolve("bb", KNOWN) == [Asset("BB", CRYPTO), Asset("BB", EQUITY)]
    assert resolve("BB:equity", KNOWN) == [Asset("BB", EQUITY)]
    assert resolve("bb:CRYPTO", KNOWN) == [Asset("BB", CRYPTO)]
    assert resolve("BB:fx", KNOWN) == []


def test_aliases_and_venue_symbols_resolve() -> None:
    assert resolve("gold", KNOWN) == [Asset("XAU", COMMODITY)]
    assert resolve("xyz:GOLD", KNOWN) == [Asset("XAU", COMMODITY)]
    assert resolve("xbt", KNOWN) == [Asset("BTC", CRYPTO)]
    assert resolve("us500", KNOWN) == [Asset("SP500", INDEX)]
    assert resolve("spx:index", KNOWN) == [Asset("SP500", INDEX)]
    assert resolve("kaito", KNOWN) == [Asset("KAITO", CRYPTO)]


@pytest.mark.parametrize("text", ["NOPE", "", ":", ":equity", "BB:what"])
def test_an_unknown_name_resolves_to_nothing(text: str) -> None:
    assert resolve(text, KNOWN) == []


def test_the_nearest_names_come_best_first_and_keep_their_case() -> None:
    names = ["BTC", "ETH", "kPEPE", "PEPECOIN", "SOL"]
    assert nearest("pepe", names)[0] == "kPEPE"
    assert nearest("BTX", names) == ["BTC"]
    assert nearest("zzzzzz", names) == []
    assert len(nearest("A", [f"A{i}" for i in range(9)], n=2)) == 2


def test_an_override_beats_what_the_venue_says_and_touches_no_other_market() -> None:
    market = Market("hyperliquid", "xyz:BB", Asset("BB", CRYPTO))
    said = Overrides(
        ticker={"hyperliquid:xyz:BB": "BLACKBERRY"},
        asset_class={"hyperliquid:xyz:BB": EQUITY},
        multiplier={"hyperliquid:xyz:BB": 10.0},
    )
    assert overridden(market, said).asset == Asset("BLACKBERRY", EQUITY, 10.0)
    assert overridden(market, Overrides(asset_class={"hyperliquid:xyz:BB": EQUITY})).asset == Asset(
        "BB", EQUITY
    )
    other = Market("lighter", "xyz:BB", Asset("BB", CRYPTO))
    assert overridden(other, said) is other


def test_a_market_called_different_shares_its_name_with_no_other() -> None:
    market = Market("aster", "BBUSDT", Asset("BB", CRYPTO))
    apart = overridden(market, Overrides(different=["aster:BBUSDT"]))
    assert apart.asset != market.asset
    assert apart.asset.asset_class is CRYPTO
    assert apart.symbol == "BBUSDT"
