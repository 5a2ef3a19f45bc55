///usr/bin/env jbang "$0" "$@" ; exit $?
//DESCRIPTION PCIe traffic and GPU utilization while the optimizer updates, for groups of runs.
//JAVA 17+
//DEPS info.picocli:picocli:4.7.7
//DEPS org.knowm.xchart:xchart:4.0.3
//DEPS org.apache.xmlgraphics:xmlgraphics-commons:2.11
//DEPS org.apache.commons:commons-csv:1.14.1
//RUNTIME_OPTIONS -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xmx160m

import static java.awt.RenderingHints.*;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.awt.*;
import java.awt.font.FontRenderContext;
import java.awt.geom.*;
import java.io.*;
import java.nio.file.*;
import java.time.*;
import java.util.*;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.*;
import java.util.regex.*;
import java.util.stream.*;
import org.apache.commons.csv.*;
import org.apache.xmlgraphics.java2d.GraphicContext;
import org.apache.xmlgraphics.java2d.ps.EPSDocumentGraphics2D;
import org.knowm.xchart.*;
import org.knowm.xchart.style.*;
import picocli.CommandLine;
import picocli.CommandLine.*;

/** Three bars for each group of runs: means of a monitor's samples of all its devices while the optimizer updates. */
@Command(name = "utilization", version = "2.0", mixinStandardHelpOptions = true, showDefaultValues = true,
    description = "PCIe traffic and GPU utilization while the optimizer updates, for groups of runs.")
class Utilization implements Callable<Integer> {
    /** A bar: its name, its colour, the monitor's column, what divides that, and the axis, 0 on the left. */
    record Bar(String name, int rgb, String column, double unit, int axis) { }

    /** The monitor's PCIe columns are in MB/s. */
    static final List<Bar> BARS = List.of(new Bar("D2H", 0xDE8F05, "txpci", 1024, 0),
        new Bar("H2D", 0x56B4E9, "rxpci", 1024, 0), new Bar("GPU", 0xD40000, "gpu_util", 1, 1));
    static final Pattern TIMER = Pattern.compile("<<<TIMER:step_(start|end),(\\d{1,18}|[1-8]\\d{18})>>>");

    @Option(names = "--groups", paramLabel = "KEY", defaultValue = "approach",
        description = "What tells groups apart: a key of the names, model, folder, ga, approach or stride.")
    String groups;

    public static void main(String... args) {
        System.exit(execute(new Utilization(), args));
    }

    @Override public Integer call() throws IOException {
        requireTimers();
        List<Run> runs = read(groups);
        List<double[]> means = new ArrayList<>();
        for (Run run : runs) {
            means.add(run.failed() ? new double[] {Double.NaN, Double.NaN, Double.NaN, Double.NaN} : means(run));
        }
        CategoryChart chart = chart(runs, means);
        String drawn = "utilization" + (groups.equals("approach") ? "" : "-" + groups);
        save(name(runs, drawn), g -> draw(g, chart, means), table(runs, means));
        return 0;
    }

    /** Fails if no log says when its updates begin and end. */
    void requireTimers() throws IOException {
        for (Run run : select()) {
            if (updates(run.log).stream().anyMatch(update -> update.starts > 0)) {
                return;
            }
        }
        require(false, inputs + ": no log says when an update begins and ends (<<<TIMER:step_start,NS>>>, step_end)");
    }

    /** An update: from the earliest start of a rank to its latest end, and how many of each the log has. */
    static class Update {
        long startNs = Long.MAX_VALUE, endNs = Long.MIN_VALUE;
        int starts, ends;

        void add(MatchResult timer) {
            long ns = Long.parseLong(timer.group(2));
            startNs = Math.min(startNs, ns);
            endNs = Math.max(endNs, ns);
            starts += timer.group(1).equals("start") ? 1 : 0;
            ends += timer.group(1).equals("end") ? 1 : 0;
        }
    }

    /** For each timing line of the first rank, the update that the lines since the one before are of. */
    static List<Update> updates(Path log) throws IOException {
        List<Update> updates = new ArrayList<>();
        Update update = new Update();
        String first = null;
        try (BufferedReader lines = lines(Files.newInputStream(log))) {
            for (String text = lines.readLine(); text != null; text = lines.readLine()) {
                String line = text.substring(text.lastIndexOf('\0') + 1);
                TIMER.matcher(line).results().forEach(update::add);
                if (isTiming(numbers(log, line)) && (first == null || first.equals(rank(line)))) {
                    first = rank(line);
                    updates.add(update);
                    update = new Update();
                }
            }
        }
        return updates;
    }

