///usr/bin/env jbang "$0" "$@" ; exit $?
//DESCRIPTION Free GPU memory in the forward, backward and update phases of one training iteration.
//JAVA 17+
//DEPS info.picocli:picocli:4.7.7
//DEPS org.knowm.xchart:xchart:4.0.3
//DEPS org.apache.xmlgraphics:xmlgraphics-commons:2.11
//DEPS org.apache.commons:commons-csv:1.14.1
//DEPS org.xerial:sqlite-jdbc:3.54.1.0
//RUNTIME_OPTIONS -XX:+UseSerialGC -Xmn32m -XX:TieredStopAtLevel=1 -XX:-UsePerfData
//RUNTIME_OPTIONS --enable-native-access=ALL-UNNAMED

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
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.logging.LogManager;
import java.util.regex.Matcher;
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
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteJDBCLoader;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Free GPU memory over one training iteration: the samples of a monitor as a line, over a shaded band for each forward,
 * backward and update, taken from an Nsight Systems capture or else from the log. Times are ns since 1970, UTC.
 */
@Command(name = "memory", version = "1.0", mixinStandardHelpOptions = true, showDefaultValues = true,
    description = "Free GPU memory in the forward, backward and update phases of one training iteration.")
class Memory implements Callable<Integer> {
    static {
        System.setProperty("java.awt.headless", "true");
    }

    @Parameters(paramLabel = "DIR|CSV", description = "A folder that holds one *-monitor.csv, or such a file.")
    Path input;
    @Option(names = "--phases", paramLabel = "FILE",
        description = "Where the phases are: .sqlite, .nsys-rep, .qdrep or .log; by default what has the CSV's stem.")
    Path phases;
    @Option(names = "--iteration", paramLabel = "N", defaultValue = "3",
        description = "Which update, with the forwards and backwards since the one before.")
    String iteration;
    @Option(names = "--device", paramLabel = "N", description = "Which GPU of the monitor; by default the lowest.")
    Long device;
    @Option(names = "--process", paramLabel = "PID",
        description = "Which process of the capture; by default the lowest that has all three ranges.")
    Long process;
    @Option(names = "--zone", defaultValue = "UTC", description = "The time zone of a log's stamps.")
    ZoneId zone;
    @Option(names = "--forward-range", defaultValue = "DeepSpeedEngine.forward", description = "NVTX name.")
    String forwardRange;
    @Option(names = "--backward-range", defaultValue = "DeepSpeedEngine.backward", description = "NVTX name.")
    String backwardRange;
    @Option(names = "--update-range", description = "NVTX name; by default " + UPDATE + ", else " + UPSTREAM + ".")
    String updateRange;
    @Mixin Output output;

    static final double GIB = 1L << 30;
    /** Later than 1973 in ns since 1970, and more than three years of a capture: such a time is absolute already. */
    static final long ABSOLUTE_NS = 100_000_000_000_000_000L;
    static final String EPOCH = "TARGET_INFO_SESSION_START_TIME";
    static final String UPDATE = "DeepSpeedEngine._take_model_step";
    static final String UPSTREAM = "DeepSpeedZeroOptimizer_Stage3.step";
    static final List<String> SOURCES
        = List.of("-nsys.sqlite", ".sqlite", "-nsys.nsys-rep", ".nsys-rep", "-nsys.qdrep", ".qdrep", ".log");

    public static void main(String... args) {
        System.exit(execute(new Memory(), args));
    }

    @Override public Integer call() throws IOException {
        require(2, !iteration.equals("mean"), "--iteration=mean: moments have no mean; name one iteration");
        require(2, iteration.matches("[1-9]\\d{0,8}"), "--iteration: expected a number from 1");
        if (System.console() != null) {
            CompletableFuture.delayedExecutor(2, TimeUnit.SECONDS)
                .execute(() -> note(0, "reading " + input + " and its phases; large ones take a while"));
        }
        Path csv = monitor(input);
        String stem = csv.getFileName().toString().replaceFirst("(-monitor)?\\.csv$", "");
        List<Phase> bands = phases(source(csv, stem));
        List<Sample> samples = samples(new Monitor(csv, bands.get(0).startNs, end(bands)), device);
        String name = stem.replaceFirst("(?s)^log-([^-]+).*", "$1");
        output.save(name + "-memory", draw(bands, samples), MARGINS, table(bands, samples));
        return 0;
    }

