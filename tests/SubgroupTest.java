import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** What subgroup.java makes of the logs: its output, its figure, its messages. */
class SubgroupTest extends SubgroupRuns {
    @Nested class Output {
        @Test void stdoutHasThePathsAlone() throws IOException {
            log(100, Sample.run(1, 2, 3));
            Cli cli = Cli.run(() -> Subgroup.execute(new Subgroup(), logs.toString(), "--plots=" + plots));
            assertEquals(plots.resolve("7B-subgroup.png") + "\n" + plots.resolve("7B-subgroup.eps") + "\n",
                cli.quiet().out());
            assertEquals(List.of("", "7B-subgroup.eps", "7B-subgroup.png"), List.copyOf(Cli.snapshot(plots).keySet()));
        }

        @Test void theCsvHasTheNumbersOfTheLogs() throws IOException {
            log(50_000_000, Sample.run(635.86, 2515.72, 4019.41));
            log(10_000_000, Sample.timing("0.10", 12345678, "0.123456789").repeat(3));
            run(logs).quiet();
            assertRows(List.of("10000000,0.10,12345678,0.123456789", "50000000,635.86,2515.72,4019.41"), rows());
        }

        @Test void theFolderIsMade() throws IOException {
            log(100, Sample.run(1, 2, 3));
            plots = tmp.resolve("two levels/of new folders, one with a space");
            run(logs).quiet();
            Picture.checkPng(plots.resolve("7B-subgroup.png"));
        }

        @Test void theDefaultFolderIsPlotsInTheCurrentOne() throws IOException {
            log(100, Sample.run(1, 2, 3));
            Cli cli = Cli.start(tmp, Cli.java(List.of(), "Subgroup", logs)).quiet();
            assertEquals("plots/7B-subgroup.png\nplots/7B-subgroup.eps\n", cli.out());
            Picture.check(plots, "7B-subgroup");
        }

        @Test void anOldFigureIsReplacedWhole() throws IOException {
            log(100, Sample.run(1, 2, 3));
            Files.createDirectories(plots);
            Files.write(plots.resolve("7B-subgroup.png"), new byte[1 << 20]);
            run(logs).quiet();
            byte[] over = Files.readAllBytes(plots.resolve("7B-subgroup.png"));
            Files.delete(plots.resolve("7B-subgroup.png"));
            run(logs).quiet();
            assertArrayEquals(Files.readAllBytes(plots.resolve("7B-subgroup.png")), over);
        }

        @Test void inputsAreOnlyRead() throws IOException {
            log(100, Sample.run(1, 2, 3));
            log(200, Sample.timing(1, 2, 3));
            Map<String, String> before = Cli.snapshot(logs);
            run(logs);
            run(logs, "--iteration=7");
            assertEquals(before, Cli.snapshot(logs));
        }

        @Test void aRunThatFailedKeepsItsRow() throws IOException {
            log(100, Sample.run(1000, 2000, 3000));
            Path failed = log(200, Sample.iteration(1, 2, 3).repeat(2));
            log(300, Sample.run(1000, 2000, 3000));
            Path empty = log(400, "");
            Cli cli = run(logs);
            assertEquals(0, cli.status());
            List<String> notes = cli.err().lines().toList();
            assertEquals(2, notes.size(), cli.err());
            assertTrue(notes.get(0).contains(failed.toString()) && notes.get(0).contains("failed"), cli.err());
            assertTrue(notes.get(1).contains(empty.toString()) && notes.get(1).contains("failed"), cli.err());
            assertRows(List.of("100,1000,2000,3000", "200,,,", "300,1000,2000,3000", "400,,,"), rows());
            assertTrue(Picture.of(plots.resolve("7B-subgroup.png")).count(Picture.RED) > 100, "no red word in it");
        }

        @Test void forTheMeanOneIterationIsNotEnough() throws IOException {
            log(100, Sample.run(1000, 2000, 3000));
            log(200, Sample.iteration(1, 2, 3));
            Cli cli = run(logs, "--iteration=mean");
            assertEquals("0 1", cli.status() + " " + cli.err().lines().count(), cli.err());
            assertRows(List.of("100,1000.5,2001,3001.5", "200,,,"), rows());
        }

