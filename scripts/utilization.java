///usr/bin/env jbang "$0" "$@" ; exit $?
//DESCRIPTION PCIe traffic and GPU utilization while the optimizer updates, for groups of runs.
//JAVA 17+
//DEPS info.picocli:picocli:4.7.7
//DEPS org.knowm.xchart:xchart:4.0.3
//DEPS org.apache.xmlgraphics:xmlgraphics-commons:2.11
//DEPS org.apache.commons:commons-csv:1.14.1
//RUNTIME_OPTIONS -XX:+UseSerialGC -Xmn32m -XX:TieredStopAtLevel=1 -XX:-UsePerfData

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Insets;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.font.FontRenderContext;
import java.awt.geom.AffineTransform;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.apache.xmlgraphics.image.writer.ImageWriterParams;
import org.apache.xmlgraphics.image.writer.imageio.ImageIOPNGImageWriter;
import org.apache.xmlgraphics.java2d.GraphicContext;
import org.apache.xmlgraphics.java2d.ps.EPSDocumentGraphics2D;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * What the PCIe link and the GPUs do while the optimizer updates: the means of a monitor's samples of all devices
 * between the first rank's start and the last rank's end of an update, which the log gives in ns.
 */
@Command(name = "utilization", version = "1.0", mixinStandardHelpOptions = true, showDefaultValues = true,
    description = "PCIe traffic and GPU utilization while the optimizer updates, for groups of runs.")
class Utilization implements Callable<Integer> {
    static {
        System.setProperty("java.awt.headless", "true");
    }

    @Option(names = "--groups", paramLabel = "KEY", defaultValue = "approach",
        description = "What tells the groups apart: a key of the file names, model, folder, ga or approach.")
    String groups;
    @Mixin Logs logs;
    @Mixin Output output;

    static final List<String> NAMES = List.of("D2H", "H2D", "GPU");

    public static void main(String... args) {
        System.exit(execute(new Utilization(), args));
    }

    @Override public Integer call() throws IOException {
        List<Run> runs = logs.read(logs.select(), groups);
        List<Use> uses = new ArrayList<>();
        for (Run run : runs) {
            uses.add(run.failed() ? null : use(run, logs.wanted()));
        }
        Grid grid = new Grid(runs, groups, "direction", NAMES, 4);
        String name = Run.models(runs) + "-utilization" + (groups.equals("approach") ? "" : "-" + groups);
        output.save(name, draw(grid, uses), grid.room, table(grid, uses));
        return 0;
    }

    /** Means over the samples of an update: rates over PCIe in GB/s, utilization of the GPU in percent. */
    record Use(double toHost, double toDevice, double gpuPercent, int samples) { }

    /** An update: the earliest start and the latest end over the ranks; how many started and how many ended it. */
    record Window(long startNs, long endNs, int starts, int ends) { }

    static Use use(Run run, int wanted) throws IOException {
        List<Window> updates = updates(run.log());
        int least = wanted == 0 ? 2 : wanted;
        require(1, updates.size() >= least, run.log() + ": has " + updates.size() + " updates with lines "
            + "<<<TIMER:step_start,NS>>> and step_end, expected " + least + "; see --iteration");
        List<Window> chosen = wanted == 0 ? updates.subList(1, updates.size()) : updates.subList(wanted - 1, wanted);
        require(1, chosen.stream().allMatch(update -> update.ends == update.starts), run.log() + ": an update has not "
            + "as many step_end lines as step_start lines, so its end is not known; see --iteration");
        Path csv = run.log().resolveSibling(run.log().getFileName().toString().replaceFirst("\\.log$", "-monitor.csv"));
        require(1, Files.exists(csv), csv + ": no such file; expected the monitor's samples beside the log");
        Monitor monitor = new Monitor(csv, chosen.get(0).startNs, chosen.get(chosen.size() - 1).endNs);
        List<double[]> samples = new ArrayList<>();
        monitor.read(row -> {
            long ns = monitor.number(row, "timestamp");
            if (chosen.stream().anyMatch(update -> update.startNs <= ns && ns <= update.endNs)) {
                samples.add(Stream.of("txpci", "rxpci", "gpu_util").mapToDouble(c -> monitor.value(row, c)).toArray());
            }
        });
        require(1, !samples.isEmpty(), monitor.nothing(null));
        double[] means = IntStream.range(0, 3)
            .mapToDouble(i -> samples.stream().mapToDouble(s -> s[i]).average().orElseThrow()).toArray();
        return new Use(means[0] / 1024, means[1] / 1024, means[2], samples.size());
    }

    /** The updates that a log bounds; all ranks start one before any of them ends it. */
    static List<Window> updates(Path log) throws IOException {
        Pattern timer = Pattern.compile("<<<TIMER:step_(start|end),(\\d{1,18}|[1-8]\\d{18})>>>");
        List<Window> updates = new ArrayList<>();
        boolean ended = true;
        open(log).close();
        try (BufferedReader lines = Files.newBufferedReader(log, StandardCharsets.ISO_8859_1)) {
            for (String line; (line = lines.readLine()) != null; ) {
                for (MatchResult m : timer.matcher(line).results().toList()) {
                    long ns = Long.parseLong(m.group(2));
                    if (m.group(1).equals("start") && ended) {
                        updates.add(new Window(ns, ns, 0, 0));
                    }
                    ended = m.group(1).equals("end");
                    if (!updates.isEmpty()) {
                        Window w = updates.remove(updates.size() - 1);
                        updates.add(new Window(Math.min(w.startNs, ns), Math.max(w.endNs, ns),
                            w.starts + (ended ? 0 : 1), w.ends + (ended ? 1 : 0)));
                    }
                }
            }
        }
        require(1, updates.stream().mapToInt(Window::starts).distinct().count() <= 1, log + ": its step_start lines do "
            + "not come in equal blocks, so the updates of its ranks cannot be told apart");
        return updates;
    }

    /** What --csv writes: the raw value of the key, then the means; empty numbers for a run that failed. */
    static List<List<?>> table(Grid grid, List<Use> uses) {
        List<List<?>> rows = new ArrayList<>();
        rows.add(List.of("group", "d2h_gb_per_s", "h2d_gb_per_s", "gpu_percent", "samples"));
        for (int i = 0; i < uses.size(); i++) {
            Use use = uses.get(i);
            String group = grid.runs.get(i).get(grid.by);
            rows.add(use == null ? List.of(group, "", "", "", "")
                : List.of(group, use.toHost, use.toDevice, use.gpuPercent, use.samples));
        }
        return rows;
    }

