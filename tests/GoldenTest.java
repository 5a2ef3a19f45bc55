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
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** The real logs of ../shared/results, and the numbers that others read from them. */
class GoldenTest {
    static final Path RESULTS = Cli.SHARED.resolve("results"), GOLDEN = Cli.SHARED.resolve("golden");

    @TempDir Path tmp;

    @BeforeAll static void thereAreRealLogs() {
        assumeTrue(Files.isDirectory(RESULTS) && Files.isDirectory(GOLDEN), "no real logs here, in "
            + RESULTS);
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

    /** The number of iterations of every log, and the means of all but the first. */
    @Test void theMeansOfAllLogsAreThoseOfMeans() throws IOException {
        List<CSVRecord> rows = csv(GOLDEN.resolve("means.csv"));
        try (Stream<Path> files = Files.walk(RESULTS)) {
            assertEquals(files.filter(file -> file.toString().endsWith(".log")).count(), rows.size());
        }
        for (CSVRecord row : rows) {
            List<double[]> read = read(RESULTS.resolve(row.get("folder")).resolve(row.get("file")));
            double[] golden = Stream.of("forward_ms", "backward_ms", "update_ms", "iteration_ms", "tflops")
                .mapToDouble(column -> number(row, column)).toArray();
            double[] means = IntStream.range(0, 5).mapToDouble(i ->
                read.stream().skip(1).mapToDouble(numbers -> numbers[i])
                .average().orElse(Double.NaN)).toArray();
            assertEquals(Integer.parseInt(row.get("timing_lines")), read.size(), row + "");
            assertArrayEquals(golden, means, 5.1e-7, row + "");
        }
    }

    /** No log here lacks lines between others, though some ended early: nothing is said of any. */
    @Test void noLogIsSaidToLackLines() throws IOException {
        List<String> said = new ArrayList<>();
        for (CSVRecord row : csv(GOLDEN.resolve("means.csv"))) {
            Path log = RESULTS.resolve(row.get("folder")).resolve(row.get("file"));
            Subgroup script = new Subgroup();
            script.noteGap(log, read(log));
            said.addAll(script.notes);
        }
        assertEquals(List.of(), said);
    }

    /** The logs have five iterations, so 2-10 are 2-5, which is the mean. */
    @ParameterizedTest @ValueSource(strings = {"3", "4", "mean", "2-10"})
    void subgroupDrawsTheSizesOfThePaper(String iteration) throws IOException {
        String folder = "act-output-7B-scale-subg-size-motivation";
        Cli cli = Cli.run(() -> Subgroup.execute(new Subgroup(), RESULTS.resolve(folder) + "", "--iteration="
            + iteration,
            "--csv", "--name=it", "--plots=" + tmp));
        assertEquals(0, cli.status(), cli.err());
        assertTrue(cli.err().startsWith("8 runs") && cli.err().lines().count() == 1, cli.err());
        boolean one = iteration.length() == 1;
        Map<Double, List<Double>> golden = new TreeMap<>(), drawn = new TreeMap<>();
        for (CSVRecord row : csv(GOLDEN.resolve(one ? "phases.csv" : "means.csv"))) {
            if (row.get(0).equals(folder) && (!one || row.get("iteration").equals(iteration))) {
                golden.put(Double.valueOf(row.get("file").replaceAll(".*subg(\\d+)-.*", "$1")),
                    Stream.of(one ? "fwd_ms" :
                    "forward_ms", one ? "bwd_ms" : "backward_ms", one ? "step_ms" : "update_ms")
                    .map(c -> number(row, c)).toList());
            }
        }
        for (CSVRecord row : csv(tmp.resolve("it.csv"))) {
            drawn.put(number(row, "subgroup_size"), IntStream.rangeClosed(1, 3)
                .mapToObj(i -> Math.round(Double.parseDouble(row.get(i)) * 1e6) / 1e6).toList());
        }
        assertEquals(8, golden.size());
        assertEquals(golden, drawn);
        assertEquals(8, SubgroupTest.bars(Picture.check(tmp, "it")).size());
    }
}
