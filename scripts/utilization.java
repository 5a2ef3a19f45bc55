///usr/bin/env jbang "$0" "$@" ; exit $?
//DESCRIPTION PCIe traffic and GPU utilization while the optimizer updates, for groups of runs.
//JAVA 17+
//DEPS info.picocli:picocli:4.7.7
//DEPS org.knowm.xchart:xchart:4.0.3
//DEPS org.apache.xmlgraphics:xmlgraphics-commons:2.11
//DEPS org.apache.commons:commons-csv:1.14.1
//RUNTIME_OPTIONS -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xmx160m

import java.awt.*;
import java.awt.font.FontRenderContext;
import java.awt.geom.Rectangle2D;
import java.io.*;
import java.nio.file.*;
import java.time.Instant;
import java.util.*;
import java.util.List;
import java.util.concurrent.*;
import java.util.function.*;
import java.util.regex.*;
import java.util.stream.*;
import org.apache.commons.csv.*;
import org.apache.xmlgraphics.java2d.ps.EPSDocumentGraphics2D;
import org.knowm.xchart.*;
import org.knowm.xchart.style.*;
import picocli.CommandLine.*;

/** Three bars for each group of runs: means over a monitor's samples of all devices during updates. */
@Command(name = "utilization", version = "2.0", mixinStandardHelpOptions = true, showDefaultValues = true,
    description = "PCIe traffic and GPU utilization while the optimizer updates, for groups of runs.")
class Utilization implements Callable<Integer> {
    /** A bar: name, colour, the monitor's column, what divides that (MB in a GB), axis (0 on the left). */
    record Bar(String name, int rgb, String column, double unit, int axis) { }

    static final List<Bar> BARS = List.of(new Bar("D2H", 0xDE8F05, "txpci", 1024, 0),
        new Bar("H2D", 0x56B4E9, "rxpci", 1024, 0), new Bar("GPU", 0xD40000, "gpu_util", 1, 1));
    static final Pattern TIMER = Pattern.compile("<<<TIMER:step_(start|end),([0-8]?\\d{1,18})>>>");

    @Option(names = "--groups", paramLabel = "KEY", defaultValue = "approach",
        description = "What tells groups apart: a key of the names, model, folder, ga, approach or stride.")
    String groups;

    public static void main(String... args) {
        System.exit(execute(new Utilization(), args));
    }

    @Override public Integer call() throws IOException {
        Map<Path, List<TreeMap<Long, Integer>>> updates = updates();
        Map<Run, List<Number>> means = new LinkedHashMap<>();
        List<List<?>> table = new ArrayList<>();
        table.add(List.of(groups, "d2h_gb_per_s", "h2d_gb_per_s", "gpu_percent", "samples"));
        for (Run run : read(List.of(groups))) {
            means.put(run, run.failed() ? Collections.nCopies(BARS.size() + 1, Double.NaN)
                : means(run, asked(updates.get(run.log))));
            table.add(Stream.concat(Stream.of(run.get(groups)), means.get(run).stream()).toList());
        }
        CategoryChart chart = chart(means);
        String drawn = "utilization" + (groups.equals("approach") ? "" : "-" + groups);
        save(name(List.copyOf(means.keySet()), drawn), g -> draw(g, chart, means.keySet()), table);
        return 0;
    }

    /** Each log's updates; fails if none has timers, which is said before a choice of runs is asked for. */
    Map<Path, List<TreeMap<Long, Integer>>> updates() throws IOException {
        Map<Path, List<TreeMap<Long, Integer>>> updates = new HashMap<>();
        for (Run run : select()) {
            updates.put(run.log, updates(run.log));
        }
        require(updates.values().stream().allMatch(List::isEmpty) || updates.values().stream()
            .flatMap(List::stream).anyMatch(update -> !update.isEmpty()), inputs + ": no log has "
            + "<<<TIMER:step_start,NS>>> lines, by which updates begin, before its timing line " + iteration);
        return updates;
    }

    /** Up to each timing line, by time in ns: how many ranks began to update, less those that ended it. */
    List<TreeMap<Long, Integer>> updates(Path log) throws IOException {
        List<double[]> passed = new ArrayList<>();
        TreeMap<Integer, TreeMap<Long, Integer>> updates = new TreeMap<>();
        int last = asked().getMax();
        try (BufferedReader lines = lines(Files.newInputStream(log))) {
            lines.lines().takeWhile(line -> passed.size() < last).forEach(line -> {
                TreeMap<Long, Integer> update = updates.computeIfAbsent(passed.size(), i -> new TreeMap<>());
                TIMER.matcher(line).results().forEach(timer -> update.merge(Long.valueOf(timer.group(2)),
                    timer.group(1).equals("start") ? 1 : -1, Integer::sum));
                add(passed, log, line);
            });
        }
        return List.copyOf(updates.headMap(passed.size()).values());
    }

