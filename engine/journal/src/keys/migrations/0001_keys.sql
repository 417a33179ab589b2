-- Guichet's sealing keys, format 1: wrapped by the master key, which is a file and never in the database. Kept in a schema of their own, so
-- that they can be backed up apart from the journal. The program applies this by itself when it opens a database for the first time. By hand:
--
--   psql --set ON_ERROR_STOP=1 --single-transaction \
--        --command 'CREATE SCHEMA guichet_keys' --command 'SET search_path = guichet_keys' --file 0001_keys.sql DATABASE

CREATE TABLE format (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE format IS 'The migrations that were applied; the highest is the format of this schema.';
INSERT INTO format (version) VALUES (1);

-- A destroyed key leaves its old row behind until a vacuum: this table is vacuumed early, and by the program after each destruction.
CREATE TABLE keys (
    kid text COLLATE "C" PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('active', 'revoked', 'destroyed')),
    wrapped bytea,
    CHECK ((state = 'destroyed') = (wrapped IS NULL))
) WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0, fillfactor = 90);
COMMENT ON TABLE keys IS 'One key for each person in each stream; which person it serves is written in the journal only.';

CREATE TABLE facts (
    name text PRIMARY KEY,
    value bytea NOT NULL
);
COMMENT ON TABLE facts IS '`check`: a known value wrapped by the master key, to tell whether a master key is the right one.';
