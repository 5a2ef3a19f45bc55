import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What utilization.java makes of logs and the monitors beside them. */
class UtilizationTest extends GroupedRuns {
    static final String HEADER = "device_id,timestamp,txpci,rxpci,gpu_util,mem_util,mem_used,mem_free\r\n";

    /** When the updates made up here begin, in ns: that of iteration n so many seconds later. */
    static final long START = 1_713_143_960_000_000_000L;

    @Override int execute(String... args) {
        return Utilization.execute(new Utilization(), args);
    }

    @Override String header() {
        return "group,d2h_gb_per_s,h2d_gb_per_s,gpu_percent,samples";
    }

    static long ns(double seconds) {
        return START + Math.round(seconds * 1000) * 1_000_000;
    }

    private static String timers(String which, double... seconds) {
        return Arrays.stream(seconds).mapToObj(s -> "[2024-04-15 01:19:20,415] [INFO] [stage3.py:2251:step] "
            + "<<<TIMER:step_" + which + "," + ns(s) + ">>>\n").collect(Collectors.joining());
    }

    /** An iteration of two ranks, one of which starts and ends its update .1 s after the other: from n to n + .5 s. */
    static String iteration(int n) {
        return timers("start", n, n + .1) + timers("end", n + .4, n + .5) + Sample.timing(200, 300, 500)
            + iteration("1000.0", "50");
    }

    static String iterations(int count) {
        return IntStream.rangeClosed(1, count).mapToObj(UtilizationTest::iteration).collect(Collectors.joining());
    }

    /** A row of a monitor. */
    static String sample(int device, double seconds, double toHost, double toDevice, int gpu) {
        return device + "," + ns(seconds) + "," + toHost + "," + toDevice + "," + gpu + ",7,1000,85168947200\r\n";
    }

    /** A log of three iterations, and a monitor that saw these rates in each. */
    void run(String tokens, double toHostGb, double toDeviceGb, int gpu) throws IOException {
        log(tokens, iterations(3));
        StringBuilder rows = new StringBuilder(HEADER);
        for (int device = 0; device < 2; device++) {
            for (int n = 1; n <= 3; n++) {
                rows.append(sample(device, n + .2, toHostGb * 1024, toDeviceGb * 1024, gpu));
                rows.append(sample(device, n + .7, 9e3, 9e3, 55));
            }
        }
        monitor(tokens, rows.toString());
    }

    Path monitor(String tokens, String text) throws IOException {
        return Sample.write(logs, "log-" + tokens + "-monitor.csv", text);
    }

    @Nested class RealLogs {
        static final String FOLDER = "act-output-20B-scale-twinflow";

        /** Means over the samples between the first start and the last end of an update; a rank writes one of each. */
        double[] reading(Path log, int iteration) throws IOException {
            String text = Files.readString(log, StandardCharsets.ISO_8859_1);
            int ranks = Integer.parseInt(said(log, "dp"));
            long start = times(text, "start", ranks, iteration).min().orElseThrow();
            long end = times(text, "end", ranks, iteration).max().orElseThrow();
            List<String> lines = Files.readAllLines(Path.of(log.toString().replaceFirst("\\.log$", "-monitor.csv")));
            List<String> columns = List.of(lines.get(0).split(","));
            List<String[]> inside = lines.stream().skip(1).map(line -> line.split(",")).filter(row -> {
                long ns = Long.parseLong(row[columns.indexOf("timestamp")]);
                return start <= ns && ns <= end;
            }).toList();
            double[] means = Stream.of("txpci", "rxpci", "gpu_util").mapToDouble(column -> inside.stream()
                .mapToDouble(row -> Double.parseDouble(row[columns.indexOf(column)])).sum() / inside.size()).toArray();
            return new double[] {means[0] / 1024, means[1] / 1024, means[2], inside.size()};
        }

        LongStream times(String text, String which, int ranks, int iteration) {
            return Pattern.compile("TIMER:step_" + which + ",(\\d+)>").matcher(text).results()
                .mapToLong(match -> Long.parseLong(match.group(1))).skip((long) ranks * (iteration - 1)).limit(ranks);
        }

        List<Path> withRatio(String ratio) throws IOException {
            return sorted(realLogs(FOLDER).stream().filter(log -> said(log, "ratio").equals(ratio)).toList());
        }

        List<Path> sorted(List<Path> logs) {
            List<String> order = List.of(ZERO3, BACKWARD_ONLY, DEEP);
            return logs.stream().sorted((a, b) -> order.indexOf(approach(a)) - order.indexOf(approach(b))).toList();
        }

