"""The tables as peewee models, for queries: `Market.select(...).execute(database)`.

`ddl` makes the tables; a test holds the two together. The models are bound to no database, since
one process may have a writer and readers of several files in several threads.
"""

from peewee import CompositeKey, FloatField, ForeignKeyField, IntegerField, Model, TextField


class Meta(Model):
    key = TextField(primary_key=True)
    value = TextField()

    class Meta:
        table_name = "meta"
        without_rowid = True


class Exchange(Model):
    id = IntegerField(primary_key=True)
    name = TextField(unique=True)
    source = IntegerField(default=3)
    continuous = IntegerField(default=0)
    minute = IntegerField(null=True)
    taker_fee_percent = FloatField(null=True)
    hourly_rate_step = FloatField(null=True)

    class Meta:
        table_name = "exchange"


class Market(Model):
    id = IntegerField(primary_key=True)
    exchange = ForeignKeyField(Exchange, backref="markets")
    symbol = TextField()
    ticker = TextField()
    asset_class = TextField()
    multiplier = FloatField()
    venue_id = IntegerField(null=True)
    group_name = TextField(default="")
    listed_time = IntegerField(null=True)
    delisting_time = IntegerField(null=True)
    status = TextField()
    first_seen = IntegerField()
    last_seen = IntegerField()
    absences = IntegerField(default=0)
    failures = IntegerField(default=0)
    failure = TextField(null=True)

    class Meta:
        table_name = "market"


class Quote(Model):
    market = ForeignKeyField(Market, primary_key=True, backref="quotes")
    observed_at = IntegerField()
    hourly_rate = FloatField(null=True)
    interval_hours = FloatField(null=True)
    next_funding_time = IntegerField(null=True)
    mark_price = FloatField(null=True)
    index_price = FloatField(null=True)
    open_interest_usd = FloatField(null=True)
    volume_24h_usd = FloatField(null=True)
    quoted_spread_percent = FloatField(null=True)
    hourly_rate_cap = FloatField(null=True)
    session_open = IntegerField(null=True)

    class Meta:
        table_name = "quote"


class Run(Model):
    id = IntegerField(primary_key=True)
    exchange = ForeignKeyField(Exchange, backref="runs")
    kind = TextField()
    source = IntegerField()
    converter_version = IntegerField()
    started = IntegerField()
    ended = IntegerField(null=True)
    outcome = TextField(default="running")
    error = TextField(null=True)
    inserted = IntegerField(default=0)
    replaced = IntegerField(default=0)
    conflicts = IntegerField(default=0)
    refused = IntegerField(default=0)
    requests = IntegerField(default=0)
    markets_expected = IntegerField(null=True)
    markets_failed = IntegerField(null=True)
    file_name = TextField(null=True)
    file_sha256 = TextField(null=True)

    class Meta:
        table_name = "run"


class Settlement(Model):
    market = ForeignKeyField(Market, backref="settlements")
    funding_time = IntegerField()
    kind = IntegerField()
    rate = FloatField()
    interval_hours = FloatField(null=True)
    run = ForeignKeyField(Run, backref="settlements")
    payment_usd = FloatField(null=True)

    class Meta:
        table_name = "settlement"
        without_rowid = True
        primary_key = CompositeKey("market", "funding_time", "kind")


class MarketHistory(Model):
    market = ForeignKeyField(Market, backref="history")
    hour = IntegerField()
    hourly_rate = FloatField(null=True)
    interval_hours = FloatField(null=True)
    mark_price = FloatField(null=True)
    open_interest_usd = FloatField(null=True)
    volume_24h_usd = FloatField(null=True)

    class Meta:
        table_name = "market_history"
        without_rowid = True
        primary_key = CompositeKey("market", "hour")


class Tracker(Model):
    exchange = ForeignKeyField(Exchange, primary_key=True, backref="trackers")
    status = TextField(default="idle")
    last_run = IntegerField(null=True)
    last_success = IntegerField(null=True)
    last_error = TextField(null=True)
    sweep_error = TextField(null=True)
    quotes_error = TextField(null=True)
    last_outcome = TextField(null=True)
    total_runs = IntegerField(default=0)
    total_records = IntegerField(default=0)
    consecutive_failures = IntegerField(default=0)
    markets_expected = IntegerField(null=True)
    markets_failed = IntegerField(null=True)
    last_sweep_hour = IntegerField(null=True)
    last_quotes = IntegerField(null=True)
    next_try = IntegerField(null=True)
    requests = IntegerField(default=0)
    budget_used = FloatField(null=True)
    paused = IntegerField(default=0)
    enabled = IntegerField(default=1)

    class Meta:
        table_name = "tracker"


