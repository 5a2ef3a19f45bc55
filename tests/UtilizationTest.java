import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.regex.*;
import java.util.stream.*;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;

import static org.junit.jupiter.api.Assertions.*;

/** What utilization.java makes of logs and the monitors beside them. */
class UtilizationTest {
    static final String ZERO3 = "dp2-prefetch0-flush_async0", BW_ONLY = "dp2-prefetch0-flush_async1";
    static final String TWINFLOW = "act-output-20B-scale-twinflow";

    @TempDir Path tmp;

    /** Times of a test are ms from here. */
    static long ns(long ms) { return 1_713_143_960_000_000_000L + ms * 1_000_000; }

    /** Timers that are written as "s3000 e3400". */
    static String timers(String all) {
        String timer = "[2024-04-15 01:19:20,415] [INFO] [stage3.py:2251:step] <<<TIMER:step_";
        return Pattern.compile("([se])(\\d+)").matcher(all).results().map(one ->
            timer + (one.group(1).equals("s") ? "start," : "end,") + ns(Long.parseLong(one.group(2)))
            + ">>>\n").collect(Collectors.joining());
    }

    /** The third of three iterations; updates of those before are from 1000 and 2000 to 400 ms later. */
    void log(String tokens, String third) throws IOException {
        Sample.write(tmp.resolve("logs"), "log-20B-" + tokens + ".log", timers("s1000 e1400")
            + Sample.timing(1, 2, 3) + timers("s2000 e2400") + Sample.timing(1, 2, 3) + third
            + Sample.timing(4, 5, 6));
    }

    /** Rows of a device every 20 ms, in each 1 GB/s to the host per second of the time, 2 to the device. */
    static String rows(int device, int from, int to) {
        return IntStream.rangeClosed(from / 20, to / 20).map(i -> i * 20).mapToObj(ms -> device + ","
            + ns(ms) + "," + 1.024 * ms + "," + 2.048 * ms + "," + (device + 1) * 10 + ",7,1000,2000\r\n")
            .collect(Collectors.joining());
    }

    void monitor(String tokens, String rows) throws IOException {
        Sample.write(tmp.resolve("logs"), "log-20B-" + tokens + "-monitor.csv", MemoryTest.HEADER + rows);
    }

    Cli run(Object... args) {
        return Cli.script(new Utilization(), tmp.resolve("logs"), List.of(args), "--csv", "--name=it",
            "--plots=" + tmp);
    }

    List<CSVRecord> drawn(Cli cli) throws IOException {
        cli.well();
        return GoldenTest.csv(tmp.resolve("it.csv"));
    }

    /** Fails unless a group has means over an update of these ms, of so many devices. */
    static void assertMeans(CSVRecord row, long from, long to, int devices) {
        double[] ms = LongStream.rangeClosed((from + 19) / 20, to / 20).mapToDouble(i -> i * 20).toArray();
        double mean = Arrays.stream(ms).average().orElseThrow() / 1000;
        assertEquals(ms.length * devices, Integer.parseInt(row.get("samples")));
        assertEquals(mean, GoldenTest.number(row, "d2h_gb_per_s"), 1e-9);
        assertEquals(2 * mean, GoldenTest.number(row, "h2d_gb_per_s"), 1e-9);
        assertEquals(devices * 5 + 5, GoldenTest.number(row, "gpu_percent"), 1e-9);
    }

    /** Means over the samples from the first start to the last end of an update of four ranks, by columns. */
    static List<Object> naive(Path log, int iteration) throws IOException {
        String text = Files.readString(log, StandardCharsets.ISO_8859_1);
        long[][] ends = Stream.of("start", "end").map(which -> Pattern.compile("step_" + which + ",(\\d+)")
            .matcher(text).results().mapToLong(m -> Long.parseLong(m.group(1))).skip(4 * iteration - 4)
            .limit(4).sorted().toArray()).toArray(long[][]::new);
        List<String[]> rows = Files.readAllLines(Path.of((log + "").replaceFirst(".log$", "-monitor.csv")))
            .stream().skip(1).map(line -> line.split(",")).filter(row -> Long.parseLong(row[1]) >= ends[0][0]
            && Long.parseLong(row[1]) <= ends[1][3]).toList();
        return Stream.concat(IntStream.of(2, 3, 4).mapToObj(column -> (Object) Math.round(1e6 * rows.stream()
            .mapToDouble(row -> Double.parseDouble(row[column])).sum() / rows.size() / (column < 4 ? 1024
            : 1))), Stream.of((long) rows.size())).toList();
    }

