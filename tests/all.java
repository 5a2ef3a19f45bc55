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

import java.io.*;
import java.nio.file.Path;
import java.util.*;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.*;
import org.junit.platform.launcher.*;
import org.junit.platform.launcher.core.*;
import org.junit.platform.launcher.listeners.*;

/** Finds the test classes by their names, which end in Test: a new one here need not be listed. */
class All implements TestExecutionListener {
    /** As many classes at once as there are cores. */
    private static final String PARALLEL = "junit.jupiter.execution.parallel.";
    private final PrintStream out = System.out;
    private final Map<String, List<String>> skipped = new TreeMap<>();

    public static void main(String... names) throws Exception {
        String wanted = names.length == 0 ? ".*" : String.join("|", names);
        Path jar = Path.of(All.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
            .selectors(DiscoverySelectors.selectClasspathRoots(Set.of(jar)))
            .filters(ClassNameFilter.includeClassNamePatterns(".*Test"))
            .filters(ClassNameFilter.includeClassNamePatterns(wanted))
            .configurationParameters(Map.of("junit.jupiter.execution.timeout.default", "120 s",
                PARALLEL + "enabled", "true", PARALLEL + "mode.classes.default", "concurrent",
                PARALLEL + "config.executor-service", "WORKER_THREAD_POOL")).build();
        All progress = new All();
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request, progress, listener);
        TestExecutionSummary all = listener.getSummary();
        all.printFailuresTo(new PrintWriter(System.out, true), 20);
        progress.skipped.forEach((why, tests) -> System.out.println("\nSKIPPED " + tests + ": " + why));
        System.out.printf("%n%d passed, %d failed, %d skipped%n", all.getTestsSucceededCount(),
            all.getTotalFailureCount(), progress.skipped.values().stream().mapToInt(List::size).sum());
        System.exit(all.getTestsFoundCount() > 0 && all.getTotalFailureCount() == 0 ? 0 : 1);
    }

    @Override public synchronized void executionSkipped(TestIdentifier test, String reason) {
        skipped.computeIfAbsent(reason, why -> new ArrayList<>()).add(test.getDisplayName());
    }

    /** A dot for each test, and where a class ends its name. */
    @Override public synchronized void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
            executionSkipped(test, result.getThrowable().map(Throwable::getMessage).orElse(""));
        }
        boolean isClass = test.getUniqueIdObject().getLastSegment().getType().equals("class");
        out.print(isClass ? " " + test.getDisplayName() + "\n" : ".");
    }
}