    /** Each bar's number (its place in NAMES), its x and its height. */
    static List<double[]> bars(Grid grid, List<Use> uses) {
        List<double[]> bars = new ArrayList<>();
        for (int i = 0; i < uses.size(); i++) {
            int group = grid.group(grid.runs.get(i));
            double[] heights = uses.get(i) == null ? new double[0]
                : new double[] {uses.get(i).toHost, uses.get(i).toDevice, uses.get(i).gpuPercent};
            IntStream.range(0, heights.length).forEach(b -> bars.add(new double[] {b, grid.x(group, b), heights[b]}));
        }
        return bars;
    }

    static XYChart draw(Grid grid, List<Use> uses) {
        double most = uses.stream().filter(Objects::nonNull).mapToDouble(use -> Math.max(use.toHost, use.toDevice))
            .max().orElse(0);
        double air = 1 - grid.part(Stream.of(String.format(Locale.ROOT, "%.1f", most)));
        double end = DoubleStream.of(ends(Math.max(1e-3, most / air))).filter(e -> ticks(e) < 8).findFirst()
            .orElseThrow(), percent = 119;  // room for numbers, but none for a tick beyond 100 %
        XYChart chart = chart("", "PCIe (GB/s)");
        grid.prepare(chart.getStyler(), end);
        redAxis(chart, "GPU use (%)", percent);
        List<Color> colors = List.of(new Color(0xDE8F05), new Color(0x56B4E9), RED);
        List<double[]> bars = bars(grid, uses);
        for (double[] bar : bars) {
            rectangle(chart, bar[1] - .42, bar[1] + .42, 0, bar[2], colors.get((int) bar[0]))
                .setYAxisGroup(bar[0] < 2 ? 0 : 1);
        }
        overlay(chart, g -> {
            grid.label(g, chart);
            bars.forEach(bar -> grid.above(g, chart, bar[1], bar[0] < 2 ? bar[2] : bar[2] / percent * end,
                String.format(Locale.ROOT, bar[0] < 2 ? "%.1f" : "%.0f", bar[2])));
        });
        return chart;
    }

    // ==== log reader: the same text in every script that reads logs ====

    static class Logs {
        @Parameters(paramLabel = "DIR", arity = "1..*", description = "Folders of logs, or logs. They are only read.")
        List<Path> inputs;
        @Option(names = "--iteration", paramLabel = "N|mean", defaultValue = "3",
            description = "Which timing line: the first carries start-up cost; mean is the mean of all but the first.")
        String iteration;
        @Option(names = "--where", paramLabel = "KEY=VALUE", showDefaultValue = CommandLine.Help.Visibility.NEVER,
            description = "Only runs whose file name says so, or with KEY!=VALUE says otherwise. Repeatable.")
        List<String> where = List.of();

        /** Which timing line, 0 for the mean of all but the first. */
        int wanted() {
            require(2, iteration.matches("mean|[1-9]\\d{0,8}"), "--iteration: expected a number from 1, or mean");
            return iteration.equals("mean") ? 0 : Integer.parseInt(iteration);
        }

        /** The runs that --where keeps, not read yet. KEY=VALUE overrides what came before on that key. */
        List<Run> select() throws IOException {
            List<Run> runs = new ArrayList<>();
            for (Path input : inputs) {
                runs.addAll(find(input));
            }
            for (int i = 0; i < where.size(); i++) {
                String condition = where.get(i), key = condition.replaceFirst("(?s)!?=.*", "");
                require(2, key.length() < condition.length(), "--where=" + condition + ": expected KEY=VALUE or !=");
                require(1, runs.isEmpty() || runs.stream().anyMatch(run -> run.get(key) != null), "--where=" + condition
                    + ": no log's name has that key, as " + (runs.isEmpty() ? "" : runs.get(0).log));
                boolean equal = condition.charAt(key.length()) == '=';
                boolean overridden = where.subList(i + 1, where.size()).stream().anyMatch(c -> c.startsWith(key + "="));
                String value = condition.substring(key.length() + (equal ? 1 : 2));
                runs.removeIf(run -> !overridden && run.is(key, value) != equal);
            }
            return runs;
        }

        private static List<Run> find(Path input) throws IOException {
            Path twin = Path.of("data").resolve(input.getFileName() + "");
            require(1, Files.exists(input), input + ": no such folder, expected one that holds logs"
                + (Files.exists(twin) ? "; did you mean " + twin + "?" : ""));
            try (Stream<Path> files = Files.isDirectory(input) ? Files.list(input) : Stream.of(input)) {
                List<Run> runs = files.filter(f -> (f.getFileName() + "").matches("(?s)log-.+\\.log"))
                    .filter(f -> !Files.isDirectory(f)).sorted().map(Run::of).toList();
                require(1, !runs.isEmpty(), input + ": no log there, expected names as log-7B-tp1-dp1-subg1000000.log");
                return runs;
            }
        }

        /** Reads the runs whose names have the keys and sorts them by these; no two may stand in one place. */
        List<Run> read(List<Run> selected, String... keys) throws IOException {
            Map<List<String>, Run> places = new TreeMap<>(Run::compare);
            List<String> notes = new ArrayList<>();
            for (Run run : selected) {
                boolean named = run.keys.keySet().containsAll(List.of(keys));
                Run other = named ? places.put(Stream.of(keys).map(run::get).toList(), run) : null;
                require(1, other == null, other == null ? "" : run.clash(other));
                if (!named) {
                    notes.add(run.log + ": left out, expected a name with the keys " + List.of(keys));
                }
            }
            List<Run> runs = new ArrayList<>();
            String line = wanted() == 0 ? "timing line after the first" : "timing line " + iteration;
            for (Run run : places.values()) {
                Run read = new Run(run.log, run.keys, new Scan(run.log, wanted()).times());
                runs.add(read);
                notes.addAll(read.failed() ? List.of(run.log + ": failed, it has no " + line) : List.of());
            }
            require(1, !runs.stream().allMatch(Run::failed), (notes.isEmpty() ? inputs + "" : notes.get(0))
                + ": no run is left to draw; see --iteration and --where");
            notes.forEach(text -> note(0, text));
            return runs;
        }
    }

