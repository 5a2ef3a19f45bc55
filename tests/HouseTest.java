import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** What holds for every script, for the catalog and for the launcher. */
class HouseTest {
    /** What each script is given where it must show that it works: something in data/, and options. */
    static final Map<String, List<String>> SAMPLES = Map.of(
        "subgroup", List.of("act-output-7B"),
        "memory", List.of("act-output-13B-monitor-mem-single-GPU"),
        "breakdown", List.of("act-output-7B-scale-DP"),
        "throughput", List.of("act-output-13B-scale-gaps", "--where=ga=1", "--where=approach!=backward-only"),
        "utilization", List.of("act-output-20B-scale-twinflow", "--where=ratio=1"));

    @TempDir Path tmp;

    static List<Path> scripts() throws IOException {
        try (Stream<Path> files = Files.list(Cli.ROOT.resolve("scripts"))) {
            return files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
        }
    }

    static List<String> names() throws IOException {
        return scripts().stream().map(HouseTest::name).toList();
    }

    static String name(Path script) {
        return script.getFileName().toString().replace(".java", "");
    }

    /** The class of a script, which is called like it: subgroup.java has Subgroup. */
    static String className(String script) {
        return script.substring(0, 1).toUpperCase(Locale.ROOT) + script.substring(1);
    }

    static List<String> sample(String script) {
        List<String> sample = SAMPLES.get(script);
        assertNotNull(sample, script + " is new: add to HouseTest.SAMPLES what it draws from data/");
        return Stream.concat(Stream.of(Cli.ROOT.resolve("data").resolve(sample.get(0)).toString()),
            sample.stream().skip(1)).toList();
    }

    static JsonObject aliases() throws IOException {
        return JsonParser.parseString(Files.readString(Cli.ROOT.resolve("jbang-catalog.json"))).getAsJsonObject()
            .getAsJsonObject("aliases");
    }

    /** Asserts that a run drew a figure in a folder where there was none: two files, whose paths are all it printed. */
    static void assertDrew(Path folder, Cli cli) throws IOException {
        assertEquals(0, cli.status(), cli.err());
        List<String> printed = cli.out().lines().sorted().toList();
        assertEquals(2, printed.size(), () -> "two paths on stdout: " + cli);
        assertTrue(printed.get(0).startsWith("plots/") && printed.get(0).endsWith(".eps"), cli.out());
        assertEquals(printed.get(0).replaceAll("eps$", "png"), printed.get(1));
        Picture.checkEps(folder.resolve(printed.get(0)));
        Picture.checkPng(folder.resolve(printed.get(1)));
        try (Stream<Path> files = Files.list(folder.resolve("plots"))) {
            assertEquals(2, files.count(), "files in plots/");
        }
    }

    @Nested class Headers {
        static final String FIRST = "///usr/bin/env jbang \"$0\" \"$@\" ; exit $?";
        static final Pattern HEADER = Pattern.compile("//DESCRIPTION \\S.*|//JAVA 17\\+|"
            + "//DEPS [\\w.-]+:[\\w.-]+:\\d[\\w.]*|//RUNTIME_OPTIONS \\S.*");

        static final String NATIVE = "//RUNTIME_OPTIONS --enable-native-access=ALL-UNNAMED";

        static List<Path> scripts() throws IOException {
            return HouseTest.scripts();
        }

        @ParameterizedTest @MethodSource("scripts")
        void linesAreAsAgreed(Path script) throws IOException {
            String text = Files.readString(script, StandardCharsets.UTF_8);
            assertFalse(text.contains("\r"), "a line ends in CR LF");
            assertFalse(text.contains("\t"), "a tab");
            assertTrue(text.endsWith("}\n"), "the last line ends otherwise than in }, LF");
            text.lines().forEach(line -> assertTrue(line.length() <= 120, () -> "over 120 characters: " + line));
            text.lines().forEach(line -> assertFalse(line.endsWith(" "), () -> "ends in a space: " + line));
        }

