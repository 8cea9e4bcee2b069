package io.github.kvern.engine.layer;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.ModelFormatException;

/// What to say to those who wait, when the JVM raises something while a model is read or computed.
public final class Faults {
    private Faults() {
    }

    /// What a failure of a step means.
    ///
    /// @param rows of the step
    static RuntimeException ofStep(Throwable e, GgufFile file, int rows) {
        if (isMemory(e)) {
            return new MemoryBudgetException("a step of " + rows + " tokens needs more memory than is left of the " + limit()
                    + " bytes that the JVM may take (" + e.getMessage()
                    + "): lower the micro-batch (--ubatch), or give the JVM more memory (-Xmx)");
        }
        return ofFile(e, file, "the step failed: ");
    }

    /// What a failure means while a model is loaded.
    public static RuntimeException ofLoading(Throwable e, GgufFile file) {
        if (isMemory(e)) {
            return new MemoryBudgetException(file.paths().getFirst() + ": loading needs more memory than is left of the " + limit()
                    + " bytes that the JVM may take (" + e.getMessage() + "): give the JVM more memory (-Xmx), or lower the threads (-t)");
        }
        return ofFile(e, file, "loading failed: ");
    }

    private static long limit() {
        return Runtime.getRuntime().maxMemory();
    }

    /// No room, or a buffer so large that no array can be it.
    private static boolean isMemory(Throwable e) {
        return e instanceof OutOfMemoryError || e instanceof ArithmeticException a && String.valueOf(a.getMessage()).contains("overflow");
    }

    /// A page of a mapping that cannot be read becomes an [InternalError], where the JVM can make one of it.
    private static RuntimeException ofFile(Throwable e, GgufFile file, String what) {
        if (e instanceof InternalError && String.valueOf(e.getMessage()).contains("unsafe memory access"))
            return new ModelFormatException(
                    file.paths().getFirst() + ": the file changed while it was in use, or its disk failed: load it again", e);
        return e instanceof RuntimeException r ? r : new KvernException(what + e, e);
    }
}
