-- Guichet's journal, format 1. The program applies this by itself when it opens a database for the first time. By hand:
--
--   psql --set ON_ERROR_STOP=1 --single-transaction \
--        --command 'CREATE SCHEMA guichet' --command 'SET search_path = guichet' --file 0001_events.sql DATABASE

CREATE TABLE format (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE format IS 'The migrations that were applied; the highest is the format of this schema.';
INSERT INTO format (version) VALUES (1);

CREATE TABLE events (
    position bigint NOT NULL,
    birth bigint NOT NULL,
    revision bigint NOT NULL,
    stream text COLLATE "C",
    command bytea,
    fingerprint bytea,
    header text NOT NULL,
    body text NOT NULL
) PARTITION BY RANGE (birth);
COMMENT ON TABLE events IS 'Every event of every tenant, in the order in which they became durable. Only ever appended to.';
COMMENT ON COLUMN events.position IS '1, 2, 3, … without a hole: given by append_events, one group of appends at a time.';
COMMENT ON COLUMN events.birth IS 'The position of the first event of its stream: a short name for the stream.';
COMMENT ON COLUMN events.revision IS '0, 1, 2, … in its stream.';
COMMENT ON COLUMN events.stream IS 'The name of the stream, on its first event only.';
COMMENT ON COLUMN events.command IS 'The id of the command, on the first event of each append only.';
COMMENT ON COLUMN events.fingerprint IS 'A keyed digest of what the command held, beside its id.';
COMMENT ON COLUMN events.header IS 'JSON, hashed exactly as it stands here.';
COMMENT ON COLUMN events.body IS 'JSON, hashed exactly as it stands here; personal parts are sealed.';
CREATE UNIQUE INDEX events_by_place ON events (birth, revision);
CREATE UNIQUE INDEX events_by_command ON events (birth, command) WHERE command IS NOT NULL;

-- Streams stay in the partition that they were born in, so finished years come to rest together.
CREATE TABLE partitions (
    number integer PRIMARY KEY,
    first_birth bigint NOT NULL UNIQUE,
    begun_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE partitions IS 'events_1, events_2, …, and the first birth that each of them may hold.';
INSERT INTO partitions (number, first_birth) VALUES (1, 0);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (MAXVALUE);
CREATE UNIQUE INDEX events_1_by_position ON events_1 (position);
CREATE UNIQUE INDEX events_1_by_stream ON events_1 (stream) WHERE stream IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are only ever appended' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Keeps every other writer away until the end of the transaction.
CREATE FUNCTION lock_events() RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock('events'::regclass::oid::integer, 1)
$$;

-- Writes a group of appends, and answers the position of its first event. One call is one transaction and one round trip. The lock is held
-- until the group is durable and visible, so whoever sees a position sees all before it.
--
-- `acknowledged` is the last position that the server knows to stand. A birth below zero names a stream that begins in this group: -1 for
-- a stream whose first event is the first row, and so on.
CREATE FUNCTION append_events(
    acknowledged bigint, births bigint[], revisions bigint[], streams text[], commands bytea[], fingerprints bytea[],
    headers text[], bodies text[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'events are appended in read committed transactions only' USING ERRCODE = 'GU002';
    END IF;
    PERFORM pg_advisory_xact_lock('events'::regclass::oid::integer, 1);
    SELECT coalesce(max(position), 0) INTO last FROM events;
    IF last < acknowledged THEN
        RAISE EXCEPTION 'the journal ends at position %, and events up to % were acknowledged', last, acknowledged
            USING ERRCODE = 'GU001';
    END IF;
    -- The indexes of the partitions do not see each other's streams.
    IF EXISTS (SELECT 1 FROM partitions WHERE number > 1)
        AND EXISTS (SELECT 1 FROM unnest(streams) AS born (name) JOIN events ON events.stream = born.name) THEN
        RAISE EXCEPTION 'a stream exists already' USING ERRCODE = 'unique_violation';
    END IF;
    INSERT INTO events (position, birth, revision, stream, command, fingerprint, header, body)
    SELECT last + number, CASE WHEN birth < 0 THEN last - birth ELSE birth END,
           revision, stream, command, fingerprint, header, body
    FROM unnest(births, revisions, streams, commands, fingerprints, headers, bodies)
        WITH ORDINALITY AS row (birth, revision, stream, command, fingerprint, header, body, number);
    RETURN last + 1;
END $$;

-- Ends the newest partition and begins the next: SET search_path = guichet; CALL begin_partition();
-- Streams born up to `margin` positions from now still go to the old one. Appends go on meanwhile, but for a moment at the end.
CREATE PROCEDURE begin_partition(margin bigint DEFAULT 100000) LANGUAGE plpgsql AS $$
DECLARE
    old partitions%ROWTYPE;
    bound bigint;
    old_name text;
    new_name text;
BEGIN
    IF NOT pg_try_advisory_lock('events'::regclass::oid::integer, 2) THEN
        RAISE EXCEPTION 'another session is beginning a partition';
    END IF;
    SELECT * INTO old FROM partitions ORDER BY number DESC LIMIT 1;
    SELECT greatest(coalesce(max(position), 0), old.first_birth) + 1 + margin INTO bound FROM events;
    old_name := format('events_%s', old.number);
    new_name := format('events_%s', old.number + 1);
    -- The rows are looked through while appends go on; the exchange below then believes the constraint and looks at none.
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS %I', old_name, old_name || '_ends');
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (birth >= %s AND birth < %s) NOT VALID',
        old_name, old_name || '_ends', old.first_birth, bound);
    COMMIT;
    EXECUTE format('ALTER TABLE %I VALIDATE CONSTRAINT %I', old_name, old_name || '_ends');
    COMMIT;
    PERFORM lock_events();
    EXECUTE format('ALTER TABLE events DETACH PARTITION %I', old_name);
    EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', old_name, old.first_birth, bound);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', old_name, old_name || '_ends');
    EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%s) TO (MAXVALUE)', new_name, bound);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (position)', new_name || '_by_position', new_name);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (stream) WHERE stream IS NOT NULL', new_name || '_by_stream', new_name);
    INSERT INTO partitions (number, first_birth) VALUES (old.number + 1, bound);
    COMMIT;
    PERFORM pg_advisory_unlock('events'::regclass::oid::integer, 2);
END $$;
