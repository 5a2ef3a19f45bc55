import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;

import static org.junit.jupiter.api.Assertions.*;

/** What subgroup.java draws and writes; how it reads is in LogsTest. */
class SubgroupTest {
    static final String NAME = "7B-subgroup";

    @TempDir Path tmp;

    Path log(Object subg, String text) throws IOException {
        return Sample.write(tmp.resolve("logs"), Sample.name(subg), text);
    }

    Cli run(Object... args) {
        return Cli.script(new Subgroup(), tmp.resolve("logs"), "--plots=" + plots(), List.of(args));
    }

    Path plots() { return tmp.resolve("new/plots"); }

    /** What a figure's run prints: its paths, and in one line what was read. */
    static Cli drew(Path plots, String name, String read) {
        String stem = plots.resolve(name).toString();
        return new Cli(0, stem + ".png\n" + stem + ".eps\n", read + "\n");
    }

    /** The bars in a column just right of the frame, from the top down. */
    static List<Picture.Piece> bars(Picture figure) {
        return figure.down(FigureTest.side(figure, true) + 4, Picture.FORWARD, 90);
    }

    /** Where phases of a bar begin and end: forward, backward, update. */
    static List<Picture.Piece> phases(Picture figure, Picture.Piece bar) {
        return Stream.of(Picture.FORWARD, Picture.BACKWARD, Picture.UPDATE)
            .map(color -> figure.across(bar.from() + 2, color)).toList();
    }

    /** Sizes that are no round numbers stand whole, right of the axis title, which is 46 pixels high. */
    @ParameterizedTest @CsvSource({"1, 134217728", "8, 10000000", "20, 1073741824"})
    void eachSizeHasItsBar(int sizes, long size) throws IOException {
        for (int i = 1; i <= sizes; i++) {
            log(i * size, Sample.run(1000 + 100 * i, 2000, 3000));
        }
        assertEquals(drew(plots(), NAME, sizes + " runs, timing line 3"), run());
        Picture figure = Picture.check(plots(), NAME);
        List<Picture.Piece> bars = bars(figure);
        assertEquals(sizes, bars.size());
        assertEquals("1G", Subgroup.label(LogsTest.run("7B-subg1G")), "a size that is no number");
        assertTrue(bars.stream().map(Picture.Piece::length).distinct().count() <= 2, bars + ": heights");
        List<Integer> forward = bars.stream().map(bar -> phases(figure, bar).get(0).length()).toList();
        assertEquals(forward.stream().sorted(Comparator.reverseOrder()).toList(), forward, "from the top");
        FigureTest.assertMargin(figure);
        int[] blank = IntStream.range(0, 300).filter(x -> figure.down(x, Picture.WHITE, 0).get(0).length()
            == 900).toArray();
        int title = IntStream.range(1, blank.length).map(i -> blank[i] - blank[i - 1]).filter(gap -> gap > 1)
            .findFirst().orElseThrow();
        assertTrue(title < 50, "from the left the first ink is " + title + " pixels wide");
    }

    /** A failed run has its place, and its row without numbers. */
    @Test void lengthsAreTheTimes() throws IOException {
        log(1_000_000, Sample.run(2000, 1000, 500));
        log(2_000_000, Sample.timing(1, 2, 3));
        log(1_500_000_000, Sample.run(1000.56, 2000, 6830));
        run("--csv");
        assertEquals("subgroup_size,forward_ms,backward_ms,update_ms\n1000000,2000.0,1000.0,500.0\n"
            + "2000000,,,\n1500000000,1000.56,2000.0,6830.0\n",
            Files.readString(plots().resolve(NAME + ".csv")));
        Picture figure = Picture.check(plots(), NAME);
        List<Picture.Piece> bars = bars(figure);
        assertEquals(2, bars.size());
        int between = bars.get(1).from() - bars.get(0).to();
        assertTrue(between > bars.get(0).length(), () -> "no room for a failed run between " + bars);
        List<Picture.Piece> upper = phases(figure, bars.get(0)), lower = phases(figure, bars.get(1));
        double second = (upper.get(2).to() - upper.get(0).to()) / 8.83, zero = upper.get(0).to() - second;
        assertTrue(second > 102 && second < 145, "9.8 s are most of the width, of 1 s " + second + " px");
        assertEquals(zero, upper.get(0).from(), 4, "bars begin at the frame, whose line is 3 pixels wide");
        int[] ends = Stream.concat(upper.stream(), lower.stream()).mapToInt(Picture.Piece::to).toArray();
        double[] seconds = {1, 3, 9.83, 2, 3, 3.5};
        for (int i = 0; i < 6; i++) {
            assertEquals(zero + second * seconds[i], ends[i], 1, "end of phase " + i);
        }
        int ten = (int) (zero + 10 * second), below = FigureTest.zero(figure) + 24;
        assertTrue(IntStream.range(ten - 20, ten + 20).anyMatch(x -> !figure.down(x, 0, below).isEmpty()),
            "the last tick, at 10 s, has no number");
        assertEquals(upper.get(0).to(), upper.get(1).from(), 2, "phases touch");
        assertTrue(figure.count(Picture.RED) > 100, "no red word for the failed run");
        Picture.compare(plots(), NAME);
    }

