import java.io.*;
import java.nio.file.*;
import java.nio.file.attribute.*;
import java.util.*;
import java.util.stream.*;
import org.junit.jupiter.api.*;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;

import static org.junit.jupiter.api.Assertions.*;

/** The launcher ./jbang in a clone of its own, on machines that are made up by what is on the PATH. */
class LauncherTest {
    static final Path CLONE = Cli.TMP.resolve("my clone"), LAUNCHER = CLONE.resolve("jbang");
    static final Path LOGS = Cli.ROOT.resolve("data/act-output-7B");
    static final String JAR = "jbang-cli-0.132.1-all.jar", CATALOG = CLONE + "/jbang-catalog.json";
    static final List<String> HARD = List.of("", "a b", "it's", "\"quoted\"", "$HOME", "*", "back\\slash",
        "`id`", "two\nlines", " ", "a;b", "-x", "--", "%s", "~", "");

    /** A folder for each test, in it the launcher in a clone where nothing is fetched yet. */
    final Path tmp = Cli.TMP.resolve("launcher" + System.nanoTime()), launcher = tmp.resolve("new/jbang");

    LauncherTest() throws IOException {
        Files.createDirectories(launcher.getParent());
        Files.copy(LAUNCHER, launcher, StandardCopyOption.COPY_ATTRIBUTES);
    }

    /** Fetches JBang through Maven, builds a script and draws with it: what is slow is done once. */
    @BeforeAll static void aFirstFigure() throws IOException {
        Files.createDirectories(CLONE);
        Cli.start(Cli.ROOT, "cp", "-R", "jbang", "jbang-catalog.json", "scripts", CLONE).quiet();
        Cli cli = Cli.start(CLONE, machine(Cli.programsBut("jbang")), "./jbang", "subgroup", LOGS);
        assertEquals(fetching(CLONE), cli.err().lines().findFirst().orElse("") + "\n");
        assertDrew(CLONE, cli);
        assertEquals(Set.of("cache", JAR, "subgroup.answer"), names(CLONE.resolve(".jbang")));
    }

    static void assertDrew(Path folder, Cli cli) {
        assertEquals("plots/7B-subgroup.png\nplots/7B-subgroup.eps\n", cli.out(), cli::err);
        assertEquals(0, cli.status());
        assertEquals(Set.of("7B-subgroup.png", "7B-subgroup.eps"), names(folder.resolve("plots")));
    }

    static Set<String> names(Path folder) { return Set.of(folder.toFile().list()); }

    static Map<String, String> machine(Object path) {
        return new HashMap<>(Map.of("PATH", path.toString(), "JAVA_HOME", "", "JBANG_DIR", "",
            "LC_ALL", "C"));
    }

    /** A machine whose java notes what JBang is asked and answers, and else says what its arguments are. */
    Map<String, String> fake() throws IOException {
        Path bin = Files.createDirectories(tmp.resolve("b in"));
        Files.writeString(bin.resolve("own.jar"), "");
        Files.writeString(bin.resolve("library.jar"), "");
        Cli.program(bin.resolve("java"), """
            case " $* " in
            *' dev.jbang.Main fail '*) echo failed; exit 3 ;;
            *' dev.jbang.Main '*) ;;
            *) shift 3; printf '<%s>\\n' "$LC_ALL" "$@"; exit 42 ;;
            esac
            echo "${*##*dev.jbang.Main }" >>'BIN/asked'
            echo "'BIN/java' -classpath 'BIN/own.jar:BIN/library.jar' Main 'pre set'"
            exit 255
            """.replace("BIN", bin.toString()));
        return machine(bin + ":" + Cli.programsBut("jbang"));
    }

    List<String> asked() throws IOException { return Files.readAllLines(tmp.resolve("b in/asked")); }

    /** What that java says. */
    static Cli answer(List<String> args) {
        return new Cli(42, Stream.concat(Stream.of("C.UTF-8", "pre set"), args.stream())
            .map(arg -> "<" + arg + ">\n").collect(Collectors.joining()), "");
    }

