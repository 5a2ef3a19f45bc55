///usr/bin/env jbang "$0" "$@" ; exit $?
//DESCRIPTION Free GPU memory in the forward, backward and update phases of one training iteration.
//JAVA 17+
//DEPS info.picocli:picocli:4.7.7
//DEPS org.knowm.xchart:xchart:4.0.3
//DEPS org.apache.xmlgraphics:xmlgraphics-commons:2.11
//DEPS org.apache.commons:commons-csv:1.14.1
//DEPS org.xerial:sqlite-jdbc:3.54.1.0
//RUNTIME_OPTIONS -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xmx160m
//RUNTIME_OPTIONS --enable-native-access=ALL-UNNAMED

import static java.awt.RenderingHints.*;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;

import java.awt.*;
import java.awt.font.FontRenderContext;
import java.awt.geom.Rectangle2D;
import java.io.*;
import java.nio.file.*;
import java.sql.*;
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
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.sqlite.JDBC;
import picocli.CommandLine;
import picocli.CommandLine.*;

/** A GPU monitor's samples as a line, over a band for each phase of an iteration. Times are ns since 1970. */
@Command(name = "memory", version = "2.0", mixinStandardHelpOptions = true, showDefaultValues = true,
    description = "Free GPU memory in the forward, backward and update phases of one training iteration.")
class Memory implements Callable<Integer> {
    /** A phase of an iteration: its name, the colour of its bands, and the NVTX ranges that it may have. */
    record Phase(String name, int rgb, List<String> ranges) {
        String key() { return name.toLowerCase(Locale.ROOT); }
    }

    static final Phase FORWARD = new Phase("Forward", 0xA6D9CA, List.of("DeepSpeedEngine.forward")),
        BACKWARD = new Phase("Backward", 0xEBCDE6, List.of("DeepSpeedEngine.backward")),
        UPDATE = new Phase("Update", 0xA6CDE4, List.of("DeepSpeedEngine._take_model_step",
            "DeepSpeedZeroOptimizer_Stage3.step"));
    static final List<Phase> PHASES = List.of(FORWARD, BACKWARD, UPDATE);

    @Parameters(paramLabel = "DIR|CSV", description = "A folder with one *-monitor.csv, or that file.")
    Path input;
    @Option(names = "--phases", paramLabel = "FILE",
        description = "A capture (.sqlite), report (.nsys-rep) or log; by default the one of the CSV's stem.")
    Path phases;
    @Option(names = "--iteration", paramLabel = "N", defaultValue = "3", description = "Counted by updates.")
    int iteration;
    @Option(names = "--device", paramLabel = "N", description = "A GPU of the monitor's, else the lowest.")
    Long device;
    @Option(names = "--process", paramLabel = "PID", description = "Whose ranges, else the lowest.")
    Long process;
    @Option(names = "--range", paramLabel = "PHASE=NAME", showDefaultValue = Help.Visibility.NEVER,
        description = "The NVTX range that is a phase, in place of DeepSpeed's own. Repeatable.")
    Map<String, String> ranges = new TreeMap<>();
    @Option(names = "--zone", defaultValue = "UTC", description = "The time zone of a log's stamps.")
    ZoneId zone;

    public static void main(String... args) {
        System.exit(execute(new Memory(), args));
    }

    @Override public Integer call() throws Exception {
        Path csv = monitor(), source = source(csv);
        boolean log = source.toString().endsWith(".log");
        List<Band> bands = iteration(log ? logged(source) : captured(source), source);
        List<Sample> samples = samples(csv, bands.get(0).start, end(bands));
        XYChart chart = chart(bands, samples);
        save(name(csv), g -> draw(g, chart), table(bands, samples));
        return 0;
    }

    /** A stretch of time, both ends included, of a phase. */
    record Band(Phase phase, long start, long end) { }

    record Sample(long ns, long freeBytes) {
        double freeGiB() { return freeBytes / (double) (1L << 30); }
    }

