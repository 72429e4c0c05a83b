"""The market lists of the seven demo exchanges: which assets, under which names, with which habits."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from fundwatch.demo import assets
from fundwatch.demo.assets import Asset
from fundwatch.demo.markets import DemoMarket, Listing, listed_hour
from fundwatch.demo.noise import pick, share

_TRADFI = assets.INDEX + assets.ETF + assets.COMMODITY + assets.FX + assets.PRELAUNCH + assets.EQUITY
_TWO_THINGS = {"BB", "QNT", "CAT"}
_THOUSANDS = (
    "PEPE", "SHIB", "BONK", "FLOKI", "LUNC", "XEC", "SATS", "RATS", "CAT", "CHEEMS", "WHY", "TOSHI",
)  # fmt: skip

_MULTIPLES: dict[str, dict[str, tuple[str, float]]] = {
    "binance": {t: (f"1000{t}", 1e3) for t in _THOUSANDS}
    | {"MOG": ("1000000MOG", 1e6), "BOB": ("1000000BOB", 1e6), "BABYDOGE": ("1MBABYDOGE", 1e6)},
    "lighter": {t: (f"1000{t}", 1e3) for t in ("PEPE", "SHIB", "BONK", "FLOKI", "TOSHI")},
    "hyperliquid": {
        t: (f"k{t}", 1e3) for t in ("PEPE", "SHIB", "BONK", "FLOKI", "LUNC", "NEIRO", "DOGS")
    },
    "extended": {t: (f"1000{t}", 1e3) for t in ("PEPE", "SHIB", "BONK", "FLOKI")}
    | {t: (f"k{t}", 1e3) for t in ("NOT", "XEC", "NEIRO")},
    "paradex": {t: (f"k{t}", 1e3) for t in ("PEPE", "SHIB", "BONK")},
    "variational": {t: (f"1000{t}", 1e3) for t in ("PEPE", "SHIB", "BONK", "FLOKI", "LUNC", "CAT")}
    | {"MOG": ("1000000MOG", 1e6), "NEIRO": ("1NEIRO", 1.0), "FF": ("FF0", 1.0)},
}  # fmt: skip
_MULTIPLES["aster"] = _MULTIPLES["binance"]
_TOO_SMALL_ALONE = set(_THOUSANDS) | {"MOG", "BOB", "BABYDOGE"}

_CHANGING: dict[tuple[str, str], tuple[int, ...]] = {
    ("binance", "KAITO"): (8, 4), ("binance", "VVV"): (4, 1), ("binance", "ZRO"): (8, 4),
    ("aster", "KAITO"): (8, 4), ("aster", "BERA"): (4, 1), ("aster", "MON"): (2,), ("aster", "SYRUP"): (2,),
    ("variational", "KAITO"): (8, 4),
}  # fmt: skip


def _chosen(exchange: str, pool: Iterable[Asset], count: int, without: Iterable[str] = ()) -> list[Asset]:
    """The largest of a pool with a few left out, as each exchange misses some that others have."""
    left_out = set(without) | (_TOO_SMALL_ALONE - _MULTIPLES[exchange].keys())
    taken: list[Asset] = []
    for asset in pool:
        if asset.ticker in left_out or len(taken) == count:
            continue
        if asset.rank < 40 or share(0, "chosen", exchange, asset.key) > 0.06:
            taken.append(asset)
    return taken


def _without_twins(pool: Iterable[Asset]) -> list[Asset]:
    return [asset for asset in pool if asset.ticker not in _TWO_THINGS]


def _base(exchange: str, asset: Asset) -> tuple[str, float]:
    if asset.asset_class == "crypto":
        return _MULTIPLES[exchange].get(asset.ticker, (asset.ticker, 1.0))
    return asset.ticker, 1.0


def _intervals(exchange: str, asset: Asset, one: int, four: int) -> tuple[int, ...]:
    """1, 4 or 8 hours: `one` and `four` percent of the assets have the short ones."""
    if changing := _CHANGING.get((exchange, asset.ticker)):
        return changing
    at = pick(0, 100, "interval", "" if exchange == "variational" else exchange, asset.key)
    if asset.rank < 10 and asset.asset_class == "crypto":
        return (8,)
    return (1,) if at < one else (4,) if at < one + four else (8,)


def _fapi(exchange: str, asset: Asset, quote: str = "USDT", size: float = 1.0) -> DemoMarket:
    base, multiplier = _base(exchange, asset)
    if asset.asset_class == "commodity":
        base = {"WTI": "CL", "BRENTOIL": "BZ"}.get(base, base)
    interest = 0.0001
    if asset.asset_class in ("equity", "etf", "commodity", "prelaunch"):
        interest = (0.0001, 0.00005, 0.0)[pick(0, 3, "interest", exchange, asset.key)]
    one, four = (5, 60) if exchange == "binance" else (13, 47)
    return DemoMarket(
        exchange,
        base + quote,
        asset,
        multiplier,
        _intervals(exchange, asset, one, four),
        listed_hour(exchange, base + quote),
        quote=quote,
        interest_8h=interest,
        size=size,
    )


def _binance() -> Iterator[DemoMarket]:
    without = {"A", "Q", "PURR", "XAUT"}
    yield from (_fapi("binance", a) for a in _chosen("binance", assets.CRYPTO, 526, without))
    yield from (_fapi("binance", a, "USDC", 0.08) for a in assets.CRYPTO[:38])
    yield from (_fapi("binance", a) for a in assets.BASKETS)
    tradfi = assets.ETF + assets.COMMODITY + assets.PRELAUNCH + assets.EQUITY
    yield from (_fapi("binance", a) for a in _chosen("binance", tradfi, 168, {"BB", "QNT"}))


def _aster() -> Iterator[DemoMarket]:
    yield from (_fapi("aster", a) for a in _chosen("aster", assets.CRYPTO, 428, {"PURR"}))
    yield from (_fapi("aster", a, "USD1", 0.05) for a in assets.CRYPTO[:36])
    yield from (_fapi("aster", a, "USDC", 0.03) for a in assets.CRYPTO[:14])
    tradfi = assets.COMMODITY + assets.ETF[:6] + assets.EQUITY
    yield from (_fapi("aster", a) for a in _chosen("aster", tradfi, 110, {"BB", "QNT"}))


def _lighter() -> Iterator[DemoMarket]:
    ether_first = (assets.CRYPTO[1], assets.CRYPTO[0], *assets.CRYPTO[2:])
    coins = _chosen("lighter", ether_first, 137, _TWO_THINGS)
    coins += _chosen("lighter", _TRADFI, 72, _TWO_THINGS)
    coins += [asset for asset in assets.EQUITY if asset.ticker == "QNT"]  # the share, under the coin's name
    closed = _chosen("lighter", assets.CRYPTO[200:], 17)
    for number, asset in enumerate(coins + closed):
        base, multiplier = _base("lighter", asset)
        interest = 0.0001 if asset.asset_class == "crypto" else 0.0 if asset.asset_class == "fx" else 0.000032
        born = listed_hour("lighter", base)
        end = born + 24 * 90 if number >= len(coins) else None
        yield DemoMarket(
            "lighter", base, asset, multiplier, (1,), born, end, interest_8h=interest, venue_id=number
        )


_DEXES = {
    "xyz": (0.5, """
        GOLD=XAU SILVER=XAG CL=WTI BRENTOIL COPPER=XCU PLATINUM=XPT PALLADIUM=XPD NATGAS URANIUM ALUMINIUM
        CORN
        WHEAT EUR=EURUSD GBP=GBPUSD JPY=USDJPY KRW=USDKRW XYZ100=US100 SP500=US500 JP225 KR200 DXY VIX BB QNT
    """),
    "flx": (0.0, """
        COIN CRCL NVDA TSLA GOLD=XAU SILVER=XAG COPPER=XCU PLATINUM=XPT PALLADIUM=XPD GAS=NATGAS OIL=WTI
        USA100=US100 USA500=US500 XMR EUR=EURUSD
    """),
    "vntl": (0.0, """
        OPENAI ANTHROPIC SPACEX STRIPE DATABRICKS ANDURIL GOLDJM=XAU SILVERJM=XAG WHEAT CORN SEMIS=SMH
        ENERGY=XLE
        NUCLEAR=URNM MAG7=QQQ BIOTECH=IWM
    """),
    "hyna": (1.0, """
        BTC ETH SOL XRP BNB HYPE DOGE ZEC SUI ADA LINK LTC BCH ENA XMR PUMP FARTCOIN IP XPL LIT AAVE NEAR
        GOLD=XAU
        SILVER=XAG
    """),
    "km": (1.0, """
        US500 USTECH=US100 SMALL2000=US2000 GOLD=XAU SILVER=XAG USOIL=WTI EUR=EURUSD NVDA TSLA AAPL GOOGL
        PLTR MU
        BABA TENCENT XIAOMI BMNR RTX SEMI=SMH USENERGY=XLE META MSFT
    """),
    "cash": (0.5, """
        AMZN GOOGL HOOD INTC META MSFT NVDA TSLA GOLD=XAU SILVER=XAG WTI USA500=US500 EWY KWEB AAPL
    """),
    "para": (0.6, """
        AVGO BTC ETH SOL XRP BNB NVDA TSLA AAPL MSFT GOOGL AMZN META AMD PLTR MSTR COIN HOOD
        CRCL MU
    """),
    "mkts": (1.0, "BTC ETH"),
}  # fmt: skip
"""Each builder dex with its funding multiplier and its markets, by another name where it has one."""

DEXES = (*_DEXES, "abcd")
"""Builder dexes in the order of `perpDexs`; abcd has no markets."""


def _dex(dex: str, factor: float, names: str) -> Iterator[DemoMarket]:
    by_ticker = {a.ticker: a for a in (*assets.CRYPTO, *_TRADFI)}
    pairs = []
    for word in names.split():
        name, _, ticker = word.partition("=")
        pairs.append((name, by_ticker[ticker or name]))
    if dex == "xyz":
        taken = {a.ticker for _, a in pairs}
        more = (*assets.ETF, *assets.EQUITY)
        pairs += [(a.ticker, a) for a in more if a.ticker not in taken][: 114 - len(pairs)]
    for name, asset in pairs:
        symbol = f"{dex}:{name}"
        born = listed_hour("hyperliquid", symbol)
        size = 0.4 if dex == "xyz" else 0.03
        yield DemoMarket("hyperliquid", symbol, asset, 1.0, (1,), born, group=dex, factor=factor, size=size)


def _hyperliquid() -> Iterator[DemoMarket]:
    coins = _chosen("hyperliquid", assets.CRYPTO, 230, _TWO_THINGS)
    for at, asset in enumerate(coins):
        base, multiplier = _base("hyperliquid", asset)
        born = listed_hour("hyperliquid", base)
        end = born + 24 * 120 if at >= 40 and at % 5 == 1 else None
        yield DemoMarket("hyperliquid", base, asset, multiplier, (1,), born, end)
    for dex, (factor, names) in _DEXES.items():
        yield from _dex(dex, factor, names)


def _extended() -> Iterator[DemoMarket]:
    names = {"US500": "SPX500m", "US100": "TECH100m", "NATGAS": "XNG", "BRENTOIL": "XBR", "EURUSD": "EUR",
             "GBPUSD": "GBP", "USDJPY": "USDJPY", "MU": "MU_24_5", "INTC": "INTC_24_5"}  # fmt: skip
    listed = _chosen("extended", assets.CRYPTO, 148, _TWO_THINGS) + _chosen("extended", _TRADFI, 173, {"CAT"})
    gone = _chosen("extended", assets.CRYPTO[190:], 60, _TWO_THINGS | {a.ticker for a in listed})
    for at, asset in enumerate(listed + gone):
        base, multiplier = _base("extended", asset)
        symbol = (base if asset.asset_class == "crypto" else names.get(base, base)) + "-USD"
        interest = 0.0001 if asset.asset_class == "crypto" else 0.00004
        born = listed_hour("extended", symbol)
        end = born + 24 * 150 if at >= len(listed) else None
        yield DemoMarket("extended", symbol, asset, multiplier, (1,), born, end, interest_8h=interest)


def _paradex() -> Iterator[DemoMarket]:
    tradfi = (*assets.COMMODITY[:6], *_without_twins(assets.EQUITY)[:21])
    for asset in _chosen("paradex", assets.CRYPTO, 71, _TWO_THINGS) + list(tradfi):
        base, multiplier = _base("paradex", asset)
        symbol = f"{base}-USD-PERP"
        factor = 1.0 if asset.asset_class == "crypto" else 0.5
        period = (1,) if asset.ticker in ("HYPER", "LIT", "MET") else (8,)
        yield DemoMarket(
            "paradex", symbol, asset, multiplier, period, listed_hour("paradex", symbol), factor=factor
        )


def _variational() -> Iterator[DemoMarket]:
    tradfi = (*assets.PRELAUNCH, *assets.COMMODITY[:6], *assets.ETF[:4], *_without_twins(assets.EQUITY)[:54])
    caterpillar = tuple(a for a in assets.EQUITY if a.ticker == "CAT" and a not in tradfi)
    coins = _chosen("variational", assets.CRYPTO, 476, {"BB"})
    for asset in (*coins, *tradfi, *caterpillar):
        base, multiplier = _base("variational", asset)
        crypto = asset.asset_class == "crypto"
        prelaunch = asset.asset_class == "prelaunch"
        yield DemoMarket(
            "variational",
            base,
            asset,
            multiplier,
            _intervals("variational", asset, 1, 55),
            listed_hour("variational", base),
            interest_8h=0.00005 if prelaunch else 0.0001,
            factor=1.0 if crypto or prelaunch else 0.0,
        )


_BUILDERS = {
    "lighter": (_lighter, "{}", (1,)),
    "hyperliquid": (_hyperliquid, "{}", (1,)),
    "binance": (_binance, "{}USDT", (4,)),
    "aster": (_aster, "{}USDT", (4,)),
    "extended": (_extended, "{}-USD", (1,)),
    "paradex": (_paradex, "{}-USD-PERP", (8,)),
    "variational": (_variational, "{}", (4,)),
}
EXCHANGES: Sequence[str] = tuple(_BUILDERS)


@cache
def listing(exchange: str) -> Listing:
    build, form, intervals = _BUILDERS[exchange]
    lasting = tuple(build())
    pattern = DemoMarket(exchange, "", assets.CRYPTO[-1], 1.0, intervals, 0)
    return Listing(lasting, pattern, form, 230)
