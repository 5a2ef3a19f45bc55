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

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Set;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.*;
import org.junit.platform.launcher.*;
import org.junit.platform.launcher.core.*;
import org.junit.platform.launcher.listeners.*;

/** Finds the test classes by their names, which end in Test: a new one here need not be listed. */
class All implements TestExecutionListener {
    private int skipped;

    public static void main(String... names) throws Exception {
        String wanted = names.length == 0 ? ".*" : String.join("|", names);
        Path jar = Path.of(All.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
            .selectors(DiscoverySelectors.selectClasspathRoots(Set.of(jar)))
            .filters(ClassNameFilter.includeClassNamePatterns(".*Test"))
            .filters(ClassNameFilter.includeClassNamePatterns(wanted))
            .configurationParameter("junit.jupiter.execution.timeout.default", "120 s").build();
        All progress = new All();
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request, progress, listener);
        TestExecutionSummary all = listener.getSummary();
        all.printFailuresTo(new PrintWriter(System.out, true), 20);
        System.out.printf("%n%d passed, %d failed, %d skipped%n", all.getTestsSucceededCount(),
            all.getTotalFailureCount(), progress.skipped);
        System.exit(all.getTestsFoundCount() > 0 && all.getTotalFailureCount() == 0 ? 0 : 1);
    }

    /** A line for each class, on it a dot for each test. */
    @Override public void executionStarted(TestIdentifier test) {
        boolean isClass = test.getUniqueIdObject().getLastSegment().getType().equals("class");
        System.out.print(isClass ? "\n" + test.getDisplayName() + " " : "");
    }

    @Override public void executionSkipped(TestIdentifier test, String reason) {
        skipped++;
        System.out.println("\nSKIPPED " + test.getDisplayName() + ": " + reason);
    }

    @Override public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
            executionSkipped(test, result.getThrowable().map(Throwable::getMessage).orElse(""));
        }
        System.out.print(test.isTest() ? "." : "");
    }
}
