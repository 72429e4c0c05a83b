"""Which markets are about the same asset: multipliers, aliases, classes.

Everything here only proposes: two markets of one name and class are paired as long as their prices
agree. The tables join spellings of one thing and keep apart what merely sounds alike: a token that is
backed by gold (PAXG, XAUT) is not gold, a fund (SPY, QQQ, USO) is neither its index nor its future.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from fundwatch.models import Asset, AssetClass, Market


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_THOUSANDS = _words("PEPE SHIB BONK FLOKI LUNC NEIRO DOGS NOT XEC SATS RATS TOSHI CAT CHEEMS WHY")
"""Behind a lower-case k (Hyperliquid, Paradex, Extended). KAITO, KAS, KNC, KLAC are names."""

_MILLIONS = {"1MBABYDOGE": "BABYDOGE", "MBABYDOGE": "BABYDOGE", "MSATS": "SATS"}
_DIGITS = re.compile(r"(1000000|10000|1000)([^\W\d_]{2}.*)")
"""At least two letters must follow: 1INCH, 0G, 2Z, 4 are names, and so would be 1000X."""

_SESSION = "_24_5"
"""Extended's variant of an equity that trades in sessions."""

_CRYPTO = {"XBT": "BTC", "OPN_OPINION": "OPN", "RE_ETH": "RE", "1NEIRO": "NEIRO", "FF0": "FF", "BTR0": "BTR"}
"""Other spellings of coins; those with a suffix or digit are Variational's, which keep namesakes apart."""

_TOKENS = _words("PAXG XAUT")
"""Coins, also where a venue files them under commodities."""

_COMMODITY = {
    "GOLD": "XAU",  # by price on Hyperliquid's builder dexes
    "SILVER": "XAG",  # by price on Hyperliquid's builder dexes
    "COPPER": "XCU",
    "PLATINUM": "XPT",
    "PALLADIUM": "XPD",
    "ALUMINUM": "ALUMINIUM",
    "CL": "WTI",  # the future's code; as an equity it is Colgate
    "XTI": "WTI",
    "XBR": "BRENTOIL",
    "BRENT": "BRENTOIL",
    "XNG": "NATGAS",
}
"""Other spellings of commodities. USOIL, OIL and UKOIL stay themselves: funds and futures share them."""

_INDEX = {
    **dict.fromkeys(_words("US500 USA500 SPX500 SPX500M S&P500"), "SP500"),
    **dict.fromkeys(_words("USA100 XYZ100 NAS100 NDX TECH100 TECH100M"), "US100"),
    "NIKKEI": "JP225",
    "N225": "JP225",
    "HSI": "HK50",
    "DAX": "DE40",
}
"""Other spellings of indices; SPX500M and TECH100M are Extended's SPX500m and TECH100m.

A tenth of an index under its name (Variational's US500 is priced like SPY) is told apart by price.
"""

_FX = {"EUR": "EURUSD", "GBP": "GBPUSD", "AUD": "AUDUSD", "NZD": "NZDUSD", "JPY": "USDJPY", "KRW": "USDKRW"}
"""Single currencies, quoted as the pair is (xyz:JPY stood at 157, xyz:EUR at 1.18)."""

_PRELAUNCH = {"ANTH": "ANTHROPIC", "OAI": "OPENAI"}
"""By price on Hyperliquid's io dex."""

