import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.sql.*;
import java.time.*;
import java.time.format.DateTimeFormatter;
import java.util.*;
import java.util.regex.*;
import java.util.stream.*;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;
import picocli.CommandLine;

import static org.junit.jupiter.api.Assertions.*;

/**
 * What memory.java reads. Runs made up here are written as "F3000-3100 B3110-3310 U3320-3520": a forward
 * from 3000 to 3100 ms after ZERO, a backward and an update; the bands that were read are written so too.
 */
class MemoryTest {
    /** 2023-11-14T22:13:20Z. */
    static final long ZERO = 1_700_000_000_000_000_000L;
    static final String HEADER = "device_id,timestamp,txpci,rxpci,gpu_util,mem_util,mem_used,mem_free\r\n";
    static final String THIRD = "F3000-3100 B3110-3310 U3320-3520",
        LONG = "F7000-8000 B8100-16000 U16100-24000";
    static final Map<String, String> NAMES = Map.of("F", "DeepSpeedEngine.forward", "B",
        "DeepSpeedEngine.backward", "U", "DeepSpeedEngine._take_model_step", "S",
        "DeepSpeedZeroOptimizer_Stage3.step", "X", "my.step");
    static final Path DATA = Cli.ROOT.resolve("data/act-output-13B-monitor-mem-single-GPU");
    static final Path NSYS = Cli.SHARED.resolve("nsys");
    static final Pattern RANGE = Pattern.compile("([A-Z])(\\d+)-(\\d*)");

    @TempDir Path tmp;
    Path csv, sqlite, log;

    /** Four iterations, and one of 17 s. */
    @BeforeEach void aRun() throws Exception {
        Path folder = Files.createDirectories(tmp.resolve("run"));
        csv = folder.resolve("log-7B-tp1-monitor.csv");
        sqlite = folder.resolve("log-7B-tp1.sqlite");
        log = tmp.resolve("log-7B-tp1.log");
        Files.writeString(csv, HEADER + rows(0, 0, 6000) + rows(1, 0, 6000));
        sql("CREATE TABLE NVTX_EVENTS (start INTEGER NOT NULL, \"end\" INTEGER, eventType INTEGER NOT NULL, "
            + "text TEXT, globalTid INTEGER, textId INTEGER)",
            "CREATE TABLE StringIds (id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
            "CREATE TABLE TARGET_INFO_SESSION_START_TIME (utcEpochNs INTEGER, utcTime TEXT, localTime TEXT)",
            "INSERT INTO TARGET_INFO_SESSION_START_TIME VALUES (" + ZERO + ", '', '')");
        sql("INSERT INTO StringIds (value) VALUES ('" + String.join("'), ('", NAMES.values()) + "')");
        ranges(7, 7, IntStream.range(1, 5).mapToObj(i -> THIRD.replaceAll("(^|\\D)3", "$1" + i))
            .collect(Collectors.joining(" ")) + " " + LONG);
    }

    static long ns(long ms) { return ZERO + ms * 1_000_000; }

    static long ms(long ns) { return (ns - ZERO) / 1_000_000; }

    /** Rows every 5 ms; each has a number of its own: 20 GiB, 1 more for the next device, and the ms. */
    static String rows(int device, int from, int to) {
        return IntStream.rangeClosed(from / 5, to / 5).map(i -> i * 5)
            .mapToObj(ms -> row(device, ns(ms), (20L + device << 30) + ms)).collect(Collectors.joining());
    }

    static String row(Object device, Object ns, Object free) {
        return device + "," + ns + ",1.5000000,0.5000000,90,10,4242," + free + "\r\n";
    }

    void sql(String... statements) throws SQLException {
        try (Connection db = DriverManager.getConnection("jdbc:sqlite:" + sqlite);
            Statement statement = db.createStatement()) {
            for (String text : statements) {
                statement.execute(text);
            }
        }
    }

    /** Adds ranges of a thread, the last first, since an export has its rows in any order. */
    void ranges(long pid, long thread, String ranges) throws SQLException {
        List<String> rows = new ArrayList<>();
        for (MatchResult range : RANGE.matcher(ranges).results().toList()) {
            String end = range.group(3).isEmpty() ? "NULL" : range.group(3) + "000000";
            rows.add(0, "(%s000000, %s, 59, '%s', %d, NULL)".formatted(range.group(2), end,
                NAMES.get(range.group(1)), 1L << 56 | 1L << 48 | pid << 24 | thread));
        }
        sql("INSERT INTO NVTX_EVENTS VALUES " + String.join(", ", rows));
    }

