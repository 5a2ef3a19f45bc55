import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * The runs made up here are written as "F3000-3100 B3110-3310 U3320-3520": a forward from 3000 to 3100 ms after ZERO,
 * then a backward and an update. Their monitor has a sample every 5 ms, so what was drawn is written the same way.
 */
class MemoryTest {
    /** 2023-11-14T22:13:20Z. */
    static final long ZERO = 1_700_000_000_000_000_000L;
    static final int EVERY_MS = 5;
    static final String HEADER = "device_id,timestamp,txpci,rxpci,gpu_util,mem_util,mem_used,mem_free\n";
    static final String FORK = "DeepSpeedEngine._take_model_step", UPSTREAM = "DeepSpeedZeroOptimizer_Stage3.step";
    static final Map<String, String> NAMES = Map.of("F", "DeepSpeedEngine.forward", "B", "DeepSpeedEngine.backward",
        "U", FORK, "S", UPSTREAM, "X", "DeepSpeedEngine.step", "A", "aten::linear");
    static final Pattern RANGE = Pattern.compile("([A-Z])(\\d+)-(\\d*)");
    static final double GIB = 1L << 30;
    static final String MEMORY_RUN = "act-output-13B-monitor-mem-single-GPU";

    @TempDir Path tmp;
    Path folder, plots, csv, sqlite, log;
    /** What the ms of a test count from. */
    long zero = ZERO;

    @BeforeEach void folder() throws IOException {
        folder = Files.createDirectories(tmp.resolve("run"));
        plots = tmp.resolve("plots");
        csv = folder.resolve("log-7B-tp1-dp1-monitor.csv");
        sqlite = folder.resolve("log-7B-tp1-dp1.sqlite");
        log = folder.resolve("log-7B-tp1-dp1.log");
        monitor(samples(0, 0, 6000));
    }

    // Making a monitor.

    void monitor(Stream<String> rows) throws IOException {
        Files.writeString(csv, HEADER + rows.collect(Collectors.joining()));
    }

    Stream<String> samples(int device, int fromMs, int toMs) {
        return IntStream.rangeClosed(fromMs / EVERY_MS, toMs / EVERY_MS).map(i -> i * EVERY_MS)
            .mapToObj(ms -> row(device, ns(ms), free(device, ms)));
    }

    static String row(Object device, Object ns, Object free) {
        return device + "," + ns + ",1.5000000,0.5000000,90,10,4242," + free + "\n";
    }

    /** Different for each sample and device: between 20 and 28 GiB. */
    static long free(int device, long ms) {
        return (20L + device << 30) + ms * 1000;
    }

    long ns(double ms) {
        return zero + Math.round(ms * 1e6);
    }

    // Making a capture.

    static String iteration(int i) {
        return "F%1$d000-%1$d100 B%1$d110-%1$d310 U%1$d320-%1$d520".formatted(i);
    }

    static String iterations(int count) {
        return IntStream.rangeClosed(1, count).mapToObj(MemoryTest::iteration).collect(Collectors.joining(" "));
    }

    static String later(String ranges, int ms) {
        return Pattern.compile("\\d+").matcher(ranges).replaceAll(at -> "" + (Integer.parseInt(at.group()) + ms));
    }

    void capture(String ranges) throws SQLException {
        sql("CREATE TABLE NVTX_EVENTS (start INTEGER NOT NULL, \"end\" INTEGER, eventType INTEGER NOT NULL, text TEXT, "
            + "globalTid INTEGER, textId INTEGER, domainId INTEGER)",
            "CREATE TABLE StringIds (id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
            "CREATE TABLE TARGET_INFO_SESSION_START_TIME (utcEpochNs INTEGER, utcTime TEXT, localTime TEXT)",
            "INSERT INTO TARGET_INFO_SESSION_START_TIME VALUES (" + zero + ", '', '')");
        process(7, ranges);
    }

    /** Adds ranges; the last is written first, since an export has its rows in any order. */
    void process(long pid, String ranges) throws SQLException {
        List<String> inserts = new ArrayList<>();
        for (Matcher range = RANGE.matcher(ranges); range.find(); ) {
            inserts.add("INSERT INTO NVTX_EVENTS VALUES (%s000000, %s, 59, '%s', %d, NULL, 0)".formatted(range.group(2),
                range.group(3).isEmpty() ? "NULL" : range.group(3) + "000000", NAMES.get(range.group(1)),
                1L << 56 | 1L << 48 | pid << 24 | pid + 1));
        }
        Collections.reverse(inserts);
        sql(inserts.toArray(String[]::new));
    }

    void sql(String... statements) throws SQLException {
        try (Connection db = open(sqlite); Statement statement = db.createStatement()) {
            db.setAutoCommit(false);
            for (String text : statements) {
                statement.executeUpdate(text);
            }
            db.commit();
        }
    }

