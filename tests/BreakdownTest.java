import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** What breakdown.java and its aliases make of logs. How logs are read and chosen in general, LogsTest has. */
class BreakdownTest extends GroupedRuns {
    static final int[] PHASES = {Picture.FORWARD, Picture.BACKWARD, Picture.UPDATE};

    @Override int execute(String... args) {
        return Breakdown.execute(new Breakdown(), args);
    }

    @Override String header() {
        return "group,bar,forward_ms,backward_ms,update_ms,iteration_ms,tflops";
    }

    /** The folders of the study, against numbers that were taken from them by other means. */
    @Nested class RealLogs {
        static final String DP = "act-output-7B-scale-DP-motivation", TP = "act-output-7B-scale-TP-motivation";
        static final String GAPS = "act-output-13B-scale-gaps-scale-DP";

        @ParameterizedTest @CsvSource({DP + ", dp, 3", DP + ", dp, 4", TP + ", tp, 3", TP + ", tp, 4"})
        void agreeWithTheGoldenNumbers(String folder, String key, String iteration) throws IOException {
            Path real = real(folder);
            List<String> golden = new ArrayList<>(), phases = new ArrayList<>();
            for (String line : Files.readAllLines(Cli.SHARED.resolve("golden/phases.csv"))) {
                String[] row = line.split(",");
                if (row[0].equals(folder) && row[6].equals(iteration)) {
                    String group = row[key.equals("tp") ? 3 : 4];
                    golden.add(String.join(",", group, row[5], row[7], row[8], row[9], row[10]));
                }
            }
            assertEquals(12, golden.size(), "golden numbers");
            Cli cli = draw(real, "--groups=" + key, "--iteration=" + iteration).quiet();
            for (String row : rows(cli)) {
                phases.add(row.replaceFirst(",[^,]*(,[^,]*)$", "$1"));
            }
            SubgroupRuns.assertRows(golden, phases);
        }

        @ParameterizedTest @CsvSource({DP + ", data-parallel", TP + ", tensor-parallel"})
        void needNoGroups(String folder, String alias) throws IOException {
            Path real = real(folder);
            List<String> preset = rows(draw(preset(alias), real).quiet());
            assertEquals(12, preset.size());
            Cli cli = draw(real).quiet();
            assertEquals(preset, rows(cli));
            assertEquals("7B-" + alias, name(cli));
        }

        @ParameterizedTest @CsvSource({"act-output-7B-scale-GA-single-GPU, gradient-accumulation, 15",
            "act-output-13B-scale-DP, data-scaling, 9", "act-output-20B-scale-twinflow, twinflow, 18",
            "act-output-13B-scale-DP, models, 3"})
        void theirMeansAreThoseOfASimpleReading(String folder, String alias, int runs) throws IOException {
            Map<String, double[]> expected = new TreeMap<>();
            for (Path log : realLogs(folder)) {
                if (!alias.equals("models") || said(log, "dp").equals("4")) {
                    expected.put(group(alias, log) + "," + approach(log), mean(iterations(log)));
                }
            }
            assertEquals(runs, expected.size());
            Cli cli = draw(preset(alias), real(folder), alias.equals("models") ? "--where=dp=4" : "--csv").quiet();
            assertNumbers(expected, rows(cli), 2);
        }

        /** The raw value by which an alias groups a log, from its name. */
        String group(String alias, Path log) {
            return switch (alias) {
                case "gradient-accumulation" -> "" + Integer.parseInt(said(log, "gbs"))
                    / (Integer.parseInt(said(log, "mbs")) * Integer.parseInt(said(log, "dp")));
                case "data-scaling" -> said(log, "dp");
                case "twinflow" -> said(log, "ratio");
                default -> "13B";
            };
        }

        /** The elapsed times that the authors' figures show, in seconds; they timed a hair more than the logs. */
        @ParameterizedTest @CsvSource({
            "act-output-7B-scale-GA-single-GPU, gradient-accumulation, 1 2 4 8 16, zero3, 10.9 13.5 19.0 29.9 51.6",
            "act-output-7B-scale-GA-single-GPU, gradient-accumulation, 1 2 4 8 16, deep-optimizer-states, "
                + "6.4 9.4 14.7 25.3 46.4",
            "act-output-20B-scale-twinflow, twinflow, 1.0 0.9 0.8 0.7 0.6 0.5, zero3, 7.3 6.6 5.9 5.3 4.8 4.3",
            "act-output-20B-scale-twinflow, twinflow, 1.0 0.9 0.8 0.7 0.6 0.5, deep-optimizer-states, "
                + "3.0 2.7 2.6 2.5 2.3 2.2"})
        void agreeWithTheAuthors(String folder, String alias, String groups, String approach, String printed)
                throws IOException {
            Cli cli = draw(preset(alias), real(folder)).quiet();
            Map<String, Double> seconds = new HashMap<>();
            for (String row : rows(cli)) {
                String[] cells = row.split(",");
                seconds.put(cells[0] + " " + cells[1], Double.parseDouble(cells[5]) / 1000);
            }
            String[] group = groups.split(" "), number = printed.split(" ");
            for (int i = 0; i < group.length; i++) {
                assertEquals(Double.parseDouble(number[i]), seconds.get(group[i] + " " + approach), 0.1, group[i]);
            }
        }

        @Test void runsThatFailedKeepTheirPlaces() throws IOException {
            Path real = real(GAPS);
            Cli cli = draw(real, "--groups=dp", "--bars=opt_gaps", "--where=ga=1", "--where=approach!=backward-only");
            assertEquals(0, cli.status(), cli.err());
            List<String> notes = cli.err().lines().sorted().toList();
            assertEquals(3, notes.size(), cli.err());
            for (int k = 2; k <= 4; k++) {
                String note = notes.get(k - 2);
                assertTrue(note.startsWith(real + "/log-13B-tp1-dp1-"), note);
                assertTrue(note.contains("-opt_gaps" + k + ".log") && note.contains("failed"), note);
            }
            List<String> rows = rows(cli);
            assertEquals(24, rows.size());
            assertEquals(List.of("1,2,,,,,", "1,3,,,,,", "1,4,,,,,"), with(rows, ",,"));
            Map<String, double[]> expected = new TreeMap<>();
            for (Path log : realLogs(GAPS)) {
                boolean chosen = !approach(log).equals(BACKWARD_ONLY) && !log.toString().matches(".*-dp4-.*-gbs4-.*");
                if (chosen && iterations(log).size() > 2) {
                    expected.put(said(log, "dp") + "," + said(log, "opt_gaps"), iterations(log).get(2));
                }
            }
            assertNumbers(expected, rows.stream().filter(row -> !row.contains(",,")).toList(), 2);
        }

        List<String> with(List<String> rows, String part) {
            return rows.stream().filter(row -> row.contains(part)).toList();
        }

        @Test void aRunThatDiedInItsSecondIterationHasAFirst() throws IOException {
            Cli cli = draw(real(GAPS), "--groups=dp", "--bars=opt_gaps", "--where=dp=1", "--where=prefetch=1",
                "--iteration=1");
            assertEquals(2, cli.err().lines().filter(line -> line.contains("failed")).count(), cli.err());
            List<String> rows = rows(cli);
            assertEquals(List.of("1,2,,,,,", "1,3,,,,,"), with(rows, ",,"));
            Path log = realLogs(GAPS).stream().filter(file -> file.toString().matches(".*-dp1-.*-opt_gaps4.log"))
                .findFirst().orElseThrow();
            assertNumbers(Map.of("1,4", iterations(log).get(0)), with(rows, "1,4,"), 2);
        }

        @Test void whereAllFailedThereIsNoFigure() throws IOException {
            Path real = real(GAPS);
            draw(real, "--groups=dp", "--bars=approach", "--where=gbs=4", "--where=dp=4").failed(1, real);
            assertFalse(Files.exists(plots));
        }

        @Test void oneNameInTwoFoldersIsTwoRuns() throws IOException {
            Path dp = real(DP), tp = real(TP);
            Cli cli = draw(dp, tp, "--groups=dp", "--where=tp=1");
            cli.failed(1, dp, tp, "folder", "--where=");
            Cli again = draw(dp, tp, "--groups=dp", "--where=tp=1", advice(cli)).quiet();
            assertTrue(Set.of(4, 12).contains(rows(again).size()), "rows of one of the folders");
        }

