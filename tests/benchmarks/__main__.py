"""Figures against their limits, measured in one run: p1 to p8, p12 and p13; screen measures p6 and p9 to p13.

Nothing here is a test. Machines are noisy: read the ratios.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.benchmarks import past, quotes
from tests.benchmarks.figures import heading
from tests.benchmarks.month import month
from tests.benchmarks.screen import LAST_MINUTES, PARTS, screen

Part = Callable[[Path], Awaitable[None]]
MEASURED: dict[str, Part] = {
    "p1": quotes.p1,
    "p2": quotes.p2,
    "p3": quotes.p3,
    "p4": past.p4,
    "p5": past.p5,
    "p7": month,
    "p12": past.p12,
}
"""P1 counts the requests for quotes (P3) on the way, P7 times P8 and counts a backfill's."""

ELSEWHERE = {"p6": "p6", "p13": "p13"}
"""Parts of the screen's own benchmark, over the same year of settlements."""
BESIDE = {"p8": "p7"}
DEFAULT = ("p1", "p2", "p3", "p4", "p5", "p7", "p12", "p6", "p13")


async def _measured(asked: argparse.Namespace) -> None:
    wanted = list(dict.fromkeys(BESIDE.get(part, part) for part in asked.parts or DEFAULT))
    for part in wanted:
        if part in MEASURED:
            with tempfile.TemporaryDirectory() as name:
                await MEASURED[part](Path(name))
    of_screen = tuple(ELSEWHERE[part] for part in wanted if part in ELSEWHERE)
    if "screen" in wanted:
        of_screen = tuple(dict.fromkeys((*of_screen, *asked.only)))
    if of_screen:
        with tempfile.TemporaryDirectory() as name:
            await screen(Path(name), asked.year, of_screen, asked.minutes)


def _parts(names: str) -> list[str]:
    if unknown := set(names.split(",")) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no {', '.join(sorted(unknown))} among {', '.join(PARTS)}")
    return names.split(",")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    known = [*MEASURED, *BESIDE, *ELSEWHERE, "screen"]
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(known)}; all but screen without one"
    )
    parser.add_argument(
        "--year",
        type=Path,
        metavar="FILE",
        help="a year made before, beside month.db, for p6, p13 and screen",
    )
    parser.add_argument(
        "--only", type=_parts, default=PARTS[:-1], metavar="PARTS", help=f"of screen: {', '.join(PARTS)}"
    )
    parser.add_argument(
        "--minutes", type=int, default=LAST_MINUTES, help="how long the part `memory` of screen runs"
    )
    given = parser.parse_args()
    if unknown := set(given.parts) - set(known):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    heading()
    asyncio.run(_measured(given))