    /** What a log says of the iteration that begins at 0 ms; `after backward` is said 63 ms after its end. */
    static final Map<Integer, String> SAID = new TreeMap<>(Map.of(0, "Engine before forward", 100,
        "Engine after forward", 110, "Engine before backward", 373, "Engine after backward", 375,
        "Engine before step", 519, "time (ms) | fwd_microstep: 95.1 | step_microstep: 200.0", 520,
        "[Rank 0] time (ms) | fwd: 95.1 | bwd: 200.2 | bwd_inner: 7.0 | bwd_allreduce: 9.0 | step: 200.0",
        530, "[Rank 1] time (ms) | fwd: 95.1 | bwd: 200.2 | step: 190.5"));

    static String logged(ZoneId zone, int iterations) {
        DateTimeFormatter stamp = DateTimeFormatter.ofPattern("'['uuuu-MM-dd HH:mm:ss,SSS'] [INFO] '");
        return IntStream.rangeClosed(1, iterations).mapToObj(i -> i * 1000).flatMap(ms -> SAID.entrySet()
            .stream()
            .map(said -> stamp.withZone(zone).format(Instant.ofEpochSecond(0, ns(ms + said.getKey())))
                + said.getValue() + "\n")).collect(Collectors.joining());
    }

    /** What a command reads: the bands, the rows of its CSV without the seconds, and what it notes. */
    record Read(String bands, List<String> rows, String notes) { }

    static Read read(Object... args) throws Exception {
        Memory memory = new Memory();
        new CommandLine(memory).parseArgs(Cli.words(args));
        Path csv = memory.monitor(), source = memory.source(csv);
        List<Memory.Band> bands = memory.iteration(source.toString().endsWith(".log") ? memory.logged(source)
            : memory.captured(source), source);
        TreeMap<Long, String> free = memory.free(csv, bands);
        return new Read(bands.stream().map(band -> band.phase().name().charAt(0) + "" + ms(band.start())
            + "-" + ms(band.end())).collect(Collectors.joining(" ")),
            Memory.table(bands, free).stream().skip(1).map(row -> row.get(0) + "," + row.get(2) + ","
                + row.get(3)).toList(), String.join("\n", memory.notes));
    }

    Cli run(Object... args) { return Cli.script(new Memory(), List.of(args), "--plots=" + tmp); }

    /** The real runs: the least free memory in each phase, in GiB, as the study has it. */
    static void assertMinima(Path folder, String... ends) throws Exception {
        String monitor = Stream.of(folder.toFile().list()).filter(name -> name.endsWith("-monitor.csv"))
            .findFirst().orElseThrow();
        for (String end : ends) {
            Path phases = folder.resolve(monitor.replace("-monitor.csv", end));
            Map<String, Double> least = new TreeMap<>();
            for (String row : read(folder.resolve(monitor), "--phases=" + phases).rows) {
                String[] cells = row.split(",");
                double gib = Math.round(Double.parseDouble(cells[2]) / (1 << 30) * 100) / 100.;
                least.merge(cells[1], gib, Math::min);
            }
            least.remove("");
            assertEquals(Map.of("backward", 8.5, "forward", 13.16, "update", 15.31), least, phases + "");
        }
    }

    @Test void theRealRunHasThePublishedMinima() throws Exception {
        assertMinima(DATA, "-nsys.sqlite", ".log");
    }

    @Test void whatIsBesideTheRepositoryIsReadAsByHand() throws Exception {
        GoldenTest.thereAreRealLogs();
        assertMinima(GoldenTest.RESULTS.resolve(DATA.getFileName()), ".log");
        Map<String, String> before = Cli.snapshot(NSYS);
        for (String run : List.of("plain", "registered")) {
            for (int iteration = 3; iteration < 6; iteration++) {
                Read read = read(NSYS.resolve(run + "-monitor.csv"), "--iteration=" + iteration);
                assertEquals(byHand(NSYS.resolve(run + ".sqlite"), iteration), read.bands, run);
                assertTrue(read.rows.size() > 30, run);
            }
        }
        for (String name : List.of("nsys-2025.5-no-nvtx-table", "nsys-2026.2-no-deepspeed-ranges")) {
            run(NSYS.resolve("plain-monitor.csv"), "--phases=" + NSYS.resolve(name + ".sqlite"))
                .failed(1, name, name.contains("table") ? "NVTX_EVENTS" : "--range");
        }
        assertTrue(before.equals(Cli.snapshot(NSYS)), "something changed");
    }