    static Connection open(Path file) throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + file);
    }

    // Making a log.

    String stamp(double ms, ZoneId zone) {
        return DateTimeFormatter.ofPattern("'['uuuu-MM-dd HH:mm:ss,SSS']'").withZone(zone)
            .format(Instant.ofEpochSecond(0, ns(ms)));
    }

    String engine(String words, double ms) {
        return stamp(ms, ZoneOffset.UTC) + " [INFO] [utils.py:800:see_memory_usage] Engine " + words + "\n";
    }

    String timing(double ms, double fwd, double bwd, double step) {
        String head = stamp(ms, ZoneOffset.UTC) + " [INFO] [logging.py:96:log_dist] [Rank 0] ";
        return head + "time (ms) | fwd: 3.21\n" + head + "time (ms) | my_fwd: 1 | my_bwd: 1 | my_step: 1\n"
            + head + "time (ms) | fwd_microstep: 1 | bwd_microstep: 1 | step_microstep: 1\n" + head + "time (ms) | "
            + "fwd: " + fwd + " | bwd: " + bwd + " | bwd_inner: 7 | bwd_allreduce: 9 | step: " + step
            + "\n elapsed_time 1 | consumed samples: 3 | TFLOPs: 12.81 |\n";
    }

    /** The same phases as iteration(i); `after backward` is stamped 63 ms after the end of backward. */
    String logged(int i) {
        double t = i * 1000;
        return engine("before forward", t) + engine("after forward", t + 100) + engine("before backward", t + 105)
            + engine("after backward", t + 373) + engine("before step", t + 375) + timing(t + 520, 95, 200, 200)
            + engine("after step", t + 525);
    }

    void log(int iterations) throws IOException {
        Files.writeString(log, "[2023-11-14 22:13:20,001] [INFO] [launch.py] starts\n"
            + IntStream.rangeClosed(1, iterations).mapToObj(this::logged).collect(Collectors.joining()));
    }

    // Running the script.

    /** Runs the script with --csv; without a path first it is given the folder. */
    Cli run(Object... args) {
        Stream<?> input = args.length > 0 && args[0] instanceof Path ? Stream.of() : Stream.of(folder);
        String[] all = Stream.of(input, Stream.of(args), Stream.of("--csv", "--plots=" + plots)).flatMap(s -> s)
            .map(Object::toString).toArray(String[]::new);
        return Cli.run(() -> Memory.execute(new Memory(), all));
    }

    /** The rows of the CSV that a run wrote. */
    static List<String> rows(Cli cli) throws IOException {
        assertEquals(0, cli.status(), cli::err);
        List<String> printed = cli.out().lines().toList();
        assertEquals(List.of(".png", ".eps", ".csv"), printed.stream().map(p -> p.substring(p.length() - 4)).toList());
        for (String path : printed) {
            assertTrue(Files.size(Path.of(path)) > 0, path);
        }
        List<String> lines = Files.readAllLines(Path.of(printed.get(2)));
        assertEquals("timestamp_ns,phase,mem_free_bytes", lines.get(0));
        return lines.subList(1, lines.size());
    }

    /** What was drawn, as ranges; asserts that no sample is missing, not even between two, and that none is changed. */
    String drawn(int device, Cli cli) throws IOException {
        List<String> bands = new ArrayList<>();
        String before = "";
        long next = -1, from = 0;
        for (String row : rows(cli)) {
            String[] cells = row.split(",", -1);
            long ms = (Long.parseLong(cells[0]) - zero) / 1_000_000;
            assertEquals(List.of(next < 0 ? ms : next, free(device, ms)), List.of(ms, Long.parseLong(cells[2])), row);
            from = cells[1].equals(before) ? from : ms;
            if (!cells[1].isEmpty()) {
                String band = cells[1].substring(0, 1).toUpperCase(Locale.ROOT) + from + "-" + ms;
                Object replaced = from < ms ? bands.set(bands.size() - 1, band) : bands.add(band);
            }
            before = cells[1];
            next = ms + EVERY_MS;
        }
        return String.join(" ", bands);
    }

    String drawn(Object... args) throws IOException {
        return drawn(0, run(args));
    }

    /** The last line is the error; the ones before it are notes. */
    static void failedAfterNotes(Cli cli, Object... words) {
        String last = cli.err().substring(cli.err().stripTrailing().lastIndexOf('\n') + 1);
        new Cli(cli.status(), cli.out(), last).failed(1, words);
        assertFalse(cli.err().contains("\tat "), cli.err());
    }

    static Path shared(String path) {
        Path file = Cli.SHARED.resolve(path);
        assumeTrue(Files.exists(file), "there is no " + file + ", the real inputs");
        return file;
    }

    /** The one file in a folder whose name ends so and holds this. */
    static Path find(Path folder, String with, String end) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found = files.filter(f -> f.toString().endsWith(end) && f.toString().contains(with)).toList();
            assertEquals(1, found.size(), () -> found + " in " + folder);
            return found.get(0);
        }
    }

    // The real inputs.

    @Nested class RealCaptures {
        /** What users do by hand today, on a copy: start and end of the three ranges of an iteration. */
        List<long[]> byHand(Path capture, int iteration, boolean shift) throws SQLException, IOException {
            Path copy = Files.copy(capture, tmp.resolve("by-hand-" + iteration + ".sqlite"));
            copy.toFile().setWritable(true);
            try (Connection db = open(copy)) {
                if (shift) {
                    update(db);
                }
                List<long[]> ranges = new ArrayList<>();
                for (String kind : List.of("F", "B", "U")) {
                    ranges.add(nth(db, NAMES.get(kind), iteration));
                }
                return ranges;
            }
        }

        void update(Connection db) throws SQLException {
            String epoch = "(SELECT utcEpochNs FROM TARGET_INFO_SESSION_START_TIME)";
            try (Statement statement = db.createStatement()) {
                statement.executeUpdate("UPDATE NVTX_EVENTS SET start=start+" + epoch + ", \"end\"=\"end\"+" + epoch);
            }
        }

        private long[] nth(Connection db, String name, int n) throws SQLException {
            String number;
            try (PreparedStatement ids = db.prepareStatement("SELECT id FROM StringIds WHERE value=?")) {
                ids.setString(1, name);
                ResultSet id = ids.executeQuery();
                number = id.next() ? id.getString(1) : "-1";
            }
            boolean text = plainNames(db);
            try (PreparedStatement query = db.prepareStatement("SELECT * FROM NVTX_EVENTS WHERE "
                + (text ? "text" : "textId") + "=? ORDER BY \"end\" ASC")) {
                query.setString(1, text ? name : number);
                ResultSet row = query.executeQuery();
                for (int i = 0; i < n; i++) {
                    assertTrue(row.next(), name);
                }
                return new long[] {row.getLong("start"), row.getLong("end")};
            }
        }

        private boolean plainNames(Connection db) throws SQLException {
            try (Statement query = db.createStatement()) {
                return query.executeQuery("SELECT count(text) FROM NVTX_EVENTS WHERE eventType=59").getInt(1) > 0;
            }
        }

        /** The rows of the monitor from the forward to the update, each with the name of the range that it lies in. */
        List<String> expected(Path monitor, List<long[]> ranges) throws IOException {
            List<String> rows = new ArrayList<>();
            for (String line : Files.readAllLines(monitor).stream().skip(1).toList()) {
                String[] cells = line.split(",");
                long ns = Long.parseLong(cells[1]);
                String phase = IntStream.range(0, 3).filter(i -> ns >= ranges.get(i)[0] && ns <= ranges.get(i)[1])
                    .mapToObj(List.of("forward", "backward", "update")::get).collect(Collectors.joining("+"));
                if (ns >= ranges.get(0)[0] && ns <= ranges.get(2)[1]) {
                    rows.add(ns + "," + phase + "," + cells[7]);
                }
            }
            return rows;
        }

        @ParameterizedTest @CsvSource({"plain, 3", "registered, 3", "plain, 1", "plain, 2", "plain, 4", "plain, 5",
            "registered, 1", "registered, 5"})
        void everySampleAgreesWithTheProcedureByHand(String name, int iteration) throws IOException, SQLException {
            Path monitor = shared("nsys/" + name + "-monitor.csv");
            List<String> expected = expected(monitor, byHand(shared("nsys/" + name + ".sqlite"), iteration, true));
            assertEquals(Set.of("forward", "backward", "update"), expected.stream().map(row -> row.split(",")[1])
                .filter(phase -> !phase.isEmpty()).collect(Collectors.toSet()));
            assertEquals(expected, rows(run(monitor, "--iteration=" + iteration).quiet()));
        }

        @Test void theThirdIterationIsTheDefault() throws IOException {
            Path monitor = shared("nsys/plain-monitor.csv");
            assertEquals(rows(run(monitor, "--iteration=3").quiet()), rows(run(monitor).quiet()));
        }

        @ParameterizedTest @ValueSource(strings = {"plain", "registered"})
        void aCaptureThatSomebodyUpdatedIsNotShiftedTwice(String name) throws IOException, SQLException {
            Path monitor = shared("nsys/" + name + "-monitor.csv");
            List<String> expected = rows(run(monitor).quiet());
            Path updated = Files.copy(shared("nsys/" + name + ".sqlite"), tmp.resolve("updated.sqlite"));
            updated.toFile().setWritable(true);
            try (Connection db = open(updated)) {
                update(db);
            }
            assertEquals(expected, rows(run(monitor, "--phases=" + updated).quiet()));
            assertEquals(expected, expected(monitor, byHand(updated, 3, false)));
        }

        @Test void theFolderIsLeftAsItWas() throws IOException {
            Map<String, String> before = Cli.snapshot(shared("nsys"));
            run(shared("nsys/plain-monitor.csv")).quiet();
            run(shared("nsys/registered-monitor.csv")).quiet();
            assertEquals(before, Cli.snapshot(shared("nsys")));
        }

        @Test void aFolderOfSeveralMonitorsAsksForOne() {
            run(shared("nsys")).failed(1, shared("nsys"), "2", "plain-monitor.csv");
        }

        @Test void whereNothingWasTracedTheMissingTableIsNamed() {
            Path capture = shared("nsys/nsys-2025.5-no-nvtx-table.sqlite");
            run(shared("nsys/plain-monitor.csv"), "--phases=" + capture).failed(1, capture, "NVTX_EVENTS", "nvtx");
        }

        @Test void whereOtherRangesWereTracedTheCommonestAreNamed() throws SQLException {
            Path capture = shared("nsys/nsys-2026.2-no-deepspeed-ranges.sqlite");
            Cli cli = run(shared("nsys/plain-monitor.csv"), "--phases=" + capture);
            cli.failed(1, capture, NAMES.get("F"), NAMES.get("B"), FORK, UPSTREAM, "--forward-range");
            List<String> named = commonest(capture).stream().filter(name -> cli.err().contains(name)).toList();
            assertTrue(named.size() >= 3, () -> "only " + named + " of the commonest in " + cli.err());
        }

        private List<String> commonest(Path capture) throws SQLException {
            Map<String, Integer> counts = new HashMap<>();
            try (Connection db = DriverManager.getConnection("jdbc:sqlite:file:" + capture + "?immutable=1");
                Statement query = db.createStatement()) {
                ResultSet row = query.executeQuery("SELECT text FROM NVTX_EVENTS WHERE text IS NOT NULL");
                while (row.next()) {
                    counts.merge(row.getString(1), 1, Integer::sum);
                }
            }
            int most = Collections.max(counts.values());
            return counts.keySet().stream().filter(name -> counts.get(name) == most).toList();
        }
    }

    @Nested class RealRuns {
        /** The least free memory in each phase, in GiB as people say it. */
        Map<String, String> minima(List<String> rows) {
            Map<String, Long> least = new TreeMap<>();
            rows.stream().map(row -> row.split(",", -1))
                .forEach(cells -> least.merge(cells[1], Long.parseLong(cells[2]), Math::min));
            least.remove("");
            return least.keySet().stream().collect(Collectors.toMap(phase -> phase,
                phase -> String.format(Locale.ROOT, "%.2f", least.get(phase) / GIB)));
        }

        static final Map<String, String> PUBLISHED = Map.of("forward", "13.16", "backward", "8.50", "update", "15.31");

        @Test void thePublishedMinimaComeFromTheLog() throws IOException {
            Path run = shared("results/" + MEMORY_RUN);
            Cli cli = run(run);
            assertEquals(PUBLISHED, minima(rows(cli)));
            assertTrue(cli.err().matches("[^\\n]*\\.log[^\\n]*\\n"), () -> "one note that names the log: " + cli.err());
            assertEquals(plots.resolve("13B-memory.png"), Path.of(cli.out().lines().findFirst().orElseThrow()));
            Picture.check(plots, "13B-memory");
        }

        @Test void thePublishedMinimaComeFromTheSample() throws IOException {
            assertEquals(PUBLISHED, minima(rows(run(Cli.ROOT.resolve("data/" + MEMORY_RUN)).quiet())));
            Picture.check(plots, "13B-memory");
        }

        @ParameterizedTest @ValueSource(ints = {2, 3, 4})
        void captureAndLogOfTheSampleAgree(int iteration) throws IOException {
            Path sample = Cli.ROOT.resolve("data/" + MEMORY_RUN);
            List<String> rows = rows(run(sample, "--iteration=" + iteration).quiet());
            assertEquals(rows, rows(run(sample, "--iteration=" + iteration, "--phases=" + find(sample, "", ".log"))));
            assertTrue(rows.size() > 300, () -> rows.size() + " samples");
        }

        @Test void theSampleHasTheRowsOfTheRealMonitor() throws IOException {
            List<String> real = rows(run(shared("results/" + MEMORY_RUN)));
            assertEquals(real, rows(run(Cli.ROOT.resolve("data/" + MEMORY_RUN))));
        }

        /** 20B-twinflow: stamps and times of iteration 3, copied from the log; the H100's rows are CRLF. */
        @ParameterizedTest @ValueSource(ints = {-1, 0, 1, 2, 3})
        void fourDevicesInBlocks(int device) throws IOException {
            Path runs = shared("results/act-output-20B-scale-twinflow");
            Path monitor = find(runs, "ratio1.0-subg100000000-prefetch0-flush_async0-", "-monitor.csv");
            long day = Instant.parse("2024-04-15T01:15:00Z").getEpochSecond() * 1_000_000_000;
            List<String> bands = List.of("forward 48606000000 48864000000", "backward 48934160000 53444000000",
                "update 53554770000 55826000000");
            Cli cli = device < 0 ? run(monitor) : run(monitor, "--device=" + device);
            assertEquals(expected(monitor, Math.max(0, device), day, bands), rows(cli));
            assertTrue(device >= 0 || cli.err().matches("(?s).*0\\D+1\\D+2\\D+3.*--device.*"), cli::err);
        }

        private List<String> expected(Path csv, int device, long since, List<String> bands) throws IOException {
            List<String> rows = new ArrayList<>();
            for (String line : Files.readAllLines(csv)) {
                String[] cells = line.split(",");
                if (cells[0].equals("" + device)) {
                    long ns = Long.parseLong(cells[1]) - since;
                    String phase = bands.stream().map(b -> b.split(" ")).filter(b -> ns >= Long.parseLong(b[1])
                        && ns <= Long.parseLong(b[2])).map(b -> b[0]).findFirst().orElse("");
                    if (ns >= 48_606_000_000L && ns <= 55_826_000_000L) {
                        rows.add(cells[1] + "," + phase + "," + cells[7]);
                    }
                }
            }
            assertTrue(rows.size() > 100, () -> rows.size() + " samples");
            return rows;
        }
    }

    /** The stamps of iteration 3 of a real run of 4 micro-steps, from 15:19 on; the update took 3968.02 ms. */
    @Test void eachMicroStepOfARealLogHasItsBands() throws IOException {
        Path real = find(shared("results/act-output-7B-scale-GA-single-GPU"), "gbs16-mbs4-ratio1-subg100000000-"
            + "prefetch0-flush_async0", ".log");
        zero = Instant.parse("2024-03-28T15:19:00Z").getEpochSecond() * 1_000_000_000;
        monitor(samples(0, 20_000, 60_000));
        String stamps = "F28460-29137 B29200-31114 F31179-31821 B31884-33820 F33885-34528 B34592-36534 F36599-37242 "
            + "B37306-43290 U43350.98-47319";
        assertEquals(sampled(stamps), drawn(csv, "--phases=" + real));
    }

    /** The first and the last sample in each range. */
    static String sampled(String ranges) {
        return Stream.of(ranges.split(" ")).map(range -> {
            String[] ends = range.substring(1).split("-");
            return range.charAt(0) + "" + (long) Math.ceil(Double.parseDouble(ends[0]) / EVERY_MS) * EVERY_MS + "-"
                + (long) Math.floor(Double.parseDouble(ends[1]) / EVERY_MS) * EVERY_MS;
        }).collect(Collectors.joining(" "));
    }

    @Nested class Captures {
        @Test void theIterationIsTheNthUpdateWithWhatIsBeforeIt() throws Exception {
            capture(iterations(5));
            for (int i = 1; i <= 5; i++) {
                assertEquals(iteration(i), drawn("--iteration=" + i));
            }
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        @Test void bothEndsOfAPhaseAreInclusive() throws Exception {
            capture(iterations(3));
            LongStream edges = LongStream.of(3000, 3100, 3110, 3310, 3320, 3520);
            monitor(edges.boxed().flatMap(ms -> LongStream.of(-1, 0, 1).mapToObj(d -> row(0, ns(ms) + d, 5 + d))));
            List<String> expected = List.of("3000000000,forward", "3000000001,forward", "3099999999,forward",
                "3100000000,forward", "3100000001,", "3109999999,", "3110000000,backward", "3110000001,backward",
                "3309999999,backward", "3310000000,backward", "3310000001,", "3319999999,", "3320000000,update",
                "3320000001,update", "3519999999,update", "3520000000,update");
            assertEquals(expected, rows(run().quiet()).stream().map(row -> row.substring(0, row.lastIndexOf(',')))
                .map(row -> Long.parseLong(row.substring(0, 19)) - ZERO + row.substring(19)).toList());
        }

        @Test void withAccumulationEachMicroStepHasItsBands() throws Exception {
            String third = "F3000-3050 B3060-3150 F3160-3200 B3210-3300 F3310-3350 B3360-3450 F3460-3500 B3510-3600 "
                + "U3610-3700";
            capture(Stream.of(-2000, -1000, 0, 1000).map(ms -> later(third, ms)).collect(Collectors.joining(" ")));
            assertEquals(third, drawn());
            assertEquals(later(third, 1000), drawn("--iteration=4"));
        }

        @Test void aForwardOfAnEvaluationHasNoBand() throws Exception {
            capture(iterations(2) + " F2600-2650 F2660-2700 F2710-2750 " + iteration(3) + " F3600-3650 "
                + iteration(4));
            assertEquals(iteration(3), drawn());
            assertEquals(iteration(4), drawn("--iteration=4"));
        }

        /** An exception left them on the stack, or the capture ended first; older exports have a default for NULL. */
        @ParameterizedTest @ValueSource(strings = {"", "0", "10"})
        void anOpenRangeIsPassedOver(String end) throws Exception {
            capture("F500-%1$s B600-%1$s U700-%1$s ".formatted(end) + iterations(2)
                + " F2700-%1$s B2800-%1$s U2900-%1$s ".formatted(end) + iteration(3) + " " + iteration(4));
            assertEquals(iteration(3), drawn());
        }

        @Test void theForksUpdateCountsWhereUpstreamsHoldsIt() throws Exception {
            capture(iterations(4).replaceAll("U(\\d)320-(\\d)520", "S$1315-$1525 X$1312-$1528 U$1320-$1520"));
            assertEquals(iteration(3), drawn());
        }

        @Test void withoutTheForkTheUpdateIsUpstreams() throws Exception {
            capture(iterations(4).replace("U", "S"));
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        @Test void theUpdatesRangeMayBeChosen() throws Exception {
            capture(iterations(4).replaceAll("U(\\d)320-(\\d)520", "S$1315-$1525 U$1320-$1520"));
            assertEquals("F3000-3100 B3110-3310 U3315-3525", drawn("--update-range=" + UPSTREAM));
        }

        @Test void allRangesMayHaveOtherNames() throws Exception {
            capture(iterations(4));
            sql("UPDATE NVTX_EVENTS SET text = 'it''s; \"' || text || '\" %_?1'");
            String name = "it's; \"%s\" %%_?1";
            assertEquals(iteration(3), drawn("--forward-range=" + name.formatted(NAMES.get("F")),
                "--backward-range=" + name.formatted(NAMES.get("B")), "--update-range=" + name.formatted(FORK)));
            run().failed(1, sqlite, "--forward-range", "it's");
        }

        @Test void aNameIsMatchedWhole() throws Exception {
            capture(iterations(4));
            String add = "INSERT INTO NVTX_EVENTS SELECT start - 4000000, start - 2000000, 59, %s, globalTid, NULL, 0 "
                + "FROM NVTX_EVENTS";
            sql(add.formatted("text || 's'"), add.formatted("'x' || text"), add.formatted("lower(text)"));
            assertEquals(iteration(3), drawn());
        }

        /** PyTorch writes text, the nvtx package registers strings: one capture may hold both. */
        @Test void aNameIsInTheTextOrReachedByItsNumber() throws Exception {
            capture(iterations(4));
            sql("INSERT INTO StringIds (value) SELECT DISTINCT text FROM NVTX_EVENTS",
                "UPDATE NVTX_EVENTS SET textId = (SELECT id FROM StringIds WHERE value = text), text = NULL, "
                + "domainId = 3 WHERE start > 2050000000");
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        @Test void theTextCountsWhereBothAreThere() throws Exception {
            capture(iterations(4) + " A3005-3006 A2000-2900");
            sql("INSERT INTO StringIds VALUES (5, 'DeepSpeedEngine.forward'), (6, 'aten::linear')",
                "UPDATE NVTX_EVENTS SET textId = CASE text WHEN 'aten::linear' THEN 5 ELSE 6 END");
            assertEquals(iteration(3), drawn());
        }

        @Test void anOldExportWithoutNumbersOfStringsIsRead() throws Exception {
            capture(iterations(4));
            sql("DROP TABLE StringIds", "ALTER TABLE NVTX_EVENTS DROP COLUMN textId");
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        @Test void absoluteTimesNeedNoStartOfTheSession() throws Exception {
            capture(iterations(4));
            sql("UPDATE NVTX_EVENTS SET start = start + " + ZERO + ", \"end\" = \"end\" + " + ZERO,
                "DROP TABLE TARGET_INFO_SESSION_START_TIME");
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        @Test void theFirstProcessWithAllRangesIsTaken() throws Exception {
            capture(iterations(1));
            sql("DELETE FROM NVTX_EVENTS");
            process(0xABCDEF, later(iterations(4), 5));
            process(300, iterations(4));
            process(20, iterations(4).replaceAll("U\\S+", ""));
            Cli cli = run();
            assertEquals(iteration(3), drawn(0, cli));
            assertTrue(cli.err().matches("[^\\n]*\\b300\\b[^\\n]*\\b11259375\\b[^\\n]*--process[^\\n]*\\n"), cli::err);
            assertEquals("F3005-3105 B3115-3315 U3325-3525", drawn("--process=11259375"));
            assertEquals(iteration(3), drawn("--process=300"));
            run("--process=20").failed(1, sqlite, "--process", "20", "300", "11259375");
        }

        @Test void theThreadsOfAProcessAreTakenTogether() throws Exception {
            capture(iterations(4));
            sql("UPDATE NVTX_EVENTS SET globalTid = globalTid + 55 WHERE text LIKE '%backward'");
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        @Test void theCaptureStaysAsItIsInAFolderWithoutRights() throws Exception {
            capture(iterations(4));
            Map<String, String> before = Cli.snapshot(folder);
            rights("r-xr-xr-x");
            try {
                assertEquals(iteration(3), drawn(0, run().quiet()));
                assertEquals(before, Cli.snapshot(folder));
            } finally {
                rights("rwxr-xr-x");
            }
        }

        private void rights(String of) throws IOException {
            for (Path path : List.of(folder, csv, sqlite)) {
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(of));
            }
        }

        /** sqlite-jdbc puts its library into the temporary folder; a file in its place is as bad as a full disk. */
        @Test void withoutATemporaryFolderTheErrorSaysWhatHelps() throws Exception {
            capture(iterations(4));
            String none = "-Djava.io.tmpdir=" + Files.writeString(tmp.resolve("no folder"), "");
            String[] args = {folder.toString(), "--csv", "--plots=" + plots};
            Cli.start(tmp, Cli.java(List.of(none), "Memory", (Object[]) args)).failed(1, "org.sqlite.tmpdir");
            List<String> other = List.of(none, "-Dorg.sqlite.tmpdir=" + Files.createDirectory(tmp.resolve("other")));
            assertEquals(iteration(3), drawn(0, Cli.start(tmp, Cli.java(other, "Memory", (Object[]) args)).quiet()));
        }

        /** SQLite would make -wal and -shm beside such a file even to read it. */
        @Test void aCaptureWithAWriteAheadLogIsOnlyRead() throws Exception {
            capture(iterations(4));
            try (Connection db = open(sqlite); Statement statement = db.createStatement()) {
                statement.execute("PRAGMA journal_mode = WAL");
            }
            Map<String, String> before = Cli.snapshot(folder);
            assertEquals(3, before.size(), () -> "" + before.keySet());
            assertEquals(iteration(3), drawn());
            assertEquals(before, Cli.snapshot(folder));
        }

        @Test void tooFewIterations() throws Exception {
            capture(iterations(2));
            run().failed(1, sqlite, "2", "3", "--iteration");
            run("--iteration=999999999").failed(1, sqlite, "2", "999999999");
        }

        @Test void anUpdateWithoutAForwardBeforeIt() throws Exception {
            capture(iterations(2) + " U3320-3520");
            run().failed(1, sqlite, "forward");
        }

        @Test void withoutTheStartOfTheSessionThereIsNoTime() throws Exception {
            capture(iterations(4));
            sql("DROP TABLE TARGET_INFO_SESSION_START_TIME");
            run().failed(1, sqlite, "TARGET_INFO_SESSION_START_TIME", "export");
        }

        @ParameterizedTest @ValueSource(strings = {"DELETE FROM TARGET_INFO_SESSION_START_TIME",
            "UPDATE TARGET_INFO_SESSION_START_TIME SET utcEpochNs = NULL"})
        void anEmptyStartOfTheSessionIsNone(String emptied) throws Exception {
            capture(iterations(4));
            sql(emptied);
            run().failed(1, sqlite, "TARGET_INFO_SESSION_START_TIME");
        }

        @Test void anEmptyTableOfRanges() throws Exception {
            capture("");
            run().failed(1, sqlite, NAMES.get("F"));
        }

        @ParameterizedTest @ValueSource(strings = {"", "hello", "<html>not found</html>\n", "SQLite format 3"})
        void aFileThatIsNotSqlite(String text) throws IOException {
            Files.writeString(sqlite, text);
            run().failed(1, sqlite);
        }

        @ParameterizedTest @ValueSource(doubles = {.05, .3, .5, .8, .99})
        void aTruncatedCapture(double part) throws Exception {
            capture(iterations(500));
            byte[] bytes = Files.readAllBytes(sqlite);
            Files.write(sqlite, Arrays.copyOf(bytes, (int) (bytes.length * part)));
            run().failed(1, sqlite, "SQLite", "nsys");
        }

        @Test void anEncryptedCapture() throws Exception {
            capture(iterations(4));
            byte[] bytes = Files.readAllBytes(sqlite);
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] ^= (byte) (i * 31 + 7);
            }
            Files.write(sqlite, bytes);
            run().failed(1, sqlite, "SQLite");
        }
    }

    @Nested class Sources {
        /** The second source lacks the iteration that the first one has. */
        @ParameterizedTest @CsvSource({"-nsys.sqlite, .sqlite", ".sqlite, .log", "-nsys.sqlite, .log"})
        void theCaptureComesBeforeTheLog(String first, String second) throws Exception {
            capture(iterations(4));
            Files.move(sqlite, folder.resolve("log-7B-tp1-dp1" + first));
            if (second.equals(".log")) {
                Files.writeString(log, logged(1) + logged(2) + logged(4));
            } else {
                capture(iterations(4).replaceAll("[FBU]3\\S+ ", ""));
            }
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        @Test void anotherSourceMayBeNamed() throws Exception {
            capture(iterations(2) + " " + iteration(4));
            Path elsewhere = Files.move(sqlite, tmp.resolve("other name.db"));
            capture(iterations(4));
            assertEquals(iteration(3), drawn());
            assertEquals(iteration(4), drawn("--phases=" + elsewhere));
            assertEquals(iteration(4), drawn("--phases=" + sqlite, "--phases=" + elsewhere), "the last counts");
        }

        @Test void amongSeveralMonitorsOneIsNamed() throws Exception {
            capture(iterations(4));
            Files.copy(csv, folder.resolve("log-8B-monitor.csv"));
            run().failed(1, folder, csv);
            assertEquals(iteration(3), drawn(csv));
            run(folder.resolve("log-8B-monitor.csv")).failed(1, "log-8B", ".sqlite", ".log", "--phases");
        }

        @Test void nothingThere() throws IOException {
            run(tmp.resolve("nowhere")).failed(1, tmp.resolve("nowhere"));
            run().failed(1, "log-7B-tp1-dp1", "sqlite", "log", "--phases");
            run("--phases=" + tmp.resolve("lost.sqlite")).failed(1, tmp.resolve("lost.sqlite"));
            run(Files.createDirectory(tmp.resolve("empty"))).failed(1, tmp.resolve("empty"), "-monitor.csv");
        }

        @Test void aFolderIsNoSource() {
            run("--phases=" + folder).failed(1, folder);
        }

        @ParameterizedTest @ValueSource(strings = {"-monitor.csv", "-nsys.sqlite", ".sqlite", ".nsys-rep", ".qdrep",
            ".log"})
        void aPointerOfGitLfsIsRecognised(String end) throws Exception {
            capture(iterations(4));
            if (!end.equals("-monitor.csv")) {
                Files.delete(sqlite);
            }
            Path pointer = folder.resolve("log-7B-tp1-dp1" + end);
            Files.writeString(pointer, "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d7a".repeat(16)
                + "\nsize 12345\n");
            run().failed(1, pointer, "git lfs pull");
        }
    }

    /** These run in a process of their own, with a PATH on which there is no nsys, or one made here. */
    @Nested class Reports {
        Path programs, temporary, report;

        @BeforeEach void places() throws IOException {
            programs = Files.createDirectories(tmp.resolve("pro grams"));
            temporary = Files.createDirectories(tmp.resolve("temporary"));
        }

        void report(String end) throws IOException {
            Files.writeString(folder.resolve("log-7B-tp1-dp1" + end), "a report");
            report = folder.getFileName().resolve("log-7B-tp1-dp1" + end);
        }

        Cli start(String path) {
            return Cli.start(tmp, Map.of("PATH", path), Cli.java(List.of("-Djava.io.tmpdir=" + temporary), "Memory",
                folder.getFileName(), "--csv", "--plots=" + plots));
        }

        Cli startWithNsys(String script) throws IOException {
            Cli.program(programs.resolve("nsys"), script);
            return start(programs + ":" + System.getenv("PATH"));
        }

        @ParameterizedTest @ValueSource(strings = {"-nsys.nsys-rep", ".nsys-rep", "-nsys.qdrep", ".qdrep"})
        void nsysExportsAReportElsewhere(String end) throws Exception {
            capture(iterations(4));
            Path exported = Files.move(sqlite, tmp.resolve("exported.sqlite"));
            report(end);
            Map<String, String> before = Cli.snapshot(folder);
            Cli cli = startWithNsys("for last; do :; done\necho \"$@\" >'" + tmp + "/asked'\necho out; echo err >&2\n"
                + "[ \"$(cat \"$last\")\" = 'a report' ] && cp '" + exported + "' \"${last%.*}.sqlite\"\n");
            assertEquals(iteration(3), drawn(0, cli.quiet()));
            assertEquals(before, Cli.snapshot(folder), "beside the report");
            assertEquals(Map.of("", ""), Cli.snapshot(temporary), "left in the temporary folder");
            String asked = Files.readString(tmp.resolve("asked"));
            assertTrue(asked.matches("(?s)(stats|export) .*--force-(export|overwrite)=true .*"), asked);
        }

        @Test void withoutNsysTheCommandIsSaid() throws IOException {
            report("-nsys.nsys-rep");
            Map<String, String> before = Cli.snapshot(folder);
            start(programs.toString()).failed(1, report, "nsys stats --force-export=true", "PATH", ".sqlite");
            assertEquals(before, Cli.snapshot(folder));
            assertEquals(Map.of("", ""), Cli.snapshot(temporary));
        }

        @ParameterizedTest @ValueSource(strings = {"echo cannot >&2; exit 1", "exit 0", "for last; do :; done\n"
            + "echo half >\"${last%.*}.sqlite\"", "for last; do :; done\necho half >\"${last%.*}.sqlite\"; exit 1"})
        void whatNsysCannotExportIsNamed(String script) throws IOException {
            report(".nsys-rep");
            Map<String, String> before = Cli.snapshot(folder);
            startWithNsys(script).failed(1, report, "nsys");
            assertEquals(before, Cli.snapshot(folder));
            assertEquals(Map.of("", ""), Cli.snapshot(temporary));
        }
    }

    @Nested class Logs {
        @Test void theLinesOfTheEngineBoundThePhases() throws IOException {
            log(5);
            Cli cli = run();
            assertEquals(iteration(3), drawn(0, cli));
            assertTrue(cli.err().matches("[^\\n]*" + Pattern.quote(log.toString()) + "[^\\n]*\\n"), cli::err);
            assertEquals(iteration(5), drawn("--iteration=5"));
        }

        @Test void withoutThesePhasesStandBackToBack() throws IOException {
            Files.writeString(log, timing(1520, 90, 200, 200) + timing(2520, 90, 200, 200)
                + timing(3520, 90.5, 200.5, 200.5) + timing(4520, 90, 200, 200));
            assertEquals("F3030-3115 B3120-3315 U3320-3520", drawn());
        }

        @Test void someLinesOfTheEngineAreNotEnough() throws IOException {
            Files.writeString(log, logged(1) + logged(2) + engine("before forward", 3000)
                + timing(3520, 90.5, 200.5, 200.5));
            assertEquals("F3030-3115 B3120-3315 U3320-3520", drawn());
        }

        @Test void eachMicroStepHasItsBands() throws IOException {
            Files.writeString(log, logged(1) + logged(2) + Stream.of(3000, 3200, 3400).map(ms ->
                engine("before forward", ms) + engine("after forward", ms + 50) + engine("before backward", ms + 60)
                + engine("after backward", ms + 190)).collect(Collectors.joining()) + timing(3800, 140, 380, 200));
            assertEquals("F3000-3050 B3060-3190 F3200-3250 B3260-3390 F3400-3450 B3460-3590 U3600-3800", drawn());
        }

        @Test void aForwardOfAnEvaluationHasNoBand() throws IOException {
            String evaluation = engine("before forward", 2700) + engine("after forward", 2750)
                + engine("before forward", 2800) + engine("after forward", 2850);
            Files.writeString(log, logged(1) + logged(2) + evaluation + logged(3));
            assertEquals(iteration(3), drawn());
        }

        @Test void prefixesProgressBarsAndOlderNamesAreRead() throws IOException {
            String bar = "x3104c0s1b0n0:  3%|#| 1/9 [00:07<06:50, 1s/it]\r  4%|##| 2/9 [2023-11-14 22:13:20,999] x [";
            String lines = (logged(1) + logged(2) + logged(3)).replaceAll("(?m)^\\[", bar);
            Files.writeString(log, lines.replace("fwd: ", "forward: ").replace("bwd: ", "backward: ")
                .replace("step: 200", "step: 200.00 | x: 7"));
            assertEquals(iteration(3), drawn());
        }

        @ParameterizedTest @ValueSource(strings = {"Asia/Tokyo", "America/Los_Angeles", "+05:30", "UTC"})
        void theZoneOfTheStampsMayBeGiven(String zone) throws IOException {
            log(4);
            Pattern stamp = Pattern.compile("\\[2023-11-14 22:13:(\\d\\d),(\\d{3})]");
            Files.writeString(log, stamp.matcher(Files.readString(log)).replaceAll(at ->
                stamp(Integer.parseInt(at.group(1) + at.group(2)) - 20_000, ZoneId.of(zone))));
            assertEquals(iteration(3), drawn("--zone=" + zone));
            if (!zone.equals("UTC")) {
                failedAfterNotes(run(), csv, "zone");
            }
        }

        @Test void theMachinesZoneAndLanguageDoNotMatter() throws IOException {
            log(4);
            rows(run());
            Map<String, byte[]> before = figures();
            TimeZone zone = TimeZone.getDefault();
            Locale locale = Locale.getDefault();
            try {
                TimeZone.setDefault(TimeZone.getTimeZone("Asia/Tokyo"));
                Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
                rows(run());
            } finally {
                TimeZone.setDefault(zone);
                Locale.setDefault(locale);
            }
            figures().forEach((name, bytes) -> assertTrue(Arrays.equals(before.get(name), bytes), name));
        }

        private Map<String, byte[]> figures() throws IOException {
            Map<String, byte[]> bytes = new TreeMap<>();
            for (String end : List.of("png", "eps", "csv")) {
                bytes.put(end, Files.readAllBytes(plots.resolve("7B-memory." + end)));
            }
            return bytes;
        }

        /** As DeepSpeed prints it from 0.18 on. */
        @Test void aLogWithoutStampsCannotBeLaidOverTheSamples() throws IOException {
            log(4);
            Files.writeString(log, Files.readString(log).replaceAll("\\[2023[^]]*] \\[INFO] \\[[^]]*] ", ""));
            failedAfterNotes(run(), log, "0.18", "nsys", "--phases");
        }

        @Test void tooFewIterations() throws IOException {
            log(2);
            failedAfterNotes(run(), log, "2", "3", "--iteration");
        }

        @Test void aLogOfSomethingElse() throws IOException {
            Files.write(log, new byte[] {0, -1, -128, '\n', 0, 0, 'x'});
            failedAfterNotes(run(), log, "0", "3");
        }
    }

    @Nested class Monitors {
        @BeforeEach void capture() throws SQLException {
            MemoryTest.this.capture(iterations(4));
        }

        @Test void linesMayEndAsOnWindows() throws IOException {
            Files.writeString(csv, Files.readString(csv).replace("\n", "\r\n"));
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        @Test void theLowestDeviceIsTheDefault() throws IOException {
            monitor(Stream.of(2, 1, 4).flatMap(device -> samples(device, 0, 6000)));
            Cli cli = run();
            assertEquals(iteration(3), drawn(1, cli));
            assertTrue(cli.err().matches("[^\\n]*1\\D+2\\D+4[^\\n]*--device[^\\n]*\\n"), cli::err);
            assertEquals(iteration(3), drawn(4, run("--device=4")));
            run("--device=3").failed(1, csv, "--device=3", "1", "2", "4");
        }

        @Test void devicesMayAlternate() throws IOException {
            List<String> first = samples(0, 0, 6000).toList(), second = samples(1, 0, 6000).toList();
            monitor(IntStream.range(0, first.size()).boxed().flatMap(i -> Stream.of(first.get(i), second.get(i))));
            assertEquals(iteration(3), drawn());
            assertEquals(iteration(3), drawn(1, run("--device=1")));
        }

        @Test void columnsAreFoundByName() throws IOException {
            String rows = samples(0, 0, 6000).map(row -> row.strip().split(","))
                .map(c -> c[7] + "," + c[6] + "," + c[1] + "," + c[0] + "\n").collect(Collectors.joining());
            Files.writeString(csv, "mem_free,mem_used,timestamp,device_id\n" + rows);
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        @Test void withoutItsNameTheFreeMemoryIsLastAndThereIsOneDevice() throws IOException {
            String rows = samples(0, 0, 6000).map(row -> row.strip().split(",")).map(c -> c[1] + ",5," + c[7] + "\n")
                .collect(Collectors.joining());
            Files.writeString(csv, "timestamp,util,free memory\n" + rows);
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        @Test void quotesAndBlankLinesAndAByteOrderMarkAreRead() throws IOException {
            monitor(samples(1, 0, 6000));
            String quoted = Files.readString(csv).replaceAll("([^,\n]+)", "\"$1\"");
            Files.writeString(csv, "\ufeff" + quoted.replace("\n", "\n\n"));
            assertEquals(iteration(3), drawn(1, run("--device=1").quiet()));
        }

        @Test void theOrderOfTheRowsDoesNotMatter() throws IOException {
            List<String> rows = new ArrayList<>(samples(0, 0, 6000).toList());
            Collections.reverse(rows);
            monitor(rows.stream());
            assertEquals(iteration(3), drawn(0, run().quiet()));
        }

        /** What a killed monitor leaves, cut before a column, or within the last number, or after it. */
        @ParameterizedTest @ValueSource(ints = {3, 12, 22, 30, 45, 59, 60})
        void aRowCutShortAtTheEndIsPassedOver(int length) throws IOException {
            String last = row(0, ns(3420), 21_474_836_480L).substring(0, length);
            monitor(Stream.concat(samples(0, 0, 3415), Stream.of(last)));
            Cli cli = run();
            assertEquals("F3000-3100 B3110-3310 U3320-3415", drawn(0, cli));
            assertTrue(cli.err().matches("[^\\n]*-monitor\\.csv[^\\n]*\\n"), () -> "one note: " + cli.err());
        }

        @Test void aRowCutShortWithinIsPassedOver() throws IOException {
            monitor(Stream.of(samples(0, 0, 2000), Stream.of("0," + ns(3200) + ",1.5\n"), samples(0, 2005, 6000))
                .flatMap(rows -> rows));
            Cli cli = run();
            assertEquals(iteration(3), drawn(0, cli));
            assertTrue(cli.err().matches("[^\\n]*-monitor\\.csv[^\\n]*\\n"), () -> "one note: " + cli.err());
        }

        @ParameterizedTest @CsvSource({"x, NS, 5", "0, soon, 5", "0, -5, 5", "0, 1.7e18, 5", "0, NS, N/A",
            "0, NS, 603 MiB", "0, NS, ''", "0, NS, -1", "0, NS, 99999999999999999999", "0, '', 5"})
        void valuesThatAreNoNumbers(String device, String ns, String free) throws IOException {
            String bad = row(device, ns.replace("NS", "" + ns(3201)), free);
            monitor(Stream.of(samples(0, 0, 3200), Stream.of(bad), samples(0, 3205, 6000)).flatMap(rows -> rows));
            run().failed(1, csv, "number");
        }

        @ParameterizedTest @ValueSource(strings = {"", "\n", "\r\n", "0,1,2,3\n", "a,b,c\n1,2,3\n", "\0\0\0\0"})
        void withoutAHeaderNothingIsKnown(String text) throws IOException {
            Files.writeString(csv, text);
            run().failed(1, csv, "timestamp", "header");
        }

        @Test void rowsWithoutAHeader() throws IOException {
            Files.writeString(csv, samples(0, 0, 6000).collect(Collectors.joining()));
            run().failed(1, csv, "timestamp", "header");
        }

        @ParameterizedTest @ValueSource(strings = {"\n", ""})
        void aHeaderAlone(String end) throws IOException {
            Files.writeString(csv, HEADER.strip() + end);
            run().failed(1, csv, "no rows");
        }

        @ParameterizedTest @CsvSource({"1e9, seconds", "1e6, milliseconds", "1e3, microseconds"})
        void timestampsInOtherUnits(double unit, String name) throws IOException {
            monitor(IntStream.range(0, 6000).mapToObj(ms -> row(0, ns(ms) / (long) unit, free(0, ms))));
            run().failed(1, csv, " " + name);
            run("--device=0").failed(1, csv, " " + name);
        }

        @Test void secondsWithDecimals() throws IOException {
            monitor(IntStream.range(0, 6000).mapToObj(ms -> row(0, BigDecimal.valueOf(ns(ms), 9), free(0, ms))));
            Cli cli = run();
            cli.failed(1, csv, "1700000000.000000000");
            assertTrue(cli.err().matches("(?s).*\\b(ns|nanoseconds)\\b.*"), cli::err);
        }

        @Test void noSampleWithinTheIteration() throws IOException {
            monitor(samples(0, 70_000, 80_000));
            for (Cli cli : List.of(run(), run("--device=0"))) {
                cli.failed(1, csv, "22:13:23", "22:13:23.520", "22:14:30", "22:14:40", "clock");
            }
            monitor(Stream.concat(samples(0, 0, 2990), samples(0, 3600, 6000)));
            run().failed(1, csv, "22:13:23", "22:13:20", "22:13:26");
        }

        @Test void noSampleOfTheLowestDeviceWithinTheIteration() throws IOException {
            monitor(Stream.concat(samples(0, 200_000, 201_000), samples(1, 0, 6000)));
            run().failed(1, csv, "22:13:23", "22:16:40");
        }

        @Test void theMonitorMayBeginOrEndWithinTheIteration() throws IOException {
            monitor(samples(0, 3050, 6000));
            assertEquals("F3050-3100 B3110-3310 U3320-3520", drawn());
            monitor(samples(0, 0, 3200));
            assertEquals("F3000-3100 B3110-3200", drawn());
        }

        @Test void rowsBeyondWhatIsReadAtOnce() throws IOException {
            monitor(Stream.of(3, 0, 2).flatMap(device -> samples(device, 0, 100_000)));
            assertTrue(Files.size(csv) > 3 << 20);
            assertEquals(iteration(3), drawn());
            assertEquals(iteration(3), drawn(2, run("--device=2")));
        }
    }

    @Nested class CommandLine {
        @Test void aMeanOfMomentsIsRefused() throws SQLException {
            capture(iterations(4));
            run("--iteration=mean").failed(2, "--iteration=mean");
        }

        @ParameterizedTest @ValueSource(strings = {"--iteration=0", "--iteration=-1", "--iteration=x",
            "--iteration=1.5", "--iteration=99999999999", "--device=x", "--process=x", "--zone=Nowhere/There",
            "--where=tp=1", "--unknown", "more"})
        void aWrongCommandLine(String arg) throws SQLException {
            capture(iterations(4));
            run(arg).failed(2);
            assertFalse(Files.exists(plots));
        }

        @Test void noInput() {
            Cli.run(() -> Memory.execute(new Memory())).failed(2, "DIR");
        }

        @Test void theLastOfAnOptionCounts() throws Exception {
            capture(iterations(4));
            assertEquals(iteration(4), drawn("--iteration=2", "--iteration=4"));
        }

        @Test void helpNamesTheOptionsAndDefaults() {
            Cli help = Cli.run(() -> Memory.execute(new Memory(), "--help")).quiet();
            for (String word : List.of("--phases", "--iteration", "--device", "--process", "--zone", "--forward-range",
                "--backward-range", "--update-range", "--plots", "--csv", "Default: 3", "UTC", NAMES.get("F"), FORK)) {
                assertTrue(help.out().replaceAll("\\s+", " ").contains(word), word);
            }
        }

        @Test void withoutCsvThereAreTwoFiles() throws SQLException {
            capture(iterations(4));
            Cli cli = Cli.run(() -> Memory.execute(new Memory(), folder.toString(), "--plots=" + plots)).quiet();
            assertEquals(plots.resolve("7B-memory.png") + "\n" + plots.resolve("7B-memory.eps") + "\n", cli.out());
            assertEquals(List.of("7B-memory.eps", "7B-memory.png"), Stream.of(plots.toFile().list()).sorted().toList());
        }

        @Test void aRunThatFailsLeavesTheOldFigure() throws Exception {
            capture(iterations(4));
            run().quiet();
            Map<String, String> before = Cli.snapshot(plots);
            assertEquals(4, before.size());
            run("--iteration=5").failed(1, sqlite);
            Files.writeString(csv, HEADER);
            run().failed(1, csv);
            Files.writeString(sqlite, "no SQLite");
            run().failed(1, sqlite);
            run("--iteration=mean").failed(2);
            assertEquals(before, Cli.snapshot(plots));
        }
    }

    @Nested class Paths {
        /** Each is the name of a folder, of the files in it, and of the folder for the figure. */
        @ParameterizedTest @ValueSource(strings = {"a b", "100%", "a%20b", "%41", "a?b#c", "a?mode=rw", "a+b", "it's",
            "a&b=c;d", "a\\b", "\"a\"", "~", "-x", "[a]*", "a:b", "M\u00fcller \u6f22\u5b57 \u00e9"})
        void openAsTheyAre(String name) throws Exception {
            assumeTrue(StandardCharsets.US_ASCII.newEncoder().canEncode(name)
                || System.getProperty("sun.jnu.encoding").equals("UTF-8"), "this JVM cannot name a file " + name);
            capture(iterations(4));
            Path strange = Files.createDirectory(tmp.resolve(name));
            Files.copy(csv, strange.resolve(name + "-monitor.csv"));
            Files.copy(sqlite, strange.resolve(name + "-nsys.sqlite"));
            Files.delete(sqlite);
            Map<String, String> before = Cli.snapshot(strange);
            plots = tmp.resolve("plots of " + name);
            assertEquals(iteration(3), drawn(0, run(strange).quiet()));
            assertEquals(before, Cli.snapshot(strange));
            assertEquals(3, plots.toFile().list().length);
            assertEquals(iteration(3), drawn(strange, "--phases=" + strange.resolve(name + "-nsys.sqlite")));
        }

        @ParameterizedTest @ValueSource(strings = {".", "log-7B-tp1-dp1-monitor.csv", "../run"})
        void mayBeRelative(String path) throws Exception {
            capture(iterations(4));
            Cli cli = Cli.start(folder, Cli.java(List.of(), "Memory", path, "--csv")).quiet();
            assertTrue(cli.out().startsWith("plots/7B-memory.png\n"), cli.out());
            assertEquals(iteration(3), drawn(0, new Cli(0, cli.out().replace("plots/", folder + "/plots/"), "")));
        }

        /** A path that is taken for a URL ends at a ? or #, or has its percent signs decoded: another file then. */
        @ParameterizedTest @CsvSource({"a?b#c.sqlite, a", "a#b.sqlite, a", "a%20b.sqlite, a b.sqlite",
            "a+b.sqlite, a b.sqlite", "a%2Fb.sqlite, a/b.sqlite"})
        void areNotTakenForAnotherFile(String name, String decoy) throws Exception {
            capture(iterations(4).replaceAll("[FBU]3\\S+ ", ""));
            Files.createDirectories(tmp.resolve(decoy).getParent());
            Files.move(sqlite, tmp.resolve(decoy));
            capture(iterations(4));
            Files.move(sqlite, tmp.resolve(name));
            assertEquals(iteration(3), drawn("--phases=" + tmp.resolve(name)));
        }

        @Test void theNameOfTheFigureBeginsWithTheModel() throws Exception {
            capture(iterations(4));
            for (String stem : List.of("log-8.3B-dp2", "log-13B", "log-13B-", "log-", "log--", "log", "my run", "7B")) {
                Path copy = Files.createDirectories(tmp.resolve("named " + stem));
                Files.copy(csv, copy.resolve(stem + "-monitor.csv"));
                Files.copy(sqlite, copy.resolve(stem + ".sqlite"));
                Cli cli = run(copy).quiet();
                String model = stem.matches("log-[\\d.]+B.*") ? stem.split("-")[1] + "-memory" : "";
                assertTrue(cli.out().contains("/" + model), cli::out);
                assertTrue(cli.out().lines().allMatch(path -> path.matches(".*-memory\\.(png|eps|csv)")), cli::out);
            }
        }
    }

    /** Measured in the picture itself. */
    @Nested class Figure {
        /** Of the picture, a row that no line here crosses, and where the frame and what is above it are. */
        static final int LOW = 740, TOP = 75;

        /** The bends of a line, in ms and GiB, as the samples of a monitor. */
        void line(double... points) throws IOException {
            monitor(IntStream.range(0, points.length / 2).mapToObj(i -> row(0, ns(points[2 * i]),
                Math.round(points[2 * i + 1] * GIB))));
        }

        Picture picture(Object... args) throws IOException {
            rows(run(args));
            Picture.check(plots, "7B-memory");
            return Picture.of(plots.resolve("7B-memory.png"));
        }

        /** Whether a pixel is the colour thinned with white. */
        boolean tint(int pixel, int color) {
            double[] parts = IntStream.of(16, 8, 0).filter(shift -> (color >> shift & 0xFF) < 0xC0).mapToDouble(shift ->
                (255. - (pixel >> shift & 0xFF)) / (255 - (color >> shift & 0xFF))).sorted().toArray();
            return parts[0] > .1 && parts[parts.length - 1] < .6 && parts[parts.length - 1] - parts[0] < .02;
        }

        /** The pieces of a row in a tint of this colour. */
        List<Picture.Piece> bands(Picture picture, int color) {
            List<Picture.Piece> bands = new ArrayList<>();
            for (int x = 0, from = -1; x < 1500; x++) {
                boolean in = tint(picture.at(x, LOW), color);
                from = in && from < 0 ? x : from;
                if (!in && from >= 0) {
                    bands.add(new Picture.Piece(from, x - 1));
                    from = -1;
                }
            }
            return bands;
        }

        Picture.Piece band(Picture picture, int color) {
            List<Picture.Piece> bands = bands(picture, color);
            assertEquals(1, bands.size(), () -> "bands in " + Integer.toHexString(color) + ": " + bands);
            return bands.get(0);
        }

        /** Where the name in this colour stands above the frame. */
        Picture.Piece name(Picture picture, int color) {
            List<Picture.Piece> rows = IntStream.range(0, TOP).mapToObj(y -> picture.across(y, color))
                .filter(row -> row.length() > 0).toList();
            assertFalse(rows.isEmpty(), () -> "no name in " + Integer.toHexString(color));
            return new Picture.Piece(rows.stream().mapToInt(Picture.Piece::from).min().orElseThrow(),
                rows.stream().mapToInt(Picture.Piece::to).max().orElseThrow());
        }

        /** How high above the lower edge of the frame the line is, in pixels. */
        double height(Picture picture, int x) {
            List<Picture.Piece> black = picture.down(x, 0, TOP).stream().filter(p -> p.to() < LOW + 30).toList();
            assertEquals(3, black.size(), () -> "frame, line, frame at " + x + ": " + black);
            return (black.get(2).from() + black.get(2).to() - black.get(1).from() - black.get(1).to()) / 2.;
        }

        @Test void theBandsAreAsLongAsThePhases() throws Exception {
            capture(iterations(2) + " F3000-3200 B3250-3650 U3700-4000");
            Picture picture = picture();
            Picture.Piece f = band(picture, Picture.FORWARD), b = band(picture, Picture.BACKWARD),
                u = band(picture, Picture.UPDATE);
            double perMs = (u.to() - f.from()) / 1000.;
            assertTrue(perMs > 1.2, "the plot is wide");
            List<Double> seen = List.of(f.length() / perMs, (b.from() - f.from()) / perMs, b.length() / perMs,
                (u.from() - f.from()) / perMs, u.length() / perMs);
            List<Integer> expected = List.of(200, 250, 400, 700, 300);
            for (int i = 0; i < 5; i++) {
                assertEquals(expected.get(i), seen.get(i), 4, "" + seen);
            }
        }

        @Test void theLineIsDrawnFromZeroToScaleAndReachesTheFrame() throws Exception {
            capture(iterations(2) + " F3000-3200 B3250-3650 U3700-4000");
            line(1000, 10, 3499, 10, 3501, 20, 3880, 20, 3882, 5, 5000, 5);
            Picture picture = picture();
            int left = band(picture, Picture.FORWARD).from(), right = band(picture, Picture.UPDATE).to();
            double unit = height(picture, left + 2) / 10;
            assertEquals(20 * unit, height(picture, left + (right - left) * 7 / 10), 2);
            assertEquals(5 * unit, height(picture, right - 2), 2);
            int middle = (left + right) / 2;
            assertEquals(10 * unit, height(picture, middle - 8), 2);
            assertEquals(20 * unit, height(picture, middle + 8), 2);
            assertTrue(20 * unit > 300, "the plot is filled: 20 GiB are " + 20 * unit + " px");
            double ten = picture.down(left + 2, 0, TOP).get(1).from();
            assertTrue(picture.down(left - 12, 0, TOP).stream().anyMatch(tick -> Math.abs(tick.from() - 2 - ten) < 3),
                "the line stands at a tick of the axis, since 10 GiB is a round number");
        }

        @Test void theLineGoesFromSampleToSample() throws Exception {
            capture(iterations(2) + " F3000-3200 B3250-3650 U3700-4000");
            line(2500, 8, 4500, 28);
            run().failed(1, csv);
            line(2500, 8, 3300, 16, 4500, 28);
            Picture picture = picture();
            int left = band(picture, Picture.FORWARD).from(), right = band(picture, Picture.UPDATE).to();
            List<Double> heights = Stream.of(.1, .5, .9).map(part -> left + part * (right - left))
                .map(x -> height(picture, x.intValue())).toList();
            assertEquals(18. / 14, heights.get(1) / heights.get(0), .02);
            assertEquals(22. / 14, heights.get(2) / heights.get(0), .02);
        }

        @Test void eachNameStandsAboveItsBand() throws Exception {
            capture(iterations(2) + " F3000-3300 B3310-3700 U3710-4000");
            Picture picture = picture();
            for (int color : List.of(Picture.FORWARD, Picture.BACKWARD, Picture.UPDATE)) {
                Picture.Piece name = name(picture, color), band = band(picture, color);
                assertEquals((band.from() + band.to()) / 2., (name.from() + name.to()) / 2., 12, "" + color);
            }
        }

        /** Where a band is shorter than its name, the names are pushed apart, and none leaves the picture. */
        @ParameterizedTest @ValueSource(strings = {"F3000-3010 B3012-3030 U3035-4000",
            "F3000-3980 B3982-3990 U3992-4000", "F3000-3010 B3015-3985 U3990-4000",
            "F3000-3495 B3496-3504 U3505-4000", "F3000-3005 B3006-3990 U3995-4000"})
        void namesDoNotCollide(String third) throws Exception {
            capture(iterations(2) + " " + third);
            Picture picture = picture();
            Picture.Piece f = name(picture, Picture.FORWARD), b = name(picture, Picture.BACKWARD),
                u = name(picture, Picture.UPDATE);
            assertTrue(f.from() > 5 && b.from() > f.to() + 15 && u.from() > b.to() + 15 && u.to() < 1495,
                () -> f + " " + b + " " + u);
            assertTrue(f.length() > 150 && b.length() > 180 && u.length() > 130, () -> "cut: " + f + " " + b + " " + u);
        }

        @Test void manyMicroStepsHaveALegendInsteadOfNames() throws Exception {
            StringBuilder third = new StringBuilder();
            for (int i = 0; i < 64; i++) {
                third.append(" F%d-%d B%d-%d".formatted(3000 + 40 * i, 3014 + 40 * i, 3018 + 40 * i, 3036 + 40 * i));
            }
            capture(iterations(2) + third + " U5560-5900");
            assertEquals(third.toString().strip().split(" ").length + 1, drawn().split(" ").length);
            Picture picture = picture();
            assertEquals(64, bands(picture, Picture.FORWARD).size());
            assertEquals(64, bands(picture, Picture.BACKWARD).size());
            for (int color : List.of(Picture.FORWARD, Picture.BACKWARD, Picture.UPDATE)) {
                assertTrue(IntStream.range(0, TOP).allMatch(y -> picture.across(y, color).length() == 0), "a name");
                long box = IntStream.range(0, 1500 * TOP).filter(i -> tint(picture.at(i % 1500, i / 1500), color))
                    .count();
                assertTrue(box > 500, "the colour in the legend");
            }
        }

        @Test void memoryThatIsFullIsDrawn() throws Exception {
            capture(iterations(4));
            line(1000, 0, 3200, 0, 5000, 0);
            picture();
        }

        @Test void epsAndPngLookAlike() throws Exception {
            run(Cli.ROOT.resolve("data/" + MEMORY_RUN)).quiet();
            Picture.compare(plots, "13B-memory");
        }

        @Test void theSameInputMakesTheSameBytes() throws Exception {
            capture(iterations(4));
            picture();
            Map<String, String> first = contents();
            picture();
            assertEquals(first, contents());
            assertNotEquals("", first.get("7B-memory.eps"));
        }

        private Map<String, String> contents() throws IOException {
            Map<String, String> contents = Cli.snapshot(plots);
            contents.replaceAll((name, content) -> content.replaceFirst("^\\S* ", ""));
            return contents;
        }
    }
}