        /** Does as each message says, until there is a figure. */
        @Test void theAdviceLeadsToAFigure() throws IOException {
            List<Object> args = new ArrayList<>(List.of(real(GAPS), "--groups=dp", "--bars=opt_gaps"));
            Cli cli = draw(args.toArray());
            assertNotEquals(0, cli.status());
            for (int step = 0; step < 4 && cli.status() != 0; step++) {
                cli.failed(1, "--where=");
                args.add(advice(cli));
                cli = draw(args.toArray());
            }
            assertEquals(0, cli.status(), () -> "after " + args);
        }

        @Test void severalKeysThatVaryAreListed() throws IOException {
            draw(real(GAPS), "--bars=opt_gaps").failed(1, "--groups", "dp", "flush_async");
        }
    }

    /** Which iteration line belongs to a timing line. Iteration n has the numbers n1, n2, n3; n000 ms; n.5 TFLOPs. */
    @Nested class Pairs {
        String timing(int n) {
            return Sample.timing(n + "1", n + "2", n + "3");
        }

        String iteration(int n) {
            return GroupedRuns.iteration(n + "000", n + ".5");
        }

        String both(int n) {
            return timing(n) + iteration(n);
        }

        /** Asserts what the row has after group and bar. */
        void reads(String numbers, Object iteration, String text) throws IOException {
            log("7B-dp1-subg1", text);
            Cli cli = draw(logs, "--groups=dp", "--iteration=" + iteration);
            assertEquals(0, cli.status(), cli.err());
            SubgroupRuns.assertRows(List.of("1,1," + numbers), rows(cli));
        }

        @ParameterizedTest @CsvSource({"1, '11,12,13,1000,1.5'", "2, '21,22,23,2000,2.5'", "3, '31,32,33,3000,3.5'",
            "mean, '26,27,28,2500,3'"})
        void theLineThatFollows(String iteration, String numbers) throws IOException {
            reads(numbers, iteration, both(1) + both(2) + both(3));
        }

        @Test void aRunThatStopsBetweenThem() throws IOException {
            reads("31,32,33,,", 3, both(1) + both(2) + timing(3));
            reads("26,27,28,2000,2.5", "mean", both(1) + both(2) + timing(3));
            reads("21,22,23,2000,2.5", 2, both(1) + both(2) + timing(3));
            String cut = iteration(3);
            reads("31,32,33,3000,", 3, both(1) + both(2) + timing(3) + cut.substring(0, cut.indexOf("| samples per")));
        }

        @Test void aLineThatIsMissingIsNotBorrowedFromTheNextIteration() throws IOException {
            reads("21,22,23,,", 2, both(1) + timing(2) + both(3));
            reads("31,32,33,3000,3.5", 3, both(1) + timing(2) + both(3));
            reads("26,27,28,3000,3.5", "mean", both(1) + timing(2) + both(3));
        }

        @Test void ofTwoLinesTheFirst() throws IOException {
            String text = both(1) + iteration(7) + both(2) + iteration(8) + iteration(9);
            reads("11,12,13,1000,1.5", 1, text);
            reads("21,22,23,2000,2.5", 2, text);
            reads("21,22,23,2000,2.5", "mean", text);
        }

        @Test void aLineBeforeAnyTimingLineBelongsToNone() throws IOException {
            reads("11,12,13,1000,1.5", 1, iteration(9) + iteration(8) + both(1) + both(2));
            reads("21,22,23,2000,2.5", "mean", iteration(9) + both(1) + both(2));
            reads("11,12,13,,", 1, iteration(9) + timing(1));
        }

        @Test void otherRanksSpeakBetweenThem() throws IOException {
            String timer = "<TIMER:interval-time,7.386294841766357><TIMER:interval-time,7.386296987533569>";
            String between = timer + "\n\n\nx3104c0s7b0n0: \n" + timer + timer + "\n[2024-04-15 01:19:22,150] [INFO] "
                + "[stage3.py:2395:step] <<<TIMER:step_end,1713143962150542449>>>\n"
                + "[Rank 0] time (ms) | optimizer_step: 7894.29\n[Rank 1] time (ms) | fwd_microstep: 8 | "
                + "bwd_microstep: 8\n";
            String text = "";
            for (int n = 1; n <= 3; n++) {
                text += "x3104c0s1b0n0: " + timer + timing(n) + between + "x3104c0s25b0n0: " + iteration(n) + between;
            }
            reads("21,22,23,2000,2.5", 2, text);
            reads("26,27,28,2500,3", "mean", text);
            reads("31,32,33,3000,3.5", 3, text.replace("\n", "\r\n"));
        }

        @Test void withoutALoss() throws IOException {
            String text = (both(1) + both(2) + both(3)).replaceAll("\\| lm loss: [^|]*", "");
            assertFalse(text.contains("loss:"));
            reads("31,32,33,3000,3.5", 3, text);
            reads("26,27,28,2500,3", "mean", text);
        }

        @Test void gluedToEachOther() throws IOException {
            String text = both(1) + both(2) + both(3);
            reads("21,22,23,2000,2.5", 2, text.replace("\n elapsed", " elapsed"));
            reads("31,32,33,3000,3.5", 3, text.replace("\n", ""));
            reads("26,27,28,2500,3", "mean", text.replace("\n", ""));
        }

        @ParameterizedTest @ValueSource(strings = {
            " iteration        3/      10 | consumed samples:  12 | elapsed time per iteration (ms): 1234.5 | "
                + "learning rate: 1.0E-05 | samples per second: 0.057 | TFLOPs: 412.3 |",
            " iteration        3/      10 | elapsed time per iteration (ms): 1234.5 | samples per second: 0.057 | "
                + "tokens per gpu per second (tgs): 117.6 | TFLOPs: 412.3 |",
            " [2024-05-01 10:00:00] iteration        3/     100 | consumed samples:           12 | elapsed time per "
                + "iteration (ms): 1234.5 | throughput per GPU (TFLOP/s/GPU): 412.3 | learning rate: 1.0E-05 | "
                + "global batch size:     4 |",
            " [2026-01-09 10:00:00.123456] iteration        3/     100 | elapsed time per iteration (ms): 1234.5 | "
                + "throughput per GPU (TFLOP/s/GPU): 412.3 | energy per GPU (J/iter/GPU): 99.9 | lm loss: 1.0E+01 |"})
        void ofEveryMegatron(String line) throws IOException {
            reads("11,12,13,1234.5,412.3", 1, timing(1) + line + "\n" + both(2));
            reads("21,22,23,1234.5,412.3", "mean", both(1) + timing(2) + line);
        }

        @Test void withoutTflops() throws IOException {
            reads("11,12,13,1234.5,", 1, timing(1) + " [2024-05-01 10:00:00] iteration        3/     100 | consumed "
                + "samples:  12 | elapsed time per iteration (ms): 1234.5 | learning rate: 1.0E-05 |\n" + both(2));
        }

        /** Readers take a log in blocks: here the line comes to lie on the end of a block in every possible way. */
        @Test void farAwayAndAtTheEndOfABlock() throws IOException {
            List<String> expected = new ArrayList<>();
            int length = iteration(1).length();
            for (int before = 1; before < length + 10; before++) {
                String fill = "f".repeat(65_536 - timing(1).length() - before) + "\n";
                log("7B-dp" + before / 16 + "-subg" + before % 16, timing(1) + fill + iteration(1) + both(2));
                expected.add(before / 16 + "," + before % 16 + ",11,12,13,1000,1.5");
            }
            SubgroupRuns.assertRows(expected, rows(draw(logs, "--groups=dp", "--iteration=1").quiet()));
        }
    }

    /** Which run stands where. */
    @Nested class Places {
        @ParameterizedTest @CsvSource({"7B-dp1-subg1-mbs4, 7B-dp1-subg1-mbs8, mbs",
            "7B-dp1-subg1-tp1, 7B-dp1-subg1-tp16, tp", "7B-dp1-subg1, 8.3B-dp1-subg1, model",
            "7B-dp1-subg1-vast, 7B-dp1-subg1, vast", "7B-dp1-subg1-ratio0.5, 7B-dp1-subg1-ratio0.65, ratio",
            "7B-dp1-mbs4-subg1-gbs4, 7B-dp1-mbs4-subg1-gbs8, gbs",
            "7B-dp1-subg1-sl2048-flush_async0, 7B-dp1-subg1-sl2048-flush_async1, flush_async",
            "7B-dp1-subg1-seed1, 7B-dp1-subg1, seed"})
        void twoRunsForOneAreToldApart(String one, String other, String key) throws IOException {
            Path a = log(one, run(1, 2, 3)), b = log(other, run(1000, 2000, 3000));
            Cli cli = draw(logs, "--groups=dp");
            cli.failed(1, a.toString(), b.toString(), key, "--where=");
            assertEquals(1, rows(draw(logs, "--groups=dp", advice(cli)).quiet()).size());
        }

