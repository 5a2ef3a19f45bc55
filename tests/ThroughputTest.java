import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What throughput.java makes of logs. */
class ThroughputTest extends GroupedRuns {
    @Override int execute(String... args) {
        return Throughput.execute(new Throughput(), args);
    }

    @Override String header() {
        return "group,bar,update_ms,billion_parameters_per_s";
    }

    /** A run whose update takes so long. */
    static String updating(double ms) {
        return run(500, 600, ms);
    }

    @Nested class RealLogs {
        static final String GAPS = "act-output-13B-scale-gaps-scale-DP";
        static final List<String> INTERVALS = List.of("0", "2", "3", "4", "5", "6", "8", "10");

        Cli drawn() throws IOException {
            return draw(preset("throughput"), real(GAPS));
        }

        /** What the authors' figure shows; it begins with the same for each degree, of which two are given so far. */
        @ParameterizedTest @CsvSource({"1, 1.7 failed failed failed 2.4 2.3 2.5 2.1", "2, 2.2 2.6 2.5 2.9",
            "4, 2.2 3.7 3.3 3.5"})
        void agreeWithTheAuthors(String dp, String printed) throws IOException {
            List<String> rows = rows(drawn()).stream().filter(row -> row.startsWith(dp + ",")).toList();
            assertEquals(INTERVALS, rows.stream().map(row -> row.split(",")[1]).toList());
            String[] numbers = printed.split(" ");
            for (int i = 0; i < numbers.length; i++) {
                String[] cells = rows.get(i).split(",", -1);
                if (numbers[i].equals("failed")) {
                    assertEquals(",", cells[2] + "," + cells[3], rows.get(i));
                } else {
                    assertEquals(Double.parseDouble(numbers[i]), Double.parseDouble(cells[3]), 0.1, rows.get(i));
                }
            }
        }

        /** By group and interval, the mean update time of all iterations but the first. */
        Map<String, Double> updates() throws IOException {
            Map<String, Double> updates = new TreeMap<>();
            for (Path log : realLogs(GAPS)) {
                boolean chosen = !approach(log).equals(BACKWARD_ONLY) && !log.toString().matches(".*-dp4-.*-gbs4-.*");
                if (chosen && iterations(log).size() > 1) {
                    updates.put(said(log, "dp") + "," + said(log, "opt_gaps"), mean(iterations(log))[2]);
                }
            }
            assertEquals(21, updates.size());
            return updates;
        }

        @Test void areAsASimpleReadingSays() throws IOException {
            Map<String, double[]> expected = new TreeMap<>();
            updates().forEach((place, ms) -> expected.put(place, heights(ms, 13e9 / (ms / 1000) / 1e9)));
            List<String> rows = rows(drawn());
            assertEquals(24, rows.size());
            assertNumbers(expected, rows.stream().filter(row -> !row.endsWith(",,")).toList(), 2);
        }

        @Test void runsThatFailedAreNamed() throws IOException {
            Cli cli = drawn();
            assertEquals(0, cli.status(), cli.err());
            List<String> notes = cli.err().lines().sorted().toList();
            assertEquals(3, notes.size(), cli.err());
            for (int k = 2; k <= 4; k++) {
                assertTrue(notes.get(k - 2).matches(".*-dp1-.*-opt_gaps" + k + "\\.log.*failed.*"), cli.err());
            }
        }

        @Test void theFolderNeedsTheChoiceOfTheAlias() throws IOException {
            Cli cli = draw(real(GAPS), "--iteration=mean");
            cli.failed(1, "--where=", "flush_async");
        }

