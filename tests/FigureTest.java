import com.google.gson.*;
import java.io.IOException;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.Callable;
import java.util.regex.*;
import java.util.stream.*;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;

import static org.junit.jupiter.api.Assertions.*;

/** The README's figures are those of plots/; and what breakdown.java and throughput.java draw, in pixels. */
class FigureTest {
    static final int OTHER = 0x949494, BLACK = 0;
    static final String DATA = Cli.ROOT + "/data/";

    @TempDir Path tmp;

    /** Runs an alias in this JVM, with the arguments that the catalog presets before those given. */
    static Cli alias(String alias, Object... args) throws IOException {
        JsonObject entry = HouseTest.aliases().get(alias).getAsJsonObject();
        List<String> preset = !entry.has("arguments") ? List.of()
            : entry.getAsJsonArray("arguments").asList().stream().map(JsonElement::getAsString).toList();
        Callable<Integer> script = Map.<String, Callable<Integer>>of("subgroup", new Subgroup(), "memory",
            new Memory(), "breakdown", new Breakdown(), "throughput", new Throughput(), "utilization",
            new Utilization()).get(HouseTest.name(Path.of(entry.get("script-ref").getAsString())));
        return Cli.script(script, preset, List.of(Cli.words(args)));
    }

    /** The README's commands in its table of figures, each as an alias and its arguments. */
    static List<List<String>> commands() throws IOException {
        return Pattern.compile("(?m)^\\|.*`\\./jbang ([\\w-]+ [^`|]*data/[^`|]*)`")
            .matcher(Files.readString(Cli.ROOT.resolve("README.md"))).results()
            .map(command -> List.of(command.group(1).replaceAll("['\"]", "").split(" +"))).toList();
    }

    @Test void thereAreAsManyFiguresAsCommands() throws IOException {
        Set<String> plots = Cli.snapshot(Cli.ROOT.resolve("plots")).keySet();
        assertEquals(10, commands().size());
        assertEquals(Map.of("png", 10L, "eps", 10L), plots.stream().collect(
            Collectors.groupingBy(name -> name.replaceFirst(".*\\.", ""), Collectors.counting())));
    }

    @ParameterizedTest @MethodSource("commands")
    void aCommandOfTheReadmeGivesItsFigure(List<String> command) throws IOException {
        Stream<String> args = command.stream().skip(1).map(arg -> arg.replaceFirst("^data/", DATA));
        Cli cli = alias(command.get(0), args.toList(), "--plots=" + tmp).well();
        String name = cli.out().lines().findFirst().orElseThrow().replaceFirst(".*/(.*)\\.png", "$1");
        Picture figure = Picture.check(tmp, name);
        figure.alike(Picture.of(Cli.ROOT.resolve("plots").resolve(name + ".png")));
        assertMargin(figure);
        if (List.of("memory", "data-parallel").contains(command.get(0))) {
            Picture.compare(tmp, name);
        }
    }

    /** Fails where something is cut: where there is ink in the outermost two pixels. */
    static void assertMargin(Picture figure) {
        for (int i = 0; i < 2 * 1500; i++) {
            int x = i % 1500, edge = i / 1500, y = x * 3 / 5;
            assertEquals(Picture.WHITE, figure.at(x, edge) & figure.at(x, 899 - edge) & figure.at(edge, y)
                & figure.at(1499 - edge, y), "ink at the edge of the page, near " + x + ", " + y);
        }
    }

    /** A log with one iteration; elapsed time and TFLOPs only where they are not 0. */
    void log(String tokens, double fwd, double bwd, double step, double elapsed, double tflops)
        throws IOException {
        String said = (elapsed > 0 ? " elapsed time per iteration (ms): " + elapsed + " |" : "")
            + (tflops > 0 ? " TFLOPs: " + tflops + " |" : "") + "\n";
        Sample.write(tmp.resolve("logs"), "log-" + tokens + ".log", Sample.timing(fwd, bwd, step) + said);
    }

    Cli run(Callable<Integer> script, Object... args) {
        return Cli.script(script, tmp.resolve("logs"), "--iteration=1", "--name=it", "--csv",
            "--plots=" + tmp, List.of(args));
    }

    Picture drawn(Callable<Integer> script, Object... args) throws IOException {
        run(script, args).well();
        return Picture.check(tmp, "it");
    }

