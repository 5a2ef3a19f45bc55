import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;
import picocli.CommandLine;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.*;

/** How logs are read and chosen: the block `logs`, tested by calling what reads them, in subgroup.java. */
class LogsTest {
    /** What is read of a text: of each iteration its phases, elapsed ms and TFLOPs; - is what is not said. */
    static String read(String text) throws IOException {
        InputStream in = new ByteArrayInputStream(text.getBytes(ISO_8859_1));
        return Subgroup.iterations(Path.of("some.log"), in, 999).stream().map(LogsTest::plain)
            .collect(Collectors.joining("; "));
    }

    /** The first five of the numbers. */
    static String plain(double... numbers) {
        return Arrays.stream(numbers).limit(5).mapToObj(number -> Double.isNaN(number) ? "-"
            : number == (long) number ? (long) number + "" : number + "").collect(Collectors.joining(" "));
    }

    static DynamicTest reads(String what, String numbers, String text) {
        return DynamicTest.dynamicTest(what, () -> assertEquals(numbers, read(text)));
    }

    /** Lines as they are printed, each case after a line with its name and the right answer. */
    static final String PRINTED = """
        # DeepSpeed 0.3.0 of two ranks: 435.67 1204.55 88.12 - -
        rank=0 time (ms) | forward: 435.67 | backward: 1204.55 | backward_inner: 1100.2 | \
        backward_allreduce: 104.1 | step: 88.12
        rank=1 time (ms) | forward: 9 | backward: 9 | step: 9
        # DeepSpeed 0.3.12: 27.41 73.44 72.82 - -
        [2023-06-21 07:39:09,443] [INFO] [logging.py:96:log_dist] [Rank 0] rank=0 time (ms) | \
        forward: 27.41 | backward: 73.44 | backward_inner: 50.99 | backward_allreduce: 22.40 | step: 72.82
        # DeepSpeed 0.10.1: 356.44 8631.2 7984 - -
        [...] [Rank 0] time (ms) | optimizer_step: 7894.29
        [...] [Rank 0] time (ms) | fwd_microstep: 356.47 | bwd_microstep: 8631.21 | \
        bwd_inner_microstep: 8464.61 | bwd_allreduce_microstep: 166.36 | step_microstep: 7984.01
        [...] [Rank 0] time (ms) | fwd: 356.44 | bwd: 8631.20 | bwd_inner: 8464.62 | bwd_allreduce: 166.36 | \
        step: 7984.00
        # accumulation: 1 2 3 - -; 4254.6 9 8 - -
        [...] [Rank 0] time (ms) | fwd_microstep: 0.5 | bwd_microstep: 1 | step_microstep: 0
        [...] [Rank 0] time (ms) | fwd_microstep: 0.5 | bwd_microstep: 1 | step_microstep: 3
        [...] [Rank 0] time (ms) | fwd: 1 | bwd: 2 | bwd_inner: 2 | bwd_allreduce: 0 | step: 3
        [...] [Rank 0] time (ms) | fwd_microstep: 1063.1 | bwd_microstep: 9 | step_microstep: 8
        [...] [Rank 0] time (ms) | fwd: 4254.60 | bwd: 9 | bwd_inner: 9 | bwd_allreduce: 0 | step: 8
        # other keys in another order, whole numbers and wide ones: 1.5 2.5 3.5 - -; \
        640 25131234 0.123456789 - -
        time (ms) | step: 3.5 | new: 9 | bwd_inner: 8 | bwd: 2.5 | other_step: 7 | fwd: 1.5
        [...] time (ms) | fwd:   640 | bwd: 25131234 | step:0.123456789
        # a pipeline engine that measured nothing: 0 0 0 - -
        [...] [Rank 0] time (ms) | fwd: 0.00 | bwd: 0.00 | bwd_inner: 0.00 | bwd_allreduce: 0.00 | step: 0.00
        # the iteration line of these logs: 1 2 3 17415.9 12.81
        [Rank 0] time (ms) | fwd: 1 | bwd: 2 | step: 3
         elapsed_time 17.415922 | consumed samples:            3 | consumed tokens:         6144 | \
        elapsed time per iteration (ms): 17415.9 | learning rate: 2.684E-04 | lm loss: 1.538147E+01 | \
        number of nan iterations:   0 | samples per second: 0.057 | TFLOPs: 12.81 |
        # Megatron-LM's, argonne's and argonne's later ones: 1 2 3 1234.5 412.3; 4 5 6 16030.6 144.87; \
        7 8 9 16030.7 49.66
        [Rank 0] time (ms) | fwd: 1 | bwd: 2 | step: 3
         [2024-05-01 10:00:00.123456] iteration        3/     100 | consumed samples:          768 | \
        elapsed time per iteration (ms): 1234.5 | throughput per GPU (TFLOP/s/GPU): 412.3 | energy: 7 |
        [Rank 0] time (ms) | fwd: 4 | bwd: 5 | step: 6
        [2024-04-21 02:45:24][INFO][training:1251] -  iteration=       3/  317892 | \
        elapsed_time_per_iteration_ms=16030.6 | learning_rate=1.0E-05 | TFLOPs=144.87 |
        [Rank 0] time (ms) | fwd: 7 | bwd: 8 | step: 9
        [2024-04-21 02:45:24][INFO][training:1251] -  iteration=       3/  317892 | \
        elapsed_time_per_iteration_ms=16030.7 | [LM]-TFLOPs=49.66 | [DS]-TFLOPs=73.32 |
        # log-interval 2: 1 2 3 - -; 4 5 6 17.5 -; 7 8 9 - -
        [Rank 0] time (ms) | fwd: 1 | bwd: 2 | step: 3
        [Rank 0] time (ms) | fwd: 4 | bwd: 5 | step: 6
         elapsed time per iteration (ms): 17.5 |
        [Rank 0] time (ms) | fwd: 7 | bwd: 8 | step: 9
        # timing lines before and between iteration lines lost: 1 2 3 17.5 -; 7 8 9 - -
         elapsed time per iteration (ms): 16.5 |
        [Rank 0] time (ms) | fwd: 1 | bwd: 2 | step: 3
         elapsed time per iteration (ms): 17.5 |
         elapsed time per iteration (ms): 18.5 |
        [Rank 0] time (ms) | fwd: 7 | bwd: 8 | step: 9
        # pdsh on two nodes, accelerate: 1 2 3 17.5 12.81; 4 5 6 18.5 13.81
        x3104c0s1b0n0: [...] [Rank 0] time (ms) | fwd: 1 | bwd: 2 | step: 3
        x3104c0s25b0n0:  elapsed time per iteration (ms): 17.5 | TFLOPs: 12.81 |
        stdout: [...] [Rank 0] time (ms) | fwd: 4 | bwd: 5 | step: 6
        stdout:  elapsed time per iteration (ms): 18.5 | TFLOPs: 13.81 |
        # tqdm, colours and timers of other ranks: 1 2 3 - -; 4 5 6 - -; 7 8 9 - -
          0%|          | 1/345 [00:01<06:50,  1.23s/it]\r  3%|###       | 12/345 [00:07<06:50,  1.23s/it]\
        [...] [Rank 0] time (ms) | fwd: 1 | bwd: 2 | step: 3
        \033[92m[OKAY]\033[0m
        \033[33m[Rank 0] time (ms) | fwd: 4 | bwd: 5 | step: 6\033[0m
        <TIMER:interval-time,7.38>[Rank 0] time (ms) | fwd: 7 | bwd: 8 | step: 9<TIMER:interval-time,7.38>

        x3104c0s1b0n0:\040
        # its iteration line or another rank's text glued to it: 1 2 3 17.5 12.81; 4 5 6 - -; 7 8 9 - -
        [Rank 0] time (ms) | fwd: 1 | bwd: 2 | step: 3 elapsed time per iteration (ms): 17.5 | TFLOPs: 12.81 |
        [Rank 0] time (ms) | fwd: 4 | bwd: 5 | step: 6[Rank 1] hello
        [Rank 1] saving [...] [Rank 0] time (ms) | fwd: 7 | bwd: 8 | step: 9
        # several ranks: 1 2 3 - -; 4 5 6 - -
        [Rank 0] time (ms) | fwd: 1 | bwd: 2 | step: 3
        [Rank 1] time (ms) | fwd: 9 | bwd: 9 | step: 9
        [Rank 0] time (ms) | fwd: 4 | bwd: 5 | step: 6
        [Rank 1] time (ms) | fwd: 9 | bwd: 9 | step: 9
        # another rank first: 9 9 9 - -
        [Rank 12] time (ms) | fwd: 9 | bwd: 9 | step: 9
        [Rank 0] time (ms) | fwd: 1 | bwd: 2 | step: 3
        """;