    /** The bands by hand, as one did before there was a script: a SELECT for each phase, on a copy. */
    String byHand(Path capture, int iteration) throws Exception {
        Files.write(sqlite, Files.readAllBytes(capture));
        List<String> bands = new ArrayList<>();
        try (Connection db = DriverManager.getConnection("jdbc:sqlite:" + sqlite)) {
            for (String phase : List.of("F", "B", "U")) {
                String named = "text='X' OR textId=(SELECT id FROM StringIds WHERE value='X')"
                    .replace("X", NAMES.get(phase));
                ResultSet row = db.createStatement().executeQuery("SELECT start + utcEpochNs, "
                    + "end + utcEpochNs FROM NVTX_EVENTS, TARGET_INFO_SESSION_START_TIME WHERE "
                    + named + " ORDER BY end LIMIT 1 OFFSET " + (iteration - 1));
                bands.add(phase + ms(row.getLong(1)) + "-" + ms(row.getLong(2)));
            }
        }
        return String.join(" ", bands);
    }

    /** What else may be in a capture, and the bands that are there nevertheless. */
    @ParameterizedTest @CsvSource(delimiter = '|', value = {
        "last | @ text = text | --iteration=5",
        "the same twice | INSERT INTO NVTX_EVENTS SELECT start, \"end\", 59, NULL, globalTid, id "
            + "FROM NVTX_EVENTS JOIN StringIds ON value = text | ",
        "by number | @ textId = (SELECT id FROM StringIds WHERE value = text), text = NULL | ",
        "otherwise named | INSERT INTO NVTX_EVENTS SELECT start, \"end\" + 9e6, 59, 'x', globalTid, id "
            + "FROM NVTX_EVENTS JOIN StringIds ON value = text | ",
        "text counts | @ textId = 1 | ", "around | S1315-1530 | ", "another's | X2950-3400 | ",
        "open | S2900- F2910- F2930-0 | ", "within | S1330-1500 S2330-2500 | ", "same start | S1320-1600 | ",
        "absolute | @ start = start + 1700000000000000000, \"end\" = \"end\" + 1700000000000000000 | ",
        "other range | @ text = 'my.step' WHERE text LIKE '%step' | --range=update=my.step",
        "upstream | @ text = 'DeepSpeedZeroOptimizer_Stage3.step' WHERE text LIKE '%step' | ",
        "whole | @ text = replace(text, 'Deep', 'Xeep') WHERE start NOT BETWEEN 1e9 AND 4e9 | "})
    void rangesAreFoundWhateverElseIsThere(String what, String more, String option) throws Exception {
        if (RANGE.matcher(more).lookingAt()) {
            ranges(7, 7, more);
        } else {
            sql(more.replace("@", "UPDATE NVTX_EVENTS SET"));
        }
        Files.writeString(csv, HEADER + rows(0, 0, 26000));
        String bands = read(csv, option == null ? "--zone=UTC" : option).bands;
        assertEquals(what.equals("last") ? LONG : THIRD, bands, what);
    }

    static final String FAST = "F10-20 B21-30 U30-40 F50-51 B52-53 U54-60 F70-75 B76-80 U90-95";

    @Test void otherThreadsAndProcesses() throws Exception {
        ranges(7, 8, "F2600-2700 F3050-3200");
        assertEquals(THIRD, read(csv).bands, "a thread that only evaluates");
        ranges(5, 5, FAST);
        Read lowest = read(csv), seventh = read(csv, "--process=7");
        assertEquals(List.of("F70-75 B76-80 U90-95", THIRD), List.of(lowest.bands, seventh.bands));
        assertTrue(lowest.notes.contains("[5, 7]"), lowest.notes);
        run(csv, "--process=4").failed(1, sqlite, "--process");
    }

