package io.github.kvern.cli;

import io.github.kvern.testdata.TestData;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/// One run of the command line in this process.
record Run(int exitCode, byte[] bytes, String err) {
    static final String MODEL = TestData.folder().resolve("models/fables-10m-a6m-Q4_K_M.gguf").toString();

    /// A verb on the model that ships, with nothing on standard input.
    static Run of(String verb, String... args) {
        return with(new byte[0], verb, args);
    }

    /// A verb on the model that ships, with this text on standard input.
    static Run piped(String in, String verb, String... args) {
        return with(in.getBytes(StandardCharsets.UTF_8), verb, args);
    }

    /// A verb on the model that ships, with these bytes on standard input.
    static Run with(byte[] in, String verb, String... args) {
        String[] all = new String[args.length + 3];
        all[0] = verb;
        all[1] = "-m";
        all[2] = MODEL;
        System.arraycopy(args, 0, all, 3, args.length);
        return plain(in, all);
    }

    /// These arguments, and no others.
    static Run plain(byte[] in, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exitCode = run(in, out, err, args);
        return new Run(exitCode, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
    }

    static int run(byte[] in, OutputStream out, OutputStream err, String... args) {
        return Main.run(new Session(Terminal.of(new ByteArrayInputStream(in), out, err), new Interrupts()), args);
    }

    String out() {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /// All that happened, for the message of a failed test.
    @Override
    public String toString() {
        return "exit code " + exitCode + "\nout: " + out() + "\nerr: " + err;
    }
}