        /** Whatever stands in braces and is no type: a method or less, from its last line of parameters to its end. */
        @ParameterizedTest @MethodSource("scripts")
        void aMethodFitsOnAScreen(Path script) throws IOException {
            List<String> lines = Files.readAllLines(script);
            for (int from = 0; from < lines.size(); from++) {
                String line = lines.get(from), end = " {0," + line.replaceFirst("\\S.*", "").length() + "}\\}.*";
                int to = from;
                while (line.endsWith("{") && !line.matches("\\s*(\\w+ )*(class|record) .*")
                    && !lines.get(to).matches(end)) {
                    to++;
                }
                assertTrue(to - from < 25, script + " has over 25 lines: " + line.strip());
            }
        }

        @ParameterizedTest @MethodSource("scripts")
        void theFigureKitIsSmall(Path script) throws IOException {
            List<String> lines = Files.readAllLines(script);
            int from = lines.indexOf("    // ==== figure kit: the same text in every script ====");
            int to = lines.indexOf("    // ==== end of figure kit ====");
            assertTrue(from > 0 && to > from && to - from <= 90, () -> "its " + (to - from) + " lines, expected 90");
        }

        @ParameterizedTest @MethodSource("scripts")
        void itIsExecutable(Path script) throws IOException {
            String permissions = PosixFilePermissions.toString(Files.getPosixFilePermissions(script));
            assertTrue(permissions.matches("rwx(rwx|r-x|---)(r-x|---)"), permissions + ", expected mode 755");
        }

        @ParameterizedTest @MethodSource("scripts")
        void theHeaderComesFirstAndHasNothingElse(Path script) throws IOException {
            List<String> lines = Files.readAllLines(script);
            assertEquals(FIRST, lines.get(0));
            List<String> header = lines.stream().skip(1).takeWhile(line -> line.startsWith("//")).toList();
            header.forEach(line -> assertTrue(HEADER.matcher(line).matches(), () -> "no header: " + line));
            List<String> kinds = header.stream().map(line -> line.split(" ")[0]).distinct().toList();
            assertEquals(List.of("//DESCRIPTION", "//JAVA", "//DEPS", "//RUNTIME_OPTIONS"), kinds);
            assertEquals(List.of(1L, 1L, 1L), Stream.of("//DESCRIPTION", "//JAVA", "//RUNTIME_OPTIONS").map(kind ->
                header.stream().filter(line -> line.startsWith(kind) && !line.equals(NATIVE)).count()).toList());
            lines.stream().skip(1L + header.size()).forEach(line -> assertFalse(line.matches("//\\s?\\w.*"),
                () -> "JBang may take it for a directive: " + line));
        }

        @Test void versionsAndOptionsAreTheSameEverywhere() throws IOException {
            Map<String, String> seen = new TreeMap<>();
            for (Path script : scripts()) {
                for (String line : Files.readAllLines(script)) {
                    if (line.matches("//(DEPS|JAVA|RUNTIME_OPTIONS) .*") && !line.equals(NATIVE)) {
                        int end = Math.max(line.indexOf(' '), line.startsWith("//DEPS") ? line.lastIndexOf(':') : -1);
                        String old = seen.putIfAbsent(line.substring(0, end), line);
                        assertTrue(old == null || old.equals(line), () -> script + ": " + line + ", not " + old);
                    }
                }
            }
        }

        /** Java 24 and newer warns of native code that nobody allowed, and will refuse it one day. */
        @ParameterizedTest @MethodSource("scripts")
        void nativeCodeIsAllowedWhereThereIsSome(Path script) throws IOException {
            List<String> lines = Files.readAllLines(script);
            assertEquals(lines.stream().anyMatch(line -> line.startsWith("//DEPS org.xerial:sqlite-jdbc:")),
                lines.contains(NATIVE));
        }