    @TestFactory Stream<DynamicTest> linesAreReadAsTheyArePrinted() {
        String stamp = "[2024-03-29 23:29:03,031] [INFO] [logging.py:96:log_dist]";
        return Stream.of(PRINTED.replace("[...]", stamp).split("(?m)^# ")).skip(1).map(one -> {
            String[] title = one.substring(0, one.indexOf('\n')).split(": ");
            return reads(title[0], title[1], one.substring(one.indexOf('\n') + 1));
        });
    }

    /** Lines that are printed beside timing lines and have some of their words. */
    @ParameterizedTest @ValueSource(strings = {
        "forward_microstep: 1.5 | backward_microstep: 2.5 | step_microstep: 0.92",
        "fwd_microstep: 356.47 | bwd_microstep: 8631.21 | step_microstep: 7984.00",
        "optimizer_step: 7894.29",
        "optimizer_step: 183957.88 | optimizer_swap_out_state: 167872.95 | optimizer_swap_in_state: 9883.42",
        "swap_out_state: 12.5 | swap_in_state: 8.5",
        "optimizer_allgather: 7.96 | optimizer_gradients: 0.02 | optimizer_step: 60.64",
        "compute_norm: 1.1 | overflow_check: 2.2 | unscale_and_clip: 3.3 | basic_step: 4.4 | update: 5.5",
        "fwd: 12.34 (fwd_moe: 3.21, 1st_a2a: 0.5, 2nd_a2a: 0.6, top_k: 0.1)",
        "forward: 12.34 (forward_moe: 3.21, 1st alltoall: 0.5, 2nd alltoall: 0.6, top-k: 0.1)",
        "batch_input: 1.00 | fwd_microstep: 2.00 | bwd_microstep: 3.00 | step_microstep: 4.00",
        "pipe_send_output: 1.0 | pipe_send_grad: 2.0 | pipe_recv_input: 3.0 | pipe_recv_grad: 4.0",
        "forward-compute: 2095.72 | backward-compute: 6152.69 | optimizer: 88.1 | batch-generator: 2.5",
        "fwd: 1.00 | bwd: 2.00 | optimizer_step: 3.00",
        "fwd: 1.00 | bwd_inner: 2.00 | bwd_allreduce: 2.00 | step: 3.00",
        "fwd_moe: 1.00 | bwd: 2.00 | step: 3.00",
        "bwd: 2.00 | step: 3.00",
        "fwd: 1.00 | bwd: 2.00\r | step: 3.00",
        "\n(min, max) time across ranks (ms):\n    forward-backward ....: (1.23, 4.56)\n    rank  0: 1.23",
        "\nsteps: 10 loss: 9.1234 iter time (s): 0.512 samples/sec: 31.250",
        "\nstep=3, skipped=0, lr=[0.0001], mom=[(0.9, 0.95)]",
        "\nepoch=0/micro_step=3/global_step=3, RunningAvgSamplesPerSec=0.5"})
    void otherLinesAreNotTaken(String line) throws IOException {
        String text = "[2024-03-29 23:29:03,031] [INFO] [Rank 0] time (ms) | " + line + "\n";
        assertEquals("11 12 13 - -; 21 22 23 - -",
            read(text + Sample.timing(11, 12, 13) + text + Sample.timing(21, 22, 23) + text));
    }

