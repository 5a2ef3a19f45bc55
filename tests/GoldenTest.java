import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import org.apache.commons.csv.*;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;

import static org.junit.jupiter.api.Assertions.*;

/** The real logs of ../shared/results, and the numbers that others read from them and printed. */
class GoldenTest {
    static final Path RESULTS = Cli.SHARED.resolve("results"), GOLDEN = Cli.SHARED.resolve("golden");

    @TempDir Path tmp;

    @BeforeAll static void thereAreRealLogs() {
        Assumptions.assumeTrue(Files.exists(RESULTS) && Files.exists(GOLDEN), "no real logs in " + RESULTS);
    }

    static List<CSVRecord> csv(Path file) throws IOException {
        try (CSVParser rows = CSVParser.parse(file, java.nio.charset.StandardCharsets.UTF_8,
            CSVFormat.DEFAULT.builder().setHeader().get())) {
            return rows.getRecords();
        }
    }

    static double number(CSVRecord row, String column) {
        return row.get(column).isEmpty() ? Double.NaN : Double.parseDouble(row.get(column));
    }

    static List<double[]> read(Path log) throws IOException {
        return Subgroup.iterations(log, Files.newInputStream(log), 1000);
    }

    /** The 3rd and 4th iteration of 32 logs, digit by digit. */
    @Test void theIterationsOfAllLogsAreThoseOfPhases() throws IOException {
        List<CSVRecord> rows = csv(GOLDEN.resolve("phases.csv"));
        assertEquals(64, rows.size());
        for (CSVRecord row : rows) {
            double[] read = read(RESULTS.resolve(row.get("dir")).resolve(row.get("file")))
                .get(Integer.parseInt(row.get("iteration")) - 1);
            double[] golden = Stream.of("fwd_ms", "bwd_ms", "step_ms", "tflops").mapToDouble(c ->
                number(row, c)).toArray();
            assertArrayEquals(golden, new double[] {read[0], read[1], read[2], read[4]}, row + "");
        }
    }

    /** The number of iterations of every log, and the means of all but the first; no log lacks lines. */
    @Test void theMeansOfAllLogsAreThoseOfMeans() throws IOException {
        List<CSVRecord> rows = csv(GOLDEN.resolve("means.csv"));
        assertEquals(HouseTest.files(RESULTS + "", ".log").size(), rows.size());
        Subgroup script = new Subgroup();
        for (CSVRecord row : rows) {
            Path log = RESULTS.resolve(row.get("folder")).resolve(row.get("file"));
            List<double[]> read = read(log);
            script.noteGap(log, read);
            double[] golden = Stream.of("forward_ms", "backward_ms", "update_ms", "iteration_ms", "tflops")
                .mapToDouble(column -> number(row, column)).toArray();
            double[] means = IntStream.range(0, 5).mapToDouble(i -> read.stream().skip(1)
                .mapToDouble(numbers -> numbers[i]).average().orElse(Double.NaN)).toArray();
            assertEquals(Integer.parseInt(row.get("timing_lines")), read.size(), row + "");
            assertArrayEquals(golden, means, 5.1e-7, row + "");
        }
        assertEquals(Set.of(), script.notes);
    }

    /** The logs have five iterations, so 2-10 are 2-5, which is the mean. */
    @ParameterizedTest @ValueSource(strings = {"mean", "2-10"})
    void subgroupDrawsTheSizesOfThePaper(String iteration) throws IOException {
        String folder = "act-output-7B-scale-subg-size-motivation";
        Cli cli = Cli.script(new Subgroup(), RESULTS.resolve(folder), "--iteration=" + iteration, "--csv",
            "--name=it", "--plots=" + tmp).well();
        assertTrue(cli.err().startsWith("8 runs") && cli.err().lines().count() == 1, cli.err());
        List<String> golden = csv(GOLDEN.resolve("means.csv")).stream()
            .filter(row -> row.get(0).equals(folder)).map(row ->
                said(row, row.get("file").replaceAll(".*subg(\\d+)-.*", "$1"))).sorted().toList();
        assertEquals(8, golden.size());
        assertEquals(golden, csv(tmp.resolve("it.csv")).stream().map(row ->
            said(row, row.get("subgroup_size"))).sorted().toList());
        assertEquals(8, SubgroupTest.bars(Picture.check(tmp, "it")).size());
    }

