"""The tables, as the first migration makes them. Times are UTC seconds, rates signed fractions.

A released statement here never changes: what comes later is a migration of its own.
"""

TABLES_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE exchange (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  source INTEGER NOT NULL DEFAULT 3 CHECK (source IN (1, 3)),
  continuous INTEGER NOT NULL DEFAULT 0,
  minute INTEGER,
  taker_fee_percent REAL,
  hourly_rate_step REAL
);

CREATE TABLE market (
  id INTEGER PRIMARY KEY,
  exchange_id INTEGER NOT NULL REFERENCES exchange(id),
  symbol TEXT NOT NULL,
  ticker TEXT NOT NULL,
  asset_class TEXT NOT NULL,
  multiplier REAL NOT NULL CHECK (multiplier > 0),
  venue_id INTEGER,
  group_name TEXT NOT NULL DEFAULT '',
  listed_time INTEGER,
  delisting_time INTEGER,
  status TEXT NOT NULL CHECK (status IN ('active', 'absent', 'delisted')),
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  absences INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  failure TEXT,
  UNIQUE (exchange_id, symbol)
);
CREATE INDEX market_ticker ON market (ticker, asset_class);

CREATE TABLE quote (
  market_id INTEGER PRIMARY KEY REFERENCES market(id),
  observed_at INTEGER NOT NULL,
  hourly_rate REAL CHECK (hourly_rate BETWEEN -0.1 AND 0.1),
  interval_hours REAL,
  next_funding_time INTEGER,
  mark_price REAL,
  index_price REAL,
  open_interest_usd REAL,
  volume_24h_usd REAL,
  quoted_spread_percent REAL,
  hourly_rate_cap REAL,
  session_open INTEGER
);

CREATE TABLE settlement (
  market_id INTEGER NOT NULL REFERENCES market(id),
  funding_time INTEGER NOT NULL CHECK (funding_time % 3600 = 0 AND funding_time > 1451606400),
  kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
  rate REAL NOT NULL CHECK (typeof(rate) = 'real' AND rate BETWEEN -100 AND 100),
  interval_hours REAL CHECK (interval_hours >= 0),
  run_id INTEGER NOT NULL REFERENCES run(id),
  payment_usd REAL,
  PRIMARY KEY (market_id, funding_time, kind)
) WITHOUT ROWID;

CREATE TABLE market_history (
  market_id INTEGER NOT NULL REFERENCES market(id),
  hour INTEGER NOT NULL,
  hourly_rate REAL,
  interval_hours REAL,
  mark_price REAL,
  open_interest_usd REAL,
  volume_24h_usd REAL,
  PRIMARY KEY (market_id, hour)
) WITHOUT ROWID;

CREATE TABLE tracker (
  exchange_id INTEGER PRIMARY KEY REFERENCES exchange(id),
  status TEXT NOT NULL DEFAULT 'idle' CHECK (status IN ('idle', 'running', 'error')),
  last_run INTEGER,
  last_success INTEGER,
  last_error TEXT,
  sweep_error TEXT,
  quotes_error TEXT,
  last_outcome TEXT CHECK (last_outcome IN ('ok', 'partial', 'error')),
  total_runs INTEGER NOT NULL DEFAULT 0,
  total_records INTEGER NOT NULL DEFAULT 0,
  consecutive_failures INTEGER NOT NULL DEFAULT 0,
  markets_expected INTEGER,
  markets_failed INTEGER,
  last_sweep_hour INTEGER,
  last_quotes INTEGER,
  next_try INTEGER,
  requests INTEGER NOT NULL DEFAULT 0,
  budget_used REAL,
  paused INTEGER NOT NULL DEFAULT 0,
  enabled INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE collector (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  pid INTEGER NOT NULL,
  role TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  started INTEGER NOT NULL,
  heartbeat INTEGER NOT NULL,
  stopped INTEGER
);

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  exchange_id INTEGER NOT NULL REFERENCES exchange(id),
  kind TEXT NOT NULL CHECK (kind IN ('sweep', 'quotes', 'backfill', 'import')),
  source INTEGER NOT NULL CHECK (source IN (1, 2, 3)),
  converter_version INTEGER NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  outcome TEXT NOT NULL DEFAULT 'running'
    CHECK (outcome IN ('running', 'ok', 'partial', 'error', 'interrupted', 'cancelled', 'undone')),
  error TEXT,
  inserted INTEGER NOT NULL DEFAULT 0,
  replaced INTEGER NOT NULL DEFAULT 0,
  conflicts INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0,
  markets_expected INTEGER,
  markets_failed INTEGER,
  file_name TEXT,
  file_sha256 TEXT
);
CREATE INDEX run_exchange ON run (exchange_id, started);
CREATE INDEX run_open ON run (exchange_id) WHERE ended IS NULL;

CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  exchange_id INTEGER REFERENCES exchange(id),
  market_id INTEGER REFERENCES market(id),
  kind TEXT NOT NULL,
  message TEXT NOT NULL,
  value REAL
);
CREATE INDEX event_time ON event (time);
CREATE INDEX event_market ON event (market_id, kind, time);

CREATE TABLE conflict (
  market_id INTEGER NOT NULL REFERENCES market(id),
  funding_time INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  seen_rate REAL NOT NULL,
  stored_rate REAL NOT NULL,
  interval_hours REAL,
  first_seen INTEGER NOT NULL,
  times INTEGER NOT NULL DEFAULT 1,
  run_id INTEGER NOT NULL REFERENCES run(id),
  PRIMARY KEY (market_id, funding_time, kind, seen_rate)
) WITHOUT ROWID;

CREATE TABLE absence (
  market_id INTEGER NOT NULL REFERENCES market(id),
  start_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL CHECK (end_time > start_time),
  reason TEXT NOT NULL,
  asked INTEGER NOT NULL DEFAULT 1,
  last_asked INTEGER NOT NULL,
  PRIMARY KEY (market_id, start_time)
) WITHOUT ROWID;

CREATE TABLE unit_check (
  exchange_id INTEGER NOT NULL REFERENCES exchange(id),
  group_name TEXT NOT NULL,
  what TEXT NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict IN ('ok', 'unknown', 'error')),
  modal_apr_percent REAL,
  factor REAL,
  n INTEGER NOT NULL,
  share REAL,
  sentence TEXT NOT NULL,
  checked_at INTEGER NOT NULL,
  PRIMARY KEY (exchange_id, group_name, what)
) WITHOUT ROWID;

CREATE TABLE identity (
  market_id INTEGER PRIMARY KEY REFERENCES market(id),
  same_as_group INTEGER,
  candidate INTEGER,
  samples INTEGER NOT NULL DEFAULT 0,
  reason TEXT
);

CREATE TABLE summary (
  market_id INTEGER PRIMARY KEY REFERENCES market(id),
  window_end INTEGER NOT NULL,
  apr_24h REAL, coverage_24h REAL NOT NULL,
  apr_3d REAL, coverage_3d REAL NOT NULL,
  apr_7d REAL, coverage_7d REAL NOT NULL,
  apr_30d REAL, coverage_30d REAL NOT NULL,
  recorded INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE ban (
  scope TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  until REAL NOT NULL,
  reason TEXT NOT NULL,
  strikes INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE spending (
  exchange_id INTEGER NOT NULL REFERENCES exchange(id),
  limit_name TEXT NOT NULL,
  weight REAL NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (exchange_id, limit_name)
) WITHOUT ROWID;

CREATE TABLE alert (
  id INTEGER PRIMARY KEY,
  exchange_id INTEGER REFERENCES exchange(id),
  kind TEXT NOT NULL,
  message TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  acknowledged INTEGER
);
CREATE UNIQUE INDEX alert_open ON alert (COALESCE(exchange_id, 0), kind) WHERE until IS NULL;
"""