    @Test void nothingChangesInOrBesideTheCapture() throws Exception {
        sql("PRAGMA journal_mode=WAL");
        Files.createFile(Path.of(sqlite + "-journal"));
        Map<String, String> before = Cli.snapshot(csv.getParent());
        assertEquals(THIRD, read(csv.getParent()).bands);
        assertTrue(before.equals(Cli.snapshot(csv.getParent())), "something changed");
        Path link = Files.createSymbolicLink(tmp.resolve("z.sqlite"), sqlite);
        run(Files.copy(csv, tmp.resolve("log-llama-7b-tp1-monitor.csv")), "--phases=" + link, "--zone=Japan")
            .well();
        assertTrue(Files.exists(tmp.resolve("llama-7b-memory-z.sqlite-zoneJapan.png")), "named so");
        for (String beside : List.of("-journal", "-wal")) {
            Path file = Files.writeString(Path.of(sqlite + beside), "x");
            run(csv).failed(1, file);
            run(csv, "--phases=" + link).failed(1, file);
            Files.delete(file);
        }
    }

    @Test void whatIsInTheWayIsSaidWithTheFilesName() throws Exception {
        run(sqlite).failed(1, sqlite, "monitor");
        run(Files.writeString(log, logged(ZoneOffset.UTC, 4))).failed(1, log, "monitor");
        run(tmp.resolve("nowhere")).failed(1, tmp.resolve("nowhere"));
        run(csv, "--phases=" + tmp.resolve("no.log")).failed(1, tmp.resolve("no.log"));
        run(csv, "--iteration=6").failed(1, sqlite, "5");
        for (String wrong : List.of("--iteration=mean", "--iteration=0", "--zone=No", "--range=updat=x")) {
            run(csv, wrong).failed(2, wrong.replaceFirst("=.*", ""));
        }
        run(csv, "--range=update=my.other.step").failed(1, sqlite, "my.other.step");
        for (String away : List.of("DELETE FROM ", "DROP TABLE ")) {
            sql(away + "TARGET_INFO_SESSION_START_TIME");
            run(csv).failed(1, sqlite, "TARGET_INFO_SESSION_START_TIME");
        }
        Files.writeString(sqlite, "no database, but a text longer than its header would be".repeat(9));
        run(csv).failed(1, sqlite, "not a database");
        Files.writeString(sqlite, Sample.POINTER);
        run(csv).failed(1, sqlite, "LFS");
        Files.delete(sqlite);
        Files.createDirectory(sqlite);
        run(csv).failed(1, sqlite, "no such file");
    }

    /** A capture as the last program left it, in a folder where SQLite could put no file beside it. */
    @Test void whatMayOnlyBeReadIsReadAndWhatMayNotIsSaid() throws Exception {
        sql("PRAGMA journal_mode=WAL");
        assertTrue(csv.getParent().toFile().setWritable(false));
        Cli cli = Cli.start(tmp, Cli.powerless(), Cli.java(List.of(), "Memory", csv));
        assertTrue(csv.getParent().toFile().setWritable(true) && cli.status() == 0, cli.err());
        assertTrue(sqlite.toFile().setReadable(false));
        Cli.start(tmp, Cli.powerless(), Cli.java(List.of(), "Memory", csv)).failed(1, "read " + sqlite);
        assertTrue(sqlite.toFile().setReadable(true) && csv.toFile().setReadable(false));
        Cli.start(tmp, Cli.powerless(), Cli.java(List.of(), "Memory", csv)).failed(1, "cannot read " + csv);
    }

