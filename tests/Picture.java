import java.awt.image.BufferedImage;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;

import static org.junit.jupiter.api.Assertions.*;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** What a figure must be whatever it shows, and what one can measure in it. */
record Picture(BufferedImage image) {
    static final int FORWARD = 0x029E73, BACKWARD = 0xCC78BC, UPDATE = 0x0173B2, RED = 0xD40000,
        WHITE = 0xFFFFFF;

    /** Renderings differ at edges alone: by 0.6 to 1.7 on average, the more text the more; by up to 110. */
    private static final double MEAN = 2;
    private static final int SINGLE = 128;

    static Picture of(Path png) throws IOException { return new Picture(ImageIO.read(png.toFile())); }

    /** The files of a figure, PNG and EPS, have the form in which they are printed. */
    static Picture check(Path plots, String name) throws IOException {
        Path png = plots.resolve(name + ".png");
        Picture picture = of(png);
        assertEquals("1500 x 900", picture.image.getWidth() + " x " + picture.image.getHeight());
        String bytes = Files.readString(png, StandardCharsets.ISO_8859_1);
        assertTrue(bytes.contains("pHYs\0\0.#\0\0.#\1"), png + ": not 11811 x 11811 pixels a metre");
        checkEps(plots.resolve(name + ".eps"));
        return picture;
    }

    private static void checkEps(Path file) throws IOException {
        String eps = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertTrue(eps.startsWith("%!PS-Adobe-3.0 EPSF-3.0"), file + " begins otherwise");
        assertEquals(List.of("%%BoundingBox: 0 0 360 216"),
            eps.lines().filter(line -> line.startsWith("%%BoundingBox")).toList());
        assertFalse(eps.contains("CreationDate"), file + " holds its date, so it is never the same twice");
        String drawing = eps.substring(eps.indexOf("%%EndProlog"));
        assertFalse(drawing.matches("(?s).*(\\bfindfont\\b|\\bshow\\b|\\) t\\s|\\sF\\s).*"), file
            + " uses a font");
    }

    /** Compares the PNG with the EPS as Ghostscript renders it; skips the test where there is none. */
    static void compare(Path plots, String name) throws IOException {
        assumeTrue(Cli.has("gs"), "no Ghostscript (gs) here, so the EPS is not rendered");
        Path rendered = plots.resolve("rendered.png");
        Cli.start(plots, "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=png16m", "-r300", "-dEPSCrop",
            "-dTextAlphaBits=4", "-dGraphicsAlphaBits=4", "-sOutputFile=" + rendered,
            plots.resolve(name + ".eps")).quiet();
        of(rendered).alike(of(plots.resolve(name + ".png")));
    }

    /** Asserts that another picture differs from this at edges alone. */
    void alike(Picture other) {
        assertEquals("1500 x 900", image.getWidth() + " x " + image.getHeight());
        IntSummaryStatistics differences = IntStream.range(0, 1500 * 900)
            .map(i -> difference(at(i % 1500, i / 1500), other.at(i % 1500, i / 1500))).summaryStatistics();
        assertTrue(differences.getAverage() <= MEAN && differences.getMax() <= SINGLE,
            () -> "two pictures of one figure differ: " + differences);
    }

    /** The mean over the three colours. */
    private static int difference(int a, int b) {
        return IntStream.of(0, 8, 16)
            .map(shift -> Math.abs((a >> shift & 0xFF) - (b >> shift & 0xFF))).sum() / 3;
    }

    int at(int x, int y) { return image.getRGB(x, y) & 0xFFFFFF; }

    /** How many pixels have this colour. */
    long count(int color) {
        return IntStream.range(0, 1500 * 900).filter(i -> at(i % 1500, i / 1500) == color).count();
    }

    /** A piece of a row or a column in one colour, both ends inclusive. */
    record Piece(int from, int to) { int length() { return to - from + 1; } }

    /** The pieces of this colour that a column of the picture crosses, from the top down, below a row. */
    List<Piece> down(int x, int color, int below) {
        List<Piece> pieces = new ArrayList<>();
        for (int y = below, from = below; y < 900; y++) {
            from = at(x, y) == color ? from : y + 1;
            if (from <= y && (y == 899 || at(x, y + 1) != color)) {
                pieces.add(new Piece(from, y));
            }
        }
        return pieces;
    }

    /** From the first to the last pixel of this colour in a row; text may interrupt it. */
    Piece across(int y, int color) {
        IntSummaryStatistics found = IntStream.range(0, 1500).filter(x -> at(x, y) == color)
            .summaryStatistics();
        return new Piece(found.getMin(), found.getMax());
    }
}
