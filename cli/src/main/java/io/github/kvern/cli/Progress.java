package io.github.kvern.cli;

import java.util.function.Supplier;

/// One line on standard error for a person who waits: it comes after half a second, is written over again and again, and is gone
/// when the waiting is over. Without a terminal there is none.
final class Progress implements AutoCloseable {
    private static final long FIRST_MILLIS = 500;
    private static final long EVERY_MILLIS = 200;

    private final Terminal terminal;
    private final Supplier<String> line;
    private int width;
    private boolean closed;

    private Progress(Terminal terminal, Supplier<String> line) {
        this.terminal = terminal;
        this.line = line;
    }

    /// Begins to wait.
    ///
    /// @param line what to show, asked for on another thread; an empty one shows nothing yet
    static Progress start(Terminal terminal, Supplier<String> line) {
        Progress progress = new Progress(terminal, line);
        if (terminal.errIsTerminal()) Thread.ofPlatform().daemon().name("kvern-progress").start(progress::run);
        else progress.closed = true;
        return progress;
    }

    private synchronized void run() {
        try {
            long wait = FIRST_MILLIS;
            while (!closed) {
                long until = System.nanoTime() + wait * 1_000_000;
                while (!closed && until - System.nanoTime() > 0) wait(Math.max(1, (until - System.nanoTime()) / 1_000_000));
                if (!closed) show(line.get());
                wait = EVERY_MILLIS;
            }
        } catch (InterruptedException e) {
            closed = true;
        }
    }

    private void show(String text) {
        if (text.isEmpty()) return;
        terminal.err().print("\r" + text + " ".repeat(Math.max(0, width - text.length())));
        terminal.err().flush();
        width = text.length();
    }

    /// Ends the waiting and clears the line, so that other output may follow. Stopping again does nothing.
    synchronized void stop() {
        if (closed) return;
        closed = true;
        if (width > 0) terminal.err().print("\r" + " ".repeat(width) + "\r");
        terminal.err().flush();
        notifyAll();
    }

    @Override
    public void close() {
        stop();
    }
}
