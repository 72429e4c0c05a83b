"""Histories that others collected: tables made of the venues' answers, each read as what it was."""

from tests.exchanges.recordings import raw, readers
from tests.exchanges.recordings.file import File

_EVERY_4_HOURS = (
    "1000BONK ASTER BERA ENA FARTCOIN HYPE IP JUP KAITO LIT MET ONDO PUMP TAO TRUMP VIRTUAL VVV WIF XPL ZRO"
)
_EVERY_8_HOURS = "1000PEPE AAVE ADA AVAX BCH BNB BTC DOGE DOT ETH LINK LTC NEAR SOL SUI UNI WLD XMR XRP ZEC"


def binance_table(coin: str) -> str:
    return f"history/binance_2026Q1_silertrades__{coin}USDT.csv"


def hyperliquid_table(coin: str) -> str:
    return f"history/hyperliquid_2026_namanhzz__{coin}_1h.csv"


def _binance(coins: str, hours: int) -> tuple[File, ...]:
    return tuple(
        File(
            binance_table(coin),
            f"GET /fapi/v1/fundingRate of {coin}USDT, paid every {hours} h",
            readers.payment_table(f"{coin}USDT"),
            raw.payments(f"{coin}USDT"),
            rates=199,
            unknown=1,
            hours=frozenset({hours}),
        )
        for coin in coins.split()
    )


_HYPERLIQUID_LAST = {"BTC": 0.0000045245, "ETH": 0.0000112919, "SOL": 0.0000125}

HISTORY = (
    *_binance(_EVERY_4_HOURS, 4),
    *_binance(_EVERY_8_HOURS, 8),
    File(
        binance_table("0G"),
        "GET /fapi/v1/fundingRate of 0GUSDT, on the day when it went from 2 h to 4",
        readers.payment_table("0GUSDT"),
        raw.payments("0GUSDT"),
        rates=199,
        unknown=1,
        hours=frozenset({2, 4}),
        literal={
            "0GUSDT 2026-02-15 02:00 paid": -0.00009017,
            "0GUSDT 2026-02-15 04:00": -0.00030768 / 2,
            "0GUSDT 2026-02-15 08:00": -0.00360693 / 4,
        },
    ),
    *(
        File(
            hyperliquid_table(coin),
            f"POST /info fundingHistory of {coin}, every hour from 2026-01-15 to 2026-07-31",
            readers.history_table,
            raw.history,
            rates=4752,
            modal_apr_percent=10.95,
            hours=frozenset({1}),
            literal={
                f"{coin} 2026-01-15 00:00": 0.0000125,
                f"{coin} 2026-07-31 23:00": _HYPERLIQUID_LAST[coin],
            },
        )
        for coin in _HYPERLIQUID_LAST
    ),
    File(
        "history/hyperliquid_2026_rishisidhu__HYPE_funding_history.csv",
        "POST /info fundingHistory of HYPE and of BTC, 960 rows each",
        readers.history_table,
        raw.history,
        rates=1920,
        modal_apr_percent=10.95,
        hours=frozenset({1}),
        literal={
            "HYPE 2026-04-26 18:00": 0.0000074714,
            "HYPE 2026-06-01 03:00": 0.0001597154,
            "BTC 2026-06-05 17:00": 0.0000054877,
        },
    ),
    File(
        "history/yuchengzhang__hl_BTC_funding_rates.json",
        "POST /info fundingHistory of BTC, 2024 and 2025 with 25 holes",
        readers.history_table,
        raw.history,
        rates=12192,
        modal_apr_percent=10.95,
        hours=frozenset({1}),
        literal={"BTC 2024-01-01 00:00": 0.0000617991, "BTC 2025-03-15 11:00": -0.0000800143},
    ),
    File(
        "history/yuchengzhang__binance_BTC_funding_rates.json",
        "GET /fapi/v1/fundingRate of BTCUSDT, 2022 to 2025 without a hole",
        readers.payment_table("BTCUSDT"),
        raw.payments("BTCUSDT"),
        rates=4376,
        unknown=1,
        modal_apr_percent=10.95,
        hours=frozenset({8}),
        literal={
            "BTCUSDT 2022-01-01 00:00 paid": 0.0001,
            "BTCUSDT 2022-01-01 08:00": 0.0000125,
            "BTCUSDT 2022-11-10 00:00": -0.000148965,
        },
    ),
    File(
        "history/lighter_2026-04_mindraid__lighter_funding_log.csv",
        "GET /funding-rates every half hour: Lighter's own rows, divided by 8",
        readers.lighter_log,
        raw.lighter_log,
        markets=93,
        rates=36290,
        modal_apr_percent=10.512,
        literal={
            "XMR 2026-04-20 14:31:06": 0.000065,
            "XRP 2026-04-20 14:31:06": -0.000005,
            "STABLE 2026-04-24 00:01:00": -0.003403,
        },
    ),
    File(
        "history/lighter_2026-02-03_defi_api__fundings_unsigned.csv",
        "GET /fundings?resolution=1h of 129 markets, whose author dropped the direction",
        readers.lighter_unsigned,
        markets=129,
        refused=3096,
        reason="direction is missing",
    ),
)