        @Test void theSameInputGivesTheSameBytesEverywhere() throws IOException {
            log(1_500_000_000, Sample.run(1234.56, 2000, 3000));
            log(2_000_000, Sample.timing(1, 2, 3));
            run(logs);
            Map<String, String> here = bytes(plots);
            for (String tag : List.of("de-DE", "tr-TR", "ar-EG-u-nu-arab", "hi-IN-u-nu-deva", "th-TH-u-ca-buddhist")) {
                assertEquals(here, elsewhere(tag, "Asia/Kathmandu"), tag);
            }
            Path there = tmp.resolve("there");
            List<String> options = List.of("-Duser.language=fr", "-Duser.country=CA", "-Duser.timezone=Pacific/Apia",
                "-Dfile.encoding=US-ASCII");
            Cli.start(tmp, Map.of("LC_ALL", "C"), Cli.java(options, "Subgroup", logs, "--csv", "--plots=" + there));
            assertEquals(here, bytes(there));
        }

        private Map<String, String> elsewhere(String tag, String zone) throws IOException {
            Locale locale = Locale.getDefault();
            TimeZone timeZone = TimeZone.getDefault();
            try {
                Locale.setDefault(Locale.forLanguageTag(tag));
                TimeZone.setDefault(TimeZone.getTimeZone(zone));
                run(logs);
                return bytes(plots);
            } finally {
                Locale.setDefault(locale);
                TimeZone.setDefault(timeZone);
            }
        }

        /** What is in the files, without their times of change. */
        private static Map<String, String> bytes(Path folder) throws IOException {
            Map<String, String> files = Cli.snapshot(folder);
            assertEquals(4, files.size(), () -> "a folder and three files, but: " + files.keySet());
            files.replaceAll((name, content) -> content.substring(content.indexOf(' ') + 1));
            return files;
        }

        @Test void helpHasTheDefaults() {
            Cli help = run("--help");
            assertEquals("0 ", help.status() + " " + help.err());
            for (String word : List.of("--iteration=N|mean", "--where=KEY=VALUE", "--plots=DIR", "--csv", "Default: 3",
                "Default: plots")) {
                assertTrue(help.out().contains(word), () -> word + " is not in: " + help.out());
            }
            assertEquals(help, run("-h"));
            assertEquals(1, run("-V").quiet().out().lines().count());
        }
    }

    @Nested class Figure {
        static final int PLOT_TOP = 90, PLOT_LEFT = 230;

        Picture figure() throws IOException {
            Picture.check(plots, "7B-subgroup");
            return Picture.of(plots.resolve("7B-subgroup.png"));
        }

        @ParameterizedTest @ValueSource(ints = {1, 2, 8, 20, 60})
        void thereIsABarForEachSize(int sizes) throws IOException {
            for (int i = 1; i <= sizes; i++) {
                log(i * 10_000_000L, Sample.run(640 + i, 2513, 4112));
            }
            run(logs).quiet();
            Picture figure = figure();
            int x = firstColumn(figure);
            List<Picture.Piece> bars = figure.down(x, Picture.FORWARD, PLOT_TOP);
            assertEquals(sizes, bars.size());
            assertTrue(bars.stream().map(Picture.Piece::length).distinct().count() <= 2, () -> "heights: " + bars);
        }

        @ParameterizedTest @ValueSource(ints = {1, 2, 8, 20})
        void bothFormatsLookAlike(int sizes) throws IOException {
            for (int i = 1; i <= sizes; i++) {
                log(i * 10_000_000L, i == 3 ? "" : Sample.run(640 + i, 2513, 4112));
            }
            run(logs);
            Picture.compare(plots, "7B-subgroup");
        }

