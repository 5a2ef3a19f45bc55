import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How logs are read and chosen: the block that all scripts that read logs repeat, tested through subgroup.java. */
class LogsTest extends SubgroupRuns {
    @Nested class Names {
        Map<String, String> keys(String name) {
            return Subgroup.Run.of(Path.of("some", "act-output-8.3B", name)).keys();
        }

        @Test void aRealNameIsReadAsKeysAndValues() {
            Map<String, String> keys = keys("log-13B-tp1-dp4-l40-h5120-a40-sl2048-gbs16-mbs4-ratio1-"
                + "subg100000000-prefetch1-flush_async1-opt_gaps5.log");
            String said = "model=13B tp=1 dp=4 l=40 h=5120 a=40 sl=2048 gbs=16 mbs=4 ratio=1 subg=100000000 prefetch=1 "
                + "flush_async=1 opt_gaps=5";
            for (String pair : said.split(" ")) {
                String key = pair.split("=")[0];
                assertEquals(pair, key + "=" + keys.get(key));
            }
        }

        @Test void keysComeInAnyOrderAndKeepIt() {
            List<String> keys = new ArrayList<>(keys("log-7B-subg5-zeta9-tp2-alpha3.log").keySet());
            assertEquals(List.of("model", "subg", "zeta", "tp", "alpha"), keys.subList(0, 5));
        }

        @Test void valuesMayHaveDecimals() {
            Map<String, String> keys = keys("log-8.3B-ratio0.65-subg1-newkey1.5.log");
            assertEquals(List.of("8.3B", "0.65", "1", "1.5"),
                Stream.of("model", "ratio", "subg", "newkey").map(keys::get).toList());
        }

        @Test void aTokenWithoutAValueIsAFlag() {
            Map<String, String> keys = keys("log-7B-tp1-subg1-tmp-vast.log");
            assertEquals(List.of("", "", "1"), Stream.of("tmp", "vast", "subg").map(keys::get).toList());
            assertFalse(keys.containsKey("prefetch"));
        }

        @ParameterizedTest @CsvSource({"gbs16-mbs4-dp1, 4", "gbs16-mbs4-dp4, 1", "gbs64-mbs4-dp2, 8",
            "gbs4-dp1-mbs4, 1", "gbs16-mbs4,", "gbs4-mbs0-dp1,", "gbs4-mbsX-dp1,"})
        void accumulationIsDerived(String tokens, String ga) {
            assertEquals(ga, keys("log-7B-" + tokens + ".log").get("ga"));
        }

        @Test void theApproachIsDerivedFromBothSwitches() {
            List<String> four = Stream.of("prefetch0", "prefetch0-flush_async0", "prefetch0-flush_async1",
                "prefetch1-flush_async1").map(tokens -> keys("log-7B-" + tokens + ".log").get("approach")).toList();
            assertEquals(four.get(0), four.get(1), "flush_async is off where it is not named");
            assertEquals(3, four.stream().distinct().count(), () -> "three approaches: " + four);
        }

        @Test void theFolderIsAKey() {
            assertEquals("act-output-8.3B", keys("log-7B-subg1.log").get("folder"));
        }

        @ParameterizedTest @CsvSource({"10000000, 10M", "50000000, 50M", "500000000, 500M", "1000000000, 1B",
            "3000000000, 3B", "1500000000, 1.5B", "1e9, 1B", "100M, 100M", "1000M, 1B", "2000000000000, 2T", "500, 500",
            "1000, 1K", "1, 1", "0, 0", "0.65, 0.65", "huge, huge"})
        void sizesAreSaidAsPeopleSayThem(String value, String said) {
            assertEquals(said, Subgroup.Run.size(value));
        }

        @Test void aFileThatIsNoLogIsPassedOver() throws IOException {
            log(100, Sample.run(1, 2, 3));
            for (String other : List.of("notes.txt", "hostfile", "ds_config.json", "log-7B-subg1-monitor.csv",
                "log.log", "log-7B-subg7.log.bak", "my-log-7B-subg7.log", "log-7B-subg8.logx")) {
                Sample.write(logs, other, Sample.run(7, 7, 7));
            }
            assertEquals(List.of("100"), sizes(logs));
        }