        @ParameterizedTest @MethodSource("scripts")
        void thereIsOneClassAndNoImportOfAll(Path script) throws IOException {
            List<String> lines = Files.readAllLines(script);
            List<String> types = lines.stream()
                .filter(line -> line.matches("(\\w+ )*(class|record|interface|enum|@interface) \\w+.*")).toList();
            assertEquals(1, types.size(), () -> "top-level types: " + types);
            assertTrue(types.get(0).startsWith("class " + className(name(script)) + " "), types.get(0));
            assertTrue(lines.stream().noneMatch(line -> line.matches("import .*\\*;")), "import of a whole package");
            assertTrue(lines.stream().noneMatch(line -> line.startsWith("package ")), "package");
        }
    }

    @Nested class Sentences {
        static List<String> names() throws IOException {
            return HouseTest.names();
        }

        @ParameterizedTest @MethodSource("names")
        void oneSentenceStandsInThreePlaces(String name) throws Exception {
            String said = Files.readAllLines(Cli.ROOT.resolve("scripts").resolve(name + ".java")).stream()
                .filter(line -> line.startsWith("//DESCRIPTION ")).findFirst().orElseThrow().substring(14);
            Command command = Class.forName(className(name)).getAnnotation(Command.class);
            assertEquals(name, command.name());
            assertEquals(List.of(said), List.of(command.description()));
            assertTrue(aliases().has(name), "no alias " + name + " in the catalog");
            assertEquals(said, aliases().getAsJsonObject(name).get("description").getAsString());
        }

        @Test void everyAliasHasAShortSentenceAndAScript() throws IOException {
            for (String alias : aliases().keySet()) {
                String said = aliases().getAsJsonObject(alias).get("description").getAsString();
                assertTrue(said.length() <= 100 && said.matches("[A-Z][^.]*(\\.\\w[^.]*)*\\."), alias + ": " + said);
                String script = aliases().getAsJsonObject(alias).get("script-ref").getAsString();
                assertTrue(script.matches("scripts/[a-z]+\\.java"), alias + ": " + script);
                assertTrue(Files.exists(Cli.ROOT.resolve(script)), alias + ": there is no " + script);
            }
        }

        static Set<String> aliasNames() throws IOException {
            return aliases().keySet();
        }

        @ParameterizedTest @MethodSource("aliasNames")
        void everyAliasRunsThroughTheLauncher(String alias) {
            Cli cli = Cli.start(Cli.ROOT, "./jbang", alias, "--help");
            assertEquals(0, cli.status(), cli.err());
            assertTrue(cli.out().startsWith("Usage: "), cli.out());
        }
    }

    /** Scripts repeat what they share; these blocks must not drift apart. */
    @Nested class RepeatedBlocks {
        static final Pattern BEGIN = Pattern.compile("(?m)^ *// ==== (.+?): the same text in .*$");
        static final Pattern END = Pattern.compile("(?m)^ *// ==== end of ");

        @Test void areTheSameTextEverywhere() throws IOException {
            Map<String, Map<String, List<String>>> blocks = new TreeMap<>();
            for (Path script : scripts()) {
                blocks(Files.readString(script)).forEach((block, text) -> blocks
                    .computeIfAbsent(block, b -> new TreeMap<>())
                    .computeIfAbsent(text, t -> new ArrayList<>()).add(name(script)));
            }
            assertFalse(blocks.isEmpty(), "no script has a block");
            blocks.forEach((block, texts) -> assertEquals(1, texts.size(), () -> "'" + block + "' differs between "
                + texts.values() + "; first in: " + difference(List.copyOf(texts.keySet()))));
        }