    @Test void anAliasIsOursInAnyFolderAndThroughALink() throws IOException {
        Files.writeString(tmp.resolve("jbang-catalog.json"), "{'aliases': {'subgroup': {'script-ref': 'no'}}}"
            .replace("'", "\""));
        Files.createDirectories(tmp.resolve("subgroup"));
        Files.createSymbolicLink(tmp.resolve("logs"), LOGS);
        Path link = Files.createSymbolicLink(tmp.resolve("link"), LAUNCHER);
        Map<String, String> machine = machine(Cli.programsBut("jbang"));
        assertDrew(tmp, Cli.start(tmp, machine, link, "subgroup", "logs"));
        Cli.start(tmp, machine, link, "--offline", "subgroup", "nowhere").failed(1, "nowhere");
    }

    @ParameterizedTest @ValueSource(strings = {"sh", "dash", "busybox sh", "bash"})
    void jbangIsAskedOnceAndArgumentsAreAsTheyAre(String shell) throws IOException {
        Assumptions.assumeTrue(Cli.has(shell.split(" ")[0]), "no " + shell + " here");
        Map<String, String> fake = fake();
        for (List<String> args : List.of(List.of("1"), HARD, List.<String>of())) {
            Cli cli = Cli.start(tmp, fake, List.of(shell.split(" ")), LAUNCHER, "memory", args);
            assertEquals(answer(args), cli);
        }
        assertEquals(List.of("--offline memory@" + CATALOG), asked());
    }

    @ParameterizedTest @ValueSource(strings = {"jbang", "jbang-catalog.json", "scripts/memory.java",
        "library.jar", "JAVA_HOME", "JBANG_DIR"})
    void jbangIsAskedAgainAfterAChangeOf(String what) throws IOException {
        Map<String, String> fake = fake();
        assertEquals(answer(HARD), Cli.start(tmp, fake, LAUNCHER, "memory", HARD));
        switch (what) {
            case "library.jar" -> Files.delete(tmp.resolve("b in/library.jar"));
            case "JBANG_DIR" -> fake.put(what, tmp.toString());
            case "JAVA_HOME" -> {
                Cli.start(tmp, "sh", "-c", "mkdir home && cp -R 'b in' home/bin").quiet();
                fake.put(what, tmp.resolve("home").toString());
            }
            default -> Files.writeString(CLONE.resolve(what), "\n", StandardOpenOption.APPEND);
        }
        assertEquals(answer(HARD), Cli.start(tmp, fake, LAUNCHER, "memory", HARD));
        assertEquals(2, asked().size());
    }

    @Test void allElseGoesToJBangAsItIs() throws IOException {
        Map<String, String> fake = fake();
        assertEquals(answer(List.of()), Cli.start(tmp, fake, LAUNCHER, "run", "memory", "x"));
        assertEquals(answer(List.of()), Cli.start(tmp, fake, LAUNCHER, "--offline", "memory", "x"));
        assertEquals(List.of("run memory x", "--offline memory@" + CATALOG + " x"), asked());
        assertEquals(new Cli(3, "failed\n", ""), Cli.start(tmp, fake, LAUNCHER, "fail", "x"));
    }

