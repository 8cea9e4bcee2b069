package io.github.kvern.gguf;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Whatever bytes come, the reader gives a sound model or one of our own exceptions. A plain test run replays the corpus beside
/// this test; with `JAZZER_FUZZ=1` in the environment Jazzer searches on.
class FormatFuzzTest {
    @FuzzTest(maxDuration = "5m")
    void oneFile(byte[] bytes) {
        MemorySegment data = MemorySegment.ofArray(bytes);
        try {
            Header header = Header.read(data, "f.gguf");
            MutationTest.checkSound(header, data);
            Split.of(header, Path.of("f.gguf"));
        } catch (KvernException e) {
            checkMessage(e, "f.gguf: ");
        }
    }

    /// @param bytes the lengths of the first two parts in two bytes each, then the parts
    @FuzzTest(maxDuration = "5m")
    void threeParts(byte[] bytes) {
        if (bytes.length < 4) return;
        MemorySegment all = MemorySegment.ofArray(bytes);
        int first = 4 + Math.min(all.get(Cursor.SHORT, 0) & 0xFFFF, bytes.length - 4);
        int second = first + Math.min(all.get(Cursor.SHORT, 2) & 0xFFFF, bytes.length - first);
        List<MemorySegment> parts = List.of(all.asSlice(4, first - 4), all.asSlice(first, second - first), all.asSlice(second));
        try {
            List<Header> headers = new ArrayList<>();
            for (int no = 0; no < parts.size(); no++) {
                String name = "p" + Split.ending(no, parts.size());
                Header header = Header.read(parts.get(no), name);
                Split.of(header, Path.of(name));
                headers.add(header);
            }
            Split.checkTogether(headers);
        } catch (KvernException e) {
            checkMessage(e, "p-0000");
        }
    }

    private static void checkMessage(KvernException e, String start) {
        String message = String.valueOf(e.getMessage());
        if (!message.startsWith(start) || message.lines().count() != 1 || message.length() > 2000)
            throw new AssertionError("not one short line that names the file: " + message, e);
    }
}