        @Test void aLogWithoutTheKeyIsNamedAndLeftOut() throws IOException {
            log(100, Sample.run(1, 2, 3));
            Sample.write(logs, "log-7B-tp1-dp1.log", Sample.run(7, 7, 7));
            Cli cli = run(logs);
            assertEquals(0, cli.status());
            assertTrue(cli.err().matches("[^\\n]*log-7B-tp1-dp1\\.log[^\\n]*subg[^\\n]*\\n"), cli.err());
            assertEquals(1, rows().size());
        }

        @Test void theFigureIsNamedAfterTheModel() throws IOException {
            Sample.write(logs, "log-8.3B-subg100.log", Sample.run(1, 2, 3));
            Cli cli = run(logs).quiet();
            List<Path> paths = Stream.of("png", "eps", "csv").map(end -> plots.resolve("8.3B-subgroup." + end))
                .toList();
            assertEquals(paths, cli.out().lines().map(Path::of).toList());
        }
    }

    /** Each test writes a log and says which iteration is read from it. */
    @Nested class Lines {
        /** Asserts that the first timing line of the text has these numbers, and that nothing is said about it. */
        void reads(String numbers, String text) throws IOException {
            reads(numbers, 1, text);
        }

        void reads(String numbers, int iteration, String text) throws IOException {
            log(1, text);
            run(logs, "--iteration=" + iteration).quiet();
            assertRows(List.of("1," + numbers), rows());
        }

        /** Asserts that the text holds no timing line at all, wherever it stands among others. */
        void ignores(String text) throws IOException {
            String first = Sample.timing(11, 12, 13), second = Sample.timing(21, 22, 23);
            reads("11,12,13", 1, text + first + text + second + text);
            reads("21,22,23", 2, text + first + text + second + text);
            log(1, text);
            assertEquals(1, run(logs, "--iteration=1").status());
        }

        @Test void version03() throws IOException {
            reads("435.67,1204.55,88.12", """
                rank=0 time (ms) | forward: 435.67 | backward: 1204.55 | backward_inner: 1100.2 | \
                backward_allreduce: 104.1 | step: 88.12
                """);
        }

        @Test void version0312() throws IOException {
            reads("27.41,73.44,72.82", """
                [2023-06-21 07:39:09,443] [INFO] [logging.py:96:log_dist] [Rank 0] rank=0 time (ms) | forward: 27.41 | \
                backward: 73.44 | backward_inner: 50.99 | backward_allreduce: 22.40 | step: 72.82
                """);
        }

        @Test void version0101() throws IOException {
            reads("356.44,8631.20,7984.00", """
                [2024-03-29 23:29:03,031] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | optimizer_step: 7894.29
                [2024-03-29 23:29:03,031] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | fwd_microstep: 356.47 | \
                bwd_microstep: 8631.21 | bwd_inner_microstep: 8464.61 | bwd_allreduce_microstep: 166.36 | \
                step_microstep: 7984.01
                [2024-03-29 23:29:03,031] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | fwd: 356.44 | \
                bwd: 8631.20 | bwd_inner: 8464.62 | bwd_allreduce: 166.36 | step: 7984.00
                """);
        }

        @Test void version018PrintsNoStamp() throws IOException {
            reads("356.44,8631.20,7984.00", """
                [Rank 0] time (ms) | fwd_microstep: 1 | bwd_microstep: 2 | bwd_inner_microstep: 3 | step_microstep: 4
                [Rank 0] time (ms) | fwd: 356.44 | bwd: 8631.20 | bwd_inner: 8464.62 | bwd_allreduce: 166.36 | \
                step: 7984.00
                """);
        }

        @Test void microstepsOfVersion01AreNotTakenForIterations() throws IOException {
            ignores("""
                time (ms) | forward_microstep: 193.65 | backward_microstep: 329.25 | \
                backward_inner_microstep: 329.14 | backward_allreduce_microstep: 0.05 | step_microstep: 0.92
                """);
        }