        @Test void allKeysInWhichTheyDifferAreNamed() throws IOException {
            log("7B-tp1-dp1-mbs4-subg1-sl2048", run(1, 2, 3));
            log("7B-tp2-dp1-mbs8-subg1-sl2048", run(1, 2, 3));
            Cli cli = draw(logs, "--groups=dp");
            cli.failed(1, "tp", "mbs");
            String said = cli.err().replace(logs.toString(), "").replaceAll("log-\\S*", "");
            assertFalse(said.matches("(?s).*\\b(sl|dp|subg)\\b.*"), () -> "these are the same in both: " + said);
        }

        @Test void oneNumberIsOnePlaceHoweverItIsWritten() throws IOException {
            log("7B-dp1-subg1B-ratio1", run(1000, 2000, 3000));
            log("7B-dp2-subg1e9-ratio1.0", run(1000, 1000, 1000));
            log("7B-dp4-subg1000000000-ratio1", run(500, 500, 500));
            assertEquals(3, Plot.of(figure(draw(logs, "--groups=dp").quiet())).stacks().size());
            byte[] mixed = Files.readAllBytes(plots.resolve("7B-data-parallel.png"));
            Path same = tmp.resolve("same");
            Sample.write(same, "log-7B-dp1-subg1000000000-ratio1.log", run(1000, 2000, 3000));
            Sample.write(same, "log-7B-dp2-subg1000000000-ratio1.log", run(1000, 1000, 1000));
            Sample.write(same, "log-7B-dp4-subg1000000000-ratio1.log", run(500, 500, 500));
            draw(same, "--groups=dp").quiet();
            assertArrayEquals(Files.readAllBytes(plots.resolve("7B-data-parallel.png")), mixed);
        }

        @Test void oneNumberInTwoSpellingsIsNoSecondGroup() throws IOException {
            log("7B-ratio1-prefetch0", run(1000, 2000, 3000));
            log("7B-ratio1.0-prefetch0-flush_async1", run(1000, 1000, 1000));
            log("7B-ratio0.50-prefetch0", run(500, 500, 500));
            log("7B-ratio0.5-prefetch0-flush_async1", run(500, 400, 300));
            Plot plot = Plot.of(figure(draw(logs, "--groups=ratio", "--bars=approach").quiet()));
            assertEquals(2, plot.brackets().size(), "groups");
            plot.assertStacks(List.of(heights(1, 2, 3), heights(1, 1, 1), heights(.5, .5, .5),
                heights(.5, .4, .3)), PHASES);
        }

        @Test void oneNumberInTwoSpellingsIsOneRunTooMany() throws IOException {
            Path a = log("7B-dp1-subg1B", run(1, 2, 3)), b = log("7B-dp1-subg1e9", run(1, 2, 3));
            draw(logs, "--groups=dp").failed(1, a, b);
        }

        @Test void modelsStandInTheOrderOfTheirSizes() throws IOException {
            List<Path> folders = new ArrayList<>();
            for (String model : List.of("10B", "7B", "8.3B")) {
                Path folder = tmp.resolve("act-output-" + model);
                double seconds = Double.parseDouble(model.replace("B", ""));
                String name = "log-" + model + "-dp4-prefetch";
                Sample.write(folder, name + "0-flush_async0.log", run(1000, 2000, 1000 * seconds));
                Sample.write(folder, name + "1-flush_async1.log", run(1000, 1000, 100 * seconds));
                folders.add(folder);
            }
            Cli cli = draw(preset("models"), folders.get(0), folders.get(1), folders.get(2)).quiet();
            assertEquals(List.of("7B,zero3", "7B,deep-optimizer-states", "8.3B,zero3", "8.3B,deep-optimizer-states",
                "10B,zero3", "10B,deep-optimizer-states"), places(rows(cli)));
            assertEquals("7B+8.3B+10B-model-approach", name(cli));
            List<double[]> expected = DoubleStream.of(7, 8.3, 10).boxed()
                .flatMap(s -> Stream.of(heights(1, 2, s), heights(1, 1, s / 10))).toList();
            Plot.of(figure(cli)).assertStacks(expected, PHASES);
        }

        @Test void foldersAreGroups() throws IOException {
            Path a = tmp.resolve("one/act-output-a100"), b = tmp.resolve("two/act-output-h100");
            for (String subg : List.of("100M", "3B")) {
                Sample.write(a, Sample.name(subg), run(1000, 2000, 3000));
                Sample.write(b, Sample.name(subg), run(1000, 1000, 1000));
            }
            Cli cli = draw(b, a, "--groups=folder").quiet();
            assertEquals(List.of("act-output-a100,100M", "act-output-a100,3B", "act-output-h100,100M",
                "act-output-h100,3B"), places(rows(cli)));
            Plot.of(figure(cli)).assertStacks(List.of(heights(1, 2, 3), heights(1, 2, 3), heights(1, 1, 1),
                heights(1, 1, 1)), PHASES);
        }

        @Test void numbersAreSortedAsNumbers() throws IOException {
            for (String dp : List.of("16", "2", "1", "8")) {
                for (String subg : List.of("1B", "500M", "3000000000")) {
                    log("7B-dp" + dp + "-subg" + subg, run(1, 2, 3));
                }
            }
            List<String> expected = Stream.of("1", "2", "8", "16")
                .flatMap(dp -> Stream.of("500M", "1B", "3000000000").map(subg -> dp + "," + subg)).toList();
            assertEquals(expected, places(rows(draw(logs, "--groups=dp").quiet())));
        }

        @Test void approachesHaveTheirOrder() throws IOException {
            log("7B-a1-dp1-prefetch1-flush_async1", run(1000, 1000, 1000));
            log("7B-a2-dp1-prefetch0-flush_async1", run(1000, 2000, 1000));
            log("7B-a3-dp1-prefetch0", run(1000, 2000, 3000));
            Cli cli = draw(logs, "--groups=dp", "--bars=approach").quiet();
            assertEquals(List.of("1,zero3", "1,backward-only", "1,deep-optimizer-states"), places(rows(cli)));
            Plot.of(figure(cli)).assertStacks(List.of(heights(1, 2, 3), heights(1, 2, 1), heights(1, 1, 1)),
                PHASES);
        }

        @Test void theShareOnTheGpuGrowsToTheRight() throws IOException {
            log("20B-ratio0.5-prefetch0", run(1000, 500, 500));
            log("20B-ratio1-prefetch0", run(1000, 1000, 3000));
            log("20B-ratio0.65-prefetch0", run(1000, 800, 1000));
            Cli cli = draw(preset("twinflow"), logs).quiet();
            Plot.of(figure(cli)).assertStacks(List.of(heights(1, 1, 3), heights(1, .8, 1),
                heights(1, .5, .5)), PHASES);
        }

        @Test void elapsedTimesHaveTheirOwnColumn() throws IOException {
            log("7B-dp1-subg1", (Sample.timing(1, 2, 3) + iteration("17415.9", "12.81")).repeat(3));
            log("7B-dp1-subg2", Sample.timing(1, 2, 3).repeat(3));
            List<String> rows = rows(draw(logs, "--groups=dp").quiet());
            SubgroupRuns.assertRows(List.of("1,1,1,2,3,17415.9,12.81", "1,2,1,2,3,,"), rows);
        }

        @Test void aLogWithoutTheKeysIsNamedAndLeftOut() throws IOException {
            log("7B-dp1-subg1", run(1, 2, 3));
            Path other = log("7B-dp1", run(1, 2, 3));
            Cli cli = draw(logs, "--groups=dp");
            assertEquals(0, cli.status(), cli.err());
            assertEquals(1, cli.err().lines().count(), cli.err());
            assertTrue(cli.err().startsWith(other + ":") && cli.err().contains("subg"), cli.err());
            assertEquals(1, rows(cli).size());
        }
    }

    /** The key by which runs are grouped when none is given. */
    @Nested class Groups {
        void varying(String... names) throws IOException {
            for (String name : names) {
                log(name, run(1000, 2000, 3000));
            }
        }