        @ParameterizedTest @ValueSource(ints = {3, 4})
        void areAsASimpleReadingSays(int iteration) throws IOException {
            Map<String, double[]> expected = new TreeMap<>();
            for (Path log : withRatio("1.0")) {
                expected.put(approach(log), reading(log, iteration));
            }
            assertEquals(3, expected.size());
            Cli cli = draw(preset("utilization"), real(FOLDER), "--iteration=" + iteration).quiet();
            List<String> rows = rows(cli);
            assertNumbers(expected, rows, 1);
            assertEquals(List.of(ZERO3, BACKWARD_ONLY, DEEP), rows.stream().map(row -> row.split(",")[0]).toList());
            assertEquals("20B-utilization", name(cli));
        }

        @Test void otherKeysMakeGroups() throws IOException {
            Map<String, double[]> expected = new TreeMap<>();
            for (Path log : realLogs(FOLDER)) {
                if (approach(log).equals(DEEP)) {
                    expected.put(said(log, "ratio"), reading(log, 3));
                }
            }
            assertEquals(6, expected.size());
            Cli cli = draw(real(FOLDER), "--groups=ratio", "--where=approach=" + DEEP).quiet();
            assertNumbers(expected, rows(cli), 1);
            assertEquals("20B-utilization-ratio", name(cli));
        }

        @Test void barsStandWhereTheyShould() throws IOException {
            List<double[]> expected = new ArrayList<>();
            for (Path log : withRatio("1.0")) {
                expected.add(reading(log, 3));
            }
            assertDrawn(expected, figure(draw(preset("utilization"), real(FOLDER)).quiet()));
            Picture.compare(plots, "20B-utilization");
        }

        @Test void theFolderNeedsAChoiceAndTheAdviceLeadsThere() throws IOException {
            Cli cli = draw(real(FOLDER));
            cli.failed(1, "ratio", "--where=");
            assertEquals(3, rows(draw(real(FOLDER), advice(cli)).quiet()).size());
        }
    }

    /** Asserts that there are three bars for each group in this order, two on the left scale and one on the right. */
    static void assertDrawn(List<double[]> groups, Picture picture) {
        Plot plot = Plot.of(picture);
        List<Plot.Strip> bars = plot.stacks();
        assertEquals(3 * groups.size(), bars.size(), () -> "bars: " + bars);
        assertEquals(3 * groups.size(), plot.numbers().size(), () -> "numbers: " + plot.numbers());
        assertEquals(groups.size(), plot.brackets().size(), "brackets");
        List<Integer> rates = new ArrayList<>(), percents = new ArrayList<>();
        List<Double> expectedRates = new ArrayList<>(), expectedPercents = new ArrayList<>();
        for (int i = 0; i < bars.size(); i++) {
            assertEquals(bars.get(i % 3).color(), bars.get(i).color(), "colour of bar " + i);
            (i % 3 == 2 ? percents : rates).add(plot.height(bars.get(i), bars.get(i).color()));
            (i % 3 == 2 ? expectedPercents : expectedRates).add(groups.get(i / 3)[i % 3]);
        }
        assertEquals(3, bars.stream().map(Plot.Strip::color).distinct().count(), "colours");
        plot.assertRound(plot.leftTicks(), Plot.assertProportional(rates, expectedRates, "rates"));
        double perPercent = Plot.assertProportional(percents, expectedPercents, "utilization");
        int highest = (plot.rightTicks().get(0).from() + plot.rightTicks().get(0).to()) / 2;
        assertEquals(100, (plot.bottom() - highest) / perPercent, 3, "percent at the uppermost tick");
        new Plot(picture, plot.left(), highest, plot.right(), plot.bottom()).assertRound(plot.rightTicks(), perPercent);
        plot.assertLabels(bars);
        plot.assertMargin();
    }

    /** Which samples count. */
    @Nested class Windows {
        void reads(String numbers, Object... args) throws IOException {
            Cli cli = draw(logs, "--groups=dp", List.of(args)).quiet();
            SubgroupRuns.assertRows(List.of("2," + numbers), rows(cli));
        }

        /** The fourth and the fifth fall between the ranks; devices stand in blocks, so time goes back. */
        static final String MONITOR = HEADER + sample(0, 2.2, 512, 256, 10) + sample(0, 2.999, 9e3, 9e3, 99)
            + sample(0, 3.2, 1024, 3072, 20) + sample(0, 3.501, 9e3, 9e3, 99) + sample(0, 4.2, 128, 128, 1)
            + sample(1, 2.999, 9e3, 9e3, 99) + sample(1, 3.05, 2048, 1024, 40) + sample(1, 3.45, 3072, 2048, 90)
            + sample(1, 3.501, 9e3, 9e3, 99);

