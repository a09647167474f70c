"""Evidence, tallies, definitions, progress; the published views `indicators.*`.

Revision ID: 0001
Revises:
"""

from alembic import op

from shared.progress import PROGRESS_DDL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COUNTING = """
-- What can be counted, found in the plans; the same wording in two plans is one measure.
CREATE TABLE measure (
  id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fingerprint text NOT NULL UNIQUE,
  definition jsonb NOT NULL,
  state text NOT NULL DEFAULT 'building' CHECK (state IN ('building', 'live'))
);
-- Which measures (and parts of them) one event serves: measure, parts, measure, parts ...
-- Few distinct ones exist, so evidence names them by number instead of carrying a mask.
CREATE TABLE combination (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  marks int[] NOT NULL UNIQUE
);
CREATE TABLE evidence (
  origin bigint NOT NULL,
  position bigint NOT NULL,
  recorded date NOT NULL,
  since date NOT NULL,
  until date,
  combination int NOT NULL,
  revision int NOT NULL,
  lane smallint NOT NULL,
  subject bytea NOT NULL,
  unit_id text NOT NULL,
  detail jsonb,
  PRIMARY KEY (lane, subject, origin)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE evidence IS
  'What each event says today about its subject; one row per (subject, event).';
CREATE INDEX evidence_origin ON evidence (origin);
CREATE TABLE tally (
  measure smallint NOT NULL,
  unit_id text NOT NULL,
  occurred date NOT NULL,
  recorded date NOT NULL,
  n bigint NOT NULL,
  total bigint NOT NULL,
  PRIMARY KEY (measure, unit_id, occurred, recorded)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE dirty (measure smallint NOT NULL, unit_id text NOT NULL);
COMMENT ON TABLE dirty IS 'Append-only; the refresher deletes what it has seen.';
CREATE TABLE unseen (traceparent text NOT NULL);
COMMENT ON TABLE unseen IS 'Spans of batches that no refresh has made visible yet.';
CREATE TABLE definition (
  position bigint PRIMARY KEY,
  recorded date NOT NULL,
  type text NOT NULL,
  record bytea NOT NULL
);
COMMENT ON TABLE definition IS 'Every row of the definition lane that speaks of units, plans,
  populations, as it came: the state known on any day is a fold of these.';
CREATE TABLE parked (
  position bigint PRIMARY KEY,
  lane smallint NOT NULL,
  subject bytea NOT NULL,
  unit_id text NOT NULL,
  type text NOT NULL,
  parked_at timestamptz NOT NULL DEFAULT now(),
  problem text NOT NULL,
  record bytea NOT NULL
);
CREATE INDEX parked_subject ON parked (lane, subject);
CREATE TABLE dismissed (
  position bigint PRIMARY KEY,
  reason text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  record bytea NOT NULL
);
CREATE TABLE first_day (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  recorded date NOT NULL
);
COMMENT ON TABLE first_day IS 'The first recorded day of the log: before it nothing was known.';
"""

INDICATORS = """
CREATE TABLE cell (
  plan text NOT NULL,
  objective text NOT NULL,
  unit_id text NOT NULL,
  plan_version int NOT NULL,
  value bigint,
  total bigint,
  denominator bigint,
  ratio double precision,
  target numeric,
  target_unit text,
  met boolean,
  met_on_time boolean,
  status text NOT NULL,
  basis text NOT NULL,
  required_per_week numeric,
  flags text[] NOT NULL,
  as_of date NOT NULL,
  building boolean NOT NULL,
  not_attributable bigint,
  PRIMARY KEY (plan, unit_id, objective)
) WITH (fillfactor = 70);
CREATE TABLE shown (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  position bigint NOT NULL DEFAULT 0,
  refreshed_at timestamptz,
  as_of date,
  log_epoch text
);
INSERT INTO shown DEFAULT VALUES;
CREATE TABLE objective_state (
  plan text NOT NULL,
  objective text NOT NULL,
  state text NOT NULL CHECK (state IN ('counted', 'building', 'not_counted')),
  reason text,
  PRIMARY KEY (plan, objective)
);
CREATE SCHEMA IF NOT EXISTS indicators;
COMMENT ON SCHEMA indicators IS 'hocvuso:indicators';
CREATE OR REPLACE VIEW indicators.cells AS
  SELECT plan, plan_version, objective, unit_id, value, total, denominator, ratio, target,
         target_unit, met, met_on_time, status, basis, required_per_week, flags, as_of, building,
         not_attributable
  FROM cell;
CREATE OR REPLACE VIEW indicators.watermark AS
  SELECT position, refreshed_at, as_of, log_epoch FROM shown;
CREATE OR REPLACE VIEW indicators.objectives_state AS
  SELECT plan, objective, state, reason FROM objective_state;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hocvuso_registry') THEN
    GRANT USAGE ON SCHEMA indicators TO hocvuso_registry;
    GRANT SELECT ON ALL TABLES IN SCHEMA indicators TO hocvuso_registry;
  END IF;
END $$;
"""


def upgrade() -> None:
    """Create everything."""
    op.execute(PROGRESS_DDL)
    op.execute(COUNTING)
    op.execute(INDICATORS)
