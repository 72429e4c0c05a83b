import sqlite3

import pytest
from peewee import CompositeKey, ForeignKeyField, Model

from fundwatch.storage.database import Writer
from fundwatch.storage.schema import MODELS, Exchange, Market


def described(model: type[Model]) -> dict[str, tuple[str, bool, str | None]]:
    """Column -> (type, nullable, referenced table)."""
    types = {"INT": "INTEGER", "INTEGER": "INTEGER", "TEXT": "TEXT", "FLOAT": "REAL", "AUTO": "INTEGER"}
    columns = {}
    for field in model._meta.sorted_fields:
        parent = field.rel_model._meta.table_name if isinstance(field, ForeignKeyField) else None
        columns[field.column_name] = (types[field.field_type], field.null, parent)
    return columns


def made(connection: sqlite3.Connection, table: str) -> dict[str, tuple[str, bool, str | None]]:
    parents = {row[3]: row[2] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
    return {
        name: (kind, not (required or key), parents.get(name))
        for _, name, kind, required, _, key in connection.execute(f"PRAGMA table_info({table})")
    }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.table_name)
def test_a_model_says_what_the_migrations_make(model: type[Model], writer: Writer) -> None:
    connection = writer.connection()
    table = model._meta.table_name

    assert described(model) == made(connection, table)
    keyed = [
        (row[5], row[1]) for row in connection.execute(f"PRAGMA table_info({table})").fetchall() if row[5]
    ]
    key = model._meta.primary_key
    assert key
    names = key.field_names if isinstance(key, CompositeKey) else [key.name]
    assert [model._meta.fields[name].column_name for name in names] == [name for _, name in sorted(keyed)]
    sql = writer.value("SELECT sql FROM sqlite_schema WHERE name = ?", table)
    assert model._meta.without_rowid == sql.rstrip().endswith("WITHOUT ROWID")


def test_every_table_has_a_model(writer: Writer) -> None:
    assert {model._meta.table_name for model in MODELS} == set(writer.get_tables())


def test_a_query_runs_on_the_database_it_is_given(writer: Writer) -> None:
    with writer.transaction():
        Exchange.insert(name="lighter").execute(writer)
        Market.insert(
            exchange=1,
            symbol="BTC",
            ticker="BTC",
            asset_class="crypto",
            multiplier=1.0,
            status="active",
            first_seen=1,
            last_seen=1,
        ).execute(writer)

    query = Market.select(Market.symbol, Exchange.name).join(Exchange).where(Market.ticker == "BTC")

    assert list(query.tuples().execute(writer)) == [("BTC", "lighter")]