        @Test void fromTheFirstStartToTheLastEndOfAllRanksAndDevices() throws IOException {
            log("7B-dp2", iterations(4));
            monitor("7B-dp2", MONITOR);
            reads("2,2,50,3");
            reads("0.5,0.25,10,1", "--iteration=2");
            reads("0.125,0.125,1,1", "--iteration=4");
        }

        @Test void whicheverRankIsFirst() throws IOException {
            String text = iterations(2) + timers("start", 3.1, 3) + timers("end", 3.5, 3.4) + Sample.timing(1, 2, 3)
                + iteration(4);
            log("7B-dp2", text);
            monitor("7B-dp2", MONITOR);
            reads("2,2,50,3");
        }

        @Test void whereRanksGlueTheirLines() throws IOException {
            log("7B-dp2", iterations(4).replaceAll(">>>\\n\\[", ">>>["));
            monitor("7B-dp2", MONITOR);
            reads("2,2,50,3");
            log("7B-dp2", iterations(4).replace("\n", "\r\n").replaceAll("(?m)^", "x3104c0s1b0n0: "));
            reads("2,2,50,3");
        }

        @Test void columnsAreFoundByTheirNames() throws IOException {
            log("7B-dp2", iterations(4));
            monitor("7B-dp2", Stream.of(MONITOR.split("\r\n")).map(row -> row.split(","))
                .map(c -> String.join(",", c[4], c[3], "x", c[1], c[7], c[2], c[0]) + "\n")
                .collect(Collectors.joining()));
            reads("2,2,50,3");
        }

        @Test void theMeanIsOverAllUpdatesButTheFirst() throws IOException {
            log("7B-dp2", iterations(3));
            monitor("7B-dp2", HEADER + sample(0, 1.2, 9e3, 9e3, 99) + sample(0, 2.2, 1024, 2048, 10)
                + sample(0, 2.7, 9e3, 9e3, 99) + sample(0, 3.2, 3072, 4096, 30));
            reads("2,3,20,2", "--iteration=mean");
        }

        @Test void oneIterationIsEnoughForTheFirst() throws IOException {
            log("7B-dp2", iterations(1));
            monitor("7B-dp2", HEADER + sample(0, 1.2, 1024, 2048, 10));
            reads("1,2,10,1", "--iteration=1");
        }

        @Test void inputsAreOnlyRead() throws IOException {
            log("7B-dp2", iterations(4));
            monitor("7B-dp2", MONITOR);
            Map<String, String> before = Cli.snapshot(logs);
            reads("2,2,50,3");
            assertEquals(before, Cli.snapshot(logs));
        }
    }

    @Nested class Figure {
        @Test void groupsHaveTheirOrderWhateverTheFilesAreCalled() throws IOException {
            run("20B-a1-prefetch1-flush_async1", 20, 18, 96);
            run("20B-a2-prefetch0-flush_async1", 5, 8, 40);
            run("20B-a3-prefetch0-flush_async0", 2, 4, 20);
            Cli cli = draw(logs).quiet();
            SubgroupRuns.assertRows(List.of("2,4,20,2", "5,8,40,2", "20,18,96,2"),
                rows(cli).stream().map(row -> row.replaceFirst("[^,]*,", "")).toList());
            assertEquals(List.of(ZERO3, BACKWARD_ONLY, DEEP),
                rows(cli).stream().map(row -> row.split(",")[0]).toList());
            assertDrawn(List.of(heights(2, 4, 20), heights(5, 8, 40), heights(20, 18, 96)), figure(cli));
        }

        @Test void sharesOnTheGpuGrowToTheRight() throws IOException {
            run("20B-ratio0.5-prefetch0", 4, 5, 30);
            run("20B-ratio1.0-prefetch0", 1, 2, 90);
            run("20B-ratio0.65-prefetch0", 2, 3, 60);
            assertDrawn(List.of(heights(1, 2, 90), heights(2, 3, 60), heights(4, 5, 30)),
                figure(draw(logs, "--groups=ratio").quiet()));
        }

        @Test void aRunThatFailedKeepsItsPlace() throws IOException {
            run("20B-dp1", 4, 5, 30);
            run("20B-dp2", 4, 5, 30);
            run("20B-dp4", 2, 3, 60);
            List<Plot.Strip> full = Plot.of(figure(draw(logs, "--groups=dp").quiet())).stacks();
            Path log = log("20B-dp2", iterations(2));
            Cli cli = draw(logs, "--groups=dp");
            assertEquals("0 1", cli.status() + " " + cli.err().lines().count(), cli.err());
            assertTrue(cli.err().contains(log.toString()) && cli.err().contains("failed"), cli.err());
            SubgroupRuns.assertRows(List.of("1,4,5,30,2", "2,,,,", "4,2,3,60,2"), rows(cli));
            Plot plot = Plot.of(figure(cli));
            List<Plot.Strip> left = new ArrayList<>(full);
            left.subList(3, 6).clear();
            assertEquals(left, plot.stacks(), "places of the other bars");
            assertTrue(plot.count(Picture.RED, full.get(3).from(), full.get(5).to()) > 100, "no red word in its place");
        }

