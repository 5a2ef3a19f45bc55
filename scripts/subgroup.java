///usr/bin/env jbang "$0" "$@" ; exit $?
//DESCRIPTION Phase times of one training iteration for growing subgroup sizes, as stacked bars.
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
import java.awt.geom.Ellipse2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.commons.csv.CSVFormat;
import org.apache.xmlgraphics.image.writer.ImageWriterParams;
import org.apache.xmlgraphics.image.writer.imageio.ImageIOPNGImageWriter;
import org.apache.xmlgraphics.java2d.GraphicContext;
import org.apache.xmlgraphics.java2d.ps.EPSDocumentGraphics2D;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * A horizontal bar for each subgroup size, smallest at the bottom: the forward, backward and update times of one
 * iteration in seconds, stacked. A run that failed keeps its row.
 */
@Command(name = "subgroup", version = "1.0", mixinStandardHelpOptions = true, showDefaultValues = true,
    description = "Phase times of one training iteration for growing subgroup sizes, as stacked bars.")
class Subgroup implements Callable<Integer> {
    static {
        System.setProperty("java.awt.headless", "true");
    }

    @Mixin Logs logs;
    @Mixin Output output;

    public static void main(String... args) {
        System.exit(execute(new Subgroup(), args));
    }

    @Override public Integer call() throws IOException {
        List<Run> runs = logs.read(logs.select(), "subg");
        output.save(Run.models(runs) + "-subgroup", draw(runs), MARGINS, table(runs));
        return 0;
    }

    /** What --csv writes: the header, then a row for each run; its numbers are the log's, or empty where it failed. */
    static List<List<?>> table(List<Run> runs) {
        List<List<?>> rows = new ArrayList<>();
        rows.add(List.of("subgroup_size", "forward_ms", "backward_ms", "update_ms"));
        for (Run run : runs) {
            List<?> phases = run.failed() ? List.of("", "", "") : run.times().phasesMs();
            rows.add(Stream.concat(Stream.of(run.get("subg")), phases.stream()).toList());
        }
        return rows;
    }

    /** Room for the legend above, and for the sizes and their title on the left. */
    static final Insets MARGINS = margins(19, 51, 0, 3);

    static XYChart draw(List<Run> runs) {
        double longest = Math.max(1e-3, runs.stream().filter(run -> !run.failed())
            .mapToDouble(run -> run.times().seconds(3)).max().orElseThrow());
        boolean outside = runs.stream().anyMatch(run -> !run.failed()
            && run.times().seconds(3) - run.times().seconds(2) < longest / 12);
        double max = longest * (outside ? 1.12 : 1.04);
        XYChart chart = chart("Iteration time (s)", "");
        XYStyler styler = chart.getStyler();
        styler.setYAxisTicksVisible(false);
        styler.setXAxisMin(0.).setXAxisMax(max).setYAxisMin(-.6).setYAxisMax(runs.size() - .4);
        styler.setXAxisTickMarkSpacingHint((int) (step(max, 9) / max * (WIDTH - MARGINS.left - MARGINS.right)));
        for (int row = 0; row < runs.size(); row++) {
            Times times = runs.get(row).times();
            for (int i = 0; i < 3 && times != null; i++) {
                rectangle(chart, times.seconds(i), times.seconds(i + 1), row - .36, row + .36, COLORS.get(i));
            }
        }
        overlay(chart, g -> {
            legend(g, chart, PHASES, COLORS);
            label(g, chart, runs);
        });
        return chart;
    }

    /** The sizes on the left and the values in the bars. Text shrinks with the rows, sizes to 6 pt; then some go. */
    static void label(Graphics2D g, XYChart chart, List<Run> runs) {
        double left = chart.getScreenXFromChart(0);
        double pitch = (chart.getScreenYFromChart(0) - chart.getScreenYFromChart(1)) / pt(1);
        double size = Math.min(10, Math.max(6, pitch * 1.1));
        int step = (int) Math.ceil(size / 1.1 / pitch - 1e-9);
        for (int row = 0; row < runs.size(); row++) {
            double y = chart.getScreenYFromChart(row);
            values(g, chart, runs.get(row), y, Math.min(9, pitch * .85));
            if (row % step == 0) {
                String name = Run.size(runs.get(row).get("subg"));
                text(g, name, Math.min(size, size * pt(31) / width(name, size)), Color.BLACK, left - pt(6), y, 1, 0);
                g.fill(new Rectangle2D.Double(left - pt(4), y - pt(.4), pt(4), pt(.8)));
            }
        }
        text(g, "Subgroup size", 11, Color.BLACK, pt(8) - MARGINS.left,
            chart.getScreenYFromChart((runs.size() - 1) / 2.), .5, -1);
    }

    /** Each phase's seconds where they fit and can be read; the last may stand right of the bar. */
    static void values(Graphics2D g, XYChart chart, Run run, double y, double size) {
        if (run.failed()) {
            text(g, "failed", size, RED, chart.getScreenXFromChart(0) + pt(4), y, 0, 0);
            return;
        }
        for (int i = 0; i < 3 && size > 4.5; i++) {
            double from = chart.getScreenXFromChart(run.times().seconds(i));
            double to = chart.getScreenXFromChart(run.times().seconds(i + 1));
            String value = String.format(Locale.ROOT, "%.2f", run.times().phasesMs().get(i).doubleValue() / 1000);
            if (to - from > width(value, size)) {
                text(g, value, size, Color.WHITE, (from + to) / 2, y, .5, 0);
            } else if (i == 2) {
                text(g, value, size, COLORS.get(2), to + pt(2), y, 0, 0);
            }
        }
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
    // ==== legend: the same text in every script that has one ====

    /** The names in one row above the plot, each behind a box of its colour, or a dotted line where that is red. */
    static void legend(Graphics2D g, XYChart chart, List<String> names, List<Color> colors) {
        double box = pt(20), gap = pt(4), next = pt(11), y = plot(chart).getY() - pt(11);
        double x = plot(chart).getCenterX() + next / 2
            - names.stream().mapToDouble(name -> box + gap + width(name, 10) + next).sum() / 2;
        for (int i = 0; i < names.size(); i++) {
            boolean line = colors.get(i).equals(RED);
            g.setColor(colors.get(i));
            for (double dot = 0; line && dot < box; dot += pt(3)) {
                g.fill(new Rectangle2D.Double(x + dot, y - pt(.75), pt(1.5), pt(1.5)));
            }
            g.fill(line ? new Ellipse2D.Double(x + box / 2 - pt(2.5), y - pt(2.5), pt(5), pt(5))
                : new Rectangle2D.Double(x, y - pt(3.5), box, pt(7)));
            text(g, names.get(i), 10, line ? RED : Color.BLACK, x + box + gap, y, 0, 0);
            x += box + gap + width(names.get(i), 10) + next;
        }
    }
    // ==== end of legend ====
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