        /** The blocks of a script from the line that begins each to the one that ends it. */
        Map<String, String> blocks(String text) {
            Map<String, String> found = new TreeMap<>();
            for (MatchResult begin : BEGIN.matcher(text).results().toList()) {
                String end = "// ==== end of " + begin.group(1) + " ====";
                int to = text.indexOf(end, begin.end());
                assertTrue(to > 0, () -> "no line '" + end + "'");
                String old = found.put(begin.group(1), text.substring(begin.start(), to));
                assertEquals(null, old, "twice: " + begin.group(1));
            }
            assertEquals(found.size(), END.matcher(text).results().count(), "ends of blocks");
            return found;
        }

        String difference(List<String> texts) {
            String[] a = texts.get(0).split("\n"), b = texts.get(1).split("\n");
            int at = Arrays.mismatch(a, b);
            return "line " + (at + 1) + " of the block: " + (at < a.length ? a[at].strip() : "(its end)") + " <> "
                + (at < b.length ? b[at].strip() : "(its end)");
        }
    }

    @Nested class StandingAlone {
        static List<String> names() throws IOException {
            return HouseTest.names();
        }

        @ParameterizedTest @MethodSource("names")
        void aCopyOfTheOneFileWorks(String name) throws IOException {
            Path alone = Files.createDirectories(tmp.resolve("some folder"));
            Files.copy(Cli.ROOT.resolve("scripts").resolve(name + ".java"), alone.resolve(name + ".java"));
            assertDrew(alone, Cli.start(alone, Cli.JBANG, name + ".java", sample(name)));
        }

        @ParameterizedTest @MethodSource("names")
        void aScreenThatIsNotThereDoesNotMatter(String name) throws IOException {
            List<String> java = Cli.java(List.of(), className(name), sample(name).toArray());
            assertDrew(tmp, Cli.start(tmp, Map.of("DISPLAY", ":99"), java));
        }

        @ParameterizedTest @MethodSource("names")
        void itRunsAsAProgram(String name) throws IOException {
            Path script = Cli.ROOT.resolve("scripts").resolve(name + ".java");
            Map<String, String> path = Map.of("PATH", Cli.ROOT + ":" + System.getenv("PATH"));
            assertDrew(tmp, Cli.start(tmp, path, "sh", "-c", "\"$0\" \"$@\"", script, sample(name)));
        }
    }

    /** The repository as others see it: at a URL, served on this machine's loopback. */
    @Nested class FromAfar {
        @Test void theAliasesRunFromAnyFolder() throws IOException {
            List<String> asked = new ArrayList<>();
            HttpServer server = serve(asked);
            try {
                Map<String, String> own = Map.of("JBANG_DIR", tmp.resolve("jbang home").toString());
                Path elsewhere = Files.createDirectories(tmp.resolve("else where"));
                String catalog = "http://127.0.0.1:" + server.getAddress().getPort() + "/jbang-catalog.json";
                Cli added = Cli.start(elsewhere, own, Cli.JBANG, "catalog", "add", "--name=house", catalog);
                assertEquals(0, added.status(), added.err());
                assertDrew(elsewhere, Cli.start(elsewhere, own, Cli.JBANG, "subgroup@house", sample("subgroup")));
                Cli list = Cli.start(elsewhere, own, Cli.JBANG, "alias", "list", "house");
                for (String alias : aliases().keySet()) {
                    assertTrue(list.out().contains(alias), () -> alias + " is not in: " + list);
                }
                assertEquals(List.of("/jbang-catalog.json", "/scripts/subgroup.java"),
                    asked.stream().distinct().toList(), "what was asked for");
            } finally {
                server.stop(0);
            }
        }

        private HttpServer serve(List<String> asked) throws IOException {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
            server.createContext("/", exchange -> {
                asked.add(exchange.getRequestURI().getPath());
                answer(exchange);
            });
            server.start();
            return server;
        }

        private void answer(HttpExchange exchange) throws IOException {
            Path file = Cli.ROOT.resolve(exchange.getRequestURI().getPath().substring(1)).normalize();
            boolean here = file.startsWith(Cli.ROOT) && Files.isRegularFile(file);
            byte[] bytes = here ? Files.readAllBytes(file) : new byte[0];
            exchange.sendResponseHeaders(here ? 200 : 404, here ? bytes.length : -1);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        }
    }