        @Test void theOneKeyThatVaries() throws IOException {
            varying("7B-tp1-dp1-gbs4-mbs4-subg1-x3", "7B-tp2-dp1-gbs4-mbs4-subg1-x3", "7B-tp2-dp1-gbs4-mbs4-subg2-x3");
            Cli cli = draw(logs).quiet();
            assertEquals("7B-tensor-parallel", name(cli));
            assertEquals(List.of("1,1", "2,1", "2,2"), places(rows(cli)));
        }

        @Test void theBatchThatFollowsFromTheOthersDoesNotCount() throws IOException {
            varying("7B-dp1-gbs4-mbs4-subg1", "7B-dp2-gbs8-mbs4-subg1", "7B-dp4-gbs16-mbs4-subg1");
            assertEquals("7B-data-parallel", name(draw(logs).quiet()));
        }

        @Test void aKeyThatIsNotKnownVariesToo() throws IOException {
            varying("7B-dp1-subg1-zeta1.5", "7B-dp1-subg1-zeta3", "7B-dp1-subg2-zeta3");
            assertEquals("7B-zeta", name(draw(logs).quiet()));
        }

        @Test void besidesOtherBarsTheSizeMayVary() throws IOException {
            varying("7B-dp1-subg1-prefetch0", "7B-dp1-subg2-prefetch0", "7B-dp1-subg1-prefetch1-flush_async1");
            assertEquals("7B-subg-approach", name(draw(logs, "--bars=approach").quiet()));
        }

        @Test void oneNumberInTwoSpellingsDoesNotVary() throws IOException {
            varying("7B-dp1-subg1-ratio1", "7B-dp2-subg1-ratio1.0", "7B-dp2-subg2-ratio1");
            assertEquals("7B-data-parallel", name(draw(logs).quiet()));
        }

        @Test void noneThatVariesIsAnError() throws IOException {
            varying("7B-dp1-gbs4-mbs4-subg1", "7B-dp1-gbs4-mbs4-subg2");
            draw(logs).failed(1, "--groups");
            assertEquals("7B-data-parallel", name(draw(logs, "--groups=dp").quiet()));
        }

        @Test void severalThatVaryAreListed() throws IOException {
            varying("7B-dp1-tp1-zeta1-subg1-sl2048", "7B-dp2-tp1-zeta1-subg1-sl2048", "7B-dp1-tp2-zeta1-subg1-sl2048",
                "7B-dp1-tp1-zeta2-subg1-sl2048");
            Cli cli = draw(logs);
            cli.failed(1, "dp", "tp", "zeta", "--groups", "--where");
            String said = cli.err().replace(logs.toString(), "");
            assertFalse(said.matches("(?s).*\\b(sl|gbs|subg1|model)\\b.*"), said);
            assertEquals("7B-zeta", name(draw(logs, "--where=dp=1", "--where=tp=1").quiet()));
        }

        @Test void aKeyThatNoLogHasIsAnError() throws IOException {
            varying("7B-dp1-subg1");
            draw(logs, "--groups=nbs").failed(1, "nbs");
            draw(logs, "--groups=dp", "--bars=nbs").failed(1, "nbs");
        }

        @Test void theLastCounts() throws IOException {
            varying("7B-dp1-tp1-subg1", "7B-dp1-tp2-subg1");
            assertEquals("7B-tensor-parallel", name(draw(preset("data-parallel"), logs, "--groups=tp").quiet()));
        }

        @ParameterizedTest @CsvSource({"dp, subg, 7B-data-parallel", "tp, subg, 7B-tensor-parallel",
            "mbs, subg, 7B-mbs", "ga, subg, 7B-ga", "ga, approach, 7B-ga-approach",
            "model, approach, 7B-model-approach", "mbs, tp, 7B-mbs-tp", "dp, approach, 7B-data-parallel-approach"})
        void theFilesAreNamedAfterTheModelAndTheKeys(String groups, String bars, String name) throws IOException {
            varying("7B-dp1-tp1-gbs8-mbs4-subg1-prefetch0");
            Cli cli = draw(logs, "--groups=" + groups, "--bars=" + bars).quiet();
            assertEquals(Stream.of(".png", ".eps", ".csv").map(end -> plots.resolve(name + end).toString()).toList(),
                cli.out().lines().toList());
        }
    }

    @Nested class Figure {
        /** Draws a grid of runs whose times and rates differ from place to place. */
        Cli grid(int groups, int bars) throws IOException {
            for (int i = 0; i < groups; i++) {
                for (int j = 0; j < bars; j++) {
                    log("7B-dp" + (1 << i) + "-subg" + (100_000_000L << j), run(600 + 10 * j, 5000. / (i + 1) + 100 * j,
                        4000. / (i + 1) + 50 * j, 40 + 3 * i + j));
                }
            }
            return draw(logs, "--groups=dp").quiet();
        }

        @ParameterizedTest @CsvSource({"1, 1", "1, 2", "2, 1", "1, 8", "8, 1", "2, 2", "3, 4", "4, 3", "5, 5", "8, 4",
            "4, 8", "7, 7", "8, 8"})
        void nothingCollidesInAnyGrid(int groups, int bars) throws IOException {
            Plot plot = Plot.of(figure(grid(groups, bars)));
            int all = groups * bars;
            assertEquals(all, plot.stacks().size(), "bars");
            assertEquals(all, plot.numbers().size(), () -> "numbers above the bars: " + plot.numbers());
            assertEquals(groups, plot.brackets().size(), () -> "brackets: " + plot.brackets());
            plot.assertLabels(plot.stacks());
            plot.assertMargin();
            Picture.compare(plots, "7B-data-parallel");
        }

        /** Where labels are as long as they get. */
        @ParameterizedTest @CsvSource({"1, 1", "1, 3", "3, 3", "6, 3", "8, 3"})
        void nothingCollidesWithNamedBars(int groups, int bars) throws IOException {
            List<String> approaches = List.of("prefetch0", "prefetch0-flush_async1", "prefetch1-flush_async1");
            for (int i = 0; i < groups; i++) {
                for (int j = 0; j < bars; j++) {
                    log("13B-gbs" + (4 << i) + "-mbs4-dp1-" + approaches.get(j), run(600, 5000. * (i + 1) / (j + 1),
                        4000. / (j + 1), 40 + 3 * i + j));
                }
            }
            Plot plot = Plot.of(figure(draw(preset("gradient-accumulation"), logs).quiet()));
            assertEquals(groups * bars, plot.stacks().size(), "bars");
            assertEquals(groups, plot.brackets().size(), "brackets");
            plot.assertLabels(plot.stacks());
            plot.assertMargin();
            Picture.compare(plots, "13B-ga-approach");
        }

        @Test void barsAndDotsStandWhereTheyShould() throws IOException {
            Path real = real(RealLogs.DP);
            assertDrawn(realLogs(RealLogs.DP).stream().sorted(Comparator.comparing(this::place)).toList(),
                log -> iterations(log).get(2), figure(draw(preset("data-parallel"), real).quiet()));
        }

        long place(Path log) {
            return Long.parseLong(said(log, "dp")) * 100_000_000_000L + Long.parseLong(said(log, "subg"));
        }

        @Test void theySoDoWithApproaches() throws IOException {
            String folder = "act-output-20B-scale-twinflow";
            Path real = real(folder);
            List<String> order = new ArrayList<>();
            for (String ratio : List.of("1.0", "0.9", "0.8", "0.7", "0.6", "0.5")) {
                for (String approach : List.of(ZERO3, BACKWARD_ONLY, DEEP)) {
                    order.add(ratio + approach);
                }
            }
            List<Path> logs = realLogs(folder).stream()
                .sorted(Comparator.comparing(log -> order.indexOf(said(log, "ratio") + approach(log)))).toList();
            assertDrawn(logs, log -> mean(iterations(log)), figure(draw(preset("twinflow"), real).quiet()));
        }

        interface Reading {
            double[] of(Path log) throws IOException;
        }

        /** Asserts that the bars of these logs stand in this order, on each the dot of its TFLOPs; and round axes. */
        void assertDrawn(List<Path> logs, Reading reading, Picture picture) throws IOException {
            List<double[]> seconds = new ArrayList<>();
            List<Double> tflops = new ArrayList<>();
            for (Path log : logs) {
                double[] read = reading.of(log);
                seconds.add(heights(read[0] / 1000, read[1] / 1000, read[2] / 1000));
                tflops.add(read[4]);
            }
            Plot plot = Plot.of(picture);
            plot.assertRound(plot.leftTicks(), plot.assertStacks(seconds, PHASES));
            plot.assertRound(plot.rightTicks(), plot.assertDots(tflops));
        }