    /** The means of a run's BARS in its updates asked for, and of how many samples. */
    double[] means(Run run) throws IOException {
        List<Update> updates = wanted(updates(run.log));
        for (Update update : updates) {
            require(update.starts > 0 && update.starts == update.ends, run.log + ": an iteration of " + iteration + " has "
                + update.starts + " step_start and " + update.ends + " step_end lines, expected as many of each");
        }
        Path csv = Path.of(run.log.toString().replaceFirst("\\.log$", "-monitor.csv"));
        Monitor monitor = new Monitor(csv, updates.get(0).startNs, updates.get(updates.size() - 1).endNs,
            "device_id", "txpci", "rxpci", "gpu_util");
        requireCover(monitor, updates);
        List<CSVRecord> rows = monitor.rows.stream().filter(row -> updates.stream().anyMatch(update ->
            update.startNs <= monitor.ns(row) && monitor.ns(row) <= update.endNs)).toList();
        double[] means = new double[BARS.size() + 1];
        Arrays.setAll(means, i -> i == BARS.size() ? rows.size() : rows.stream().mapToDouble(row ->
            monitor.cell(row, BARS.get(i).column, Double::parseDouble)).average().orElseThrow() / BARS.get(i).unit);
        return means;
    }

    /** Fails unless each device has samples throughout each update. */
    static void requireCover(Monitor monitor, List<Update> updates) {
        Map<String, List<Long>> devices = new TreeMap<>(Map.of());
        monitor.rows.forEach(row -> devices.computeIfAbsent(row.get("device_id"), id -> new ArrayList<>())
            .add(monitor.ns(row)));
        for (Update update : updates) {
            for (List<Long> times : devices.isEmpty() ? List.of(List.<Long>of()) : devices.values()) {
                long gap = monitor.gap(times, update.startNs, update.endNs);
                require(gap <= SECOND, monitor.csv + ": no sample for " + gap / 1e9 + " s of an update; leave the run out");
            }
        }
    }

    /** What --csv writes: a header, then for each run its value of the key and its means. */
    List<String> table(List<Run> runs, List<double[]> means) {
        List<String> rows = new ArrayList<>(List.of(row(groups,
            Stream.of("d2h_gb_per_s", "h2d_gb_per_s", "gpu_percent", "samples"))));
        for (int i = 0; i < runs.size(); i++) {
            rows.add(row(runs.get(i).get(groups), Arrays.stream(means.get(i)).boxed()));
        }
        return rows;
    }

    /** The bars, of which the last one has an axis of its own on the right. */
    CategoryChart chart(List<Run> runs, List<double[]> means) {
        CategoryChart chart = new CategoryChart(WIDTH, HEIGHT);
        double most = means.stream().mapToDouble(m -> Math.max(m[0], m[1])).filter(m -> m > 0).max().orElse(1);
        chart.setYAxisTitle("PCIe (GB/s)");
        chart.setYAxisGroupTitle(1, "GPU use (%)");
        style(chart.getStyler()).setYAxisMin(0, 0.).setYAxisMax(0, most * 1.15).setYAxisMin(1, 0.).setYAxisMax(1, 119.)
            .setYAxisTickMarkSpacingHint(100).setXAxisTickMarksColor(Color.WHITE).setXAxisTickMarkSpacingHint(1)
            .setYAxisGroupTickLabelsColorMap(1, RED).setYAxisGroupTickMarksColorMap(1, RED)
            .setYAxisGroupTitleColor(1, RED).setYAxisGroupPosition(1, Styler.YAxisPosition.Right);
        chart.getStyler().setAvailableSpaceFill(.8);
        List<String> names = runs.stream().map(run -> run.get(groups)).toList();
        for (Bar bar : BARS) {
            Double[] heights = means.stream().map(m -> m[BARS.indexOf(bar)]).map(m -> m.isNaN() ? null : m).toArray(Double[]::new);
            chart.addSeries("\u25a0 " + bar.name, names, Arrays.asList(heights)).setFillColor(new Color(bar.rgb))
                .setYAxisGroup(bar.axis);
        }
        return chart;
    }

