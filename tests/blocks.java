///usr/bin/env jbang "$0" "$@" ; exit $?
//DESCRIPTION Carries the blocks of one script into the others that have them: blocks.java scripts/X.java
//JAVA 17+

import java.io.IOException;
import java.nio.file.*;
import java.util.*;
import java.util.regex.*;
import java.util.stream.Stream;

/** Scripts repeat what they share, between a line `==== NAME: …` and a line `==== end of NAME ====`. */
class Blocks {
    private static final Pattern BLOCK = Pattern.compile(
        "^ *// ==== ([\\w ]+): [^\\n]*\\n.*?^ *// ==== end of \\1 ====\\n",
        Pattern.MULTILINE | Pattern.DOTALL);

    public static void main(String... args) throws IOException {
        if (args.length != 1 || !Files.isRegularFile(Path.of(args[0]))) {
            System.err.println("expected one script, whose blocks the others get: ./jbang tests/blocks.java "
                + "scripts/X.java");
            System.exit(2);
        }
        Path from = Path.of(args[0]).toAbsolutePath();
        Map<String, String> blocks = of(Files.readString(from));
        try (Stream<Path> scripts = Files.list(from.getParent())) {
            for (Path script : scripts.filter(file -> file.toString().endsWith(".java")).sorted().toList()) {
                String text = Files.readString(script), carried = carry(blocks, text);
                if (!carried.equals(text)) {
                    Files.writeString(script, carried);
                    System.out.println("changed: " + script);
                }
            }
        }
    }

    /** The blocks of a script by name, each with its two marker lines. */
    static Map<String, String> of(String script) {
        Map<String, String> blocks = new TreeMap<>();
        BLOCK.matcher(script).results().forEach(block -> blocks.put(block.group(1), block.group()));
        return blocks;
    }

    /** A script with these in place of its own of the same names. */
    static String carry(Map<String, String> blocks, String script) {
        return BLOCK.matcher(script).replaceAll(own ->
            Matcher.quoteReplacement(blocks.getOrDefault(own.group(1), own.group())));
    }
}