    /** The BARS' means over a monitor's samples of all devices in a run's updates, and how many there are. */
    List<Number> means(Run run, List<TreeMap<Long, Integer>> updates) throws IOException {
        require(updates.stream().allMatch(update -> !update.isEmpty() && update.firstEntry().getValue() > 0
            && update.values().stream().mapToInt(change -> change).sum() == 0), run.log + ": step_start and "
            + "step_end lines of an iteration should be one of each rank, a start first; see --iteration");
        Path csv = Path.of(run.log.toString().replaceFirst("\\.log$", "-monitor.csv"));
        long from = updates.get(0).firstKey(), to = updates.get(updates.size() - 1).lastKey();
        Monitor monitor = Monitor.of(csv, from, to,
            List.of("timestamp", "device_id", "txpci", "rxpci", "gpu_util"));
        List<Map<String, String>> samples = new ArrayList<>();
        updates.forEach(update -> monitor.near.keySet().forEach(device ->
            samples.addAll(samples(monitor, device, update.firstKey(), update.lastKey()).values())));
        require(!samples.isEmpty(), csv + ": no rows");
        Stream<Number> means = BARS.stream().map(bar -> samples.stream()
            .mapToDouble(row -> Double.parseDouble(row.get(bar.column))).average().orElseThrow() / bar.unit);
        return Stream.concat(means, Stream.of(samples.size())).toList();
    }

    /** A device's samples in an update, in which none may be missing. */
    static NavigableMap<Long, Map<String, String>> samples(Monitor monitor, long device, long from, long to) {
        NavigableMap<Long, Map<String, String>> within = monitor.samples(device, from, to)
            .subMap(from, true, to, true);
        boolean steady = within.headMap(within.lastKey()).keySet().stream()
            .allMatch(ns -> within.higherKey(ns) - ns <= Monitor.slack(from, to));
        require(steady, monitor.csv + ": device " + device + " has no sample for over "
            + Monitor.slack(from, to) / 1_000_000 + " ms of an update; leave the run out by --where");
        return within;
    }

    /** The bars on two axes, under their numbers in three digits. */
    CategoryChart chart(Map<Run, List<Number>> means) {
        CategoryChart chart = new CategoryChart(WIDTH, HEIGHT);
        List<String> names = means.keySet().stream().map(run -> run.get(groups)).toList();
        for (Bar bar : BARS) {
            List<Number> heights = means.values().stream().map(all -> all.get(BARS.indexOf(bar))).toList();
            chart.addSeries(bar.name, names, heights).setFillColor(new Color(bar.rgb))
                .setYAxisGroup(bar.axis);
        }
        double most = Math.max(chart.getSeries("D2H").getYMax(), chart.getSeries("H2D").getYMax());
        chart.setYAxisTitle("PCIe (GB/s)");
        chart.setYAxisGroupTitle(1, "GPU use (%)");
        chart.setCustomYAxisTickLabelsFormatter(n -> canonical(String.format(Locale.ROOT, "%.3g", n)));
        style(chart.getStyler()).setYAxisTickMarkSpacingHint(100).setYAxisMin(1, 0.).setYAxisMax(1, 119.9)
            .setYAxisMin(0, 0.).setYAxisMax(0, most > 0 ? most * 1.35 : 1).setXAxisTicksVisible(false)
            .setYAxisGroupTickLabelsColorMap(1, RED).setYAxisGroupTickMarksColorMap(1, RED)
            .setYAxisGroupTitleColor(1, RED).setYAxisGroupPosition(1, Styler.YAxisPosition.Right);
        chart.getStyler().setAvailableSpaceFill(.8).setLabelsVisible(true).setLabelsPosition(1.05)
            .setLabelsRotation(90).setLabelsFont(BOLD.deriveFont(Math.min(TEXT, 270f / names.size())));
        return chart;
    }

