import com.sun.management.ThreadMXBean;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * Damaged and hostile inputs, over 1,000 of them: whatever a script is given, it draws a whole figure or says in one
 * line why not, soon, with the inputs and the old figure as they were. A case that fails is named, such as numbers:17;
 * with FAULT=numbers:17 in the environment that one runs alone and its files stay.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class FaultTest {
    static final long SEED = 20240329;
    /** What stops a case that hangs, or takes too much: far beyond what any needs, on however slow a machine. */
    static final int SECONDS = 60;
    static final long ALLOCATED = 2_000_000_000L;
    static final int HEAP_MB = 160;
    static final int SHOWN = 40;
    static final String GOOD = "nothing damaged";

    static final Map<String, Function<String[], Integer>> SCRIPTS = Map.of(
        "Subgroup", args -> Subgroup.execute(new Subgroup(), args),
        "Memory", args -> Memory.execute(new Memory(), args),
        "Breakdown", args -> Breakdown.execute(new Breakdown(), args),
        "Throughput", args -> Throughput.execute(new Throughput(), args),
        "Utilization", args -> Utilization.execute(new Utilization(), args));

    // ---- the cases ----

    @ParameterizedTest
    @CsvSource({"Subgroup, 90", "Breakdown, 90", "Throughput, 70", "Utilization, 130", "Memory, 170"})
    void bytesAndLines(String script, int count) {
        List<Base> bases = bases(script);
        run(script, IntStream.range(0, count).mapToObj(i -> new Case(bases.get(i % bases.size()), Damage::anyFile)));
    }

    /** What all else starts from is good: else the damage would show nothing. */
    @Test void nothingDamaged() {
        run("good", SCRIPTS.keySet().stream().sorted().flatMap(script -> bases(script).stream())
            .map(base -> new Case(base, (in, random) -> GOOD)));
    }

    @Test void numbersInLogs() {
        List<Base> bases = SCRIPTS.keySet().stream().sorted().filter(script -> !script.equals("Memory"))
            .map(script -> bases(script).get(0)).toList();
        List<Case> cases = new ArrayList<>();
        for (String field : List.of("fwd", "bwd", "step", "elapsed time per iteration (ms)", "TFLOPs")) {
            for (String number : Damage.NUMBERS) {
                Base base = bases.get(cases.size() % bases.size());
                boolean all = cases.size() / bases.size() % 2 == 0;
                cases.add(new Case(base, (in, random) -> Damage.replace(in, ".*[^r]\\.log", random, all,
                    "[| ]" + Pattern.quote(field) + ": *([\\d.]+)", number)));
            }
        }
        run("numbers", cases.stream());
    }

    @Test void momentsInLogs() {
        Base log = bases("Memory").get(1), timer = bases("Utilization").get(0);
        Stream<Case> stamps = Damage.STAMPS.stream().flatMap(stamp -> Stream.of(true, false).map(all -> new Case(log,
            (in, random) -> Damage.replace(in, ".*\\.log", random, all, "\\[(\\d{4}-\\d\\d-\\d\\d [\\d:,]+)", stamp))));
        Stream<Case> timers = Damage.NUMBERS.stream().flatMap(number -> Stream.of("start", "end").map(end -> new Case(
            timer, (in, random) -> Damage.replace(in, ".*\\.log", random, false, "TIMER:step_" + end + ",(\\d+)",
            number))));
        run("moments", Stream.concat(stamps, timers));
    }

    @Test void numbersInMonitors() {
        List<Base> bases = List.of(bases("Memory").get(0), bases("Utilization").get(0));
        List<Case> cases = new ArrayList<>();
        for (int column : new int[] {0, 1, 2, 4, 7}) {
            for (String number : Damage.NUMBERS) {
                boolean all = cases.size() / 2 % 2 == 0;
                cases.add(new Case(bases.get(cases.size() % 2), (in, random) -> Damage.replace(in, ".*-monitor\\.csv",
                    random, all, "(?m)^(?:[^,\\n]*,){" + column + "}(\\d[^,\\r\\n]*)", number)));
            }
        }
        run("monitors", cases.stream());
    }

    @Test void names() {
        List<Base> bases = SCRIPTS.keySet().stream().sorted().map(script -> bases(script).get(0)).toList();
        List<Case> cases = new ArrayList<>();
        for (String name : Damage.NAMES) {
            for (int i = 0; i < 3; i++) {
                Base base = bases.get(cases.size() % bases.size());
                int place = i;
                cases.add(new Case(base, (in, random) -> Damage.name(in, random, place, name)));
            }
        }
        for (String stem : List.of("log-", "log", "", "-", "--", ".", "..", "log--", "log-7B-", "\n", "%", "#?",
            "x".repeat(238))) {
            cases.add(new Case(bases("Memory").get(0), (in, random) -> Damage.name(in, random, 3, stem)));
            cases.add(new Case(bases("Subgroup").get(0), (in, random) -> Damage.name(in, random, 3, stem)));
        }
        run("names", cases.stream());
    }

    @Test void captures() {
        List<Base> bases = bases("Memory").stream().filter(base -> base.files.contains("sqlite")).toList();
        List<Case> cases = new ArrayList<>();
        for (String statement : Damage.statements()) {
            Base base = bases.get(cases.size() % bases.size());
            cases.add(new Case(base, (in, random) -> Damage.execute(in, statement)));
        }
        run("captures", cases.stream());
    }

    @Test void commandLines() {
        List<Case> cases = new ArrayList<>();
        for (String script : SCRIPTS.keySet().stream().sorted().toList()) {
            for (String option : Damage.OPTIONS) {
                cases.add(new Case(bases(script).get(0).with(option), (in, random) -> "unchanged"));
            }
        }
        run("options", cases.stream());
    }

    /** What could take forever or any amount of memory runs in a process of its own, which can be ended. */
    @ParameterizedTest
    @ValueSource(strings = {"Memory 0 monitor\\.csv", "Memory 1 \\.log", "Utilization 0 monitor\\.csv",
        "Utilization 0 \\.log", "Subgroup 0 \\.log"})
    void lineOf100Megabytes(String where) throws Exception {
        String[] words = where.split(" ");
        Base base = bases(words[0]).get(Integer.parseInt(words[1]));
        apart(new Case(base, (in, random) -> Damage.longLine(Damage.pick(in, ".*" + words[2], random))));
    }

    @ParameterizedTest
    @CsvSource({"view, NVTX_EVENTS", "view, StringIds", "view, TARGET_INFO_SESSION_START_TIME",
        "view called a table, NVTX_EVENTS", "generated, NVTX_EVENTS", "generated, StringIds",
        "generated, TARGET_INFO_SESSION_START_TIME"})
    void endlessQuery(String kind, String table) throws Exception {
        apart(new Case(bases("Memory").get(0), (in, random) -> Damage.execute(in, Damage.endless(kind, table))));
    }

    @ParameterizedTest
    @CsvSource({"Subgroup, .log, mkfifo", "Memory, -monitor.csv, mkfifo", "Memory, .sqlite, mkfifo",
        "Utilization, -monitor.csv, mkfifo", "Subgroup, .log, ln -s /dev/zero",
        "Memory, -monitor.csv, ln -s /dev/zero", "Memory, .sqlite, ln -s /dev/zero",
        "Utilization, -monitor.csv, ln -s /dev/zero", "Subgroup, .log, ln -s .", "Memory, -monitor.csv, ln -s .",
        "Memory, .sqlite, ln -s .", "Utilization, -monitor.csv, ln -s ."})
    void noRegularFile(String script, String end, String command) throws Exception {
        apart(new Case(bases(script).get(0), (in, random) -> {
            Path file = Damage.pick(in, ".*\\Q" + end + "\\E", random);
            Files.delete(file);
            Cli.start(in, List.of(command.split(" ")), file).quiet();
            return command + " " + file.getFileName();
        }));
    }

    // ---- what they start from ----

    /** A folder and a pattern for its files, of which at most so many are taken; the options; the figure they give. */
    record Base(String script, Path folder, String files, int most, String figure, List<String> options) {
        Base with(String option) {
            return new Base(script, folder, files, most, figure, Stream.concat(options.stream(), Stream.of(option))
                .toList());
        }

        void copy(Path to, Random random) throws IOException {
            try (Stream<Path> all = Files.list(folder)) {
                List<Path> chosen = new ArrayList<>(all.filter(f -> f.getFileName().toString().matches(files)).sorted()
                    .toList());
                Collections.shuffle(chosen, random);
                for (Path file : chosen.subList(0, Math.min(most, chosen.size()))) {
                    Files.copy(file, to.resolve(file.getFileName()));
                    assertTrue(to.resolve(file.getFileName()).toFile().setWritable(true));
                }
            }
        }
    }

    static List<Base> bases(String script) {
        String mean = "--iteration=mean", approach = "--bars=approach";
        List<Base> all = switch (script) {
            case "Subgroup" -> List.of(base(script, "7B", "7B-subgroup"),
                base(script, "7B-scale-subg-size-motivation", "7B-subgroup", mean));
            case "Breakdown" -> List.of(base(script, "7B-scale-DP", "7B-data-parallel", "--groups=dp"),
                base(script, "20B-scale-twinflow", "20B-ratio-approach", "--groups=ratio", approach, mean),
                base(script, "7B-scale-GA-single-GPU", "7B-ga-approach", "--groups=ga", approach, mean),
                base(script, "7B-scale-TP-motivation", "7B-tensor-parallel", "--groups=tp"));
            case "Throughput" -> List.of(base(script, "13B-scale-gaps", "13B-throughput", mean, "--where=ga=1"),
                base(script, "13B-scale-gaps-scale-DP", "13B-throughput", mean, "--where=ga=1"));
            case "Utilization" -> List.of(new Base(script, folder("20B-scale-twinflow"), ".*ratio1\\.0.*", 99,
                "20B-utilization", List.of("--where=ratio=1")));
            case "Memory" -> List.of(memory("13B-monitor-mem-single-GPU", ".*\\.(csv|sqlite)", "13B-memory"),
                memory("13B-monitor-mem-single-GPU", ".*\\.(csv|log)", "13B-memory"),
                memory("plain", "plain.*(csv|sqlite)", "plain-memory"),
                memory("registered", "registered.*(csv|sqlite)", "registered-memory"));
            default -> throw new AssertionError(script);
        };
        return all.stream().filter(base -> Files.exists(base.folder)).toList();
    }

    private static Base base(String script, String name, String figure, String... options) {
        return new Base(script, folder(name), "log-.*\\.log", 8, figure, List.of(options));
    }

    private static Base memory(String name, String files, String figure) {
        return new Base("Memory", name.startsWith("13B") ? folder(name) : Cli.SHARED.resolve("nsys"), files, 99,
            figure, List.of());
    }

    private static Path folder(String name) {
        Path sample = Cli.ROOT.resolve("data/act-output-" + name);
        return Files.exists(sample) ? sample : Cli.SHARED.resolve("results/act-output-" + name);
    }

    // ---- how they are run ----

    /** Changes files of a folder and says what it did. */
    interface Change {
        String apply(Path in, Random random) throws Exception;
    }

    record Case(Base base, Change change) { }

    /** Runs the cases of a group, some side by side, and fails with all that do not end as they must. */
    static void run(String group, Stream<Case> stream) {
        List<Case> cases = stream.toList();
        String only = System.getenv().getOrDefault("FAULT", group + ":").replaceFirst("^" + group + ":", "");
        assumeTrue(only.matches("\\d*"), "not the one that FAULT names");
        ExecutorService pool = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors(),
            FaultTest::daemon);
        Map<Integer, Future<String>> running = new LinkedHashMap<>();
        for (int i = 0; i < cases.size(); i++) {
            int number = i;
            if (only.isEmpty() || only.equals("" + i)) {
                running.put(i, pool.submit(() -> new Trial(group, number, cases.get(number)).problem()));
            }
        }
        List<String> problems = new ArrayList<>();
        running.forEach((number, result) -> problems.addAll(await(group + ":" + number, result)));
        pool.shutdown();
        if (!problems.isEmpty()) {
            fail(problems.size() + " of " + cases.size() + " cases, seed " + SEED + ":\n"
                + String.join("\n", problems.subList(0, Math.min(SHOWN, problems.size()))));
        }
    }

    private static Thread daemon(Runnable cases) {
        Thread thread = new Thread(cases, "fault");
        thread.setDaemon(true);
        return thread;
    }

    private static List<String> await(String name, Future<String> result) {
        try {
            return Stream.ofNullable(result.get(SECONDS, TimeUnit.SECONDS)).map(problem -> name + " " + problem)
                .toList();
        } catch (TimeoutException e) {
            Thread.getAllStackTraces().forEach((thread, frames) -> {
                if (thread.getName().equals("fault")) {
                    Trial.ERR.println(name + ": one of these hangs: " + Arrays.asList(frames));
                }
            });
            throw new AssertionError(name + " is not done after " + SECONDS + " s; repeat it with FAULT=" + name);
        } catch (ExecutionException | InterruptedException e) {
            return List.of(name + " " + e.getCause());
        }
    }

    static void apart(Case what) throws Exception {
        assumeTrue(System.getenv("FAULT") == null, "not the one that FAULT names");
        String problem = new Trial("apart", 0, what) {
            @Override Cli start(List<String> args) throws Exception {
                Cli.Running running = Cli.begin(folder, Map.of(), Cli.java(List.of("-Xmx" + HEAP_MB + "m"),
                    what.base.script,
                    args.toArray()));
                if (!running.process().waitFor(SECONDS, TimeUnit.SECONDS)) {
                    running.process().destroyForcibly();
                    fail(done + ": hangs");
                }
                return running.await();
            }
        }.problem();
        if (problem != null) {
            fail(problem);
        }
    }

    @BeforeAll static void capture() {
        System.setOut(new PrintStream(Trial.WRITTEN, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(Trial.SAID, true, StandardCharsets.UTF_8));
    }

    @AfterAll static void release() {
        System.setOut(Trial.OUT);
        System.setErr(Trial.ERR);
    }

    /** One case: its folder, its run and what must hold then. */
    static class Trial {
        static final Pattern NOT_FOR_USERS = Pattern.compile(
            "unexpectedly|Exception in|\\n\\s|\\bat [\\w.$]+\\([\\w.]+:\\d+\\)|(?<!/)\\bnull\\b");
        static final PrintStream OUT = System.out, ERR = System.err;
        static final PerThread WRITTEN = new PerThread(), SAID = new PerThread();

        final Case what;
        final Path folder, in, plots;
        final Random random;
        String done;

        Trial(String group, int number, Case what) throws IOException {
            this.what = what;
            random = new Random(SEED + 1_000_003L * number + group.hashCode());
            folder = Files.createTempDirectory(System.getenv("FAULT") == null ? Cli.TMP : Path.of("/tmp"), "fault");
            in = Files.createDirectory(folder.resolve("in"));
            plots = Files.createDirectory(folder.resolve("plots"));
        }

        /** What is wrong with how it ends, or null. */
        String problem() throws Exception {
            what.base.copy(in, random);
            for (String end : List.of(".png", ".eps", ".csv")) {
                Files.writeString(plots.resolve(what.base.figure + end), "old");
            }
            done = what.change.apply(in, random);
            Map<String, String> before = Cli.snapshot(in), old = Cli.snapshot(plots);
            Cli cli = start(args());
            String wrong = Stream.of(said(cli), before.equals(Cli.snapshot(in)) ? null : "the inputs changed",
                drawn(cli, old), list(folder).equals(List.of("in", "plots")) ? null : "left " + list(folder))
                .filter(problem -> problem != null).findFirst().orElse(null);
            if (System.getenv("FAULT") == null) {
                Cli.delete(folder);
            }
            return wrong == null ? null : what.base.script + ", " + shown(done) + " -> " + shown(wrong);
        }

        /** One line, and short unless the case is repeated alone. */
        private String shown(String text) {
            String line = text.replaceAll("\\p{Cntrl}+", "?");
            if (System.getenv("FAULT") != null) {
                return line;
            }
            line = line.replace(in + "/", "").replaceAll("(log-)?[^ /]*(-opt_gaps|-prefetch)\\d", "LOG");
            return line.length() < 500 ? line : line.substring(0, 250) + " ... " + line.substring(line.length() - 250);
        }

        private List<String> args() {
            List<String> args = new ArrayList<>(List.of(in.toString()));
            args.addAll(what.base.options);
            if (random.nextBoolean()) {
                args.add("--csv");
            }
            args.add("--plots=" + plots);
            return args;
        }

        Cli start(List<String> args) throws Exception {
            ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            WRITTEN.bytes.get().reset();
            SAID.bytes.get().reset();
            long before = memory.getCurrentThreadAllocatedBytes();
            int status = SCRIPTS.get(what.base.script).apply(args.toArray(String[]::new));
            long allocated = memory.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < ALLOCATED, () -> done + ": allocated " + allocated + " bytes");
            return new Cli(status, WRITTEN.text(), SAID.text());
        }

        private String said(Cli cli) {
            String err = cli.err();
            if (cli.status() < 0 || cli.status() > 2 || cli.status() > 0 && done.equals(GOOD)) {
                return "exit status " + cli.status() + ": " + err;
            }
            if (NOT_FOR_USERS.matcher(err).find()) {
                return "said " + err;
            }
            if (err.lines().anyMatch(line -> line.isBlank() || line.chars().anyMatch(Character::isISOControl))) {
                return "unclean: " + err;
            }
            if (err.length() > 20_000 || err.lines().anyMatch(line -> line.length() > 5000)) {
                return "said " + err.length() + " characters: " + err;
            }
            boolean oneLine = cli.out().isEmpty() && err.endsWith("\n");
            return cli.status() == 0 || oneLine ? null : "failed with '" + cli.out() + "' and '" + err + "'";
        }

        private String drawn(Cli cli, Map<String, String> old) throws IOException {
            Map<String, String> now = new HashMap<>(Cli.snapshot(plots));
            if (cli.status() != 0) {
                return now.equals(old) ? null : "failed and changed plots: " + now.keySet() + " " + cli.err();
            }
            List<Path> paths = cli.out().lines().map(Path::of).toList();
            for (Path path : paths) {
                if (!plots.equals(path.getParent()) || !whole(path)) {
                    return "no whole figure: " + path;
                }
                now.remove(path.getFileName().toString());
            }
            now.keySet().removeAll(old.keySet());
            return paths.size() >= 2 && now.isEmpty() ? null : "plots holds besides " + paths + " also " + now.keySet();
        }

        private static boolean whole(Path file) throws IOException {
            String name = file.toString();
            if (name.endsWith(".png")) {
                BufferedImage image = javax.imageio.ImageIO.read(file.toFile());
                return image != null && image.getWidth() == 1500 && image.getHeight() == 900;
            }
            String text = Files.readString(file, StandardCharsets.ISO_8859_1);
            return name.endsWith(".csv") ? text.endsWith("\n") : name.endsWith(".eps") && text.startsWith("%!PS")
                && text.stripTrailing().endsWith("%%EOF");
        }
    }

    static List<String> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    /** What a thread writes, apart from what others write at the same time. */
    static class PerThread extends OutputStream {
        final ThreadLocal<ByteArrayOutputStream> bytes = ThreadLocal.withInitial(ByteArrayOutputStream::new);

        @Override public void write(int b) {
            bytes.get().write(b);
        }

        @Override public void write(byte[] b, int from, int length) {
            bytes.get().write(b, from, length);
        }

        String text() {
            return bytes.get().toString(StandardCharsets.UTF_8);
        }
    }

    // ---- what happens to the inputs ----

    static class Damage {
        static final List<String> NUMBERS = List.of("", "-1", "NaN", "Infinity", "1e308", "9".repeat(400), "0", "0.0",
            "999999999.999999999", "999999999999999999", "0.000000001", "\u0663", "\u00e9", "0x10", "1,5", "1.2.3",
            "+5", "\0",
            "9223372036854775807", "-9223372036854775808", "8999999999999999999", "1", "\"", " ", "\u001b[31m");
        static final List<String> STAMPS = List.of("9999-99-99 99:99:99,999", "0000-00-00 00:00:00,000",
            "2024-02-30 23:28:00,000",
            "2024-03-29 24:00:00,000", "9999-12-31 23:59:59,999", "0001-01-01 00:00:00,000", "2262-04-11 23:47:16,854",
            "1677-09-21 00:12:43,145", "2024-03-29 23:59:60,000", "", "2024-03-29", "1969-12-31 23:59:59,999");
        /** They take the place of a model or of a value, or stand as one more token. */
        static final List<String> NAMES = List.of("..", ".", "", "~", "$(touch x)", "`touch x`", "a b", "a\nb", "a\tb",
            "\u001b[31m",
            "-", "%s%n%d", "*", "?", "\u00e9", "\u65e5\u672c", "\u0663B", "\ud835\udfd5B", "\u202e", "\u0085",
            "\u2028", "\\E", "\\Q",
            "\\", "$1", "{}", "${HOME}", "[", "(", "@x", "-csv", "'", "\"", "1e9T", "0B", "0", "99999999999999999999",
            "999999999999999999T",
            "0.000000001", "1.", ".5", "+", "=", "!=", "null", "NaN", "approach7", "approach", "model9", "folder3",
            "ga0", "subg", "tp1-tp2",
            "direction1", "x".repeat(400), "k1-".repeat(60), "#", "%2e%2e%2f", ",", ";", "<b>", "log", "-monitor");
        static final List<String> OPTIONS = List.of("--iteration=0", "--iteration=-1", "--iteration=999999999",
            "--iteration=9999999999",
            "--iteration=", "--iteration=1", "--where=", "--where==", "--where=!=", "--where=tp", "--where=zz=1",
            "--where=tp=1=1", "--groups=",
            "--groups=zz", "--groups=folder", "--groups=sl", "--bars=folder", "--bars=model", "--device=-1",
            "--device=9223372036854775808", "--process=0", "--process=x", "--zone=x", "--zone=Asia/Kathmandu",
            "--zone=+18:00",
            "--phases=/", "--phases=", "--forward-range=", "--update-range=x'--", "", "--", "@", "@@", "/dev/null",
            "--no-such", "--csv=maybe", "${HOME}", "..", "\u00e9\n");

        static Path pick(Path in, String pattern, Random random) throws IOException {
            List<String> files = list(in).stream().filter(name -> name.matches("(?s)" + pattern)).toList();
            return in.resolve(files.get(random.nextInt(files.size())));
        }

        /** One to three changes to a file. */
        static String anyFile(Path in, Random random) throws IOException {
            Path file = pick(in, ".*", random);
            byte[] bytes = Files.readAllBytes(file);
            StringBuilder done = new StringBuilder(file.getFileName().toString());
            for (int times = 1 + random.nextInt(3); times > 0; times--) {
                int kind = random.nextInt(10);
                bytes = kind < 4 ? bytes(bytes, kind, random) : file.toString().endsWith("sqlite")
                    ? page(bytes, random) : kind < 8 ? lines(bytes, kind, random) : text(bytes, random);
                done.append(" ").append(kind);
            }
            Files.write(file, bytes);
            return done.toString();
        }

        private static byte[] bytes(byte[] bytes, int kind, Random random) {
            int at = random.nextInt(bytes.length + 1);
            switch (kind) {
                case 0:
                    return Arrays.copyOf(bytes, at);
                case 1:
                    return Arrays.copyOfRange(bytes, at, bytes.length);
                case 2:
                    for (int i = random.nextInt(64); i >= 0 && bytes.length > 0; i--) {
                        bytes[random.nextInt(bytes.length)] ^= 1 << random.nextInt(8);
                    }
                    return bytes;
                default:
                    byte[] noise = new byte[random.nextInt(5000)];
                    random.nextBytes(noise);
                    return ByteBuffer.allocate(bytes.length + noise.length).put(bytes, 0, at).put(noise)
                        .put(bytes, at, bytes.length - at).array();
            }
        }

        private static byte[] page(byte[] bytes, Random random) {
            int at = random.nextInt(bytes.length / 4096 + 1) * 4096;
            byte[] page = new byte[Math.min(4096, bytes.length - at)];
            if (random.nextBoolean()) {
                random.nextBytes(page);
            } else {
                System.arraycopy(bytes, random.nextInt(Math.max(1, bytes.length - 4096)), page, 0,
                    Math.min(page.length, bytes.length / 2));
            }
            System.arraycopy(page, 0, bytes, at, page.length);
            return bytes;
        }

        private static byte[] lines(byte[] bytes, int kind, Random random) {
            List<String> lines = new ArrayList<>(Arrays.asList(latin(bytes).split("(?<=\n)")));
            for (int i = random.nextInt(9); i >= 0 && lines.size() > 1; i--) {
                int at = random.nextInt(lines.size());
                switch (kind) {
                    case 4 -> lines.remove(at);
                    case 5 -> lines.add(random.nextInt(lines.size()), lines.get(at));
                    case 6 -> Collections.swap(lines, at, random.nextInt(lines.size()));
                    default -> lines.set(at, lines.get(at).replace("\n", "").repeat(1 + random.nextInt(60)));
                }
            }
            return latin(String.join("", lines));
        }

        private static byte[] text(byte[] bytes, Random random) {
            String text = latin(bytes);
            int at = random.nextInt(text.length() + 1);
            String most = List.of("\"", "\0", "\r", "\n", ",", "\u00ff\u00fe", "\"a\nb", "time (ms) |", "fwd: ")
                .get(random.nextInt(9));
            return switch (random.nextInt(5)) {
                case 0 -> latin(text.substring(0, at) + most + text.substring(at));
                case 1 -> latin(text.replace("\n", "\r"));
                case 2 -> text.getBytes(StandardCharsets.UTF_16);
                case 3 -> latin(number(text, random));
                default -> latin(text.replaceFirst("(?<=^[^\n]{0,99}),", most.equals("\n") ? ";"
                    : Matcher.quoteReplacement(most)));
            };
        }

        private static String number(String text, Random random) {
            List<int[]> places = Pattern.compile("\\d+(\\.\\d+)?").matcher(text).results()
                .map(m -> new int[] {m.start(), m.end()}).toList();
            if (places.isEmpty()) {
                return text;
            }
            int[] place = places.get(random.nextInt(places.size()));
            return text.substring(0, place[0]) + NUMBERS.get(random.nextInt(NUMBERS.size())) + text.substring(place[1]);
        }

        /** Puts a value in the place of a pattern's group, everywhere or once in one file. */
        static String replace(Path in, String files, Random random, boolean all, String pattern,
            String value) throws IOException {
            Path file = pick(in, files, random);
            String text = latin(Files.readAllBytes(file)), utf = latin(value.getBytes(StandardCharsets.UTF_8));
            List<int[]> places = Pattern.compile(pattern).matcher(text).results()
                .map(m -> new int[] {m.start(1), m.end(1)}).toList();
            assertTrue(!places.isEmpty() || text.length() < 700, "nothing like " + pattern + " in "
                + file.getFileName());
            int one = all || places.isEmpty() ? -1 : random.nextInt(places.size());
            for (int i = places.size() - 1; i >= 0; i--) {
                if (all || i == one) {
                    text = text.substring(0, places.get(i)[0]) + utf + text.substring(places.get(i)[1]);
                }
            }
            Files.write(file, latin(text));
            String shown = value.length() > 40 ? value.length() + " characters" : value;
            return pattern + " -> '" + shown + "' in " + (all ? "all places" : "one place") + " of "
                + file.getFileName();
        }

        /** Renames a run: all files with its stem. Place 0 is the model, 1 a value, 2 one more token, 3 all of it. */
        static String name(Path in, Random random, int place, String hostile) throws IOException {
            String stem = pick(in, ".*\\.(log|sqlite)", random).getFileName().toString()
                .replaceFirst("(-nsys)?\\.\\w+$", "");
            List<String> tokens = new ArrayList<>(List.of(stem.split("-")));
            int at = place == 0 ? 1 : 2 + random.nextInt(tokens.size() - 2);
            tokens.set(at, place == 0 ? hostile : place == 1 ? tokens.get(at).replaceFirst("[\\d.]+$", "") + hostile
                : tokens.get(at) + "-" + hostile);
            String name = fit(place == 3 ? hostile : String.join("-", tokens), 255 - "-monitor.csv".length());
            for (String file : list(in)) {
                if (file.startsWith(stem)) {
                    move(in.resolve(file), name + file.substring(stem.length()));
                }
            }
            return stem + " renamed " + name;
        }

        private static String fit(String name, int bytes) {
            while (name.getBytes(StandardCharsets.UTF_8).length > bytes) {
                name = name.substring(0, name.length() - 1);
            }
            return name;
        }

        private static void move(Path file, String name) throws IOException {
            try {
                Files.move(file, file.resolveSibling(name));
            } catch (InvalidPathException | FileSystemException e) {
                Files.move(file, file.resolveSibling(name.replaceAll("[^ -~]", "\u007f")));
            }
        }

        static String longLine(Path file) throws IOException {
            byte[] bytes = Files.readAllBytes(file), piece = "0123456789,".repeat(100_000)
                .getBytes(StandardCharsets.US_ASCII);
            try (OutputStream out = Files.newOutputStream(file)) {
                out.write(bytes, 0, bytes.length / 2);
                for (int i = 0; i < 92; i++) {
                    out.write(piece);
                }
                out.write(bytes, bytes.length / 2, bytes.length - bytes.length / 2);
            }
            return "100 MB without an end of line in " + file.getFileName();
        }

        static String execute(Path in, String statements) throws IOException, SQLException {
            Path file = pick(in, ".*\\.sqlite", new Random(0));
            try (Connection db = DriverManager.getConnection("jdbc:sqlite:"
                + file); Statement statement = db.createStatement()) {
                statement.executeUpdate(statements);
            }
            return statements;
        }

        static List<String> statements() {
            String one = " WHERE rowid = (SELECT e.rowid FROM NVTX_EVENTS e LEFT JOIN StringIds s ON s.id = e.textId "
                + "WHERE COALESCE(e.text, s.value) LIKE 'DeepSpeed%' ORDER BY e.start LIMIT 1 OFFSET 8)";
            List<String> values = List.of("'abc'", "''", "-1", "0", "1", "9223372036854775807", "-9223372036854775808",
                "1e300", "9e18",
                "x'00ff'", "'\u0663'", "99999999999999999", "100000000000000001", "'DeepSpeedEngine.forward'",
                "start + 1", "NULL",
                "hex(zeroblob(500000))", "char(27, 10, 133, 8232)");
            List<String> all = new ArrayList<>();
            for (String value : values) {
                for (String column : List.of("start", "\"end\"", "globalTid", "text", "textId")) {
                    all.add("UPDATE OR IGNORE NVTX_EVENTS SET " + column + " = " + value);
                    all.add("UPDATE OR IGNORE NVTX_EVENTS SET " + column + " = " + value + one);
                }
                all.add("UPDATE OR IGNORE TARGET_INFO_SESSION_START_TIME SET utcEpochNs = " + value.replace("start",
                    "1"));
                all.add("UPDATE OR IGNORE StringIds SET value = " + value.replace("start", "1"));
            }
            all.addAll(more());
            return all;
        }

        private static List<String> more() {
            List<String> all = new ArrayList<>();
            for (String table : List.of("NVTX_EVENTS", "StringIds", "TARGET_INFO_SESSION_START_TIME")) {
                String rename = "ALTER TABLE " + table + " RENAME TO t; ";
                all.add("DELETE FROM " + table);
                all.add("DROP TABLE " + table);
                all.add("INSERT OR IGNORE INTO " + table + " SELECT * FROM " + table);
                all.add(rename + "CREATE VIEW " + table + " AS SELECT * FROM t");
                all.add(rename + "CREATE TABLE " + table + "(x)");
                all.add(rename + "CREATE TABLE " + table + "(x); INSERT INTO " + table + " VALUES (1)");
                all.add(rename + "CREATE TABLE " + table + " AS SELECT * FROM t UNION ALL SELECT * FROM t");
                all.add(rename + "CREATE VIRTUAL TABLE " + table
                    + " USING fts5(start, \"end\", text, value, id, utcEpochNs)");
                all.add("CREATE TRIGGER x AFTER UPDATE ON " + table + " BEGIN DELETE FROM " + table
                    + "; END; PRAGMA recursive_triggers = 1");
            }
            for (String column : List.of("start", "\"end\"", "globalTid", "text", "textId")) {
                all.add("ALTER TABLE NVTX_EVENTS RENAME COLUMN " + column + " TO other");
            }
            all.addAll(List.of("UPDATE OR IGNORE NVTX_EVENTS SET start = \"end\", \"end\" = start",
                "UPDATE NVTX_EVENTS SET \"end\" = start",
                "UPDATE NVTX_EVENTS SET start = 5, \"end\" = 5",
                "UPDATE NVTX_EVENTS SET \"end\" = start + 9000000000000000000",
                "UPDATE NVTX_EVENTS SET start = start * 1000000, \"end\" = \"end\" * 1000000",
                "PRAGMA journal_mode = WAL",
                "PRAGMA page_size = 65536; VACUUM", "PRAGMA auto_vacuum = 1; VACUUM",
                "CREATE INDEX i ON NVTX_EVENTS(text, start)",
                "CREATE INDEX i ON NVTX_EVENTS(abs(start))", "ALTER TABLE NVTX_EVENTS RENAME TO NVTX_EVENTS_V3",
                "PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = 'x'",
                "PRAGMA writable_schema = 1; UPDATE sqlite_master SET rootpage = 1",
                "PRAGMA writable_schema = 1; UPDATE sqlite_master SET rootpage = 99999",
                "PRAGMA writable_schema = 1; DELETE FROM sqlite_master",
                "PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = replace(sql, 'text', 'text COLLATE zz')",
                "PRAGMA user_version = -1; PRAGMA application_id = -1"));
            return all;
        }

        /** Statements that put an endless query behind a table. */
        static String endless(String kind, String table) {
            String rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS start, "
                + "i AS \"end\", i AS id, i AS globalTid, 'x' AS text, NULL AS textId, 'x' AS value, "
                + "i AS utcEpochNs FROM n WHERE i < 0";
            return kind.equals("generated") ? "DROP TABLE " + table + "; CREATE TABLE " + table
                + "(id, start AS (1), \"end\" AS (2), globalTid "
                + "AS (3), text AS (hex(zeroblob(400000000))), textId AS (1), value AS (hex(zeroblob(400000000))), "
                + "utcEpochNs AS (hex(zeroblob(400000000)))); INSERT INTO " + table + "(id) VALUES (1)"
                : "DROP TABLE " + table + "; CREATE VIEW " + table + " AS " + rows + (kind.endsWith(" a table")
                ? "; PRAGMA writable_schema = 1; UPDATE sqlite_master SET type = 'table'" : "");
        }

        private static String latin(byte[] bytes) {
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }

        private static byte[] latin(String text) {
            return text.getBytes(StandardCharsets.ISO_8859_1);
        }
    }
}