    /** The launcher on machines that are made up by what is on the PATH. */
    @Nested class Launcher {
        /** Without an empty one: JBang itself loses those. */
        static final List<String> HARD = List.of("a b", "it's", "\"quoted\"", "$HOME", "*", "back\\slash", "\u00fc",
            "!x", "#c", "~", "`id`", "$(id)", "a;b", "-x", "two\nlines", " ", "%s", "{a,b}", "a=b", "&", "|", "<>");

        @Test void argumentsSurvive() throws IOException {
            Sample.write(tmp, "args.java", """
                //JAVA 17+
                class Args {
                    public static void main(String... args) {
                        for (String arg : args) {
                            System.out.println("<" + arg + ">");
                        }
                        System.exit(42);
                    }
                }
                """);
            Cli cli = Cli.start(tmp, Map.of("LC_ALL", "C.UTF-8"), Cli.JBANG, "args.java", HARD);
            assertEquals(shown(HARD), cli.out());
            assertEquals(42, cli.status(), "the script's exit status");
        }

        String shown(List<String> args) {
            return String.join("", args.stream().map(arg -> "<" + arg + ">\n").toList());
        }

        @Test void faultsComeThrough() {
            Cli cli = Cli.start(tmp, Cli.JBANG, Cli.ROOT.resolve("scripts/subgroup.java"), "nowhere");
            assertEquals("1 ", cli.status() + " " + cli.out());
            assertTrue(cli.err().strip().lines().reduce((a, b) -> b).orElse("").startsWith("nowhere"), cli.err());
        }

        @Test void anInstalledJBangTakesOver() throws IOException {
            Path bin = Files.createDirectories(tmp.resolve("b in"));
            Cli.program(bin.resolve("jbang"), "printf '<%s>\\n' \"$@\"; exit 43\n");
            List<String> args = Stream.concat(HARD.stream(), Stream.of("", "last")).toList();
            Cli cli = Cli.start(tmp, Map.of("PATH", "/nowhere::" + bin + ":" + System.getenv("PATH")), Cli.JBANG, args);
            assertEquals(new Cli(43, shown(args), ""), cli);
        }

        @ParameterizedTest @ValueSource(strings = {"link", "folder", "not executable"})
        void whatIsNoOtherJBangDoesNot(String what) throws IOException {
            Path bin = Files.createDirectories(tmp.resolve("bin")), jbang = bin.resolve("jbang");
            switch (what) {
                case "link" -> Files.createSymbolicLink(jbang, launcher());
                case "folder" -> Files.createDirectories(jbang);
                default -> Files.writeString(jbang, "exit 43");
            }
            Cli cli = Cli.start(tmp, Map.of("PATH", bin + ":" + machine("mvn"), "JAVA_HOME", ""), launcher());
            cli.failed(1, "Maven");
        }

        /** A copy of the launcher in a folder of its own, where nothing is fetched yet. */
        Path launcher() throws IOException {
            Path copy = Files.createDirectories(tmp.resolve("clean clone")).resolve("jbang");
            if (!Files.exists(copy)) {
                Files.copy(Cli.ROOT.resolve("jbang"), copy, StandardCopyOption.COPY_ATTRIBUTES);
            }
            return copy;
        }

        /** A PATH with everything but these programs, and never with another JBang. */
        String machine(String... without) throws IOException {
            String[] all = Stream.concat(Stream.of("jbang"), Stream.of(without)).toArray(String[]::new);
            return Cli.programsBut(all).toString();
        }

        Cli launch(String path, Object... args) throws IOException {
            return Cli.start(tmp, environment(path), launcher(), List.of(args));
        }

