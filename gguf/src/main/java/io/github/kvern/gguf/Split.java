package io.github.kvern.gguf;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where a file stands among the parts of a split model. The parts name themselves twice, in their keys and in their file
/// names (`NAME-00001-of-00003.gguf`), and both must agree.
///
/// @param name what the file names of all parts begin with
/// @param no the number of this part, from 0
/// @param count how many parts there are, 1 for a model in one file
record Split(String name, int no, int count) {
    static final String NO = "split.no";
    static final String COUNT = "split.count";
    static final String TENSORS = "split.tensors.count";
    static final String ALIGNMENT = "general.alignment";
    static final int MOST_PARTS = 65_535;
    private static final Pattern FILE_NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf", Pattern.DOTALL);

    /// What the keys and the name of a file say.
    static Split of(Header header, Path path) {
        String fileName = Optional.ofNullable(path.getFileName()).map(Path::toString).orElse("");
        long count = header.metadata().findLong(COUNT).orElse(1);
        if (count == 0 || count == 1) return new Split(fileName, 0, 1);
        long no = header.metadata().requireLong(NO);
        if (count < 0 || count > MOST_PARTS) throw wrong(header, COUNT, "1 to " + MOST_PARTS + " parts", count);
        if (no < 0 || no >= count) throw wrong(header, NO, "0 to " + (count - 1), no);
        Matcher m = FILE_NAME.matcher(fileName);
        if (!m.matches() || Integer.parseInt(m.group(2)) != no + 1 || Integer.parseInt(m.group(3)) != count)
            throw new ModelFormatException(header.file() + ": part " + (no + 1) + " of " + count
                    + " of a split model: expected a file name ending in "
                    + ending((int) no, (int) count) + ", as the other parts are found by name: give the files their original names");
        return new Split(m.group(1), (int) no, (int) count);
    }

    /// The file name of a part.
    String fileName(int part) {
        return name + ending(part, count);
    }

    static String ending(int part, int count) {
        return "-%05d-of-%05d.gguf".formatted(part + 1, count);
    }

    /// Whether a key says how the files are laid out and nothing about the model.
    static boolean isLayout(String key) {
        return key.equals(NO) || key.equals(COUNT) || key.equals(TENSORS) || key.equals(ALIGNMENT);
    }

    /// Checks that these are the parts of one model, in order.
    static void checkTogether(List<Header> parts) {
        Header first = parts.get(0);
        Map<String, Header> owners = new HashMap<>();
        for (int no = 0; no < parts.size(); no++) {
            Header part = parts.get(no);
            long saidNo = part.metadata().requireLong(NO);
            if (saidNo != no) throw wrong(part, NO, "part " + no + ", as its name says", saidNo);
            long saidCount = part.metadata().requireLong(COUNT);
            if (saidCount != parts.size()) throw wrong(part, COUNT, parts.size() + " parts, as in " + first.file(), saidCount);
            checkSameModel(first, part);
            for (TensorInfo tensor : part.tensors()) {
                Header owner = owners.putIfAbsent(tensor.name(), part);
                if (owner != null)
                    throw new ModelFormatException(part.file() + ": tensor " + Text.quote(tensor.name())
                            + ": expected every tensor in one part, found it in " + owner.file() + " too");
            }
        }
        long said = first.metadata().requireLong(TENSORS);
        if (said != owners.size()) throw wrong(first, TENSORS, owners.size() + " tensors, as all parts together hold", said);
    }

    /// A part repeats few keys or none; those it repeats must say the same.
    private static void checkSameModel(Header first, Header part) {
        for (String key : part.metadata().keys()) {
            if (key.equals(NO) || key.equals(ALIGNMENT)) continue;
            Optional<MetadataValue> expected = first.metadata().find(key);
            Optional<MetadataValue> found = part.metadata().find(key);
            if (expected.isPresent() && !expected.equals(found))
                throw new ModelFormatException(part.file() + ": key " + Text.quote(key)
                        + ": expected " + expected.get() + " as in " + first.file() + ", found " + found.get()
                        + ": a part of another model?");
        }
    }

    private static ModelFormatException wrong(Header header, String key, String expected, long found) {
        return new ModelFormatException(header.file() + ": key " + Text.quote(key) + ": expected " + expected + ", found " + found);
    }
}