        @ParameterizedTest @CsvSource({"1, 25, 25, 100", "8, 25, 24, 100", "1, 0, 0, 0", "2, 0.001, 0.002, 1",
            "3, 250, 1500, 50"})
        void anyNumberIsDrawn(int groups, double toHost, double toDevice, int gpu) throws IOException {
            for (int i = 0; i < groups; i++) {
                run("20B-dp" + (1 << i), toHost, toDevice, gpu);
            }
            Plot plot = Plot.of(figure(draw(logs, "--groups=dp").quiet()));
            assertEquals(3 * groups, plot.numbers().size(), () -> "numbers: " + plot.numbers());
            assertEquals(groups, plot.brackets().size(), "brackets");
            plot.assertLabels(plot.stacks());
            plot.assertMargin();
        }
    }

    @Nested class Faults {
        @Test void ranksThatDoNotComeInEqualBlocks() throws IOException {
            String less = iteration(2).replaceFirst("(?m)^.*step_start.*\\n", "");
            Path log = log("7B-dp2", iteration(1) + less + iteration(3));
            monitor("7B-dp2", Windows.MONITOR);
            draw(logs, "--groups=dp").failed(1, log, "step_start");
            assertFalse(Files.exists(plots));
        }

        /** Without its end, how long a rank's update took is not known. */
        @Test void ranksOfWhichOneDoesNotEnd() throws IOException {
            String less = iteration(3).replaceFirst("(?m)^.*step_end.*\\n", "");
            Path log = log("7B-dp2", iterations(2) + less);
            monitor("7B-dp2", Windows.MONITOR);
            draw(logs, "--groups=dp").failed(1, log, "step_end");
        }

        @Test void noTimersInTheLog() throws IOException {
            Path log = log("7B-dp2", GroupedRuns.run(1, 2, 3));
            monitor("7B-dp2", Windows.MONITOR);
            draw(logs, "--groups=dp").failed(1, log, "step_start");
        }

        @Test void noMonitorBesideTheLog() throws IOException {
            run("7B-dp1", 1, 2, 3);
            log("7B-dp2", iterations(3));
            monitor("7B-dp3", Windows.MONITOR);
            draw(logs, "--groups=dp").failed(1, logs.resolve("log-7B-dp2-monitor.csv"));
            assertFalse(Files.exists(plots));
        }

        @Test void noSampleDuringTheUpdate() throws IOException {
            log("7B-dp2", iterations(3));
            String around = sample(0, 2.9, 1, 1, 1) + sample(0, 3.6, 1, 1, 1);
            for (String rows : List.of("", around, sample(0, 7200, 1, 1, 1))) {
                Path monitor = monitor("7B-dp2", HEADER + rows);
                draw(logs, "--groups=dp").failed(1, monitor, "no sample");
            }
        }

        @Test void aMonitorThatIsNoMonitor() throws IOException {
            log("7B-dp2", iterations(3));
            for (String text : List.of("", "time,load\r\n1,2\r\n", Windows.MONITOR.replace("3072.0", "[N/A]"),
                Windows.MONITOR.replace("txpci", "traffic"), Windows.MONITOR.replace("3072.0", "nan"))) {
                Path monitor = monitor("7B-dp2", text);
                draw(logs, "--groups=dp").failed(1, monitor);
            }
        }

        @Test void twoRunsInOneGroup() throws IOException {
            run("7B-dp1-prefetch0", 1, 2, 3);
            run("7B-dp2-prefetch0", 4, 5, 6);
            Cli cli = draw(logs);
            cli.failed(1, "log-7B-dp1-prefetch0.log", "log-7B-dp2-prefetch0.log", "dp", "--where=");
            assertEquals(1, rows(draw(logs, advice(cli)).quiet()).size());
        }

        @Test void runsThatAllFailed() throws IOException {
            log("7B-dp2", iterations(2));
            draw(logs, "--groups=dp").failed(1, logs, "--iteration");
        }
    }

    @Test void aliasesDrawThePublishedFigures() throws IOException {
        assertPublished("utilization", "20B-utilization", "act-output-20B-scale-twinflow");
    }
}
