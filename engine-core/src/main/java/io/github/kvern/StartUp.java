package io.github.kvern;

import io.github.kvern.kernels.Kernels;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks at the JVM once and says what is wrong with it.
final class StartUp {
    private static final Logger LOG = LoggerFactory.getLogger(StartUp.class);
    private static final AtomicBoolean LOOKED = new AtomicBoolean();

    private StartUp() {
    }

    /// The kernels to use.
    static Kernels kernels() {
        Kernels best = Kernels.best();
        if (LOOKED.compareAndSet(false, true)) check(best);
        return best;
    }

    private static void check(Kernels best) {
        Runtime.Version v = Runtime.version();
        if (v.feature() == 25 && v.interim() == 0 && v.update() < 3)
            warn("this is JDK " + v + ": versions 25.0.0 to 25.0.2 can corrupt heap data under the G1 collector; use 25.0.3 or newer");
        best.warning().ifPresent(StartUp::warn);
    }

    /// Through SLF4J; on standard error when no provider is bound, because a warning that nobody sees is none.
    static void warn(String text) {
        if (LoggerFactory.getILoggerFactory() instanceof org.slf4j.helpers.NOPLoggerFactory) System.err.println("kvern: warning: " + text);
        else LOG.warn(text);
    }
}