    /** A log: what its name says (a flag's value is ""), then folder, ga and approach; times are null if it failed. */
    record Run(Path log, Map<String, String> keys, Times times) {
        static final Pattern NUMBER = Pattern.compile("(\\d{1,18}(?:\\.\\d{1,9})?)(?:e(\\d{1,2}))?([KMBT]?)");
        /** By prefetch and flush_async: 00, 01, 10, 11; the last is what the study proposes. */
        static final List<String> APPROACHES
            = List.of("zero3", "backward-only", "prefetch-only", "deep-optimizer-states");
        private static final Comparator<String> ORDER = Comparator
            .comparing(Run::number, Comparator.nullsLast(Comparator.<BigDecimal>naturalOrder()))
            .thenComparing(value -> number(value) != null ? "" : APPROACHES.indexOf(value) + value);
        private static final Map<String, Optional<BigDecimal>> NUMBERS = new ConcurrentHashMap<>();
        private static final Pattern AROUND = Pattern.compile("(?s)^log-|\\.log$");
        private static final Pattern VALUE = Pattern.compile("(?s)(?<=[A-Za-z_])\\d.*");

        static Run of(Path log) {
            Map<String, String> keys = new LinkedHashMap<>();
            for (String token : AROUND.matcher(log.getFileName().toString()).replaceAll("").split("-")) {
                String key = keys.isEmpty() ? "model" : VALUE.matcher(token).replaceFirst("");
                keys.putIfAbsent(key, token.substring(keys.isEmpty() ? 0 : key.length()));
            }
            keys.put("folder", log.toAbsolutePath().normalize().getParent().getFileName() + "");
            BigDecimal gbs = number(keys.get("gbs")), mbs = number(keys.get("mbs")), dp = number(keys.get("dp"));
            if (gbs != null && mbs != null && dp != null && mbs.multiply(dp).signum() > 0) {
                BigDecimal ga = gbs.divide(mbs.multiply(dp), MathContext.DECIMAL32);
                keys.put("ga", ga.stripTrailingZeros().toPlainString());
            }
            if (keys.containsKey("prefetch")) {
                keys.put("approach", APPROACHES.get((keys.get("prefetch").equals("0") ? 0 : 2)
                    + (keys.getOrDefault("flush_async", "0").equals("0") ? 0 : 1)));
            }
            return new Run(log, keys, null);
        }

        String get(String key) {
            return keys.get(key);
        }

        boolean is(String key, String value) {
            return get(key) != null && compare(List.of(get(key)), List.of(value)) == 0;
        }

        boolean failed() {
            return times == null;
        }

        /** Says what tells two runs apart that would stand in one place, one hiding the other. */
        private String clash(Run other) {
            List<String> differ = Stream.of(this, other).flatMap(run -> run.keys.keySet().stream()).distinct()
                .filter(key -> !Objects.equals(get(key), other.get(key))).toList();
            Run chosen = differ.isEmpty() || get(differ.get(0)) != null ? this : other;
            return other.log + " and " + log + " would stand in one place: " + (differ.isEmpty() ? "give one of them"
                : "they differ in " + differ + ", choose: --where=" + differ.get(0) + "=" + chosen.get(differ.get(0)));
        }

        /** By number (1 equals 1.0, 500M precedes 1B) before words, these by their place in APPROACHES or as text. */
        static int compare(List<String> a, List<String> b) {
            return IntStream.range(0, a.size()).filter(i -> !a.get(i).equals(b.get(i)))
                .map(i -> ORDER.compare(a.get(i), b.get(i))).filter(c -> c != 0).findFirst().orElse(0);
        }

        /** The number that a value is, as in 100000000, 0.65, 1e9 or 8.3B; or null. */
        static BigDecimal number(String value) {
            return NUMBERS.computeIfAbsent(value == null ? "" : value, text -> {
                Matcher m = NUMBER.matcher(text);
                return !m.matches() ? Optional.empty() : Optional.of(new BigDecimal(m.group(1)).scaleByPowerOfTen(
                    (m.group(2) == null ? 0 : Integer.parseInt(m.group(2))) + 3 * " KMBT".indexOf(m.group(3))));
            }).orElse(null);
        }

        /** A number of parameters as one says it, such as 100M or 1B; what is no number stays as it is. */
        static String size(String value) {
            BigDecimal n = number(value);
            int unit = n == null ? 0 : Math.max(0, Math.min(4, (n.precision() - n.scale() - 1) / 3));
            return unit == 0 ? value
                : n.scaleByPowerOfTen(-3 * unit).stripTrailingZeros().toPlainString() + " KMBT".charAt(unit);
        }

        /** The models of the runs, in their order: what a figure's name begins with. */
        static String models(List<Run> runs) {
            return runs.stream().map(run -> run.get("model")).distinct().collect(Collectors.joining("+"));
        }
    }

    /** Means over iterations: forward, backward and update in ms; elapsed ms and TFLOPs per GPU, null if not given. */
    record Times(List<BigDecimal> phasesMs, BigDecimal iterationMs, BigDecimal tflops) {
        /** How long the first so many phases took together. */
        double seconds(int phases) {
            return phasesMs.stream().limit(phases).mapToDouble(BigDecimal::doubleValue).sum() / 1000;
        }
    }

    /**
     * Reads a log for its timing lines and the iteration line after each, no further than the iteration wanted (0: all
     * but the first). It leaps from " (ms)" to " (ms)" (Horspool's search): a log can be large and hold any bytes.
     */
    static class Scan {
        static final int BEFORE = 32, AFTER = 4096;
        static final byte[] SIGN = {' ', '(', 'm', 's', ')'};
        static final Pattern VALUE = Pattern.compile(" *([^\\s|\\[<\\e]*)");
        static final Pattern NUMBER = Pattern.compile("\\d{1,9}(\\.\\d{1,9})?");

        final Path log;
        final int wanted;
        final BigDecimal[] sums = new BigDecimal[5];
        final int[] counts = new int[5];
        int seen;
        boolean open, torn;

        Scan(Path log, int wanted) {
            this.log = log;
            this.wanted = wanted;
        }