    /** The chart, the numbers over its bars, `failed` where there are none, the frame and the legend. */
    static void draw(Graphics2D g, CategoryChart chart, List<double[]> means) {
        g.translate(0, 80);
        chart.paint(g, WIDTH, HEIGHT - 80);
        double left = chart.getScreenXFromChart(0), low = chart.getScreenYFromChart(0);
        double right = chart.getScreenXFromChart(means.size());
        double group = (right - left) / means.size(), bar = group * .8 / BARS.size(), size = Math.min(TEXT * .9, bar * .45);
        for (int i = 0; i < means.size() * BARS.size(); i++) {
            Bar kind = BARS.get(i % BARS.size());
            double mean = means.get(i / BARS.size())[i % BARS.size()];
            double x = left + group * (i / BARS.size() + .1) + bar * (i % BARS.size() + .5);
            if (Double.isNaN(mean)) {
                text(g, "failed", size, RED, x, low - 30, .5);
            } else {
                text(g, digits(mean, 1 - kind.axis), size, Color.BLACK, x, chart.getScreenYFromChart(mean, kind.axis) - 30, .5);
            }
        }
        Rectangle2D plot = new Rectangle2D.Double();
        plot.setFrameFromDiagonal(left, low, right, chart.getScreenYFromChart(chart.getStyler().getYAxisMax(0)));
        frame(g, plot);
        Map<String, Color> names = new LinkedHashMap<>();
        BARS.forEach(kind -> names.put("\u25a0 " + kind.name, new Color(kind.rgb)));
        legend(g, WIDTH / 2., 44 - 80, names);
    }

    static String digits(double number, int decimals) {
        int needed = number > 0 ? 1 - (int) Math.floor(Math.log10(number)) : 0;
        return String.format(Locale.ROOT, "%." + Math.max(decimals, needed) + "f", number);
    }

    // ==== logs: the same text in every script that reads logs ====

    /** A phase of an iteration: its name, its colour, and its key in DeepSpeed's timing line. */
    record Phase(String name, int rgb, String key) {
        String column() { return name.toLowerCase(Locale.ROOT) + "_ms"; }
    }

    static final List<Phase> PHASES = List.of(new Phase("Forward", 0x029E73, "fwd|forward"),
        new Phase("Backward", 0xCC78BC, "bwd|backward"), new Phase("Update", 0x0173B2, "step"));
    /** What stands before an iteration's numbers: each phase's ms, elapsed ms, TFLOPs per GPU, and a rising count. */
    static final List<Pattern> NUMBERS = Stream.concat(PHASES.stream().map(phase -> "\\| *(?:" + phase.key + "):"),
        Stream.of("elapsed.time.per.iteration.\\(?ms\\)?[:=]", "TFLOP(?:s|/s/GPU\\))[:=]",
            "(?:consumed.samples[:=]|iteration[:=]?(?= *\\d))"))
        .map(name -> Pattern.compile(name + " *([^\\s|\\[<\\e/]*)")).toList();
    static final int ELAPSED = PHASES.size(), TFLOPS = ELAPSED + 1, COUNT = ELAPSED + 2;
    static final List<String> APPROACHES = List.of("ZeRO-3", "BW-only", "Prefetch-only", "DOS");
    /** Keys, each before those that say no more once it is known. */
    static final List<List<String>> FOLLOW = List.of(List.of("model", "l", "h", "a"),
        List.of("approach", "stride", "prefetch", "flush_async", "opt_gaps"),
        List.of("stride", "approach", "prefetch", "flush_async", "opt_gaps"));

    @Parameters(paramLabel = "DIR", arity = "1..*", description = "Folders of logs, or logs; looked for in data, too.")
    List<Path> inputs;
    @Option(names = "--iteration", paramLabel = "N|N-M|mean", defaultValue = "3",
        description = "Which timing line, or the mean of some; mean: of all but the first, the start-up.")
    String iteration;
    @Option(names = "--where", paramLabel = "KEY=V,W", showDefaultValue = CommandLine.Help.Visibility.NEVER,
        description = "Only runs whose name says one of the values, or with KEY!=V,W none. Repeatable.")
    List<String> where = List.of();