    @Test void aLogsPhasesAreThoseOfTheCapture() throws Exception {
        Files.delete(sqlite);
        Path beside = csv.resolveSibling("log-7B-tp1.log"), tokyo = tmp.resolve("tokyo.log");
        Files.writeString(beside, "consumed samples: 8\nconsumed_samples=  16\n" + logged(ZoneOffset.UTC, 4));
        Files.writeString(tokyo, logged(ZoneId.of("Asia/Tokyo"), 4).replaceAll("(?m)^", "x31: 3%|# | 3/9\r"));
        assertEquals(THIRD, read(csv.getParent()).bands);
        assertFalse(read(csv.getParent()).notes.contains("consumed"), "it rises evenly");
        assertEquals(THIRD, read(csv, "--phases=" + tokyo, "--zone=Asia/Tokyo").bands);
        run(csv, "--phases=" + tokyo).failed(1, csv, "zone");
        String torn = "consumed samples: 1\nconsumed samples:   3\nconsumed_samples=  4\n";
        Files.writeString(log, torn + logged(ZoneOffset.UTC, 4).replace(",373]", ",150]"));
        assertEquals(THIRD.replace("3310", "3110"), read(csv, "--phases=" + log).bands);
        run(csv, "--phases=" + log).well(log + ": consumed samples", "1 to 3", "lines are missing");
        String whole = logged(ZoneOffset.UTC, 3);
        Map<String, String> wrong = Map.of(whole.substring(0, whole.lastIndexOf("0.0")), "2 updates",
            Sample.POINTER, "LFS", whole.replaceAll(".*Engine before forward\n", ""), "",
            whole.replaceAll(".*Engine.*\n", ""), "memory_breakdown",
            whole.replace("step: 200", "step: -20"), "-20", whole.replace("| bwd:", "\0| bwd:"), "0 updates",
            whole.replace("2023-11-14", "2023-19-14"), "2023-19-14");
        for (String text : wrong.keySet()) {
            Files.writeString(log, text);
            run(csv, "--phases=" + log).failed(1, log, wrong.get(text));
        }
    }

    @Test void theDeviceAskedForIsReadInAnyOrderOfRows() throws Exception {
        List<String> first = read(csv, "--device=0").rows, second = read(csv, "--device=1").rows;
        assertEquals(List.of(105, ns(3000) + ",forward," + ((20L << 30) + 3000), ns(3105) + ",,"
            + ((20L << 30) + 3105)), List.of(first.size(), first.get(0), first.get(21)));
        assertEquals(ns(3520) + ",update," + ((21L << 30) + 3520), second.get(104));
        String alternating = IntStream.rangeClosed(0, 1200).map(i -> 6000 - 5 * i)
            .mapToObj(ms -> rows(1, ms, ms) + rows(0, ms, ms)).collect(Collectors.joining());
        Files.writeString(csv, (HEADER + alternating).replaceAll("(?m)^(.*?),(.*),(.*)\r\n", "$3,$2,$1\n\n"));
        assertEquals(first, read(csv).rows);
        assertTrue(read(csv).notes.contains("device 0 of [0, 1]"), read(csv).notes);
        run(csv, "--device=2").failed(1, csv, "device 2");
        ranges(7, 7, "X3000-3400");
        assertTrue(read(csv, "--range=forward=my.step").rows.get(25).contains(",backward,"), "on top");
        Files.writeString(csv, HEADER + rows(0, 0, 3515) + row(0, ns(3520), "21474").strip());
        assertEquals(first.subList(0, 104), read(csv).rows, "the last row has no end yet");
        Files.writeString(csv, HEADER + rows(0, 0, 6000).replaceAll(",4242,\\d+", ",42000000000,7"));
        assertEquals(105, read(csv).rows.size(), "a full GPU has few bytes free, and many used");
    }

    /** A monitor's rows, and what is said of them; most were drawn once without a word. */
    static Stream<Arguments> wrongMonitors() {
        String all = HEADER + rows(0, 0, 26000), row = row(0, ns(9000), (20L << 30) + 9000);
        Stream<String> damaged = Stream.of(row(0, ns(9000), "x"), row("", ns(9000), 7),
            row(0, "9".repeat(20), 7), "0," + ns(9000) + ",1\r\n", row(0, ns(9000), -7));
        return Stream.concat(damaged.map(bad -> Arguments.of(all.replace(row, bad), "line 1802")), Stream.of(
            Arguments.of(all.replace(row, row.replace(",214", ",2\n14")), "line 1803"),
            Arguments.of(all.replaceAll(",[^,]*\r\n", "\r\n"), "mem_free"), Arguments.of("", "mem_free"),
            Arguments.of(all.replaceAll("(?m)^[^,]*,", ""), "device_id"), Arguments.of(Sample.POINTER, "LFS"),
            Arguments.of(all.replaceAll(",2\\d{10}\r", ",20480\r"), "MiB"),
            Arguments.of(all.replaceAll(",2\\d{10}\r", ",20971520\r"), "MiB"),
            Arguments.of(HEADER + rows(0, 0, 9000), "22:13:29"), Arguments.of(HEADER, "device"),
            Arguments.of(HEADER + rows(0, 25000, 30000), "22:13:45"),
            Arguments.of(HEADER + rows(0, 15000, 15000), "22:13:35"),
            Arguments.of(HEADER + rows(0, 6005, 6995) + rows(0, 24005, 24995), "22:13:26"),
            Arguments.of(HEADER + rows(0, 15000, 26000), "22:13:35"),
            Arguments.of(HEADER + rows(0, 0, 5000) + rows(1, 0, 26000), "device 0")));
    }