        @ParameterizedTest @ValueSource(strings = {
            "fwd_microstep: 356.47 | bwd_microstep: 8631.21 | bwd_inner_microstep: 8464.61 | step_microstep: 7984.00",
            "optimizer_step: 7894.29",
            "init_optimizer_state: 15620.48",
            "optimizer_step: 183957.88 | optimizer_swap_out_state: 167872.95 | optimizer_swap_in_state: 9883.42",
            "swap_out_state: 12.5 | swap_in_state: 8.5",
            "optimizer_allgather: 7.96 | optimizer_gradients: 0.02 | optimizer_step: 60.64",
            "compute_norm: 1.1 | overflow_check: 2.2 | unscale_and_clip: 3.3 | basic_step: 4.4 | update_fp16: 5.5",
            "fwd: 12.34 (fwd_moe: 3.21, 1st_a2a: 0.5, 2nd_a2a: 0.6, top_k: 0.1)",
            "forward: 12.34 (forward_moe: 3.21, 1st alltoall: 0.5, 2nd alltoall: 0.6, top-k: 0.1)",
            "fwd: 3.21",
            "backward: 3.21",
            "batch_input: 1.00 | fwd_microstep: 2.00 | bwd_microstep: 3.00 | step_microstep: 4.00",
            "pipe_send_output: 1.0 | pipe_send_grad: 2.0 | pipe_recv_input: 3.0 | pipe_recv_grad: 4.0",
            "forward-compute: 2095.72 | backward-compute: 6152.69 | optimizer: 88.1 | batch-generator: 2.5",
            "fwd: 1.00 | bwd: 2.00 | optimizer_step: 3.00",
            "fwd: 1.00 | bwd_inner: 2.00 | bwd_allreduce: 2.00 | step: 3.00",
            "fwd_moe: 1.00 | bwd: 2.00 | step: 3.00",
            "bwd: 2.00 | step: 3.00",
            "fwd: 1.00 | step: 3.00",
            "fwd: 1.00 | bwd: 2.00"})
        void otherTimersAreNotTakenForIterations(String timers) throws IOException {
            ignores("[2024-03-29 23:29:03,031] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | " + timers + "\n");
        }

        @Test void megatronTimersAreNotTakenForIterations() throws IOException {
            ignores("""
                (min, max) time across ranks (ms):
                    forward-backward ...............................: (1.23, 4.56)
                    forward: (1.23, 4.56)
                    backward: (1.23, 4.56)
                    step: (1.23, 4.56)
                max time across ranks (ms):
                    optimizer ......................................: 78.90
                times across ranks (ms):
                     rank  0: 1.23
                """);
        }

        @Test void wordsOutsideOfATimingLineAreNotTimes() throws IOException {
            ignores("""
                step=3, skipped=0, lr=[0.0001], mom=[(0.9, 0.95)]
                epoch=0/micro_step=3/global_step=3, RunningAvgSamplesPerSec=0.5, fwd: 1 | bwd: 2 | step: 3
                steps: 10 loss: 9.1234 iter time (s): 0.512 samples/sec: 31.250
                 elapsed_time 17.4 | elapsed time per iteration (ms): 17415.9 | fwd: 1 | bwd: 2 | step: 3 | \
                TFLOPs: 12.81 |
                """);
        }

        @Test void otherKeysAndAnyOrderAreFine() throws IOException {
            reads("1.5,2.5,3.5",
                "time (ms) | step: 3.5 | new: 9 | bwd_inner: 8 | bwd: 2.5 | other_step: 7 | fwd: 1.5\n");
        }

        @Test void wholeNumbersAndWideSpacesAreFine() throws IOException {
            reads("640,2513,4112", "time (ms) | fwd:   640 | bwd: 2513 | step:4112\n");
        }

