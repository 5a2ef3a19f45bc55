import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Scripts as processes: killed, two at once, without room, without rights, without a network. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class InterruptTest {
    static final Path LOGS = Cli.ROOT.resolve("data/act-output-7B");
    static final Path CAPTURE = Cli.ROOT.resolve("data/act-output-13B-monitor-mem-single-GPU");
    static final List<String> ENDS = List.of(".png", ".eps", ".csv");

    @TempDir Path tmp;
    Path plots;

    @BeforeEach void folder() throws IOException {
        plots = Files.createDirectory(tmp.resolve("plots"));
    }

    static List<String> subgroup(Object... args) {
        return Cli.java(List.of(), "Subgroup", Stream.concat(Stream.of(LOGS, "--csv"), Stream.of(args)).toArray());
    }

    /** The three files of a figure as a run of its own makes them. */
    Map<String, byte[]> drawn(String iteration) throws IOException {
        Path folder = Files.createDirectory(tmp.resolve("drawn" + iteration));
        Cli.start(tmp, subgroup("--iteration=" + iteration, "--plots=" + folder)).quiet();
        Picture.check(folder, "7B-subgroup");
        return files(folder);
    }

    static Map<String, byte[]> files(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        for (String name : names(folder)) {
            files.put(name, Files.readAllBytes(folder.resolve(name)));
        }
        return files;
    }

    static Set<String> names(Path folder) {
        return new HashSet<>(Arrays.asList(folder.toFile().list()));
    }

    void old(Map<String, byte[]> figure) throws IOException {
        for (Map.Entry<String, byte[]> file : figure.entrySet()) {
            Files.write(plots.resolve(file.getKey()), file.getValue());
        }
    }

    void assertPlots(Map<String, byte[]> figure) throws IOException {
        assertEquals(figure.keySet(), names(plots));
        for (Map.Entry<String, byte[]> file : figure.entrySet()) {
            assertArrayEquals(file.getValue(), Files.readAllBytes(plots.resolve(file.getKey())), file.getKey());
        }
    }

    @Nested class Killed {
        /** Ten times after a part of the time that a run takes, ten times once the folder has changed so often. */
        @Test void atTwentyMomentsTheFigureIsWholeAndTheNextRunClears() throws Exception {
            Map<String, byte[]> old = drawn("2");
            long began = System.nanoTime();
            Map<String, byte[]> now = drawn("3");
            long ms = (System.nanoTime() - began) / 1_000_000;
            for (int moment = 0; moment < 20; moment++) {
                old(old);
                Cli.Running run = Cli.begin(tmp, Map.of(), subgroup("--plots=" + plots));
                if (moment < 10) {
                    run.process().waitFor(ms * (moment + 1) / 11, TimeUnit.MILLISECONDS);
                } else {
                    awaitChanges(run.process(), plots, 1 + moment % 5);
                }
                run.process().destroyForcibly().waitFor();
                assertWhole(old, now, "moment " + moment);
            }
            Files.writeString(plots.resolve(".7B-subgroup.csv." + dead() + ".part"), "half");
            Cli.start(tmp, subgroup("--plots=" + plots)).quiet();
            assertPlots(now);
        }

        private void awaitChanges(Process process, Path folder, int changes) {
            Set<Map<String, Long>> seen = new HashSet<>(Set.of(sizes(folder)));
            while (process.isAlive() && seen.size() <= changes) {
                seen.add(sizes(folder));
                Thread.onSpinWait();
            }
        }

        private Map<String, Long> sizes(Path folder) {
            return names(folder).stream().collect(Collectors.toMap(name -> name, name -> folder.resolve(name).toFile()
                .length()));
        }

        private void assertWhole(Map<String, byte[]> old, Map<String, byte[]> now, String when) throws IOException {
            for (String name : old.keySet()) {
                byte[] bytes = Files.readAllBytes(plots.resolve(name));
                assertTrue(Arrays.equals(bytes, old.get(name)) || Arrays.equals(bytes, now.get(name)),
                    name + " is neither the old nor the new one, killed at " + when);
            }
            assertTrue(names(plots).stream().allMatch(name -> old.containsKey(name)
                || name.matches("\\.7B-subgroup\\.(png|eps|csv)\\.\\d+\\.part")), () -> when + " left " + names(plots));
        }

        private long dead() throws Exception {
            Process process = new ProcessBuilder("true").start();
            process.waitFor();
            return process.pid();
        }

        @Test void whatOtherRunsLeftGoesToo() throws Exception {
            for (String end : ENDS) {
                Files.writeString(plots.resolve(".7B-subgroup" + end + "." + dead() + ".part"), "half");
            }
            Cli.start(tmp, Cli.java(List.of(), "Subgroup", LOGS, "--plots=" + plots)).quiet();
            assertEquals(Set.of("7B-subgroup.png", "7B-subgroup.eps"), names(plots));
        }

        @Test void whatARunStillWritesStays() throws IOException {
            Path part = Files.writeString(plots.resolve(".7B-subgroup.png." + ProcessHandle.current().pid() + ".part"),
                "half");
            Cli.start(tmp, subgroup("--plots=" + plots)).quiet();
            assertTrue(Files.exists(part));
        }

        /** A name that is like one of ours must not stop all runs from then on. */
        @ParameterizedTest @ValueSource(strings = {".7B-subgroup.png.99999999999999999999.part",
            ".7B-subgroup.png..part",
            ".7B-subgroup..1x.part", ".7B-subgroup.png.4194305.part/folder"})
        void namesLikeOurs(String name) throws IOException {
            Files.createDirectories(plots.resolve(name).getParent());
            Files.writeString(plots.resolve(name), "");
            assertEquals("0 ", statusAndErr(Cli.start(tmp, subgroup("--plots=" + plots))));
            Picture.check(plots, "7B-subgroup");
        }

        /** sqlite-jdbc unpacks its library there; a moment later it is loaded. */
        @Test void noTemporaryFileStays() throws Exception {
            Path temporary = Files.createDirectory(tmp.resolve("temporary"));
            List<String> command = Cli.java(List.of("-Djava.io.tmpdir=" + temporary), "Memory", CAPTURE, "--plots="
                + plots);
            Cli.start(tmp, command).quiet();
            assertEquals(Set.of(), names(temporary), "after a run that ended well");
            Cli.Running run = Cli.begin(tmp, Map.of(), command);
            awaitChanges(run.process(), temporary, 1);
            run.process().waitFor(300, TimeUnit.MILLISECONDS);
            run.process().destroyForcibly().waitFor();
            Cli.start(tmp, command).quiet();
            assertEquals(Set.of(), names(temporary), "after the run that followed a killed one");
        }
    }

    static String statusAndErr(Cli cli) {
        return cli.status() + " " + cli.err();
    }

    @Test void runsIntoOneFolderAtOnceEndWell() throws IOException {
        Map<String, byte[]> figure = drawn("3");
        for (int round = 0; round < 4; round++) {
            List<Cli.Running> runs = Stream.of(1, 2, 3).map(i -> Cli.begin(tmp, Map.of(), subgroup("--plots=" + plots)))
                .toList();
            runs.stream().map(Cli.Running::await).toList().forEach(Cli::quiet);
            assertPlots(figure);
        }
    }

    @Nested class NoRoom {
        /** A file system of so many pages that the first, second or third file does not fit beside the old ones. */
        @ParameterizedTest @ValueSource(ints = {0, 1, 2})
        void onAFullDisk(int fitting) throws IOException {
            Map<String, byte[]> figure = drawn("3");
            int pages = 3;
            for (String end : ENDS.subList(0, fitting)) {
                pages += (figure.get("7B-subgroup" + end).length + 4095) / 4096;
            }
            mounted("mount -t tmpfs -o size=" + pages * 4 + "k none plots && cp -a old/. plots").failed(1, plots);
        }

        @Test void inAReadOnlyFolder() throws IOException {
            mounted("cp -a old/. plots && mount --bind plots plots && mount -o remount,bind,ro plots").failed(1, plots);
        }

        /** Draws in a mount namespace, whose mounts end with it; then says on stderr what is no longer as it was. */
        private Cli mounted(String mount) throws IOException {
            List<String> namespace = namespace();
            Path old = Files.createDirectory(tmp.resolve("old"));
            for (String end : ENDS) {
                Files.writeString(old.resolve("7B-subgroup" + end), "old");
            }
            String script = mount + " || exit 99; \"$@\"; status=$?; diff -r old plots >&2; exit $status";
            return Cli.start(tmp, namespace, "sh", "-c", script, "sh", subgroup("--plots=" + plots));
        }
    }

    /** What to put before a command for mounts of its own; skips the test where that is not permitted. */
    List<String> namespace() {
        for (String options : List.of("-m", "-rm")) {
            if (Cli.has("unshare") && Cli.start(tmp, "unshare", options, "mount", "-t", "tmpfs", "none", plots)
                .status() == 0) {
                return List.of("unshare", options);
            }
        }
        assumeTrue(false, "no right here to mount file systems, not even in a namespace");
        return null;
    }

    @Nested class Rights {
        @ParameterizedTest @ValueSource(strings = {"r-xr-xr-x", "-wx-wx-wx", "---------"})
        void folderForFigures(String rights) throws IOException {
            List<String> powerless = Cli.powerless();
            Files.writeString(plots.resolve("7B-subgroup.png"), "old");
            Files.setPosixFilePermissions(plots, PosixFilePermissions.fromString(rights));
            Cli cli = Cli.start(tmp, powerless, subgroup("--plots=" + plots));
            Files.setPosixFilePermissions(plots, PosixFilePermissions.fromString("rwxr-xr-x"));
            if (cli.status() == 0 && rights.contains("w")) {
                cli.quiet();
                return;
            }
            cli.failed(1, plots);
            assertEquals(Set.of("7B-subgroup.png"), names(plots));
            assertEquals("old", Files.readString(plots.resolve("7B-subgroup.png")));
        }

        @ParameterizedTest @ValueSource(strings = {"/dev/zero", "/dev/zero/x", "/proc", "@/file", "@/file/x"})
        void noFolderForFigures(String place) throws IOException {
            Files.writeString(tmp.resolve("file"), "mine");
            String folder = place.replace("@", tmp.toString());
            Cli.start(tmp, subgroup("--plots=" + folder)).failed(1, folder);
            assertEquals("mine", Files.readString(tmp.resolve("file")));
        }

        /** So not even for a moment is anything written beside an input. */
        @ParameterizedTest @CsvSource({"Subgroup, 7B", "Memory, 13B-monitor-mem-single-GPU",
            "Utilization, 20B-scale-twinflow"})
        void inputsWithoutTheRightToWrite(String script, String data) throws IOException {
            List<String> powerless = Cli.powerless();
            Path in = Files.createDirectory(tmp.resolve("in"));
            for (File file : Cli.ROOT.resolve("data/act-output-" + data).toFile().listFiles()) {
                Path copy = Files.copy(file.toPath(), in.resolve(file.getName()));
                Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("r--r--r--"));
            }
            Map<String, String> before = Cli.snapshot(in);
            Files.setPosixFilePermissions(in, PosixFilePermissions.fromString("r-xr-xr-x"));
            Cli.start(tmp, powerless, Cli.java(List.of(), script, in, "--where=ratio=1".repeat(script.equals("Memory")
                ? 0 : 1),
                "--plots=" + plots).stream().filter(word -> !word.isEmpty()).toList()).quiet();
            Files.setPosixFilePermissions(in, PosixFilePermissions.fromString("rwxr-xr-x"));
            assertEquals(before, Cli.snapshot(in));
        }
    }

    @Nested class Paths {
        @Test void linksAreReplacedAndNotWrittenThrough() throws IOException {
            Path victim = Files.writeString(tmp.resolve("victim"), "mine");
            for (String end : ENDS) {
                Files.createSymbolicLink(plots.resolve("7B-subgroup" + end), end.equals(".eps")
                    ? tmp.resolve("nothing") : victim);
            }
            // exec keeps the process, so these are the very files that the script will write first
            Cli.start(tmp, "sh", "-c",
                "for e in png eps csv; do ln -s ../victim plots/.7B-subgroup.$e.$$.part; done; exec \"$@\"",
                "sh", subgroup("--plots=" + plots)).quiet();
            assertEquals("mine", Files.readString(victim));
            assertFalse(Files.exists(tmp.resolve("nothing")));
            assertEquals(Set.of("7B-subgroup.png", "7B-subgroup.eps", "7B-subgroup.csv"), names(plots));
            for (String name : names(plots)) {
                assertTrue(Files.isRegularFile(plots.resolve(name), LinkOption.NOFOLLOW_LINKS), name);
            }
        }

        @ParameterizedTest @ValueSource(strings = {".png", ".eps", ".csv"})
        void folderInAFiguresPlaceLeavesTheOldOne(String end) throws IOException {
            Map<String, byte[]> old = drawn("2");
            old(old);
            Files.delete(plots.resolve("7B-subgroup" + end));
            Files.createDirectories(plots.resolve("7B-subgroup" + end + "/full"));
            Cli.start(tmp, subgroup("--plots=" + plots)).failed(1, plots);
            for (String name : old.keySet()) {
                if (!name.endsWith(end)) {
                    assertArrayEquals(old.get(name), Files.readAllBytes(plots.resolve(name)), name);
                }
            }
            assertEquals(old.keySet(), names(plots));
        }

        @ParameterizedTest @ValueSource(strings = {"..", ".", "", "...", "~", "$(touch evil)", ".\n.", "-rf",
            "..\\..\\x", "%2e%2e%2fx"})
        void hostileModelsStayInside(String model) throws IOException {
            String name = "log-" + model + "-tp1-dp1-subg100-prefetch0";
            Path in = Sample.write(tmp.resolve("in"), name + ".log", Sample.run(1, 2, 3)).getParent();
            for (String script : List.of("Subgroup", "Throughput --groups=tp --bars=dp",
                "Breakdown --groups=tp --bars=dp")) {
                List<String> words = new ArrayList<>(List.of(script.split(" ")));
                assertInside(words.remove(0), Stream.concat(Stream.of(in), words.stream()).toArray());
            }
            for (File file : CAPTURE.toFile().listFiles((dir, file) -> file.startsWith("log-"))) {
                Files.copy(file.toPath(), in.resolve(name + file.getName().replaceFirst(".*-opt_gaps0", "")),
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            }
            assertInside("Memory", in);
        }

        /** Runs where the default folder for figures is, and with HOME there too. */
        private void assertInside(String script, Object... args) throws IOException {
            Path in = tmp.resolve("in");
            Map<String, String> before = Cli.snapshot(in);
            Cli cli = Cli.start(tmp, Map.of("HOME", tmp.toString()), Cli.java(List.of(), script, args));
            assertEquals(before, Cli.snapshot(in));
            assertEquals(Set.of("in", "plots"), names(tmp), script);
            assertTrue(cli.status() != 0 || names(plots).size() >= 2, () -> "no figure of " + script);
            assertTrue(cli.out().lines().allMatch(line -> line.matches("plots/[^/]+")), cli::out);
            assertFalse(cli.err().contains("unexpectedly"), cli::err);
        }

        /** A shell's * may make a word of a file's name: what such a file says is no command line. */
        @Test void noFileIsReadForOptions() throws IOException {
            Sample.write(tmp.resolve("@options"), Sample.name(100), Sample.run(1, 2, 3));
            Files.writeString(tmp.resolve("options"), "--plots=evil\n./@options\n");
            Cli.start(tmp, Cli.java(List.of(), "Subgroup", "@options")).quiet();
            assertEquals(Set.of("@options", "options", "plots"), names(tmp));
        }
    }

    @Nested class Offline {
        /** What to put before a command to take the network from it, where that is permitted. */
        private List<String> noNetwork() {
            for (String options : List.of("-n", "-rn")) {
                if (Cli.has("unshare") && Cli.start(tmp, "unshare", options, "true").status() == 0) {
                    return List.of("unshare", options);
                }
            }
            return List.of();
        }

        private void assertDraws(Cli cli) throws IOException {
            assertEquals(0, cli.status(), () -> cli + "");
            assertEquals(plots + "/7B-subgroup.png\n" + plots + "/7B-subgroup.eps\n", cli.out());
            Picture.check(plots, "7B-subgroup");
            Cli.delete(plots);
        }

        @Test void jbangWithAFilledCache() throws IOException {
            Map<String, String> cache = Map.of("JBANG_DIR", tmp.resolve("cache").toString());
            assertDraws(Cli.start(Cli.ROOT, cache, Cli.JBANG, "subgroup", LOGS, "--plots=" + plots));
            assertDraws(Cli.start(Cli.ROOT, cache, noNetwork(), Cli.JBANG, "--offline", "subgroup", LOGS, "--plots="
                + plots));
        }

        @ParameterizedTest @ValueSource(strings = {"", ":99"})
        void jarWithJavaAlone(String display) throws IOException {
            Path jar = tmp.resolve("subgroup.jar");
            Cli.start(Cli.ROOT, Cli.JBANG, "export", "fatjar", "--output=" + jar, "scripts/subgroup.java");
            Map<String, String> bare = Map.of("DISPLAY", display, "JBANG_DIR", "", "HOME", tmp.toString());
            assertDraws(Cli.start(tmp, bare, noNetwork(), java(), "-jar", jar, LOGS, "--plots=" + plots).quiet());
        }

        @Test void jarThatReadsCaptures() throws IOException {
            Path jar = tmp.resolve("memory.jar");
            Cli.start(Cli.ROOT, Cli.JBANG, "export", "fatjar", "--output=" + jar, "scripts/memory.java");
            Cli.start(tmp, Map.of("DISPLAY", ":99"), noNetwork(), java(), "-jar", jar, CAPTURE, "--plots=" + plots).quiet();
            Picture.check(plots, "13B-memory");
        }

        /**
         * A cache in one folder, jars included, carried to another place, where there is none in the home folder. It is
         * filled from the jars that these tests run with, in the place of Maven Central.
         */
        @Test void cacheThatWasCopied() throws IOException {
            Path here = tmp.resolve("here"), there = tmp.resolve("there");
            assertDraws(Cli.start(Cli.ROOT, cache(here), noNetwork(), Cli.JBANG, "run", "--repos=central="
                + repository().toUri(),
                "subgroup", LOGS, "--plots=" + plots));
            Cli.start(tmp, "cp", "-a", here, there).quiet();
            Cli.delete(here);
            Cli.start(tmp, "cp", "-a", Cli.ROOT.resolve("jbang"), Cli.ROOT.resolve(".jbang"),
                Cli.ROOT.resolve("scripts"),
                Cli.ROOT.resolve("jbang-catalog.json"), Files.createDirectory(tmp.resolve("checkout")));
            assertDraws(Cli.start(tmp.resolve("checkout"), cache(there), noNetwork(), "./jbang", "--offline",
                "subgroup", LOGS,
                "--plots=" + plots));
        }

        private Map<String, String> cache(Path folder) {
            return Map.of("JBANG_DIR", folder.toString(), "JBANG_REPO", folder.resolve("m2").toString(),
                "JAVA_TOOL_OPTIONS", "-Duser.home=" + tmp.resolve("nowhere"));
        }

        private Path repository() {
            return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator)).filter(jar ->
                jar.contains("/info/picocli/"))
                .map(jar -> Path.of(jar.replaceFirst("/info/picocli/.*", ""))).findFirst().orElseThrow();
        }

        private Path java() {
            return Path.of(System.getProperty("java.home"), "bin/java");
        }
    }
}