    @ParameterizedTest @CsvSource({"INT, 130", "TERM, 143"})
    void signalsReachJava(String signal, int status) throws Exception {
        Map<String, String> fake = fake();
        Cli.program(tmp.resolve("b in/java"), Files.readString(tmp.resolve("b in/java"))
            .replace("shift 3;", "echo $$ >pid.new; mv pid.new pid; exec sleep 100;"));
        Cli.Running run = Cli.begin(tmp, fake, "env", "--default-signal=INT", LAUNCHER, "memory");
        long end = System.nanoTime() + 20_000_000_000L;
        while (!Files.exists(tmp.resolve("pid")) && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertEquals(run.process().pid() + "\n", Files.readString(tmp.resolve("pid")), "java took its place");
        Cli.start(tmp, "kill", "-" + signal, run.process().pid()).quiet();
        assertEquals(new Cli(status, "", ""), run.await());
    }

    @Test void anInstalledJBangTakesOver() throws IOException {
        Cli.program(tmp.resolve("jbang"), "printf '<%s>\\n' \"$LC_ALL\" \"$@\"; exit 42\n");
        Map<String, String> machine = machine("/nowhere:" + tmp + ":" + Cli.programsBut("jbang"));
        assertEquals(answer(HARD), Cli.start(CLONE, machine, LAUNCHER, "pre set", HARD));
        assertEquals("<C.UTF-8>\n<--offline>\n<memory@" + CATALOG + ">\n<memory>\n",
            Cli.start(tmp, machine, LAUNCHER, "--offline", "memory", "memory").out());
    }

    @ParameterizedTest @ValueSource(strings = {"copy", "link", "folder", "no program"})
    void whatIsNoInstalledJBangDoesNot(String what) throws IOException {
        Path jbang = Files.createDirectories(tmp.resolve("other")).resolve("jbang");
        switch (what) {
            case "copy" -> Files.copy(LAUNCHER, jbang, StandardCopyOption.COPY_ATTRIBUTES);
            case "link" -> Files.createSymbolicLink(jbang, LAUNCHER);
            case "folder" -> Files.createDirectories(jbang);
            default -> Files.writeString(jbang, "exit 43");
        }
        Map<String, String> machine = fake();
        machine.put("PATH", jbang.getParent() + ":" + machine.get("PATH"));
        assertEquals(answer(HARD), Cli.start(tmp, machine, "timeout", "20", LAUNCHER, "memory", HARD));
    }

    /** Starts it where nothing is fetched; Maven counts its runs, copies what it would fetch, does this. */
    private Cli fetch(String maven, Object... before) throws IOException {
        Map<String, String> machine = fake();
        Cli.program(tmp.resolve("b in/mvn"), "echo >>'" + tmp + "/fetched'\n"
            + "for arg; do case $arg in -DoutputDirectory=*) to=${arg#*=} ;; esac; done\n"
            + "cp '" + CLONE + "/.jbang/" + JAR + "' \"$to\"\n" + maven);
        return Cli.start(tmp, machine, List.of(before), launcher, "x");
    }

    private void fetched(int times, String... left) throws IOException {
        assertEquals(times, Files.readAllLines(tmp.resolve("fetched")).size(), "runs of Maven");
        assertEquals(Set.of(left), names(tmp.resolve("new/.jbang")));
    }

    private static String fetching(Path clone) {
        return "jbang: fetching JBang 0.132.1 through Maven, once, into " + clone + "/.jbang\n";
    }

    @Test void aJarThatIsNotWholeIsFetchedAgain() throws IOException {
        Cli first = new Cli(42, answer(List.of()).out(), fetching(launcher.getParent()));
        Path jar = tmp.resolve("new/.jbang/" + JAR);
        assertEquals(first, fetch(""));
        assertEquals(answer(List.of()), fetch(""));
        fetched(1, JAR);
        Files.delete(jar);
        assertEquals(first, fetch(""));
        Files.writeString(jar, "PK");
        assertEquals(first, fetch(""));
        fetched(3, JAR);
    }

    /** As by Ctrl-C, which reaches Maven and the launcher. */
    @ParameterizedTest @ValueSource(strings = {"INT", "TERM", "HUP"})
    void aFetchThatIsCutOffLeavesNothing(String signal) throws IOException {
        Cli cut = fetch("kill -" + signal + " $LAUNCHER; exit 1", "env", "--default-signal=INT,HUP", "sh",
            "-c", "LAUNCHER=$$ exec \"$@\"", "sh");
        assertEquals(new Cli(130, "", fetching(launcher.getParent())), cut);
        fetched(1);
    }

    @Test void aMavenThatFailsIsOneLine() throws IOException {
        Cli cli = fetch("echo 'WARNING: old'; echo; echo '[ERROR] no network'; echo '[ERROR] x'; exit 1");
        String said = "jbang: Maven could not fetch JBang, check the network: no network\n";
        assertEquals(new Cli(1, "", fetching(launcher.getParent()) + said), cli);
        fetched(1);
    }

    @Test void whatIsMissingIsSaid() throws IOException {
        Cli.start(CLONE, machine(Cli.programsBut("jbang", "java")), LAUNCHER, "subgroup", LOGS)
            .failed(1, "jbang: no Java found: install a JDK, 17 or newer (Debian: apt install openjdk-17");
        Cli.start(tmp, machine(Cli.programsBut("jbang", "mvn")), launcher, "version")
            .failed(1, "jbang: no Maven found: install it (Debian: apt install maven)");
        Path clone = launcher.getParent();
        assertEquals(Set.of("jbang"), names(clone));
        Files.setPosixFilePermissions(clone, PosixFilePermissions.fromString("r-xr-xr-x"));
        Cli.start(tmp, machine(Cli.programsBut("jbang")), Cli.powerless(), launcher, "version")
            .failed(1, "jbang: cannot write to " + clone + "/.jbang: give yourself the right");
        Files.setPosixFilePermissions(clone, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
