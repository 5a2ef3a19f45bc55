import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** A script run in this JVM, or a program beside it: how it ended and what it wrote. */
record Cli(int status, String out, String err) {
    /** The repository, and the launcher in it. The tests may be started in any folder of it. */
    static final Path ROOT = root();
    static final String JBANG = ROOT.resolve("jbang").toString();
    /** What is beside the repository where it is developed, such as the real logs; it need not be there. */
    static final Path SHARED = ROOT.resolveSibling("shared");
    /** A folder for one run of the tests; in it JBang's own, neither the user's nor shared with another run. */
    static final Path TMP = temporary(), JBANG_DIR = TMP.resolve("jbang");

    private static final int PATIENCE_SECONDS = 110;

    /** Runs a script in this JVM, as in {@code Cli.run(() -> Subgroup.execute(new Subgroup(), "folder"))}. */
    static synchronized Cli run(Callable<Integer> script) {
        PrintStream out = System.out, err = System.err;
        ByteArrayOutputStream written = new ByteArrayOutputStream(), said = new ByteArrayOutputStream();
        System.setOut(new PrintStream(written, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            int status = script.call();
            return new Cli(status, written.toString(StandardCharsets.UTF_8), said.toString(StandardCharsets.UTF_8));
        } catch (Exception e) {
            throw new AssertionError("a script must not throw", e);
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    /** The command that runs a script's main class in a JVM of its own; to be given to start(). */
    static List<String> java(List<String> options, String main, Object... args) {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        List<String> command = new ArrayList<>(List.of(java.toString(), "-XX:+UseSerialGC", "-Xmn32m",
            "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        Stream.of(args).forEach(arg -> command.add(arg.toString()));
        return command;
    }

    /** Runs a program in a folder and waits for it. */
    static Cli start(Path folder, Object... command) {
        return start(folder, Map.of(), command);
    }

    /** The same with variables added to the environment, or taken from it where the value is "". */
    static Cli start(Path folder, Map<String, String> variables, Object... command) {
        return begin(folder, variables, command).await();
    }

    /** A program that runs; its output goes to files, so that it never waits for a reader. */
    record Running(Process process, Path out, Path err) {
        Cli await() {
            return await(PATIENCE_SECONDS);
        }

        Cli await(int seconds) {
            try {
                boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly().waitFor();
                Cli cli = new Cli(process.exitValue(), Files.readString(out), Files.readString(err));
                Files.delete(out);
                Files.delete(err);
                if (!ended) {
                    throw new AssertionError("not done after " + seconds + " s: " + cli);
                }
                return cli;
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    static Running begin(Path folder, Map<String, String> variables, Object... command) {
        try {
            Path out = Files.createTempFile(TMP, "out", null), err = Files.createTempFile(TMP, "err", null);
            List<String> words = Stream.of(command).flatMap(part -> part instanceof List<?> list ? list.stream()
                : Stream.of(part)).map(Object::toString).toList();
            ProcessBuilder builder = new ProcessBuilder(words).directory(folder.toFile())
                .redirectInput(new File("/dev/null")).redirectOutput(out.toFile()).redirectError(err.toFile());
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

    /** Asserts that the run ended so with one line on stderr that holds these words, and with nothing on stdout. */
    void failed(int expected, Object... words) {
        assertEquals(expected, status, () -> "exit status of " + this);
        assertEquals("", out, "stdout of a run that failed");
        assertTrue(err.matches("[^\\n]+\\n"), () -> "expected one line on stderr, but got: " + err);
        assertFalse(err.matches("(?s).*(Exception in|unexpectedly|\\bnull\\b).*"), () -> "not for users: " + err);
        Stream.of(words).map(Object::toString)
            .forEach(word -> assertTrue(err.contains(word), () -> "expected '" + word + "' in: " + err));
    }

    /** Asserts that the run ended well and had nothing to say on stderr. */
    Cli quiet() {
        assertEquals("0 ", status + " " + err, "exit status and stderr");
        return this;
    }

    /** A folder with links to all programs on the PATH but those named, to be the PATH of a machine without them. */
    static synchronized Path programsBut(String... missing) throws IOException {
        Path folder = TMP.resolve("programs but " + String.join(" ", missing));
        if (Files.exists(folder)) {
            return folder;
        }
        Map<String, Path> programs = new HashMap<>();
        for (String place : System.getenv("PATH").split(":")) {
            File[] files = new File(place).listFiles(file -> file.isFile() && file.canExecute());
            for (File file : files == null ? new File[0] : files) {
                programs.putIfAbsent(file.getName(), file.toPath());
            }
        }
        programs.keySet().removeAll(Set.of(missing));
        Files.createDirectories(folder);
        for (Map.Entry<String, Path> program : programs.entrySet()) {
            Files.createSymbolicLink(folder.resolve(program.getKey()), program.getValue());
        }
        return folder;
    }

    static boolean has(String program) {
        return Stream.of(System.getenv("PATH").split(":")).map(place -> Path.of(place, program))
            .anyMatch(file -> Files.isRegularFile(file) && Files.isExecutable(file));
    }

    /**
     * What to put before a command so that it must mind the rights of files: nothing, or for root, who need not mind
     * them, what gives up that privilege. Skips the test where that cannot be done.
     */
    static List<String> powerless() {
        boolean root = "root".equals(System.getProperty("user.name"));
        assumeTrue(!root || has("setpriv"), "run by root, and no setpriv here to give up root's rights");
        return root ? List.of("setpriv", "--bounding-set=-dac_override,-dac_read_search") : List.of();
    }

    /** Writes an executable shell script. */
    static Path program(Path file, String text) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + text);
        if (!file.toFile().setExecutable(true)) {
            throw new IOException("cannot make executable: " + file);
        }
        return file;
    }

    /** Everything in a folder by its path in there: content and time of change; folders have neither. */
    static Map<String, String> snapshot(Path folder) throws IOException {
        Map<String, String> found = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.toList()) {
                found.put(folder.relativize(path).toString(), !Files.isRegularFile(path) ? ""
                    : Files.getLastModifiedTime(path) + " " + Files.readString(path, StandardCharsets.ISO_8859_1));
            }
        }
        return found;
    }

    /** Deletes a folder and all in it; what it links to stays. */
    static void delete(Path folder) {
        try (Stream<Path> paths = Files.walk(folder)) {
            paths.sorted((a, b) -> b.compareTo(a)).map(Path::toFile).forEach(File::delete);
        } catch (IOException | UncheckedIOException e) {
            System.err.println(folder + ": not deleted, since " + e);
        }
    }

    private static Path temporary() {
        try {
            Path folder = Files.createTempDirectory("tests");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
            return folder;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (folder != null && !Files.exists(folder.resolve("tests/all.java"))) {
            folder = folder.getParent();
        }
        if (folder == null) {
            throw new AssertionError("start the tests inside of the repository: ./jbang tests/all.java");
        }
        return folder;
    }
}
