"""What of all markets a person wants to see: words, a class, an exchange."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.caption import Item


@dataclass(frozen=True, slots=True)
class Choice:
    """None shows all; every one of the `words` must occur."""

    words: str = ""
    asset_class: str | None = None
    exchange: str | None = None

    def takes(self, searched: str, asset_class: str, exchanges: Iterable[str]) -> bool:
        """`searched` is without case; one of `exchanges` has to be the one chosen."""
        return (
            (self.asset_class is None or asset_class == self.asset_class)
            and (self.exchange is None or self.exchange in exchanges)
            and all(word in searched for word in self.words.casefold().split())
        )

    @property
    def all(self) -> bool:
        return not (self.words.strip() or self.asset_class or self.exchange)

    def next_class(self, snapshot: Snapshot | None) -> "Choice":
        markets = () if snapshot is None else snapshot.markets
        classes = sorted({market.asset_class for market in markets})
        return replace(self, asset_class=following(self.asset_class, classes))

    def next_exchange(self, snapshot: Snapshot | None) -> "Choice":
        return replace(self, exchange=following(self.exchange, exchanges_of(snapshot)))

    def items(self) -> list[Item]:
        """The class and exchange chosen, with the keys that change them."""
        return [
            [(key, "accent"), (f" {what} ", "muted"), (chosen or "all", "warn" if chosen else "")]
            for key, what, chosen in (("c", "class", self.asset_class), ("x", "exchange", self.exchange))
        ]

    def no_match(self) -> str:
        """Why no row is left, and what brings them back."""
        if self.asset_class is None and self.exchange is None:
            return f"Nothing matches '{self.words}'. Escape clears."
        chosen = " ".join(word for word in (self.asset_class, self.exchange) if word)
        words = f" matches '{self.words}'" if self.words.strip() else ""
        return f"Nothing{words} among {chosen}: c and x choose others" + (
            ", Escape clears." if words else "."
        )


def following(current: str | None, options: Sequence[str]) -> str | None:
    """The option after `current`, None (all) after the last one and before the first."""
    ring = [None, *options]
    return ring[(ring.index(current) + 1) % len(ring)] if current in ring else None


def exchanges_of(snapshot: Snapshot | None) -> list[str]:
    """The exchanges that have markets, in the order of the database."""
    if snapshot is None:
        return []
    present = {market.exchange for market in snapshot.markets}
    return [
        *(name for name in snapshot.exchanges if name in present),
        *sorted(present - snapshot.exchanges.keys()),
    ]
