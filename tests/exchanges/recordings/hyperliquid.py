"""Hyperliquid's files."""

from typing import Any

from fundwatch.exchanges import hyperliquid_answers as hyperliquid
from tests.exchanges.recordings import raw, readers
from tests.exchanges.recordings.file import File, Uncalled, derivative_tickers, uncalled
from tests.exchanges.recordings.raw import Values


def _contexts(body: bytes) -> object:
    return hyperliquid.parse_dex(body, readers.LATER, "")


def _hyperliquid_ws_opinion(theirs: Any) -> Values:
    [ticker] = derivative_tickers(theirs)
    return {
        "MOODENG": ticker["fundingRate"],
        "MOODENG mark_price": ticker["markPrice"],
        "MOODENG index_price": ticker["indexPrice"],
        "MOODENG open_interest_usd": ticker["openInterest"] * ticker["markPrice"],
    }


_BTC_ROWS = {"BTC 2023-05-12 00:00": -0.00061334 / 8, "BTC 2023-05-12 00:00 hours": 8}

HYPERLIQUID = (
    File(
        "hyperliquid/metaAndAssetCtxs_2025-08-22__go-hyperliquid.json",
        "POST /info metaAndAssetCtxs",
        readers.dex(""),
        raw.dex,
        markets=171,
        closed=32,
        rates=171,
        modal_apr_percent=10.95,
        literal={
            "BTC": 0.0000125,
            "OMNI": -0.0005681771,
            "kPEPE": 0.0000125,
            "kPEPE multiplier": 1000,
            "BTC open_interest_usd": 25877.14916 * 113080,
            "BTC volume_24h_usd": 3677355032.5003023,
        },
    ),
    File(
        "hyperliquid/metaAndAssetCtxs_dex-main_2026-02-06__go-hyperliquid.json",
        'POST /info metaAndAssetCtxs, dex ""',
        readers.dex(""),
        raw.dex,
        markets=190,
        closed=38,
        rates=190,
        modal_apr_percent=10.95,
        literal={"BTC": -0.000003688, "YZY": -0.0013021161, "HYPE": 0.0000125, "HYPE index_price": 34.277},
    ),
    File(
        "hyperliquid/metaAndAssetCtxs_dex-xyz_2026-02-06__go-hyperliquid.json",
        'POST /info metaAndAssetCtxs, dex "xyz", which rests at half the rate',
        readers.dex("xyz"),
        raw.dex,
        markets=33,
        closed=10,
        rates=33,
        modal_apr_percent=5.475,
        literal={
            "xyz:TSLA": 0.00000625,
            "xyz:GOLD": 0.0000131736,
            "xyz:TSLA open_interest_usd": 39552.404 * 399.52,
        },
    ),
    File(
        "hyperliquid/fundingHistory_BTC_open-end__hl-python-sdk.json",
        "POST /info fundingHistory of BTC over the change from 8 hours to 1; one payment came 24 min late",
        readers.history,
        raw.history,
        rates=1037,
        refused=1,
        reason="at no full hour",
        literal=_BTC_ROWS
        | {
            "BTC 2023-06-08 00:00": 0.0000125,
            "BTC 2023-06-08 00:00 paid": 0.0001,
            "BTC 2023-06-08 00:00 hours": 8,
            "BTC 2023-06-08 01:00": 0.0000125,
            "BTC 2023-06-08 01:00 hours": 1,
            "BTC 2023-07-17 21:00": 0.0000125,
        },
    ),
    File(
        "hyperliquid/fundingHistory_BTC_start-end__hl-python-sdk.json",
        "POST /info fundingHistory of BTC, the same 34 payments",
        readers.history,
        raw.history,
        rates=34,
        literal=_BTC_ROWS,
    ),
    File(
        "hyperliquid/fundingHistory_missing-premium__nautilus.json",
        "POST /info fundingHistory, made by hand: its payments fall between the hours",
        readers.history,
        raw.history,
        refused=3,
        reason="at no full hour",
    ),
    File(
        "hyperliquid/perpDexs_2025-12-13__go-hyperliquid.json",
        "POST /info perpDexs; null is the main dex",
        readers.dexes,
        markets=4,
        literal=dict.fromkeys(("xyz", "flx", "vntl", "hyna")),
    ),
    File(
        "hyperliquid/perpDexs_2026-07__hlmcp.json",
        "POST /info perpDexs with funding multipliers",
        readers.dexes,
        markets=9,
        literal=dict.fromkeys(("xyz", "flx", "vntl", "hyna", "km", "abcd", "cash", "para", "mkts")),
    ),
    File(
        "hyperliquid/ws_allDexsAssetCtxs__nautilus.json",
        "WebSocket allDexsAssetCtxs",
        readers.all_dexes,
        raw.all_dexes,
        rates=412,
        modal_apr_percent=10.95,
        literal={"0": -0.0000015186, "km:0": 0.0000057078, "xyz:0": 0.00000625},
        uncalled=Uncalled(
            why="quotes come from bulk requests alone", ask=_contexts, words="Expected `array`, got `object`"
        ),
    ),
    File(
        "hyperliquid/ws__tardis-node.json",
        "WebSocket trades, l2Book, bbo and one activeAssetCtx",
        readers.context_frames,
        markets=1,
        rates=1,
        literal={"MOODENG": 0.00004863},
        uncalled=Uncalled(
            why="quotes come from bulk requests alone",
            ask=_contexts,
            words="missing required field `universe`",
        ),
    ),
    File(
        "hyperliquid/ws__tardis-node.expected.json",
        "what tardis makes of them",
        opinion=_hyperliquid_ws_opinion,
        of="hyperliquid/ws__tardis-node.json",
    ),
    *(
        File(
            f"hyperliquid/predictedFundings__{source}.json",
            "POST /info predictedFundings",
            readers.predicted,
            raw.predicted,
            rates=rates,
            literal=literal,
            uncalled=Uncalled(
                why="the asset contexts have Hyperliquid's own rate, of every dex",
                ask=_contexts,
                words="Expected `object`, got `array`",
            ),
        )
        for source, rates, literal in (
            (
                "blockpi-docs",
                8,
                {"0G HlPerp": -0.0000561913, "0G BinPerp": 0.0000125, "AAVE BinPerp": 0.000002705},
            ),
            ("ritmex-docs", 4, {"2Z HlPerp": -0.0003093788, "2Z BinPerp": -0.0003722}),
            ("yassi80-hyperliquid", 7, {"HYPE HlPerp": 0.0000125, "BTC BinPerp": 0.0000048325}),
        )
    ),
    *(
        uncalled(f"hyperliquid/{name}.json", f"POST /info {kind}", why, _contexts, "Expected `array`, got")
        for name, kind, why in (
            ("meta_2023-07-17__hl-python-sdk", "meta", "metaAndAssetCtxs has it"),
            ("meta_2025-08-22__go-hyperliquid", "meta", "metaAndAssetCtxs has it"),
            ("meta_2025-12-13__go-hyperliquid", "meta", "metaAndAssetCtxs has it"),
            ("allMids_2025-12-13__go-hyperliquid", "allMids", "prices without rates"),
            ("allMids__hl-python-sdk", "allMids", "prices without rates"),
            ("perpDexLimits_dex-xyz_2025-12-13__go-hyperliquid", "perpDexLimits", "no rates in it"),
            ("perpDexStatus_dex-xyz_2025-12-13__go-hyperliquid", "perpDexStatus", "no rates in it"),
        )
    ),
    uncalled(
        "hyperliquid/allPerpMetas_non-usdc__nautilus.json",
        "POST /info allPerpMetas",
        "names of all dexes without contexts, which each dex's own answer has",
        _contexts,
        "Expected `array`, got `object`",
    ),
)