    static String said(CSVRecord row, String size) {
        return size + Stream.of("forward_ms", "backward_ms", "update_ms").map(column ->
            Math.round(number(row, column) * 1e6)).toList();
    }

    /** The 74 values that the study's authors printed come out of their logs, through the aliases' --csv. */
    @Test void eachPublishedValueComesOutToTheDigitPrinted() throws IOException {
        Map<String, List<CSVRecord>> figures = csv(GOLDEN.resolve("published.csv")).stream()
            .collect(Collectors.groupingBy(row -> row.get("alias")));
        assertEquals(Set.of("data-scaling", "gradient-accumulation", "models", "throughput", "twinflow"),
            figures.keySet());
        assertEquals(74, figures.values().stream().mapToInt(List::size).sum());
        for (String alias : figures.keySet()) {
            CSVRecord first = figures.get(alias).get(0);
            List<?> where = alias.equals("throughput") ? List.of("--where=ga=1", "--where=approach!=BW-only")
                : List.of();
            FigureTest.alias(alias, inputs(RESULTS.resolve(first.get("folder")).toFile()), where, "--csv",
                "--name=it", "--iteration=" + first.get("iteration"), "--plots=" + tmp).well();
            List<CSVRecord> drawn = csv(tmp.resolve("it.csv"));
            for (CSVRecord row : figures.get(alias)) {
                assertEquals(first.get("iteration"), row.get("iteration"));
                assertEquals(row.get("printed"), printed(row, drawn), row.toString());
            }
        }
    }

    /** What is drawn of a group and a bar, with as many digits as were printed; nothing if it failed. */
    static String printed(CSVRecord row, List<CSVRecord> drawn) {
        List<CSVRecord> found = drawn.stream().filter(bar -> bar.get(row.get("groups"))
            .equals(row.get("group")) && bar.get(row.get("bars")).equals(row.get("bar"))).toList();
        assertEquals(1, found.size(), () -> "bars for " + row);
        double number = number(found.get(0), row.get("column"));
        boolean ms = row.get("column").endsWith("_ms");
        assertEquals(ms ? "s" : "1e9/s", row.get("unit"));
        return Double.isNaN(number) ? "" : String.format(Locale.ROOT, "%.1f", ms ? number / 1000 : number);
    }

    /** A folder of logs, or of folders of them. */
    static List<?> inputs(File folder) {
        List<File> folders = List.of(folder.listFiles(File::isDirectory));
        return folders.isEmpty() ? List.of(folder) : folders;
    }

    @ParameterizedTest @CsvSource({"dp, data-parallel, DP", "tp, tensor-parallel, TP"})
    void theConfigurationsOfPhasesAreDrawn(String key, String alias, String set) throws IOException {
        Path folder = RESULTS.resolve("act-output-7B-scale-" + set + "-motivation");
        FigureTest.alias(alias, folder, "--csv", "--name=it", "--plots=" + tmp);
        Set<List<Double>> golden = csv(GOLDEN.resolve("phases.csv")).stream()
            .filter(row -> folder.endsWith(row.get("dir")) && row.get("iteration").equals("3"))
            .map(row -> numbers(row, key, "subg", "fwd_ms", "bwd_ms", "step_ms", "tflops"))
            .collect(Collectors.toSet());
        assertEquals(12, golden.size());
        assertEquals(golden, csv(tmp.resolve("it.csv")).stream().map(row -> numbers(row, key, "subg",
            "forward_ms", "backward_ms", "update_ms", "tflops")).collect(Collectors.toSet()));
    }

    static List<Double> numbers(CSVRecord row, String... columns) {
        return Stream.of(columns).map(column -> number(row, column)).toList();
    }
}