    /** The column of the frame's left or right line. */
    static int side(Picture figure, boolean left) {
        return IntStream.range(0, 750).map(i -> left ? i : 1499 - i).filter(x ->
            figure.down(x, BLACK, 0).stream().anyMatch(line -> line.length() > 300)).findFirst().orElse(0);
    }

    /** The row of the frame's lowest line, where bars stand. */
    static int zero(Picture figure) {
        return figure.down(side(figure, true), BLACK, 0).stream().filter(line -> line.length() > 300)
            .findFirst().orElseThrow().to() - 1;
    }

    /** The pieces of this colour in a row just above zero: bars, from left to right. */
    static List<Picture.Piece> bars(Picture figure, int color) {
        int y = zero(figure) - 5;
        int[] edges = IntStream.range(1, 1500).filter(x -> figure.at(x, y) == color ^ figure.at(x - 1, y)
            == color).toArray();
        return IntStream.range(0, edges.length / 2)
            .mapToObj(i -> new Picture.Piece(edges[2 * i], edges[2 * i + 1] - 1)).toList();
    }

    static int middle(Picture.Piece piece) { return (piece.from() + piece.to()) / 2; }

    /** The highest row of a colour in a column of the plot. */
    static int top(Picture figure, int x, int color) { return figure.down(x, color, 85).get(0).from(); }

    /** The rows of the ticks at a side. */
    static int[] ticks(Picture figure, boolean left) {
        return figure.down(side(figure, left) + (left ? -8 : 8), left ? BLACK : Picture.RED, 60).stream()
            .filter(tick -> tick.length() < 6).mapToInt(FigureTest::middle).toArray();
    }

    static void assertRound(double step) {
        double first = step / Math.pow(10, Math.floor(Math.log10(step * 1.02)));
        assertTrue(DoubleStream.of(1, 2, 5).anyMatch(n -> Math.abs(first / n - 1) < .02), "tick: " + step);
    }

    /** How many red pixels the columns have, above a row. */
    static long red(Picture figure, int from, int to, int below) {
        return IntStream.rangeClosed(from, to).mapToLong(x -> figure.down(x, Picture.RED, 90).stream()
            .filter(piece -> piece.to() < below).mapToInt(Picture.Piece::length).sum()).sum();
    }

    /** Fails unless phases end, and with them the bar, at these seconds. */
    static void assertEnds(Picture figure, int x, double second, double... ends) {
        int[] colors = {Picture.FORWARD, Picture.BACKWARD, Picture.UPDATE, OTHER};
        for (int i = 0; i < ends.length; i++) {
            assertEquals(zero(figure) - second * ends[i], top(figure, x, colors[i]), 1.5, "phase " + i);
        }
    }

    /** Two groups of two, of which the last failed. */
    @Test void barsAndDotsStandWhereTheNumbersSayAndAFailedRunIsRed() throws IOException {
        log("7B-dp1-subg100000000", 1000, 2000, 3000, 7500, 40);
        log("7B-dp1-subg200000000", 500, 1000, 2500, 7500, 20);
        log("7B-dp2-subg100000000", 2000, 2000, 4000, 9000, 60);
        Sample.write(tmp.resolve("logs"), "log-7B-dp2-subg200000000.log", "");
        run(new Breakdown()).well("dp2-subg200000000.log: failed");
        Picture figure = Picture.check(tmp, "it");
        List<Picture.Piece> bars = bars(figure, Picture.FORWARD);
        assertEquals(3, bars.size());
        int zero = zero(figure), pitch = middle(bars.get(1)) - middle(bars.get(0));
        double second = (zero - top(figure, bars.get(2).from() + 2, Picture.UPDATE)) / 8.;
        double[][] ends = {{1, 3, 6}, {.5, 1.5, 4}, {2, 4, 8}};
        int[] said = {40, 20, 60};
        double[] tflops = new double[3];
        for (int i = 0; i < 3; i++) {
            assertEnds(figure, bars.get(i).from() + 2, second, ends[i]);
            Picture.Piece dot = figure.down(middle(bars.get(i)), Picture.RED, 80).stream()
                .max(Comparator.comparing(Picture.Piece::length)).orElseThrow();
            tflops[i] = (zero - middle(dot)) / (double) said[i];
        }
        double[] alike = {tflops[2], tflops[2], tflops[2]};
        assertArrayEquals(alike, tflops, .06 * tflops[2], "heights of dots");
        int[] ticks = ticks(figure, true);
        assertArrayEquals(ticks, ticks(figure, false), "ticks of both axes");
        assertRound((ticks[1] - ticks[0]) / second);
        assertRound((ticks[1] - ticks[0]) / tflops[2]);
        assertTrue(red(figure, bars.get(0).to() + 1, bars.get(1).from() - 1, zero) > 0, "within a group");
        assertEquals(0, red(figure, bars.get(1).to() + 20, bars.get(2).from() - 20, zero), "and not beyond");
        int failed = middle(bars.get(2)) + pitch;
        assertTrue(red(figure, failed - 20, failed + 20, zero) > 100, "no red word for the failed run");
    }