        /** The first column inside of the bars: some pixels right of where the forward colour begins. */
        int firstColumn(Picture figure) {
            for (int x = PLOT_LEFT - 100; x < 1500; x++) {
                if (!figure.down(x, Picture.FORWARD, PLOT_TOP).isEmpty()) {
                    return x + 3;
                }
            }
            throw new AssertionError("there are no bars");
        }

        @Test void lengthsAreTheTimes() throws IOException {
            log(100, Sample.run(1000, 2000, 4000));
            log(200, Sample.run(2000, 1000, 1000));
            run(logs).quiet();
            Picture figure = figure();
            List<Picture.Piece> bars = figure.down(firstColumn(figure), Picture.FORWARD, PLOT_TOP);
            int[] upper = ends(figure, bars.get(0)), lower = ends(figure, bars.get(1));
            int second = upper[0] - lower[0];
            assertTrue(second > 100 && second < 200, "7 s fill most of the plot, but 1 s is " + second + " pixels");
            assertEquals(second, upper[1] - upper[0], 3, "backward in the upper bar");
            assertEquals(second, upper[2] - upper[1], 3, "update in the upper bar");
            assertEquals(2 * second, lower[1] - lower[0], 3, "backward in the lower bar");
            assertEquals(4 * second, lower[2] - lower[1], 3, "update in the lower bar");
        }

        /** Where the three phases of a bar end. */
        int[] ends(Picture figure, Picture.Piece bar) {
            return IntStream.of(Picture.FORWARD, Picture.BACKWARD, Picture.UPDATE)
                .map(color -> figure.across(bar.from() + 3, color).to()).toArray();
        }

        @Test void segmentsTouchInTheirOrder() throws IOException {
            log(100, Sample.run(1000, 2000, 4000));
            run(logs).quiet();
            Picture figure = figure();
            int y = figure.down(firstColumn(figure), Picture.FORWARD, PLOT_TOP).get(0).from() + 3;
            Picture.Piece forward = figure.across(y, Picture.FORWARD), backward = figure.across(y, Picture.BACKWARD);
            assertEquals(forward.to(), backward.from(), 3);
            assertEquals(backward.to(), figure.across(y, Picture.UPDATE).from(), 3);
        }

        @Test void theSmallestSizeIsAtTheBottom() throws IOException {
            log("900", Sample.run(1000, 1, 1));
            log("1000", Sample.run(2000, 1, 1));
            log("10000", Sample.run(3000, 1, 1));
            run(logs).quiet();
            Picture figure = figure();
            List<Integer> fromTheTop = figure.down(firstColumn(figure), Picture.FORWARD, PLOT_TOP).stream()
                .map(bar -> ends(figure, bar)[0]).toList();
            assertEquals(fromTheTop.stream().sorted((a, b) -> b - a).toList(), fromTheTop);
        }

        @Test void aFailedRunHasItsRow() throws IOException {
            log(100, Sample.run(1000, 2000, 4000));
            log(200, "");
            log(300, Sample.run(1000, 2000, 4000));
            run(logs);
            Picture figure = figure();
            List<Picture.Piece> bars = figure.down(firstColumn(figure), Picture.FORWARD, PLOT_TOP);
            assertEquals(2, bars.size());
            int between = bars.get(1).from() - bars.get(0).to();
            assertTrue(between > bars.get(0).length(), () -> "no room for a row between " + bars);
        }

        @Test void extremesAreDrawn() throws IOException {
            log(100, Sample.run(0, 0, 0).replaceAll("-\\d", "0"));
            run(logs).quiet();
            figure();
            log(200, Sample.timing("999999999", "0.001", "999999999.999").repeat(3));
            run(logs).quiet();
            figure();
        }

        @Test void everySideHasAMargin() throws IOException {
            for (int i = 1; i <= 8; i++) {
                log(i * 375_000_000L, Sample.run(640, 2513, 4112));
            }
            run(logs).quiet();
            Picture figure = figure();
            IntStream rows = IntStream.range(0, 1500).flatMap(x -> IntStream.of(figure.at(x, 0), figure.at(x, 899)));
            IntStream columns = IntStream.range(0, 900).flatMap(y -> IntStream.of(figure.at(0, y), figure.at(1499, y)));
            assertTrue(IntStream.concat(rows, columns).allMatch(color -> color == Picture.WHITE), "cut off at an edge");
        }
    }