    /** A stretch of an iteration, both ends included; kind 0, 1, 2 is forward, backward, update. */
    record Phase(int kind, long startNs, long endNs) {
        /** Adds the session's start, unless the times are absolute, by `nsys export --ts-normalize` or an UPDATE. */
        Phase absolute(List<String> epochNs, Path file) {
            if (startNs > ABSOLUTE_NS) {
                return this;
            }
            require(1, epochNs.size() == 1 && epochNs.get(0) != null && epochNs.get(0).matches("\\d{16,19}"), file
                + ": has no utcEpochNs in " + EPOCH + ", so its times have no date; export it again with "
                + "`nsys stats --force-export=true`");
            long shift = Long.parseLong(epochNs.get(0));
            return new Phase(kind, startNs + shift, endNs + shift);
        }
    }

    record Sample(long ns, long freeBytes) { }

    static long end(List<Phase> bands) {
        return bands.get(bands.size() - 1).endNs;
    }

    static Path monitor(Path input) throws IOException {
        require(1, Files.exists(input), input + ": no such folder or file, expected one with a *-monitor.csv");
        if (!Files.isDirectory(input)) {
            return input;
        }
        try (Stream<Path> files = Files.list(input)) {
            List<Path> found = files.filter(f -> f.toString().endsWith("-monitor.csv")).sorted().toList();
            require(1, found.size() == 1, input + ": expected one *-monitor.csv, found " + found.size()
                + (found.isEmpty() ? "" : "; name the one, for example " + found.get(0)));
            return found.get(0);
        }
    }

    private Path source(Path csv, String stem) throws IOException {
        List<Path> places = phases != null ? List.of(phases)
            : SOURCES.stream().map(end -> csv.resolveSibling(stem + end)).toList();
        Path source = places.stream().filter(Files::exists).findFirst().orElseThrow(() -> new Unusable(1,
            places.get(0) + ": no such file" + (phases != null ? "" : ", nor any of " + SOURCES + " with the CSV's "
                + "stem; name the capture or log with --phases")));
        require(1, !Files.isDirectory(source), source + ": is a folder, expected a capture, a report or a log");
        pointer(csv);
        pointer(source);
        return source;
    }

    static void pointer(Path file) throws IOException {
        try (InputStream in = open(file)) {
            String start = new String(in.readNBytes(40), StandardCharsets.ISO_8859_1);
            require(1, !start.startsWith("version https://git-lfs"), file
                + ": is a Git LFS pointer, expected the file itself: run `git lfs pull`");
        }
    }

    /** The phases of the iteration asked for, in order of time, an update last. */
    private List<Phase> phases(Path source) throws IOException {
        int wanted = Integer.parseInt(iteration);
        String name = source.getFileName().toString();
        if (name.endsWith(".log")) {
            note(0, source + ": the phases come from this log, not from a capture; its stamps are taken as " + zone);
            return new Log(source, zone).phases(wanted);
        }
        if (!name.matches("(?s).*\\.(nsys-rep|qdrep)")) {
            return iteration(capture(source, source), wanted, source);
        }
        Path folder = Files.createTempDirectory("memory");
        try {
            return iteration(capture(export(source, folder), source), wanted, source);
        } finally {
            empty(folder);
        }
    }