        /** The times of the iteration wanted, or null if the log does not get that far. */
        Times times() throws IOException {
            try (InputStream in = open(log)) {
                read(in);
            }
            if (torn) {
                note(0, log + ": holds NUL bytes, so lines may be missing and iterations miscounted");
            }
            for (int i = 0; i < 5 && counts[i] > 0; i++) {
                sums[i] = sums[i].divide(new BigDecimal(counts[i]), MathContext.DECIMAL64);
            }
            return counts[0] == 0 ? null : new Times(Arrays.asList(sums).subList(0, 3), sums[3], sums[4]);
        }

        private void read(InputStream in) throws IOException {
            int[] leap = IntStream.generate(() -> SIGN.length).limit(256).toArray();
            IntStream.range(0, SIGN.length - 1).forEach(i -> leap[SIGN[i]] = SIGN.length - 1 - i);
            byte[] bytes = new byte[1 << 16];
            int at = 0, end = 0;
            for (boolean more = true; more; ) {
                end += in.readNBytes(bytes, end, bytes.length - end);
                more = end == bytes.length;
                for (int stop = more ? end - AFTER : end; at < stop; at += leap[bytes[at] & 0xFF]) {
                    torn |= bytes[at] == 0;
                    if (bytes[at] == ')' && Arrays.equals(bytes, Math.max(0, at - 4), at + 1, SIGN, 0, 5)
                        && !take(text(bytes, Math.max(0, at - BEFORE), at + 1), rest(bytes, at + 1, end))) {
                        return;
                    }
                }
                int gone = Math.max(0, at - BEFORE);
                System.arraycopy(bytes, Math.min(gone, end), bytes, 0, Math.max(0, end -= gone));
                at -= gone;
            }
        }

        /** The bytes from a place up to the end of its line but not far; \n, \r and NUL end a line. */
        private static String rest(byte[] bytes, int at, int end) {
            int to = at;
            for (int last = Math.min(end, at + AFTER - 1); to < last && bytes[to] != '\n' && bytes[to] != '\r'
                && bytes[to] != 0; ) {
                to++;
            }
            return text(bytes, at, to);
        }

        private static String text(byte[] bytes, int from, int to) {
            return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
        }

        /** Adds what a line says, before and after its " (ms)"; false once the iteration wanted is complete. */
        private boolean take(String before, String after) {
            if (before.endsWith("elapsed time per iteration (ms)") && open) {
                add(3, after(after, ":"));
                add(4, after(after, "TFLOPs:", "TFLOP/s/GPU):"));
                open = false;
                return wanted == 0;
            }
            boolean timing = before.endsWith("time (ms)") && after.startsWith(" |");
            int glued = after.indexOf("time (ms)");
            String times = timing ? after.substring(0, glued < 0 ? after.length() : glued) : "";
            List<String> ms = Arrays.asList(after(times, "fwd:", "forward:"), after(times, "bwd:", "backward:"),
                after(times, "step:"));
            if (!ms.contains(null)) {
                if (open && wanted > 0) {
                    return false;
                }
                seen++;
                open = wanted == 0 ? seen > 1 : seen == wanted;
                IntStream.range(0, open ? 3 : 0).forEach(i -> add(i, ms.get(i)));
            }
            return true;
        }

        /** The word behind the first of the names that stands in a text as a whole one, or null. */
        private static String after(String text, String... names) {
            for (String name : names) {
                int at = text.indexOf(name);
                while (at > 0 && (text.charAt(at - 1) == '-' || Character.isJavaIdentifierPart(text.charAt(at - 1)))) {
                    at = text.indexOf(name, at + 1);
                }
                if (at >= 0) {
                    Matcher value = VALUE.matcher(text).region(at + name.length(), text.length());
                    return value.lookingAt() ? value.group(1) : null;
                }
            }
            return null;
        }

        private void add(int i, String number) {
            if (number != null && !NUMBER.matcher(number).matches()) {
                throw new Unusable(1, log + ": '" + number + "' in iteration " + seen + " is no time or rate, expected "
                    + "a number such as 635.86; mend the log or leave the run out with --where");
            }
            if (number != null) {
                sums[i] = counts[i]++ == 0 ? new BigDecimal(number) : sums[i].add(new BigDecimal(number));
            }
        }
    }
    // ==== end of log reader ====
    // ==== monitor reader: the same text in every script that reads a monitor ====

    /**
     * Reads a GPU monitor's CSV around a window: a header, then rows of numbers in blocks of a device, times in ns
     * since 1970. Only the rows near the window go to Commons CSV, so that the millions of others cost little.
     */
    static class Monitor {
        /** How far beyond the window the next sample may lie. */
        static final long NEAR_NS = 60_000_000_000L;

        final Path csv;
        final long fromNs, toNs;
        List<String> header = List.of();
        /** For each device of all rows, its first and last time. */
        final TreeMap<Long, long[]> spans = new TreeMap<>();
        long device = -1, cutRows;
        long[] span;

        Monitor(Path csv, long fromNs, long toNs) {
            this.csv = csv;
            this.fromNs = fromNs;
            this.toNs = toNs;
        }

        /** Hands on the rows near the window, in the order of the file. */
        void read(Consumer<CSVRecord> rows) throws IOException {
            byte[] bytes = new byte[1 << 20];
            try (InputStream in = open(csv)) {
                int end = in.readNBytes(bytes, 0, bytes.length), start = header(bytes, end);
                for (boolean more = true; more; start = 0) {
                    int done = near(bytes, start, end, rows);
                    System.arraycopy(bytes, done, bytes, 0, end -= done);
                    require(1, end < bytes.length, csv + ": has a line of over " + end + " bytes, expected a CSV");
                    more = end != (end += in.readNBytes(bytes, end, bytes.length - end));
                }
                if (cutRows > 0) {
                    note(0, csv + ": passed over " + cutRows + " rows that were cut short");
                }
                if (end > 0) {
                    note(0, csv + ": its last line has no end, as when a monitor is killed; it is passed over");
                }
            }
        }

        private int header(byte[] bytes, int end) {
            int start = 0;
            while (start < end && bytes[start] != '\n') {
                start++;
            }
            String line = new String(bytes, 0, start, StandardCharsets.UTF_8).replace("\uFEFF", "").strip();
            header = line.isEmpty() ? List.of() : parse(line).get(0).stream().map(String::strip).toList();
            require(1, header.contains("timestamp"), csv + ": its first line names no column timestamp, expected a "
                + "header such as device_id,timestamp,txpci,rxpci,gpu_util,mem_util,mem_used,mem_free");
            return Math.min(end, start + 1);
        }

