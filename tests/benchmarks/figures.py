"""How a figure is printed: beside its limit, with their ratio and the budget of that ratio."""

import math
from collections.abc import Sequence


def heading() -> None:
    print(f"{'':<44} {'figure':>12} {'limit':>14} {'ratio':>8} {'budget':>8}")


def row(name: str, figure: str, limit: str, ratio: float, budget: float) -> None:
    verdict = "ok" if ratio <= budget else "OVER"
    print(f"{name:<44} {figure:>12} {limit:>14} {ratio:>8.2f} {budget:>8.2f}  {verdict}", flush=True)


def at_least(name: str, figure: str, limit: str, ratio: float, budget: float) -> None:
    """The same where more is better."""
    verdict = "ok" if ratio >= budget else "UNDER"
    print(f"{name:<44} {figure:>12} {limit:>14} {ratio:>8.2f} {budget:>8.2f}  {verdict}", flush=True)


def unmeasured(name: str, why: str) -> None:
    print(f"{name:<44} not measured: {why}", flush=True)


def row_ms(name: str, seconds: float, limit_ms: float) -> None:
    row(name, f"{seconds * 1e3:.1f} ms", f"{limit_ms:.0f} ms", seconds * 1e3 / limit_ms, 1.0)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: of few values p99 is the largest."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
