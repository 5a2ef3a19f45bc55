import java.io.IOException;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;

import static org.junit.jupiter.api.Assertions.*;

/** The 74 values that the study's authors printed come out of their logs, through the aliases' --csv. */
class PublishedTest {
    static final Path RESULTS = GoldenTest.RESULTS, PUBLISHED = GoldenTest.GOLDEN.resolve("published.csv");

    @TempDir Path tmp;

    @BeforeAll static void thereAreRealLogs() {
        Assumptions.assumeTrue(Files.exists(PUBLISHED) && Files.exists(RESULTS), "no " + PUBLISHED);
    }

    @Test void eachComesOutToTheDigitPrinted() throws IOException {
        Map<String, List<CSVRecord>> figures = GoldenTest.csv(PUBLISHED).stream()
            .collect(Collectors.groupingBy(row -> row.get("alias")));
        assertEquals(Set.of("data-scaling", "gradient-accumulation", "models", "throughput", "twinflow"),
            figures.keySet());
        assertEquals(74, figures.values().stream().mapToInt(List::size).sum());
        for (String alias : figures.keySet()) {
            CSVRecord first = figures.get(alias).get(0);
            List<?> where = alias.equals("throughput") ? List.of("--where=ga=1", "--where=approach!=BW-only")
                : List.of();
            Cli cli = FigureTest.alias(alias, (Object[]) Cli.words(inputs(first.get("folder")), where,
                "--iteration=" + first.get("iteration"), "--csv", "--name=it", "--plots=" + tmp));
            assertEquals(0, cli.status(), cli.err());
            List<CSVRecord> drawn = GoldenTest.csv(tmp.resolve("it.csv"));
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
        double number = GoldenTest.number(found.get(0), row.get("column"));
        boolean ms = row.get("column").endsWith("_ms");
        assertEquals(ms ? "s" : "1e9/s", row.get("unit"));
        return Double.isNaN(number) ? "" : String.format(Locale.ROOT, "%.1f", ms ? number / 1000 : number);
    }

    /** A folder of logs, or of folders of them. */
    static List<String> inputs(String folder) throws IOException {
        try (Stream<Path> inside = Files.list(RESULTS.resolve(folder))) {
            List<String> folders = inside.filter(Files::isDirectory).map(Path::toString).sorted().toList();
            return folders.isEmpty() ? List.of(RESULTS.resolve(folder).toString()) : folders;
        }
    }

    @ParameterizedTest @CsvSource({"dp, data-parallel, DP", "tp, tensor-parallel, TP"})
    void theConfigurationsOfPhasesAreDrawn(String key, String alias, String set) throws IOException {
        Path folder = RESULTS.resolve("act-output-7B-scale-" + set + "-motivation");
        FigureTest.alias(alias, folder, "--csv", "--name=it", "--plots=" + tmp);
        Set<List<Double>> golden = new HashSet<>(), drawn = new HashSet<>();
        for (CSVRecord row : GoldenTest.csv(PUBLISHED.resolveSibling("phases.csv"))) {
            if (folder.endsWith(row.get("dir")) && row.get("iteration").equals("3")) {
                golden.add(said(row, key, "subg", "fwd_ms", "bwd_ms", "step_ms", "tflops"));
            }
        }
        for (CSVRecord row : GoldenTest.csv(tmp.resolve("it.csv"))) {
            drawn.add(said(row, key, "subg", "forward_ms", "backward_ms", "update_ms", "tflops"));
        }
        assertEquals(12, golden.size());
        assertEquals(golden, drawn);
    }

    static List<Double> said(CSVRecord row, String... columns) {
        return Stream.of(columns).map(column -> GoldenTest.number(row, column)).toList();
    }
}