    static long end(List<Band> bands) { return bands.get(bands.size() - 1).end; }

    Path monitor() throws IOException {
        List<Path> found = files(input, ".*-monitor\\.csv");
        require(found.size() == 1, input + ": expected one X-monitor.csv, found " + found + "; name one");
        return found.get(0);
    }

    /** Where the phases are: the file named, or the first that has the monitor's stem. */
    Path source(Path csv) throws IOException {
        String stem = csv.toString().replaceFirst("-monitor\\.csv$", "");
        List<String> ends = List.of("-nsys.sqlite", ".sqlite", "-nsys.nsys-rep", ".nsys-rep", ".log");
        Path source = phases != null ? phases
            : ends.stream().map(end -> Path.of(stem + end)).filter(Files::exists).findFirst().orElse(null);
        require(source != null, stem + ": no file that ends in one of " + ends + "; name one by --phases");
        for (Path file : List.of(csv, source)) {
            try (InputStream in = Files.newInputStream(file)) {
                require(!new String(in.readNBytes(40), ISO_8859_1).startsWith("version https://git-lfs"),
                    file + ": a Git LFS pointer, expected the file itself; run git lfs pull");
            }
        }
        return source;
    }

    /** What the figure's files are called: the model, and what was chosen. */
    String name(Path csv) {
        String model = csv.getFileName().toString().replaceFirst("^(log-)?([^-]+).*", "$2");
        return model + "-memory" + (iteration == 3 ? "" : "-iteration" + iteration)
            + (device == null ? "" : "-device" + device)
            + (process == null ? "" : "-process" + process)
            + String.join("", ranges.entrySet().stream().map(range -> "-" + range).toList());
    }

    /** Ranges by name, from their text or a registered string; times become absolute where they are not. */
    static final String RANGES = """
        WITH names AS (SELECT value FROM json_each(?)),
          ids AS (SELECT id FROM StringIds WHERE value IN names),
          ranges AS (SELECT start, "end", globalTid,
            coalesce(text, (SELECT value FROM StringIds WHERE id = textId)) AS name,
            iif(start > 1e17, 0, (SELECT utcEpochNs FROM TARGET_INFO_SESSION_START_TIME)) AS epoch
            FROM NVTX_EVENTS WHERE (text IN names OR text IS NULL AND textId IN ids) AND "end" > start)
        SELECT start + epoch, "end" + epoch, globalTid, name FROM ranges ORDER BY start, "end" DESC""";

    /** The bands of a capture, which is not changed, of the process asked for or else the lowest. */
    List<Band> captured(Path source) throws Exception {
        for (Path beside : List.of(Path.of(source + "-journal"), Path.of(source + "-wal"))) {
            boolean empty = !Files.exists(beside) || Files.size(beside) == 0;
            require(empty, beside + ": not empty, and the capture lacks what is in it; export it again");
        }
        Path file = source.toString().matches(".*\\.(nsys-rep|qdrep)") ? exported(source) : source;
        String url = "jdbc:sqlite:" + file.toUri() + "?mode=ro&immutable=1";
        try (Connection db = JDBC.createConnection(url, new Properties())) {
            Map<Long, List<Band>> threads = threads(db, source);
            require(!threads.isEmpty(), source + ": no thread has ranges of every phase, " + names().keySet()
                + "; see --range and --process");
            if (threads.size() > 1) {
                notes.add(source + ": several threads have such ranges, of the processes "
                    + threads.keySet().stream().map(Memory::pid).toList() + "; the first is drawn");
            }
            return threads.values().iterator().next();
        } catch (SQLException e) {
            throw new IllegalArgumentException(source + ": " + e.getMessage() + "; expected what nsys stats "
                + "--force-export=true makes of nsys profile --trace=cuda,nvtx");
        }
    }

    static long pid(long globalTid) { return globalTid >> 24 & 0xFFFFFF; }

