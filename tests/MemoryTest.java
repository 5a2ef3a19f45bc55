import java.io.IOException;
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
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * What memory.java reads. Runs made up here are written as "F3000-3100 B3110-3310 U3320-3520": a forward
 * from 3000 to 3100 ms after ZERO, a backward and an update; the bands that were read are written so too.
 */
class MemoryTest {
    /** 2023-11-14T22:13:20Z. */
    static final long ZERO = 1_700_000_000_000_000_000L;
    static final String HEADER = "device_id,timestamp,txpci,rxpci,gpu_util,mem_util,mem_used,mem_free\r\n";
    static final String THIRD = "F3000-3100 B3110-3310 U3320-3520", LONG = "F7000-8000 B8100-16000 U16100-24000";
    static final Map<String, String> NAMES = Map.of("F", "DeepSpeedEngine.forward", "B",
        "DeepSpeedEngine.backward", "U", "DeepSpeedEngine._take_model_step", "S",
        "DeepSpeedZeroOptimizer_Stage3.step", "X", "my.step");
    static final Path DATA = Cli.ROOT.resolve("data/act-output-13B-monitor-mem-single-GPU");
    static final Path NSYS = Cli.SHARED.resolve("nsys");

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
        NAMES.values().forEach(name -> assertDoesNotThrow(() ->
            sql("INSERT INTO StringIds (value) VALUES ('" + name + "')")));
        ranges(7, 7, IntStream.range(1, 5).mapToObj(i -> THIRD.replaceAll("(^|\\D)3", "$1" + i))
            .collect(Collectors.joining(" ")) + " " + LONG);
    }

    static long ns(long ms) { return ZERO + ms * 1_000_000; }

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
        RANGE.matcher(ranges).results().forEach(range -> rows.add(0, "(%s000000, %s, 59, '%s', %d, NULL)".formatted(
            range.group(2), range.group(3).isEmpty() ? "NULL" : range.group(3) + "000000",
            NAMES.get(range.group(1)), 1L << 56 | 1L << 48 | pid << 24 | thread)));
        sql("INSERT INTO NVTX_EVENTS VALUES " + String.join(", ", rows));
    }

    static final Pattern RANGE = Pattern.compile("([A-Z])(\\d+)-(\\d*)");

    static String stamped(ZoneId zone, long ms, String text) {
        return DateTimeFormatter.ofPattern("'['uuuu-MM-dd HH:mm:ss,SSS']'").withZone(zone)
            .format(Instant.ofEpochSecond(0, ns(ms))) + " [INFO] [a.py:1:b] " + text + "\n";
    }

    /** The iterations of aRun() as a log has them: `after backward` is said 63 ms after its end. */
    static String logged(ZoneId zone, int iterations) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= iterations; i++) {
            text.append(stamped(zone, 1000 * i, "Engine before forward"))
                .append(stamped(zone, 1000 * i + 100, "Engine after forward"))
                .append(stamped(zone, 1000 * i + 110, "Engine before backward"))
                .append(stamped(zone, 1000 * i + 373, "Engine after backward"))
                .append(stamped(zone, 1000 * i + 375, "Engine before step"))
                .append(stamped(zone, 1000 * i + 519, "time (ms) | optimizer_step: 199.5"))
                .append(stamped(zone, 1000 * i + 520, "time (ms) | fwd_microstep: 95.1 | step_microstep: 200.0"))
                .append(stamped(zone, 1000 * i + 520, "[Rank 0] time (ms) | fwd: 95.1 | bwd: 200.2 | "
                    + "bwd_inner: 7.0 | bwd_allreduce: 9.0 | step: 200.0"))
                .append(stamped(zone, 1000 * i + 525, "Engine after step"));
        }
        return text.toString();
    }

    /** What a command reads: the bands, the rows of its CSV without the seconds, and what it notes. */
    record Read(String bands, List<String> rows, String notes) { }

    static Read read(Object... args) throws Exception {
        Memory memory = new Memory();
        new CommandLine(memory).parseArgs(Stream.of(args).map(Object::toString).toArray(String[]::new));
        Path csv = memory.monitor(), source = memory.source(csv);
        List<Memory.Band> bands = memory.iteration(source.toString().endsWith(".log") ? memory.logged(source)
            : memory.captured(source), source);
        List<Memory.Sample> samples = memory.samples(csv, bands.get(0).start(), Memory.end(bands));
        return new Read(bands.stream().map(band -> "FBU".charAt(band.phase()) + "" + (band.start() - ZERO) / 1_000_000
            + "-" + (band.end() - ZERO) / 1_000_000).collect(Collectors.joining(" ")),
            Memory.table(bands, samples).stream().skip(1).map(row -> row.get(0) + "," + row.get(2) + ","
            + row.get(3)).toList(), String.join("\n", memory.notes));
    }

    Cli run(Object... args) {
        String[] all = Stream.concat(Stream.of(args), Stream.of("--plots=" + tmp)).map(Object::toString)
            .toArray(String[]::new);
        return Cli.run(() -> Memory.execute(new Memory(), all));
    }

    /** The real run: the least free memory in each phase, in GiB, as the study has it. */
    @ParameterizedTest @CsvSource({"data, -nsys.sqlite", "data, .log", "../shared/results, .log"})
    void theRealRunHasThePublishedMinima(String place, String end) throws Exception {
        Path folder = Cli.ROOT.resolve(place).resolve("act-output-13B-monitor-mem-single-GPU");
        assumeTrue(Files.exists(folder), "no real run here, in " + folder);
        Path monitor;
        try (Stream<Path> files = Files.list(folder)) {
            monitor = files.filter(file -> file.toString().endsWith("-monitor.csv")).findFirst().orElseThrow();
        }
        Map<String, Long> least = new TreeMap<>();
        read(monitor, "--phases=" + monitor.toString().replace("-monitor.csv", end)).rows.stream()
            .map(row -> row.split(",", -1)).forEach(row -> least.merge(row[1], Long.parseLong(row[2]), Math::min));
        least.remove("");
        assertEquals("{backward=8.50, forward=13.16, update=15.31}", least.entrySet().stream().collect(
            Collectors.toMap(Map.Entry::getKey, phase -> String.format(Locale.ROOT, "%.2f",
                phase.getValue() / (double) (1 << 30)), (a, b) -> a, TreeMap::new)).toString());
    }

    /** By hand, as one did before there was a script: an UPDATE and three SELECTs, on a copy. */
    List<long[]> byHand(Path capture, int iteration) throws Exception {
        sqlite = Files.write(tmp.resolve("copy.sqlite"), Files.readAllBytes(capture));
        String epoch = "(SELECT utcEpochNs FROM TARGET_INFO_SESSION_START_TIME)";
        sql("UPDATE NVTX_EVENTS SET start = start + " + epoch + ", end = end + " + epoch);
        List<long[]> ranges = new ArrayList<>();
        try (Connection db = DriverManager.getConnection("jdbc:sqlite:" + sqlite)) {
            for (String name : List.of(NAMES.get("F"), NAMES.get("B"), NAMES.get("U"))) {
                ResultSet row = db.createStatement().executeQuery("SELECT start, end FROM NVTX_EVENTS WHERE "
                    + "text='%1$s' OR textId=(SELECT id FROM StringIds WHERE value='%1$s') ".formatted(name)
                    + "ORDER BY end LIMIT 1 OFFSET " + (iteration - 1));
                assertTrue(row.next(), name);
                ranges.add(new long[] {row.getLong(1), row.getLong(2)});
            }
        }
        return ranges;
    }

    @ParameterizedTest @CsvSource({"plain, 1", "plain, 3", "plain, 5", "registered, 3", "registered, 4"})
    void capturesOfNsysAreReadAsByHand(String name, int iteration) throws Exception {
        assumeTrue(Files.exists(NSYS), "no captures here, in " + NSYS);
        Path monitor = NSYS.resolve(name + "-monitor.csv"), capture = NSYS.resolve(name + ".sqlite");
        Map<String, String> before = Cli.snapshot(NSYS);
        List<long[]> ranges = byHand(capture, iteration);
        List<String> rows = new ArrayList<>();
        for (String line : Files.readAllLines(monitor).stream().skip(1).toList()) {
            String[] cells = line.split(",");
            long ns = Long.parseLong(cells[1]);
            if (ranges.get(0)[0] <= ns && ns <= ranges.get(2)[1]) {
                String phase = IntStream.range(0, 3).filter(i -> ranges.get(i)[0] <= ns && ns <= ranges.get(i)[1])
                    .mapToObj(List.of("forward", "backward", "update")::get).collect(Collectors.joining("+"));
                rows.add(ns + "," + phase + "," + cells[7]);
            }
        }
        assertTrue(rows.size() > 30, rows::toString);
        assertEquals(rows, read(monitor, "--iteration=" + iteration).rows);
        assertEquals(rows, read(monitor, "--iteration=" + iteration, "--phases=" + sqlite).rows, "after UPDATE");
        assertTrue(before.equals(Cli.snapshot(NSYS)), "something changed");
    }

    @ParameterizedTest @CsvSource({"nsys-2025.5-no-nvtx-table.sqlite, NVTX_EVENTS",
        "nsys-2026.2-no-deepspeed-ranges.sqlite, --range"})
    void captureWithoutSuchRanges(String name, String word) {
        assumeTrue(Files.exists(NSYS), "no captures here, in " + NSYS);
        run(NSYS.resolve("plain-monitor.csv"), "--phases=" + NSYS.resolve(name)).failed(1, name, word);
    }

    /** What else may be in a capture, and the bands that are there nevertheless. */
    @ParameterizedTest @CsvSource(delimiter = '|', value = {
        "plain | | ",
        "last | | --iteration=5",
        "the same twice | INSERT INTO NVTX_EVENTS SELECT start, \"end\", 59, NULL, globalTid, id FROM NVTX_EVENTS "
            + "JOIN StringIds ON value = text | ",
        "by number | UPDATE NVTX_EVENTS SET textId = (SELECT id FROM StringIds WHERE value = text), text = NULL | ",
        "text counts | UPDATE NVTX_EVENTS SET textId = 1 | ",
        "absolute | UPDATE NVTX_EVENTS SET start = start + 1700000000000000000, "
            + "\"end\" = \"end\" + 1700000000000000000 | ",
        "other range | UPDATE NVTX_EVENTS SET text = 'my.step' WHERE text LIKE '%step' | --range=update=my.step",
        "upstream | UPDATE NVTX_EVENTS SET text = 'DeepSpeedZeroOptimizer_Stage3.step' WHERE text LIKE '%step' | ",
        "open | S2900- F2910- F2930-0 | ", "within | S3330-3500 | ", "around | S3320-3520 | ",
        "another's | X2950-3400 | ", "whole name | UPDATE NVTX_EVENTS SET text = replace(text, 'Deep', 'Xeep') "
            + "WHERE start NOT BETWEEN 1e9 AND 4e9 | "})
    void rangesAreFoundWhateverElseIsThere(String what, String more, String option) throws Exception {
        if (more != null && RANGE.matcher(more).lookingAt()) {
            ranges(7, 7, more);
        } else if (more != null) {
            sql(more);
        }
        Files.writeString(csv, HEADER + rows(0, 0, 26000));
        List<Object> args = option == null ? List.of(csv) : List.of(csv, option);
        assertEquals(what.equals("last") ? LONG : THIRD, read(args.toArray()).bands, what);
    }

    @Test void otherThreadsAndProcesses() throws Exception {
        ranges(7, 8, "F2600-2700 F3050-3200");
        assertEquals(THIRD, read(csv).bands, "a thread that only evaluates");
        ranges(5, 5, "F100-200 B210-300 U300-400 F500-510 B515-530 U540-600 F700-750 B760-800 U900-1000");
        Read lowest = read(csv), seventh = read(csv, "--process=7");
        assertEquals(List.of("F700-750 B760-800 U900-1000", THIRD), List.of(lowest.bands, seventh.bands));
        assertTrue(lowest.notes.contains("[5, 7]"), lowest.notes);
        run(csv, "--process=4").failed(1, sqlite, "--process");
    }

    @Test void nothingChangesInOrBesideTheCapture() throws Exception {
        sql("PRAGMA journal_mode=WAL");
        Files.createFile(Path.of(sqlite + "-journal"));
        Map<String, String> before = Cli.snapshot(csv.getParent());
        assertEquals(THIRD, read(csv.getParent()).bands);
        assertTrue(before.equals(Cli.snapshot(csv.getParent())), "something changed");
        for (String beside : List.of("-journal", "-wal")) {
            Path file = Files.writeString(Path.of(sqlite + beside), "x");
            run(csv).failed(1, file);
            Files.delete(file);
        }
    }

    @Test void whatIsInTheWayIsSaidWithTheFilesName() throws Exception {
        run(sqlite).failed(1, sqlite, "monitor");
        run(Files.writeString(log, logged(ZoneOffset.UTC, 4))).failed(1, log, "monitor");
        run(tmp.resolve("nowhere")).failed(1, tmp.resolve("nowhere"));
        run(csv, "--phases=" + tmp.resolve("no.log")).failed(1, tmp.resolve("no.log"));
        run(csv, "--iteration=6").failed(1, sqlite, "5");
        run(csv, "--iteration=mean").failed(2, "--iteration");
        run(csv, "--iteration=0").failed(2, "--iteration");
        run(csv, "--zone=Nowhere").failed(2, "--zone");
        run(csv, "--range=updat=my.step").failed(2, "--range");
        run(csv, "--range=update=my.other.step").failed(1, sqlite, "my.other.step");
        sql("DELETE FROM TARGET_INFO_SESSION_START_TIME");
        run(csv).failed(1, sqlite, "TARGET_INFO_SESSION_START_TIME");
        sql("DROP TABLE TARGET_INFO_SESSION_START_TIME");
        run(csv).failed(1, sqlite, "TARGET_INFO_SESSION_START_TIME");
        Files.writeString(sqlite, "not a database, but a text that is longer than its header would be".repeat(9));
        run(csv).failed(1, sqlite, "not a database");
        for (Path file : List.of(sqlite, csv)) {
            Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
            run(csv).failed(1, file, "LFS");
        }
    }

    @Test void whatMayNotBeReadIsSaid() throws IOException {
        for (Path file : List.of(csv, sqlite)) {
            assertTrue(file.toFile().setReadable(false));
            Cli.start(tmp, Cli.powerless(), Cli.java(List.of(), "Memory", csv)).failed(1, "cannot read", file);
            assertTrue(file.toFile().setReadable(true));
        }
    }

    @Test void aLogsPhasesAreThoseOfTheCapture() throws Exception {
        Files.delete(sqlite);
        Path beside = csv.resolveSibling("log-7B-tp1.log"), tokyo = tmp.resolve("tokyo.log");
        Files.writeString(beside, logged(ZoneOffset.UTC, 4));
        Files.writeString(tokyo, logged(ZoneId.of("Asia/Tokyo"), 4).replaceAll("(?m)^", "x31: 3%|# | 3/9\r"));
        assertEquals(THIRD, read(csv.getParent()).bands);
        assertEquals(THIRD, read(csv, "--phases=" + tokyo, "--zone=Asia/Tokyo").bands);
        run(csv, "--phases=" + tokyo).failed(1, csv, "zone");
        String whole = logged(ZoneOffset.UTC, 3);
        Files.writeString(log, whole.substring(0, whole.lastIndexOf("0.0")));
        run(csv, "--phases=" + log).failed(1, log, "2");
        Files.writeString(log, whole.replaceAll(".*Engine before forward\n", ""));
        run(csv, "--phases=" + log).failed(1, log);
        Files.writeString(log, whole.replaceAll(".*Engine.*\n", ""));
        run(csv, "--phases=" + log).failed(1, log, "memory_breakdown");
        Files.writeString(log, whole.replace("2023-11-14", "2023-19-14"));
        run(csv, "--phases=" + log).failed(1, log, "2023-19-14");
    }

    @Test void theDeviceAskedForIsReadInAnyOrderOfRows() throws Exception {
        List<String> first = read(csv, "--device=0").rows, second = read(csv, "--device=1").rows;
        assertEquals(List.of(105, ns(3000) + ",forward," + ((20L << 30) + 3000), ns(3105) + ",,"
            + ((20L << 30) + 3105)), List.of(first.size(), first.get(0), first.get(21)));
        assertEquals(ns(3520) + ",update," + ((21L << 30) + 3520), second.get(104));
        String alternating = IntStream.rangeClosed(0, 1200).map(i -> 1200 - i).mapToObj(i -> rows(1, i * 5, i * 5)
            + rows(0, i * 5, i * 5)).collect(Collectors.joining());
        Files.writeString(csv, (HEADER + alternating).replaceAll("(?m)^(.*?),(.*),(.*)\r\n", "$3,$2,$1\n"));
        assertEquals(first, read(csv).rows);
        assertTrue(read(csv).notes.contains("device 0 of [0, 1]"), read(csv).notes);
        run(csv, "--device=2").failed(1, csv, "device 2");
    }

    /** A monitor's rows, and what is said of it; each was drawn once without a word. */
    static Stream<Arguments> wrongMonitors() {
        String all = HEADER + rows(0, 0, 26000), six = all.replaceAll(",[^,]*\r\n", "\r\n");
        return Stream.of(Arguments.of(six, "mem_free"), Arguments.of(all.replaceAll("(?m)^[^,]*,", ""), "device_id"),
            Arguments.of(all.replaceAll(",2\\d{10}\r", ",20480\r"), "MiB"),
            Arguments.of(all.replaceAll(",2\\d{10}\r", ",20971520\r"), "MiB"),
            Arguments.of(HEADER + rows(0, 0, 9000), "22:13:29"), Arguments.of(HEADER + rows(0, 25000, 30000), "22:13:45"),
            Arguments.of(HEADER + rows(0, 15000, 15000), "22:13:35"), Arguments.of(HEADER, "device"),
            Arguments.of(HEADER + rows(0, 0, 5000) + rows(1, 0, 26000), "device 0"), Arguments.of("", "mem_free"),
            Arguments.of(all.replace(row(0, ns(9000), (20L << 30) + 9000), row(0, ns(9000), "x")), "line 1802"),
            Arguments.of(all.replace(row(0, ns(9000), (20L << 30) + 9000), row(0, ns(9000), "7.5")), "line 1802"),
            Arguments.of(all.replace(row(0, ns(9000), (20L << 30) + 9000), row("a", ns(9000), 7)), "line 1802"),
            Arguments.of(all.replace(row(0, ns(9000), (20L << 30) + 9000), row(0, "9".repeat(20), 7)), "line 1802"),
            Arguments.of(all.replace(row(0, ns(9000), (20L << 30) + 9000), "0," + ns(9000) + ",1\r\n"), "line 1802"));
    }

    @ParameterizedTest(name = "{1}") @MethodSource("wrongMonitors")
    void aMonitorIsRefusedThatDoesNotTell(String text, String word) throws IOException {
        Files.writeString(csv, text);
        run(csv, "--iteration=5").failed(1, csv, word);
    }

    /** The last row has no end: its number is part of another. */
    @Test void aRowThatIsBeingWrittenIsNotRead() throws Exception {
        Files.writeString(csv, HEADER + rows(0, 0, 3515) + row(0, ns(3520), "21474").strip());
        Read read = read(csv);
        assertEquals(ns(3515) + ",update," + ((20L << 30) + 3515), read.rows.get(read.rows.size() - 1));
    }

    @Test void overAHoleTheLineBreaks() throws Exception {
        Files.writeString(csv, HEADER + rows(0, 0, 9000) + rows(0, 23000, 30000));
        Cli cli = run(csv, "--iteration=5", "--name=it");
        assertTrue(cli.status() == 0 && cli.err().contains(csv + ": no sample for 14.0 s"), cli.err());
        Picture figure = Picture.check(tmp, "it");
        int left = FigureTest.side(figure, true), right = FigureTest.side(figure, false), y = 700;
        double second = (right - left) / 17.;
        int[] line = IntStream.range(left + 5, right - 5).filter(x -> figure.down(x, 0, 100).stream()
            .anyMatch(piece -> piece.to() < 600)).toArray();
        assertEquals(left + 2 * second, Arrays.stream(line).filter(x -> x < left + 8 * second).max().orElse(0), 5);
        assertEquals(left + 16 * second, Arrays.stream(line).filter(x -> x > left + 8 * second).min().orElse(0), 5);
        int[] colours = {0xA6D9CA, 0xEBCDE6, 0xA6CDE4};
        double[][] bands = {{0, 1}, {1.1, 9}, {9.1, 17}};
        for (int i = 0; i < 3; i++) {
            assertEquals(left + bands[i][0] * second, figure.across(y, colours[i]).from(), 4);
            assertEquals(left + bands[i][1] * second, figure.across(y, colours[i]).to(), 4);
        }
    }

    /** A report is exported by what is called nsys, elsewhere than beside it, without an input to wait for. */
    @ParameterizedTest @CsvSource(delimiter = '|', value = {"0 | cp ../run/log-7B-tp1.sqlite \"${3#--output=}\"",
        "1 | cp ../run/log-7B-tp1.sqlite \"${3#--output=}\"; exit 3", "1 | true", "1 |"})
    void aReportIsExportedByNsys(int status, String how) throws Exception {
        Path folder = Files.createDirectories(tmp.resolve("reports")), bin = Files.createDirectories(tmp.resolve("bin"));
        Path report = Files.writeString(folder.resolve("log-7B-tp1-nsys.nsys-rep"), "a report");
        Files.copy(csv, folder.resolve(csv.getFileName()));
        if (how != null) {
            Cli.program(bin.resolve("nsys"), "[ \"$1 $2 $4\" = 'export --type=sqlite " + report
                + "' ] || exit 9\n" + how + "\n");
        }
        Map<String, String> before = Cli.snapshot(folder);
        Cli cli = Cli.start(folder, Map.of("PATH", bin + ":" + Cli.programsBut("nsys")), Cli.java(List.of(), "Memory",
            folder, "--csv", "--plots=" + tmp.resolve("out")));
        if (status == 0) {
            assertEquals(List.of("7B-memory.csv", "7B-memory.eps", "7B-memory.png"),
                List.copyOf(Cli.snapshot(tmp.resolve("out")).keySet()), cli.err());
            assertTrue(Files.readString(tmp.resolve("out/7B-memory.csv")).contains(ns(3000) + ",0.0,forward,"));
        } else {
            cli.failed(1, report, "nsys");
        }
        assertTrue(before.equals(Cli.snapshot(folder)), "something changed");
    }

    /** A text in which up to three characters are others, anywhere from a place on. */
    static String mutated(String text, int from, Random random) {
        int at = from + random.nextInt(text.length() - from), to = Math.min(text.length(), at + random.nextInt(4));
        List<String> puts = List.of("", "", "0", "7", "x", ".", ",", "-", "\n", "[", " ", "|", "e", "\r\n");
        return text.substring(0, at) + puts.get(random.nextInt(puts.size())) + text.substring(to);
    }

    static List<String> lines(String text) {
        return List.of(text.substring(0, Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1)
            .split("\r\n|\r|\n"));
    }

    /** The rows of the third iteration, from the lowest device; null where one row is none. */
    static List<String> naiveRows(String text) {
        Map<Long, Map<Long, String>> devices = new TreeMap<>();
        for (String line : lines(text.substring(HEADER.length()))) {
            String[] cells = line.split(",", -1);
            boolean timed = cells.length > 1 && cells[1].matches("\\d{1,18}") && Long.parseLong(cells[1]) < ns(2000);
            if (timed) {
                continue;  // of another time, whatever else is in it
            }
            if (cells.length != 8 || !Stream.of(cells[0], cells[1], cells[7]).allMatch(c -> c.matches("\\d{1,19}"))) {
                return null;
            }
            double ms = (Double.parseDouble(cells[1]) - ZERO) / 1e6;
            if (2000 <= ms && ms <= 4520) {
                String phase = ms < 3101 ? "forward" : ms < 3110 ? "" : ms < 3311 ? "backward" : ms < 3320 ? "" : "update";
                devices.computeIfAbsent(Long.parseLong(cells[0]), id -> new TreeMap<>()).put(Long.parseLong(cells[1]),
                    ms < 3000 || ms > 3520 ? "" : cells[1] + "," + phase + "," + Long.parseLong(cells[7]));
            }
        }
        return devices.values().iterator().next().values().stream().filter(row -> !row.isEmpty()).toList();
    }

    /** The bands of the third iteration; null where a beginning, an end or a number is missing. */
    static String naiveBands(String text) {
        List<String> said = new ArrayList<>();
        int updates = 0;
        for (String line : lines(text)) {
            Matcher m = Pattern.compile("\\[([\\d-]{10}) ([\\d:,]{12})](?!.*\\[\\d{4}-).*(Engine (before|after) "
                + "(forward|backward)|time \\(ms\\) \\| fwd: .*\\| step: (\\S*))").matcher(line);
            if (!m.find()) {
                continue;
            }
            long ms;
            try {
                ms = LocalDateTime.parse(m.group(1) + "T" + m.group(2).replace(',', '.')).toInstant(ZoneOffset.UTC)
                    .toEpochMilli() - ZERO / 1_000_000;
            } catch (DateTimeException e) {
                return null;
            }
            if (m.group(6) == null) {
                said.add(m.group(4) + " " + m.group(5) + " " + ms);
            } else if (!m.group(6).matches("\\d+(\\.\\d+)?")) {
                return null;
            } else if (++updates == 3) {
                Matcher whole = Pattern.compile("before forward (\\d+), after forward (\\d+), before backward (\\d+), "
                    + "after backward (\\d+)").matcher(String.join(", ", said));
                return !whole.matches() ? null : "F%s-%s B%s-%d U%d-%d".formatted(whole.group(1), whole.group(2),
                    whole.group(3), Long.parseLong(whole.group(4)) - 63, (long) (ms - Double.parseDouble(m.group(6))), ms);
            } else {
                said.clear();
            }
        }
        return null;
    }

    /** 300 times: what was damaged is read as by the naive reading, or refused with the file's name. */
    @Test void damageIsReadRightOrRefused() throws Exception {
        Random random = new Random(14);
        String monitor = HEADER + rows(0, 2000, 4520), text = logged(ZoneOffset.UTC, 3);
        int read = 0;
        for (int i = 0; i < 300; i++) {
            String damaged = i % 2 == 0 ? mutated(monitor, HEADER.length(), random) : mutated(text, 0, random);
            Path file = Files.writeString(i % 2 == 0 ? csv : log, damaged);
            Files.writeString(i % 2 == 0 ? log : csv, i % 2 == 0 ? text : monitor);
            Object naive = i % 2 == 0 ? naiveRows(damaged) : naiveBands(damaged);
            try {
                Read all = read(csv, "--phases=" + (i % 2 == 0 ? sqlite : log));
                List<String> odd = new ArrayList<>(lines(damaged));
                odd.removeAll(lines(i % 2 == 0 ? monitor : text));
                assertTrue((i % 2 == 0 ? all.rows : all.bands).equals(naive), () -> "wrong numbers of " + odd);
                read++;
            } catch (IllegalArgumentException e) {
                boolean named = e.getMessage().contains(file.toString()) || e.getMessage().contains(csv.toString());
                assertTrue(named, () -> e.getMessage() + " names no file");
            }
        }
        assertTrue(read > 150, read + " of 300 were read");
    }
}
