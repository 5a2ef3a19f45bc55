import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.stream.*;

/** Logs made up for tests: names and lines as DeepSpeed and Megatron write them. */
class Sample {
    static final String POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 1\n";

    /** The name of a log that differs from others in its subgroup size. */
    static String name(Object subg) {
        return "log-7B-tp1-dp1-l32-h4096-a32-sl2048-gbs4-mbs4-ratio1-subg" + subg + "-prefetch0.log";
    }

    /** The timing line of an iteration, as DeepSpeed 0.10.1 to 0.17.5 writes it. */
    static String timing(Object fwd, Object bwd, Object step) {
        return ("[2024-03-26 20:23:57,673] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | fwd: %s | "
            + "bwd: %s | bwd_inner: 1946.76 | bwd_allreduce: 567.39 | step: %s\n").formatted(fwd, bwd, step);
    }

    /** What ranks print of an iteration: its number is added to 7500 ms elapsed and to 60.5 TFLOPs. */
    static String iteration(int number, Object fwd, Object bwd, Object step) {
        String timing = timing(fwd, bwd, step);
        return timing.replaceFirst("fwd.*", "optimizer_step: 4019.03") + timing.replace(": ", "_microstep: ")
            + timing + "<TIMER:interval-time,7.386294841766357>\n" + (" elapsed_time 7.595363 | consumed "
            + "samples: %12d | elapsed time per iteration (ms): %d.0 | learning rate: 1.650E-04 | lm loss: "
            + "2.415E+00 | TFLOPs: %d.5 |\n").formatted(4 * number, 7500 + number, 60 + number);
    }

    /** Five iterations; the times of the third are given, those of the others differ from all others. */
    static String run(double fwd, double bwd, double step) {
        return "a line before the first\n" + IntStream.rangeClosed(1, 5).mapToObj(i -> iteration(i,
            fwd + i - 3, bwd + 2 * i - 6, step + (i == 1 ? 1000 : 3 * i - 9))).collect(Collectors.joining());
    }

    /** Writes a log; each character is one byte, so that "\0" and "\u00ff" are what they look like. */
    static Path write(Path folder, String name, String text) throws IOException {
        Files.createDirectories(folder);
        return Files.write(folder.resolve(name), text.getBytes(StandardCharsets.ISO_8859_1));
    }
}