    /** A log, what its name says and what follows from that, and its NUMBERS up to TFLOPs, NaN where not said. */
    record Run(Path log, Map<String, String> keys, double[] numbers) {
        static Run of(Path log) {
            Run run = new Run(log, new TreeMap<>(), new double[COUNT]);
            String name = log.getFileName().toString().replaceAll("^log-|\\.log$", "");
            Pattern.compile("-([A-Za-z_]+)(\\d[^-]*)").matcher(name).results()
                .forEach(pair -> run.keys.put(pair.group(1), canonical(pair.group(2))));
            run.keys.put("model", name.replaceFirst("-[A-Za-z_]+\\d.*", ""));
            run.keys.put("folder", log.toAbsolutePath().normalize().getParent().getFileName() + "");
            run.keys.put("ga", canonical(run.value("gbs") / run.value("mbs") / run.value("dp") + ""));
            int approach = (run.value("prefetch") > 0 ? 2 : 0) + (run.value("flush_async") > 0 ? 1 : 0);
            run.keys.put("approach", APPROACHES.get(approach));
            run.keys.put("stride", approach < 2 ? APPROACHES.get(approach) : "1/" + run.get("opt_gaps"));
            return run;
        }

        String get(String key) { return keys.getOrDefault(key, "none"); }
        double value(String key) { return number(get(key)); }
        double seconds() { return Arrays.stream(numbers, 0, PHASES.size()).sum() / 1000; }
        boolean failed() { return !(seconds() > 0); }
    }

    /** The number that a text is, such as 0.65, 1e9 or 8.3B; NaN for a word. */
    static double number(String text) {
        String plain = text.replace("K", "e3").replace("M", "e6").replace("B", "e9").replace("T", "e12");
        return plain.matches("\\d+(\\.\\d+)?(e\\d\\d?)?") ? Double.parseDouble(plain) : Double.NaN;
    }

    /** A value in one spelling: 1 for 1.0, 1000000000 for 1e9 and 1B. */
    static String canonical(String text) {
        return number(text) == (long) number(text) ? (long) number(text) + "" : text;
    }

    /** A number of parameters as one says it, such as 100M or 1.5B. */
    static String size(String text) {
        return number(text) < 1e9 ? canonical(number(text) / 1e6 + "") + "M" : canonical(number(text) / 1e9 + "") + "B";
    }

    /** Approaches as listed, then numbers, where 1/k counts as k, then words. */
    static final Comparator<String> ORDER = Comparator.<String>comparingDouble(text -> APPROACHES.contains(text)
        ? APPROACHES.indexOf(text) - APPROACHES.size() : number(text.replace("1/", "")))
        .thenComparing(Comparator.naturalOrder());

    /** The runs asked for, sorted by the keys that the figure shows; no two have the same values of these. */
    List<Run> read(String... keys) throws IOException {
        List<Run> runs = select();
        for (String key : keys) {
            List<Run> without = runs.stream().filter(run -> !run.keys.containsKey(key)).toList();
            without.forEach(run -> notes.add(run.log + ": left out, its name has no " + key));
            runs.removeAll(without);
            runs.sort(Comparator.comparing(run -> run.get(key), ORDER));
        }
        compare(runs, List.of(keys));
        Set<Integer> lines = new TreeSet<>();
        for (Run run : runs) {
            lines.add(measure(run));
        }
        require(!runs.stream().allMatch(Run::failed), inputs + ": no run with " + List.of(keys) + " and timing line "
            + iteration + ", such as DeepSpeed prints with \"wall_clock_breakdown\": true");
        notes.add(runs.size() + " runs, " + (iteration.matches("\\d+") ? "timing line " + iteration
            : "mean of " + lines + " timing lines (" + iteration + ")"));
        return runs;
    }

    /** The runs of the inputs that every --where keeps. */
    List<Run> select() throws IOException {
        List<Run> runs = new ArrayList<>();
        for (Path input : inputs) {
            List<Path> logs = files(input).filter(log -> log.getFileName().toString().matches("log-.+\\.log")).toList();
            require(!logs.isEmpty(), input + ": no log, expected a name such as log-7B-tp1-dp1-subg100000000.log");
            logs.forEach(log -> runs.add(Run.of(log)));
        }
        for (String condition : where) {
            String[] parts = condition.split("!?=", 2);
            require(parts.length == 2, "--where=" + condition + ": expected KEY=VALUE or KEY!=VALUE");
            List<String> values = Stream.of(parts[1].split(",")).map(value -> canonical(value)).toList();
            Function<Run, String> said = run -> canonical(run.get(parts[0]));
            Map<String, Set<String>> all = values(runs);
            require(runs.stream().map(said).toList().containsAll(values), "no run is left with " + condition
                + " (--where), there are " + (all.containsKey(parts[0]) ? all.get(parts[0]) : all.keySet()));
            runs.removeIf(run -> values.contains(said.apply(run)) == condition.contains("!="));
        }
        return runs;
    }