    @ParameterizedTest(name = "{1}") @MethodSource("wrongMonitors")
    void aMonitorIsRefusedThatDoesNotTell(String text, String word) throws IOException {
        Files.writeString(csv, text);
        run(csv, "--iteration=5").failed(1, csv, word);
    }

    /** Of damaged monitors the same is read as by a second, plain reading, or they are refused. */
    @Test void damagedMonitorsAreReadRightOrRefused() throws IOException {
        String all = HEADER + rows(0, 1990, 4530) + rows(1, 2990, 3010);
        int refused = 0;
        for (int seed = 1; seed <= 100; seed++) {
            String text = LogsTest.damaged(new Random(seed), all);
            Files.writeString(csv, text, StandardCharsets.ISO_8859_1);
            Memory memory = new Memory();
            memory.device = 0L;
            try {
                Memory.Band band = new Memory.Band(Memory.UPDATE, ns(3000), ns(3520));
                Map<Long, String> read = memory.free(csv, List.of(band));
                assertEquals(samplesPlainly(text), read, "seed " + seed);
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().contains(csv + ""), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > 10 && refused < 50, refused + " of 100 refused");
    }

    /** What is free by time, in the whole rows of device 0 from 2000 to 4520 ms; of two the latter counts. */
    static Map<Long, String> samplesPlainly(String text) {
        return Stream.of(text.replaceFirst("[^\r\n]*\\z", "").split("[\r\n]")).map(line -> line.split(","))
            .filter(row -> row.length == 8 && row[0].equals("0") && row[1].matches("\\d{19}")
                && row[1].compareTo(ns(2000) + "") >= 0 && row[1].compareTo(ns(4520) + "") <= 0)
            .collect(Collectors.toMap(row -> Long.valueOf(row[1]), row -> row[7], (a, b) -> b, TreeMap::new));
    }

    /** A capture in which ranges are moved, renamed, doubled and lost is read as by looking at each pair. */
    @Test void damagedCapturesAreReadRight() throws Exception {
        ranges(5, 5, FAST);
        sql("CREATE TABLE was AS SELECT * FROM NVTX_EVENTS");
        List<String> damages = Stream.of("UPDATE X SET start = start + #000000", "DELETE FROM X",
            "UPDATE X SET \"end\" = \"end\" + #000000", "UPDATE X SET text = NULL, textId = # % 6",
            "UPDATE X SET globalTid = globalTid + 1", "UPDATE X SET \"end\" = NULL",
            "INSERT INTO X SELECT start + #, \"end\" - 1, 59, text, globalTid, textId FROM was")
            .map(damage -> damage.replace("X", "NVTX_EVENTS")).toList();
        for (int seed = 1; seed <= 100; seed++) {
            Random random = new Random(seed);
            List<String> all = new ArrayList<>(List.of("PRAGMA synchronous = OFF", "DELETE FROM NVTX_EVENTS",
                "INSERT INTO NVTX_EVENTS SELECT * FROM was"));
            random.ints(1 + random.nextInt(4), 0, 7).forEach(i -> all.add(damages.get(i).replace("#",
                random.nextInt(900) - 200 + "") + " WHERE rowid = " + (1 + random.nextInt(24))));
            sql(all.toArray(String[]::new));
            assertEquals(bandsPlainly(), new Memory().captured(sqlite), "seed " + seed);
        }
    }

    /** The bands of the first thread that has all phases, but for those within one before them. */
    List<Memory.Band> bandsPlainly() throws SQLException {
        Map<Long, List<Memory.Band>> threads = new TreeMap<>();
        try (Connection db = DriverManager.getConnection("jdbc:sqlite:" + sqlite)) {
            ResultSet row = db.createStatement().executeQuery("SELECT coalesce(text, value), start, \"end\", "
                + "globalTid FROM NVTX_EVENTS LEFT JOIN StringIds ON id = textId ORDER BY 2, 3 DESC");
            while (row.next()) {
                int name = Stream.of("F", "B", "U", "S").map(NAMES::get).toList().indexOf(row.getString(1));
                if (name >= 0 && row.getLong(3) > row.getLong(2)) {
                    threads.computeIfAbsent(row.getLong(4), id -> new ArrayList<>()).add(new Memory.Band(
                        Memory.PHASES.get(Math.min(name, 2)), ZERO + row.getLong(2), ZERO + row.getLong(3)));
                }
            }
        }
        List<Memory.Band> all = threads.values().stream().filter(bands ->
            bands.stream().map(Memory.Band::phase).distinct().count() == 3).findFirst().orElseThrow();
        return IntStream.range(0, all.size()).filter(i -> all.subList(0, i).stream().noneMatch(before ->
            before.phase() == all.get(i).phase() && before.end() >= all.get(i).end()))
            .mapToObj(all::get).toList();
    }

    @Test void overAHoleTheLineBreaks() throws Exception {
        Files.writeString(csv, HEADER + rows(0, 0, 9000) + rows(0, 23000, 30000));
        assertEquals(602, read(csv, "--iteration=5").rows.size(), "none in the hole");
        run(csv, "--iteration=5", "--name=it").well(csv + ": no sample for 14.0 s");
        Picture figure = Picture.check(tmp, "it");
        int left = FigureTest.side(figure, true);
        double second = (FigureTest.side(figure, false) - left) / 17.;
        int[] line = line(figure);
        int hole = IntStream.range(1, line.length).filter(i -> line[i] > line[i - 1] + 20).sum();
        assertEquals(left + 2 * second, line[hole - 1], 5, "the end of the line before the hole");
        assertEquals(left + 16 * second, line[hole], 5, "its beginning after that");
    }

    /** The columns of the plot in which its line is. */
    static int[] line(Picture figure) {
        return IntStream.range(FigureTest.side(figure, true) + 5, FigureTest.side(figure, false) - 5)
            .filter(x -> figure.down(x, 0, 100).stream().anyMatch(piece -> piece.to() < 600)).toArray();
    }

    @Test void samplesThatStandAloneAreDots() throws IOException {
        Files.writeString(csv, HEADER + IntStream.rangeClosed(0, 25).map(i -> i * 1010)
            .mapToObj(ms -> rows(0, ms, ms)).collect(Collectors.joining()));
        run(csv, "--iteration=5", "--name=it").well();
        int[] line = line(Picture.check(tmp, "it"));
        assertEquals(16, IntStream.range(1, line.length).filter(i -> line[i] > line[i - 1] + 20).count(),
            "gaps between the samples from 7070 to 23230 ms");
    }

    /** A report is exported by what is called nsys, elsewhere than beside it. */
    @ParameterizedTest @CsvSource(delimiter = '|', value = {"0 | cp ../run/*.sqlite \"${3#--output=}\"",
        "1 | cp ../run/*.sqlite \"${3#--output=}\"; exit 3", "1 | true", "1 |"})
    void aReportIsExportedByNsys(int status, String how) throws Exception {
        Path folder = Files.createDirectories(tmp.resolve("reports"));
        Path bin = Files.createDirectories(tmp.resolve("bin")), out = tmp.resolve("out");
        Path report = Files.writeString(folder.resolve("log-7B-tp1-nsys.nsys-rep"), "a report");
        Files.copy(csv, folder.resolve(csv.getFileName()));
        if (how != null) {
            Cli.program(bin.resolve("nsys"), "[ \"$1 $2 $4\" = 'export --type=sqlite " + report
                + "' ] || exit 9\n" + how + "\n");
        }
        Map<String, String> before = Cli.snapshot(folder);
        Cli cli = Cli.start(folder, Map.of("PATH", bin + ":" + Cli.programsBut("nsys")),
            Cli.java(List.of(), "Memory", folder, "--csv", "--plots=" + out));
        if (status == 0) {
            assertTrue(Files.readString(out.resolve("7B-memory.csv")).contains(ns(3000) + ",0.0,forward,"));
            assertEquals(3, out.toFile().list().length);
        } else {
            cli.failed(1, report, "nsys");
        }
        assertTrue(before.equals(Cli.snapshot(folder)), "something changed");
    }
}