    void assertNaive(Path folder, String ratio, int iteration) throws IOException {
        Cli cli = Cli.script(new Utilization(), folder.resolve(TWINFLOW), "--where=ratio=" + ratio,
            "--iteration=" + iteration, "--csv", "--name=it", "--plots=" + tmp);
        Map<String, List<Object>> naive = new TreeMap<>(), drawn = new TreeMap<>();
        for (CSVRecord row : drawn(cli)) {
            drawn.put(row.get("approach"), Stream.concat(Stream.of("d2h_gb_per_s", "h2d_gb_per_s",
                "gpu_percent").map(column -> Math.round(1e6 * GoldenTest.number(row, column))),
                Stream.of(Long.parseLong(row.get("samples")))).collect(Collectors.toList()));
        }
        for (Path log : HouseTest.files(folder.resolve(TWINFLOW) + "", ".log")) {
            if (log.toString().contains("-ratio" + ratio + "-")) {
                naive.put(new Subgroup.Run(log).get("approach"), naive(log, iteration));
            }
        }
        assertEquals(naive, drawn);
    }

    @Test void realMeansAreThoseOfANaiveReading() throws IOException {
        assertNaive(Cli.ROOT.resolve("data"), "1.0", 3);
        GoldenTest.thereAreRealLogs();
        assertNaive(GoldenTest.RESULTS, "1.0", 3);
        assertNaive(GoldenTest.RESULTS, "0.6", 5);
    }

    /** Two ranks, of which one is from 3000 to 3400 ms and the other from 3100 to 3500. */
    @ParameterizedTest @ValueSource(strings = {"s3000 s3100 e3400 e3500", "s3000 e3400 s3100 e3500",
        "s3100 e3500 s3000 e3400", "s3100 s3000 e3500 e3400"})
    void anUpdateIsFromTheFirstStartToTheLastEnd(String order) throws IOException {
        String lines = timers(order);
        log(ZERO3, lines);
        log(BW_ONLY, lines.replace("\n", ""));
        Path late = tmp.resolve("logs/log-20B-" + BW_ONLY + ".log");
        Files.writeString(late, Files.readString(late).replaceFirst("(?s).*?(\\[Rank 0])", "$1"));
        for (String tokens : List.of(ZERO3, BW_ONLY)) {
            monitor(tokens, rows(1, 0, 5000) + rows(0, 0, 5000));
        }
        List<CSVRecord> drawn = drawn(run());
        assertEquals(List.of("ZeRO-3", "BW-only"), drawn.stream().map(row -> row.get("approach")).toList());
        drawn.forEach(row -> assertMeans(row, 3000, 3500, 2));
        assertMeans(drawn(run("--where=approach=ZeRO-3", "--iteration=2")).get(0), 2000, 2400, 2);
    }

    @Test void theMeanIsOverTheSamplesOfAllUpdatesButTheFirst() throws IOException {
        log(ZERO3, timers("s3000 e3400"));
        monitor(ZERO3, rows(0, 1900, 2500) + rows(0, 2900, 3500));
        CSVRecord row = drawn(run("--iteration=mean")).get(0);
        assertEquals(List.of("42", "2.7"), List.of(row.get("samples"),
            Math.round(1000 * GoldenTest.number(row, "d2h_gb_per_s")) / 1000. + ""));
        run("--iteration=1").failed(1, ZERO3 + "-monitor.csv");
    }

