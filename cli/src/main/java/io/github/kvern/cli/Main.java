package io.github.kvern.cli;

/// The entry point of the command line.
public final class Main {
    private Main() {
    }

    /// Placeholder until the verbs land.
    public static void main(String[] args) {
        System.err.println("kvern: no verbs yet");
    }
}