        /** Takes the whole lines whose time is near the window, or is no number; returns where the next one starts. */
        private int near(byte[] bytes, int start, int end, Consumer<CSVRecord> rows) {
            StringBuilder lines = new StringBuilder();
            int line = start;
            for (int i = start; i < end; i++) {
                if (bytes[i] == '\n') {
                    if (isNear(bytes, line)) {
                        lines.append(new String(bytes, line, i + 1 - line, StandardCharsets.ISO_8859_1));
                    }
                    line = i + 1;
                }
            }
            for (CSVRecord row : parse(lines.toString())) {
                if (row.size() >= header.size()) {
                    rows.accept(row);
                } else {
                    cutRows++;
                }
            }
            return line;
        }

        private boolean isNear(byte[] bytes, int line) {
            long ns = number(bytes, line, header.indexOf("timestamp"));
            long id = number(bytes, line, header.indexOf("device_id"));
            if (ns < 0 || id < 0) {
                return true;
            }
            if (id != device) {
                device = id;
                span = spans.computeIfAbsent(id, first -> new long[] {ns, ns});
            }
            span[0] = Math.min(span[0], ns);
            span[1] = Math.max(span[1], ns);
            return ns >= fromNs - NEAR_NS && ns <= toNs + NEAR_NS;
        }

        /** The number behind so many commas of a line, or -1 where there is none that fits. */
        private static long number(byte[] bytes, int at, int commas) {
            if (commas < 0) {
                return 0;
            }
            for (int left = commas; left > 0 && bytes[at] != '\n'; at++) {
                left -= bytes[at] == ',' ? 1 : 0;
            }
            long ns = 0;
            int first = at;
            for (; bytes[at] >= '0' && bytes[at] <= '9'; at++) {
                ns = ns * 10 + bytes[at] - '0';
            }
            boolean ends = bytes[at] == ',' || bytes[at] == '\r' || bytes[at] == '\n';
            return at > first && at - first < 20 && ns >= 0 && ends ? ns : -1;
        }

        private List<CSVRecord> parse(String lines) {
            try (CSVParser rows = CSVParser.parse(lines, CSVFormat.DEFAULT)) {
                return rows.getRecords();
            } catch (IOException | UncheckedIOException e) {
                throw new Unusable(1, csv + ": is no CSV (" + e.getMessage() + "), expected rows of plain numbers");
            }
        }

        /** A whole number of a row; of the columns that may be missing, mem_free is the last one and device_id 0. */
        long number(CSVRecord row, String column) {
            int at = header.indexOf(column);
            String value = at >= 0 ? row.get(at) : column.equals("device_id") ? "0" : row.get(header.size() - 1);
            require(1, value.matches("\\d{1,18}|[1-8]\\d{18}"), csv + ": '" + value + "' is no " + column
                + ", expected a whole number (times in ns since 1970, memory in bytes)");
            return Long.parseLong(value);
        }

        /** A number of a row, such as a rate. */
        double value(CSVRecord row, String column) {
            String value = header.contains(column) ? row.get(header.indexOf(column)) : "";
            require(1, value.matches("\\d{1,15}(\\.\\d{1,20})?"), csv + ": '" + value + "' is no " + column
                + ", expected a number");
            return Double.parseDouble(value);
        }

        /** Says that there is no sample of a device in the window, or with null of any, and the likely reason. */
        String nothing(Long device) {
            List<long[]> known = spans.keySet().stream().filter(id -> device == null || id.equals(device))
                .map(spans::get).toList();
            long firstNs = known.stream().mapToLong(s -> s[0]).min().orElse(0);
            long lastNs = known.stream().mapToLong(s -> s[1]).max().orElse(-1);
            String unit = lastNs < 1e11 ? "seconds" : lastNs < 1e14 ? "milliseconds"
                : lastNs < 1e17 ? "microseconds" : "";
            return csv + ": no sample between " + utc(fromNs) + " and " + utc(toNs) + (lastNs < 0 ? "; it has no rows"
                : !unit.isEmpty() ? "; its timestamps seem to be " + unit + ", expected nanoseconds"
                : "; it covers " + utc(firstNs) + " to " + utc(lastNs) + ": is it of another run, or clock, or zone?");
        }

        private static Instant utc(long ns) {
            return Instant.ofEpochSecond(ns / 1_000_000_000, ns % 1_000_000_000);
        }
    }
    // ==== end of monitor reader ====
    // ==== grid: the same text in every script that draws groups of bars ====

    /** Runs in places: a group for each value of one key, in it a bar for each value of another. x counts bars. */
    static class Grid {
        static final Map<String, String> TITLES = Map.ofEntries(Map.entry("subg", "Subgroup size"),
            Map.entry("dp", "data-parallel degree"), Map.entry("tp", "tensor-parallel degree"),
            Map.entry("direction", "PCIe and GPU use"),
            Map.entry("ga", "gradient-accumulation degree"), Map.entry("ratio", "share updated on the GPU"),
            Map.entry("mbs", "micro-batch size"), Map.entry("gbs", "global batch size"),
            Map.entry("sl", "sequence length"), Map.entry("opt_gaps", "share updated on the GPU"));
        static final List<String> APPROACH_NAMES = List.of("ZeRO-3", "BW only", "Prefetch", "DOS");

        final List<Run> runs;
        final String by, each;
        final List<String> groups, bars, names;
        final boolean upright;
        /** Points from bar to bar, and the sizes of their names and of the numbers over them. */
        final double pitch, nameSize, numberSize;
        /** The room above the plot, and for the bars' names, the groups' brackets and names and the title, below. */
        final Insets room;

        /** The runs by a key and by the one that tells bars apart, with some points of room above the plot. */
        Grid(List<Run> runs, String by, String each, List<String> bars, double top) {
            this.runs = runs;
            this.by = by;
            this.each = each;
            this.bars = bars;
            groups = values(runs, by);
            names = bars.stream().map(bar -> label(each, bar).replaceFirst(".* = ", "")).toList();
            pitch = 268 / Math.max(5, groups.size() * (bars.size() + 1.));  // the axes take some 90 of the 360
            double longest = names.stream().mapToDouble(name -> width(name, 9)).max().orElse(0) / pt(9);
            upright = longest * 9 > pitch * .88;
            nameSize = upright ? Math.min(Math.min(9, pitch * .93), 52 / longest) : 9;
            numberSize = Math.min(8, pitch * 1.05);
            room = margins(top, 0, 36 + (upright ? longest * nameSize : 9), 1);
        }

