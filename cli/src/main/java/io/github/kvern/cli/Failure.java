package io.github.kvern.cli;

/// What ends a run early: an exit code and one line for standard error, or none when there is nobody left to read it. [Failures]
/// makes them.
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    /// @param line one line, or an empty one to end quietly
    Failure(int exitCode, String line, Throwable cause) {
        super(line, cause);
        this.exitCode = exitCode;
    }

    /// @param line one line
    Failure(int exitCode, String line) {
        super(line);
        this.exitCode = exitCode;
    }

    int exitCode() {
        return exitCode;
    }

    /// What to print; empty for nothing.
    String line() {
        String line = getMessage();
        return line == null ? "" : line;
    }
}
