package io.github.kvern;

import java.util.List;

/// The engine's platform threads in this JVM.
final class Threads {
    private Threads() {
    }

    static List<String> engines() {
        return Thread.getAllStackTraces().keySet().stream().filter(Thread::isAlive).map(Thread::getName).filter(n -> n.startsWith("kvern-"))
                .toList();
    }

    /// Fails if a model's threads outlive it. Not for tests that run beside others with a model.
    static void assertNoneLeft() {
        if (!engines().isEmpty()) throw new AssertionError("threads are left: " + engines());
    }
}