    @TestFactory Stream<DynamicTest> damageOfALog() {
        String one = Sample.iteration(1, "640.92", "2513.51", "4112.11"), two = Sample.iteration(2, 4, 5, 6);
        String both = "640.92 2513.51 4112.11 7501 61.5; 4 5 6 7502 62.5", hole = "\0".repeat(15_036);
        String first = Sample.timing(1, 2, 3), last = Sample.timing(4, 5, "900.33");
        String bytes = IntStream.range(1, 256).mapToObj(b -> (char) b + "").collect(Collectors.joining());
        return Stream.of(
            reads("undamaged", both, one + two),
            reads("CR", both, (one + two).replace('\n', '\r')),
            reads("CR LF", both, (one + two).replace("\n", "\r\n")),
            reads("any bytes", both, bytes + one + bytes + two + bytes),
            reads("NULs before it", both, hole + one + two),
            reads("NULs between iterations", both, one + hole + two),
            reads("NULs in another line", both, one + "half a li" + hole + "ne\n" + two),
            reads("NULs in a timing line", "4 5 900.33 - -", first.replace("| bwd:", hole + "| bwd:") + last),
            reads("NULs for its end", "4 5 900.33 - -", first.strip() + hole + last),
            reads("a timing line being written", "1 2 3 - -", first + last.replace("00.33\n", "")),
            reads("its end not yet written", "1 2 3 - -", first + last.strip()),
            reads("another line being written", "1 2 3 - -", first + "elapsed time per iteration (ms): 7"),
            reads("nothing", "", ""));
    }