        Map<String, String> environment(String path) {
            return Map.of("PATH", path, "JAVA_HOME", "", "CLONE", tmp.resolve("clean clone").toString());
        }

        @Test void withoutJavaItSaysWhatToInstall() throws IOException {
            launch(machine("java", "javac", "mvn"), "version").failed(1, "Java", "17");
            launch(machine("java"), "version").failed(1, "Java", "17");
            nothingFetched();
        }

        @Test void withoutMavenItSaysWhatToInstall() throws IOException {
            launch(machine("mvn"), "version").failed(1, "Maven", "apt install maven");
            nothingFetched();
        }

        void nothingFetched() throws IOException {
            Path folder = launcher().resolveSibling(".jbang");
            if (Files.exists(folder)) {
                try (Stream<Path> files = Files.list(folder)) {
                    assertEquals(List.of(), files.toList());
                }
            }
        }

        /** A machine whose Maven does what this script says; fetch is there to be called. */
        String withMaven(String script) throws IOException {
            Path lib = fetched().resolve("lib"), bin = Files.createDirectories(tmp.resolve("bin"));
            Cli.program(bin.resolve("mvn"), "for arg; do case $arg in -DoutputDirectory=*) to=${arg#*=};; esac; done\n"
                + "fetch() { mkdir -p \"$to\" && cp '" + lib + "'/*.jar \"$to\"; }\n" + script);
            return bin + ":" + machine("mvn");
        }

        /** The JBang that ./jbang fetched for this run of the tests. */
        Path fetched() throws IOException {
            Path folder = Cli.ROOT.resolve(".jbang");
            assumeTrue(Files.isDirectory(folder), "./jbang has fetched nothing here, since a JBang is installed");
            try (Stream<Path> found = Files.list(folder)) {
                return found.filter(version -> Files.exists(version.resolve("pom.xml"))).findFirst().orElseThrow();
            }
        }

        @Test void jsonIsReadByAGsonThatReadsIt() throws IOException {
            try (Stream<Path> jars = Files.list(fetched().resolve("lib"))) {
                assertEquals(List.of("gson-2.13.2.jar"),
                    jars.map(jar -> jar.getFileName().toString()).filter(jar -> jar.startsWith("gson-")).toList());
            }
        }

        @Test void theFirstRunFetchesAndTheSecondDoesNot() throws IOException {
            String once = withMaven("test ! -e fetched || exit 9; touch fetched; fetch\n");
            assertVersion(launch(once, "version"));
            assertVersion(launch(once, "version").quiet());
            Path link = Files.createSymbolicLink(tmp.resolve("link"), launcher());
            assertVersion(Cli.start(tmp, environment(once), link, "version").quiet());
        }

        void assertVersion(Cli cli) throws IOException {
            assertEquals(0, cli.status(), cli.err());
            assertEquals(fetched().getFileName() + "\n", cli.out());
        }

        @Test void aMavenThatFailsIsSaidAndTheNextRunFetchesAgain() throws IOException {
            String path = withMaven("test -e network || { echo no network >&2; exit 1; }; fetch\n");
            Cli cli = launch(path, "version");
            assertEquals("1 ", cli.status() + " " + cli.out());
            assertTrue(cli.err().contains("no network") && cli.err().contains("Maven could not fetch"), cli.err());
            nothingFetched();
            Files.createFile(tmp.resolve("network"));
            assertVersion(launch(path, "version"));
        }

        @ParameterizedTest @ValueSource(strings = {"KILL", "TERM", "INT", "HUP"})
        void aFetchThatIsCutOffIsRepeated(String signal) throws IOException {
            String path = withMaven("fetch; test -e again && exit; touch again; rm \"$to\"/[j-z]*.jar; kill -" + signal
                + " $PPID; exit 1\n");
            Cli cut = launch(path, "version");
            assertFalse(cut.status() == 0, () -> "status after " + signal + ": " + cut);
            assertVersion(launch(path, "version"));
            assertOneVersion();
        }

