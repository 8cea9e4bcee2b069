package io.github.kvern.engine.layer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/// What Linux says about memory at this moment; says nothing where there is no Linux, or where its files cannot be made sense of.
public final class MachineMemory {
    private static final int MOST_BYTES = 1 << 20;
    private static final int CAP_IPC_LOCK = 14;
    private static final String LOCKED = "Max locked memory";
    private final Path root;

    /// @param root of the file system: another one than `/` in tests
    public MachineMemory(Path root) {
        this.root = root;
    }

    /// Bytes of the machine.
    public OptionalLong total() {
        return line(read("proc/meminfo"), "MemTotal:", 1024);
    }

    /// Bytes that could be had without anybody being pushed out: free ones and caches, of the machine or of this process's group, whichever
    /// has less.
    public OptionalLong available() {
        OptionalLong machine = line(read("proc/meminfo"), "MemAvailable:", 1024);
        OptionalLong limit = limit();
        if (limit.isEmpty()) return machine;
        OptionalLong used = number(read(group() + "/memory.current")), cache = line(read(group() + "/memory.stat"), "file ", 1);
        if (used.isEmpty()) return machine;
        long left = Math.max(0, Math.min(limit.getAsLong(), limit.getAsLong() - used.getAsLong() + cache.orElse(0)));
        return OptionalLong.of(Math.min(left, machine.orElse(Long.MAX_VALUE)));
    }

    /// Bytes that this process may lock in memory, in all: `Long.MAX_VALUE` for any number.
    public OptionalLong lockable() {
        for (String line : read("proc/self/status").lines().toList())
            if (line.matches("CapEff:\\s*[0-9a-f]{16}")
                    && (Long.parseUnsignedLong(line.substring(line.length() - 16), 16) >>> CAP_IPC_LOCK & 1) == 1)
                return OptionalLong.of(Long.MAX_VALUE); // who may do this is not asked for the limit
        for (String line : read("proc/self/limits").lines().toList()) {
            if (!line.startsWith(LOCKED)) continue;
            String soft = line.substring(LOCKED.length()).strip().split(" ", 2)[0];
            return soft.equals("unlimited") ? OptionalLong.of(Long.MAX_VALUE) : number(soft);
        }
        return OptionalLong.empty();
    }

    /// The limit of this process's control group (version 2), if it has one.
    public OptionalLong limit() {
        return number(read(group() + "/memory.max"));
    }

    private String group() {
        String path = "/";
        for (String line : read("proc/self/cgroup").lines().toList()) if (line.startsWith("0::/")) path = line.substring(3).strip();
        return "sys/fs/cgroup" + (path.contains("..") || path.equals("/") ? "" : path);
    }

    private static OptionalLong line(String text, String name, long unit) {
        for (String line : text.lines().toList()) {
            if (!line.startsWith(name)) continue;
            OptionalLong n = number(line.substring(name.length()).replace("kB", ""));
            if (n.isPresent() && n.getAsLong() <= Long.MAX_VALUE / unit) return OptionalLong.of(n.getAsLong() * unit);
        }
        return OptionalLong.empty();
    }

    private static OptionalLong number(String text) {
        String digits = text.strip();
        if (digits.isEmpty() || digits.length() > 18 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) return OptionalLong.empty();
        return OptionalLong.of(Long.parseLong(digits));
    }

    /// A file's text; nothing if it cannot be read, or is too long to be what it should be.
    private String read(String path) {
        try (var in = Files.newInputStream(root.resolve(path))) {
            return new String(in.readNBytes(MOST_BYTES), StandardCharsets.ISO_8859_1);
        } catch (IOException | RuntimeException e) {
            return "";
        }
    }
}