    @Test void filesAreNamedAndReplaced() throws IOException {
        log(100, Sample.run(11, 12, 13));
        Map<String, String> logs = Cli.snapshot(tmp.resolve("logs"));
        run("--csv");
        assertEquals(drew(plots(), NAME + "-dp1", "1 runs, timing line 3"), run("--where=dp=1"));
        assertEquals(drew(plots(), NAME, "1 runs, timing line 3"), run());
        assertEquals(drew(plots(), "mine.v2", "1 runs, timing line 4"),
            run("--iteration=4", "--name=other", "--name=mine.v2"));
        assertEquals(Set.of(NAME + ".png", NAME + ".eps", NAME + "-dp1.png", NAME + "-dp1.eps", "mine.v2.png",
            "mine.v2.eps"), ProcessTest.whole(plots()).keySet(), "the stale CSV goes");
        assertEquals(logs, Cli.snapshot(tmp.resolve("logs")), "the input");
    }

    @Test void aRunThatFailsLeavesTheOldFigure() throws IOException {
        log(100, Sample.run(11, 12, 13));
        run("--csv");
        Map<String, String> old = ProcessTest.whole(plots());
        run("--iteration=7").failed(1, tmp.resolve("logs"), "7");
        run(tmp.resolve("nowhere")).failed(1, tmp.resolve("nowhere"), "data/");
        run("--where=tp=2").failed(1, "tp", "[1]");
        Files.createDirectories(tmp.resolve("logs/more"));
        run(tmp.resolve("logs/more")).failed(1, tmp.resolve("logs/more"), "log-");
        Path notes = Sample.write(tmp, "notes.txt", "");
        run("--plots=" + notes).failed(1, notes + ": cannot write", "--plots");
        log(200, Sample.timing(1, "nan", 3));
        run().failed(1, Sample.name(200), "nan");
        assertEquals(old, ProcessTest.whole(plots()));
    }

    @ParameterizedTest @ValueSource(strings = {"", "scripts"})
    void aNameThatIsNothingHereIsLookedForInData(String folder) {
        List<String> java = Cli.java(List.of(), "Subgroup", "act-output-7B", "--plots=" + plots());
        assertEquals(drew(plots(), NAME, "8 runs, timing line 3"), Cli.start(Cli.ROOT.resolve(folder), java));
    }

    /** The phases are one table: a line more in it is a phase more in figure, legend and CSV. */
    @ParameterizedTest @ValueSource(strings = {"All-reduce", "All-reduce of all the gradients"})
    void aFourthPhaseIsOneLineMore(String phase) throws IOException {
        log(100, Sample.run(1000, 2000, 3000));
        Cli.start(tmp, with(phase)).well();
        Picture figure = Picture.check(tmp.resolve("plots"), NAME);
        FigureTest.assertMargin(figure);
        int y = bars(figure).get(0).from() + 2, orange = 0xDE8F05;
        for (int row : List.of(44, y)) {
            int update = figure.across(row, Picture.UPDATE).to(), fourth = figure.across(row, orange).from();
            assertTrue(update < fourth && fourth < 1490, "after the update, in row " + row);
        }
        double drawn = figure.across(y, orange).length();
        assertEquals(567.39 / 3000, drawn / figure.across(y, Picture.UPDATE).length(), .01);
        assertEquals(List.of("subgroup_size,forward_ms,backward_ms,update_ms,"
            + phase.toLowerCase(Locale.ROOT) + "_ms", "100,1000.0,2000.0,3000.0,567.39"),
            Files.readAllLines(tmp.resolve("plots/" + NAME + ".csv")));
    }

    /** The command that draws with a copy of the script whose table has one line more. */
    List<String> with(String phase) throws IOException {
        String script = ProcessTest.text("subgroup"), last = "new Phase\\(\"Update\"[^)]*\\)";
        assertEquals(2, script.split(last).length, "one table of phases");
        return ProcessTest.alone(tmp, "subgroup", script.replaceFirst(last, "$0, new Phase(\"" + phase
            + "\", 0xDE8F05, \"bwd_allreduce\")"), List.of("logs", "--csv"));
    }
}