    /** The chart, and below it the groups' names, or that one failed. */
    void draw(Graphics2D g, CategoryChart chart, Set<Run> runs) {
        g.translate(12 - PAD, 92 - PAD);
        chart.paint(g, WIDTH - 36 + 2 * PAD, HEIGHT - 219 + 2 * PAD);
        double left = chart.getScreenXFromChart(0), right = chart.getScreenXFromChart(runs.size());
        double low = chart.getScreenYFromChart(0), pitch = (right - left) / runs.size(), x = left + pitch / 2;
        for (Run run : runs) {
            String name = run.get(groups) + (run.failed() ? " failed" : "");
            double size = Math.min(TEXT, TEXT * pitch / width(name + " ", TEXT));
            text(g, name, size, run.failed() ? RED : Color.BLACK, x, low + 36, .5);
            x += pitch;
        }
        String title = groups.substring(0, 1).toUpperCase(Locale.ROOT) + groups.substring(1);
        text(g, title, TITLE, Color.BLACK, (left + right) / 2, low + 95, .5);
        Map<String, Color> legend = new LinkedHashMap<>();
        BARS.forEach(bar -> legend.put("\u25a0 " + bar.name, new Color(bar.rgb)));
        frame(g, left, right, low, legend);
    }

    // ==== logs: the same text in every script that reads logs ====

    /** A phase of an iteration: its name, its colour, and its key in DeepSpeed's timing line. */
    record Phase(String name, int rgb, String key) { }

    static final List<Phase> PHASES = List.of(new Phase("Forward", 0x029E73, "fwd|forward"),
        new Phase("Backward", 0xCC78BC, "bwd|backward"), new Phase("Update", 0x0173B2, "step"));
    /** What a line's numbers follow: ms of each phase, elapsed ms, TFLOPs per GPU; last a count, a rank. */
    static final List<Pattern> NUMBERS = Stream.concat(
        PHASES.stream().map(phase -> "\\| *(?:" + phase.key + "):"),
        Stream.of("elapsed.time.per.iteration.\\(?ms\\)?[:=]", "TFLOP(?:s|/s/GPU\\))[:=]",
            "(?:consumed.samples|iteration)[:=]? *(\\d+)", "(?:\\[Rank |rank=)(\\d+)(?=[^\\[]*ms)"))
        .map(name -> Pattern.compile(name + " *(?:(\\d+(?:\\.\\d+)?)(?=[\\s|\\[<\\e]|$))?")).toList();
    static final int ELAPSED = PHASES.size(), TFLOPS = ELAPSED + 1, COUNT = ELAPSED + 2, RANK = ELAPSED + 3;
    static final Pattern PAIR = Pattern.compile("-([A-Za-z_]+)(\\d(?:e-\\d|[^-])*)"),
        PLAIN = Pattern.compile("\\d+(\\.\\d+)?(e-?\\d\\d?)?");
    static final List<String> APPROACHES = List.of("ZeRO-3", "BW-only", "Prefetch-only", "DOS");

    @Parameters(paramLabel = "DIR", arity = "1..*", description = "Folders of logs, or logs; data/ is tried.")
    List<Path> inputs;
    @Option(names = "--iteration", paramLabel = "N|N-M|mean", defaultValue = "3",
        description = "Which timing line, or the mean of some; mean: of all but the first, the start-up.")
    String iteration;
    @Option(names = "--where", paramLabel = "KEY=V,W", showDefaultValue = Help.Visibility.NEVER,
        description = "Only runs whose name says one of the values, or with KEY!=V,W none. Repeatable.")
    List<String> where = List.of();

    /** A log, what its name says and what follows from that, and the means of its NUMBERS. */
    record Run(Path log, Map<String, String> keys, double[] means) {
        Run(Path log) {
            this(log, new TreeMap<>(), new double[NUMBERS.size()]);
            String name = log.getFileName().toString().replaceAll("^log-|\\.log$", "");
            PAIR.matcher(name).results().forEach(pair -> keys.put(pair.group(1), canonical(pair.group(2))));
            keys.put("model", PAIR.split(name, 2)[0]);
            keys.put("folder", "" + log.toAbsolutePath().normalize().getParent().getFileName());
            double ga = value("gbs") / value("mbs") / value("dp");
            keys.putAll(Double.isFinite(ga) ? Map.of("ga", canonical("" + ga)) : Map.of());
            int flush = value("flush_async") > 0 ? 1 : 0;
            int approach = value("prefetch") > 0 ? 2 + flush : flush;
            keys.put("approach", APPROACHES.get(approach));
            keys.put("stride", approach < 2 ? get("approach") : "1/" + get("opt_gaps"));
        }