        static List<String> values(List<Run> runs, String key) {
            return runs.stream().map(run -> run.get(key)).collect(Collectors.toCollection(
                () -> new TreeSet<>(order(key)))).stream().toList();
        }

        /** The order of a key's values; ratio, the share on the CPU, is shown by what is left, so it falls. */
        private static Comparator<String> order(String key) {
            Comparator<String> order = Comparator.comparing(List::of, Run::compare);
            return key.equals("ratio") ? order.reversed() : order;
        }

        static String label(String key, String value) {
            BigDecimal n = Run.number(value);
            return switch (key) {
                case "subg" -> Run.size(value);
                case "approach" -> APPROACH_NAMES.get(Run.APPROACHES.indexOf(value));
                case "ratio" -> n == null ? value
                    : BigDecimal.ONE.subtract(n).movePointRight(2).stripTrailingZeros().toPlainString() + " %";
                case "opt_gaps" -> n == null ? value : n.signum() == 0 ? "ZeRO-3" : "1/" + value;
                case "model", "folder" -> value;
                case "dp", "tp", "ga", "mbs", "gbs", "sl" -> key.toUpperCase(Locale.ROOT) + " = " + value;
                default -> key + " = " + value;
            };
        }

        double x(Run run) {
            return x(group(run), bar(run));
        }

        double x(int group, int bar) {
            return group * (bars.size() + 1.) + bar;
        }

        int group(Run run) {
            return Collections.binarySearch(groups, run.get(by), order(by));
        }

        int bar(Run run) {
            return run.get(each) == null ? bars.size() / 2 : Collections.binarySearch(bars, run.get(each), order(each));
        }

        /** About the height of the plot. */
        double height() {
            return HEIGHT - room.top - room.bottom - pt(8);
        }

        /** No ticks below, an axis on the left up to a round end, and some air beside the first and the last group. */
        void prepare(XYStyler styler, double end) {
            double last = groups.size() * (bars.size() + 1) - 2, air = .9 + Math.max(0, 4 - last) / 2;
            styler.setXAxisTicksVisible(false).setXAxisMin(-air).setXAxisMax(last + air);
            styler.setYAxisMin(0.).setYAxisMax(end).setYAxisTickMarkSpacingHint((int) (height() / ticks(end)));
        }

        /** The names below the plot; "failed" stands where a run did. */
        void label(Graphics2D g, XYChart chart) {
            double y = plot(chart).getMaxY(), bracket = y + room.bottom - pt(30);
            double widest = groups.stream().mapToDouble(group -> width(label(by, group), 10)).max().orElseThrow();
            double size = Math.min(10, 10 * pt(pitch * (bars.size() + .5)) / widest);
            for (int group = 0; group < groups.size(); group++) {
                for (int bar = 0; bar < bars.size(); bar++) {
                    text(g, names.get(bar), nameSize, Color.BLACK, chart.getScreenXFromChart(x(group, bar)),
                        y + pt(upright ? 3 : 8), upright ? 1 : .5, upright ? -1 : 0);
                }
                double first = chart.getScreenXFromChart(x(group, 0) - .42);
                double last = chart.getScreenXFromChart(x(group, bars.size() - 1) + .42);
                g.fill(new Rectangle2D.Double(first, bracket, last - first, pt(.8)));
                text(g, label(by, groups.get(group)), size, Color.BLACK, (first + last) / 2, bracket + pt(8), .5, 0);
            }
            double fit = Math.min(11, 11 * (WIDTH - pt(6)) / width(title(), 11));
            double half = width(title(), fit) / 2 + pt(3);
            double middle = Math.max(half, Math.min(plot(chart).getCenterX(), WIDTH - half));
            text(g, title(), fit, Color.BLACK, middle, bracket + pt(22), .5, 0);
            runs.stream().filter(Run::failed).forEach(run ->
                text(g, "failed", numberSize, RED, chart.getScreenXFromChart(x(run)), y - pt(3), 0, -1));
        }

        String title() {
            String bars = TITLES.getOrDefault(each, each), groups = TITLES.getOrDefault(by, by);
            return bars.substring(0, 1).toUpperCase(Locale.ROOT) + bars.substring(1) + ", by "
                + groups.substring(0, 1).toLowerCase(Locale.ROOT) + groups.substring(1);
        }

        /** Whether there is room for numbers over the bars that can be read. */
        boolean numbered() {
            return numberSize >= 3.5;
        }

        /** The part of the plot's height that the longest of the numbers over the bars takes. */
        double part(Stream<String> numbers) {
            double longest = numbers.mapToDouble(number -> width(number, numberSize)).max().orElse(0);
            return Math.min(.7, (longest + pt(3)) / height());
        }

        /** A number over a bar, upright, on white since a line may pass there. */
        void above(Graphics2D g, XYChart chart, double bar, double end, String number) {
            double x = chart.getScreenXFromChart(bar), y = chart.getScreenYFromChart(end) - pt(3);
            if (numbered()) {
                double length = width(number, numberSize);
                g.setColor(Color.WHITE);
                g.fill(new Rectangle2D.Double(x - pt(numberSize * .42), y - length, pt(numberSize * .84), length));
                text(g, number, numberSize, Color.BLACK, x, y, 0, -1);
            }
        }
    }

    /** Ends of an axis that are whole numbers of steps, up to twice as far as it must reach. */
    static double[] ends(double least) {
        double step = step(least, 10);
        return DoubleStream.iterate(Math.ceil(least / step) * step, end -> end < 2 * least + step, end -> end + step)
            .filter(end -> even(end, end)).toArray();
    }

    /** How many ticks an axis gets; XChart has one spacing for both, and rounds what that makes of the other's end. */
    static int ticks(double end) {
        return (int) Math.round(end / step(end, 8));
    }