    /** At 5 TFLOPs for 1 s dots would be at 10.5 s, where the numbers are, and above these the frame ends. */
    @Test void aNumberIsAboveItsBarThoughADotWouldBeInItsWay() throws IOException {
        for (int i = 1; i <= 3; i++) {
            log("7B-dp1-subg" + i + "00000000", 2000, 3000, 5000, 10500, 52.5);
        }
        Picture figure = drawn(new Breakdown());
        int zero = zero(figure);
        for (Picture.Piece bar : bars(figure, Picture.FORWARD)) {
            int top = top(figure, middle(bar), Picture.UPDATE);
            assertEquals((zero - top(figure, bar.from() + 2, Picture.FORWARD)) * 5, zero - top, 8, "10 s");
            assertEquals(top(figure, bar.from() + 2, Picture.UPDATE), top, "a box in the bar");
            int number = IntStream.rangeClosed(bar.from(), bar.to()).flatMap(x -> figure.down(x, BLACK, 96)
                .stream().mapToInt(Picture.Piece::from)).min().orElseThrow();
            assertTrue(100 < number && number < top - 50, number + " is not between the frame and the bar");
            assertTrue(red(figure, bar.from(), bar.to(), zero) > 100, "no dot");
        }
        log("7B-dp2-subg100000000", 2000, 3000, 5000, 10500, 0);
        run(new Breakdown()).well("7B-dp2-subg100000000.log: no TFLOPs");
    }

    @Test void elapsedBarsReachTheElapsedTimeInGrey() throws IOException {
        log("7B-dp1-subg100000000", 1000, 2000, 3000, 7500, 40);
        log("7B-dp2-subg100000000", 1000, 1000, 1000, 3000, 40);
        Picture figure = drawn(new Breakdown(), "--elapsed");
        assertEquals(0, figure.count(Picture.RED), "red, of TFLOPs");
        List<Picture.Piece> bars = bars(figure, Picture.FORWARD);
        int x = middle(bars.get(0)), last = middle(bars.get(1));
        double second = (zero(figure) - top(figure, x, OTHER)) / 7.5;
        assertEnds(figure, x, second, 1, 3, 6, 7.5);
        assertEnds(figure, last, second, 1, 2, 3);
        assertEquals(List.of(), figure.down(last, OTHER, 80), "nothing is left of 3 s");
        assertEquals(List.of("dp,subg,forward_ms,backward_ms,update_ms,iteration_ms,tflops",
            "1,100000000,1000.0,2000.0,3000.0,7500.0,40.0", "2,100000000,1000.0,1000.0,1000.0,3000.0,40.0"),
            Files.readAllLines(tmp.resolve("it.csv")));
    }

    /** Writes a grid of logs, of groups with wide names; the places of bars, of failed runs and of holes. */
    List<List<Integer>> grid(int groups, int bars) throws IOException {
        List<List<Integer>> places = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (int i = 0; i < groups * bars; i++) {
            int g = i / bars, b = i % bars;
            String name = "WWWWWWWWWWW" + (char) ('A' + g) + "-subg" + (b + 1) + "00000000";
            boolean hole = groups > 1 && bars > 1 && (g + b) % 5 == 3, fails = (3 * g + b) % 7 == 4;
            places.get(hole ? 2 : fails ? 1 : 0).add(g * (bars + 1) + b);
            if (fails && !hole) {
                Sample.write(tmp.resolve("logs"), "log-" + name + ".log", "");
            } else if (!hole) {
                log(name, 700, 900, 1000 + 10 * i, 0, 0);
            }
        }
        return places;
    }