        String get(String key) { return keys.getOrDefault(key, "none"); }
        double value(String key) { return number(get(key)); }
        double seconds() { return Arrays.stream(means, 0, ELAPSED).sum() / 1000; }
        boolean failed() { return !(seconds() > 0); }
    }

    /** The number that a text is, such as 0.65, 1e9 or 8.3B; NaN for a word. */
    static double number(String text) {
        String plain = text.toLowerCase(Locale.ROOT).replace("k", "e3").replace("m", "e6")
            .replace("b", "e9").replace("t", "e12");
        return PLAIN.matcher(plain).matches() ? Double.parseDouble(plain) : Double.NaN;
    }

    /** A value in one spelling: 1 for 1.0, 1000000000 for 1e9 and 1B. */
    static String canonical(String text) {
        double number = number(text);
        String plain = number == (long) number ? "" + (long) number : "" + number;
        return Double.isNaN(number) ? text : plain;
    }

    /** Approaches as listed, then numbers, where 1/k counts as k and llama-7b as 7b, then words. */
    static final Comparator<String> ORDER = Comparator.<String>comparingDouble(text ->
        APPROACHES.contains(text) ? APPROACHES.indexOf(text) - 4
            : number(text.replaceFirst("^(1/|.*[^E]-|\\D+)", ""))).thenComparing(Comparator.naturalOrder());

    /** The runs that have the keys that a figure shows, sorted by these, the last first, and measured. */
    List<Run> read(List<String> shown) throws IOException {
        Map<Boolean, List<Run>> known = select().stream()
            .collect(Collectors.partitioningBy(run -> run.keys.keySet().containsAll(shown)));
        List<Run> runs = new ArrayList<>(known.get(true));
        require(!runs.isEmpty(), inputs + ": no name has " + shown + ", but " + values(known.get(false)));
        known.get(false).forEach(run -> notes.add(run.log + ": left out, its name lacks some of " + shown));
        shown.forEach(key -> runs.sort(Comparator.comparing(run -> run.get(key), ORDER)));
        compare(runs, shown);
        TreeMap<Integer, List<Path>> logs = new TreeMap<>();
        for (Run run : runs) {
            logs.computeIfAbsent(measure(run), count -> new ArrayList<>()).add(run.log);
        }
        int most = logs.lastKey();
        require(most > 0, inputs + ": no times in --iteration=" + iteration + "; too few lines like "
            + "\"time (ms) | fwd: 1 | bwd: 2 | step: 3\"; is wall_clock_breakdown on? Git LFS pulled?");
        String means = iteration.matches("\\d+") ? "timing line " : "means of " + most + " timing lines, ";
        notes.add(runs.size() + " runs, " + means + iteration);
        logs.subMap(1, most).forEach((count, few) -> notes.add(few + ": only " + count + " timing lines"));
        return runs;
    }

    /** Sets a run's means, over as many iterations as are returned: those asked for that say times. */
    int measure(Run run) throws IOException {
        List<double[]> all = iterations(run.log, Files.newInputStream(run.log), asked().getMax());
        noteGap(run.log, all);
        List<double[]> timed = asked(all).stream()
            .filter(numbers -> Arrays.stream(numbers, 0, ELAPSED).sum() > 0).toList();
        Arrays.setAll(run.means, i -> timed.stream().mapToDouble(numbers -> numbers[i])
            .filter(number -> number >= 0).average().orElse(Double.NaN));
        if (timed.isEmpty()) {
            notes.add(run.log + ": failed, no times in --iteration=" + iteration);
        }
        return timed.size();
    }

    /** The runs of the inputs that every --where keeps. */
    List<Run> select() throws IOException {
        List<Run> runs = new ArrayList<>();
        for (Path input : inputs) {
            List<Path> logs = files(input, "log-.+\\.log");
            require(!logs.isEmpty(), input + ": no log, expected names such as log-7B-tp1-subg100000000.log");
            logs.forEach(log -> runs.add(new Run(log)));
        }
        for (String condition : where) {
            String[] parts = condition.split("!?=", 2);
            require(parts.length == 2, "--where=" + condition + ": expected KEY=VALUE or KEY!=VALUE");
            List<String> values = Stream.of(parts[1].split(",")).map(value -> canonical(value)).toList();
            Function<Run, String> said = run -> canonical(run.get(parts[0]));
            boolean known = runs.stream().anyMatch(run -> run.keys.containsKey(parts[0]));
            if (!known || !runs.stream().map(said).toList().containsAll(values)) {
                require(false, "a value of " + condition + " has no run (--where), all are " + values(runs));
            }
            runs.removeIf(run -> values.contains(said.apply(run)) == condition.contains("!="));
            require(!runs.isEmpty(), "no run is left with " + condition + " (--where), all have it");
        }
        return runs;
    }