    /** All values of each key. */
    static Map<String, Set<String>> values(List<Run> runs) {
        Map<String, Set<String>> values = new TreeMap<>();
        runs.forEach(run -> run.keys.keySet().forEach(key -> values.put(key, new TreeSet<>(ORDER))));
        values.forEach((key, all) -> runs.forEach(run -> all.add(run.get(key))));
        return values;
    }

    /** Fails where two runs would stand in one place; notes in what else runs differ than the figure shows. */
    void compare(List<Run> runs, List<String> shown) {
        Map<String, Set<String>> differ = values(runs);
        Map<List<String>, Run> places = new HashMap<>();
        for (Run run : runs) {
            Run other = places.putIfAbsent(shown.stream().map(run::get).toList(), run);
            if (other != null) {
                differ.keySet().removeIf(key -> run.get(key).equals(other.get(key)));
                throw new IllegalArgumentException(other.log + " and " + run.log + " would stand in one place; choose "
                    + "with --where from " + differ + ", or name the logs");
            }
        }
        differ.values().removeIf(values -> values.size() == 1);
        for (List<String> keys : FOLLOW) {
            if (shown.contains(keys.get(0)) || differ.containsKey(keys.get(0))) {
                differ.keySet().removeAll(keys.subList(1, keys.size()));
            }
        }
        differ.remove("gbs");  // it is ga x mbs x dp, which are compared themselves
        differ.keySet().removeAll(shown);
        if (!differ.isEmpty()) {
            notes.add("the runs differ in more than the figure shows: " + differ);
        }
    }

    /** What the figure's files are called: what is drawn, and what was chosen. */
    String name(List<Run> runs, String what) {
        String models = runs.stream().map(run -> run.get("model")).distinct().collect(Collectors.joining("+"));
        String chosen = where.stream().map(condition -> "-" + condition.replace("=", "")).collect(Collectors.joining());
        return models + "-" + what + chosen + (iteration.equals("3") ? "" : "-iteration" + iteration);
    }

    /** Gives a run the means over the timing lines asked for, NaN if it failed; returns how many of them it has. */
    int measure(Run run) throws IOException {
        List<double[]> found = iterations(run.log, Files.newInputStream(run.log), asked()[1]);
        noteGap(run.log, found);
        List<double[]> wanted = wanted(found);
        Arrays.setAll(run.numbers, i -> wanted.stream().mapToDouble(numbers -> numbers[i])
            .filter(number -> !Double.isNaN(number)).average().orElse(Double.NaN));
        if (run.failed()) {
            notes.add(run.log + ": failed, it has no timing line " + iteration + " with times above 0");
        }
        return wanted.size();
    }