    /** Of an update from 3000 to 9000 ms, or of the one before it, from 2000 to 2400 ms. */
    @ParameterizedTest @CsvSource({"3,0,5000,9000,10000", "3,0,5000,20000,20000", "3,5000,10000,10000,10000",
        "3,0,1000,1000,1000", "mean,2900,10000,10000,10000", "mean,0,2500,0,2500", "2,0,2160,9000,10000",
        "2,2240,10000,10000,10000", "2,0,2080,2320,10000"})
    void aMonitorThatDoesNotCoverTheUpdatesIsRefused(String iteration, int from, int to, int again, int end)
        throws IOException {
        log(ZERO3, timers("s3000 e9000"));
        monitor(ZERO3, rows(0, 0, 10000) + rows(1, from, to) + rows(1, again, end));
        run("--iteration=" + iteration).failed(1, ZERO3 + "-monitor.csv", "device 1");
        monitor(ZERO3, rows(0, 0, 10000) + rows(1, 0, 10000));
        run("--iteration=" + iteration).well();
    }

    @Test void withoutTimersThatIsSaidBeforeAChoiceIsAskedFor() throws IOException {
        Sample.write(tmp.resolve("logs"), "log-7B-ratio0.log", Sample.run(10, 20, 30));
        Sample.write(tmp.resolve("logs"), "log-7B-ratio1.log", Sample.run(10, 20, 30));
        run().failed(1, tmp.resolve("logs"), "TIMER:step_start");
        log("ratio1-" + ZERO3, timers("s3000 e3400"));
        run("--where=model=20B").failed(1, "ratio1-" + ZERO3 + "-monitor.csv");
        run().failed(1, "--where", "ratio", "[0, 1]");
    }

    @ParameterizedTest @ValueSource(strings = {"s3000 s3100 e3400", "s3000", "e3400", "", "e2900 s3000"})
    void ranksThatDoNotEndAreRefused(String timers) throws IOException {
        log(ZERO3, timers(timers));
        monitor(ZERO3, rows(0, 0, 10000));
        run().failed(1, ZERO3 + ".log", "step_start");
    }

    @Test void aRunThatFailedKeepsItsPlace() throws IOException {
        log(ZERO3, timers("s3000 e3400"));
        log("dp2-prefetch1-flush_async1", timers("s3000 e3400"));
        monitor(ZERO3, rows(0, 0, 10000));
        monitor("dp2-prefetch1-flush_async1", rows(0, 0, 10000));
        Path failed = Sample.write(tmp.resolve("logs"), "log-20B-" + BW_ONLY + ".log", Sample.timing(1, 2,
            3));
        List<CSVRecord> drawn = drawn(run().well(failed + ": failed"));
        assertEquals(List.of("ZeRO-3", "BW-only", "DOS"), drawn.stream().map(row -> row.get(0)).toList());
        assertEquals(List.of("BW-only", "", "", "", ""), drawn.get(1).toList());
        assertEquals(2, FigureTest.bars(Picture.check(tmp, "it"), 0xDE8F05).size());
    }

    /** All 13,200 rows are read before it is seen that a device has too few. */
    @Test void manyRowsNearAnUpdateNeedLittleMemory() throws IOException {
        log(ZERO3, timers("s3000 e23000"));
        monitor(ZERO3, IntStream.range(0, 12).mapToObj(device -> rows(device, 2000, 24000))
            .collect(Collectors.joining()) + rows(12, 2000, 2400));
        Cli.start(tmp, Cli.java(List.of("-Xmx160m"), "Utilization", "logs"))
            .failed(1, ZERO3 + "-monitor.csv: device 12");
    }

    /** D2H and H2D on the left axis, GPU use on the right one. */
    @Test void barsAreAsHighAsTheMeans() throws IOException {
        log(ZERO3, timers("s3000 e3400"));
        monitor(ZERO3, rows(0, 0, 5000));
        assertMeans(drawn(run()).get(0), 3000, 3400, 1);
        Picture figure = Picture.check(tmp, "it");
        int zero = FigureTest.zero(figure);
        int[] heights = IntStream.of(0xDE8F05, 0x56B4E9, Picture.RED).map(color ->
            zero - FigureTest.top(figure, FigureTest.bars(figure, color).get(0).from() + 2, color)).toArray();
        assertEquals(2., 1. * heights[1] / heights[0], .02, "6.4 and 3.2 GB/s");
        int[] ticks = FigureTest.ticks(figure, false);
        FigureTest.assertRound((ticks[1] - ticks[0]) * 10. / heights[2]);
        int[] left = FigureTest.ticks(figure, true);
        FigureTest.assertRound((left[1] - left[0]) * 6.4 / heights[1]);
    }
}
