package io.github.kvern.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/// The first bytes of a file: whether it is a GGUF file that can be read here, and if not, what it seems to be instead. People
/// meet these when a download went wrong, so each case has its own advice.
final class Signature {
    private static final int HEADER_BYTES = 24;

    private Signature() {
    }

    /// Passes for GGUF of version 2 or 3, little-endian.
    static void check(MemorySegment data, String file) {
        if (data.byteSize() == 0) throw new ModelFormatException(file + ": expected a GGUF file, found an empty one: fetch it again");
        byte[] front = data.asSlice(0, Math.min(64, data.byteSize())).toArray(ValueLayout.JAVA_BYTE);
        String text = new String(front, StandardCharsets.ISO_8859_1);
        if (!text.startsWith("GGUF")) throw foreign(text, file);
        if (data.byteSize() < HEADER_BYTES)
            throw new ModelFormatException(file + ": expected a header of at least " + HEADER_BYTES
                    + " bytes, found " + data.byteSize() + " bytes: the file is cut short, fetch it again");
        int version = data.get(Cursor.INT, 4);
        if (version == 2 || version == 3) return;
        int swapped = Integer.reverseBytes(version);
        if (swapped > 0 && swapped <= 0xFFFF)
            throw new UnsupportedModelException(file + ": a big-endian GGUF file (version " + swapped
                    + "); only little-endian files are supported: convert it for a little-endian machine");
        if (version == 1)
            throw new UnsupportedModelException(file + ": GGUF version 1; versions 2 and 3 are supported: "
                    + "convert the model again with a current converter");
        if (version > 3 && version <= 0xFFFF)
            throw new UnsupportedModelException(file + ": GGUF version " + version
                    + "; versions 2 and 3 are supported: a newer Kvern may read it");
        throw new ModelFormatException(file + ": expected GGUF version 2 or 3, found " + Integer.toUnsignedString(version));
    }

    private static KvernException foreign(String text, String file) {
        if (text.startsWith("FUGG"))
            return new UnsupportedModelException(file
                    + ": a big-endian GGUF file; only little-endian files are supported: convert it for a little-endian machine");
        if (text.startsWith("lmgg") || text.startsWith("fmgg") || text.startsWith("tjgg") || text.startsWith("algg"))
            return new UnsupportedModelException(file + ": a GGML file from before GGUF; convert the model to GGUF");
        return new ModelFormatException(file + ": expected a GGUF file, found " + looks(text));
    }

    private static String looks(String text) {
        if (text.startsWith("version https://git-lfs")) return "a Git LFS pointer, not the model itself: fetch it with \"git lfs pull\"";
        if (text.startsWith("PK\3\4")) return "a ZIP archive (a PyTorch checkpoint?): convert the model to GGUF";
        if (text.startsWith("\u001f\u008b")) return "a gzip file: decompress it first";
        if (text.startsWith("\u0028\u00b5\u002f\u00fd")) return "a zstd file: decompress it first";
        if (text.length() > 9 && text.charAt(8) == '{') return "a safetensors file: convert the model to GGUF";
        if (text.stripLeading().startsWith("<")) return "a web page or XML: the download went wrong, fetch the file itself";
        if (text.chars().allMatch(c -> c == 0)) return "zeros: the download is not complete, fetch it again";
        if (text.chars().allMatch(c -> c >= 0x20 && c != 0x7F || c == '\n' || c == '\r' || c == '\t'))
            return "text: " + Text.quote(text.lines().findFirst().orElse(""));
        return "another kind of file (its first bytes are " + hex(text) + ")";
    }

    private static String hex(String text) {
        StringBuilder hex = new StringBuilder();
        for (int i = 0; i < Math.min(4, text.length()); i++) hex.append(i == 0 ? "" : " ").append("%02x".formatted((int) text.charAt(i)));
        return hex.toString();
    }
}