    /** All values of each key. */
    static Map<String, List<String>> values(List<Run> runs) {
        Stream<String> keys = runs.stream().flatMap(run -> run.keys.keySet().stream()).distinct();
        return new TreeMap<>(keys.collect(Collectors.toMap(key -> key, key ->
            runs.stream().map(run -> run.get(key)).distinct().sorted(ORDER).toList())));
    }

    /** Fails where runs would stand in one place; notes in what else than the figure shows they differ. */
    void compare(List<Run> runs, List<String> shown) {
        Map<String, List<String>> differ = values(runs);
        runs.stream().collect(Collectors.groupingBy(run -> shown.stream().map(run::get).toList())).values()
            .stream().filter(twins -> twins.size() > 1).findFirst().ifPresent(twins -> {
                differ.keySet().removeIf(key -> count(twins, key) == 1);
                require(false, twins.get(0).log + " and " + twins.get(1).log + " would stand in one place; "
                    + "choose with --where from " + differ + ", or name the logs");
            });
        // A model tells of its l, h and a, an approach of its stride, if each has but one.
        Map<String, String> from = Map.of("l", "model", "h", "model", "a", "model", "stride", "approach",
            "approach", shown.contains("stride") ? "stride" : "");
        differ.keySet().removeIf(key -> count(runs, from.getOrDefault(key, ""), key)
            == count(runs, from.getOrDefault(key, "")));
        differ.remove(runs.stream().allMatch(run -> run.keys.containsKey("ga")) ? "gbs" : "");
        differ.keySet().removeAll(List.of("prefetch", "flush_async", "opt_gaps"));
        differ.keySet().removeAll(shown);
        if (!differ.isEmpty()) {
            notes.add("the runs differ in more than the figure shows: " + differ);
        }
    }

    /** In how many ways runs have such keys. */
    static long count(List<Run> runs, String... keys) {
        return runs.stream().map(run -> Stream.of(keys).map(run::get).toList()).distinct().count();
    }

    /** What the figure's files are called: what is drawn, and what was chosen. */
    String name(List<Run> runs, String what) {
        String read = iteration.equals("3") ? "" : "-" + iteration.replaceFirst("^\\d", "iteration$0");
        return where.stream().map(choice -> "-" + choice.replace("!=", "-not-").replace("=", ""))
            .collect(Collectors.joining("", String.join("+", values(runs).get("model")) + "-" + what, read));
    }

    /** The least and the greatest number of the iterations asked for, counted from 1. */
    IntSummaryStatistics asked() {
        boolean valid = iteration.matches("mean|[1-9]\\d{0,8}(-[1-9]\\d{0,8})?");
        require(valid, "--iteration=" + iteration + ": expected N, N-M or mean");
        return Stream.of(iteration.replace("mean", "2-999999999").split("-"))
            .mapToInt(Integer::parseInt).summaryStatistics();
    }

    <T> List<T> asked(List<T> iterations) {
        return iterations.stream().limit(asked().getMax()).skip(asked().getMin() - 1).toList();
    }

    /** The NUMBERS of iterations, until the last one asked for is complete. */
    static List<double[]> iterations(Path log, InputStream in, int last) throws IOException {
        List<double[]> found = new ArrayList<>();
        try (BufferedReader lines = lines(in)) {
            lines.lines().takeWhile(line -> found.size() < last
                || found.size() == last && Double.isNaN(found.get(last - 1)[ELAPSED]))
                .forEach(line -> add(found, log, line));
        }
        return found;
    }

    /** Adds what a line says: the ms of a new iteration, or what the last one lacks. */
    static void add(List<double[]> found, Path log, String text) {
        // What stands before NULs was cut off, and most lines say nothing.
        String line = text.contains("ms") ? text.substring(text.lastIndexOf('\0') + 1) : "";
        double[] numbers = new double[NUMBERS.size()];
        Arrays.fill(numbers, Double.NaN);
        boolean timing = line.contains("ms")
            && IntStream.range(0, ELAPSED).allMatch(i -> find(numbers, i, log, line));
        if (timing) {
            find(numbers, RANK, log, line);
        }
        if (line.contains("elapsed")) {
            IntStream.range(ELAPSED, RANK).forEach(i -> find(numbers, i, log, line));
        }
        double[] open = found.isEmpty() ? numbers : found.get(found.size() - 1);
        if (timing && Double.compare(numbers[RANK], open[RANK]) == 0) {
            found.add(numbers);
        } else if (numbers[ELAPSED] >= 0 && Double.isNaN(open[ELAPSED])) {
            System.arraycopy(numbers, ELAPSED, open, ELAPSED, RANK - ELAPSED);
        }
    }