_TICKERS: Mapping[AssetClass, frozenset[str]] = {
    AssetClass.EQUITY: _words(
        """
        AAPL ABBV ABNB ADBE AMAT AMC AMD AMZN ANET APLD APP ARKK ARM ASML ASTS AVGO AXP BA BABA BAC BIDU
        BILI BITF BITO BKNG BLK BMNR BOTZ BRKB BYD BYND CBRS CEG CHWY CIFR CLSK CMCSA COIN COST CRCL CRM
        CRWD CRWV CSCO CVNA DAL DDOG DELL DIS DJT DKNG DRAM EBAY EEM EWJ EWT EWY EWZ FIG FUTU
        FXI GDX GEMI GLD GLXY GME GOOG GOOGL GS HANMI HD HIMS HON HOOD HUT8 HYUNDAI HYUNDAIUSD IBIT IBM
        INTC INTU IONQ IREN ISRG IWM JNJ JPM KIOXIA KLAC KO KORU KWEB LCID LLY LMND LMT LRCX LULU MAGS MARA
        MCD MELI META METAX MINIMAX MRK MRNA MRVL MSFT MSTR MU NBIS NFLX NIO NKE NOK NOW NVAX NVDA NVO NVTS
        OKLO ORCL OXY PANW PDD PEP PFE PLTR PLUG PURRDAT PYPL QBTS QCOM QQQ QUBT RBLX RDDT RGTI RIOT
        RIVN RKLB ROKU RTX SAMSUNG SAMSUNGUSD SBET SBUX SHOP SKHX SKHYNIX SKHYNIXUSD SLV SMCI SMH SMR
        SMSN SNAP SNDK SNOW SOFI SOFTBANK SOUN SOXL SOXS SOXX SPCX SPOT SPY SQQQ STRC TENCENT TGT TLT TMUS
        TQQQ TSLA TSM TXN UBER UNG UNH UPST URA URNM USAR USO UVXY VOO VRT VST VTI WDC WFC WMT XIAOMI XLE XLF
        XLK XOM XPEV ZHIPU ZM
        """
    ),
    AssetClass.INDEX: _words(
        """
        SP500 US100 US30 US2000 SMALL2000 JP225 HK50 DE40 UK100 EU50 KR200 KRCOMP KOSPI IBOV NIFTY DXY VIX
        MAG7 SEMIS BIOTECH DEFENSE ENERGY INFOTECH NUCLEAR ROBOT SEMI GLDMINE USENERGY USTECH USBOND
        BTCDOM BTCD TOTAL2 OTHERS
        """
    ),
    AssetClass.COMMODITY: _words(
        """
        XAU XAG XCU XPT XPD XAL XNI XZN XPB ALUMINIUM WTI BRENTOIL NATGAS TTF OIL USOIL UKOIL URANIUM CORN
        WHEAT SOY SOYBEAN COFFEE COCOA SUGAR COTTON GOLDJM SILVERJM LUMBER
        """
    ),
    AssetClass.FX: _words(
        """
        EURUSD GBPUSD AUDUSD NZDUSD USDJPY USDKRW USDCAD USDCHF USDCNH USDMXN USDBRL USDTRY USDINR USDSGD
        USDZAR USDSEK USDNOK EURGBP EURJPY EURCHF GBPJPY AUDJPY
        """
    ),
    AssetClass.PRELAUNCH: _words(
        """
        OPENAI ANTHROPIC SPACEX STRIPE DATABRICKS ANDURIL KALSHI PERPLEXITY NEURALINK REVOLUT BYTEDANCE
        SCALEAI EPICGAMES CANVA DISCORD MISTRAL
        """
    ),
}
"""Tickers that mean one thing wherever no class is stated.

Left out on purpose, because a coin has the same one: AI, BB, BE, BOT, CAR, CAT, DIA, GAS, H100, LITE, OM,
QNT, S, SPX, T, W, XAI. Without a class or a long name these are the coin, and SPX is SPX6900.
"""

_CLASS_OF = {ticker: asset_class for asset_class, tickers in _TICKERS.items() for ticker in tickers}
_SPELLINGS: Mapping[AssetClass, Mapping[str, str]] = {
    AssetClass.CRYPTO: _CRYPTO,
    AssetClass.COMMODITY: _COMMODITY,
    AssetClass.INDEX: {**_INDEX, "SPX": "SP500"},
    AssetClass.FX: _FX,
    AssetClass.PRELAUNCH: _PRELAUNCH,
}
_CLASS_OF_SPELLING = {
    spelling: asset_class
    for asset_class, spellings in (
        (AssetClass.COMMODITY, _COMMODITY),
        (AssetClass.INDEX, _INDEX),
        (AssetClass.FX, _FX),
        (AssetClass.PRELAUNCH, _PRELAUNCH),
    )
    for spelling in spellings
}

_FUND = re.compile(r"\b(ETF|ETN|ADR|iShares|SPDR|ProShares|Direxion)\b")
_COMPANY = re.compile(
    r"\b(Inc|Incorporated|Corp|Corporation|Ltd|Limited|PLC|plc|Holdings|Company|Co|N\.V|NV|S\.A|AG|SE"
    r"|Class [A-C]|Common Stock)\b\.?( \([^)]*\))?$"
)
_SHARES_OF = frozenset({AssetClass.INDEX, AssetClass.COMMODITY})