    /** Input that cannot be used: one line, the right exit status, and an old figure stays as it was. */
    @Nested class Faults {
        Map<String, String> old;

        @BeforeEach void figure() throws IOException {
            Path good = Sample.write(tmp.resolve("good"), Sample.name(1), Sample.run(1, 2, 3));
            run(good).quiet();
            old = Cli.snapshot(plots);
        }

        void fails(int status, Object[] args, Object... words) throws IOException {
            run(args).failed(status, words);
            assertEquals(old, Cli.snapshot(plots), "the old figure");
        }

        Object[] args(Object... args) {
            return args;
        }

        @Test void noFolderNamed() throws IOException {
            fails(2, args(), "DIR");
        }

        @ParameterizedTest @ValueSource(strings = {"0", "-1", "two", "2.5", "", "1e3", "99999999999", "Mean", "3 "})
        void noIterationButANumberOrMean(String iteration) throws IOException {
            log(1, Sample.run(1, 2, 3));
            fails(2, args(logs, "--iteration=" + iteration), "--iteration");
        }

        @Test void unknownOption() throws IOException {
            fails(2, args(logs, "--iterations=3"), "--iterations");
        }

        @Test void folderIsNotThere() throws IOException {
            fails(1, args(tmp.resolve("nowhere")), tmp.resolve("nowhere"));
        }

        @Test void folderIsNotThereButInData() {
            Cli cli = Cli.start(Cli.ROOT, Cli.java(List.of(), "Subgroup", "act-output-7B", "--plots=" + plots));
            cli.failed(1, "act-output-7B", Path.of("data", "act-output-7B"));
        }

        @Test void fileInsteadOfFolder() throws IOException {
            fails(1, args(Sample.write(tmp, "notes.txt", Sample.run(1, 2, 3))), "notes.txt", "log-");
        }

        @Test void emptyFolder() throws IOException {
            fails(1, args(logs), logs, "log-");
        }

        @Test void noLogAmongTheFiles() throws IOException {
            Sample.write(logs, "ds_config.json", "{}");
            Files.createDirectories(logs.resolve("more"));
            Sample.write(logs.resolve("more"), Sample.name(1), Sample.run(1, 2, 3));
            fails(1, args(logs), logs, "log-");
        }

        @Test void logsWithoutSubg() throws IOException {
            Path log = Sample.write(logs, "log-7B-tp1-dp1.log", Sample.run(1, 2, 3));
            fails(1, args(logs), log, "subg");
        }

        @Test void noIterationThatFar() throws IOException {
            log(1, Sample.run(1, 2, 3));
            fails(1, args(logs, "--iteration=6"), logs, "6");
        }

        @Test void runsThatAllFailed() throws IOException {
            log(1, "");
            log(2, "killed\n");
            fails(1, args(logs), logs);
        }

        @ParameterizedTest @ValueSource(strings = {"abc", "-1.00", "nan", "NaN", "-nan", "inf", "Infinity", "1.2.3",
            "0x10", "--", "1e999", "+5", "640,92", "***", "?", "12a", "99999999999999999999999999999999999", "",
            "(640.92)", "None"})
        void timesThatAreNoNumbers(String time) throws IOException {
            for (String bad : List.of(Sample.timing(time, 2, 3), Sample.timing(1, time, 3),
                Sample.timing(1, 2, time))) {
                Path log = log(1, Sample.timing(1, 2, 3).repeat(2) + bad + Sample.timing(7, 8, 9));
                fails(1, args(logs), log);
                fails(1, args(logs, "--iteration=mean"), log);
            }
        }