        @Test void aHoleStaysEmpty() throws IOException {
            List<Plot.Strip> full = Plot.of(figure(grid(3, 4))).stacks();
            Files.delete(logs.resolve("log-7B-dp2-subg200000000.log"));
            Cli cli = draw(logs, "--groups=dp").quiet();
            assertEquals(11, rows(cli).size());
            Plot plot = Plot.of(figure(cli));
            List<Plot.Strip> left = new ArrayList<>(full);
            Plot.Strip hole = left.remove(5);
            assertEquals(left, plot.stacks(), "places of the other bars");
            assertEquals(0, plot.count(Picture.RED, full.get(4).to() + 1, full.get(6).from() - 1),
                () -> "a line over the hole " + hole);
            assertTrue(plot.count(Picture.RED, full.get(6).to() + 1, full.get(7).from() - 1) > 10, "no line beside it");
            Picture.compare(plots, "7B-data-parallel");
        }

        @Test void aRunThatFailedIsMarkedInItsPlace() throws IOException {
            List<Plot.Strip> full = Plot.of(figure(grid(3, 4))).stacks();
            Path failed = log("7B-dp2-subg200000000", "killed\n");
            Cli cli = draw(logs, "--groups=dp");
            assertEquals("0 1", cli.status() + " " + cli.err().lines().count(), cli.err());
            assertTrue(cli.err().contains(failed.toString()) && cli.err().contains("failed"), cli.err());
            assertEquals(List.of("2,200000000,,,,,"), rows(cli).stream().filter(row -> row.startsWith("2,2")).toList());
            Plot plot = Plot.of(figure(cli));
            Plot.Strip place = full.get(5);
            List<Plot.Strip> left = new ArrayList<>(full);
            left.remove(place);
            assertEquals(left, plot.stacks(), "places of the other bars");
            assertTrue(plot.count(Picture.RED, place.from(), place.to()) > 100, "no red word in its place");
            assertEquals(0, plot.count(Picture.RED, full.get(4).to() + 1, place.from() - 1)
                + plot.count(Picture.RED, place.to() + 1, full.get(6).from() - 1), "a line over its place");
            Picture.compare(plots, "7B-data-parallel");
        }

        @Test void linesDoNotJoinGroupsOfNumbers() throws IOException {
            Plot plot = Plot.of(figure(grid(2, 3)));
            List<Plot.Strip> bars = plot.stacks();
            assertEquals(0, plot.count(Picture.RED, bars.get(2).to() + 1, bars.get(3).from() - 1));
            assertTrue(plot.count(Picture.RED, bars.get(1).to() + 1, bars.get(2).from() - 1) > 10);
        }

        @Test void linesJoinGroupsWhereBarsHaveNames() throws IOException {
            log("7B-dp1-prefetch0", run(1000, 2000, 3000, 40));
            log("7B-dp2-prefetch0", run(1000, 2000, 3000, 42));
            log("7B-dp1-prefetch1-flush_async1", run(100, 200, 300, 90));
            log("7B-dp2-prefetch1-flush_async1", run(100, 200, 300, 92));
            Plot plot = Plot.of(figure(draw(preset("data-scaling"), logs).quiet()));
            List<Plot.Strip> bars = plot.stacks();
            int between = (bars.get(1).to() + bars.get(2).from()) / 2;
            assertTrue(plot.count(Picture.RED, between - 20, between + 20) > 100, "two lines between the groups");
        }

        /** Were the axes as short as can be, the line of the one approach would pass through the other's numbers. */
        @Test void axesKeepLinesOffNumbers() throws IOException {
            for (int i = 0; i < 4; i++) {
                log("7B-dp" + (1 << i) + "-prefetch0", run(1000, 3000, 4000, 45));
                log("7B-dp" + (1 << i) + "-prefetch1-flush_async1", run(500, 500, 1000, 90));
            }
            Plot plot = Plot.of(figure(draw(preset("data-scaling"), logs).quiet()));
            List<Plot.Strip> numbers = plot.numbers();
            assertEquals(8, numbers.size(), () -> "numbers: " + numbers);
            assertEquals(0, numbers.stream().filter(plot::crossed).count(), "numbers through which a line passes");
        }

        @Test void dotsOfEachApproachHaveAShape() throws IOException {
            log("7B-dp1-prefetch0", run(1000, 2000, 3000, 40));
            log("7B-dp1-prefetch0-flush_async1", run(1000, 2000, 2000, 60));
            log("7B-dp1-prefetch1-flush_async1", run(1000, 2000, 1000, 80));
            Plot plot = Plot.of(figure(draw(preset("data-scaling"), logs).quiet()));
            double[] parts = plot.stacks().stream().mapToDouble(bar -> plot.filled(bar, Picture.RED)).toArray();
            double[] shapes = {Math.PI / 4, 1, .5};
            assertArrayEquals(shapes, parts, .15, "of its square a circle, a square, a diamond fills");
        }

        @Test void withoutTflopsThereAreTheBarsAloneAndOneNote() throws IOException {
            log("7B-dp1-subg1", Sample.timing(1000, 2000, 3000).repeat(3));
            log("7B-dp2-subg1", Sample.timing(1000, 1000, 1000).repeat(3));
            Cli cli = draw(logs, "--groups=dp");
            assertEquals("0 1", cli.status() + " " + cli.err().lines().count(), cli.err());
            assertTrue(cli.err().contains("TFLOPs") && cli.err().contains(logs.toString()), cli.err());
            Picture figure = figure(cli);
            assertEquals(0, figure.count(Picture.RED), "red pixels");
            Plot plot = Plot.of(figure);
            plot.assertRound(plot.leftTicks(),
                plot.assertStacks(List.of(heights(1, 2, 3), heights(1, 1, 1)), PHASES));
            assertEquals(2, plot.numbers().size());
            Picture.compare(plots, "7B-data-parallel");
        }

        @Test void withSomeTflopsTheLineSkipsTheOthers() throws IOException {
            grid(1, 4);
            log("7B-dp1-subg200000000", Sample.timing(1000, 2000, 3000).repeat(3));
            Plot plot = Plot.of(figure(draw(logs, "--groups=dp").quiet()));
            List<Plot.Strip> bars = plot.stacks();
            assertEquals(4, bars.size());
            assertEquals(0, plot.count(Picture.RED, bars.get(0).to() + 1, bars.get(2).from() - 1));
            assertTrue(plot.count(Picture.RED, bars.get(2).to() + 1, bars.get(3).from() - 1) > 10);
        }

        @Test void theSameInputGivesTheSameBytesEverywhere() throws IOException {
            grid(2, 2);
            Map<String, String> here = contents();
            for (String tag : List.of("de-DE", "ar-EG-u-nu-arab", "tr-TR")) {
                Locale locale = Locale.getDefault();
                try {
                    Locale.setDefault(Locale.forLanguageTag(tag));
                    draw(logs, "--groups=dp").quiet();
                } finally {
                    Locale.setDefault(locale);
                }
                assertEquals(here, contents(), tag);
            }
        }

        Map<String, String> contents() throws IOException {
            Map<String, String> files = Cli.snapshot(plots);
            files.replaceAll((name, content) -> content.substring(content.indexOf(' ') + 1));
            assertEquals(4, files.size(), () -> "a folder and three files: " + files.keySet());
            return files;
        }

        /** The numbers above the bars are as long as they are: none may reach the frame. */
        @ParameterizedTest @ValueSource(doubles = {0.9, 9.9, 10.1, 99.9, 100.1, 123.4, 499.9, 1234.5})
        void numbersStayInside(double seconds) throws IOException {
            log("7B-dp1-subg1", run(seconds * 200, seconds * 400, seconds * 400));
            log("7B-dp2-subg1", run(seconds * 200, seconds * 400, seconds * 390));
            Plot plot = Plot.of(figure(draw(logs, "--groups=dp").quiet()));
            assertEquals(2, plot.numbers().size());
            plot.assertMargin();
        }

