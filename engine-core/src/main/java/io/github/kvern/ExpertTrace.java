package io.github.kvern;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/// What a model's experts did in one run, kept in a file: for looking at it (`kvern experts`), and for choosing which to lock. The
/// file is comma-separated, behind a first line that says whose it is; its columns are those of [ExpertStats] in their order.
///
/// @param identity of the model: [ModelInfo#identity()]
/// @param name of the model
/// @param experts by layer and expert
public record ExpertTrace(String identity, String name, List<ExpertStats> experts) {
    private static final String FIRST = "# kvern expert trace 1, model ";
    private static final String COLUMNS = "layer,expert,tokens,uses,repeats,layer_steps,bytes,resident,missed";
    private static final int FIELDS = 9;
    /// More than any trace has: 1,024 layers of 1,024 experts.
    private static final int LONGEST_BYTES = 64 << 20;
    private static final long MOST = 1L << 56;

    /// Copies the list.
    public ExpertTrace {
        experts = List.copyOf(experts);
    }

    /// The trace of a model up to now.
    ///
    /// @throws IllegalStateException the model is closed
    public static ExpertTrace of(Model model) {
        return new ExpertTrace(model.info().identity(), model.info().name(), model.experts());
    }

    /// The text of the file.
    public String text() {
        StringBuilder out = new StringBuilder(FIRST).append(identity).append(", ").append(name.replaceAll("\\p{Cntrl}", "?")).append('\n')
                .append(COLUMNS).append('\n');
        for (ExpertStats s : experts) {
            long[] known = {s.layer(), s.expert(), s.tokens(), s.uses(), s.repeats(), s.layerSteps(), s.bytes()};
            for (long value : known) out.append(value).append(',');
            s.residentBytes().ifPresent(out::append);
            out.append(',');
            s.missedBytes().ifPresent(out::append);
            out.append('\n');
        }
        return out.toString();
    }

    /// Reads such a file.
    ///
    /// @throws IOException the disk
    /// @throws IllegalArgumentException it is not a trace: the message has the line, what was expected, and what was found
    public static ExpertTrace read(Path path) throws IOException {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(path)) {
            bytes = in.readNBytes(LONGEST_BYTES + 1);
        }
        if (bytes.length > LONGEST_BYTES)
            throw new IllegalArgumentException(path + ": expected an expert trace, found more than " + LONGEST_BYTES + " bytes");
        try {
            return parse(path.toString(), StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(path + ": expected an expert trace, found bytes that are no UTF-8", e);
        }
    }

    private static ExpertTrace parse(String file, String text) {
        List<String> lines = text.lines().toList();
        String first = lines.isEmpty() ? "" : lines.getFirst();
        int comma = first.indexOf(", ", FIRST.length());
        if (!first.startsWith(FIRST) || comma < 0)
            throw wrong(file, 1, "'" + FIRST + "IDENTITY, NAME'", first);
        if (lines.size() < 2 || !lines.get(1).equals(COLUMNS)) throw wrong(file, 2, COLUMNS, lines.size() < 2 ? "" : lines.get(1));
        List<ExpertStats> experts = new ArrayList<>();
        Set<Long> seen = new HashSet<>();
        for (int i = 2; i < lines.size(); i++) {
            ExpertStats s = row(file, i + 1, lines.get(i));
            if (!seen.add((long) s.layer() << 32 | s.expert())) throw wrong(file, i + 1, "each expert once", lines.get(i));
            experts.add(s);
        }
        return new ExpertTrace(first.substring(FIRST.length(), comma), first.substring(comma + 2), experts);
    }

    private static ExpertStats row(String file, int line, String text) {
        String[] fields = text.split(",", -1);
        if (fields.length != FIELDS) throw wrong(file, line, FIELDS + " values", text);
        long[] n = new long[FIELDS];
        for (int i = 0; i < FIELDS; i++) {
            boolean digits = !fields[i].isEmpty() && fields[i].length() <= 17 && fields[i].chars().allMatch(c -> c >= '0' && c <= '9');
            n[i] = digits ? Long.parseLong(fields[i]) : -1;
            if (n[i] < 0 && !(i >= 7 && fields[i].isEmpty()) || n[i] > MOST)
                throw wrong(file, line, "a whole number of 0 to 2^56 as value " + (i + 1), text);
        }
        if (n[0] > 1 << 16 || n[1] > 1 << 16) throw wrong(file, line, "layer and expert up to " + (1 << 16), text);
        if (n[3] > n[5] || n[4] > n[3] || n[3] > n[2]) throw wrong(file, line, "repeats <= uses <= tokens, uses <= layer_steps", text);
        if (n[6] < 1 || n[7] > n[6]) throw wrong(file, line, "resident <= bytes, and these at least 1", text);
        return new ExpertStats((int) n[0], (int) n[1], n[2], n[3], n[4], n[5], n[6], optional(n[7]), optional(n[8]));
    }

    private static OptionalLong optional(long value) {
        return value < 0 ? OptionalLong.empty() : OptionalLong.of(value);
    }

    private static IllegalArgumentException wrong(String file, int line, String expected, String found) {
        String shown = found.length() > 60 ? found.substring(0, 60) + "..." : found;
        return new IllegalArgumentException(file + ", line " + line + ": expected " + expected + ", found '" + shown + "'");
    }

    /// The experts that were used most often for their size and together take no more than this, the most used first. Unused ones are
    /// left out.
    ///
    /// @param bytes to fill
    public List<ExpertStats> hottest(long bytes) {
        List<ExpertStats> chosen = new ArrayList<>();
        long left = bytes;
        for (ExpertStats s : experts.stream().filter(s -> s.uses() > 0).sorted(Comparator.comparingDouble(ExpertTrace::heat).reversed())
                .toList()) {
            if (s.bytes() > left) continue;
            left -= s.bytes();
            chosen.add(s);
        }
        return chosen;
    }

    /// Uses in a step, for each byte.
    private static double heat(ExpertStats s) {
        return (double) s.uses() / s.layerSteps() / s.bytes();
    }

    /// What locking the hottest experts would save, worked out from how often each was used.
    ///
    /// @param memoryBytes memory that is there for routed experts
    /// @param lockedBytes of these, how many may be locked
    public ExpertAdvice advice(long memoryBytes, long lockedBytes) {
        return ExpertAdvice.of(this, memoryBytes, lockedBytes);
    }
}