        @Test void badTimesOfOtherIterationsDoNotMatter() throws IOException {
            log(1, Sample.timing(1, "nan", 3) + Sample.timing(2, 3, 4) + Sample.timing(5, 6, 7)
                + Sample.timing(1, -1, 3));
            run(logs).quiet();
            assertRows(List.of("1,5,6,7"), rows());
        }

        @Test void logThatIsAFolder() throws IOException {
            Files.createDirectories(logs.resolve(Sample.name(2)));
            log(1, Sample.run(1, 2, 3));
            Cli cli = run(logs);
            assertTrue(cli.err().isEmpty() || cli.err().contains(logs.resolve(Sample.name(2)).toString()), cli.err());
            assertFalse(cli.err().contains("unexpectedly"), cli.err());
        }

        @Test void logThatIsADeadLink() throws IOException {
            Path link = Files.createSymbolicLink(logs.resolve(Sample.name(2)), tmp.resolve("gone"));
            log(1, Sample.run(1, 2, 3));
            fails(1, args(logs), link);
        }

        @Test void plotsIsAFile() throws IOException {
            log(1, Sample.run(1, 2, 3));
            Path file = Sample.write(tmp, "file", "old");
            script("--plots=" + file).failed(1, file, "--plots");
            script("--plots=" + file.resolve("below")).failed(1, file, "--plots");
            assertEquals("old", Files.readString(file));
        }

        @Test void aFolderIsWhereTheFigureShouldBe() throws IOException {
            log(1, Sample.run(1, 2, 3));
            Path folder = Files.createDirectories(tmp.resolve("p/7B-subgroup.eps/full")).getParent().getParent();
            script("--plots=" + folder).failed(1, folder, "--plots");
            assertTrue(Files.isDirectory(folder.resolve("7B-subgroup.eps/full")));
            assertFalse(Cli.snapshot(folder).keySet().stream().anyMatch(name -> name.startsWith(".")), "leftovers");
        }

        Cli script(String plots) {
            return Cli.run(() -> Subgroup.execute(new Subgroup(), logs.toString(), plots));
        }

        Cli powerless() {
            return Cli.start(tmp, Cli.powerless(), Cli.java(List.of(), "Subgroup", logs, "--plots=" + plots));
        }

        @Test void unreadableFile() throws IOException {
            Path log = log(1, Sample.run(1, 2, 3));
            Files.setPosixFilePermissions(log, Set.of());
            powerless().failed(1, log);
            assertEquals(old, Cli.snapshot(plots));
        }

        @Test void unreadableFolder() throws IOException {
            log(1, Sample.run(1, 2, 3));
            Files.setPosixFilePermissions(logs, Set.of());
            powerless().failed(1, logs);
            Files.setPosixFilePermissions(logs, PosixFilePermissions.fromString("rwx------"));
            assertEquals(old, Cli.snapshot(plots));
        }

        @Test void outputFolderNotWritable() throws IOException {
            log(1, Sample.run(1, 2, 3));
            Files.setPosixFilePermissions(plots, PosixFilePermissions.fromString("r-xr-xr-x"));
            powerless().failed(1, plots, "--plots");
            assertEquals(old, Cli.snapshot(plots));
        }

        /** On a file system of 64 KiB that this process alone sees, and that goes with it. */
        @Test void diskFull() throws IOException {
            log(1, Sample.run(1, 2, 3));
            assumeTrue(Cli.has("unshare"), "no unshare here");
            Cli mounted = Cli.start(tmp, "unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", plots);
            assumeTrue(mounted.status() == 0, "not allowed to mount a small file system: " + mounted.err().strip());
            String script = "mount -t tmpfs -o size=64k tmpfs plots && echo old >plots/7B-subgroup.png || exit 99\n"
                + "\"$@\"; status=$?; cd plots; ls -A >../left; cat 7B-subgroup.png >>../left; exit $status";
            Cli cli = Cli.start(tmp, "unshare", "-m", "sh", "-c", script, "sh", Cli.java(List.of(), "Subgroup", logs));
            cli.failed(1, "plots", "--plots");
            assertEquals("7B-subgroup.png\nold\n", Files.readString(tmp.resolve("left")));
        }