        @Test void accumulationPrintsOneLineAnIteration() throws IOException {
            String micro = "[Rank 0] time (ms) | fwd_microstep: 1063 | bwd_microstep: 2 | step_microstep: 3\n";
            reads("4254.60,9,8", 2, micro.repeat(4) + Sample.iteration(1, 2, 3) + micro.repeat(4)
                + Sample.iteration("4254.60", 9, 8) + micro.repeat(4) + Sample.iteration(7, 7, 7));
        }

        @Test void pdshPrefixesMayDiffer() throws IOException {
            String text = Sample.iteration(1, 2, 3) + Sample.iteration("640.92", "2513.51", "4112.11")
                + Sample.iteration(7, 8, 9);
            reads("640.92,2513.51,4112.11", 2, text.replace("[2024", "x3104c0s1b0n0: [2024")
                .replace(" elapsed_time", "x3104c0s25b0n0:  elapsed_time"));
            reads("640.92,2513.51,4112.11", 2, text.replaceAll("(?m)^", "stdout: "));
            reads("640.92,2513.51,4112.11", 2, text.replaceAll("(?m)^", "0: "));
        }

        @Test void progressBarsAreGluedInFront() throws IOException {
            String bar = "  0%|          | 1/345 [00:01<06:50,  1.23s/it]\r"
                + "  3%|###       | 12/345 [00:07<06:50,  1.23s/it]";
            reads("640.92,2513.51,4112.11", bar + Sample.iteration("640.92", "2513.51", "4112.11"));
            reads("640.92,2513.51,4112.11", "#".repeat(200_000) + Sample.iteration("640.92", "2513.51", "4112.11"));
        }

        @Test void aCarriageReturnEndsALine() throws IOException {
            reads("21,22,23", 2, (Sample.iteration(11, 12, 13) + Sample.iteration(21, 22, 23)).replace('\n', '\r'));
            reads("21,22,23", 2, (Sample.iteration(11, 12, 13) + Sample.iteration(21, 22, 23)).replace("\n", "\r\n"));
            ignores("time (ms) | fwd: 1.00 | bwd: 2.00\r | step: 3.00\n");
        }

        @Test void otherRanksGlueTheirLines() throws IOException {
            String timer = "<TIMER:interval-time,7.386294841766357><TIMER:interval-time,7.386296987533569>";
            reads("1.25,2.5,3.75", timer + "[2024-03-26 20:23:57,673] [Rank 0] time (ms) | fwd: 1.25 | bwd: 2.5 | "
                + "step: 3.75" + timer + "\n\n\nx3104c0s1b0n0: \n");
            reads("1.25,2.5,3.75", "[Rank 0] time (ms) | optimizer_step: 9.00[Rank 0] time (ms) | fwd_microstep: 8 | "
                + "bwd_microstep: 8 | step_microstep: 8[Rank 0] time (ms) | fwd: 1.25 | bwd: 2.5 | "
                + "step: 3.75[Rank 1] hello\n");
        }

        @Test void timingLinesOfTwoIterationsAreGlued() throws IOException {
            reads("21,22,23", 2, "[Rank 0] time (ms) | fwd: 11 | bwd: 12 | step: 13[Rank 0] time (ms) | fwd: 21 | "
                + "bwd: 22 | step: 23\n");
            reads("21,22,23", 2, (Sample.timing(11, 12, 13) + Sample.timing(21, 22, 23)).replace("\n", ""));
        }

        @Test void theIterationLineIsGluedToItsTimingLine() throws IOException {
            String text = Sample.iteration(11, 12, 13) + Sample.iteration(21, 22, 23) + Sample.iteration(31, 32, 33);
            reads("21,22,23", 2, text.replace("\n elapsed", " elapsed"));
            reads("31,32,33", 3, text.replace("\n", ""));
            reads("21,22,23", 2, "time (ms) | fwd: 11 | bwd: 12 | step: 13 elapsed time per iteration (ms): 9 | "
                + "TFLOPs: 1 | time (ms) | fwd: 21 | bwd: 22 | step: 23\n");
        }

