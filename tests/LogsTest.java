import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;
import picocli.CommandLine;

import static org.junit.jupiter.api.Assertions.*;

/** How logs are read and chosen: the block `logs`, tested by calling what reads them, in subgroup.java. */
class LogsTest {
    static final String HEAD = "[2024-03-29 23:29:03,031] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | ";

    /** What is read of a text: of each iteration its phases, elapsed ms and TFLOPs, - for what is not said. */
    static String read(String text) throws IOException {
        InputStream in = new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1));
        return Subgroup.iterations(Path.of("some.log"), in, 999).stream().map(numbers ->
            Arrays.stream(numbers).limit(5).mapToObj(LogsTest::plain).collect(Collectors.joining(" ")))
            .collect(Collectors.joining("; "));
    }

    static String plain(double number) {
        return Double.isNaN(number) ? "-" : number == (long) number ? (long) number + "" : number + "";
    }

    static DynamicTest reads(String what, String numbers, String text) {
        return DynamicTest.dynamicTest(what, () -> assertEquals(numbers, read(text)));
    }

    @TestFactory List<DynamicTest> timingLinesOfAllVersions() {
        String micro = HEAD + "fwd_microstep: 1063.1 | bwd_microstep: 2 | bwd_inner_microstep: 3 | step_microstep: 4\n";
        return List.of(
            reads("0.3.0", "435.67 1204.55 88.12 - -", "rank=0 time (ms) | forward: 435.67 | backward: 1204.55 | "
                + "backward_inner: 1100.2 | backward_allreduce: 104.1 | step: 88.12\n"),
            reads("0.3.12", "27.41 73.44 72.82 - -", "[2023-06-21 07:39:09,443] [INFO] [logging.py:96:log_dist] "
                + "[Rank 0] rank=0 time (ms) | forward: 27.41 | backward: 73.44 | backward_inner: 50.99 | "
                + "backward_allreduce: 22.40 | step: 72.82\n"),
            reads("0.10.1", "356.44 8631.2 7984 - -", HEAD + "optimizer_step: 7894.29\n" + micro
                + HEAD + "fwd: 356.44 | bwd: 8631.20 | bwd_inner: 8464.62 | bwd_allreduce: 166.36 | step: 7984.00\n"),
            reads("0.18.0", "356.44 8631.2 7984 - -", "[Rank 0] time (ms) | fwd: 356.44 | bwd: 8631.20 | "
                + "bwd_inner: 8464.62 | bwd_allreduce: 166.36 | step: 7984.00\n"),
            reads("accumulation", "1 2 3 - -; 4254.6 9 8 - -", micro.repeat(4) + Sample.timing(1, 2, 3)
                + micro.repeat(4) + Sample.timing("4254.60", 9, 8) + micro.repeat(4)),
            reads("other keys, another order", "1.5 2.5 3.5 - -",
                "time (ms) | step: 3.5 | new: 9 | bwd_inner: 8 | bwd: 2.5 | other_step: 7 | fwd: 1.5\n"),
            reads("whole numbers, wide", "640 2513 4112 - -", HEAD + "fwd:   640 | bwd: 2513 | step:4112\n"),
            reads("many digits", "0.1 12345678 0.123456789 - -", Sample.timing("0.10", 12345678, "0.123456789")),
            reads("a pipeline engine's", "0 0 0 - -", HEAD + "fwd: 0.00 | bwd: 0.00 | bwd_inner: 0.00 | step: 0.00\n"));
    }

    @TestFactory List<DynamicTest> iterationLinesOfAllVersions() {
        String timing = Sample.timing(1, 2, 3), three = timing.repeat(3);
        return List.of(
            reads("the logs' fork", "1 2 3 17415.9 12.81", timing + " elapsed_time 17.415922 | consumed samples:        "
                + "    3 | consumed tokens:         6144 | elapsed time per iteration (ms): 17415.9 | learning rate: "
                + "2.684E-04 | global batch size:     1 | lm loss: 1.538147E+01 | loss scale: 1.0 | actual seqlen:  2048"
                + " | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 0.057 | "
                + "TFLOPs: 12.81 |\n"),
            reads("Megatron-DeepSpeed", "1 2 3 17415.9 12.81", timing + " iteration        3/      10 | consumed samples"
                + ":            3 | elapsed time per iteration (ms): 17415.9 | samples per second: 0.057 | tokens per gpu"
                + " per second (tgs): 117.6 | TFLOPs: 12.81 |\n"),
            reads("Megatron-LM", "1 2 3 1234.5 412.3", timing + " [2024-05-01 10:00:00] iteration        3/     100 | "
                + "consumed samples:          768 | elapsed time per iteration (ms): 1234.5 | throughput per GPU "
                + "(TFLOP/s/GPU): 412.3 | energy per GPU (J/iter/GPU): 77.1 | learning rate: 1.0E-05 |\n"),
            reads("argonne's", "1 2 3 16030.6 144.87", timing + "[2024-04-21 02:45:24][INFO][training:1251] -  iteration="
                + "       3/  317892 | consumed_samples=         512 | consumed_tokens=     2097152 | "
                + "elapsed_time_per_iteration_ms=16030.6 | learning_rate=1.0E-05 | TFLOPs=144.87 |\n"),
            reads("argonne's later", "1 2 3 16030.6 49.66", timing + "[2024-04-21 02:45:24][INFO][training:1251] -  "
                + "iteration=       3/  317892 | consumed_samples=         512 | elapsed_time_per_iteration_ms=16030.6 | "
                + "[LM]-TFLOPs=49.66 | [DS]-TFLOPs=73.32 |\n"),
            reads("without TFLOPs", "1 2 3 17.5 -", timing + " elapsed time per iteration (ms): 17.5 | lm loss: 1 |\n"),
            reads("log-interval 2", "1 2 3 - -; 1 2 3 7502 62.5; 1 2 3 - -", timing + Sample.iteration(2, 1, 2, 3) + timing),
            reads("before any timing line", "1 2 3 - -; 1 2 3 - -; 1 2 3 - -", "elapsed time per iteration (ms): 9 |\n" + three),
            reads("after each", "1 2 3 7501 61.5; 4 5 6 7502 62.5",
                Sample.iteration(1, 1, 2, 3) + Sample.iteration(2, 4, 5, 6)));
    }

    /** Other lines with `time (ms)`, which are printed beside timing lines, and lines that mention its words. */
    @ParameterizedTest @ValueSource(strings = {
        "time (ms) | forward_microstep: 193.65 | backward_microstep: 329.25 | backward_inner_microstep: 329.14 | "
            + "backward_allreduce_microstep: 0.05 | step_microstep: 0.92",
        HEAD + "fwd_microstep: 356.47 | bwd_microstep: 8631.21 | bwd_inner_microstep: 8464.61 | step_microstep: 7984.00",
        HEAD + "optimizer_step: 7894.29",
        HEAD + "init_optimizer_state: 15620.48",
        HEAD + "optimizer_step: 183957.88 | optimizer_swap_out_state: 167872.95 | optimizer_swap_in_state: 9883.42",
        HEAD + "swap_out_state: 12.5 | swap_in_state: 8.5",
        HEAD + "optimizer_allgather: 7.96 | optimizer_gradients: 0.02 | optimizer_step: 60.64",
        HEAD + "compute_norm: 1.1 | overflow_check: 2.2 | unscale_and_clip: 3.3 | basic_step: 4.4 | update_fp16: 5.5",
        HEAD + "fwd: 12.34 (fwd_moe: 3.21, 1st_a2a: 0.5, 2nd_a2a: 0.6, top_k: 0.1)",
        HEAD + "forward: 12.34 (forward_moe: 3.21, 1st alltoall: 0.5, 2nd alltoall: 0.6, top-k: 0.1)",
        HEAD + "fwd: 3.21",
        HEAD + "backward: 3.21",
        HEAD + "batch_input: 1.00 | fwd_microstep: 2.00 | bwd_microstep: 3.00 | step_microstep: 4.00",
        HEAD + "pipe_send_output: 1.0 | pipe_send_grad: 2.0 | pipe_recv_input: 3.0 | pipe_recv_grad: 4.0",
        HEAD + "forward-compute: 2095.72 | backward-compute: 6152.69 | optimizer: 88.1 | batch-generator: 2.5",
        HEAD + "fwd: 1.00 | bwd: 2.00 | optimizer_step: 3.00",
        HEAD + "fwd: 1.00 | bwd_inner: 2.00 | bwd_allreduce: 2.00 | step: 3.00",
        HEAD + "fwd_moe: 1.00 | bwd: 2.00 | step: 3.00",
        HEAD + "bwd: 2.00 | step: 3.00",
        HEAD + "fwd: 1.00 | bwd: 2.00\r | step: 3.00",
        "(min, max) time across ranks (ms):\n    forward-backward ....: (1.23, 4.56)\n    optimizer ....: (1.2, 3.4)",
        "times across ranks (ms):\n     rank  0: 1.23",
        "steps: 10 loss: 9.1234 iter time (s): 0.512 samples/sec: 31.250",
        "step=3, skipped=0, lr=[0.0001], mom=[(0.9, 0.95)]",
        "epoch=0/micro_step=3/global_step=3, RunningAvgSamplesPerSec=0.5"})
    void otherLinesAreNotTaken(String line) throws IOException {
        String text = line + "\n";
        assertEquals("11 12 13 - -; 21 22 23 - -",
            read(text + Sample.timing(11, 12, 13) + text + Sample.timing(21, 22, 23) + text));
    }

    @TestFactory List<DynamicTest> damageAndPrefixes() {
        String one = Sample.iteration(1, "640.92", "2513.51", "4112.11"), two = Sample.iteration(2, 4, 5, 6);
        String numbers = "640.92 2513.51 4112.11 7501 61.5; 4 5 6 7502 62.5", hole = "\0".repeat(15_036);
        String timer = "<TIMER:interval-time,7.386294841766357><TIMER:interval-time,7.386296987533569>";
        String short1 = Sample.timing(1, 2, 3), short2 = Sample.timing(4, 5, "900.33");
        return List.of(
            reads("pdsh, two nodes", numbers, (one + two).replace("[2024", "x3104c0s1b0n0: [2024")
                .replace(" elapsed_time ", "x3104c0s25b0n0:  elapsed_time ")),
            reads("accelerate", numbers, (one + two).replaceAll("(?m)^", "stdout: ")),
            reads("srun", numbers, (one + two).replaceAll("(?m)^", "0: ")),
            reads("tqdm", numbers, "  0%|     | 1/345 [00:01<06:50,  1.23s/it]\r  3%|### | 12/345 [00:07<06:50,  1.23s/it]"
                + one + "  4%|### | 13/345 [00:08<06:50,  1.23s/it]" + two),
            reads("colours", "1.25 2.5 3.75 - -", "\033[92m[OKAY]\033[0m\n\033[33m[Rank 0] time (ms) | fwd: 1.25 | "
                + "bwd: 2.5 | step: 3.75\033[0m\n"),
            reads("CR", numbers, (one + two).replace('\n', '\r')),
            reads("CR LF", numbers, (one + two).replace("\n", "\r\n")),
            reads("glued timers", "1 2 3.5 - -", timer + Sample.timing(1, 2, 3.5).strip() + timer + "\n\n\nx3104c0s1b0n0: \n"),
            reads("microsteps glued in front", "1 2 3.5 - -", HEAD + "optimizer_step: 9.00" + HEAD
                + "fwd_microstep: 8 | bwd_microstep: 8 | step_microstep: 8" + Sample.timing(1, 2, 3.5)),
            reads("another rank glued behind", "1 2 3 - -; 4 5 900.33 - -", short1
                + short2.strip() + "[Rank 1] hello\n"),
            reads("its iteration line glued", numbers, one.replace("\n elapsed", " elapsed") + two),
            reads("any bytes", numbers, IntStream.range(1, 256).filter(b -> b != '\n' && b != '\r')
                .mapToObj(b -> (char) b + "").collect(Collectors.joining()) + one + two),
            reads("NULs before", numbers, hole + one + two),
            reads("NULs between", numbers, one + hole + two),
            reads("NULs in another line", numbers, one + "half a li" + hole + "ne\n" + two),
            reads("NULs in a timing line", "4 5 900.33 - -", short1.replace("| bwd:", hole + "| bwd:") + short2),
            reads("NULs for its end", "4 5 900.33 - -", short1.strip() + hole + short2),
            reads("being written", "1 2 3 - -", short1 + short2.substring(0, short2.indexOf("00.33"))),
            reads("its end not yet written", "1 2 3 - -", short1 + short2.strip()),
            reads("iteration line being written", "1 2 3 - -", short1 + " elapsed time per iteration (ms): 759"),
            reads("ranks", "1 2 3 - -; 4 5 900.33 - -", short1 + Sample.timing(7, 7, 7).replace("[Rank 0]", "[Rank 1]")
                + short2 + Sample.timing(8, 8, 8).replace("[Rank 0]", "[Rank 1]")),
            reads("another first rank", "7 7 7 - -", Sample.timing(7, 7, 7).replace("[Rank 0]", "[Rank 12]") + short1));
    }

    @ParameterizedTest @ValueSource(strings = {"nan", "NaN", "inf", "-1.00", "1.2.3", "0x10", "640,92", "***", "12a", "+5",
        "1e999", "--", "None", "(640.92)", "1e3"})
    void timesThatAreNoNumbersAreRefused(String time) {
        for (String bad : List.of(Sample.timing(time, 2, 3), Sample.timing(1, time, 3), Sample.timing(1, 2, time))) {
            assertThat(() -> read(Sample.timing(1, 2, 3) + bad), "some.log", time);
        }
    }

    static void assertThat(org.junit.jupiter.api.function.Executable refuses, Object... words) {
        String said = assertThrows(IllegalArgumentException.class, refuses).getMessage();
        Stream.of(words).forEach(word -> assertTrue(said.contains(word + ""), () -> "no '" + word + "' in: " + said));
    }

    /** Reading takes of an endless log what its first lines cost. */
    @Test void readingStopsAfterTheIterationAskedFor() throws IOException {
        byte[] more = "more\n".repeat(20_000).getBytes();
        InputStream first = new ByteArrayInputStream(Sample.run(11, 12, 13).getBytes());
        InputStream endless = new SequenceInputStream(first, new ByteArrayInputStream(more) {
            @Override public synchronized int read(byte[] to, int from, int length) {
                assertTrue(pos < 50_000, "it reads on, though it has what was asked for");
                return super.read(to, from, length);
            }
        });
        assertEquals(13.0, Subgroup.iterations(Path.of("some.log"), endless, 5).get(2)[2]);
    }

    /** Names, and all that they say: what is derived from them, too. */
    @ParameterizedTest @CsvSource(delimiter = ';', value = {
        "log-13B-tp1-dp4-l40-h5120-a40-sl2048-gbs16-mbs4-ratio1-subg100000000-prefetch1-flush_async1-opt_gaps5.log; "
            + "a=40 approach=DOS dp=4 flush_async=1 folder=act-output-8.3B ga=1 gbs=16 h=5120 l=40 mbs=4 model=13B "
            + "opt_gaps=5 prefetch=1 ratio=1 sl=2048 stride=1/5 subg=100000000 tp=1",
        "log-7B-subg5-zeta9-tp2-alpha3.log; alpha=3 approach=ZeRO-3 folder=act-output-8.3B model=7B stride=ZeRO-3 subg=5 "
            + "tp=2 zeta=9",
        "log-8.3B-ratio0.65-subg1-newkey1.5.log; approach=ZeRO-3 folder=act-output-8.3B model=8.3B newkey=1.5 "
            + "ratio=0.65 stride=ZeRO-3 subg=1",
        "log-7B-gbs16-mbs4-dp1.log; approach=ZeRO-3 dp=1 folder=act-output-8.3B ga=4 gbs=16 mbs=4 model=7B stride=ZeRO-3"})
    void aNameSaysItsKeys(String name, String keys) {
        assertEquals(keys, run(name).keys().entrySet().stream().sorted(Map.Entry.comparingByKey())
            .map(pair -> pair.getKey() + "=" + pair.getValue()).collect(Collectors.joining(" ")));
    }

    static Subgroup.Run run(String name) {
        return Subgroup.Run.of(Path.of("some", "act-output-8.3B", name));
    }

    /** A name, one of its keys and what this says; none where it says nothing. */
    @ParameterizedTest @CsvSource({
        "log-llama-7b-tp1-dp1-subg1.log, model, llama-7b", "log-llama-7b-tp1-dp1-subg1.log, tp, 1",
        "log-gpt2-tp1-subg1.log, model, gpt2", "log-gpt2.log, model, gpt2", "log-7B-subg1.log, folder, act-output-8.3B",
        "log-7B-subg1e9.log, subg, 1000000000", "log-7B-subg1B.log, subg, 1000000000",
        "log-7B-subg1.5B.log, subg, 1500000000", "log-7B-subg100M.log, subg, 100000000",
        "log-7B-ratio1.0.log, ratio, 1", "log-7B-ratio0.50.log, ratio, 0.5", "log-7B-tp1-vast-subg3.log, subg, 3",
        "log-7B-gbs16-mbs4-dp4.log, ga, 1", "log-7B-gbs64-mbs4-dp2.log, ga, 8", "log-7B-gbs16-mbs4.log, ga, none",
        "log-7B-gbs4-mbs0-dp1.log, ga, none", "log-7B-prefetch0-flush_async1-opt_gaps5.log, approach, BW-only",
        "log-7B-prefetch1.log, approach, Prefetch-only", "log-7B-prefetch1-flush_async0.log, approach, Prefetch-only",
        "log-7B-prefetch0.log, approach, ZeRO-3", "log-7B-prefetch0-opt_gaps5.log, stride, ZeRO-3",
        "log-7B-prefetch0-flush_async1-opt_gaps5.log, stride, BW-only",
        "log-7B-prefetch1-flush_async1-opt_gaps10.log, stride, 1/10", "log-7B-tp1.log, subg, none"})
    void aKeyHasOneSpelling(String name, String key, String value) {
        assertEquals(value, run(name).get(key));
    }

    @ParameterizedTest @CsvSource({"10000000, 10M", "500000000, 500M", "1000000000, 1B", "1500000000, 1.5B"})
    void sizesAreSaidAsPeopleSayThem(String value, String said) {
        assertEquals(said, Subgroup.size(value));
    }

    /** Damage of a thousand kinds: what is read is what a second, plain reading finds, or the log is refused. */
    @Test void damagedLogsAreReadRightOrRefused() throws IOException {
        int refused = 0;
        for (int seed = 1; seed <= 1000; seed++) {
            String text = damaged(new Random(seed));
            String[] plainly = readPlainly(text).split("[; ]+");
            try {
                String[] read = read(text).split("[; ]+");
                // What an iteration line says may be missing, if its name is damaged; what a timing line says may not.
                IntStream.range(0, Math.min(read.length, plainly.length)).filter(i -> i % 5 > 2 && read[i].equals("-"))
                    .forEach(i -> plainly[i] = "-");
                assertArrayEquals(plainly, read, "seed " + seed);
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().contains("some.log"), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > 20 && refused < 200, refused + " of 1000 refused");
    }

    /** Eight iterations in which one to three times bytes or lines are changed, inserted, doubled, cut out or swapped. */
    static String damaged(Random random) {
        StringBuilder log = new StringBuilder();
        for (int i = 1; i <= 8; i++) {
            log.append(Sample.iteration(i, 640 + i + ".92", 2500 + i + ".51", 4100 + i + ".11"));
        }
        for (int times = random.nextInt(3); times >= 0; times--) {
            int at = random.nextInt(log.length()), end = Math.min(log.length(), at + random.nextInt(200));
            char any = "0123456789.:| []\n\r\0,-efkmsw".charAt(random.nextInt(27));
            List<String> lines = new ArrayList<>(List.of(log.toString().split("(?<=\n)")));
            switch (random.nextInt(7)) {
                case 0 -> log.setCharAt(at, any);
                case 1 -> log.insert(at, any);
                case 2 -> log.deleteCharAt(at);
                case 3 -> log.delete(at, end);
                case 4 -> log.insert(at, log.substring(at, end));
                case 5 -> {
                    lines.remove(at % lines.size());
                    log.replace(0, log.length(), String.join("", lines));
                }
                default -> {
                    Collections.swap(lines, at % lines.size(), end % lines.size());
                    log.replace(0, log.length(), String.join("", lines));
                }
            }
        }
        return log.toString();
    }

    /** The second reading: of a line what each rank says between bars, each a name, a colon and a number. */
    static String readPlainly(String text) {
        List<String[]> found = new ArrayList<>();
        String lines = text.substring(0, Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1), first = null;
        for (String line : lines.split("[\n\r]")) {
            String whole = line.substring(line.lastIndexOf('\0') + 1);
            for (String said : whole.contains("ms") ? whole.split("(?=\\[Rank )") : new String[0]) {
                String rank = said.startsWith("[Rank ") ? said.split("]")[0] : "";
                String[] timing = {after(said, "fwd:"), after(said, "bwd:"), after(said, "step:"), "-", "-"};
                if (!List.of(timing).subList(0, 3).contains("-")) {
                    first = first == null ? rank : first;
                    found.addAll(rank.equals(first) ? List.<String[]>of(timing) : List.of());
                }
            }
            String[] last = found.isEmpty() ? new String[] {"", "", "", "", ""} : found.get(found.size() - 1);
            int elapsed = whole.contains("ms") ? whole.indexOf("iteration") : -1, tflops = whole.indexOf("TFLOPs:");
            if (elapsed >= 0 && last[3].equals("-")) {
                last[3] = number(whole.substring(whole.indexOf(':', elapsed) + 1));
                last[4] = tflops < 0 ? "-" : number(whole.substring(tflops + 7));
            }
        }
        return found.stream().map(numbers -> String.join(" ", numbers)).collect(Collectors.joining("; "));
    }

    /** The number after a name that stands at a bar, or -. */
    static String after(String said, String name) {
        return Stream.of(said.split("\\|")).skip(1).map(String::stripLeading).filter(field -> field.startsWith(name))
            .map(field -> number(field.substring(name.length()))).findFirst().orElse("-");
    }

    static String number(String text) {
        String digits = text.strip().split("[\\s|\\[<]", 2)[0];
        return digits.matches("[0-9]+(\\.[0-9]+)?") ? plain(Double.parseDouble(digits)) : "damaged:" + digits;
    }

    @TempDir Path tmp;

    /** The runs that a command line chooses, by their subgroup sizes, and what is said of them; nothing is drawn. */
    record Chosen(Subgroup script, List<Subgroup.Run> runs) {
        static Chosen of(Object... args) throws IOException {
            Subgroup script = new Subgroup();
            new CommandLine(script).setOverwrittenOptionsAllowed(true)
                .parseArgs(Stream.of(args).map(Object::toString).toArray(String[]::new));
            return new Chosen(script, script.read("subg"));
        }

        String sizes() {
            return runs.stream().map(run -> run.get("subg")).collect(Collectors.joining(" "));
        }

        String notes() {
            return String.join("\n", script.notes);
        }
    }

    Path log(String name, String text) throws IOException {
        return Sample.write(tmp.resolve("logs"), name, text);
    }

    @ParameterizedTest @CsvSource({"3, 11 12 13 7503 63.5", "1, 9 8 1013 7501 61.5", "5, 13 16 19 7505 65.5",
        "2-4, 11 12 13 7503 63.5", "4-4, 12 14 16 7504 64.5", "mean, 11.5 13 14.5 7503.5 64",
        "4-10, 12.5 15 17.5 7504.5 65"})
    void theIterationIsChosen(String iteration, String numbers) throws IOException {
        Path log = log(Sample.name(1), Sample.run(11, 12, 13));
        Chosen chosen = Chosen.of(log, "--iteration=1", "--iteration=" + iteration);
        assertEquals(numbers, Arrays.stream(chosen.runs.get(0).numbers()).limit(5).mapToObj(LogsTest::plain)
            .collect(Collectors.joining(" ")));
        assertTrue(chosen.notes().startsWith("1 run") && chosen.notes().contains(iteration)
            && !chosen.notes().contains("\n"), chosen.notes());
    }

    @Test void theMeanIsThatOfTheLinesThereAre() throws IOException {
        log(Sample.name(1), Sample.run(11, 12, 13));
        log(Sample.name(2), Sample.run(11, 12, 13) + Sample.iteration(6, 14, 18, 22));
        Chosen chosen = Chosen.of(tmp.resolve("logs"), "--iteration=2-10");
        assertEquals("11.5 12", chosen.runs.stream().map(run -> plain(run.numbers()[0])).collect(Collectors.joining(" ")));
        assertTrue(chosen.notes().contains("4") && chosen.notes().contains("5"), "lines read: " + chosen.notes());
    }

    /** Runs that differ in many things; two say the same number in two ways. */
    Path grid() throws IOException {
        for (String rest : List.of("7B-gbs4-mbs4-dp1-ratio1-subg1-prefetch0", "7B-gbs4-mbs1-dp1-ratio1.0-subg2-prefetch1",
            "7B-gbs8-mbs4-dp2-ratio0.5-subg3-prefetch0-flush_async1", "7B-gbs8-mbs8-dp1-subg4-tmp",
            "13B-gbs4-mbs4-dp1-ratio0.50-subg5e8-prefetch1-flush_async1-opt_gaps5")) {
            log("log-" + rest + ".log", Sample.run(11, 12, 13));
        }
        return tmp.resolve("logs");
    }

    @ParameterizedTest @CsvSource(delimiter = ';', value = {"mbs=4; 1 3 500000000", "mbs!=4; 2 4", "mbs=1,8; 2 4",
        "mbs!=1,8; 1 3 500000000", "ratio=1; 1 2", "ratio=1.0; 1 2", "ratio=1e0; 1 2", "ratio=0.5; 3 500000000",
        "ratio!=0.5,1; 4", "ga=4; 2", "model=13B; 500000000", "model=13000M,7B; 1 2 3 4 500000000", "subg=500M; 500000000",
        "subg=0.5B,1e0; 1 500000000", "folder=logs; 1 2 3 4 500000000", "approach=BW-only,DOS; 3 500000000",
        "approach!=ZeRO-3; 2 3 500000000", "stride=1/5; 500000000", "ratio=none; 4"})
    void whereChoosesByTheName(String condition, String sizes) throws IOException {
        assertEquals(sizes, Chosen.of(grid(), "--where=" + condition).sizes());
    }

    @Test void everyWhereMustHold() throws IOException {
        assertEquals("1", Chosen.of(grid(), "--where=mbs=4", "--where=ratio!=0.50", "--where=model=7B").sizes());
    }

    @ParameterizedTest @CsvSource(delimiter = ';', value = {
        "nbs=4; [approach, dp, flush_async, folder, ga, gbs, mbs, model, opt_gaps, prefetch, ratio, stride, subg]",
        "mbs=77; [1, 4, 8]", "mbs=4,77; [1, 4, 8]", "approach=dos; [ZeRO-3, BW-only, Prefetch-only, DOS]"})
    void whatWhereDoesNotKnowIsAnsweredWithWhatThereIs(String condition, String known) throws IOException {
        Path folder = grid();
        assertThat(() -> Chosen.of(folder, "--where=" + condition), condition, known);
    }

    @ParameterizedTest @ValueSource(strings = {"--where=mbs", "--iteration=0", "--iteration=-1", "--iteration=two",
        "--iteration=2.5", "--iteration=", "--iteration=1e3", "--iteration=99999999999", "--iteration=Mean",
        "--iteration=3-2", "--iteration=3-", "--iteration=1-2-3", "--iteration=3 ", "--iterations=3"})
    void aWrongCommandLineIsSaid(String option) throws IOException {
        Path folder = grid();
        Cli.run(() -> Subgroup.execute(new Subgroup(), folder.toString(), option)).failed(2, option.split("=")[0]);
    }

    @Test void runsAreSortedBySizeFromFoldersAndFiles() throws IOException {
        for (String subg : List.of("3000000000", "10000000", "500000000", "1B", "1e8", "50M")) {
            log(Sample.name(subg), Sample.run(11, 12, 13));
        }
        Path other = Sample.write(tmp.resolve("b c"), Sample.name(7), Sample.run(11, 12, 13));
        Sample.write(tmp.resolve("b c"), Sample.name(8), Sample.run(11, 12, 13));
        for (String no : List.of("notes.txt", "hostfile", "log-7B-subg1-monitor.csv", "log-7B-subg7.log.bak", "log.log")) {
            log(no, Sample.run(11, 12, 13));
        }
        assertEquals("7 10000000 50000000 100000000 500000000 1000000000 3000000000",
            Chosen.of(tmp.resolve("logs"), other).sizes());
    }

    @Test void twoRunsInOnePlaceAreNamedWithAllThatTellsThemApart() throws IOException {
        Path a = log("log-7B-dp1-gbs4-subg1.log", Sample.run(11, 12, 13)), b = log("log-7B-dp2-gbs8-subg1.log", Sample.run(14, 15, 16));
        log("log-7B-dp4-gbs16-subg2.log", Sample.run(11, 12, 13));
        assertThat(() -> Chosen.of(tmp.resolve("logs")), a, b, "--where", "dp=[1, 2, 4]", "gbs=[4, 8, 16]");
        assertEquals("1 2", Chosen.of(tmp.resolve("logs"), "--where=dp!=2").sizes());
        Path c = Sample.write(tmp.resolve("c"), a.getFileName() + "", Sample.run(14, 15, 16));
        assertThat(() -> Chosen.of(a, c), a, c, "folder=[c, logs]");
        assertThat(() -> Chosen.of(a, a), a);
        assertThat(() -> Chosen.of(log("log-7B-subg100M.log", ""), log("log-7B-subg1e8.log", "")), "100M", "1e8");
    }

    @ParameterizedTest @CsvSource(delimiter = ';', nullValues = "-", value = {
        "log-7B-l32-h4096-a32-dp1-gbs4-mbs4; log-13B-l40-h5120-a40-dp1-gbs1-mbs1; mbs=[1, 4] model=[7B, 13B]",
        "log-7B-l32-dp1-gbs4-mbs4; log-7B-l32-dp2-gbs8-mbs4; dp=[1, 2]",
        "log-7B-dp1-gbs4-mbs4; log-7B-dp1-gbs16-mbs4; ga=[1, 4]",
        "log-7B-prefetch0-flush_async1; log-7B-prefetch1-flush_async1-opt_gaps5; approach=[BW-only, DOS]",
        "log-7B-prefetch1-flush_async1-opt_gaps2; log-7B-prefetch1-flush_async1-opt_gaps5; stride=[1/2, 1/5]",
        "log-20B-l64-h4096; log-20B-l40-h4096; l=[40, 64]",
        "log-7B-dp1-gbs4-mbs4; log-7B-dp1-gbs4-mbs4; -"})
    void inWhatElseRunsDifferIsSaid(String a, String b, String said) throws IOException {
        log(a + "-subg1.log", Sample.run(11, 12, 13));
        log(b + "-subg2.log", Sample.run(11, 12, 13));
        String notes = Chosen.of(tmp.resolve("logs")).notes(), keys = notes.replaceAll("(?s).*differ[^{]*\\{|}.*", "");
        assertEquals(said, keys.equals(notes) ? null : keys.replace("], ", "] "), notes);
    }

    @Test void runsThatFailedKeepTheirPlaces() throws IOException {
        log(Sample.name(100), Sample.run(11, 12, 13));
        Path shorter = log(Sample.name(200), Sample.iteration(1, 1, 2, 3) + Sample.iteration(2, 1, 2, 3));
        Path empty = log(Sample.name(300), ""), zero = log(Sample.name(400), Sample.run(11, 12, 13).replaceAll("(fwd|bwd|step): [0-9.]+", "$1: 0.00"));
        log(Sample.name(500), Sample.run(11, 12, 13));
        Path none = log("log-7B-tp1-dp1.log", Sample.run(11, 12, 13));
        Chosen chosen = Chosen.of(tmp.resolve("logs"));
        assertEquals("100 200 300 400 500", chosen.sizes());
        assertEquals(List.of(false, true, true, true, false), chosen.runs.stream().map(Subgroup.Run::failed).toList());
        for (Path log : List.of(shorter, empty, zero)) {
            assertTrue(chosen.notes().matches("(?s).*" + log + "[^\\n]*failed.*"), log + " is not in: " + chosen.notes());
        }
        assertTrue(chosen.notes().matches("(?s).*" + none + "[^\\n]*subg.*"), chosen.notes());
    }

    @Test void withoutAnyTimingLineItSaysWhatToSwitchOn() throws IOException {
        log(Sample.name(100), "a line\n");
        log(Sample.name(200), Sample.iteration(1, 1, 2, 3));
        assertThat(() -> Chosen.of(tmp.resolve("logs")), tmp.resolve("logs"), "wall_clock_breakdown", "3");
    }

    /** The numbers of a log's iterations, and what is said of them. */
    @ParameterizedTest @CsvSource(delimiter = ';', nullValues = "-", value = {"1 2 3 4 5; -",
        "1 2 3 7 8; 12 to 28: lines are missing", "1 2 3 1 2 3; 4 comes again: two runs in one log",
        "1 1; 4 comes again: two runs in one log", "1 2 3 3 4; 12 comes again: two runs in one log",
        "2 4 6 8; -", "7 8 9; -", "8 9 1 2; 4 comes again: two runs in one log"})
    void iterationsThatAreMissingOrComeAgainAreSaid(String numbers, String said) throws IOException {
        Path log = log(Sample.name(1), Stream.of(numbers.split(" "))
            .map(number -> Sample.iteration(Integer.parseInt(number), 1, 2, 3)).collect(Collectors.joining()));
        List<String> notes = Chosen.of(log, "--iteration=1-9").script.notes;
        assertEquals(said == null ? List.of() : List.of(log + ": " + said), notes.subList(0, notes.size() - 1));
    }

    /** What the files are called tells choices apart. */
    @ParameterizedTest @CsvSource(delimiter = ';', nullValues = "-", value = {"7B-subgroup; -; -",
        "7B-subgroup-dp4; --where=dp=4; -", "7B-subgroup-iteration5; --iteration=5; -",
        "7B-subgroup-iteration2-3; --iteration=2-3; -", "7B-subgroup-dp4-iterationmean; --where=dp=4; --iteration=mean",
        "7B-subgroup-dp!1; --where=dp!=1; -", "7B-subgroup-dp1,4-tp1; --where=dp=1,4; --where=tp=1"})
    void theFilesAreCalledAfterWhatIsChosen(String name, String one, String two) throws IOException {
        log("log-7B-tp1-dp4-subg1.log", Sample.run(11, 12, 13));
        log("log-7B-tp1-dp1-subg2.log", Sample.run(11, 12, 13));
        Chosen chosen = Chosen.of(Stream.of(tmp.resolve("logs"), one, two).filter(Objects::nonNull).toArray());
        assertEquals(name, chosen.script.name(chosen.runs, "subgroup"));
    }
}
