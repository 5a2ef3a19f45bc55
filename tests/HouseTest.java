import com.google.gson.*;
import java.io.IOException;
import java.nio.file.*;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.*;
import java.util.regex.*;
import java.util.stream.*;
import org.junit.jupiter.api.*;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;
import picocli.CommandLine.Command;

import static org.junit.jupiter.api.Assertions.*;

/** What holds for every script, for the catalog and for the repository, seen from its files alone. */
class HouseTest {
    /** The most lines of each script, each block, and all else: those that there are, so that none grows. */
    static final Map<String, Integer> LINES = Map.ofEntries(
        Map.entry("subgroup", 482), Map.entry("breakdown", 599), Map.entry("throughput", 542),
        Map.entry("memory", 531), Map.entry("utilization", 597), Map.entry("scripts", 2751),
        Map.entry("block logs", 234), Map.entry("block grid", 95), Map.entry("block monitor", 55),
        Map.entry("block figure", 145), Map.entry("a method", 25), Map.entry("jbang", 80),
        Map.entry("README.md", 120), Map.entry("bench", 700), Map.entry("tests", 2800));
    static final int WIDTH = 110, SENTENCE = 100;
    static final Pattern HEADER = Pattern.compile("//DESCRIPTION \\S.*|//JAVA 17\\+|"
        + "//DEPS [\\w.-]+:[\\w.-]+:\\d[\\w.]*|//RUNTIME_OPTIONS \\S.*");
    static final String NATIVE = "//RUNTIME_OPTIONS --enable-native-access=ALL-UNNAMED";

    static List<Path> files(String folder, String end) throws IOException {
        try (Stream<Path> files = Files.walk(Cli.ROOT.resolve(folder))) {
            return files.filter(Files::isRegularFile).filter(file -> file.toString().endsWith(end)).sorted()
                .toList();
        }
    }

    static List<Path> scripts() throws IOException { return files("scripts", ".java"); }

    static String name(Path script) { return script.getFileName().toString().replace(".java", ""); }

    /** The class of a script, which is called like it: subgroup.java has Subgroup. */
    static String className(Path script) {
        return name(script).substring(0, 1).toUpperCase(Locale.ROOT) + name(script).substring(1);
    }

    static List<String> header(Path script) throws IOException {
        return Files.readAllLines(script).stream().skip(1).takeWhile(line -> line.startsWith("//")).toList();
    }

    static Map<String, JsonElement> aliases() throws IOException {
        String catalog = Files.readString(Cli.ROOT.resolve("jbang-catalog.json"));
        return JsonParser.parseString(catalog).getAsJsonObject().getAsJsonObject("aliases").asMap();
    }

    static String said(JsonElement alias, String key) {
        return alias.getAsJsonObject().get(key).getAsString();
    }

    static void assertLines(String what, long lines) {
        assertTrue(LINES.containsKey(what), what + " is new: give it a length in HouseTest.LINES");
        assertTrue(lines <= LINES.get(what), what + ": " + lines + " lines of " + LINES.get(what));
    }

    static long lines(List<Path> files) throws IOException {
        long lines = 0;
        for (Path file : files) {
            lines += Files.readAllLines(file, java.nio.charset.StandardCharsets.ISO_8859_1).size();
        }
        return lines;
    }

    @ParameterizedTest @MethodSource("scripts")
    void theHeaderComesFirstAndHasNothingElse(Path script) throws IOException {
        List<String> lines = Files.readAllLines(script), header = header(script);
        assertEquals("///usr/bin/env jbang \"$0\" \"$@\" ; exit $?", lines.get(0));
        header.forEach(line -> assertTrue(HEADER.matcher(line).matches(), () -> "no header: " + line));
        assertEquals("DESCRIPTION JAVA DEPS RUNTIME_OPTIONS", String.join(" ", header.stream()
            .map(line -> line.substring(2).split(" ")[0]).toList()).replaceAll("( \\w+)\\1+", "$1"));
        lines.stream().skip(1L + header.size()).forEach(line -> assertFalse(line.matches("//\\s?\\w.*"),
            () -> "JBang may take it for a directive: " + line));
        // Java 24 and newer warns of native code that nobody allowed, and will refuse it one day.
        assertEquals(header.stream().anyMatch(line -> line.contains(":sqlite-jdbc:")),
            header.contains(NATIVE));
    }