        @Test void partsOfTwoLinesMakeNoTimingLine() throws IOException {
            ignores("[Rank 0] time (ms) | fwd: 1.00 | bwd: 2.00[Rank 0] time (ms) | step: 3.00\n");
            ignores("[Rank 0] time (ms) | fwd: 1.00 | bwd: 2.00\n | step: 3.00\n");
        }

        @Test void coloursAreAroundText() throws IOException {
            reads("1.25,2.5,3.75", "\033[92m [OKAY] \033[0m\n\033[33m[Rank 0] time (ms) | fwd: 1.25 | bwd: 2.5 | "
                + "step: 3.75\033[0m\n");
        }

        @Test void nulBytesAreSaidAndSurvived() throws IOException {
            String hole = "\0".repeat(15_036), first = Sample.timing(11, 12, 13), second = Sample.timing(21, 22, 23);
            String inside = first + "half a li" + hole + "ne\n" + second;
            for (String text : List.of(hole + first + second, first + hole + second, inside)) {
                Path log = log(1, text);
                Cli cli = run(logs, "--iteration=2");
                assertEquals(0, cli.status(), cli.err());
                assertTrue(cli.err().contains(log.toString()) && cli.err().contains("NUL"), cli.err());
                assertRows(List.of("1,21,22,23"), rows());
            }
        }

        @Test void bytesNeedNotBeText() throws IOException {
            StringBuilder all = new StringBuilder();
            IntStream.range(1, 256).filter(b -> b != '\n' && b != '\r').forEach(b -> all.append((char) b));
            String line = "time (ms) | fwd: 1.25 | \u00ff\u00c3 | bwd: 2.5 | \u0080 | step: 3.75 | \u00fe\n";
            reads("1.25,2.5,3.75", all + line + all);
        }

        @Test void theLastLineNeedsNoEnd() throws IOException {
            reads("1.25,2.5,3.75", "time (ms) | fwd: 1.25 | bwd: 2.5 | step: 3.75");
        }

        @Test void aLineCutShortIsNoTimingLine() throws IOException {
            log(1, Sample.timing(1, 2, 3));
            log(2, Sample.timing(11, 12, 13) + "[2024-03-26 20:23:57,673] [Rank 0] time (ms) | fwd: 21 | bwd: 22 | b");
            assertEquals(1, run(logs, "--iteration=2").status());
            assertRows(List.of("1,1,2,3", "2,11,12,13"), run(logs, "--iteration=1").status() == 0 ? rows() : List.of());
        }

        /**
         * Readers take a log in blocks. These logs are twice as long as 64 KiB, each shifted by one byte against the
         * last: so each place in a line comes to lie on each block's end, and to miss or double one changes the mean.
         */
        @Test void linesAreFoundWhereverTheyLie() throws IOException {
            StringBuilder text = new StringBuilder();
            for (int i = 1; text.length() < 140_000; i++) {
                text.append(Sample.timing(i, 10_000 + i, 20_000 + i)).append("an iteration line\n".repeat(i % 3));
            }
            int lines = text.toString().split("time ").length - 1;
            double mean = IntStream.rangeClosed(2, lines).average().orElseThrow();
            List<String> expected = new ArrayList<>();
            for (int shift = 1; shift <= 200; shift++) {
                log(shift, ".".repeat(shift) + text);
                expected.add(shift + "," + mean + "," + (10_000 + mean) + "," + (20_000 + mean));
            }
            run(logs, "--iteration=mean").quiet();
            assertRows(expected, rows());
        }

        /** Alone among filler, around the end of the first block and of the second. */
        @Test void aLineIsFoundAtTheEndOfABlock() throws IOException {
            List<String> expected = new ArrayList<>();
            for (int end : List.of(65_536, 131_072)) {
                for (int offset = end - 170; offset < end + 10; offset++) {
                    log(offset, "f".repeat(offset - 1) + "\n" + Sample.timing(offset, 2, 3) + "f".repeat(50_000));
                    expected.add(offset + "," + offset + ",2,3");
                }
            }
            run(logs, "--iteration=1").quiet();
            assertRows(expected, rows());
        }