    /** Has nsys write the report's SQLite into a folder; nsys puts it beside what it is given, so that is a link. */
    static Path export(Path report, Path folder) throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve(report.getFileName()), report.toAbsolutePath());
        try {
            Process nsys = new ProcessBuilder("nsys", "stats", "--force-export=true", link.toString())
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            require(1, nsys.waitFor() == 0, report + ": `nsys stats --force-export=true` could not export it");
        } catch (InterruptedException e) {
            throw new Unusable(1, report + ": interrupted while nsys exported it");
        } catch (IOException e) {
            throw new Unusable(1, report + ": no nsys on the PATH to export it; where there is one, run "
                + "`nsys stats --force-export=true " + report + "` and put the .sqlite beside the CSV");
        }
        return folder.resolve(report.getFileName().toString().replaceFirst("\\.[^.]*$", ".sqlite"));
    }

    /** The N-th update and the forwards and backwards since the one before. */
    static List<Phase> iteration(List<Phase> all, int wanted, Path source) {
        List<Phase> updates = all.stream().filter(p -> p.kind == 2).toList();
        require(1, updates.size() >= wanted, source + ": holds " + updates.size() + " updates, expected at least "
            + wanted + "; see --iteration");
        Phase update = updates.get(wanted - 1);
        long since = wanted == 1 ? Long.MIN_VALUE : updates.get(wanted - 2).endNs;
        List<Phase> bands = trained(new ArrayList<>(all.stream().filter(p -> p.kind < 2 && p.startNs >= since
            && p.endNs <= update.startNs).sorted(Comparator.comparingLong(Phase::startNs)).toList()));
        require(1, bands.stream().anyMatch(p -> p.kind == 0), source + ": no forward and backward before update "
            + wanted + "; see --forward-range and --backward-range");
        bands.add(update);
        return bands;
    }

    /** Drops the forwards that no backward follows, which an evaluation made. */
    static List<Phase> trained(List<Phase> steps) {
        for (int i = steps.size() - 1; i >= 0; i--) {
            if (steps.get(i).kind == 0 && (i + 1 == steps.size() || steps.get(i + 1).kind == 0)) {
                steps.remove(i);
            }
        }
        return steps;
    }

    /** All phases of one process of an export by nsys (its schema: docs.nvidia.com/nsight-systems), by their end. */
    private List<Phase> capture(Path file, Path shown) throws IOException {
        unpack();
        whole(file, shown);
        SQLiteConfig config = new SQLiteConfig();
        config.setReadOnly(true);
        String uri = file.toAbsolutePath().toUri().toASCIIString().replace("file:///", "file:/");
        try (Connection db = config.createConnection("jdbc:sqlite:" + uri + "?immutable=1")) {
            Map<Long, List<Phase>> processes = ranges(db, shown);
            List<Long> whole = processes.keySet().stream().filter(pid -> processes.get(pid).stream().map(Phase::kind)
                .distinct().count() == 3).toList();
            if (whole.isEmpty()) {
                throw new Unusable(1, shown + ": no process has all of the ranges " + names() + " (the last two are "
                    + "alternatives); the commonest are " + commonest(db) + "; see --forward-range");
            }
            require(1, process == null || whole.contains(process), shown + ": process " + process
                + " does not have all three ranges, expected --process to be one of " + whole);
            if (process == null && whole.size() > 1) {
                note(0, shown + ": has the processes " + whole + ", the lowest is drawn; see --process");
            }
            return processes.get(process == null ? whole.get(0) : process);
        } catch (SQLException e) {
            throw new Unusable(1, shown + ": cannot be read as SQLite (" + e.getMessage() + "); export it again");
        }
    }

    /** SQLite reads a file that was cut off without complaint, but its header says how many pages there should be. */
    private static void whole(Path file, Path shown) throws IOException {
        require(1, Files.isRegularFile(file), shown + ": is no file, or nsys exported none; expected a .sqlite");
        try (InputStream in = open(file)) {
            ByteBuffer header = ByteBuffer.wrap(Arrays.copyOf(in.readNBytes(100), 100));
            long page = header.getChar(16) == 1 ? 65536 : header.getChar(16), pages = header.getInt(28) & 0xFFFFFFFFL;
            require(1, header.getInt(24) != header.getInt(92) || Files.size(file) >= page * pages, shown
                + ": is cut off, expected SQLite of " + page * pages + " bytes; copy it or have nsys export it again");
        }
    }

    /** Has sqlite-jdbc unpack its library, and deletes that once loaded; instead of stack traces says what to do. */
    private static void unpack() {
        LogManager.getLogManager().reset();
        String place = System.getProperty("org.sqlite.tmpdir", System.getProperty("java.io.tmpdir"));
        try {
            Path folder = Files.createTempDirectory(Path.of(place), "memory");
            System.setProperty("org.sqlite.tmpdir", folder.toString());
            try {
                SQLiteJDBCLoader.initialize();
            } finally {
                System.setProperty("org.sqlite.tmpdir", place);
                empty(folder);
            }
        } catch (Exception e) {
            throw new Unusable(1, place + ": sqlite-jdbc cannot unpack its library there, is that full or noexec? "
                + "Name another folder: export JAVA_TOOL_OPTIONS=-Dorg.sqlite.tmpdir=DIR");
        }
    }

    private static void empty(Path folder) throws IOException {
        try (Stream<Path> made = Files.list(folder)) {
            made.forEach(file -> file.toFile().delete());
        }
        Files.delete(folder);
    }

    private static List<String> commonest(Connection db) throws SQLException {
        return column(db, "SELECT substr(" + name(db) + ", 1, 60) AS name FROM NVTX_EVENTS WHERE \"end\" > start"
            + " AND name IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 5");
    }

    private List<String> names() {
        return List.of(forwardRange, backwardRange, updateRange == null ? UPDATE : updateRange,
            updateRange == null ? UPSTREAM : updateRange);
    }

    /** What gives a range's name: a string of its own or, where the export has it, one registered with NVTX. */
    private static String name(Connection db) throws SQLException {
        return column(db, "SELECT name FROM sqlite_master WHERE type = 'table' UNION ALL "
            + "SELECT name FROM pragma_table_info('NVTX_EVENTS')").containsAll(List.of("StringIds", "textId"))
            ? "COALESCE(text, (SELECT value FROM StringIds WHERE id = textId))" : "text";
    }

    /** The closed ranges of the four names, by process and by their end, made absolute. */
    private Map<Long, List<Phase>> ranges(Connection db, Path file) throws SQLException {
        List<String> tables = column(db, "SELECT name FROM sqlite_master WHERE type = 'table'");
        require(1, tables.contains("NVTX_EVENTS"), file + ": has no table NVTX_EVENTS, so no range was traced; capture "
            + "with `nsys profile --trace=cuda,nvtx` and export again");
        List<String> epoch = !tables.contains(EPOCH) ? List.of() : column(db, "SELECT utcEpochNs FROM " + EPOCH);
        String four = "(?1, ?2, ?3, ?4)", name = name(db);
        Map<Long, List<Phase>> processes = new TreeMap<>();
        try (PreparedStatement query = db.prepareStatement("SELECT start, \"end\", globalTid, " + name
            + " FROM NVTX_EVENTS WHERE text IN " + four + (name.equals("text") ? "" : " OR text IS NULL AND textId IN"
            + " (SELECT id FROM StringIds WHERE value IN " + four + ")") + " ORDER BY \"end\"")) {
            for (int i = 0; i < 4; i++) {
                query.setString(i + 1, names().get(i));
            }
            for (ResultSet row = query.executeQuery(); row.next(); ) {
                Phase phase = new Phase(names().indexOf(row.getString(4)), row.getLong(1), row.getLong(2));
                if (phase.endNs > 0 && phase.endNs >= phase.startNs) {
                    processes.computeIfAbsent(row.getLong(3) >> 24 & 0xFFFFFF, pid -> new ArrayList<>())
                        .add(phase.absolute(epoch, file));
                }
            }
        }
        processes.replaceAll((pid, ranges) -> oneUpdate(ranges));
        return processes;
    }

    /** The fork's range holds upstream's, kind 3, which counts only where the fork's is not there. */
    static List<Phase> oneUpdate(List<Phase> ranges) {
        boolean fork = ranges.stream().anyMatch(p -> p.kind == 2);
        return ranges.stream().filter(p -> p.kind < 3 || !fork)
            .map(p -> new Phase(Math.min(p.kind, 2), p.startNs, p.endNs)).toList();
    }

    private static List<String> column(Connection db, String sql) throws SQLException {
        List<String> values = new ArrayList<>();
        try (Statement query = db.createStatement(); ResultSet rows = query.executeQuery(sql)) {
            while (rows.next()) {
                values.add(rows.getString(1));
            }
        }
        return values;
    }

    /**
     * The phases as DeepSpeed's log gives them, for a run without a capture. The update ends at the stamp of the timing
     * line. `Engine after backward` is stamped 63 ms late, after a garbage collection; the monitor still sees the
     * peak of a forward during the one before `Engine after forward`. fwd and bwd are sums over the micro-steps.
     */
    record Log(Path file, ZoneId zone) {
        static final Pattern STAMP = Pattern.compile("\\[(\\d{4}-\\d\\d-\\d\\d) (\\d\\d:\\d\\d:\\d\\d),(\\d{3})]");
        static final Pattern ENGINE = Pattern.compile("Engine (before|after) (forward|backward)");
        static final Pattern TIMING = Pattern.compile("time \\(ms\\) \\|(.*)");
        static final List<Pattern> TIMES = Stream.of("fwd|forward", "bwd|backward", "step").map(name ->
            Pattern.compile("(?<![\\w-])(?:" + name + "): *(\\d{1,9}(?:\\.\\d{1,9})?)(?![\\w.])")).toList();
        static final long LATE_NS = 63_000_000;

        List<Phase> phases(int wanted) throws IOException {
            List<Phase> steps = new ArrayList<>();
            long begunNs = -1;
            int seen = 0;
            try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
                for (String line; (line = lines.readLine()) != null; ) {
                    Matcher engine = ENGINE.matcher(line), timing = TIMING.matcher(line);
                    long[] ns = !timing.find() ? new long[0] : TIMES.stream()
                        .map(time -> time.matcher(timing.group(1))).filter(Matcher::find)
                        .mapToLong(time -> Math.round(Double.parseDouble(time.group(1)) * 1e6)).toArray();
                    if (engine.find()) {
                        long at = stamp(line, engine.start());
                        if (engine.group(1).equals("after") && begunNs >= 0) {
                            steps.add(new Phase(engine.group(2).equals("forward") ? 0 : 1, begunNs, at));
                        }
                        begunNs = engine.group(1).equals("before") ? at : -1;
                    } else if (ns.length == 3 && ++seen == wanted) {
                        return bands(trained(steps), stamp(line, timing.start()), ns);
                    } else if (ns.length == 3) {
                        steps.clear();
                    }
                }
            }
            throw new Unusable(1, file + ": has " + seen + " timing lines, expected " + wanted + "; see --iteration");
        }

        private static List<Phase> bands(List<Phase> steps, long end, long[] ns) {
            List<Phase> bands = new ArrayList<>(steps);
            if (steps.size() < 2) {
                bands = new ArrayList<>(List.of(new Phase(0, end - ns[2] - ns[1] - ns[0], end - ns[2] - ns[1]),
                    new Phase(1, end - ns[2] - ns[1], end - ns[2])));
            } else if (steps.size() == 2) {
                long late = steps.get(1).endNs - LATE_NS;
                bands.set(1, new Phase(1, late - ns[1], late));
            }
            bands.add(new Phase(2, end - ns[2], end));
            return bands;
        }

        /** The last stamp before the message. */
        private long stamp(String line, int message) {
            Matcher stamp = STAMP.matcher(line).region(0, message);
            String found = stamp.results().reduce((first, second) -> second)
                .map(m -> m.group(1) + "T" + m.group(2) + "." + m.group(3)).orElseThrow(() -> new Unusable(1, file
                + ": its lines bear no time of day (DeepSpeed prints none from 0.18 on), so they cannot be laid over "
                + "the monitor's samples; capture the run with nsys and name the capture with --phases"));
            try {
                Instant at = LocalDateTime.parse(found).atZone(zone).toInstant();
                return Math.addExact(Math.multiplyExact(at.getEpochSecond(), 1_000_000_000L), at.getNano());
            } catch (DateTimeException | ArithmeticException e) {
                throw new Unusable(1, file + ": '" + found + "' is no time of day near ours; mend that line");
            }
        }
    }

    /** The samples of a device from the last before the iteration to the first after it, in order of time. */
    static List<Sample> samples(Monitor monitor, Long device) throws IOException {
        Map<Long, List<Sample>> devices = new TreeMap<>();
        monitor.read(row -> devices.computeIfAbsent(monitor.number(row, "device_id"), id -> new ArrayList<>())
            .add(new Sample(monitor.number(row, "timestamp"), monitor.number(row, "mem_free"))));
        TreeSet<Long> ids = new TreeSet<>(monitor.spans.keySet());
        ids.addAll(devices.keySet());
        require(1, device == null || ids.contains(device), monitor.csv + ": has no --device=" + device
            + ", expected one of " + ids);
        Long drawn = device != null || ids.isEmpty() ? device : ids.first();
        List<Sample> all = devices.getOrDefault(drawn == null ? -1 : drawn, List.of()).stream()
            .sorted(Comparator.comparingLong(Sample::ns)).toList();
        int first = (int) all.stream().filter(s -> s.ns < monitor.fromNs).count();
        int past = (int) all.stream().filter(s -> s.ns <= monitor.toNs).count();
        require(1, first < past, monitor.nothing(drawn));
        if (device == null && ids.size() > 1) {
            note(0, monitor.csv + ": has the devices " + ids + ", the lowest is drawn; see --device");
        }
        return all.subList(Math.max(0, first - 1), Math.min(all.size(), past + 1));
    }

    /** What --csv writes: each sample of the iteration and the phase that it lies in, none between two. */
    static List<List<?>> table(List<Phase> bands, List<Sample> samples) {
        List<List<?>> rows = new ArrayList<>();
        rows.add(List.of("timestamp_ns", "phase", "mem_free_bytes"));
        for (Sample s : samples) {
            if (s.ns >= bands.get(0).startNs && s.ns <= end(bands)) {
                String phase = bands.stream().filter(p -> p.startNs <= s.ns && s.ns <= p.endNs).findFirst()
                    .map(p -> PHASES.get(p.kind).toLowerCase(Locale.ROOT)).orElse("");
                rows.add(List.of(s.ns, phase, s.freeBytes));
            }
        }
        return rows;
    }

    static final Insets MARGINS = margins(17, 0, 0, 5);

    static XYChart draw(List<Phase> bands, List<Sample> samples) {
        double seconds = (end(bands) - bands.get(0).startNs) / 1e9;
        double most = Math.max(1e-3, samples.stream().mapToLong(Sample::freeBytes).max().orElseThrow() / GIB * 1.02);
        double step = step(most, 6), max = Math.ceil(most / step) * step;
        XYChart chart = chart("Time within the iteration (s)", "Free GPU memory (GiB)");
        XYStyler styler = chart.getStyler();
        styler.setXAxisMin(0.).setXAxisMax(seconds).setYAxisMin(0.).setYAxisMax(max);
        styler.setXAxisTickMarkSpacingHint((int) (step(seconds, 9) / seconds * pt(310)));
        styler.setYAxisTickMarkSpacingHint((int) (step / max * pt(155)));
        for (Phase p : bands) {
            rectangle(chart, (p.startNs - bands.get(0).startNs) / 1e9, (p.endNs - bands.get(0).startNs) / 1e9, 0, max,
                tint(COLORS.get(p.kind)));
        }
        line(chart, samples, bands.get(0).startNs);
        overlay(chart, g -> {
            if (bands.size() == 3) {
                names(g, chart, bands);
            } else {
                legend(g, chart, PHASES, COLORS.stream().map(Memory::tint).toList());
            }
        });
        return chart;
    }

    private static void line(XYChart chart, List<Sample> samples, long zero) {
        List<Sample> bends = bends(samples);
        XYSeries line = chart.addSeries("free", bends.stream().mapToDouble(s -> (s.ns - zero) / 1e9).toArray(),
            bends.stream().mapToDouble(s -> s.freeBytes / GIB).toArray());
        line.setMarker(SeriesMarkers.NONE).setLineColor(Color.BLACK)
            .setLineStyle(new BasicStroke((float) pt(1.6), BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    }

    /** The samples without those that a straight level line passes through. */
    static List<Sample> bends(List<Sample> samples) {
        return IntStream.range(0, samples.size()).filter(i -> i == 0 || i == samples.size() - 1
            || samples.get(i).freeBytes != samples.get(i - 1).freeBytes
            || samples.get(i).freeBytes != samples.get(i + 1).freeBytes).mapToObj(samples::get).toList();
    }

    /** A quarter of the colour over white: EPS has no transparency. */
    static Color tint(Color c) {
        return new Color(255 - (255 - c.getRed()) / 4, 255 - (255 - c.getGreen()) / 4, 255 - (255 - c.getBlue()) / 4);
    }

    /** Each name above the middle of its band, or as near to it as the frame and the names before it allow. */
    static void names(Graphics2D g, XYChart chart, List<Phase> bands) {
        double[] x = new double[3];
        for (int i = 0; i < 3; i++) {
            double middle = (bands.get(i).startNs / 2 + bands.get(i).endNs / 2 - bands.get(0).startNs) / 1e9;
            double free = i == 0 ? plot(chart).getX() : x[i - 1] + width(PHASES.get(i - 1), 10) + pt(8);
            x[i] = Math.max(free, chart.getScreenXFromChart(middle) - width(PHASES.get(i), 10) / 2);
        }
        for (int i = 2; i >= 0; i--) {
            double limit = i == 2 ? plot(chart).getMaxX() : x[i + 1] - pt(8);
            x[i] = Math.min(x[i], limit - width(PHASES.get(i), 10));
            text(g, PHASES.get(i), 10, COLORS.get(i), x[i], plot(chart).getY() - pt(8), 0, 0);
        }
    }

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
