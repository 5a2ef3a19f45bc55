-- A small capture in the schema of an nsys SQLite export, REBUILT from the log beside it. nsys did not record it.
--
-- Every forward, backward and update of iterations 1 to 4 is worked out from the log's own lines (stamps are UTC):
--   update     ends at T, the stamp of the timing line, and lasts `step`
--   backward   ends 63 ms before the stamp of `Engine after backward` and lasts `bwd`
--   forward    from `Engine before forward` to `Engine after forward`: its peak is seen by the samples just before that
-- 63 ms: `Engine after backward` is stamped that much late, since memory is collected before the message is written.
-- A real capture of this run would show somewhat longer forward and backward ranges, as they include that collection.
--
-- The session starts at the first stamp of the original log, 2024-03-29 23:27:09.353; all times are ns from there.
-- Process and thread are made up. Make the file, in this folder, where it must not exist yet, with
--   sqlite3 "$(basename *.log .log)-nsys.sqlite" < rebuild-capture.sql

PRAGMA page_size = 4096;
BEGIN;

CREATE TABLE NVTX_EVENTS (
    start         INTEGER NOT NULL,   -- ns since the start of the session
    "end"         INTEGER,
    eventType     INTEGER NOT NULL,   -- 59: a range that was pushed and popped
    rangeId       INTEGER,
    category      INTEGER,
    color         INTEGER,
    text          TEXT,
    globalTid     INTEGER,            -- here 1 << 48 | process 4242 << 24 | thread 4242
    endGlobalTid  INTEGER,
    textId        INTEGER,            -- REFERENCES StringIds(id)
    domainId      INTEGER,
    uint64Value   INTEGER,
    int64Value    INTEGER,
    doubleValue   REAL,
    uint32Value   INTEGER,
    int32Value    INTEGER,
    floatValue    REAL,
    jsonTextId    INTEGER,
    jsonText      TEXT
);
CREATE TABLE StringIds (
    id            INTEGER NOT NULL PRIMARY KEY,
    value         TEXT    NOT NULL
);
CREATE TABLE TARGET_INFO_SESSION_START_TIME (
    utcEpochNs    INTEGER,
    utcTime       TEXT,
    localTime     TEXT
);
CREATE TABLE ENUM_NSYS_EVENT_TYPE (
    id            INTEGER NOT NULL PRIMARY KEY,
    name          TEXT,
    label         TEXT
);
CREATE TABLE META_DATA_EXPORT (
    name          TEXT    NOT NULL,
    value         TEXT
);

INSERT INTO TARGET_INFO_SESSION_START_TIME
    VALUES (1711754829353000000, '2024-03-29T23:27:09', '2024-03-29T23:27:09');
INSERT INTO ENUM_NSYS_EVENT_TYPE VALUES (59, 'NvtxPushPopRange', 'NvtxPushPopRange');
INSERT INTO META_DATA_EXPORT VALUES ('REBUILT', 'from the log of the run by rebuild-capture.sql, not recorded by nsys');
INSERT INTO META_DATA_EXPORT VALUES ('EXPORT_PARAM_TIME_NORMALIZE', 'false');

-- Iteration 1
--   Engine before, after forward 23:28:07.167, 23:28:08.107
--   Engine after backward 23:28:17.020, bwd 8768.75
--   timing line           23:28:27.873, step 10791.03
INSERT INTO NVTX_EVENTS (start, "end", eventType, text, globalTid, domainId) VALUES
    ( 57814000000, 58754000000, 59, 'DeepSpeedEngine.forward',          281546145665170, 0),
    ( 58835250000,  67604000000, 59, 'DeepSpeedEngine.backward',         281546145665170, 0),
    ( 67728970000,  78520000000, 59, 'DeepSpeedEngine._take_model_step', 281546145665170, 0);

-- Iteration 2
--   Engine before, after forward 23:28:28.027, 23:28:28.559
--   Engine after backward 23:28:37.483, bwd 8775.20
--   timing line           23:28:45.615, step 8066.76
INSERT INTO NVTX_EVENTS (start, "end", eventType, text, globalTid, domainId) VALUES
    ( 78674000000, 79206000000, 59, 'DeepSpeedEngine.forward',          281546145665170, 0),
    ( 79291800000,  88067000000, 59, 'DeepSpeedEngine.backward',         281546145665170, 0),
    ( 88195240000,  96262000000, 59, 'DeepSpeedEngine._take_model_step', 281546145665170, 0);

-- Iteration 3
--   Engine before, after forward 23:28:45.768, 23:28:46.196
--   Engine after backward 23:28:54.982, bwd 8631.20
--   timing line           23:29:03.031, step 7984.00
INSERT INTO NVTX_EVENTS (start, "end", eventType, text, globalTid, domainId) VALUES
    ( 96415000000, 96843000000, 59, 'DeepSpeedEngine.forward',          281546145665170, 0),
    ( 96934800000, 105566000000, 59, 'DeepSpeedEngine.backward',         281546145665170, 0),
    (105694000000, 113678000000, 59, 'DeepSpeedEngine._take_model_step', 281546145665170, 0);

-- Iteration 4
--   Engine before, after forward 23:29:03.186, 23:29:03.604
--   Engine after backward 23:29:12.430, bwd 8679.44
--   timing line           23:29:20.508, step 8014.63
INSERT INTO NVTX_EVENTS (start, "end", eventType, text, globalTid, domainId) VALUES
    (113833000000, 114251000000, 59, 'DeepSpeedEngine.forward',          281546145665170, 0),
    (114334560000, 123014000000, 59, 'DeepSpeedEngine.backward',         281546145665170, 0),
    (123140370000, 131155000000, 59, 'DeepSpeedEngine._take_model_step', 281546145665170, 0);

COMMIT;
VACUUM;
