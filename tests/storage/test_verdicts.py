from fundwatch.storage import verdicts
from fundwatch.storage.database import Writer
from fundwatch.storage.trackers import exchange_id
from fundwatch.storage.verdicts import IdentityRow, UnitCheckRow

FINE = UnitCheckRow("", "estimates", "ok", 10.95, None, 190, 0.4, "rests at 10.95 %", 100)
WRONG = UnitCheckRow("", "estimates", "error", 87.6, 8.0, 190, 0.4, "8 times off", 200)
OTHER = UnitCheckRow("xyz", "settlements", "unknown", None, None, 3, None, "too few markets", 150)


def test_the_last_unit_check_of_each_group_stands(writer: Writer) -> None:
    with writer.transaction():
        verdicts.save_unit_checks(writer, "hyperliquid", [FINE, OTHER])
        verdicts.save_unit_checks(writer, "hyperliquid", [WRONG])
        verdicts.save_unit_checks(writer, "aster", [FINE])

    assert verdicts.load_unit_checks(writer, "hyperliquid") == [WRONG, OTHER]
    assert verdicts.load_unit_checks(writer, "aster") == [FINE]
    assert verdicts.load_unit_checks(writer, "lighter") == []


def test_the_last_identity_of_each_market_stands(writer: Writer) -> None:
    first, second = IdentityRow(1, 0, None, 0, None), IdentityRow(2, 0, 1, 2, "price 40 % from the others")
    with writer.transaction():
        exchange_id(writer, "aster")
        writer.executemany(
            "INSERT INTO market (exchange_id, symbol, ticker, asset_class, multiplier, status, first_seen,"
            " last_seen) VALUES (1, ?, 'BB', 'crypto', 1.0, 'active', 0, 0)",
            [("BB",), ("BBX",)],
        )
        verdicts.save_identities(writer, [first, second])
        verdicts.save_identities(writer, [second._replace(same_as_group=1, candidate=None, samples=0)])

    assert verdicts.load_identities(writer) == {
        1: first,
        2: second._replace(same_as_group=1, candidate=None, samples=0),
    }