        /** What names the groups and the bars may be long: a title of two long ones, folders as people call them. */
        @ParameterizedTest @CsvSource({"ga, opt_gaps", "opt_gaps, ga", "ratio, ga", "folder, ga", "ga, folder",
            "zeta, folder"})
        void longNamesFit(String groups, String bars) throws IOException {
            List<Path> inputs = new ArrayList<>();
            for (String group : List.of("0", "1")) {
                for (String bar : List.of("0", "1")) {
                    Map<String, String> which = Map.of(groups, group, bars, bar);
                    String folder = "act-output-%s3B-scale-gaps-scale-DP".formatted(which.getOrDefault("folder", "2"));
                    Object[] numbers = Stream.of("ga", "opt_gaps", "ratio", "zeta")
                        .map(key -> which.getOrDefault(key, "2")).toArray();
                    String name = "log-7B-mbs1-dp1-gbs1%s-opt_gaps%s-ratio0.%s-zeta1%s000000000.log".formatted(numbers);
                    inputs.add(Sample.write(tmp.resolve(folder), name, run(2e5, 3e5, 1.5e6)));
                }
            }
            Plot plot = Plot.of(figure(draw(inputs, "--groups=" + groups, "--bars=" + bars).quiet()));
            assertEquals(4, plot.stacks().size());
            plot.assertLabels(plot.stacks());
            plot.assertMargin();
        }

        @ParameterizedTest @CsvSource({"0.001, 0.001, 0.001, 0.01", "199999999, 199999999, 99999999, 99999",
            "0, 0, 0, 0", "1000000, 0.01, 5, 0.5", "99.9, 0, 0, 1000"})
        void extremesAreDrawn(double fwd, double bwd, double step, double tflops) throws IOException {
            log("7B-dp1-subg1", run(fwd, bwd, step, tflops));
            log("7B-dp2-subg1", run(fwd / 2, bwd / 3, step / 4, tflops / 2));
            Plot.of(figure(draw(logs, "--groups=dp").quiet())).assertMargin();
            Picture.compare(plots, "7B-data-parallel");
        }
    }

    @Nested class Faults {
        @Test void runsThatAllFailed() throws IOException {
            log("7B-dp1-subg1", "");
            log("7B-dp2-subg1", Sample.timing(1, 2, 3).repeat(2) + "exits with return code = 1\n");
            draw(logs, "--groups=dp").failed(1, logs, "--iteration");
            assertFalse(Files.exists(plots));
            assertEquals(0, draw(logs, "--groups=dp", "--iteration=2").status());
        }

        @Test void ratesThatAreNoNumbers() throws IOException {
            for (String bad : List.of("nan", "-1", "inf", "***", "1e999")) {
                Path log = log("7B-dp1-subg1", (Sample.timing(1, 2, 3) + iteration("1000", bad)).repeat(3));
                draw(logs, "--groups=dp").failed(1, log);
                log("7B-dp1-subg1", (Sample.timing(1, 2, 3) + iteration(bad, "1")).repeat(3));
                draw(logs, "--groups=dp").failed(1, log);
            }
        }

        @Test void anOldFigureStays() throws IOException {
            log("7B-dp1-subg1", run(1, 2, 3));
            draw(logs, "--groups=dp").quiet();
            Map<String, String> before = Cli.snapshot(plots);
            log("7B-dp1-subg1-vast", run(1, 2, 3));
            assertEquals(1, draw(logs, "--groups=dp").status());
            assertEquals(before, Cli.snapshot(plots));
        }

        @Test void nothingNamed() {
            draw().failed(2, "DIR");
        }

        @Test void inputsAreOnlyRead() throws IOException {
            log("7B-dp1-subg1", run(1, 2, 3));
            log("7B-dp2-subg1", "");
            Map<String, String> before = Cli.snapshot(logs);
            draw(logs, "--groups=dp");
            assertEquals(before, Cli.snapshot(logs));
        }
    }

    /** How much it takes is measured elsewhere; here, that a folder of many logs needs little memory. */
    @Test void aFolderOfManyLogsIsRead() throws IOException {
        for (int i = 0; i < 2000; i++) {
            log("7B-dp" + i / 50 + "-subg" + (i % 50 + 1) + "000000", run(i, 2 * i, 3 * i));
        }
        Cli cli = Cli.start(tmp, Cli.java(List.of("-Xmx100m"), "Breakdown", logs, "--groups=dp", "--csv")).quiet();
        List<String> rows = rows(cli);
        assertEquals(2000, rows.size());
        SubgroupRuns.assertRows(List.of("39,49000000,1998,3996,5994,23976,50"), rows.subList(1998, 1999));
        Picture.check(plots, "7B-data-parallel");
    }

    @ParameterizedTest @CsvSource({"breakdown, 7B-data-parallel, act-output-7B-scale-DP",
        "breakdown, 7B-tensor-parallel, act-output-7B-scale-TP",
        "data-parallel, 7B-data-parallel, act-output-7B-scale-DP",
        "tensor-parallel, 7B-tensor-parallel, act-output-7B-scale-TP",
        "gradient-accumulation, 7B-ga-approach, act-output-7B-scale-GA",
        "data-scaling, 13B-data-parallel-approach, act-output-13B-scale-DP",
        "twinflow, 20B-ratio-approach, act-output-20B-scale-twinflow",
        "models, 7B+13B+20B-model-approach, act-output-7B-scale-models act-output-13B-scale-models "
            + "act-output-20B-scale-models"})
    void aliasesDrawThePublishedFigures(String alias, String name, String samples) throws IOException {
        assertPublished(alias, name, samples.split(" "));
    }
}

/** What tests of the grouped figures share: they write logs, run a script in this JVM, look at its CSV and figure. */
abstract class GroupedRuns {
    /** The raw values of approach. */
    static final String ZERO3 = "zero3", BACKWARD_ONLY = "backward-only", DEEP = "deep-optimizer-states";

    @TempDir Path tmp;
    Path logs, plots;

    @BeforeEach void folders() throws IOException {
        logs = Files.createDirectories(tmp.resolve("act-output"));
        plots = tmp.resolve("plots");
    }

    /** Runs the script under test. */
    abstract int execute(String... args);

    /** The first line of its CSV. */
    abstract String header();

    Path log(String tokens, String text) throws IOException {
        return Sample.write(logs, "log-" + tokens + ".log", text);
    }

    /** An iteration line as in the study's logs. */
    static String iteration(Object elapsedMs, Object tflops) {
        return (" elapsed_time 7.595363 | consumed samples:           12 | elapsed time per iteration (ms): %s | "
            + "learning rate: 1.650E-04 | global batch size:     4 | lm loss: 2.415E+00 | actual seqlen:  2048 | "
            + "samples per second: 0.527 | TFLOPs: %s |\n").formatted(elapsedMs, tflops);
    }

    /** Three iterations that are the same, with TFLOPs or 50; the elapsed time is twice that of the phases. */
    static String run(double fwd, double bwd, double step, double... tflops) {
        double rate = tflops.length == 0 ? 50 : tflops[0];
        String timing = Sample.timing(plain(fwd), plain(bwd), plain(step));
        return (timing + iteration(plain(2 * (fwd + bwd + step)), plain(rate))).repeat(3);
    }

    private static String plain(double number) {
        return String.format(Locale.ROOT, "%.3f", number);
    }

    /** What a stack of a figure is made of, or other numbers that belong together. */
    static double[] heights(double... numbers) {
        return numbers;
    }

    /** Runs the script with --csv; a list among the arguments stands for its elements. */
    Cli draw(Object... args) {
        String[] all = Stream.concat(Stream.of(args).flatMap(arg -> arg instanceof List<?> list ? list.stream()
            : Stream.of(arg)), Stream.of("--csv", "--plots=" + plots)).map(Object::toString).toArray(String[]::new);
        return Cli.run(() -> execute(all));
    }

    /** What an alias of the catalog gives its script besides the user's arguments. */
    static List<String> preset(String alias) throws IOException {
        JsonObject found = HouseTest.aliases().getAsJsonObject(alias);
        JsonArray arguments = found.has("arguments") ? found.getAsJsonArray("arguments") : new JsonArray();
        return arguments.asList().stream().map(JsonElement::getAsString).toList();
    }

    /** The rows of the CSV whose path a run printed, below its header. */
    List<String> rows(Cli cli) throws IOException {
        List<String> lines = Files.readAllLines(tmp.resolve(plots.resolveSibling(path(cli, ".csv"))));
        assertEquals(header(), lines.get(0));
        return lines.subList(1, lines.size());
    }

    /** The name of the figure that a run drew. */
    static String name(Cli cli) {
        return Path.of(path(cli, ".png")).getFileName().toString().replaceAll("\\.png$", "");
    }