    /** Of each thread that has all phases the bands, in order, without those within one of their phase. */
    Map<Long, List<Band>> threads(Connection db, Path source) throws SQLException {
        Map<String, Phase> names = names();
        Map<Long, List<Band>> threads = new TreeMap<>();
        try (PreparedStatement query = db.prepareStatement(RANGES)) {
            query.setString(1, "[\"" + String.join("\",\"", names.keySet()) + "\"]");
            for (ResultSet row = query.executeQuery(); row.next(); ) {
                require(row.getObject(1) != null, source + ": no TARGET_INFO_SESSION_START_TIME.utcEpochNs");
                threads.computeIfAbsent(row.getLong(3), thread -> new ArrayList<>())
                    .add(new Band(names.get(row.getString(4)), row.getLong(1), row.getLong(2)));
            }
        }
        threads.keySet().removeIf(thread -> process != null && process != pid(thread));
        threads.values().removeIf(bands -> !whole(bands));
        threads.replaceAll((thread, bands) -> outer(bands));
        return threads;
    }

    static boolean whole(List<Band> bands) {
        return bands.stream().map(Band::phase).distinct().count() == PHASES.size();
    }

    /** The names of ranges, each with its phase: that of --range, or DeepSpeed's own. */
    Map<String, Phase> names() {
        Map<String, Phase> names = new LinkedHashMap<>();
        for (Phase phase : PHASES) {
            String own = ranges.get(phase.key());
            (own == null ? phase.ranges : List.of(own)).forEach(name -> names.put(name, phase));
        }
        boolean known = PHASES.stream().map(Phase::key).toList().containsAll(ranges.keySet());
        require(known, "--range=" + ranges + ": expected forward=, backward= or update=");
        return names;
    }

    /** The bands without those within another of their phase, as upstream's update is within the fork's. */
    static List<Band> outer(List<Band> bands) {
        Map<Phase, Long> reached = new HashMap<>();
        List<Band> outer = new ArrayList<>();
        for (Band band : bands) {
            if (band.end > reached.getOrDefault(band.phase, 0L)) {
                outer.add(band);
                reached.put(band.phase, band.end);
            }
        }
        return outer;
    }

    /** What nsys exports of a report, into a folder for temporary files until the script ends. */
    static Path exported(Path report) throws Exception {
        Path folder = Files.createTempDirectory("memory"), file = folder.resolve("capture.sqlite");
        folder.toFile().deleteOnExit();
        file.toFile().deleteOnExit();
        File nothing = new File("/dev/null");
        try {
            List<String> export = List.of("nsys", "export", "--type=sqlite", "--output=" + file, "" + report);
            Process nsys = new ProcessBuilder(export).redirectInput(nothing).redirectError(nothing)
                .redirectOutput(nothing).start();
            boolean exported = nsys.waitFor() == 0 && Files.exists(file);
            require(exported, report + ": nsys export --type=sqlite failed on it; export it by hand");
        } catch (IOException e) {
            require(false, report + ": no nsys here to export it; where there is one, run nsys stats "
                + "--force-export=true on it and put the .sqlite beside the monitor");
        }
        return file;
    }

    /** The last stamp in a line, and what begins or ends then, or the ms of the update that ends then. */
    static final Pattern LINE = Pattern.compile(".*\\[(\\d{4}-\\d\\d-\\d\\d) ([\\d:]{8}),(\\d{3})].*?"
        + "(?:Engine (before|after) (forward|backward)|"
        + "time \\(ms\\) \\| (?:fwd|forward): .*\\| step: ([^\\s|\\[<]*))");
    /** DeepSpeed collects garbage before it says that a backward has ended: so much in the study's logs. */
    static final long LATE_NS = 63_000_000;

