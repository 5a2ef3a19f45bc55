import java.awt.image.BufferedImage;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** What a figure must be whatever it shows, and what one can measure in it. */
record Picture(BufferedImage image) {
    static final int FORWARD = 0x029E73, BACKWARD = 0xCC78BC, UPDATE = 0x0173B2, RED = 0xD40000, WHITE = 0xFFFFFF;

    /** Renderings differ at edges alone: by 0.6 to 1.7 on average, the more text the more, and by up to 110. */
    private static final double MEAN = 2;
    private static final int SINGLE = 128;

    static Picture of(Path png) throws IOException {
        return new Picture(ImageIO.read(png.toFile()));
    }

    /** The files of a figure: PNG and EPS as printed, in form and in looks. */
    static void check(Path plots, String name) throws IOException {
        checkPng(plots.resolve(name + ".png"));
        checkEps(plots.resolve(name + ".eps"));
    }

    static void checkPng(Path file) throws IOException {
        BufferedImage image = of(file).image;
        assertEquals("1500 x 900", image.getWidth() + " x " + image.getHeight());
        assertEquals("11811 x 11811 per unit 1", density(file), "pHYs of " + file);
    }

    private static String density(Path png) throws IOException {
        try (DataInputStream in = new DataInputStream(Files.newInputStream(png))) {
            in.skipNBytes(8);
            while (true) {
                int length = in.readInt();
                String type = new String(in.readNBytes(4), StandardCharsets.US_ASCII);
                if (type.equals("pHYs")) {
                    return in.readInt() + " x " + in.readInt() + " per unit " + in.readByte();
                }
                in.skipNBytes(length + 4L);
            }
        }
    }

    static void checkEps(Path file) throws IOException {
        String eps = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertTrue(eps.startsWith("%!PS-Adobe-3.0 EPSF-3.0"), file + " begins otherwise");
        assertEquals(List.of("%%BoundingBox: 0 0 360 216"),
            eps.lines().filter(line -> line.startsWith("%%BoundingBox")).toList());
        assertFalse(eps.contains("CreationDate"), file + " holds its date, so it is never the same twice");
        String drawing = eps.substring(eps.indexOf("%%EndProlog"));
        assertFalse(drawing.matches("(?s).*(\\bfindfont\\b|\\bshow\\b|\\) t\\s|\\sF\\s).*"), file + " uses a font");
        assertFalse(Pattern.compile("^/f-?\\d+\\{", Pattern.MULTILINE).matcher(drawing).find(), file
            + " names outlines by their hash codes, of which two may be the same");
    }

    /** Renders the EPS by Ghostscript and compares it with the PNG; skips the test where there is no Ghostscript. */
    static void compare(Path plots, String name) throws IOException {
        assumeTrue(Cli.has("gs"), "no Ghostscript (gs) here, so the EPS is not rendered");
        Path rendered = plots.resolve("rendered.png");
        Cli.start(plots, "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=png16m", "-r300", "-dEPSCrop",
            "-dTextAlphaBits=4", "-dGraphicsAlphaBits=4", "-sOutputFile=" + rendered,
            plots.resolve(name + ".eps")).quiet();
        BufferedImage eps = of(rendered).image, png = of(plots.resolve(name + ".png")).image;
        Files.delete(rendered);
        assertEquals("1500 x 900", eps.getWidth() + " x " + eps.getHeight(), "size of the rendered EPS");
        long sum = 0;
        int most = 0;
        for (int i = 0; i < 1500 * 900; i++) {
            int difference = difference(eps.getRGB(i % 1500, i / 1500), png.getRGB(i % 1500, i / 1500));
            sum += difference;
            most = Math.max(most, difference);
        }
        double mean = sum / (1500. * 900);
        assertTrue(mean <= MEAN && most <= SINGLE,
            "EPS and PNG differ by " + mean + " of 255 on average, at most by " + most);
    }

    /** The mean over the three colours. */
    private static int difference(int a, int b) {
        int sum = 0;
        for (int shift = 0; shift < 24; shift += 8) {
            sum += Math.abs((a >> shift & 0xFF) - (b >> shift & 0xFF));
        }
        return sum / 3;
    }

    int at(int x, int y) {
        return image.getRGB(x, y) & 0xFFFFFF;
    }

    long count(int color) {
        long found = 0;
        for (int i = 0; i < image.getWidth() * image.getHeight(); i++) {
            found += at(i % image.getWidth(), i / image.getWidth()) == color ? 1 : 0;
        }
        return found;
    }

    /** A piece of a row or a column in one colour, both ends inclusive. */
    record Piece(int from, int to) {
        int length() {
            return to - from + 1;
        }
    }

    /** The pieces of this colour that a column of the picture crosses, from the top down, below its legend. */
    List<Piece> down(int x, int color, int below) {
        List<Piece> pieces = new ArrayList<>();
        for (int y = below, from = -1; y < image.getHeight(); y++) {
            boolean in = at(x, y) == color;
            from = in && from < 0 ? y : from;
            if (from >= 0 && (!in || y == image.getHeight() - 1)) {
                pieces.add(new Piece(from, in ? y : y - 1));
                from = -1;
            }
        }
        return pieces;
    }

    /** From the first to the last pixel of this colour in a row; text may interrupt it. */
    Piece across(int y, int color) {
        int from = -1, to = -2;
        for (int x = 0; x < image.getWidth(); x++) {
            if (at(x, y) == color) {
                from = from < 0 ? x : from;
                to = x;
            }
        }
        return new Piece(from, to);
    }
}
