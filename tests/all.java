///usr/bin/env jbang "$0" "$@" ; exit $?
//DESCRIPTION Runs every test, or with `all.java NAME...` the classes named; exit 0 when none failed.
//JAVA 17+
//MAIN All
//DEPS org.junit.jupiter:junit-jupiter:6.1.3
//DEPS org.junit.platform:junit-platform-launcher:6.1.3
//DEPS com.google.code.gson:gson:2.13.2
//SOURCES ../scripts/*.java
//SOURCES *.java
//RUNTIME_OPTIONS -Djava.awt.headless=true -XX:+UseSerialGC

import java.io.PrintStream;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.*;
import java.util.stream.Stream;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.*;
import org.junit.platform.launcher.*;
import org.junit.platform.launcher.core.*;

/** Finds the test classes by their names, which end in Test: a new one here need not be listed. */
class All implements TestExecutionListener {
    private final PrintStream out = System.out;
    private TestPlan plan;
    private int passed, failed, skipped;

    public static void main(String... names) throws URISyntaxException {
        All all = new All();
        LauncherFactory.create().execute(request(names), all);
        if (names.length > 0 && all.passed + all.failed + all.skipped == 0) {
            System.err.println("no test class is called " + String.join(" or ", names));
            System.exit(2);
        }
        System.out.printf("%d passed, %d failed, %d skipped%n", all.passed, all.failed, all.skipped);
        System.exit(all.failed == 0 ? 0 : 1);
    }

    private static LauncherDiscoveryRequest request(String... names) throws URISyntaxException {
        Path jar = Path.of(All.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        String wanted = names.length == 0 ? ".*Test" : String.join("|", names);
        return LauncherDiscoveryRequestBuilder.request()
            .selectors(DiscoverySelectors.selectClasspathRoots(Set.of(jar)))
            .filters(ClassNameFilter.includeClassNamePatterns(".*Test"))
            .filters(ClassNameFilter.includeClassNamePatterns(wanted))
            .configurationParameter("junit.jupiter.execution.timeout.default", "120 s")
            .build();
    }

    @Override public void testPlanExecutionStarted(TestPlan started) { plan = started; }

    /** A line for each class, on it a dot for each test. */
    @Override public void executionStarted(TestIdentifier test) {
        if (depth(test) == 1) {
            out.print(test.getDisplayName() + " ");
        }
    }

    @Override public void executionSkipped(TestIdentifier test, String reason) {
        skipped++;
        out.println("\nSKIPPED " + name(test) + ": " + reason.replaceFirst("^Assumption failed: ", ""));
    }

    @Override public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        Throwable cause = result.getThrowable().orElse(null);
        switch (result.getStatus()) {
            case ABORTED -> executionSkipped(test, cause == null ? "" : cause.getMessage() + "");
            case FAILED -> fail(test, cause);
            default -> passed += test.isTest() ? 1 : 0;
        }
        out.print(test.isTest() ? "." : "");
        out.print(depth(test) == 1 ? "\n" : "");
    }

    /** Of the stack only what is in tests and scripts, all of which are in the package without a name. */
    private void fail(TestIdentifier test, Throwable cause) {
        failed++;
        out.println("\nFAILED " + name(test) + "\n    " + (cause + "").strip().replace("\n", "\n    "));
        Stream.of(cause.getStackTrace()).filter(frame -> !frame.getClassName().contains(".")).limit(4)
            .forEach(frame -> out.println("        at " + frame));
    }

    private int depth(TestIdentifier test) {
        return plan.getParent(test).map(parent -> 1 + depth(parent)).orElse(0);
    }

    /** The class and what is inside it, such as: LogsTest > names() > log-7B-tp1.log. */
    private String name(TestIdentifier test) {
        String before = depth(test) > 1 ? name(plan.getParent(test).orElseThrow()) + " > " : "";
        return before + test.getDisplayName();
    }
}
