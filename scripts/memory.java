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

import java.awt.*;
import java.awt.font.FontRenderContext;
import java.awt.geom.Rectangle2D;
import java.io.*;
import java.nio.file.*;
import java.sql.*;
import java.time.*;
import java.util.*;
import java.util.List;
import java.util.concurrent.*;
import java.util.function.*;
import java.util.regex.*;
import java.util.stream.*;
import org.apache.commons.csv.*;
import org.apache.xmlgraphics.java2d.ps.EPSDocumentGraphics2D;
import org.knowm.xchart.*;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.sqlite.JDBC;
import picocli.CommandLine.*;

/** A GPU monitor's samples as a line, over a band for each phase of an iteration. Times are ns since 1970. */
@Command(name = "memory", version = "2.0", mixinStandardHelpOptions = true, showDefaultValues = true,
    description = "Free GPU memory in the forward, backward and update phases of one training iteration.")
class Memory implements Callable<Integer> {
    /** A phase: name, colour of its bands, how late a log says that it has ended, names of NVTX ranges. */
    record Phase(String name, int rgb, long lateNs, String... ranges) {
        String key() { return name.toLowerCase(Locale.ROOT); }
    }

    /** After a backward DeepSpeed collects garbage before it says so: for 63 ms in the study's logs. */
    static final Phase FORWARD = new Phase("Forward", 0xA6D9CA, 0, "DeepSpeedEngine.forward"),
        BACKWARD = new Phase("Backward", 0xEBCDE6, 63_000_000, "DeepSpeedEngine.backward"),
        UPDATE = new Phase("Update", 0xA6CDE4, 0, "DeepSpeedEngine._take_model_step",
            "DeepSpeedZeroOptimizer_Stage3.step");
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
        TreeMap<Long, String> free = free(csv, bands);
        XYChart chart = chart(bands, free);
        save(name(csv), g -> draw(g, chart), table(bands, free));
        return 0;
    }

    /** A stretch of time, both ends included, of a phase. */
    record Band(Phase phase, long start, long end) { }

    static long start(List<Band> bands) { return bands.get(0).start; }

    static long end(List<Band> bands) { return bands.get(bands.size() - 1).end; }

    Path monitor() throws IOException {
        List<Path> found = files(input, ".*-monitor\\.csv");
        require(found.size() == 1, input + ": expected one X-monitor.csv, found " + found + "; name one");
        return found.get(0);
    }

    /** Where the phases are: the file named, or the first that has the monitor's stem. */
    Path source(Path csv) {
        String stem = csv.toString().replaceFirst("-monitor\\.csv$", "");
        List<String> ends = List.of("-nsys.sqlite", ".sqlite", "-nsys.nsys-rep", ".nsys-rep", ".log");
        Path source = phases != null ? phases : ends.stream().map(end -> Path.of(stem + end))
            .filter(Files::isRegularFile).findFirst().orElse(Path.of(stem + ".sqlite"));
        require(Files.isRegularFile(source) && Files.isReadable(source), "cannot read " + source
            + ", or no such file; expected what ends in one of " + ends + "; name one by --phases");
        return source;
    }

    /** What the figure's files are called: the model, and what was chosen. */
    String name(Path csv) {
        String model = csv.getFileName().toString()
            .replaceFirst("^(log-)?(.+?)(-[A-Za-z_]+\\d|-monitor).*", "$2");
        return model + "-memory" + (iteration == 3 ? "" : "-iteration" + iteration)
            + (phases == null ? "" : "-" + phases.getFileName())
            + (device == null ? "" : "-device" + device)
            + (process == null ? "" : "-process" + process)
            + (zone.getId().equals("UTC") ? "" : "-zone" + zone)
            + String.join("", ranges.entrySet().stream().map(range -> "-" + range).toList());
    }

    /** The bands of the first thread that has ranges of every phase, none within another of its phase. */
    static final String BANDS = """
        WITH names AS (SELECT name.value AS name, phase.key AS phase
            FROM json_each(?1) AS phase, json_each(phase.value) AS name),
          ranges AS (SELECT globalTid AS thread, globalTid >> 24 & 0xFFFFFF AS process, start, "end",
            coalesce(text, (SELECT value FROM StringIds WHERE id = textId)) AS name,
            iif(start > 1e17, 0, (SELECT utcEpochNs FROM TARGET_INFO_SESSION_START_TIME)) AS epoch
            FROM NVTX_EVENTS WHERE (text IN (SELECT name FROM names) OR text IS NULL AND textId IN
              (SELECT id FROM StringIds JOIN names ON name = value)) AND "end" > start),
          bands AS (SELECT *, max("end") OVER (PARTITION BY thread, phase ORDER BY start, "end" DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached FROM ranges JOIN names USING (name)),
          whole AS (SELECT thread, process FROM bands WHERE process = coalesce(?2, process)
            GROUP BY thread HAVING count(DISTINCT phase) = json_array_length(?1) ORDER BY thread)
        SELECT phase, start + epoch, "end" + epoch, (SELECT group_concat(process, ', ') FROM whole) FROM bands
        WHERE thread = (SELECT thread FROM whole) AND "end" > coalesce(reached, 0) AND epoch NOT NULL
        ORDER BY start, "end" DESC""";

    List<Band> captured(Path source) throws Exception {
        List<Band> bands = new ArrayList<>();
        // Else sqlite-jdbc logs a stack trace where its library cannot be unpacked.
        java.util.logging.LogManager.getLogManager().reset();
        try (Connection db = JDBC.createConnection(url(source), new Properties());
            PreparedStatement query = db.prepareStatement(BANDS)) {
            query.setString(1, names());
            query.setObject(2, process);
            for (ResultSet row = query.executeQuery(); row.next(); ) {
                bands.add(new Band(PHASES.get(row.getInt(1)), row.getLong(2), row.getLong(3)));
                notes.add(source + ": phases of the first of the processes [" + row.getString(4) + "]");
            }
        } catch (SQLException e) {
            String why = Objects.requireNonNullElse(e.getCause(), e).getMessage();
            require(false, source + ": " + why + "; expected what nsys stats --force-export=true makes of "
                + "nsys profile --trace=cuda,nvtx (or is it a Git LFS pointer?)");
        }
        require(!bands.isEmpty(), source + ": no thread has ranges of every phase, " + names()
            + ", or TARGET_INFO_SESSION_START_TIME is empty; see --range and --process");
        return bands;
    }

    /** The names that ranges of each phase may have, as JSON: that of --range, or DeepSpeed's own. */
    String names() {
        boolean known = PHASES.stream().map(Phase::key).toList().containsAll(ranges.keySet());
        require(known, "--range=" + ranges + ": expected forward=, backward= or update=");
        return PHASES.stream().map(phase -> "[\"" + ranges.getOrDefault(phase.key(),
            String.join("\", \"", phase.ranges)) + "\"]").toList().toString();
    }

    /** Where SQLite finds a capture, or what nsys exports of a report, of which nothing may change. */
    static String url(Path source) throws Exception {
        String journal = source.toRealPath() + "-journal", wal = source.toRealPath() + "-wal";
        require(new File(journal).length() + new File(wal).length() == 0, journal + " or " + wal
            + " is not empty, and the capture lacks what is in it; export it again");
        boolean report = source.toString().matches(".*\\.(nsys-rep|qdrep)");
        return "jdbc:sqlite:" + (report ? exported(source) : source).toUri() + "?mode=ro&immutable=1";
    }

    /** What nsys exports of a report, into a folder for temporary files until the script ends. */
    static Path exported(Path report) throws Exception {
        Path file = Files.createTempDirectory("memory").resolve("capture.sqlite");
        file.getParent().toFile().deleteOnExit();
        file.toFile().deleteOnExit();
        String export = "nsys export --type=sqlite \"--output=$1\" \"$2\" < /dev/null > /dev/null 2>&1";
        Process nsys = new ProcessBuilder("sh", "-c", export, "sh", "" + file, "" + report).start();
        require(nsys.waitFor() == 0, report + ": nsys export --type=sqlite failed, or there is no nsys here; "
            + "export it where there is one and put the .sqlite beside the monitor");
        return file;
    }

    /** A line's last stamp, and what begins or ends then, or a rank's update, in so many ms, ends then. */
    static final Pattern SAID = Pattern.compile(".*\\[(?<at>\\d{4}-\\d\\d-\\d\\d [\\d:]{8},\\d{3})].*?"
        + "(?:Engine (?<side>before|after) (?<of>forward|backward)|(?:(?:\\[Rank |rank=)(?<rank>\\d+).*?)?"
        + "time \\(ms\\) \\| (?:fwd|forward): .*\\| (?:bwd|backward): .*\\| step: (?<ms>[^\\s|\\[<\\e]*))");
    static final Pattern CONSUMED = Pattern.compile("consumed.samples[:=] *(\\d{1,18})");

    /** A log's bands: forwards and backwards by DeepSpeed's memory messages, updates by timing lines. */
    List<Band> logged(Path log) throws IOException {
        List<Band> bands = new ArrayList<>();
        List<Long> consumed = new ArrayList<>();
        String rank = "";
        long begun = 0;
        try (BufferedReader lines = lines(Files.newInputStream(log))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                CONSUMED.matcher(line).results().forEach(all -> consumed.add(Long.valueOf(all.group(1))));
                Matcher said = SAID.matcher(line.substring(line.lastIndexOf('\0') + 1));
                if (said.find()) {
                    rank = rank.isEmpty() && said.group("ms") != null ? "" + said.group("rank") : rank;
                    begun = add(bands, said, begun, rank);
                }
            }
        } catch (DateTimeException | IllegalArgumentException e) {
            require(false, log + ": damaged line, " + e.getMessage());
        }
        require(!bands.isEmpty(), log + ": no line with a stamp says when a phase was, expected DeepSpeed's "
            + "with wall_clock_breakdown and memory_breakdown (a Git LFS pointer: git lfs pull)");
        notes.add(log + ": phases are from this log, its stamps in the zone " + zone);
        noteRises(log, consumed);
        return bands;
    }

    /** Adds the band that ends with a line, unless it is another rank's; returns when one begins, or 0. */
    long add(List<Band> bands, Matcher said, long begun, String rank) {
        String ms = said.group("ms");
        long ns = ns(said.group("at"));
        if (ms != null && rank.equals("" + said.group("rank"))) {
            require(ms.matches("\\d+(\\.\\d+)?"), "'" + ms + "' is no number");
            bands.add(new Band(UPDATE, ns - (long) (Double.parseDouble(ms) * 1e6), ns));
        } else if ("after".equals(said.group("side")) && begun > 0) {
            Phase phase = said.group("of").equals("forward") ? FORWARD : BACKWARD;
            bands.add(new Band(phase, begun, Math.max(begun, ns - phase.lateNs)));
        }
        return "before".equals(said.group("side")) ? ns : 0;
    }

    long ns(String stamp) {
        LocalDateTime time = LocalDateTime.parse(stamp.replace(' ', 'T').replace(',', '.'));
        return time.atZone(zone).toInstant().toEpochMilli() * 1_000_000;
    }

    /** Notes where a log's iterations are missing or come again: with each rise but one of their samples. */
    void noteRises(Path log, List<Long> consumed) {
        TreeMap<Long, String> rises = new TreeMap<>();
        IntStream.range(1, consumed.size()).forEach(i -> rises.putIfAbsent(
            consumed.get(i) - consumed.get(i - 1), consumed.get(i - 1) + " to " + consumed.get(i)));
        if (rises.size() > 1 || !rises.headMap(1L).isEmpty()) {
            notes.add(log + ": consumed samples rise by " + rises + ": lines are missing, or two runs");
        }
    }

    /** The update asked for, and the bands since the one before. */
    List<Band> iteration(List<Band> all, Path source) {
        int[] updates = IntStream.range(0, all.size()).filter(i -> all.get(i).phase == UPDATE).toArray();
        require(0 < iteration, "--iteration=" + iteration + ": expected a number from 1");
        require(iteration <= updates.length, source + ": it tells when " + updates.length + " updates were, "
            + "expected --iteration=" + iteration + " to be one of them; a log needs stamps");
        int from = iteration == 1 ? 0 : updates[iteration - 2] + 1;
        List<Band> bands = all.subList(from, updates[iteration - 1] + 1);
        require(bands.stream().map(Band::phase).distinct().count() == PHASES.size(), source + ": iteration "
            + iteration + " lacks phases; in a log forward and backward need memory_breakdown");
        return bands;
    }

    /** The bytes free on a device, by time; NaN where a second has no sample, which breaks a line. */
    TreeMap<Long, String> free(Path csv, List<Band> bands) throws IOException {
        long from = start(bands), to = end(bands);
        Monitor monitor = Monitor.of(csv, from, to, List.of("timestamp", "device_id", "mem_free"));
        long drawn = device != null ? device : monitor.near.keySet().stream().findFirst().orElse(0L);
        TreeMap<Long, Map<String, String>> samples = monitor.samples(drawn, from, to);
        double most = samples.values().stream().mapToDouble(row -> Double.parseDouble(row.get("mem_free"))
            + Double.parseDouble(row.getOrDefault("mem_used", "0"))).max().orElseThrow();
        require(most >= 1 << 28, csv + ": mem_free in MiB, not bytes? " + most + "; mem_used would tell");
        TreeMap<Long, String> free = new TreeMap<>();
        for (long ns : samples.keySet()) {
            Long last = samples.lowerKey(ns);
            if (last != null && ns - last > Monitor.SECOND) {
                notes.add(csv + ": no sample for " + (ns - last) / 1e9 + " s, where the line is broken");
                free.put(last + 1, "NaN");
            }
            free.put(ns, samples.get(ns).get("mem_free"));
        }
        int count = samples.subMap(from, to + 1).size();
        notes.add(csv + ": " + count + " samples of device " + drawn + " of " + monitor.near.keySet());
        return free;
    }

    /** What --csv writes: each sample of the iteration, and the phase in which it lies, none between two. */
    static List<List<?>> table(List<Band> bands, TreeMap<Long, String> free) {
        List<List<?>> rows = new ArrayList<>();
        rows.add(List.of("timestamp_ns", "seconds", "phase", "mem_free_bytes"));
        free.subMap(start(bands), true, end(bands), true).forEach((ns, bytes) -> {
            String phase = bands.stream().filter(band -> band.start <= ns && ns <= band.end)
                .map(band -> band.phase.key()).reduce("", (under, over) -> over);
            if (!bytes.equals("NaN")) {
                rows.add(List.of(ns, seconds(bands, ns), phase, bytes));
            }
        });
        return rows;
    }

    static double seconds(List<Band> bands, long ns) { return (ns - start(bands)) / 1e9; }

    /** The bands, and over them a line; if that breaks, of dots as well, as a sample may stand alone. */
    static XYChart chart(List<Band> bands, TreeMap<Long, String> free) {
        List<Double> gib = free.values().stream().map(said -> Double.parseDouble(said) / (1 << 30)).toList();
        double top = 1.1 * gib.stream().filter(n -> n > 0).max(Double::compare).orElse(1.);
        XYChart chart = new XYChart(WIDTH, HEIGHT);
        chart.setXAxisTitle("Time within the iteration (s)");
        chart.setYAxisTitle("Free GPU memory (GiB)");
        style(chart.getStyler()).setXAxisMin(0.).setXAxisMax(seconds(bands, end(bands))).setYAxisMin(0.)
            .setYAxisMax(top).setXAxisTickMarkSpacingHint(200).setYAxisTickMarkSpacingHint(100);
        for (Band band : bands) {
            double[] x = {seconds(bands, band.start), seconds(bands, band.end)}, y = {top, top};
            chart.addSeries("" + band, x, y).setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Area)
                .setMarker(SeriesMarkers.NONE).setLineStyle(SeriesLines.NONE)
                .setFillColor(new Color(band.phase.rgb));
        }
        chart.getStyler().setMarkerSize(6);
        List<Double> seconds = free.keySet().stream().map(ns -> seconds(bands, ns)).toList();
        chart.addSeries("free", seconds, gib)
            .setMarker(gib.contains(Double.NaN) ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE)
            .setMarkerColor(Color.BLACK).setLineColor(Color.BLACK)
            .setLineStyle(new BasicStroke(7, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
        return chart;
    }

    static void draw(Graphics2D g, XYChart chart) {
        g.translate(12 - PAD, 92 - PAD);
        chart.paint(g, WIDTH - 12 + PAD, HEIGHT - 104 + 2 * PAD);
        double right = chart.getScreenXFromChart(chart.getStyler().getXAxisMax());
        Map<String, Color> names = new LinkedHashMap<>();
        PHASES.forEach(phase -> names.put("\u25a0 " + phase.name, new Color(phase.rgb)));
        frame(g, chart.getScreenXFromChart(0), right, chart.getScreenYFromChart(0), names);
    }

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