    private static String path(Cli cli, String end) {
        return cli.out().lines().filter(line -> line.endsWith(end)).findFirst()
            .orElseThrow(() -> new AssertionError("no path of a " + end + " on stdout: " + cli));
    }

    Picture figure(Cli cli) throws IOException {
        Picture.check(plots, name(cli));
        return Picture.of(plots.resolve(name(cli) + ".png"));
    }

    /** Group and bar of each row. */
    static List<String> places(List<String> rows) {
        return rows.stream().map(row -> row.split(",")[0] + "," + row.split(",")[1]).toList();
    }

    /** Asserts that for each of these keys, which are the first cells, there is one row, which has these numbers. */
    static void assertNumbers(Map<String, double[]> expected, List<String> rows, int keys) {
        Map<String, double[]> found = new TreeMap<>();
        for (String row : rows) {
            List<String> cells = List.of(row.split(","));
            found.put(String.join(",", cells.subList(0, keys)),
                cells.stream().skip(keys).mapToDouble(Double::parseDouble).toArray());
        }
        assertEquals(new TreeMap<>(expected).keySet(), found.keySet());
        expected.forEach((key, numbers) -> {
            for (int i = 0; i < numbers.length; i++) {
                assertEquals(numbers[i], found.get(key)[i], 1e-9 * Math.abs(numbers[i]), key + ", number " + (i + 1));
            }
            assertEquals(numbers.length, found.get(key).length, key);
        });
    }

    /** What a message says to add to the command. */
    static String advice(Cli cli) {
        Matcher where = Pattern.compile("--where=[^\\s,;]+").matcher(cli.err());
        assertTrue(where.find(), cli.err());
        return where.group();
    }

    /** A folder of the study; skips the test where it is not. */
    static Path real(String folder) {
        Path real = Cli.SHARED.resolve("results").resolve(folder);
        assumeTrue(Files.isDirectory(real), "the real logs are not here: " + real);
        return real;
    }

    static List<Path> realLogs(String folder) throws IOException {
        try (Stream<Path> files = Files.list(real(folder))) {
            return files.filter(file -> file.toString().endsWith(".log")).sorted().toList();
        }
    }

    /** The value of a key in a log's name. */
    static String said(Path log, String key) {
        Matcher value = Pattern.compile("-" + key + "([0-9.]+?)(-|\\.log$)").matcher(log.getFileName().toString());
        assertTrue(value.find(), () -> key + " is not in " + log);
        return value.group(1);
    }

    static String approach(Path log) {
        String name = log.getFileName().toString();
        return name.contains("-prefetch1-flush_async1-") ? DEEP
            : name.contains("-prefetch0-flush_async1-") ? BACKWARD_ONLY : ZERO3;
    }

    /** A plain reading of a real log: forward, backward, update, elapsed time in ms and TFLOPs of each iteration. */
    static List<double[]> iterations(Path log) throws IOException {
        Matcher iteration = Pattern.compile("\\(ms\\) \\| fwd: ([0-9.]+) \\| bwd: ([0-9.]+) [^\\n]*\\| step: "
            + "([0-9.]+)\\n(?s:.*?)\\n[^\\n]*elapsed time per iteration \\(ms\\): ([0-9.]+) [^\\n]* TFLOPs: ([0-9.]+)")
            .matcher(Files.readString(log, StandardCharsets.ISO_8859_1));
        return iteration.results().map(GroupedRuns::numbers).toList();
    }

    private static double[] numbers(MatchResult match) {
        return IntStream.rangeClosed(1, match.groupCount()).mapToDouble(i -> Double.parseDouble(match.group(i)))
            .toArray();
    }

    /** The mean of all but the first. */
    static double[] mean(List<double[]> iterations) {
        return IntStream.range(0, 5).mapToDouble(i -> iterations.stream().skip(1).mapToDouble(row -> row[i]).sum()
            / (iterations.size() - 1)).toArray();
    }

    /** Asserts that an alias makes of samples in data/ the very files that are in plots/. */
    void assertPublished(String alias, String name, String... samples) throws IOException {
        List<String> inputs = Stream.of(samples).map(sample -> "data/" + sample).toList();
        Cli cli = Cli.start(Cli.ROOT, "./jbang", alias, inputs, "--plots=" + plots);
        assertEquals(0, cli.status(), cli.err());
        assertEquals(plots.resolve(name + ".png") + "\n" + plots.resolve(name + ".eps") + "\n", cli.out());
        for (String end : List.of(".png", ".eps")) {
            Path published = Cli.ROOT.resolve("plots").resolve(name + end);
            assertTrue(Files.exists(published), () -> published + " is missing");
            assertEquals(-1, Files.mismatch(published, plots.resolve(name + end)), () -> published + " is not what "
                + alias + " draws, first byte that differs");
        }
    }
}

/** The frame of a figure's plot, by the middles of its four lines, and what one can measure in and below it. */
record Plot(Picture figure, int left, int top, int right, int bottom) {
    /** A piece of a row in one colour, or of what lies below each other in several rows; both ends inclusive. */
    record Strip(int from, int to, int color) {
        int length() {
            return to - from + 1;
        }
    }

    static final int DARK = 0x000000, LINE = 4;

    static Plot of(Picture figure) {
        int[] rows = IntStream.range(0, 900).map(y -> longest(strips(0, 1499, x -> ink(figure.at(x, y))))).toArray();
        int[] columns = IntStream.range(0, 1500).map(x -> longest(strips(0, 899, y -> ink(figure.at(x, y))))).toArray();
        int[] x = ends(columns), y = ends(rows);
        return new Plot(figure, x[0], y[0], x[1], y[1]);
    }

    private static int longest(List<Strip> strips) {
        return strips.stream().mapToInt(Strip::length).max().orElse(0);
    }

    /** The middles of the first and the last line, which are where the longest stretches of ink are. */
    private static int[] ends(int[] longest) {
        int most = IntStream.of(longest).max().orElseThrow();
        int[] at = IntStream.range(0, longest.length).filter(i -> longest[i] > most - 6).toArray();
        int first = at[0], last = at[at.length - 1];
        assertTrue(most > 400 && last - first > 400, "the figure has no frame, or something cuts through it");
        int firstEnd = IntStream.of(at).filter(i -> i < first + LINE).max().orElseThrow();
        int lastStart = IntStream.of(at).filter(i -> i > last - LINE).min().orElseThrow();
        return new int[] {(first + firstEnd) / 2, (lastStart + last) / 2};
    }

    interface Colors {
        int at(int place);
    }

    static boolean dark(int color) {
        return (color >> 16) < 0x60 && (color >> 8 & 0xFF) < 0x60 && (color & 0xFF) < 0x60;
    }

    private static int ink(int color) {
        return dark(color) ? DARK : Picture.WHITE;
    }

    /** The stretches of one colour other than white. */
    static List<Strip> strips(int from, int to, Colors colors) {
        List<Strip> strips = new ArrayList<>();
        for (int at = from, start = from; at <= to; at++) {
            if (at == to || colors.at(at + 1) != colors.at(start)) {
                if (colors.at(start) != Picture.WHITE) {
                    strips.add(new Strip(start, at, colors.at(start)));
                }
                start = at + 1;
            }
        }
        return strips;
    }

    /** The bars from left to right where they stand on the axis; edges, which are narrow, left out. */
    List<Strip> stacks() {
        return strips(left + LINE, right - LINE, x -> figure.at(x, bottom - LINE)).stream()
            .filter(strip -> strip.length() > 5).toList();
    }

    int count(int color, int fromX, int toX) {
        int found = 0;
        for (int x = fromX; x <= toX; x++) {
            for (int y = top + LINE; y <= bottom - LINE; y++) {
                found += figure.at(x, y) == color ? 1 : 0;
            }
        }
        return found;
    }

    /** The part that what is of a colour within a bar or above it fills of the rectangle around it. */
    double filled(Strip bar, int color) {
        int[] rows = IntStream.range(top + LINE, bottom - LINE).filter(y -> IntStream.range(bar.from, bar.to)
            .anyMatch(x -> figure.at(x, y) == color)).toArray();
        int[] columns = IntStream.range(bar.from, bar.to).filter(x -> count(color, x, x) > 0).toArray();
        assertTrue(rows.length > 0, () -> "nothing of that colour at " + bar);
        return count(color, bar.from, bar.to) / (1. + rows[rows.length - 1] - rows[0])
            / (1. + columns[columns.length - 1] - columns[0]);
    }