    /** The first and the last iteration asked for, counted from 1. */
    int[] asked() {
        require(iteration.matches("mean|[1-9]\\d{0,8}(-[1-9]\\d{0,8})?"), "--iteration: expected N, N-M or mean");
        String[] ends = iteration.replace("mean", "2-999999999").split("-");
        int[] asked = {Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1])};
        require(asked[0] <= asked[1], "--iteration=" + iteration + ": expected the first number to be the lower one");
        return asked;
    }

    <T> List<T> wanted(List<T> iterations) {
        return iterations.stream().limit(asked()[1]).skip(asked()[0] - 1).toList();
    }

    /** The NUMBERS of each timing line of the first rank, up to the last wanted, and of the iteration line after it. */
    static List<double[]> iterations(Path log, InputStream in, int last) throws IOException {
        List<double[]> found = new ArrayList<>();
        String first = null;
        try (BufferedReader lines = lines(in)) {
            for (String text = lines.readLine(); text != null && found.size() <= last; text = lines.readLine()) {
                String line = text.substring(text.lastIndexOf('\0') + 1);  // what stands before NUL bytes was cut off
                double[] numbers = numbers(log, line), before = found.isEmpty() ? numbers : found.get(found.size() - 1);
                if (isTiming(numbers)) {
                    first = first == null ? rank(line) : first;
                    found.addAll(rank(line).equals(first) ? List.of(numbers) : List.of());
                } else if (numbers[ELAPSED] >= 0 && Double.isNaN(before[ELAPSED])) {
                    System.arraycopy(numbers, ELAPSED, before, ELAPSED, 3);
                    if (found.size() == last) {
                        return found;
                    }
                }
            }
        }
        return found;
    }

    static boolean isTiming(double[] numbers) {
        return Arrays.stream(numbers, 0, ELAPSED).noneMatch(Double::isNaN);
    }

    /** The rank that a line names, or nothing. */
    static String rank(String line) {
        return Pattern.compile("\\[Rank \\d+]|rank=\\d+").matcher(line).results().map(MatchResult::group)
            .findFirst().orElse("");
    }

    /** The NUMBERS that stand in a line, NaN for those that do not. */
    static double[] numbers(Path log, String line) {
        double[] numbers = new double[COUNT + 1];
        for (int i = 0; i <= COUNT; i++) {
            Matcher number = NUMBERS.get(i).matcher(line);
            boolean there = line.contains("ms") && number.find();
            require(!there || number.group(1).matches("\\d+(\\.\\d+)?"), log + ": a damaged number in: " + line);
            numbers[i] = there ? Double.parseDouble(number.group(1)) : Double.NaN;
        }
        return numbers;
    }

    /** Notes where iterations are missing or come again: their count should rise evenly. */
    void noteGap(Path log, List<double[]> found) {
        double[] counts = found.stream().mapToDouble(numbers -> numbers[COUNT]).filter(count -> count >= 0).toArray();
        double[] rises = IntStream.range(1, counts.length).mapToDouble(i -> counts[i] - counts[i - 1]).toArray();
        double even = Arrays.stream(rises).filter(rise -> rise > 0).min().orElse(0);
        IntStream.range(0, rises.length).filter(i -> rises[i] != even).limit(1).forEach(i -> notes.add(log + ": "
            + (rises[i] > 0 ? (long) counts[i] + " to " : "") + (long) counts[i + 1]
            + (rises[i] > 0 ? ": lines are missing" : " comes again: two runs in one log")));
    }
    // ==== end of logs ====

    // ==== monitor: the same text in every script that reads a monitor ====

    static final long SECOND = 1_000_000_000;

    /** The rows of a monitor's CSV from a second before to a second after a window; times are ns since 1970. */
    static class Monitor {
        final Path csv;
        final long from, to;
        final List<CSVRecord> rows;
        long first = Long.MAX_VALUE, last = Long.MIN_VALUE;

        /** Parses only the lines of these rows, since there may be millions of others, each behind its number. */
        Monitor(Path csv, long from, long to, String... columns) throws IOException {
            this.csv = csv;
            this.from = from;
            this.to = to;
            try (BufferedReader lines = lines(Files.newInputStream(csv))) {
                String header = lines.readLine();
                List<String> names = List.of(header.split("\\s*,\\s*"));
                require(names.contains("timestamp") && names.containsAll(List.of(columns)), csv + ": expected a header "
                    + "with timestamp and " + List.of(columns) + ", found " + header);
                StringBuilder near = new StringBuilder("line," + header + "\n");
                int number = 2;
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.indexOf('\0') < 0 && near(line, names.indexOf("timestamp"))) {
                        near.append(number).append(',').append(line).append('\n');
                    }
                    number++;
                }
                rows = CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get()
                    .parse(new StringReader(near.toString())).getRecords();
            }
        }

        private boolean near(String line, int column) {
            int at = 0;
            for (int i = 0; i < column; i++) {
                at = line.indexOf(',', at) + 1;
            }
            int end = line.indexOf(',', at);
            try {
                long ns = Long.parseLong(line, at, end < 0 ? line.length() : end, 10);
                first = Math.min(first, ns);
                last = Math.max(last, ns);
                return from - SECOND <= ns && ns <= to + SECOND;
            } catch (NumberFormatException e) {
                return true;  // for cell() to complain of it
            }
        }

        <T> T cell(CSVRecord row, String column, Function<String, T> parse) {
            String text = row.isConsistent() ? row.get(column) : "";
            require(text.matches("\\d+(\\.\\d+)?"), csv + ", line " + row.get("line") + ": '" + text + "' is no "
                + column + ", expected a plain number");
            return parse.apply(text);
        }

        long ns(CSVRecord row) { return cell(row, "timestamp", Long::parseLong); }

        /** The widest gap in ns between a device's times in a window; fails if they do not reach its ends. */
        long gap(List<Long> all, long from, long to) {
            List<Long> times = all.stream().filter(ns -> from - SECOND <= ns && ns <= to + SECOND).sorted().toList();
            require(times.stream().anyMatch(ns -> from <= ns && ns <= to) && times.get(0) <= from + SECOND
                && times.get(times.size() - 1) >= to - SECOND, csv + ": expected samples from " + utc(from) + " to "
                + utc(to) + ", it covers " + utc(first) + " to " + utc(last) + ": another run, clock, zone or unit?");
            return IntStream.range(1, times.size()).mapToLong(i -> times.get(i) - times.get(i - 1)).max().orElse(0);
        }

        static Instant utc(long ns) { return Instant.ofEpochSecond(0, ns); }
    }
    // ==== end of monitor ====

    // ==== figure: the same text in every script ====

    static { System.setProperty("java.awt.headless", "true"); }

    /** 5 in x 3 in at 300 dpi; 42 of these pixels are 10 pt, the least for text, and 46 are 11 pt. */
    static final int WIDTH = 1500, HEIGHT = 900, TEXT = 42, TITLE = 46;
    static final Font BOLD = new Font("DejaVu Sans", Font.BOLD, TEXT);
    static final FontRenderContext EXACT = new FontRenderContext(null, true, true);
    static final Color RED = new Color(0xD40000);

    @Option(names = "--plots", paramLabel = "DIR", defaultValue = "plots", description = "Where the figure goes.")
    Path plots;
    @Option(names = "--name", description = "What its files are called; by default what is drawn and was chosen.")
    String name;
    @Option(names = "--csv", description = "Also write what is drawn, as NAME.csv beside the figure.")
    boolean csv;
    /** What stderr says of a figure that was written, a line each. */
    final List<String> notes = new ArrayList<>();

    /** XChart's axes in the look of the figures, without legend and frame. */
    static AxesChartStyler style(AxesChartStyler styler) {
        styler.setAxisTitleFont(BOLD.deriveFont((float) TITLE)).setAxisTitlePadding(25)
            .setAxisTickLabelsFont(BOLD).setAxisTickPadding(12).setAxisTickMarkLength(16)
            .setAxisTickMarksStroke(new BasicStroke(3)).setAxisTickMarksColor(Color.BLACK)
            .setAxisTicksLineVisible(false).setPlotGridLinesVisible(false).setPlotMargin(0)
            .setPlotContentSize(.999).setPlotBorderVisible(false).setChartBackgroundColor(Color.WHITE)
            .setChartPadding(12).setLegendVisible(false).setLocale(Locale.ROOT);
        return styler;
    }

    /** Text whose left end, middle or right end (align 0, .5, 1) is at x, and half a capital's height at y. */
    static void text(Graphics2D g, String s, double size, Color color, double x, double y, double align) {
        double left = x - align * width(s, size), base = y + size * .365;
        g.setColor(color);
        g.fill(BOLD.deriveFont((float) size).createGlyphVector(EXACT, s).getOutline((float) left, (float) base));
    }

    static double width(String s, double size) {
        return BOLD.deriveFont((float) size).getStringBounds(s, EXACT).getWidth();
    }

    static void frame(Graphics2D g, Rectangle2D plot) {
        g.setColor(Color.BLACK);
        g.setStroke(new BasicStroke(3));
        g.draw(plot);
    }

    /** A row of names around x, each behind its first character, a mark in its colour. */
    static void legend(Graphics2D g, double x, double y, Map<String, Color> names) {
        double at = x - width(String.join("   ", names.keySet()), TEXT) / 2;
        for (String name : names.keySet()) {
            text(g, name.substring(1), TEXT, Color.BLACK, at + width(name.substring(0, 1), TEXT), y, 0);
            text(g, name.substring(0, 1), TEXT, names.get(name), at, y, 0);
            at += width(name + "   ", TEXT);
        }
    }

    /** The files in a folder, or the file, of this name: here, in data or in ../data. */
    static Stream<Path> files(Path name) throws IOException {
        Path place = Stream.of("", "data", "../data").map(folder -> Path.of(folder).resolve(name))
            .filter(Files::exists).findFirst().orElse(name);
        return Files.walk(place, 1).filter(Files::isRegularFile).sorted();
    }

    /** A file's lines; the last one, if it is still being written, ends in a NUL byte. */
    static BufferedReader lines(InputStream file) {
        InputStream marked = new SequenceInputStream(file, new ByteArrayInputStream(new byte[1]));
        return new BufferedReader(new InputStreamReader(marked, ISO_8859_1));
    }

    /** A row of CSV; a number that is not there is empty. */
    static String row(String first, Stream<?> more) {
        return Stream.concat(Stream.of(first), more).map(cell -> cell.equals(Double.NaN) ? "" : "" + cell)
            .collect(Collectors.joining(","));
    }

    /** Writes NAME.png, .eps and with --csv .csv into a folder of its own, then moves them into place. */
    void save(String drawn, Consumer<Graphics2D> drawing, List<String> rows) throws IOException {
        XYChart page = new XYChart(WIDTH * 72 / 300, HEIGHT * 72 / 300) {
            @Override public void paint(Graphics2D g, int width, int height) {
                g.addRenderingHints(Map.of(KEY_ANTIALIASING, VALUE_ANTIALIAS_ON,
                    KEY_STROKE_CONTROL, VALUE_STROKE_PURE, KEY_FRACTIONALMETRICS, VALUE_FRACTIONALMETRICS_ON));
                g.scale(72 / 300., 72 / 300.);
                g.setColor(Color.WHITE);
                g.fillRect(0, 0, WIDTH, HEIGHT);
                drawing.accept(g);
            }
        };
        String stem = (name == null ? drawn : name).replaceAll("[^\\w.,!+-]", "_");
        Path part = Files.createTempDirectory(Files.createDirectories(plots), ".part");
        part.toFile().deleteOnExit();
        List.of(".png", ".eps", ".csv").forEach(end -> part.resolve(stem + end).toFile().deleteOnExit());
        BitmapEncoder.saveBitmapWithDPI(page, part.resolve(stem) + ".png", BitmapEncoder.BitmapFormat.PNG, 300);
        Files.writeString(part.resolve(stem + ".eps"), eps(page), ISO_8859_1);
        Files.write(part.resolve(stem + ".csv"), rows);
        Files.deleteIfExists(plots.resolve(stem + ".csv"));
        for (String end : csv ? List.of(".png", ".eps", ".csv") : List.of(".png", ".eps")) {
            Path place = plots.resolve(stem + end);
            System.out.println(Files.move(part.resolve(stem + end), place, StandardCopyOption.ATOMIC_MOVE));
        }
        notes.forEach(System.err::println);
    }

    /** Without its date, so that the same input makes the same bytes. */
    static String eps(XYChart page) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        EPSDocumentGraphics2D g = new EPSDocumentGraphics2D(true) {
            /** XML Graphics would name outlines by their hash codes and take two with the same for one. */
            @Override protected void processPathIteratorCached(Shape outline) throws IOException {
                processPathIterator(outline.getPathIterator(null));
            }
        };
        g.setGraphicContext(new GraphicContext());
        g.setupDocument(out, page.getWidth(), page.getHeight());
        page.paint(g, page.getWidth(), page.getHeight());
        g.finish();
        return out.toString(ISO_8859_1).replaceFirst("%%CreationDate:.*\\R", "");
    }

    /** Runs a script; exit 2 for a wrong option, which its message begins with, 1 for input that cannot be used. */
    static int execute(Callable<Integer> script, String... args) {
        try {
            return new CommandLine(script).setOverwrittenOptionsAllowed(true)
                .setParameterExceptionHandler((e, rest) -> fail(2, e.getMessage() + "; see --help"))
                .setExecutionExceptionHandler((e, line, parsed) -> e instanceof IllegalArgumentException
                    ? fail(e.getMessage().startsWith("--") ? 2 : 1, e.getMessage())
                    : fail(1, "cannot read or write " + e.getMessage() + " (" + e.getClass().getSimpleName() + ")"))
                .execute(args);
        } catch (Error e) {
            return fail(1, e + ": too little memory, or no fonts (Debian: apt install fontconfig fonts-dejavu-core)");
        }
    }

    static int fail(int status, String line) {
        System.err.println(line.replaceAll("\\p{C}", "?"));
        return status;
    }

    static void require(boolean met, String otherwise) {
        if (!met) {
            throw new IllegalArgumentException(otherwise);
        }
    }
    // ==== end of figure ====
}