    @ParameterizedTest @MethodSource("scripts")
    void itIsOneClassInPlainText(Path script) throws IOException {
        String text = Files.readString(script),
            mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(script));
        assertTrue(mode.matches("rwx(rwx|r-x|---)(r-x|---)"), mode + ", expected mode 755");
        assertFalse(text.matches("(?s).*[\\r\\t].*|.* \\n.*"), "a CR, a tab, or a line that ends in a space");
        assertTrue(text.endsWith("}\n"), "the last line ends otherwise than in }, LF");
        assertEquals(List.of("class " + className(script)), text.lines().filter(line ->
            line.matches("(package .*|(\\w+ )*(class|record|interface|enum|@interface) \\w+.*)"))
            .map(line -> line.replaceFirst("( implements| extends| \\{).*", "")).toList(), "types");
    }

    @ParameterizedTest @MethodSource("scripts")
    void itsLengthsHold(Path script) throws IOException {
        List<String> lines = Files.readAllLines(script);
        lines.forEach(line -> assertTrue(line.length() <= WIDTH, () -> "too long: " + line));
        methods(lines).forEach((method, length) ->
            assertTrue(length <= LINES.get("a method"), method + ": " + length));
        assertLines(name(script), lines.size());
    }

    /** Whatever stands in braces and is no type: its lines from the one with the brace, by this line. */
    static Map<String, Integer> methods(List<String> lines) {
        Map<String, Integer> lengths = new TreeMap<>();
        for (int from = 0; from < lines.size(); from++) {
            String line = lines.get(from), end = " {0," + line.replaceFirst("\\S.*", "").length() + "}\\}.*";
            if (line.endsWith("{") && !line.matches("\\s*(\\w+ )*(class|record) .*")) {
                int to = from;
                while (!lines.get(to).matches(end)) {
                    to++;
                }
                lengths.put(line.strip(), to - from + 1);
            }
        }
        return lengths;
    }

    @Test void lengthsOfTheRestHold() throws IOException {
        for (String what : List.of("scripts", "jbang", "README.md", "bench", "tests")) {
            assertLines(what, lines(files(what, "")));
        }
    }

    /** Options, too, but for how soon which compiler works: bench/README.md says why subgroup differs. */
    @Test void versionsAndOptionsAreTheSameEverywhere() throws IOException {
        Map<String, String> seen = new TreeMap<>();
        for (Path script : scripts()) {
            for (String own : header(script)) {
                String line = own.replace("Tier4BackEdgeThreshold=400000", "TieredStopAtLevel=1");
                if (!line.matches(NATIVE + "|//DESCRIPTION.*|//RUNTIME_OPTIONS( -XX:Tier4\\S+)+")) {
                    String what = line.replaceFirst(line.startsWith("//DEPS") ? ":[^:]*$" : " .*", "");
                    assertEquals(seen.computeIfAbsent(what, w -> line), line, script + "");
                }
            }
        }
    }

    @ParameterizedTest @MethodSource("scripts")
    void itsSentenceStandsInThreePlaces(Path script) throws Exception {
        String said = header(script).get(0).replaceFirst("^//DESCRIPTION ", "");
        Command command = Class.forName(className(script)).getAnnotation(Command.class);
        assertEquals(name(script), command.name());
        assertEquals(List.of(said), List.of(command.description()));
        assertTrue(aliases().containsKey(name(script)), "no alias " + name(script) + " in the catalog");
        assertEquals(said, said(aliases().get(name(script)), "description"));
    }

    @Test void everyAliasHasAShortSentenceAndAScript() throws IOException {
        String readme = Files.readString(Cli.ROOT.resolve("README.md"));
        for (Map.Entry<String, JsonElement> alias : aliases().entrySet()) {
            String said = said(alias.getValue(), "description");
            String script = said(alias.getValue(), "script-ref");
            assertTrue(said.length() <= SENTENCE && said.matches("[A-Z][^.]*(\\.\\w[^.]*)*\\."), said);
            assertTrue(script.matches("scripts/[a-z]+\\.java"), script);
            assertTrue(Files.exists(Cli.ROOT.resolve(script)), script);
            assertTrue(readme.matches("(?s).*\\b" + alias.getKey() + "\\b.*"), alias + " is not in README");
            JsonElement arguments = alias.getValue().getAsJsonObject().get("arguments");
            assertFalse((arguments + "").contains("--where"), alias + " leaves out what no command says");
        }
    }

    /** Scripts repeat what they share; these blocks must not drift apart, and there are no others. */
    @ParameterizedTest @MethodSource("scripts")
    void itsBlocksAreThoseOfTheOthers(Path script) throws IOException {
        String text = Files.readString(script);
        Map<String, String> blocks = Blocks.of(text);
        assertEquals(2 * blocks.size(), text.split("// ====").length - 1, "markers");
        assertTrue(blocks.containsKey("figure"), "no block figure, which every script has");
        for (Map.Entry<String, String> block : blocks.entrySet()) {
            assertLines("block " + block.getKey(), block.getValue().lines().count());
            assertFalse(Pattern.compile("\\b" + className(script) + "\\b").matcher(block.getValue()).find(),
                block.getKey() + " names the class of one script");
        }
        for (Path other : scripts()) {
            String theirs = Files.readString(other);
            assertEquals(theirs, Blocks.carry(blocks, theirs), "blocks of " + other + " differ; to carry "
                + "these there: ./jbang tests/blocks.java " + script);
        }
    }

    /** What is fetched comes by its name from where each machine gets it: no file says a host for that. */
    @Test void noRegistryIsNamed() throws IOException {
        Pattern registry = Pattern.compile("(?i)\\b(repo1?|maven|pypi|registry|mirror|nexus)[\\w-]*[.]"
            + "[\\w.-]*\\b(org|com|io|net|dev|internal|local)\\b");
        for (Path file : files("", "").stream().filter(file -> Cli.ROOT.relativize(file).toString()
                .matches("(?!\\.git/|\\.jbang/|data/|plots/).*(\\.(java|json|md|py|xml|sh)|/run|jbang)"))
                .toList()) {
            Matcher named = registry.matcher(Files.readString(file));
            assertFalse(named.find(), () -> file + " names " + named.group());
        }
    }
}