    /** A log's phases: forwards and backwards by DeepSpeed's memory messages, updates by timing lines. */
    List<Band> logged(Path log) throws IOException {
        List<Band> bands = new ArrayList<>();
        long begun = 0;
        try (BufferedReader lines = lines(Files.newInputStream(log))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher m = LINE.matcher(line.substring(line.lastIndexOf('\0') + 1));
                if (!m.find()) {
                    continue;
                }
                long ns = ns(m.group(1) + "T" + m.group(2) + "." + m.group(3), log);
                if (m.group(6) != null) {
                    require(m.group(6).matches("\\d+(\\.\\d+)?"), log + ": damaged number in " + line);
                    bands.add(new Band(UPDATE, ns - (long) (Double.parseDouble(m.group(6)) * 1e6), ns));
                } else if (m.group(4).equals("after") && begun > 0) {
                    bands.add(m.group(5).equals("forward") ? new Band(FORWARD, begun, ns)
                        : new Band(BACKWARD, begun, ns - LATE_NS));
                }
                begun = "before".equals(m.group(4)) ? ns : 0;
            }
        }
        notes.add(log + ": phases are from this log, its stamps in the zone " + zone);
        return bands;
    }

    long ns(String stamp, Path log) {
        try {
            return LocalDateTime.parse(stamp).atZone(zone).toInstant().toEpochMilli() * 1_000_000;
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(log + ": damaged time of day, " + stamp);
        }
    }

    /** The update asked for, and the bands since the one before. */
    List<Band> iteration(List<Band> all, Path source) {
        int[] updates = IntStream.range(0, all.size()).filter(i -> all.get(i).phase == UPDATE).toArray();
        require(0 < iteration, "--iteration=" + iteration + ": expected a number from 1");
        require(iteration <= updates.length, source + ": it tells when " + updates.length + " updates were, "
            + "expected --iteration=" + iteration + " to be one of them");
        int from = iteration == 1 ? 0 : updates[iteration - 2] + 1;
        List<Band> bands = all.subList(from, updates[iteration - 1] + 1);
        require(whole(bands), source + ": iteration " + iteration + " lacks phases; in a log forward and "
            + "backward need memory_breakdown");
        return bands;
    }

    /** The samples of a device from a second before to a second after a stretch of time, in order. */
    List<Sample> samples(Path csv, long from, long to) throws IOException {
        Monitor monitor = new Monitor(csv, from, to, "timestamp", "device_id", "mem_free");
        long drawn = device != null ? device : monitor.devices.stream().findFirst().orElse(0L);
        long gap = monitor.gap(drawn, from, to), totalBytes = 0;
        List<Sample> samples = new ArrayList<>();
        for (CSVRecord row : monitor.rows) {
            if (monitor.whole(row, "device_id") == drawn) {
                Sample sample = new Sample(monitor.ns(row), monitor.whole(row, "mem_free"));
                long used = row.isMapped("mem_used") ? monitor.whole(row, "mem_used") : 0;
                totalBytes = Math.max(totalBytes, sample.freeBytes + used);
                samples.add(sample);
            }
        }
        samples.sort(Comparator.comparing(Sample::ns));
        require(totalBytes >= 1 << 28, csv + ": mem_free is not in bytes but MiB? The most is " + totalBytes);
        if (gap > SECOND) {
            notes.add(csv + ": no sample for " + gap / 1e9 + " s, where the line is broken");
        }
        notes.add(csv + ": " + samples.size() + " samples of device " + drawn + " of " + monitor.devices);
        return samples;
    }

    /** What --csv writes: each sample of the iteration, and the phase in which it lies, none between two. */
    static List<List<?>> table(List<Band> bands, List<Sample> samples) {
        List<List<?>> rows = new ArrayList<>();
        rows.add(List.of("timestamp_ns", "seconds", "phase", "mem_free_bytes"));
        long from = bands.get(0).start;
        for (Sample s : samples) {
            String phase = bands.stream().filter(band -> band.start <= s.ns && s.ns <= band.end).findFirst()
                .map(band -> band.phase.key()).orElse("");
            if (from <= s.ns && s.ns <= end(bands)) {
                rows.add(List.of(s.ns, (s.ns - from) / 1e9, phase, s.freeBytes));
            }
        }
        return rows;
    }

    /** The bands, and the samples over them. */
    static XYChart chart(List<Band> bands, List<Sample> samples) {
        long from = bands.get(0).start;
        double top = 1.1 * samples.stream().mapToDouble(Sample::freeGiB).max().orElseThrow();
        XYChart chart = new XYChart(WIDTH, HEIGHT);
        chart.setXAxisTitle("Time within the iteration (s)");
        chart.setYAxisTitle("Free GPU memory (GiB)");
        style(chart.getStyler()).setXAxisMin(0.).setXAxisMax((end(bands) - from) / 1e9).setYAxisMin(0.)
            .setYAxisMax(top).setXAxisTickMarkSpacingHint(130).setYAxisTickMarkSpacingHint(100);
        for (Band band : bands) {
            double[] seconds = {(band.start - from) / 1e9, (band.end - from) / 1e9}, height = {top, top};
            XYSeries area = chart.addSeries("" + band, seconds, height);
            area.setXYSeriesRenderStyle(XYSeriesRenderStyle.Area).setMarker(SeriesMarkers.NONE)
                .setLineStyle(SeriesLines.NONE).setFillColor(new Color(band.phase.rgb));
        }
        addLine(chart, from, samples);
        return chart;
    }

    /** The samples as a line, which is broken where they miss a second. */
    static void addLine(XYChart chart, long from, List<Sample> samples) {
        List<Double> seconds = new ArrayList<>(), free = new ArrayList<>();
        long last = samples.get(0).ns;
        for (Sample sample : samples) {
            if (sample.ns - last > SECOND) {
                seconds.add((last - from) / 1e9);
                free.add(Double.NaN);
            }
            seconds.add((sample.ns - from) / 1e9);
            free.add(sample.freeGiB());
            last = sample.ns;
        }
        chart.addSeries("free", seconds, free).setMarker(SeriesMarkers.NONE).setLineColor(Color.BLACK)
            .setLineStyle(new BasicStroke(7, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    }

    static void draw(Graphics2D g, XYChart chart) {
        g.translate(0, 80);
        chart.paint(g, WIDTH - 12, HEIGHT - 80);
        Rectangle2D plot = new Rectangle2D.Double();
        plot.setFrameFromDiagonal(chart.getScreenXFromChart(0), chart.getScreenYFromChart(0),
            chart.getScreenXFromChart(chart.getStyler().getXAxisMax()),
            chart.getScreenYFromChart(chart.getStyler().getYAxisMax()));
        Map<String, Color> names = new LinkedHashMap<>();
        PHASES.forEach(phase -> names.put("\u25a0 " + phase.name, new Color(phase.rgb)));
        frame(g, plot, names);
    }

    // ==== monitor: the same text in every script that reads a monitor ====

    static final long SECOND = 1_000_000_000;

    /** A monitor's devices, and its rows from a second before to a second after a window, in ns. */
    static class Monitor {
        final Path csv;
        final Set<Long> devices = new TreeSet<>();
        final List<CSVRecord> rows;
        private final LongSummaryStatistics times = new LongSummaryStatistics();

        /** Parses only the lines of these rows, each behind its number: there may be millions of others. */
        Monitor(Path csv, long from, long to, String... columns) throws IOException {
            this.csv = csv;
            try (BufferedReader lines = lines(Files.newInputStream(csv))) {
                String header = lines.readLine();
                List<String> names = List.of(header.split(",")), needed = List.of(columns);
                require(names.containsAll(needed), csv + ": needs columns " + needed + ", found " + header);
                int time = names.indexOf("timestamp"), id = names.indexOf("device_id"), number = 1;
                StringBuilder near = new StringBuilder("line," + header + "\n");
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    number++;
                    boolean whole = !line.endsWith("\0") && !line.isEmpty();
                    if (whole && near(line.split(",", Math.max(time, id) + 2), time, id, from, to)) {
                        near.append(number).append(',').append(line).append('\n');
                    }
                }
                rows = CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get()
                    .parse(new StringReader(near.toString())).getRecords();
            }
        }

        /** Whether a row is near the window, or cannot be told not to be, of which cell() will complain. */
        private boolean near(String[] cells, int time, int id, long from, long to) {
            try {
                long ns = Long.parseLong(cells[time]);
                devices.add(Long.parseLong(cells[id]));
                times.accept(ns);
                return from - SECOND <= ns && ns <= to + SECOND;
            } catch (NumberFormatException | IndexOutOfBoundsException e) {
                return true;
            }
        }

        long ns(CSVRecord row) { return whole(row, "timestamp"); }

        long whole(CSVRecord row, String column) {
            return Long.parseLong(cell(row, column, "[0-8]?\\d{1,18}"));
        }

        /** A cell's text; fails if it is no such number. */
        String cell(CSVRecord row, String column, String pattern) {
            String text = row.isConsistent() ? row.get(column) : "";
            require(text.matches(pattern), csv + ", line " + row.get(0) + ": '" + text + "' is no " + column
                + ", expected a plain number");
            return text;
        }

        /** The widest gap in ns between a device's times in a window; fails if they do not reach its ends. */
        long gap(long device, long from, long to) {
            long[] ns = rows.stream().filter(row -> whole(row, "device_id") == device).mapToLong(this::ns)
                .filter(time -> from - SECOND <= time && time <= to + SECOND).sorted().toArray();
            boolean within = Arrays.stream(ns).anyMatch(time -> from <= time && time <= to);
            require(within && ns[0] <= from + SECOND && ns[ns.length - 1] >= to - SECOND, csv + ": device "
                + device + " lacks samples from " + utc(from) + " to " + utc(to) + ", all are from "
                + utc(times.getMin()) + " to " + utc(times.getMax())
                + ": another run, clock, zone, or unit than ns?");
            return IntStream.range(1, ns.length).mapToLong(i -> ns[i] - ns[i - 1]).max().orElse(0);
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
    static final Map<?, ?> AS_IN_EPS = Map.of(KEY_STROKE_CONTROL, VALUE_STROKE_PURE,
        KEY_FRACTIONALMETRICS, VALUE_FRACTIONALMETRICS_ON);

    @Option(names = "--plots", paramLabel = "DIR", defaultValue = "plots", description = "Where it goes.")
    Path plots;
    @Option(names = "--name", description = "What its files are called; by default what is drawn and chosen.")
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
            .setYAxisLabelAlignment(AxesChartStyler.TextAlignment.Right).setAxisTicksLineVisible(false)
            .setPlotGridLinesVisible(false).setPlotMargin(0).setPlotContentSize(.999)
            .setPlotBorderVisible(false).setChartBackgroundColor(Color.WHITE).setChartPadding(12)
            .setLegendVisible(false).setDecimalPattern("0.######").setLocale(Locale.ROOT);
        return styler;
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

    /** A plot's frame, and above it names in a row, each behind its first character in its colour. */
    static void frame(Graphics2D g, Rectangle2D plot, Map<String, Color> names) {
        g.setColor(Color.BLACK);
        g.setStroke(new BasicStroke(3));
        g.draw(plot);
        double x = plot.getCenterX() - width(String.join("   ", names.keySet()), TEXT) / 2;
        for (String name : names.keySet()) {
            text(g, name.substring(1), TEXT, Color.BLACK, x + width("\u25a0", TEXT), plot.getY() - 40, 0);
            text(g, name.substring(0, 1), TEXT, names.get(name), x, plot.getY() - 40, 0);
            x += width(name + "   ", TEXT);
        }
    }

    /** The files of such a name in a folder, or the one named, which may stand in data or ../data. */
    static List<Path> files(Path input, String name) throws IOException {
        require(!input.toString().isEmpty(), "DIR: expected a folder or file, not an empty name");
        Path place = Stream.of("", "data", "../data").map(folder -> Path.of(folder).resolve(input))
            .filter(Files::exists).findFirst().orElse(input);
        try (Stream<Path> files = Files.walk(place, 1, FileVisitOption.FOLLOW_LINKS)) {
            return files.filter(Files::isRegularFile).sorted()
                .filter(file -> file.getFileName().toString().matches(name)).toList();
        }
    }

    /** A file's lines; the last one, if it is still being written, ends in a NUL byte. */
    static BufferedReader lines(InputStream file) {
        InputStream marked = new SequenceInputStream(file, new ByteArrayInputStream(new byte[1]));
        return new BufferedReader(new InputStreamReader(marked, ISO_8859_1));
    }

    /** Writes NAME.png, .eps and with --csv .csv, in a folder of their own, and moves them into place. */
    void save(String drawn, Consumer<Graphics2D> drawing, List<List<?>> rows) {
        XYChart page = new XYChart(360, 216) {
            @Override public void paint(Graphics2D g, int width, int height) {
                g.addRenderingHints(AS_IN_EPS);
                g.scale(72 / 300., 72 / 300.);
                g.setColor(Color.WHITE);
                g.fillRect(0, 0, WIDTH, HEIGHT);
                drawing.accept(g);
            }
        };
        String stem = (name == null ? drawn : name).replaceAll("[^\\w.,!+-]", "_");
        require(!stem.isEmpty(), "--name: expected a name for the files");
        try {
            write(page, stem, rows);
        } catch (IOException e) {
            require(false, plots + ": cannot write there (" + e.getMessage() + "); see --plots");
        }
        notes.forEach(note -> say(note));
    }

    private void write(XYChart page, String stem, List<List<?>> rows) throws IOException {
        Path part = Files.createTempDirectory(Files.createDirectories(plots), ".part");
        part.toFile().deleteOnExit();
        List.of(".png", ".eps", ".csv").forEach(end -> part.resolve(stem + end).toFile().deleteOnExit());
        BitmapEncoder.saveBitmapWithDPI(page, part.resolve(stem) + "", BitmapEncoder.BitmapFormat.PNG, 300);
        Files.writeString(part.resolve(stem + ".eps"), eps(page), ISO_8859_1);
        Files.write(part.resolve(stem + ".csv"), rows.stream().map(row -> CSVFormat.DEFAULT.format(
            row.stream().map(cell -> Objects.equals(cell, Double.NaN) ? "" : cell).toArray())).toList());
        Files.deleteIfExists(plots.resolve(stem + ".csv"));
        for (String end : csv ? List.of(".png", ".eps", ".csv") : List.of(".png", ".eps")) {
            System.out.println(Files.move(part.resolve(stem + end), plots.resolve(stem + end), ATOMIC_MOVE));
        }
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

    /** Runs a script; what is wrong is one line, exit 2 if it begins with an option, else 1 for the input. */
    static int execute(Callable<Integer> script, String... args) {
        try {
            return new CommandLine(script).setOverwrittenOptionsAllowed(true)
                .setParameterExceptionHandler((e, rest) -> say("--help says more: " + e.getMessage()))
                .setExecutionExceptionHandler((e, line, parsed) -> say(e instanceof IllegalArgumentException
                    ? e.getMessage() : "cannot read " + e.getMessage() + " (" + e.getClass() + ")"))
                .execute(args);
        } catch (Error e) {
            return say(e + ": too little memory (-Xmx in the script's header), or no fonts "
                + "(apt install fontconfig fonts-dejavu-core)");
        }
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
