package io.github.kvern.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files changed at random end in one of our exceptions or are sound: nothing else is thrown, nothing hangs, and what is read
/// lies inside the file.
class MutationTest {
    private static final long[] HOSTILE = {0, 1, -1, 2, 7, 0x7F, 0x80, 0xFF, 0xFFFF, 1 << 20, Integer.MAX_VALUE, Integer.MIN_VALUE,
            0xFFFF_FFFFL, 1L << 32, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE};

    /// One to four changes: a byte, a number of 4 or 8 bytes made hostile, bytes removed, repeated, or the end cut off.
    static byte[] mutate(byte[] whole, SplittableRandom random) {
        byte[] bytes = whole.clone();
        for (int changes = random.nextInt(1, 5); changes > 0 && bytes.length > 8; changes--) {
            int at = random.nextInt(bytes.length - 8);
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> bytes[at] = (byte) random.nextInt();
                case 3 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 4 -> MemorySegment.ofArray(bytes).set(Cursor.INT, at, (int) HOSTILE[random.nextInt(HOSTILE.length)]);
                case 5 -> MemorySegment.ofArray(bytes).set(Cursor.LONG, at, HOSTILE[random.nextInt(HOSTILE.length)]);
                case 6 -> bytes = spliced(bytes, at, at + random.nextInt(8), new byte[0]);
                default -> {
                    int from = random.nextInt(bytes.length - 8);
                    byte[] piece = Arrays.copyOfRange(bytes, from, from + random.nextInt(1, 9));
                    bytes = random.nextInt(4) == 0 ? Arrays.copyOf(bytes, at) : spliced(bytes, at, at, piece);
                }
            }
        }
        return bytes;
    }

    private static byte[] spliced(byte[] bytes, int from, int to, byte[] piece) {
        byte[] result = new byte[bytes.length - (to - from) + piece.length];
        System.arraycopy(bytes, 0, result, 0, from);
        System.arraycopy(piece, 0, result, from, piece.length);
        System.arraycopy(bytes, to, result, from + piece.length, bytes.length - to);
        return result;
    }

    private static List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        seeds.add(Bytes.sample().array());
        seeds.add(new Bytes().header(1, 3).key("split.no", MetadataType.UINT16).u16(0).key("split.count", MetadataType.UINT16).u16(1)
                .key("split.tensors.count", MetadataType.INT32).u32(1).tensor("t", 12, 0, 256).pad(32).zeros(144).array());
        return seeds;
    }

    /// Checks that all a sound header promises holds, and reads all of its tensors.
    static void checkSound(Header header, MemorySegment data) {
        for (String key : header.metadata().keys()) assertTrue(header.metadata().find(key).orElseThrow().toString().lines().count() <= 1);
        for (TensorInfo tensor : header.tensors()) {
            MemorySegment bytes = data.asSlice(header.dataOffset() + tensor.offset(), tensor.bytes());
            long sum = 0;
            for (long i = 0; i < bytes.byteSize(); i++) sum += bytes.get(ValueLayout.JAVA_BYTE, i);
            assertTrue(sum <= 127 * bytes.byteSize());
            assertEquals(0, tensor.offset() % header.alignment());
        }
    }

    @Test
    void changedHeadersAreSoundOrRefused() {
        long seed = Long.getLong("kvern.test.seed", 20_260_101L);
        SplittableRandom random = new SplittableRandom(seed);
        List<byte[]> seeds = seeds();
        int sound = 0;
        int cases = 100_000;
        for (int i = 0; i < cases; i++) {
            byte[] bytes = mutate(seeds.get(i % seeds.size()), random);
            MemorySegment data = MemorySegment.ofArray(bytes);
            try {
                checkSound(Header.read(data, "m.gguf"), data);
                sound++;
            } catch (KvernException e) {
                String message = String.valueOf(e.getMessage());
                if (!message.startsWith("m.gguf: ") || message.lines().count() != 1 || message.length() > 600)
                    fail("seed " + seed + ", case " + i + ": " + message);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + ", case " + i + ", " + HexFormat.of().formatHex(bytes), e);
            }
        }
        int found = sound;
        assertTrue(sound > cases / 100 && sound < cases / 2, () -> "the changes should leave some files sound, but not most: " + found);
    }

    /// Bytes that this thread has allocated so far. By reflection, as the module under test reads no management module.
    private static long allocated() throws ReflectiveOperationException {
        Object threads = Class.forName("java.lang.management.ManagementFactory").getMethod("getThreadMXBean").invoke(null);
        return (long) Class.forName("com.sun.management.ThreadMXBean").getMethod("getCurrentThreadAllocatedBytes").invoke(threads);
    }

    private static void checkAllocation(byte[] bytes, String what) throws ReflectiveOperationException {
        long before = allocated();
        try {
            Header.read(MemorySegment.ofArray(bytes), "m.gguf");
        } catch (KvernException e) {
            assertTrue(String.valueOf(e.getMessage()).startsWith("m.gguf: "), e::getMessage);
        }
        long used = allocated() - before;
        assertTrue(used < 100L * bytes.length + (1 << 18), () -> what + ": " + used + " bytes for a file of " + bytes.length);
    }

    @Test
    void whatIsAllocatedIsBoundedByTheSizeOfTheFile() throws ReflectiveOperationException {
        long seed = Long.getLong("kvern.test.seed", 20_260_104L);
        SplittableRandom random = new SplittableRandom(seed);
        List<byte[]> seeds = seeds();
        for (int i = 0; i < 20_000; i++) checkAllocation(mutate(seeds.get(i % seeds.size()), random), "seed " + seed + ", case " + i);
        for (MetadataType type : MetadataType.values()) {
            Bytes array = new Bytes().header(0, 1).key("key", MetadataType.ARRAY).u32(type.id()).u64(1 << 16);
            checkAllocation(array.zeros((1 << 16) * type.leastBytes()).array(), "many " + type);
        }
        Bytes keys = new Bytes().header(0, 10_000);
        for (int i = 0; i < 10_000; i++) keys.key(Integer.toString(i, 36), MetadataType.UINT8).u8(0);
        checkAllocation(keys.array(), "many keys");
        Bytes tensors = new Bytes().header(10_000, 0);
        for (int i = 0; i < 10_000; i++) tensors.tensor(Integer.toString(i, 36), 0, 32L * i, 1);
        checkAllocation(tensors.pad(32).zeros(320_000).array(), "many tensors");
    }

    private static Bytes part(int no) {
        return new Bytes().header(1, 3).key("split.no", MetadataType.UINT16).u16(no).key("split.count", MetadataType.UINT16).u16(3)
                .key("split.tensors.count", MetadataType.INT32).u32(3).tensor("t" + no, 0, 0, 8).pad(32).zeros(32);
    }

    @Test
    void changedPartsBelongTogetherOrAreRefused() {
        long seed = Long.getLong("kvern.test.seed", 20_260_102L);
        SplittableRandom random = new SplittableRandom(seed);
        int sound = 0;
        for (int i = 0; i < 30_000; i++) {
            int changed = random.nextInt(3);
            try {
                List<Header> headers = new ArrayList<>();
                for (int no = 0; no < 3; no++) {
                    byte[] bytes = part(no).array();
                    String name = "m" + Split.ending(no, 3);
                    headers.add(Header.read(MemorySegment.ofArray(no == changed ? mutate(bytes, random) : bytes), name));
                    Split.of(headers.get(no), Path.of(name));
                }
                Split.checkTogether(headers);
                sound++;
            } catch (KvernException e) {
                String message = String.valueOf(e.getMessage());
                if (!message.startsWith("m-0000") || message.lines().count() != 1) fail("seed " + seed + ", case " + i + ": " + message);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + ", case " + i, e);
            }
        }
        assertTrue(sound > 300, "sound " + sound);
    }

    @Test
    void changedFilesOpenOrAreRefused(@TempDir Path folder) throws IOException {
        long seed = Long.getLong("kvern.test.seed", 20_260_103L);
        SplittableRandom random = new SplittableRandom(seed);
        List<Path> paths = new ArrayList<>();
        for (int no = 0; no < 3; no++) paths.add(part(no).save(folder.resolve("m" + Split.ending(no, 3))));
        for (int i = 0; i < 200; i++) {
            int changed = random.nextInt(3);
            Files.write(paths.get(changed), mutate(part(changed).array(), random));
            try (GgufFile file = GgufFile.open(paths.get(random.nextInt(3)))) {
                assertTrue(file.paths().size() == 3 || file.paths().size() == 1);
                assertEquals(64, file.identity().length());
            } catch (KvernException | IOException e) {
                String message = String.valueOf(e.getMessage());
                if (!message.startsWith(folder.toString()) || message.lines().count() != 1)
                    fail("seed " + seed + ", case " + i + ": " + message);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + ", case " + i, e);
            }
            part(changed).save(paths.get(changed));
        }
    }
}
