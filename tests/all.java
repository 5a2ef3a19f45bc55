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
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Finds the test classes by their names, which end in Test: a new one beside this file is run without being listed. */
class All implements TestExecutionListener {
    /** Of a stack, what concerns the tests and the scripts: all of these are in the package without a name. */
    private static final int FRAMES = 4;

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

    @Override public void testPlanExecutionStarted(TestPlan started) {
        plan = started;
    }

    @Override public void executionSkipped(TestIdentifier test, String reason) {
        skip(test, reason);
    }

    @Override public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        Throwable cause = result.getThrowable().orElse(null);
        switch (result.getStatus()) {
            case SUCCESSFUL -> passed += test.isTest() ? 1 : 0;
            case ABORTED -> skip(test, String.valueOf(cause == null ? null : cause.getMessage()));
            case FAILED -> fail(test, cause);
            default -> throw new AssertionError(result);
        }
    }

    private void skip(TestIdentifier test, String reason) {
        skipped++;
        out.println("SKIPPED " + name(test) + ": " + reason.replaceFirst("^Assumption failed: ", ""));
    }

    private void fail(TestIdentifier test, Throwable cause) {
        failed++;
        out.println("FAILED " + name(test));
        out.println("    " + String.valueOf(cause).strip().replace("\n", "\n    "));
        frames(cause).forEach(frame -> out.println("        at " + frame));
    }

    private static Stream<StackTraceElement> frames(Throwable cause) {
        List<StackTraceElement> all = cause == null ? List.of() : Arrays.asList(cause.getStackTrace());
        List<StackTraceElement> ours = all.stream().filter(frame -> !frame.getClassName().contains(".")).toList();
        return (ours.isEmpty() ? all : ours).stream().limit(FRAMES);
    }

    /** The class and what is inside it, such as: SubgroupTest > sizes(String, String) > 10000000, 10M. */
    private String name(TestIdentifier test) {
        return plan.getParent(test).filter(parent -> parent.getParentId().isPresent())
            .map(parent -> name(parent) + " > ").orElse("") + test.getDisplayName();
    }
}
