import com.sun.net.httpserver.*;
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;

import static org.junit.jupiter.api.Assertions.*;

/** Scripts as programs of their own: standing alone, from afar, as a jar, killed, two at once, hindered. */
class ProcessTest {
    static final Path LOGS = Cli.ROOT.resolve("data/act-output-7B");

    @TempDir Path tmp;

    /** The files of a folder but for what a JVM that was killed, or this one, has yet to delete. */
    static Map<String, String> whole(Path folder) throws IOException {
        Map<String, String> files = Cli.snapshot(folder);
        files.keySet().removeIf(name -> name.startsWith(".part"));
        return files;
    }

    static String text(String script) throws IOException {
        return Files.readString(Cli.ROOT.resolve("scripts").resolve(script + ".java"));
    }

    /** The command that runs the one file, without a class of another, in a country of its own. */
    static List<String> alone(Path folder, String name, String text, List<String> args) throws IOException {
        Path script = Files.writeString(folder.resolve(name + ".java"), text);
        URL tests = FigureTest.class.getProtectionDomain().getCodeSource().getLocation();
        String path = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(jar -> !Path.of(jar).toUri().equals(URI.create("" + tests)))
            .collect(Collectors.joining(File.pathSeparator));
        String[] javac = {"-proc:none", "-encoding", "US-ASCII", "-cp", path, "-d", folder + "", script + ""};
        assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, javac), name);
        List<String> java = Cli.java(List.of("-Duser.language=ar", "-Duser.country=EG",
            "-Dfile.encoding=US-ASCII", "-Duser.timezone=Asia/Kathmandu"), HouseTest.className(script),
            args.toArray());
        java.set(java.indexOf("-cp") + 1, folder + File.pathSeparator + path);
        return java;
    }

    @Test void aCopyOfTheOneFileDrawsTheSameBytesAnywhere() throws IOException {
        Map<String, Cli.Running> running = new TreeMap<>();
        for (String alias : List.of("subgroup", "memory", "throughput", "utilization", "data-parallel")) {
            String name = alias.equals("data-parallel") ? "breakdown" : alias;
            Path folder = Files.createDirectories(tmp.resolve("a lone " + alias));
            running.put(alias, Cli.begin(folder, Map.of("LC_ALL", "C", "DISPLAY", ":99"), alone(folder, name,
                text(name), args(alias))));
        }
        for (String alias : running.keySet()) {
            Path here = tmp.resolve(alias);
            List<String> args = args(alias);
            args.add("--plots=" + here);
            Cli cli = FigureTest.alias(alias, args.toArray()), there = running.get(alias).await();
            assertEquals(new Cli(0, cli.out().replace(here + "/", "plots/"), cli.err()), there);
            Map<String, String> theirs = whole(tmp.resolve("a lone " + alias + "/plots"));
            assertTrue(whole(here).equals(theirs), "other bytes: " + alias);
            assertEquals(3, whole(here).size());
        }
    }

    /** What the README gives to an alias, and --csv; where a script has no preset, neither here. */
    static List<String> args(String alias) throws IOException {
        List<String> args = new ArrayList<>(FigureTest.commands().stream()
            .filter(command -> command.get(0).equals(alias)).findFirst().orElseThrow());
        args.replaceAll(arg -> arg.replaceFirst("^data/", FigureTest.DATA));
        args.set(0, alias.startsWith("d") ? "--groups=dp" : "--iteration=3");
        args.add("--csv");
        return args;
    }

    /** The repository on this machine's loopback. */
    static HttpServer serve(Set<String> asked) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestURI().getPath());
            byte[] bytes = Files.readAllBytes(Cli.ROOT.resolve(exchange.getRequestURI().getPath()
                .substring(1)));
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
        return server;
    }

    /** The repository as others see it, at a URL; and what Java alone can run. */
    @Test void aFatJarOfARemoteCatalogsAlias() throws IOException {
        Set<String> asked = new ConcurrentSkipListSet<>();
        HttpServer server = serve(asked);
        Path jar = tmp.resolve("memory.jar"), java = Path.of(System.getProperty("java.home"), "bin/java");
        try {
            String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/jbang-catalog.json";
            Cli.start(tmp, Cli.JBANG, "catalog", "add", "--name=house", url).well();
            Cli.start(tmp, Cli.JBANG, "export", "fatjar", "--output=" + jar, "memory@house").well();
            assertEquals(Set.of("/jbang-catalog.json", "/scripts/memory.java"), asked);
        } finally {
            server.stop(0);
        }
        Map<String, String> bare = Map.of("DISPLAY", ":99", "JBANG_DIR", "", "HOME", tmp.toString());
        Cli cli = Cli.start(tmp, bare, java, "-jar", jar, MemoryTest.DATA);
        assertEquals("0 plots/13B-memory.png\nplots/13B-memory.eps\n", cli.status() + " " + cli.out(),
            cli.err());
        Picture.check(tmp.resolve("plots"), "13B-memory")
            .alike(Picture.of(Cli.ROOT.resolve("plots/13B-memory.png")));
    }

    static List<String> subgroup(Object... args) {
        return Cli.java(List.of(), "Subgroup", Stream.concat(Stream.of(LOGS), Stream.of(args)).toArray());
    }

    /** It draws what is there already, so that it does not matter whether it was killed in time. */
    @Test void aKillWhileWritingLeavesTheFigureWhole() throws Exception {
        FigureTest.alias("subgroup", LOGS, "--csv", "--plots=" + tmp);
        Map<String, String> old = whole(tmp);
        assertEquals(3, old.size());
        try (WatchService watch = tmp.getFileSystem().newWatchService()) {
            tmp.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            Cli.Running running = Cli.begin(tmp, Map.of(), subgroup("--csv", "--plots=" + tmp));
            assertNotNull(watch.poll(100, TimeUnit.SECONDS), "nothing was written");
            running.process().destroyForcibly().waitFor();
        }
        assertTrue(old.equals(whole(tmp)), "not whole: " + whole(tmp).keySet());
    }

    @Test void twoAtOnceDoNotMix() throws IOException {
        List<Cli.Running> both = Stream.of("3", "4").map(n -> Cli.begin(tmp, Map.of(),
            subgroup("--iteration=" + n, "--name=it", "--csv"))).toList();
        both.forEach(running -> assertEquals(0, running.await().status()));
        Set<Map<String, String>> alone = new HashSet<>();
        for (String n : List.of("3", "4")) {
            FigureTest.alias("subgroup", LOGS, "--iteration=" + n, "--name=it", "--csv", "--plots="
                + tmp.resolve(n));
            alone.add(whole(tmp.resolve(n)));
        }
        Map<String, String> now = whole(tmp.resolve("plots"));
        assertEquals(Set.of("it.png", "it.eps", "it.csv"), now.keySet());
        now.forEach((name, bytes) -> assertTrue(alone.stream().anyMatch(files -> files.get(name)
            .equals(bytes)), name));
    }

    @Test void whatMayNotBeReadOrWrittenIsNamed() throws IOException {
        Path locked = Files.createDirectories(tmp.resolve("locked")), log = tmp.resolve(Sample.name(100));
        assertTrue(locked.toFile().setWritable(false));
        for (String script : List.of("Memory", "Subgroup")) {
            Path input = script.equals("Memory") ? MemoryTest.DATA : LOGS;
            Cli.start(tmp, Cli.powerless(), Cli.java(List.of(), script, input, "--plots=" + locked))
                .failed(1, locked + ": cannot write", "--plots");
        }
        assertEquals(Map.of(), Cli.snapshot(locked));
        // "$DIR" without a DIR is not the folder in which one happens to be.
        Cli cli = Cli.start(LOGS, Cli.java(List.of(), "Subgroup", "", "--plots=" + tmp));
        assertTrue(cli.status() > 0 && cli.err().lines().count() == 1, cli + "");
        Cli.start(tmp, Cli.java(List.of("-Xmx8m", "-Xmn4m"), "Subgroup", LOGS)).failed(1, "-Xmx");
        assertTrue(Sample.write(tmp, Sample.name(100), Sample.run(1, 2, 3)).toFile().setReadable(false));
        Cli.start(tmp, Cli.powerless(), Cli.java(List.of(), "Subgroup", log)).failed(1, log);
    }

    static Stream<String> aliases() throws IOException { return HouseTest.aliases().keySet().stream(); }

    @ParameterizedTest @MethodSource("aliases")
    void helpSaysAllOptions(String alias) throws IOException {
        Cli help = FigureTest.alias(alias, "--help").quiet();
        String own = alias.equals("memory") ? "--phases=FILE --device=N --process=PID --zone= UTC "
            + "--range=PHASE=NAME" : "--iteration=N|N-M|mean --where=KEY=V,W DIR...";
        for (String word : (own + " --iteration=N --plots=DIR --name= --csv -h -V 3 plots").split(" ")) {
            Cli.assertSays(help.out(), word.matches("\\w+") ? "Default: " + word : word);
        }
        assertEquals(help.out(), FigureTest.alias(alias, "-h").out());
        assertEquals(1, FigureTest.alias(alias, "-V").quiet().out().lines().count());
    }
}