    @ParameterizedTest @ValueSource(strings = {"nan", "NaN", "inf", "-1.00", "1.2.3", "0x10", "640,92", "***",
        "12a", "+5", "1e999", "--", "None", "(640.92)", "1e3"})
    void timesThatAreNoNumbersAreRefused(String time) {
        String good = Sample.timing(1, 2, 3);
        for (String bad : List.of("fwd: 1", "bwd: 2", "step: 3")) {
            refuses(() -> read(good + good.replace(bad, bad.split(" ")[0] + " " + time)), "some.log", time);
        }
    }

    static void refuses(Executable call, Object... words) {
        Cli.assertSays(assertThrows(IllegalArgumentException.class, call).getMessage(), words);
    }

    /** Reading takes of an endless log what its first lines cost, with and without iteration lines. */
    @ParameterizedTest @ValueSource(strings = {"nothing", ITERATION_LINES})
    void readingStopsAfterTheIterationAskedFor(String lost) throws IOException {
        String text = (RUN + RUN).replaceAll(lost, "") + "more\n".repeat(20_000);
        InputStream endless = new ByteArrayInputStream(text.getBytes()) {
            @Override public synchronized int read(byte[] to, int from, int length) {
                assertTrue(pos < 50_000, "it reads on, though it has what was asked for");
                return super.read(to, from, length);
            }
        };
        List<double[]> five = Subgroup.iterations(Path.of("some.log"), endless, 5);
        assertTrue(plain(five.get(4)).matches("13 16 19 (7505 65.5|- -)"), plain(five.get(4)));
    }