    /** Sets the number that a line has after such a name; false if it has no such name. */
    static boolean find(double[] numbers, int name, Path log, String line) {
        Matcher number = NUMBERS.get(name).matcher(line);
        if (number.find()) {
            numbers[name] = number.group(1) == null ? Double.NaN : Double.parseDouble(number.group(1));
            boolean twice = name < ELAPSED && number.find();
            require(numbers[name] >= 0 && !twice, log + ": damaged number in " + line);
        }
        return numbers[name] >= 0;
    }

    /** Notes where iterations are missing or come again: their count, 0 if not said, should rise evenly. */
    void noteGap(Path log, List<double[]> found) {
        long[] counts = found.stream().mapToLong(n -> (long) n[COUNT]).filter(n -> n > 0).toArray();
        long[] rises = IntStream.range(1, counts.length).mapToLong(i -> counts[i] - counts[i - 1]).toArray();
        long even = LongStream.of(rises).filter(rise -> rise > 0).min().orElse(1);
        IntStream.range(0, rises.length).filter(i -> rises[i] != even).findFirst().ifPresent(i ->
            notes.add(log + ": " + (rises[i] > 0 ? counts[i] + " to " + counts[i + 1] + ": lines are missing"
                : counts[i + 1] + " comes again: two runs in one log")));
    }
    // ==== end of logs ====

    // ==== monitor: the same text in every script that reads a monitor ====

    /** When all rows of a monitor are, and of those near a window the numbers, by device, time and column. */
    record Monitor(Path csv, LongSummaryStatistics all, Map<Long, TreeMap<Long, Map<String, String>>> near) {
        static final long SECOND = 1_000_000_000;
        static Instant utc(long ns) { return Instant.ofEpochSecond(0, ns); }
        /** So many ns may lack samples: a quarter of a window, at most 1 s. */
        static long slack(long from, long to) { return Math.min(SECOND, (to - from) / 4); }

        /** Of rows that are not within a second, perhaps millions, only device and time are looked at. */
        static Monitor of(Path csv, long from, long to, List<String> needed) throws IOException {
            Monitor monitor = new Monitor(csv, new LongSummaryStatistics(), new TreeMap<>());
            LineNumberReader in = new LineNumberReader(lines(Files.newInputStream(csv)));
            try (in) {
                CSVFormat format = CSVFormat.DEFAULT.builder().setHeader(in.readLine().split(",")).get();
                List<String> names = List.of(format.getHeader());
                require(names.containsAll(needed), needed + " not all in " + names + " (a Git LFS pointer?)");
                int id = names.indexOf("device_id"), time = names.indexOf("timestamp");
                for (String row = in.readLine(); row != null; row = in.readLine()) {
                    if (!row.isEmpty() && !row.endsWith("\0")) {
                        String[] cells = row.split(",", Math.max(id, time) + 2);
                        long device = Long.parseLong(cells[id]), ns = Long.parseLong(cells[time]);
                        var samples = monitor.near.computeIfAbsent(device, any -> new TreeMap<>());
                        if (from - SECOND <= ns && ns <= to + SECOND) {
                            samples.put(ns, numbers(row, format, needed));
                        }
                        monitor.all.accept(ns);
                    }
                }
            } catch (IllegalArgumentException | IndexOutOfBoundsException | UncheckedIOException e) {
                require(false, csv + ", line " + in.getLineNumber() + ": needs numbers: " + e.getMessage());
            }
            return monitor;
        }

        static Map<String, String> numbers(String row, CSVFormat as, List<String> needed) throws IOException {
            CSVRecord cells = as.parse(new StringReader(row)).getRecords().get(0);
            Map<String, String> numbers = cells.toMap();
            numbers.values().removeIf(cell -> !cell.matches("\\d+(\\.\\d+)?"));
            require(cells.isConsistent() && numbers.keySet().containsAll(needed), needed + " of " + row);
            return Map.copyOf(numbers);
        }