        /** Asserts that in .jbang there is what was fetched, whole, and nothing else. */
        void assertOneVersion() throws IOException {
            Path folder = launcher().resolveSibling(".jbang"), home = folder.resolve(fetched().getFileName());
            try (Stream<Path> files = Files.list(folder)) {
                assertEquals(List.of(fetched().getFileName()), files.map(Path::getFileName).toList());
            }
            assertEquals(List.of(fetched().resolve("lib").toFile().list()).size(),
                List.of(home.resolve("lib").toFile().list()).size(), "jars");
            assertEquals(0, home.toFile().list((in, name) -> name.startsWith("new")).length, "left by the other run");
        }

        @Test void twoFirstRunsAtOnce() throws IOException {
            String path = withMaven("fetch\n");
            Cli.Running one = Cli.begin(tmp, environment(path), launcher(), "version");
            Cli.Running two = Cli.begin(tmp, environment(path), launcher(), "version");
            assertVersion(one.await());
            assertVersion(two.await());
            assertOneVersion();
        }

        /** A second first run comes and goes while the first is fetching. */
        @Test void aFirstRunWithinAnother() throws IOException {
            String path = withMaven("test -e other || { touch other; \"$CLONE/jbang\" version >other; }; fetch\n");
            assertVersion(launch(path, "version"));
            assertEquals(fetched().getFileName() + "\n", Files.readString(tmp.resolve("other")));
            assertOneVersion();
        }

        /** What starts Java faster comes of the first figure, not of what loads less, and may be damaged. */
        @Test void theFirstFigureLeavesArchives() throws IOException {
            Map<String, String> machine = environment(withMaven("fetch\n"));
            Path clone = launcher().getParent(), home = clone.resolve(".jbang").resolve(fetched().getFileName());
            Files.copy(Cli.ROOT.resolve("jbang-catalog.json"), clone.resolve("jbang-catalog.json"));
            Files.copy(Cli.ROOT.resolve("scripts/subgroup.java"),
                Files.createDirectories(clone.resolve("scripts")).resolve("subgroup.java"));
            for (String less : List.of("--help", "nowhere")) {
                Cli.start(clone, machine, launcher(), "subgroup", less);
                assertEquals(Set.of(), archives(home), less);
            }
            assertDrew(clone, Cli.start(clone, machine, launcher(), "subgroup", sample("subgroup")));
            assertEquals("jbang.jsa subgroup.jar-N.jsa", String.join(" ", archives(home)).replaceAll("\\d+", "N"));
            assertOneVersion();
            Cli again = Cli.start(clone, machine, launcher(), "subgroup", sample("subgroup")).quiet();
            assertDrew(clone, again);
            for (String archive : archives(home)) {
                assertTrue(Files.size(home.resolve(archive)) > 5e6, archive);
                Files.delete(home.resolve(archive));
                Files.writeString(home.resolve(archive), "damaged");
            }
            assertEquals(again, Cli.start(clone, machine, launcher(), "subgroup", sample("subgroup")));
        }

        Set<String> archives(Path home) throws IOException {
            try (Stream<Path> files = Files.list(home)) {
                return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".jsa"))
                    .collect(Collectors.toCollection(TreeSet::new));
            }
        }

        @Test void itsOwnFolderNotWritableIsSaid() throws IOException {
            String path = withMaven("fetch\n");
            Path clone = launcher().getParent();
            Files.setPosixFilePermissions(clone, PosixFilePermissions.fromString("r-xr-xr-x"));
            Cli cli = Cli.start(tmp, environment(path), Cli.powerless(), launcher(), "version");
            Files.setPosixFilePermissions(clone, PosixFilePermissions.fromString("rwxr-xr-x"));
            assertEquals("1 ", cli.status() + " " + cli.out());
            assertTrue(cli.err().contains("cannot write to " + clone), cli.err());
        }
    }
}