        @Test void readingStopsWhenItHasWhatItWants() throws IOException {
            for (int subg : List.of(1, 2)) {
                Path log = log(subg, Sample.run(1, 2, 3));
                try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
                    file.setLength(200L << 30);
                }
            }
            Cli.begin(tmp, Map.of(), Cli.java(List.of(), "Subgroup", logs, "--csv")).await(40).quiet();
            assertRows(List.of("1,1,2,3", "2,1,2,3"), rows());
        }

        @Test void aLogLargerThanTheMemoryIsRead() throws IOException {
            Path log = log(1, Sample.run(1, 2, 3) + "x".repeat(1000));
            try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
                file.setLength(300L << 20);
            }
            Cli cli = Cli.start(tmp, Cli.java(List.of("-Xmx100m"), "Subgroup", logs, "--iteration=mean", "--csv"));
            assertEquals(0, cli.status(), cli.err());
        }
    }

    @Nested class Selection {
        @ParameterizedTest @CsvSource({"1, '9,8,1013'", "2, '10,10,10'", "3, '11,12,13'", "4, '12,14,16'",
            "5, '13,16,19'", "mean, '11.5,13,14.5'"})
        void theIterationIsChosen(String iteration, String numbers) throws IOException {
            log(100, Sample.run(11, 12, 13));
            run(logs, "--iteration=" + iteration).quiet();
            assertRows(List.of("100," + numbers), rows());
        }

        @Test void theThirdIsTheDefault() throws IOException {
            log(100, Sample.run(11, 12, 13));
            run(logs).quiet();
            assertRows(List.of("100,11,12,13"), rows());
        }

        @Test void theMeanIsNotRounded() throws IOException {
            log(100, Sample.timing(9, 9, 9) + Sample.timing("1.01", 1, 1) + Sample.timing("1.02", 1, 1).repeat(2));
            run(logs, "--iteration=mean").quiet();
            assertEquals(3.05 / 3, Double.parseDouble(rows().get(0).split(",")[1]), 1e-12);
        }

        @Test void anOptionGivenTwiceCountsTheLastTime() throws IOException {
            log(100, Sample.run(11, 12, 13));
            run(logs, "--iteration=mean", "--iteration=1", "--iteration=4").quiet();
            assertRows(List.of("100,12,14,16"), rows());
        }

        /** A folder of runs that differ in many things; two say the same number in two ways. */
        void grid() throws IOException {
            String[] names = {"log-7B-gbs4-mbs4-dp1-ratio1-subg1-prefetch0.log",
                "log-7B-gbs4-mbs1-dp1-ratio1.0-subg2-prefetch1.log",
                "log-7B-gbs8-mbs4-dp2-ratio0.5-subg3-prefetch0-flush_async1.log",
                "log-7B-gbs8-mbs8-dp1-subg4-tmp.log",
                "log-13B-gbs4-mbs4-dp1-ratio0.50-subg500000000-prefetch1-flush_async1.log"};
            for (String name : names) {
                Sample.write(logs, name, Sample.run(1, 2, 3));
            }
        }

        @ParameterizedTest @CsvSource(delimiter = ';', value = {"mbs=4; 1 3 500000000", "mbs!=4; 2 4", "ratio=1; 1 2",
            "ratio=1.0; 1 2", "ratio=0.5; 3 500000000", "ratio!=0.5; 1 2 4", "ratio!=1.00; 3 4 500000000", "ga=4; 2",
            "ga=1; 1 3 4 500000000", "model=13B; 500000000", "model!=13B; 1 2 3 4", "model=13000M; 500000000",
            "subg=500M; 500000000", "subg=5e8; 500000000", "tmp=; 4", "tmp!=; 1 2 3 500000000",
            "prefetch!=0; 2 4 500000000", "folder=act-output-7B; 1 2 3 4 500000000",
            "approach!=prefetch-only; 1 3 4 500000000", "approach=backward-only; 3",
            "approach!=backward-only; 1 2 4 500000000"})
        void whereChoosesByTheName(String condition, String expected) throws IOException {
            grid();
            run(logs, "--where=" + condition).quiet();
            try (Stream<Path> files = Files.list(plots)) {
                String csv = files.map(Path::toString).filter(file -> file.endsWith(".csv")).findAny().orElseThrow();
                List<String> sizes = rows(csv.replace(".csv", "")).stream().map(row -> row.split(",")[0]).toList();
                assertEquals(expected, String.join(" ", sizes));
            }
        }

        @Test void everyWhereMustHold() throws IOException {
            grid();
            assertEquals(List.of("1"), sizes(logs, "--where=mbs=4", "--where=ratio!=0.50", "--where", "model=7B"));
        }

        @Test void whereWithoutAValueIsAWrongCommandLine() throws IOException {
            grid();
            run(logs, "--where=mbs").failed(2, "mbs", "=");
        }

        @Test void whereWithAnUnknownKeySaysWhichThereAre() throws IOException {
            grid();
            run(logs, "--where=nbs=4").failed(1, "nbs", "gbs", "mbs");
        }

        @Test void whereThatKeepsNothingIsAnError() throws IOException {
            grid();
            run(logs, "--where=mbs=77").failed(1, logs);
        }

        @Test void rowsAreSortedByNumber() throws IOException {
            for (Object subg : List.of("3000000000", "10000000", "500000000", "1B", "1e8", "50M")) {
                log(subg, Sample.run(1, 2, 3));
            }
            assertEquals(List.of("10000000", "50M", "1e8", "500000000", "1B", "3000000000"), sizes(logs));
        }

        @Test void foldersAndFilesCanBeMixed() throws IOException {
            log(100, Sample.run(1, 2, 3));
            Path one = Sample.write(tmp.resolve("other folder"), Sample.name(200), Sample.run(1, 2, 3));
            Sample.write(tmp.resolve("other folder"), Sample.name(300), Sample.run(1, 2, 3));
            assertEquals(List.of("100", "200"), sizes(logs, one));
        }

        @Test void twoRunsInOnePlaceAreToldApart() throws IOException {
            String name = "log-7B-dp1-gbs4-subg1.log", other = "log-7B-dp2-gbs8-subg1.log";
            Path a = Sample.write(logs, name, Sample.run(1, 2, 3)), b = Sample.write(logs, other, Sample.run(4, 5, 6));
            Cli cli = run(logs);
            cli.failed(1, a, b, "dp", "gbs", "--where=");
            followed(cli.err(), logs);
        }

        /** Does as the message says, which must choose one run. */
        void followed(String message, Object... inputs) throws IOException {
            Matcher advice = Pattern.compile("--where=\\S+").matcher(message);
            assertTrue(advice.find(), message);
            Object[] again = Stream.concat(Stream.of(inputs), Stream.of(advice.group())).toArray();
            run(again).quiet();
            assertEquals(1, rows().size());
        }

        @Test void oneNumberInTwoSpellingsIsOnePlace() throws IOException {
            run(log("100M", Sample.run(1, 2, 3)), log("100000000", Sample.run(4, 5, 6))).failed(1, "100M", "100000000");
        }

        @Test void oneNameInTwoFoldersIsTwoRuns() throws IOException {
            Path a = log(100, Sample.run(1, 2, 3));
            Path b = Sample.write(tmp.resolve("b"), Sample.name(100), Sample.run(4, 5, 6));
            Cli cli = run(logs, b.getParent());
            cli.failed(1, a, b, "folder", "--where=");
            followed(cli.err(), logs, b.getParent());
        }

        @Test void aFlagTellsRunsApartToo() throws IOException {
            Path a = Sample.write(logs, "log-7B-subg1-vast.log", Sample.run(1, 2, 3));
            Path b = Sample.write(logs, "log-7B-subg1.log", Sample.run(4, 5, 6));
            Cli cli = run(logs);
            cli.failed(1, a, b, "vast", "--where=");
            followed(cli.err(), logs);
        }

        @Test void theSameLogTwiceIsSaid() throws IOException {
            Path a = log(100, Sample.run(1, 2, 3));
            run(a, a).failed(1, a);
        }
    }
}
