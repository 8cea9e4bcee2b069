package io.github.kvern.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineMemoryTest {
    @TempDir
    private Path root = Path.of("");

    private void write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private void assertSays(OptionalLong total, OptionalLong available, OptionalLong limit) {
        MachineMemory memory = new MachineMemory(root);
        assertEquals(total, memory.total());
        assertEquals(available, memory.available());
        assertEquals(limit, memory.limit());
    }

    @Test
    void aMachineWithoutTheseFilesSaysNothing() {
        assertSays(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());
    }

    @Test
    void theMachineAndTheGroup() throws IOException {
        write("proc/meminfo", "MemTotal:       1000 kB\nMemFree:  5 kB\nMemAvailable:    700 kB\n");
        assertSays(OptionalLong.of(1_024_000), OptionalLong.of(716_800), OptionalLong.empty());
        write("proc/self/cgroup", "0::/box\n");
        write("sys/fs/cgroup/box/memory.max", "max\n");
        assertSays(OptionalLong.of(1_024_000), OptionalLong.of(716_800), OptionalLong.empty());
        write("sys/fs/cgroup/box/memory.max", "500000\n");
        assertSays(OptionalLong.of(1_024_000), OptionalLong.of(716_800), OptionalLong.of(500_000));
        write("sys/fs/cgroup/box/memory.current", "450000\n");
        write("sys/fs/cgroup/box/memory.stat", "anon 50000\nfile_mapped 3\nfile 400000\n");
        assertSays(OptionalLong.of(1_024_000), OptionalLong.of(450_000), OptionalLong.of(500_000));
    }

    @Test
    void howMuchMayBeLocked() throws IOException {
        MachineMemory memory = new MachineMemory(root);
        assertEquals(OptionalLong.empty(), memory.lockable());
        write("proc/self/limits",
                "Limit  Soft Limit  Hard Limit  Units\nMax locked memory         65536                8388608     bytes\n");
        assertEquals(OptionalLong.of(65_536), memory.lockable());
        write("proc/self/status", "Name:\tjava\nCapEff:\t0000000000003fff\n");
        assertEquals(OptionalLong.of(65_536), memory.lockable(), "all rights below this one");
        write("proc/self/status", "Name:\tjava\nCapEff:\t0000000000004000\n");
        assertEquals(OptionalLong.of(Long.MAX_VALUE), memory.lockable());
        write("proc/self/status", "CapEff:\tall of them\n");
        write("proc/self/limits", "Max locked memory         unlimited            unlimited            bytes\n");
        assertEquals(OptionalLong.of(Long.MAX_VALUE), memory.lockable());
        write("proc/self/limits", "Max locked memory         a lot\n");
        assertEquals(OptionalLong.empty(), memory.lockable());
    }

    @Test
    void whatMakesNoSenseIsNotBelieved() throws IOException {
        write("proc/meminfo", "MemTotal: 99999999999999999999 kB\nMemAvailable: -5 kB\nMemAvailable: 999999999999999999 kB\n");
        write("proc/self/cgroup", "0::/../../etc\n");
        write("sys/fs/cgroup/memory.max", "12 34\n");
        assertSays(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());
        Files.delete(root.resolve("proc/meminfo"));
        Files.createDirectories(root.resolve("proc/meminfo"));
        write("proc/self/cgroup", "0::/a\0b\n");
        assertSays(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());
    }
}