def identify(base: str, *, asset_class: AssetClass | None = None, name: str = "") -> Asset:
    """The asset behind a venue's base symbol (`1000PEPE`, `kPEPE`, `XBT`, `TSLA`, `xyz:GOLD`).

    `asset_class` is what the venue itself says, where it says it; `name` its long name
    ("Caterpillar Inc."), where it has one. The venue decides between coin and not a coin; a fund that
    it files under its index or commodity is an equity all the same. Where it says nothing the long
    name of a company or fund decides, then our tables; what neither knows is crypto, as most are.
    """
    text = base.rpartition(":")[2].removesuffix(_SESSION) or base
    stated = None if asset_class is AssetClass.UNKNOWN else asset_class
    ticker = text.upper()
    if ticker in _TOKENS:
        return Asset(ticker, AssetClass.CRYPTO)
    if stated is None or stated is AssetClass.CRYPTO:
        coin, multiplier = _without_multiplier(text)
        if multiplier != 1 or stated is AssetClass.CRYPTO:
            return Asset(_CRYPTO.get(coin, coin), AssetClass.CRYPTO, multiplier)
    found = stated or _class_by_name(name) or listed_class(ticker)
    if found is None:
        unknown = asset_class is AssetClass.UNKNOWN
        return Asset(_CRYPTO.get(ticker, ticker), AssetClass.UNKNOWN if unknown else AssetClass.CRYPTO)
    listed = _CLASS_OF.get(ticker)
    if (found in _SHARES_OF and listed is AssetClass.EQUITY) or listed is AssetClass.PRELAUNCH:
        return Asset(ticker, listed)
    if found is AssetClass.EQUITY and ticker in _PRELAUNCH:
        found = AssetClass.PRELAUNCH
    return Asset(_SPELLINGS.get(found, {}).get(ticker, ticker), found)


def listed_class(ticker: str) -> AssetClass | None:
    """What our tables say of a ticker when nobody else does; None for coins and whatever is in no table."""
    return _CLASS_OF.get(ticker.upper()) or _CLASS_OF_SPELLING.get(ticker.upper())


def _class_by_name(name: str) -> AssetClass | None:
    """EQUITY for the long name of a company or a fund."""
    return AssetClass.EQUITY if _FUND.search(name) or _COMPANY.search(name.strip()) else None


def _without_multiplier(base: str) -> tuple[str, float]:
    """The coin in `base`, in upper case, and how many of it one unit is."""
    if base[:1] == "k" and base[1:] in _THOUSANDS:
        return base[1:], 1e3
    upper = base.upper()
    if upper in _MILLIONS:
        return _MILLIONS[upper], 1e6
    if matched := _DIGITS.fullmatch(upper):
        return matched[2], float(matched[1])
    return upper, 1.0


def resolve(text: str, known: Collection[Asset]) -> list[Asset]:
    """The assets among `known` that a person means by `text`, by class; multipliers play no part.

    Any case; `BB:equity` picks a class, `gold` and `kpepe` are understood as the venues write them.
    Empty when there is none.
    """
    word, _, suffix = text.strip().rpartition(":")
    wanted = next((c for c in AssetClass if word and c == suffix.lower()), None)
    base = word if wanted else text.strip()
    guesses = {base.upper(), identify(base, asset_class=wanted).ticker, identify(base.upper()).ticker}
    if base[:1].lower() == "k":
        guesses.add(identify("k" + base[1:].upper()).ticker)
    found = {
        Asset(asset.ticker, asset.asset_class)
        for asset in known
        if asset.ticker.upper() in guesses and wanted in (None, asset.asset_class)
    }
    return sorted(found)


def nearest(text: str, names: Iterable[str], n: int = 3) -> list[str]:
    """Up to `n` of `names` that look most like `text`, best first, in any case."""
    by_upper = {name.upper(): name for name in sorted(names, reverse=True)}
    return [by_upper[match] for match in difflib.get_close_matches(text.upper(), by_upper, n, cutoff=0.5)]


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a person says of single markets, by `exchange:SYMBOL`; it beats venue and tables.

    Markets in `different` are about something of their own and pair with nothing.
    """

    ticker: Mapping[str, str] = field(default_factory=dict)
    asset_class: Mapping[str, AssetClass] = field(default_factory=dict)
    multiplier: Mapping[str, float] = field(default_factory=dict)
    different: Collection[str] = ()


def overridden(market: Market, overrides: Overrides) -> Market:
    """`market` with what a person says about it."""
    key = f"{market.exchange}:{market.symbol}"
    asset = market.asset
    ticker = overrides.ticker.get(key, asset.ticker)
    if key in overrides.different:
        ticker = f"{ticker}@{market.exchange}"
    said = Asset(
        ticker,
        overrides.asset_class.get(key, asset.asset_class),
        overrides.multiplier.get(key, asset.multiplier),
    )
    return market if said == asset else replace(market, asset=said)
