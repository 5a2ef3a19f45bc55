import java.io.*;
import java.nio.charset.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

import static org.junit.jupiter.api.Assertions.*;

/** A script run in this JVM, or a program beside it: how it ended and what it wrote. */
record Cli(int status, String out, String err) {
    /** The repository, and the launcher in it. The tests may be started in any folder of it. */
    static final Path ROOT = root();
    static final String JBANG = ROOT.resolve("jbang").toString();
    /** What is beside the repository where it is developed, such as the real logs; it need not be there. */
    static final Path SHARED = ROOT.resolveSibling("shared");
    /** A folder for one run of the tests; in it JBang's own, not the user's or another run's. */
    static final Path TMP = temporary(), JBANG_DIR = TMP.resolve("jbang");

    private static final int PATIENCE_SECONDS = 110;

    /** Runs a script in this JVM with these words as its arguments. */
    static synchronized Cli script(Callable<Integer> script, Object... args) {
        PrintStream out = System.out, err = System.err;
        ByteArrayOutputStream written = new ByteArrayOutputStream(), said = new ByteArrayOutputStream();
        Charset utf8 = StandardCharsets.UTF_8;
        System.setOut(new PrintStream(written, true, utf8));
        System.setErr(new PrintStream(said, true, utf8));
        try {
            int status = Subgroup.execute(script, words(args));
            return new Cli(status, written.toString(utf8), said.toString(utf8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    /** What is in lists and what is not, as strings. */
    static String[] words(Object... parts) {
        return Stream.of(parts).flatMap(part -> part instanceof List<?> list ? list.stream()
            : Stream.of(part)).map(Object::toString).toArray(String[]::new);
    }

    /** The command that runs a script's main class in a JVM of its own; to be given to start(). */
    static List<String> java(List<String> options, String main, Object... args) {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        return new ArrayList<>(List.of(words(java, "-XX:+UseSerialGC", "-Xmn32m", "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED", options, "-cp", System.getProperty("java.class.path"), main,
            List.of(args))));
    }

    /** Runs a program in a folder and waits for it. */
    static Cli start(Path folder, Object... command) { return start(folder, Map.of(), command); }

    /** The same with variables added to the environment, or taken from it where the value is "". */
    static Cli start(Path folder, Map<String, String> variables, Object... command) {
        return begin(folder, variables, command).await();
    }

    /** A program that runs; its output goes to files, so that it never waits for a reader. */
    record Running(Process process, Path out, Path err) {
        Cli await() {
            try {
                boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly().waitFor();
                // Java itself says on stderr that it minds this variable, which a user may have set.
                String said = Files.readString(err).replaceAll("(?m)^Picked up JAVA_TOOL_OPTIONS: .*\\R", "");
                Cli cli = new Cli(process.exitValue(), Files.readString(out), said);
                assertTrue(ended, () -> "not done after " + PATIENCE_SECONDS + " s: " + cli);
                return cli;
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    static Running begin(Path folder, Map<String, String> variables, Object... command) {
        try {
            Path out = Files.createTempFile(TMP, "out", null), err = Files.createTempFile(TMP, "err", null);
            ProcessBuilder builder = new ProcessBuilder(words(command)).directory(folder.toFile())
                .redirectInput(new File("/dev/null"))
                .redirectOutput(out.toFile()).redirectError(err.toFile());
            Map<String, String> environment = builder.environment();
            environment.keySet().removeIf(name -> name.startsWith("JBANG_") && !name.equals("JBANG_REPO"));
            environment.put("JBANG_DIR", JBANG_DIR.toString());
            environment.putAll(variables);
            environment.values().removeIf(String::isEmpty);
            return new Running(builder.start(), out, err);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Asserts that the run ended so with one line on stderr that holds these words, and no stdout. */
    void failed(int expected, Object... words) {
        assertEquals(expected, status, () -> "exit status of " + this);
        assertEquals("", out, "stdout of a run that failed");
        assertTrue(err.matches("[^\\n]+\\n"), () -> "expected one line on stderr, but got: " + err);
        assertFalse(err.matches("(?s).*(Exception in|unexpectedly|\\bnull\\b).*"), "not for users: " + err);
        assertSays(err, words);
    }

    static void assertSays(String text, Object... words) {
        Stream.of(words).map(Object::toString)
            .forEach(word -> assertTrue(text.contains(word), () -> "expected '" + word + "' in: " + text));
    }

    /** Asserts that the run ended well and that its stderr holds these words. */
    Cli well(Object... words) {
        assertEquals(0, status, err);
        assertSays(err, words);
        return this;
    }

    /** Asserts that the run ended well and had nothing to say on stderr. */
    Cli quiet() {
        assertEquals("0 ", status + " " + err, "exit status and stderr");
        return this;
    }

    /** A folder with links to all programs on the PATH but those named: that of a machine without them. */
    static synchronized Path programsBut(String... missing) throws IOException {
        Path folder = TMP.resolve("programs but " + String.join(" ", missing));
        if (Files.exists(folder)) {
            return folder;
        }
        Files.createDirectories(folder);
        for (String place : System.getenv("PATH").split(":")) {
            File[] files = new File(place).listFiles(file -> file.isFile() && file.canExecute());
            for (File file : files == null ? new File[0] : files) {
                Path link = folder.resolve(file.getName());
                if (!List.of(missing).contains(file.getName()) && !Files.exists(link)) {
                    Files.createSymbolicLink(link, file.toPath());
                }
            }
        }
        return folder;
    }

    static boolean has(String program) {
        return Stream.of(System.getenv("PATH").split(":")).map(place -> Path.of(place, program))
            .anyMatch(file -> Files.isRegularFile(file) && Files.isExecutable(file));
    }

    /** What to put before a command so that it must mind the rights of files, which root need not mind. */
    static List<String> powerless() {
        boolean root = "root".equals(System.getProperty("user.name"));
        Assumptions.assumeTrue(!root || has("setpriv"), "run by root, and no setpriv to give up its rights");
        return root ? List.of("setpriv", "--bounding-set=-dac_override,-dac_read_search") : List.of();
    }

    /** Writes an executable shell script. */
    static Path program(Path file, String text) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + text);
        assertTrue(file.toFile().setExecutable(true), () -> "cannot make executable: " + file);
        return file;
    }

    /** Everything in a folder by its path in there: the bytes, each as a character; folders have none. */
    static Map<String, String> snapshot(Path folder) throws IOException {
        Map<String, String> found = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.filter(path -> !path.equals(folder)).toList()) {
                found.put(folder.relativize(path).toString(), Files.isRegularFile(path)
                    ? Files.readString(path, StandardCharsets.ISO_8859_1) : "");
            }
        }
        return found;
    }

    private static Path temporary() {
        try {
            Path folder = Files.createTempDirectory("tests");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder.toFile())));
            return folder;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Deletes a folder and all in it; what it links to stays. */
    private static void delete(File file) {
        if (!Files.isSymbolicLink(file.toPath()) && file.isDirectory()) {
            Stream.of(file.listFiles()).forEach(Cli::delete);
        }
        file.delete();
    }

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (folder != null && !Files.exists(folder.resolve("tests/all.java"))) {
            folder = folder.getParent();
        }
        return Objects.requireNonNull(folder, "start the tests inside of the repository");
    }
}