        /** A device's samples near a window, by time; fails if they do not reach to both of its ends. */
        TreeMap<Long, Map<String, String>> samples(long device, long from, long to) {
            TreeMap<Long, Map<String, String>> rows = near.getOrDefault(device, new TreeMap<>());
            Long first = rows.ceilingKey(from), last = rows.floorKey(to);
            boolean reach = first != null && first - from <= slack(from, to) && to - last <= slack(from, to);
            require(reach, csv + ": device " + device + " of " + near.keySet() + " lacks samples from "
                + utc(from) + " to " + utc(to) + ", all are from " + utc(all.getMin()) + " to "
                + utc(all.getMax()) + ": too few, or another run, clock, zone, unit?");
            return rows;
        }
    }
    // ==== end of monitor ====

    // ==== figure: the same text in every script ====

    static { System.setProperty("java.awt.headless", "true"); }
    /** 5 x 3 in at 300 dpi, where 42 pixels are 10 pt, the least for text; PAD is room for ticks' numbers. */
    static final int WIDTH = 1500, HEIGHT = 900, TEXT = 42, TITLE = 46, PAD = 46;
    static final Font BOLD = new Font("DejaVu Sans", Font.BOLD, TEXT);
    static final FontRenderContext EXACT = new FontRenderContext(null, true, true);
    static final Color RED = new Color(0xD40000);

    @Option(names = "--plots", paramLabel = "DIR", defaultValue = "plots", description = "Where it goes.")
    Path plots;
    @Option(names = "--name", description = "What its files are called; by default what is drawn and chosen.")
    String name;
    @Option(names = "--csv", description = "Also write what is drawn, as NAME.csv beside the figure.")
    boolean csv;
    /** What stderr says of a figure that was written, a line each. */
    final Set<String> notes = new LinkedHashSet<>();

    /** XChart's axes in the look of the figures, without legend and frame. */
    static AxesChartStyler style(AxesChartStyler styler) {
        styler.setDecimalPattern("0.######").setChartBackgroundColor(Color.WHITE).setPlotContentSize(.999)
            .setPlotBorderVisible(false).setLegendVisible(false).setChartPadding(PAD).setLocale(Locale.ROOT);
        return styler.setAxisTitleFont(BOLD.deriveFont((float) TITLE)).setAxisTitlePadding(25)
            .setAxisTickLabelsFont(BOLD).setAxisTickPadding(12).setAxisTickMarkLength(16)
            .setAxisTickMarksStroke(new BasicStroke(3)).setAxisTickMarksColor(Color.BLACK)
            .setYAxisLabelAlignment(AxesChartStyler.TextAlignment.Right).setAxisTicksLineVisible(false)
            .setPlotGridLinesVisible(false).setPlotMargin(0);
    }

    /** Text whose left end, middle or right end (align 0, .5, 1) is at x, and half a capital at y. */
    static void text(Graphics2D g, String s, double size, Color color, double x, double y, double align) {
        float left = (float) (x - align * width(s, size)), base = (float) (y + size * .365);
        g.setColor(color);
        g.fill(BOLD.deriveFont((float) size).createGlyphVector(EXACT, s).getOutline(left, base));
    }

    static double width(String s, double size) {
        return BOLD.deriveFont((float) size).getStringBounds(s, EXACT).getWidth();
    }

    /** A plot's frame, and above it names in a row, each behind its sign in its colour. */
    static void frame(Graphics2D g, double left, double right, double low, Map<String, Color> names) {
        g.setColor(Color.BLACK);
        g.setStroke(new BasicStroke(3));
        g.draw(new Rectangle2D.Double(left, PAD, right - left, low - PAD));
        double wide = width(String.join("   ", names.keySet()), TEXT);
        double size = TEXT * Math.min(1, (right - left) / wide), x = (left + right - wide * size / TEXT) / 2;
        for (String name : names.keySet()) {
            String sign = name.split(" ")[0];
            text(g, name.substring(sign.length()), size, Color.BLACK, x + width(sign, size), PAD - 40, 0);
            text(g, sign, size, names.get(name), x, PAD - 40, 0);
            x += width(name + "   ", size);
        }
    }

    /** The files of such a name in a folder, or the one named, which may stand in data or ../data. */
    static List<Path> files(Path input, String name) throws IOException {
        Optional<Path> place = Stream.of("", "data", "../data").map(folder -> Path.of(folder).resolve(input))
            .filter(Files::exists).findFirst();
        require(place.isPresent() && !input.toString().isEmpty(), "'" + input + "' is not here, nor in data/ "
            + "or ../data/; expected a folder or a file");
        try (Stream<Path> files = Files.find(place.get(), 1, (file, is) -> is.isRegularFile()
            && file.getFileName().toString().matches(name), FileVisitOption.FOLLOW_LINKS)) {
            return files.sorted().toList();
        }
    }