    @ParameterizedTest @CsvSource({"1,1", "1,8", "8,1", "3,4", "8,8"})
    void nothingIsCutAndNothingOverlapsInAnyGrid(int groups, int bars) throws IOException {
        List<List<Integer>> places = grid(groups, bars);
        List<Integer> there = places.get(0);
        Picture figure = drawn(new Breakdown(), "--groups=model");
        assertMargin(figure);
        List<Picture.Piece> drawn = bars(figure, Picture.FORWARD);
        assertEquals(there.size(), drawn.size(), "bars that stand apart");
        int first = middle(drawn.get(0)), last = middle(drawn.get(drawn.size() - 1)), zero = zero(figure);
        double pitch = (last - first) / Math.max(1., there.get(there.size() - 1));
        for (int i = 0; i < there.size(); i++) {
            assertEquals(first + pitch * there.get(i), middle(drawn.get(i)), 1.5, "place of bar " + i);
        }
        assertEquals(places.get(1).isEmpty(), figure.count(Picture.RED) == 0, "red, of failed runs alone");
        int half = (int) (pitch / 2);
        for (int place : places.get(1)) {
            int x = first + (int) (pitch * place);
            assertTrue(red(figure, x - half, x + half, zero) > 30, "no red word at column " + x);
        }
        places.get(2).forEach(place -> assertBlank(figure, first + (int) (pitch * place), zero - 5));
        IntStream.range(1, groups).map(g -> first + (int) (pitch * (g * (bars + 1) - 1)))
            .forEach(x -> assertBlank(figure, x, 838));
    }

    /** Between two groups, or where a run is missing: nothing but the frame, down to a row. */
    static void assertBlank(Picture figure, int x, int to) {
        int zero = zero(figure);
        assertTrue(IntStream.range(110, to).filter(y -> Math.abs(y - zero) > 4)
            .allMatch(y -> figure.at(x, y) == Picture.WHITE), "something stands in column " + x);
    }

    @Test void whereRunsClashOneMoreConditionSettlesIt() throws IOException {
        GoldenTest.thereAreRealLogs();
        List<Object> args = List.of(GoldenTest.RESULTS.resolve("act-output-13B-scale-gaps-scale-DP"),
            "--bars=stride", "--plots=" + tmp);
        alias("data-parallel", args).failed(1, "ga=[0.25, 1]", "gbs=[4, 8, 16]", "--where", "-gbs4-",
            "-gbs16-");
        alias("data-parallel", args, "--where=ga=1").well("27 runs");
    }

    @Test void throughputIsTheModelsSizeOverItsUpdate() throws IOException {
        assertEquals("1G 0.5x", Throughput.label("subg", "1G") + " " + Throughput.label("ratio", "0.5x"));
        log("13B-dp1-ratio1-prefetch0-flush_async0-opt_gaps5", 1, 2, 10000, 0, 0);
        log("13B-dp1-ratio0.5-prefetch0-flush_async1-opt_gaps5", 1, 2, 69500, 0, 0);
        log("13B-dp1-ratio0.2-prefetch1-flush_async1-opt_gaps5", 1, 2, 5000, 0, 0);
        log("13B-dp1-ratio0-prefetch1-flush_async1-opt_gaps10", 1, 2, 6500, 0, 0);
        drawn(new Throughput());
        assertEquals(List.of("dp,stride,update_ms,billion_parameters_per_s", "1,ZeRO-3,10000.0,1.3",
            "1,BW-only,69500.0,0.18705035971223022", "1,1/5,5000.0,2.6", "1,1/10,6500.0,2.0"),
            Files.readAllLines(tmp.resolve("it.csv")));
        String all = Stream.of("--groups=ratio", "--bars=ratio", "--where=stride=1/5").map(key -> Cli.script(
            new Throughput(), tmp.resolve("logs"), "--iteration=1", key, "--plots=" + tmp).out())
            .collect(Collectors.joining());
        assertEquals(6, all.lines().distinct().count(), "PNG and EPS of three figures: " + all);
        assertEquals(List.of("0.19", "2.6", "13.0", "0.0051"), Stream.of(.187, 2.6, 13., .0051)
            .map(Throughput::digits).toList());
    }

    @ParameterizedTest @CsvSource({"gpt-dp1, 3000, 0, size", "13B-dp1, 0, 0, time", "13B-dp2, 0, 2.9, time",
        "mixtral-8x7B-dp1, 3000, 3002.9, size"})
    void whatHasNoThroughputOrElapsedTimeIsNamed(String tokens, double step, double elapsed, String word)
        throws IOException {
        log(tokens + "-prefetch0-flush_async0-subg1", 1, 2, step, elapsed, 0);
        run(new Throughput()).failed(1, tokens, word);
        run(new Breakdown(), "--elapsed").failed(1, tokens, "elapsed");
    }
}