    /** How high above the axis a colour reaches anywhere within a bar; a line may hide parts of it. */
    int height(Strip bar, int color) {
        for (int y = top + LINE; y <= bottom - LINE; y++) {
            for (int x = bar.from + 1; x < bar.to; x++) {
                if (figure.at(x, y) == color) {
                    return bottom - y;
                }
            }
        }
        return 0;
    }

    /** Asserts that the bars from left to right are these stacks, all on one scale; returns pixels per unit. */
    double assertStacks(List<double[]> expected, int... colors) {
        List<Strip> bars = stacks();
        assertEquals(expected.size(), bars.size(), "bars");
        List<Integer> heights = new ArrayList<>();
        List<Double> sums = new ArrayList<>();
        for (int i = 0; i < bars.size(); i++) {
            double sum = 0;
            for (int phase = 0; phase < colors.length; phase++) {
                sum += expected.get(i)[phase];
                sums.add(sum);
                heights.add(height(bars.get(i), colors[phase]));
            }
        }
        return assertProportional(heights, sums, "ends of the phases of the bars");
    }

    /** Asserts that the dots over the bars are as high as these numbers, all on one scale; returns pixels per unit. */
    double assertDots(List<Double> expected) {
        List<Integer> heights = new ArrayList<>();
        for (Strip bar : stacks()) {
            int x = (bar.from + bar.to) / 2;
            List<Strip> dots = strips(top, bottom, y -> figure.at(x, y)).stream()
                .filter(strip -> strip.color == Picture.RED && strip.length() > 14).toList();
            assertEquals(1, dots.size(), () -> "dots at the middle of bar " + bar);
            heights.add(bottom - (dots.get(0).from + dots.get(0).to) / 2);
        }
        return assertProportional(heights, expected, "dots");
    }

    /** Renderings blur the end of a bar, and lines are a few pixels thick. */
    static double assertProportional(List<Integer> pixels, List<Double> expected, String what) {
        double scale = pixels.stream().mapToInt(p -> p).sum() / expected.stream().mapToDouble(e -> e).sum();
        List<Long> scaled = expected.stream().map(e -> Math.round(e * scale)).toList();
        assertEquals(pixels.size(), scaled.size(), what);
        for (int i = 0; i < pixels.size(); i++) {
            assertEquals(scaled.get(i), pixels.get(i), 4, what + ": " + pixels + ", expected on one scale " + scaled);
        }
        return scale;
    }

    List<Strip> leftTicks() {
        return strips(top - 10, bottom + 10, y -> ink(figure.at(left - 9, y)));
    }

    List<Strip> rightTicks() {
        return strips(top - 10, bottom + 10, y -> figure.at(right + 9, y) != Picture.WHITE ? DARK : Picture.WHITE);
    }

    /** Asserts that the ticks are evenly spaced from the axis to the upper end, by 1, 2 or 5 times a power of ten. */
    void assertRound(List<Strip> ticks, double pixelsPerUnit) {
        assertTrue(ticks.size() >= 3 && ticks.size() <= 12, () -> "ticks: " + ticks);
        double[] middles = ticks.stream().mapToDouble(tick -> (tick.from + tick.to) / 2.).toArray();
        double spacing = (middles[middles.length - 1] - middles[0]) / (middles.length - 1);
        assertEquals(top, middles[0], 2, "the uppermost tick");
        assertEquals(bottom, middles[middles.length - 1], 2, "the lowest tick");
        for (int i = 1; i < middles.length; i++) {
            assertEquals(spacing, middles[i] - middles[i - 1], 2, "between ticks " + Arrays.toString(middles));
        }
        double step = spacing / pixelsPerUnit;
        double mantissa = step / Math.pow(10, Math.floor(Math.log10(step * 1.02)));
        assertTrue(DoubleStream.of(1, 2, 5).anyMatch(round -> Math.abs(mantissa / round - 1) < .015),
            () -> "between two ticks lie " + step + " units");
    }

    /** Ink that lies below each other within some rows, from left to right; gaps of a few pixels do not part it. */
    private List<Strip> ink(int fromX, int toX, int fromY, int toY, int gap) {
        boolean[] inked = new boolean[1500];
        for (int x = fromX; x <= toX; x++) {
            int column = x;
            inked[x] = IntStream.rangeClosed(fromY, toY).anyMatch(y -> dark(figure.at(column, y)));
        }
        List<Strip> pieces = new ArrayList<>();
        for (Strip strip : strips(fromX, toX, x -> inked[x] ? DARK : Picture.WHITE)) {
            boolean near = !pieces.isEmpty() && strip.from - pieces.get(pieces.size() - 1).to <= gap;
            Strip last = near ? pieces.remove(pieces.size() - 1) : strip;
            pieces.add(new Strip(last.from, strip.to, DARK));
        }
        return pieces;
    }

    /** The numbers over the bars: upright, so that in each the ink of all digits lies below each other. */
    List<Strip> numbers() {
        return ink(left + LINE, right - LINE, top + LINE, bottom - LINE, 0);
    }

    /** Whether a red line comes close to a number from both sides, at the height of its ink. */
    boolean crossed(Strip number) {
        return IntStream.range(top + LINE, bottom - LINE).filter(y -> IntStream.rangeClosed(number.from, number.to)
            .anyMatch(x -> dark(figure.at(x, y)))).anyMatch(y -> near(number.from - 12, y) && near(number.to + 1, y));
    }

    /** Whether there is red in a few columns of some rows, across which a line may have risen or fallen. */
    private boolean near(int fromX, int middle) {
        return IntStream.range(fromX, fromX + 12).anyMatch(x -> IntStream.range(middle - 12, middle + 12)
            .anyMatch(y -> figure.at(x, y) == Picture.RED));
    }

    /** The lines under the groups. */
    List<Strip> brackets() {
        int y = bracketRow();
        return strips(0, 1499, x -> ink(figure.at(x, y)));
    }

    private int bracketRow() {
        int[] longest = IntStream.range(0, 900)
            .map(y -> y < bottom + 20 ? 0 : longest(strips(0, 1499, x -> ink(figure.at(x, y))))).toArray();
        int most = IntStream.of(longest).max().orElseThrow();
        return IntStream.range(0, 900).filter(y -> longest[y] == most).findFirst().orElseThrow();
    }

    /** Asserts that there is a label below each of these places and each bracket, and that no two meet. */
    void assertLabels(List<Strip> places) {
        int bracket = bracketRow();
        assertApart(places, bottom + 8, bracket - 5, "bar");
        assertApart(brackets(), bracket + 5, bracket + 60, "group");
    }

    /** Between labels that lie there is more room than between letters; between those that stand, there is any. */
    private void assertApart(List<Strip> places, int fromY, int toY, String what) {
        List<Strip> ink = ink(0, 1499, fromY, toY, 0);
        int[] rows = IntStream.rangeClosed(fromY, toY)
            .filter(y -> IntStream.range(0, 1500).anyMatch(x -> dark(figure.at(x, y)))).toArray();
        boolean lie = rows.length > 0 && rows[rows.length - 1] - rows[0] < 40;
        for (int i = 0; i < places.size(); i++) {
            Strip place = places.get(i), next = i + 1 < places.size() ? places.get(i + 1) : null;
            assertTrue(ink.stream().anyMatch(piece -> piece.to >= place.from && piece.from <= place.to),
                () -> "no label below the " + what + " " + place);
            if (next == null) {
                return;
            }
            int end = (place.to + next.from) / 2;
            IntStream between = lie ? IntStream.rangeClosed(end - 3, end + 3)
                : IntStream.rangeClosed((place.from + place.to) / 2, (next.from + next.to) / 2);
            long blank = between.filter(x -> ink.stream().noneMatch(piece -> piece.from <= x && x <= piece.to)).count();
            assertTrue(blank >= (lie ? 7 : 1), () -> "labels of " + what + "s meet at " + end + ", beside " + place);
        }
    }

    /** Asserts that nothing is cut off at an edge of the picture. */
    void assertMargin() {
        IntStream rows = IntStream.range(0, 1500).flatMap(x -> IntStream.of(figure.at(x, 0), figure.at(x, 899)));
        IntStream columns = IntStream.range(0, 900).flatMap(y -> IntStream.of(figure.at(0, y), figure.at(1499, y)));
        boolean white = IntStream.concat(rows, columns).allMatch(color -> color == Picture.WHITE);
        assertTrue(white, "cut off at an edge");
    }
}