        @Test void noFonts() throws IOException {
            log(1, Sample.run(1, 2, 3));
            Path none = Sample.write(tmp, "fonts.conf", "<fontconfig></fontconfig>");
            Cli.start(tmp, Map.of("FONTCONFIG_FILE", none.toString()),
                Cli.java(List.of("-Duser.home=" + tmp), "Subgroup", logs)).failed(1, "fontconfig", "fonts-dejavu-core");
            assertEquals(old, Cli.snapshot(plots));
        }
    }

    /** The logs that the samples were cut from, against numbers that were taken from them by other means. */
    @Nested class RealLogs {
        static final String FOLDER = "act-output-7B-scale-subg-size-motivation";

        Path real() {
            Path folder = Cli.SHARED.resolve("results").resolve(FOLDER);
            assumeTrue(Files.isDirectory(folder), "the real logs are not here: " + folder);
            return folder;
        }

        @ParameterizedTest @ValueSource(ints = {3, 4})
        void agreeWithTheGoldenNumbers(int iteration) throws IOException {
            Path real = real();
            List<String> golden = new ArrayList<>();
            try (Stream<String> lines = Files.lines(Cli.SHARED.resolve("golden/phases.csv"))) {
                lines.map(line -> line.split(",")).filter(row -> row[0].equals(FOLDER) && row[6].equals("" + iteration))
                    .forEach(row -> golden.add(String.join(",", row[5], row[7], row[8], row[9])));
            }
            assertEquals(8, golden.size(), "golden numbers");
            run(real, "--iteration=" + iteration).quiet();
            assertRows(golden, rows());
        }

        @Test void theirMeansAreThoseOfASimpleReading() throws IOException {
            run(real(), "--iteration=mean").quiet();
            List<String> rows = rows();
            assertEquals(8, rows.size());
            for (String row : rows) {
                String[] cells = row.split(",");
                double[] means = means(real().resolve(Sample.name(cells[0])));
                for (int i = 0; i < 3; i++) {
                    assertEquals(means[i], Double.parseDouble(cells[i + 1]), 1e-9, row);
                }
            }
        }

        static double[] means(Path log) throws IOException {
            Pattern line = Pattern.compile("\\) \\| fwd: ([0-9.]+) \\| bwd: ([0-9.]+) .*\\| step: ([0-9.]+)$");
            List<Matcher> found = Files.readAllLines(log, StandardCharsets.ISO_8859_1).stream().map(line::matcher)
                .filter(Matcher::find).skip(1).toList();
            return IntStream.of(1, 2, 3).mapToDouble(phase -> found.stream()
                .mapToDouble(m -> Double.parseDouble(m.group(phase))).average().orElseThrow()).toArray();
        }

        @Test void theSamplesSayTheSame() throws IOException {
            for (String iteration : List.of("1", "2", "3", "4", "5")) {
                run(real(), "--iteration=" + iteration).quiet();
                List<String> rows = rows();
                run(Cli.ROOT.resolve("data/act-output-7B"), "--iteration=" + iteration).quiet();
                assertEquals(rows, rows());
            }
        }

        @Test void theirFigureIsAlikeInBothFormats() throws IOException {
            run(real()).quiet();
            Picture.check(plots, "7B-subgroup");
            Picture.compare(plots, "7B-subgroup");
        }

        @ParameterizedTest @CsvSource({"act-output-7B-scale-DP-motivation, dp, 1",
            "act-output-7B-scale-DP-motivation, dp, 2", "act-output-7B-scale-DP-motivation, dp, 4",
            "act-output-7B-scale-TP-motivation, tp, 2"})
        void otherFoldersNeedAChoice(String folder, String key, String value) throws IOException {
            Path real = real().resolveSibling(folder);
            run(real).failed(1, key, "--where=");
            List<String> sizes = sizes(real, "--where=" + key + "=" + value);
            assertEquals(List.of("100000000", "500000000", "1000000000", "3000000000"), sizes);
        }
    }
}
