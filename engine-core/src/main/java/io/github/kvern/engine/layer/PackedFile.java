package io.github.kvern.engine.layer;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.PackedTensors;
import io.github.kvern.gguf.UnsupportedModelException;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.PackedForm;
import io.github.kvern.kernels.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// What a file with packed weights has to be, to be computed with.
public final class PackedFile {
    private PackedFile() {
    }

    /// Refuses a file whose source lies beside it and is another model now. A source that is not there, or cannot be read, is not
    /// asked.
    ///
    /// @throws ModelFormatException it is stale
    public static void requireFresh(GgufFile file) {
        PackedTensors packed = file.packed().orElse(null);
        if (packed == null) return;
        Path path = file.paths().getFirst();
        try {
            Path source = path.resolveSibling(packed.file());
            if (!Files.isRegularFile(source) || Files.isSameFile(source, path)) return;
            try (GgufFile now = GgufFile.open(source)) {
                String identity = now.packed().map(PackedTensors::source).orElseGet(now::identity);
                if (!identity.equals(packed.source()))
                    throw new Stale(path + ": stale: its weights were packed from " + source
                            + ", which is another model now: pack that again, with " + command(source, path));
            }
        } catch (Stale e) {
            throw new ModelFormatException(e.getMessage());
        } catch (IOException | InvalidPathException | KvernException e) { // no source that could tell
            return;
        }
    }

    private static final class Stale extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Stale(String message) {
            super(message);
        }

        @Override
        public String getMessage() {
            return String.valueOf(super.getMessage());
        }
    }

    private static String command(Object source, Path path) {
        return "`kvern repack --force " + source + " " + path + "`";
    }

    /// The rows of a weight, packed or not.
    static long rows(GgufFile file, String name) {
        return file.packed().map(p -> p.entries().get(name)).map(p -> (long) p.rows())
                .orElseGet(() -> file.require(name).info().extent(1));
    }

    /// The layout of a tensor's bytes, if it is one that can be computed with.
    static PackedForm form(GgufFile file, PackedTensors.Entry p, Kernels kernels, Precision precision) {
        Path path = file.paths().getFirst();
        String source = file.packed().map(PackedTensors::file).orElse("SOURCE"), where = path + ": tensor " + p.name() + ": ";
        if (precision == Precision.EXACT)
            throw new UnsupportedModelException(where + "it is packed, and exact products need weights as they were: "
                    + "use the model that it was packed from, " + source + ", with --precision exact");
        if (kernels.name().equals("scalar"))
            throw new UnsupportedModelException(where + "it is packed, and packed weights need vectors, which there are none of ("
                    + kernels.reason() + "): use the model that it was packed from, " + source);
        PackedForm form = PackedForm.of(kernels, p.type())
                .orElseThrow(() -> new ModelFormatException(where + "expected a type with a packed form, found " + p.type()));
        if (!form.format().equals(p.format()))
            throw new UnsupportedModelException(where + "stale: packed in layout " + p.format() + " of " + p.type()
                    + " by another version of Kvern, expected " + form.format() + ": pack the model again, with " + command(source, path));
        long bytes = form.bytes(p.rows(), p.columns(), p.experts());
        if (p.stored().info().bytes() != bytes)
            throw new ModelFormatException(where + "expected " + bytes + " bytes of packed weights, found " + p.stored().info().bytes());
        return form;
    }
}