        /** In three groups of eight places the bars, and the red word in the three places of the runs that failed. */
        @Test void barsStandWhereTheyShould() throws IOException {
            Picture picture = figure(drawn());
            Plot plot = Plot.of(picture);
            Map<String, Double> updates = updates();
            List<double[]> expected = new ArrayList<>();
            for (String dp : List.of("1", "2", "4")) {
                INTERVALS.stream().map(k -> updates.get(dp + "," + k)).filter(ms -> ms != null)
                    .forEach(ms -> expected.add(heights(13e3 / ms)));
            }
            plot.assertRound(plot.leftTicks(), plot.assertStacks(expected, Picture.UPDATE));
            List<Plot.Strip> bars = plot.stacks();
            double pitch = (bars.get(20).from() - bars.get(13).from()) / 7.;
            List<Plot.Strip> places = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                int x = (int) (bars.get(20).from() - pitch * (23 - i + (2 - i / 8)));
                Plot.Strip place = new Plot.Strip(x, x + bars.get(20).length() - 1, Picture.WHITE);
                boolean bar = bars.stream().anyMatch(b -> Math.abs(b.from() - x) < 4);
                boolean failed = plot.count(Picture.RED, place.from(), place.to()) > 100;
                boolean should = i >= 1 && i <= 3;
                assertEquals(should + " " + !should, failed + " " + bar, () -> "failed, bar: " + place);
                places.add(place);
            }
            assertEquals(21, plot.numbers().size(), "numbers over the bars");
            plot.assertLabels(places);
            plot.assertMargin();
            Picture.compare(plots, "13B-throughput");
        }
    }

    @Test void itIsTheModelsSizeOverTheUpdateTime() throws IOException {
        log("8.3B-dp1-opt_gaps0", updating(4000));
        log("8.3B-dp1-opt_gaps2", updating(2000));
        log("8.3B-dp2-opt_gaps2", updating(0.5));
        Cli cli = draw(logs).quiet();
        SubgroupRuns.assertRows(List.of("1,0,4000,2.075", "1,2,2000,4.15", "2,2,0.5,16600"), rows(cli));
        assertEquals("8.3B-throughput", name(cli));
    }

    @Test void itIsThatOfTheIterationAskedFor() throws IOException {
        log("10B-dp1-opt_gaps0", Sample.timing(1, 2, 1000) + Sample.timing(1, 2, 2000) + Sample.timing(1, 2, 4000)
            + Sample.timing(1, 2, 5000) + Sample.timing(1, 2, 5000));
        SubgroupRuns.assertRows(List.of("1,0,4000,2.5"), rows(draw(logs).quiet()));
        SubgroupRuns.assertRows(List.of("1,0,2000,5"), rows(draw(logs, "--iteration=2").quiet()));
        SubgroupRuns.assertRows(List.of("1,0,4000,2.5"), rows(draw(logs, "--iteration=mean").quiet()));
    }

    @Test void foldersCompareMachines() throws IOException {
        Path a = tmp.resolve("gaps-a100"), h = tmp.resolve("gaps-h100");
        for (int k : List.of(0, 10, 2)) {
            Sample.write(a, "log-20B-dp4-opt_gaps" + k + ".log", updating(8000. - 100 * k));
            Sample.write(h, "log-20B-dp4-opt_gaps" + k + ".log", updating(4000. - 100 * k));
        }
        draw(h, a).failed(1, a, h, "folder", "--where=");
        Cli cli = draw(h, a, "--groups=folder").quiet();
        assertEquals("20B-throughput-folder", name(cli));
        assertEquals(List.of("gaps-a100,0", "gaps-a100,2", "gaps-a100,10", "gaps-h100,0", "gaps-h100,2",
            "gaps-h100,10"), places(rows(cli)));
        Plot.of(figure(cli)).assertStacks(List.of(heights(20 / 8.), heights(20 / 7.8), heights(20 / 7.),
            heights(20 / 4.), heights(20 / 3.8), heights(20 / 3.)), Picture.UPDATE);
    }

    @Test void otherBarsCanBeNamed() throws IOException {
        log("10B-dp1-opt_gaps5-prefetch1-flush_async1", updating(2000));
        log("10B-dp1-opt_gaps5-prefetch0-flush_async0", updating(8000));
        Cli cli = draw(logs, "--bars=approach").quiet();
        assertEquals(List.of("1," + ZERO3, "1," + DEEP), places(rows(cli)));
        Plot.of(figure(cli)).assertStacks(List.of(heights(1.25), heights(5)), Picture.UPDATE);
    }

    @Test void aHoleStaysEmpty() throws IOException {
        log("10B-dp1-opt_gaps0", updating(4000));
        log("10B-dp1-opt_gaps2", updating(2000));
        log("10B-dp1-opt_gaps3", updating(3000));
        List<Plot.Strip> full = new ArrayList<>(Plot.of(figure(draw(logs).quiet())).stacks());
        log("10B-dp2-opt_gaps0", updating(4000));
        log("10B-dp2-opt_gaps3", updating(3000));
        Plot plot = Plot.of(figure(draw(logs).quiet()));
        List<Plot.Strip> bars = plot.stacks();
        assertEquals(List.of(3, 5), List.of(full.size(), bars.size()));
        int first = bars.get(2).from() - bars.get(0).from(), second = bars.get(4).from() - bars.get(3).from();
        assertEquals(first, second, 2, "pixels between the first and the third place of each group");
        assertEquals(0, plot.figure().count(Picture.RED), "red pixels");
    }

    @ParameterizedTest @CsvSource({"1, 1", "1, 8", "8, 1", "8, 8"})
    void nothingCollidesInAnyGrid(int groups, int bars) throws IOException {
        for (int i = 0; i < groups * bars; i++) {
            log("10B-dp" + (1 << i / bars) + "-opt_gaps" + i % bars, updating(1000 + 100 * i));
        }
        Plot plot = Plot.of(figure(draw(logs).quiet()));
        assertEquals(List.of(groups * bars, groups * bars, groups), List.of(plot.stacks().size(), plot.numbers().size(),
            plot.brackets().size()), "bars, numbers, brackets");
        plot.assertLabels(plot.stacks());
        plot.assertMargin();
        Picture.compare(plots, "10B-throughput");
    }

    /** The numbers above the bars are as wide as they are high: none may reach the frame. */
    @ParameterizedTest @CsvSource({"1", "10", "103.5", "1000", "12345"})
    void numbersStayInside(double billions) throws IOException {
        log("1000B-dp1-opt_gaps0", updating(1e6 / billions));
        log("1000B-dp1-opt_gaps2", updating(1.1e6 / billions));
        Plot plot = Plot.of(figure(draw(logs).quiet()));
        assertEquals(2, plot.numbers().size());
        plot.assertMargin();
    }

    @ParameterizedTest @CsvSource({"ga", "ratio", "folder", "sl"})
    void otherGroupsCanBeNamed(String key) throws IOException {
        Path log = log("10B-gbs64-mbs4-dp1-ratio0.5-sl2048-opt_gaps0", updating(2000));
        log(log.getFileName().toString().replaceAll("^log-|0\\.log$", "") + "5", updating(1000));
        Cli cli = draw(logs, "--groups=" + key).quiet();
        assertEquals("10B-throughput-" + key, name(cli));
        Plot plot = Plot.of(figure(cli));
        plot.assertStacks(List.of(heights(5), heights(10)), Picture.UPDATE);
        plot.assertLabels(plot.stacks());
        plot.assertMargin();
    }

    @Test void runsThatAllFailedAreAnError() throws IOException {
        log("10B-dp1-opt_gaps0", "");
        log("10B-dp1-opt_gaps2", Sample.timing(1, 2, 3));
        draw(logs).failed(1, logs, "--iteration");
        assertFalse(Files.exists(plots));
    }

    @Test void aModelWithoutASizeIsAnError() throws IOException {
        Path log = log("bert-dp1-opt_gaps0", updating(1000));
        draw(logs).failed(1, log, "bert");
    }

    @Test void anUpdateWithoutDurationIsAnError() throws IOException {
        log("10B-dp1-opt_gaps0", updating(1000));
        Path log = log("10B-dp1-opt_gaps2", updating(0));
        draw(logs).failed(1, log);
    }

    @Test void aliasesDrawThePublishedFigures() throws IOException {
        assertPublished("throughput", "13B-throughput", "act-output-13B-scale-gaps");
    }
}