class Collector(Model):
    id = IntegerField(primary_key=True)
    pid = IntegerField()
    role = TextField()
    boot_id = TextField()
    started = IntegerField()
    heartbeat = IntegerField()
    stopped = IntegerField(null=True)

    class Meta:
        table_name = "collector"


class Event(Model):
    id = IntegerField(primary_key=True)
    time = IntegerField()
    exchange = ForeignKeyField(Exchange, null=True, backref="events")
    market = ForeignKeyField(Market, null=True, backref="events")
    kind = TextField()
    message = TextField()
    value = FloatField(null=True)

    class Meta:
        table_name = "event"


class Conflict(Model):
    market = ForeignKeyField(Market, backref="conflicts")
    funding_time = IntegerField()
    kind = IntegerField()
    seen_rate = FloatField()
    stored_rate = FloatField()
    interval_hours = FloatField(null=True)
    first_seen = IntegerField()
    times = IntegerField(default=1)
    run = ForeignKeyField(Run, backref="conflict_rows")

    class Meta:
        table_name = "conflict"
        without_rowid = True
        primary_key = CompositeKey("market", "funding_time", "kind", "seen_rate")


class Absence(Model):
    market = ForeignKeyField(Market, backref="absence_rows")
    start_time = IntegerField()
    end_time = IntegerField()
    reason = TextField()
    asked = IntegerField(default=1)
    last_asked = IntegerField()

    class Meta:
        table_name = "absence"
        without_rowid = True
        primary_key = CompositeKey("market", "start_time")


class UnitCheck(Model):
    exchange = ForeignKeyField(Exchange, backref="unit_checks")
    group_name = TextField()
    what = TextField()
    verdict = TextField()
    modal_apr_percent = FloatField(null=True)
    factor = FloatField(null=True)
    n = IntegerField()
    share = FloatField(null=True)
    sentence = TextField()
    checked_at = IntegerField()

    class Meta:
        table_name = "unit_check"
        without_rowid = True
        primary_key = CompositeKey("exchange", "group_name", "what")


class Identity(Model):
    market = ForeignKeyField(Market, primary_key=True, backref="identities")
    same_as_group = IntegerField(null=True)
    candidate = IntegerField(null=True)
    samples = IntegerField(default=0)
    reason = TextField(null=True)

    class Meta:
        table_name = "identity"


class Summary(Model):
    market = ForeignKeyField(Market, primary_key=True, backref="summaries")
    window_end = IntegerField()
    apr_24h = FloatField(null=True)
    coverage_24h = FloatField()
    apr_3d = FloatField(null=True)
    coverage_3d = FloatField()
    apr_7d = FloatField(null=True)
    coverage_7d = FloatField()
    apr_30d = FloatField(null=True)
    coverage_30d = FloatField()
    recorded = IntegerField(default=0)

    class Meta:
        table_name = "summary"


class Ban(Model):
    scope = TextField(primary_key=True)
    kind = TextField()
    until = FloatField()
    reason = TextField()
    strikes = IntegerField()

    class Meta:
        table_name = "ban"
        without_rowid = True


class Spending(Model):
    exchange = ForeignKeyField(Exchange, backref="spendings")
    limit_name = TextField()
    weight = FloatField()
    at = FloatField()

    class Meta:
        table_name = "spending"
        without_rowid = True
        primary_key = CompositeKey("exchange", "limit_name")


class Alert(Model):
    id = IntegerField(primary_key=True)
    exchange = ForeignKeyField(Exchange, null=True, backref="alerts")
    kind = TextField()
    message = TextField()
    since = IntegerField()
    until = IntegerField(null=True)
    acknowledged = IntegerField(null=True)

    class Meta:
        table_name = "alert"


MODELS = (
    Meta,
    Exchange,
    Market,
    Quote,
    Run,
    Settlement,
    MarketHistory,
    Tracker,
    Collector,
    Event,
    Conflict,
    Absence,
    UnitCheck,
    Identity,
    Summary,
    Ban,
    Spending,
    Alert,
)
