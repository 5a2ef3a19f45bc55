import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** What tests of subgroup.java do: write logs, run the script in this JVM, look at the CSV. */
abstract class SubgroupRuns {
    @TempDir Path tmp;
    Path logs, plots;

    @BeforeEach void folders() throws IOException {
        logs = Files.createDirectories(tmp.resolve("act-output-7B"));
        plots = tmp.resolve("plots");
    }

    Path log(Object subg, String text) throws IOException {
        return Sample.write(logs, Sample.name(subg), text);
    }

    /** Runs the script with --csv; an input or option given here comes first. */
    Cli run(Object... args) {
        String[] all = Stream.concat(Stream.of(args), Stream.of("--csv", "--plots=" + plots)).map(Object::toString)
            .toArray(String[]::new);
        return Cli.run(() -> Subgroup.execute(new Subgroup(), all));
    }

    /** The rows of the CSV below its header. */
    List<String> rows(String name) throws IOException {
        List<String> lines = Files.readAllLines(plots.resolve(name + ".csv"));
        assertEquals("subgroup_size,forward_ms,backward_ms,update_ms", lines.get(0));
        return lines.subList(1, lines.size());
    }

    List<String> rows() throws IOException {
        return rows("7B-subgroup");
    }

    List<String> sizes(Object... args) throws IOException {
        run(args).quiet();
        return rows().stream().map(row -> row.substring(0, row.indexOf(','))).toList();
    }

    /** Asserts that rows hold these numbers, whichever way they are written: 1.50 is 1.5. */
    static void assertRows(List<String> expected, List<String> actual) {
        assertEquals(expected.stream().map(SubgroupRuns::numbers).toList(),
            actual.stream().map(SubgroupRuns::numbers).toList());
    }

    static List<String> numbers(String row) {
        return Stream.of(row.split(",", -1))
            .map(n -> n.isEmpty() ? n : new BigDecimal(n).stripTrailingZeros().toPlainString()).toList();
    }
}