    /** Of a damaged log the same is read as by a second, plain reading, or it is refused. */
    @Test void damagedLogsAreReadRightOrRefused() throws IOException {
        int refused = 0;
        for (int seed = 1; seed <= 1000; seed++) {
            Random random = new Random(seed);
            String text = RUN_OF_EIGHT;
            for (int times = random.nextInt(3); times >= 0; times--) {
                text = damaged(random, text);
            }
            String[] plainly = readPlainly(text).split("[; ]+");
            try {
                String[] read = read(text).split("[; ]+");
                // Of elapsed time and TFLOPs one may find what the other does not, if a name is damaged.
                IntStream.range(0, Math.min(read.length, plainly.length))
                    .filter(i -> i % 5 > 2 && (read[i] + plainly[i]).contains("-"))
                    .forEach(i -> read[i] = plainly[i]);
                assertArrayEquals(plainly, read, "seed " + seed);
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().contains("some.log"), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > 20 && refused < 200, refused + " of 1000 refused");
    }

    static final String RUN_OF_EIGHT = IntStream.rangeClosed(1, 8).mapToObj(i -> Sample.iteration(i,
        640 + i + ".92", 2500 + i + ".51", 4100 + i + ".11")).collect(Collectors.joining());

    /** A text in which bytes or lines are changed, inserted, doubled, cut out or swapped. */
    static String damaged(Random random, String text) {
        int at = random.nextInt(text.length()), end = Math.min(text.length(), at + random.nextInt(200));
        char any = "0123456789.:| []\n\r\0,-efkmsw".charAt(random.nextInt(27));
        String before = text.substring(0, at), there = text.substring(at, end), after = text.substring(end);
        List<String> lines = Arrays.asList(text.split("(?<=\n)"));
        int line = at % lines.size(), other = end % lines.size();
        return switch (random.nextInt(7)) {
            case 0 -> before + any + text.substring(at + 1);
            case 1 -> before + any + there + after;
            case 2 -> before + text.substring(at + 1);
            case 3 -> before + after;
            case 4 -> before + there + there + after;
            case 5 -> text.replace(lines.get(line), "");
            default -> {
                Collections.swap(lines, line, other);
                yield String.join("", lines);
            }
        };
    }

    /** The second reading: of a line what each rank says between bars, each a name, a colon and a number. */
    static String readPlainly(String text) {
        List<String[]> found = new ArrayList<>();
        String lines = text.substring(0, Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1);
        String first = null;
        for (String line : lines.split("[\n\r]")) {
            String whole = line.substring(line.lastIndexOf('\0') + 1);
            for (String said : whole.contains("ms") ? whole.split("(?=\\[Rank )") : new String[0]) {
                String rank = said.replaceFirst("(?s)^\\[Rank (\\d*).*|.*", "$1");
                String[] timing = {after(said, "fwd:"), after(said, "bwd:"), after(said, "step:"), "-", "-"};
                if (!List.of(timing).subList(0, 3).contains("-")) {
                    first = first == null ? rank : first;
                    found.addAll(rank.equals(first) ? List.<String[]>of(timing) : List.of());
                }
            }
            String[] last = found.isEmpty() ? new String[] {"", "", "", "", ""} : found.get(found.size() - 1);
            String elapsed = "elapsed time per iteration (ms):", tflops = "TFLOPs:";
            if (whole.contains(elapsed) && last[3].equals("-")) {
                last[3] = number(whole.substring(whole.indexOf(elapsed) + elapsed.length()));
                last[4] = whole.contains(tflops) ? number(whole.substring(whole.indexOf(tflops) + 7)) : "-";
            }
        }
        return found.stream().map(numbers -> String.join(" ", numbers)).collect(Collectors.joining("; "));
    }

    /** The number after a name that stands at a bar, or -. */
    static String after(String said, String name) {
        return Stream.of(said.split("\\|")).skip(1).map(String::stripLeading)
            .filter(field -> field.startsWith(name))
            .map(field -> number(field.substring(name.length()))).findFirst().orElse("-");
    }

    static String number(String text) {
        String digits = text.strip().split("[\\s|\\[<]", 2)[0];
        return digits.matches("[0-9]+(\\.[0-9]+)?") ? plain(Double.parseDouble(digits)) : "damaged:" + digits;
    }

    static Subgroup.Run run(String name) {
        return new Subgroup.Run(Path.of("act-output", "8.3B", "x", "..", "log-" + name + ".log"));
    }

    /** A name and some of its keys, what is derived from them, too; where the folder is said, all. */
    @ParameterizedTest @CsvSource(delimiter = ';', textBlock = """
        13B-tp1-dp4-l40-gbs16-mbs4-ratio1-subg100000000-prefetch1-flush_async1-opt_gaps5; approach=DOS dp=4 \
        flush_async=1 folder=8.3B ga=1 gbs=16 l=40 mbs=4 model=13B opt_gaps=5 prefetch=1 ratio=1 stride=1/5 \
        subg=100000000 tp=1
        7B-subg5K-z9T-tp2; approach=ZeRO-3 folder=8.3B model=7B stride=ZeRO-3 subg=5000 tp=2 z=9000000000000
        8.3B-ratio0.65-lr1e-4-v2release-newkey1.5; lr=1.0E-4 model=8.3B newkey=1.5 ratio=0.65 v=2release
        llama-7b-tp1-dp1-subg1e9; model=llama-7b tp=1 subg=1000000000
        gpt2-tp1-subg1.5B; model=gpt2 subg=1500000000
        gpt2; model=gpt2
        7B-ratio0.50-vast-subg100M; ratio=0.5 subg=100000000
        7B-ratio1.0-gbs64-mbs4-dp2; ratio=1 ga=8 subg=none
        7B-gbs16-mbs4; ga=none
        7B-gbs4-mbs0-dp1; ga=none
        7B-prefetch0-opt_gaps5; approach=ZeRO-3 stride=ZeRO-3
        7B-prefetch0-flush_async1-opt_gaps5; approach=BW-only stride=BW-only
        7B-prefetch1-subg100m; approach=Prefetch-only subg=100000000
        7B-prefetch1-flush_async0; approach=Prefetch-only
        7B-prefetch1-flush_async1-opt_gaps10; stride=1/10""")
    void aNameSaysItsKeys(String name, String said) {
        String[] keys = said.split(" ");
        for (String key : keys) {
            assertEquals(key.replaceFirst(".*=", ""), run(name).get(key.replaceFirst("=.*", "")), key);
        }
        assertTrue(!said.contains("folder=") || run(name).keys().size() == keys.length, "and no others");
    }

    static final String RUN = Sample.run(11, 12, 13), ITERATION_LINES = " elapsed_time.*\n";

    @TempDir Path tmp;

    /** The runs that a command line chooses and what is said of them; nothing is drawn. */
    record Chosen(Subgroup script, List<Subgroup.Run> runs) {
        static Chosen of(Object... args) throws IOException {
            Subgroup script = new Subgroup();
            new CommandLine(script).setOverwrittenOptionsAllowed(true).parseArgs(Cli.words(args));
            return new Chosen(script, script.read(List.of("subg")));
        }

        String sizes() { return runs.stream().map(run -> run.get("subg")).collect(Collectors.joining(" ")); }

        String numbers(int run) { return plain(runs.get(run).means()); }

        String notes() { return String.join("\n", script.notes); }
    }

    Path log(String name, String text) throws IOException {
        return Sample.write(tmp.resolve("logs"), "log-" + name + ".log", text);
    }

    /** A folder of logs of these names. */
    Path logs(String... names) throws IOException {
        for (String name : names) {
            log(name, RUN);
        }
        return tmp.resolve("logs");
    }

    @ParameterizedTest @CsvSource({"3, 11 12 13 7503 63.5", "1, 9 8 1013 7501 61.5", "5, 13 16 19 7505 65.5",
        "2-4, 11 12 13 7503 63.5", "4-4, 12 14 16 7504 64.5", "mean, 11.5 13 14.5 7503.5 64",
        "4-10, 12.5 15 17.5 7504.5 65"})
    void theIterationIsChosen(String iteration, String numbers) throws IOException {
        Chosen chosen = Chosen.of(logs("7B-subg1"), "--iteration=1", "--iteration=" + iteration);
        assertEquals(numbers, chosen.numbers(0));
        assertTrue(chosen.notes().matches("1 run.*\\b" + iteration + "\\b.*"), chosen.notes());
        log("7B-subg1", RUN.replaceAll(ITERATION_LINES, ""));
        assertEquals(numbers.replaceFirst("( \\S+){2}$", " - -"),
            Chosen.of(tmp.resolve("logs"), "--iteration=" + iteration).numbers(0), "no iteration lines");
    }

    @Test void theMeanIsThatOfTheLinesThereAre() throws IOException {
        log("7B-subg2", RUN + Sample.iteration(6, 14, 18, 22));
        Chosen chosen = Chosen.of(logs("7B-subg1"), "--iteration=2-10");
        assertEquals("11.5 13 14.5 7503.5 64", chosen.numbers(0));
        assertEquals("12 14 16 7504 64.5", chosen.numbers(1));
        Path log = tmp.resolve("logs/log-7B-subg1.log");
        assertEquals("2 runs, means of 5 timing lines, 2-10\n[" + log + "]: only 4 timing lines",
            chosen.notes());
        log("7B-subg1", Sample.timing(1, 2, 3) + Sample.iteration(2, 4, 5, 6) + RUN);
        assertEquals("2.5 3.5 4.5 7502 62.5", Chosen.of(log, "--iteration=1-2").numbers(0));
    }

    /** Runs that differ in many things; two say the same number in two ways. */
    Path grid() throws IOException {
        return logs("7B-gbs4-mbs4-dp1-ratio1-subg1-prefetch0", "7B-gbs4-mbs1-dp1-ratio1.0-subg2-prefetch1",
            "7B-gbs8-mbs4-dp2-ratio0.5-subg3-prefetch0-flush_async1", "7B-gbs8-mbs8-dp1-subg4-tmp",
            "13B-gbs4-mbs4-dp1-ratio0.50-subg5e8-prefetch1-flush_async1-opt_gaps5");
    }

    @ParameterizedTest @CsvSource(delimiter = ';', value = {"mbs=4; 1 3 500000000", "mbs!=4; 2 4",
        "mbs=1,8; 2 4", "mbs!=1,8; 1 3 500000000", "ratio=1; 1 2", "ratio=1.0; 1 2", "ratio=1e0; 1 2",
        "ratio=0.5; 3 500000000", "ratio!=0.5,1; 4", "ga=4; 2", "model=13B; 500000000",
        "model=13000M,7B; 1 2 3 4 500000000", "subg=500M; 500000000", "subg=0.5B,1e0; 1 500000000",
        "folder=logs; 1 2 3 4 500000000", "approach=BW-only,DOS; 3 500000000",
        "approach!=ZeRO-3; 2 3 500000000", "stride=1/5; 500000000", "ratio=none; 4",
        "mbs=4 --where=ratio!=0.50 --where=model=7B; 1"})
    void whereChoosesByTheName(String condition, String sizes) throws IOException {
        String line = grid() + " --where=" + condition;
        assertEquals(sizes, Chosen.of((Object[]) line.split(" ")).sizes());
    }

    @ParameterizedTest @CsvSource(delimiter = ';', textBlock = """
        nbs=4; approach|dp|flush_async|folder|ga|gbs|mbs|model|opt_gaps|prefetch|ratio|stride|subg
        nbs=none; approach|dp|flush_async|folder|ga|gbs|mbs|model|opt_gaps|prefetch|ratio|stride|subg
        mbs=4,77; [1, 4, 8]
        mbs!=77; has no run|[1, 4, 8]
        mbs=4=4; [1, 4, 8]
        mbs!=1,4,8; no run is left|(--where)
        approach=dos; [ZeRO-3, BW-only, Prefetch-only, DOS]""")
    void whatWhereDoesNotKnowIsAnsweredWithWhatThereIs(String where, String known) throws IOException {
        Path folder = grid();
        refuses(() -> Chosen.of(folder, "--where=" + where), (Object[]) (where + "|" + known).split("\\|"));
    }

    @ParameterizedTest @ValueSource(strings = {"--iteration=9999999999", "--iteration=1-2-3", "--iteration=0",
        "--iteration=Mean", "--iteration=two", "--iteration=2.5", "--iteration=1e3", "--where=mbs", "--name=",
        "--iteration=-1", "--iteration=3-", "--iteration=3 ", "--iteration=", "--where=", "--name=a/b"})
    void aWrongCommandLineIsSaid(String option) throws IOException {
        Cli.script(new Subgroup(), grid(), option).failed(2, option.split("=")[0]);
    }

    @Test void runsAreSortedBySizeFromFoldersAndFiles() throws IOException {
        logs("7B-subg3000000000", "7B-subg10000000", "7B-subg5e8", "7B-subg1B", "7B-subg1e8", "7B-subg50M");
        Path other = Sample.write(tmp.resolve("b c"), "log-7B-subg7.log", RUN);
        Sample.write(tmp.resolve("b c"), "log-7B-subg8.log", RUN);
        for (String no : List.of("notes.txt", "log-7B-subg1-monitor.csv", "log-7B-subg7.log~", "log.log")) {
            Sample.write(tmp.resolve("logs"), no, RUN);
        }
        assertEquals("7 10000000 50000000 100000000 500000000 1000000000 3000000000",
            Chosen.of(tmp.resolve("logs"), other).sizes());
    }

    @Test void twoRunsInOnePlaceAreNamedWithAllThatTellsThemApart() throws IOException {
        Path a = log("7B-dp1-gbs4-subg1", RUN), b = log("7B-dp2-gbs8-subg1", RUN);
        Path logs = logs("7B-dp4-gbs16-subg2");
        refuses(() -> Chosen.of(logs), a, b, "--where", "dp=[1, 2, 4]", "gbs=[4, 8, 16]");
        assertEquals("1 2", Chosen.of(logs, "--where=dp!=2").sizes());
        Path c = Sample.write(tmp.resolve("c"), a.getFileName() + "", RUN);
        refuses(() -> Chosen.of(a, c), a, c, "folder=[c, logs]");
        refuses(() -> Chosen.of(a, a), a);
        refuses(() -> Chosen.of(log("7B-gbs1-dp1-tp1-subg1", RUN), log("7B-gbs2-dp2-tp1-subg1", RUN),
            log("7B-gbs4-dp1-tp1-subg1", RUN)), "from {dp=[1, 2], gbs=[1, 2, 4]}, or");
        refuses(() -> Chosen.of(log("7B-subg100M", RUN), log("7B-subg1e8", RUN)), "100M", "1e8");
    }

    /** Runs, and in what they differ beside the subgroup size. */
    @ParameterizedTest @CsvSource(delimiter = ';', nullValues = "-", textBlock = """
        7B-l32-h4096-a32-dp1-gbs4-mbs4 13B-l40-h5120-a40-dp1-gbs1-mbs1; mbs=[1, 4], model=[7B, 13B]
        7B-l32-dp1-gbs4-mbs4 7B-l32-dp2-gbs8-mbs4; dp=[1, 2]
        7B-dp1-gbs4-mbs4 7B-dp1-gbs16-mbs4; ga=[1, 4]
        7B-dp1-gbs8-lr0.01 7B-dp1-gbs4-lr3e-4 7B-dp1-gbs4-lr0.00005; gbs=[4, 8], lr=[5.0E-5, 3.0E-4, 0.01]
        7B-prefetch0-opt_gaps5 7B-prefetch1-flush_async1-opt_gaps5; approach=[ZeRO-3, DOS]
        7B-prefetch1-flush_async1-opt_gaps2 7B-prefetch1-flush_async1-opt_gaps5; stride=[1/2, 1/5]
        7B-prefetch1-flush_async1-opt_gaps2 7B-prefetch1-flush_async1-opt_gaps5 7B-prefetch0; \
        approach=[ZeRO-3, DOS], stride=[ZeRO-3, 1/2, 1/5]
        20B-l64-h4096 20B-l40-h4096; l=[40, 64]
        13B-l40 20B-l64 20B-l40; l=[40, 64], model=[13B, 20B]
        llama-70b llama-13b llama-7b; model=[llama-7b, llama-13b, llama-70b]
        7B-dp1-gbs4-mbs4 7B-dp1-gbs4-mbs4; -""")
    void inWhatElseRunsDifferIsSaid(String names, String said) throws IOException {
        String[] each = names.split(" ");
        Chosen chosen = Chosen.of(logs(IntStream.range(0, each.length).mapToObj(i -> each[i] + "-subg" + i)
            .toArray(String[]::new)));
        String notes = chosen.notes();
        assertEquals(said, notes.contains("{") ? notes.replaceAll("(?s).*differ[^{]*\\{|}.*", "") : null);
        chosen.script.notes.clear();
        chosen.script.compare(chosen.runs, List.of("subg", "stride"));
        assertFalse(chosen.notes().contains("approach"), "it follows from the stride: " + chosen.notes());
    }

    @Test void runsThatFailedKeepTheirPlaces() throws IOException {
        Path logs = log("7B-subg100", "a line\n").getParent();
        refuses(() -> Chosen.of(logs), logs, "wall_clock_breakdown", "3");
        Path two = log("7B-subg200", Sample.iteration(1, 1, 2, 3) + Sample.iteration(2, 1, 2, 3));
        Path zero = log("7B-subg400", RUN.replaceAll("(fwd|bwd|step): [0-9.]+", "$1: 0.00"));
        Path empty = log("7B-subg300", ""), none = log("7B-tp1-dp1", RUN);
        Chosen chosen = Chosen.of(logs("7B-subg100", "7B-subg500"));
        assertEquals("100 200 300 400 500", chosen.sizes());
        assertEquals(List.of(false, true, true, true, false),
            chosen.runs.stream().map(Subgroup.Run::failed).toList());
        IntStream.range(1, 4).forEach(i -> assertEquals("- - - - -", chosen.numbers(i), "of a failed run"));
        String failed = ": failed";
        Cli.assertSays(chosen.notes(), two + failed, zero + failed, empty + failed, none + ": left out");
    }

    /** The numbers that a log says of every second iteration, each of 4 samples, and what is said of them. */
    @ParameterizedTest @CsvSource(delimiter = ';', nullValues = "-", value = {"1 2 3 4 5; -",
        "1 2 3 7 8; 12 to 28: lines are missing", "1 2 3 1 2 3; 4 comes again: two runs in one log",
        "1 1; 4 comes again: two runs in one log", "1 2 3 3 4; 12 comes again: two runs in one log",
        "2 4 6 8; -", "7 8 9; -", "7 9 10; 28 to 36: lines are missing",
        "8 9 1 2; 4 comes again: two runs in one log"})
    void iterationsThatAreMissingOrComeAgainAreSaid(String numbers, String said) throws IOException {
        String text = Stream.of(numbers.split(" ")).map(number -> Sample.timing(1, 2, 3)
            + Sample.iteration(Integer.parseInt(number), 1, 2, 3)).collect(Collectors.joining());
        for (String count : List.of("$0", "iteration $1/     100")) {
            Path log = log("7B-subg1", text.replaceAll("consumed samples: ( +\\d+)", count));
            String notes = Chosen.of(log, "--iteration=1-99").notes().replaceFirst("\n?1 run.*$", "");
            assertEquals(said == null ? "" : log + ": " + said, notes);
        }
    }

    /** What the files are called tells choices apart. */
    @ParameterizedTest @CsvSource(delimiter = ';', textBlock = """
        7B-subgroup; --csv
        7B-subgroup-dp4; --where=dp=4
        7B-subgroup-iteration2-3; --iteration=2-3
        7B-subgroup-dp4-mean; --where=dp=4 --iteration=mean
        7B-subgroup-dp-not-1; --where=dp!=1
        7B-subgroup-dp1,4-tp1; --where=dp=1,4 --where=tp=1""")
    void theFilesAreCalledAfterWhatIsChosen(String name, String options) throws IOException {
        String line = logs("7B-tp1-dp4-subg1", "7B-tp1-dp1-subg2") + " " + options;
        Chosen chosen = Chosen.of((Object[]) line.split(" "));
        assertEquals(name, chosen.script.name(chosen.runs, "subgroup"));
    }
}