    /** A file's lines; the last one, if it is still being written, ends in a NUL byte. */
    static BufferedReader lines(InputStream file) throws IOException {
        InputStream marked = new SequenceInputStream(file, new ByteArrayInputStream(new byte[1]));
        return new BufferedReader(new InputStreamReader(marked, "ISO-8859-1"));
    }

    /** Writes NAME.png, .eps and with --csv .csv, in a folder of their own, and moves them into place. */
    void save(String drawn, Consumer<Graphics2D> drawing, List<List<?>> rows) {
        XYChart page = new XYChart(360, 216) {
            @Override public void paint(Graphics2D g, int width, int height) {
                g.addRenderingHints(Map.of(
                    RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE,
                    RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON));
                g.scale(72 / 300., 72 / 300.);
                g.setColor(Color.WHITE);
                g.fillRect(0, 0, WIDTH, HEIGHT);
                drawing.accept(g);
            }
        };
        String stem = name == null ? drawn.replaceAll("(?U)[^\\w.,+-]", "_") : name;
        require(stem.matches("[^/\\p{C}]+"), "--name=" + name + ": expected a name; a folder is --plots");
        try {
            write(page, stem, csv ? rows : List.of());
        } catch (IOException e) {
            require(false, plots + ": cannot write there (" + e + "); see --plots and --name");
        }
        notes.forEach(note -> say(note));
    }

    void write(XYChart page, String stem, List<List<?>> rows) throws IOException {
        Path part = Files.createTempDirectory(Files.createDirectories(plots), ".part");
        Stream.of("", ".png", ".eps", ".csv").forEach(end -> part.resolve(end).toFile().deleteOnExit());
        BitmapEncoder.saveBitmapWithDPI(page, part + "/.png", BitmapEncoder.BitmapFormat.PNG, 300);
        Files.writeString(part.resolve(".eps"), eps(page));
        Files.write(part.resolve(".csv"), rows.stream().map(row -> CSVFormat.DEFAULT
            .format(row.stream().map(cell -> cell.equals(Double.NaN) ? "" : cell).toArray())).toList());
        Files.deleteIfExists(plots.resolve(stem + ".csv"));
        for (String end : csv ? List.of(".png", ".eps", ".csv") : List.of(".png", ".eps")) {
            Path file = plots.resolve(stem + end);
            System.out.println(Files.move(part.resolve(end), file, StandardCopyOption.ATOMIC_MOVE));
        }
    }

    /** A page as EPS, without its date, so that the same input makes the same bytes. */
    static String eps(XYChart page) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        EPSDocumentGraphics2D g = new EPSDocumentGraphics2D(true);
        g.setGraphicContext(new org.apache.xmlgraphics.java2d.GraphicContext());
        g.setupDocument(out, page.getWidth(), page.getHeight());
        page.paint(g, page.getWidth(), page.getHeight());
        g.finish();
        return out.toString().replaceFirst("%%CreationDate:.*\\R", "");
    }

    /** Runs a script; what is wrong is one line, exit 2 if it begins with an option, else 1 for the input. */
    static int execute(Callable<Integer> script, String... args) {
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> say(e + ": too little memory (-Xmx in the "
            + "script's header), or no fonts (apt install fontconfig fonts-dejavu-core)"));
        // So that XChart, fonts and the writer of EPS are loaded by the time that they are needed.
        ForkJoinPool.commonPool().submit(() -> eps(new XYChart(99, 99)));
        return new picocli.CommandLine(script).setOverwrittenOptionsAllowed(true)
            .setParameterExceptionHandler((e, rest) -> say("--help says more: " + e.getMessage()))
            .setExecutionExceptionHandler((e, line, parsed) -> say(e instanceof IllegalArgumentException
                ? e.getMessage() : "cannot read " + e.getMessage() + " (" + e.getClass() + ")"))
            .execute(args);
    }

    static int say(String line) {
        System.err.println(line.replaceAll("\\p{C}", "?"));
        return line.startsWith("--") ? 2 : 1;
    }

    static void require(boolean met, String otherwise) {
        if (!met) {
            throw new IllegalArgumentException(otherwise);
        }
    }
    // ==== end of figure ====
}
