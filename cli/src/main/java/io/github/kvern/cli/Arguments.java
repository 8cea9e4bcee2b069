package io.github.kvern.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The arguments as they were typed.
///
/// The JVM decodes them by the locale: in the `C` locale every letter beyond ASCII becomes a question mark, and bytes that are no
/// UTF-8 become U+FFFD. A prompt must not be changed silently, so where a character is suspicious the bytes are looked up.
final class Arguments {
    private Arguments() {
    }

    /// The arguments, decoded as UTF-8 where the system shows their bytes.
    static String[] asTyped(String[] args) {
        boolean suspicious = false;
        for (String arg : args) suspicious |= arg.indexOf('?') >= 0 || arg.indexOf('\uFFFD') >= 0 || !arg.chars().allMatch(c -> c < 128);
        if (!suspicious) return args;
        try {
            return decode(args, Files.readAllBytes(Path.of("/proc/self/cmdline")));
        } catch (IOException e) {
            return args;
        }
    }

    /// Replaces what differs by what the command line says, if it ends in these arguments.
    ///
    /// @param commandLine every argument of the process, each ended by a zero byte
    static String[] decode(String[] args, byte[] commandLine) {
        List<byte[]> all = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < commandLine.length; i++) {
            if (commandLine[i] != 0) continue;
            all.add(Arrays.copyOfRange(commandLine, from, i));
            from = i + 1;
        }
        if (all.size() < args.length) return args;
        List<byte[]> typed = all.subList(all.size() - args.length, all.size());
        for (int i = 0; i < args.length; i++) if (!couldBe(args[i], typed.get(i))) return args;
        String[] decoded = new String[args.length];
        for (int i = 0; i < args.length; i++) decoded[i] = Utf8.decode(typed.get(i), "argument " + (i + 1), 0);
        return decoded;
    }

    /// Whether the JVM may have made this argument of these bytes: all that is plain ASCII must be there in the same order.
    private static boolean couldBe(String arg, byte[] bytes) {
        return plain(arg).equals(plain(new String(bytes, StandardCharsets.ISO_8859_1)));
    }

    private static String plain(String text) {
        StringBuilder kept = new StringBuilder();
        text.chars().filter(c -> c < 128 && c != '?').forEach(c -> kept.append((char) c));
        return kept.toString();
    }
}