    /** Whether both ends bear a tick and the other axis no more than eleven, the first axis setting the spacing. */
    static boolean even(double end, double other) {
        double raw = other / ticks(end), power = Math.pow(10, Math.floor(Math.log10(raw))), m = raw / power;
        double steps = other / power / (m > 7.5 ? 10 : m > 3.5 ? 5 : m > 1.5 ? 2 : 1);
        return steps < 10.5 && Math.abs(steps - Math.round(steps)) < 1e-6;
    }
    // ==== end of grid ====
    // ==== red axis: the same text in every script that has one ====

    /** A second axis on the right, red as what it measures. */
    static void redAxis(XYChart chart, String title, double end) {
        XYStyler styler = chart.getStyler();
        chart.setYAxisGroupTitle(1, title);
        styler.setYAxisGroupPosition(1, Styler.YAxisPosition.Right).setYAxisGroupTitleColor(1, RED);
        styler.setYAxisMin(1, 0.).setYAxisMax(1, end).setYAxisGroupTickLabelsColorMap(1, RED);
        styler.setYAxisGroupTickMarksColorMap(1, RED);
    }
    // ==== end of red axis ====
    // ==== figure kit: the same text in every script ====

    /** 5 in x 3 in at 300 dpi; lengths in a drawing are such pixels, and pt() makes them of points. */
    static final int WIDTH = 1500, HEIGHT = 900;
    static final List<String> PHASES = List.of("Forward", "Backward", "Update");
    static final List<Color> COLORS = List.of(new Color(0x029E73), new Color(0xCC78BC), new Color(0x0173B2));
    static final Color RED = new Color(0xD40000);
    static final FontRenderContext EXACT = new FontRenderContext(null, true, true);

    /** An empty chart in the style of the figures; an axis without a title takes no room for one. */
    static XYChart chart(String xTitle, String yTitle) {
        XYChart chart = new XYChart(WIDTH, HEIGHT);
        chart.setXAxisTitle(xTitle);
        chart.setYAxisTitle(yTitle);
        XYStyler styler = chart.getStyler();
        styler.setXAxisTitleVisible(!xTitle.isEmpty()).setYAxisTitleVisible(!yTitle.isEmpty())
            .setAxisTitleFont(font(11)).setAxisTitlePadding((int) pt(6)).setAxisTicksLineVisible(false)
            .setAxisTickLabelsFont(font(10)).setAxisTickPadding((int) pt(3)).setAxisTickMarkLength((int) pt(4))
            .setAxisTickMarksStroke(new BasicStroke((float) pt(.8))).setAxisTickMarksColor(Color.BLACK)
            .setYAxisLabelAlignment(AxesChartStyler.TextAlignment.Right).setPlotGridLinesVisible(false).setPlotMargin(0)
            .setPlotContentSize(.999).setPlotBorderVisible(false).setPlotBackgroundColor(Color.WHITE)
            .setChartBackgroundColor(Color.WHITE).setChartPadding((int) pt(3)).setLegendVisible(false)
            .setChartTitleVisible(false).setLocale(Locale.ROOT);
        return chart;
    }

    /** Draws the frame and then more, once XChart has laid the chart out so that getScreenXFromChart() and -Y- hold. */
    static void overlay(XYChart chart, Consumer<Graphics2D> more) {
        chart.addAnnotation(new AnnotationText("", 0, 0, true) {
            @Override public void paint(Graphics2D g) {
                g.setColor(Color.BLACK);
                g.setStroke(new BasicStroke((float) pt(.8)));
                g.draw(plot((XYChart) chart));
                more.accept(g);
            }
        });
    }

    static Rectangle2D plot(XYChart chart) {
        XYStyler styler = chart.getStyler();
        Rectangle2D plot = new Rectangle2D.Double();
        plot.setFrameFromDiagonal(chart.getScreenXFromChart(styler.getXAxisMin()),
            chart.getScreenYFromChart(styler.getYAxisMin()), chart.getScreenXFromChart(styler.getXAxisMax()),
            chart.getScreenYFromChart(styler.getYAxisMax()));
        return plot;
    }

    /** A filled rectangle in the chart's coordinates. */
    static XYSeries rectangle(XYChart chart, double x0, double x1, double y0, double y1, Color color) {
        XYSeries series = chart.addSeries("" + chart.getSeriesCollection().size(), new double[] {x0, x1, x1, x0},
            new double[] {y0, y0, y1, y1});
        series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.PolygonArea).setFillColor(color);
        series.setMarker(SeriesMarkers.NONE).setLineStyle(SeriesLines.NONE);
        return series;
    }

    /** Text as outlines; (x, y) is its left end, middle or right end (align 0, .5, 1) at half a capital's height. */
    static void text(Graphics2D g, String s, double size, Color color, double x, double y, double align, int quarters) {
        if (size < 2) {
            return;  // nobody could read it
        }
        AffineTransform place = AffineTransform.getTranslateInstance(x, y);
        place.quadrantRotate(quarters);
        place.translate(-align * width(s, size), pt(size * .365));
        g.setColor(color);
        g.fill(place.createTransformedShape(font(size).createGlyphVector(EXACT, s).getOutline()));
    }

    static double width(String s, double size) {
        return font(size).getStringBounds(s, EXACT).getWidth();
    }

    static Font font(double size) {
        return new Font("DejaVu Sans", Font.BOLD, 1).deriveFont((float) pt(size));
    }

    static double pt(double points) {
        return points * 300 / 72;
    }

    static Insets margins(double top, double left, double bottom, double right) {
        return new Insets((int) pt(top), (int) pt(left), (int) pt(bottom), (int) pt(right));
    }

    /** The least of 1, 2 and 5 times a power of ten of which no more than so many reach to the end of an axis. */
    static double step(double end, int most) {
        double power = Math.pow(10, Math.floor(Math.log10(end / most)));
        return DoubleStream.of(1, 2, 5, 10).map(m -> m * power).filter(s -> end / s <= most + 1e-9).findFirst()
            .orElseThrow();
    }
    // ==== end of figure kit ====
    // ==== saving: the same text in every script ====

    static class Output {
        @Option(names = "--plots", paramLabel = "DIR", defaultValue = "plots", description = "Where the figure goes.")
        Path plots;
        @Option(names = "--csv", description = "Also write what is drawn, as NAME.csv beside the figure.")
        boolean csv;

        /** Writes NAME.png, .eps and with --csv .csv beside their places, then moves them there; prints their paths. */
        void save(String name, XYChart chart, Insets margins, List<List<?>> rows) throws IOException {
            BufferedImage image = image(chart, margins);
            CompletableFuture<byte[]> png = CompletableFuture.supplyAsync(() -> png(image));
            byte[] eps = eps(chart, margins);
            Map<String, byte[]> files = new LinkedHashMap<>();
            files.put(".png", png.join());
            files.put(".eps", eps);
            if (csv) {
                files.put(".csv", rows.stream().map(row -> CSVFormat.DEFAULT.format(row.toArray()) + "\n")
                    .collect(Collectors.joining()).getBytes(StandardCharsets.UTF_8));
            }
            write(files, name.replaceAll("[^\\w.+-]", "_").replaceFirst("(?<=.{100}).*", ""));
        }

        private void write(Map<String, byte[]> files, String stem) throws IOException {
            String mine = "." + ProcessHandle.current().pid() + ".part";
            try {
                clear(Files.createDirectories(plots), stem, mine);
                require(1, files.keySet().stream().noneMatch(end -> Files.isDirectory(plots.resolve(stem + end))),
                    plots + ": a folder stands in the place of " + stem + files.keySet() + "; see --plots");
                for (String end : files.keySet()) {
                    Files.write(plots.resolve("." + stem + end + mine), files.get(end), StandardOpenOption.CREATE_NEW);
                }
                for (String end : files.keySet()) {
                    Files.move(plots.resolve("." + stem + end + mine), plots.resolve(stem + end),
                        StandardCopyOption.ATOMIC_MOVE);
                }
            } catch (IOException e) {
                clear(plots, stem, mine);
                throw new Unusable(1, plots + ": cannot write the figure there (" + e.getMessage() + "); see --plots");
            }
            files.keySet().forEach(end -> System.out.println(plots.resolve(stem + end)));
        }

        /** Deletes what this process, or one that was killed, began to write. */
        private static void clear(Path plots, String stem, String mine) throws IOException {
            Pattern part = Pattern.compile("\\." + Pattern.quote(stem) + "\\.(?:png|eps|csv)\\.(\\d{1,9})\\.part");
            for (String file : Objects.requireNonNullElse(plots.toFile().list(), new String[0])) {
                Matcher m = part.matcher(file);
                if (m.matches() && !Files.isDirectory(plots.resolve(file))
                    && (file.endsWith(mine) || ProcessHandle.of(Long.parseLong(m.group(1))).isEmpty())) {
                    Files.deleteIfExists(plots.resolve(file));
                }
            }
        }
    }

    static BufferedImage image(XYChart chart, Insets margins) {
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.addRenderingHints(Map.of(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON,
            RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE,
            RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON));
        paint(g, chart, margins);
        return image;
    }

    static byte[] png(BufferedImage image) {
        ImageIO.setUseCache(false);
        ImageWriterParams params = new ImageWriterParams();
        params.setResolution(300);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            new ImageIOPNGImageWriter().writeImage(image, out, params);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    static byte[] eps(XYChart chart, Insets margins) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        EPSDocumentGraphics2D g = new EPSDocumentGraphics2D(false) {
            /** Writes each outline. The original names it by its hash code and takes others of that for the same. */
            @Override protected void processPathIteratorCached(Shape outline) throws IOException {
                processPathIterator(outline.getPathIterator(null));
            }
        };
        g.setGraphicContext(new GraphicContext());
        g.setupDocument(out, WIDTH * 72 / 300, HEIGHT * 72 / 300);
        g.setViewportDimension(WIDTH, HEIGHT);
        paint(g, chart, margins);
        g.finish();
        return out.toString(StandardCharsets.ISO_8859_1).replaceFirst("%%CreationDate:.*\\R", "")
            .getBytes(StandardCharsets.ISO_8859_1);
    }

    private static void paint(Graphics2D g, XYChart chart, Insets margins) {
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, WIDTH, HEIGHT);
        g.translate(margins.left, margins.top);
        chart.paint(g, WIDTH - margins.left - margins.right, HEIGHT - margins.top - margins.bottom);
    }
    // ==== end of saving ====
    // ==== command line: the same text in every script ====

    /** Runs a script; what cannot be used ends in one line on stderr, exit 2 for the command line, 1 for the input. */
    static int execute(Callable<Integer> script, String... args) {
        CompletableFuture.runAsync(() -> width("0", 9));  // fonts are slow to come: begin while the rest is read
        try {
            return new CommandLine(script).setOverwrittenOptionsAllowed(true).setExpandAtFiles(false)
                .setParameterExceptionHandler((e, rest) -> note(2, e.getMessage() + "; see --help"))
                .setExecutionExceptionHandler((e, line, parsed) -> explain(e)).execute(args);
        } catch (Error e) {
            return explain(e);
        }
    }

    private static int explain(Throwable e) {
        return e instanceof Unusable u ? note(u.status, u.getMessage())
            : e instanceof UncheckedIOException ? explain(e.getCause())
            : e instanceof OutOfMemoryError ? note(1, "out of memory: choose runs, or set JAVA_TOOL_OPTIONS=-Xmx4g")
            : e instanceof IOException ? note(1, "cannot read: " + e + "; check that it is there and yours to read")
            : e instanceof InternalError || e instanceof LinkageError || ("" + e).contains("Fontconfig")
            ? note(1, "no fonts here (" + ("" + e).replace(" head is null", "")
                + "): install some (Debian: apt install fontconfig fonts-dejavu-core)")
            : note(1, "failed unexpectedly: " + e);
    }

    static int note(int status, String line) {
        System.err.println(line.replaceAll("[\\p{C}\\p{Zl}\\p{Zp}]", "?").replaceFirst("(?<=.{2000}).+", "..."));
        return status;
    }

    /** Opens a file, but not a folder, nor what would never end, such as a pipe. */
    static InputStream open(Path file) throws IOException {
        require(1, Files.isRegularFile(file), file + ": expected a file to read, but it is none");
        return Files.newInputStream(file);
    }

    static void require(int status, boolean met, String otherwise) {
        if (!met) {
            throw new Unusable(status, otherwise);
        }
    }

    /** Says in one line which file or option cannot be used, what was expected and what to do. */
    static class Unusable extends RuntimeException {
        final int status;

        Unusable(int status, String message) {
            super(message);
            this.status = status;
        }
    }
    // ==== end of command line ====
}
