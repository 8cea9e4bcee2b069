package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.vector.PackedType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

/// The way back from a packed layout to blocks as in the file, byte for byte: packed weights are the only copy there is.
///
/// Packing moves bits, inverts some, and does no more. So nobody has to write down the way back: blocks are packed in which every bit
/// tells its number, one digit of it at a time, and where the digits turn up is where the bit went. Rows that differ in their lane
/// only ([PackedType]) lie 4 bytes apart. Whether all this holds for a type is tried on random blocks.
final class Unpacking {
    private static final int LANES = PackedType.ROWS / 2;

    private final PackedType type;
    private final int bytes;
    private final byte[] zeros;
    private final int[][] pieces = new int[2][];

    /// @param file the type's blocks in the file
    /// @throws IllegalStateException the packed layout is more than moved and inverted bits
    Unpacking(TensorType file, PackedType type) {
        this.type = type;
        bytes = file.blockBytes();
        zeros = pack(new byte[PackedType.ROWS * bytes]);
        for (int half = 0; half < 2; half++) pieces[half] = pieces(places(half * LANES));
        byte[] random = new byte[PackedType.ROWS * bytes], found = new byte[random.length];
        new Random(file.id()).nextBytes(random);
        byte[] packed = pack(random);
        for (int row = 0; row < PackedType.ROWS; row++) restore(packed, row, found, row * bytes);
        if (!Arrays.equals(random, found)) throw wrong();
    }

    private IllegalStateException wrong() {
        return new IllegalStateException(type.getClass().getSimpleName() + ": packing moves more than bits");
    }

    private byte[] pack(byte[] blocks) {
        byte[] packed = new byte[type.blockBytes()];
        int[] ints = new int[packed.length / 4]; // what packing stores is ints
        type.pack(MemorySegment.ofArray(blocks), 0, bytes, PackedType.ROWS, MemorySegment.ofArray(ints), 0, new int[PackedType.SCRATCH]);
        MemorySegment.copy(MemorySegment.ofArray(ints), ValueLayout.JAVA_BYTE, 0, packed, 0, packed.length);
        return packed;
    }

    /// A name for the layout, which no other has: it follows from where each bit is.
    String format() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(zeros);
            for (int[] half : pieces) for (int piece : half) digest.update(ByteBuffer.allocate(4).putInt(0, piece));
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// Where in a packed block each bit of a row's block is.
    private int[] places(int row) {
        int bits = 8 * bytes;
        int[] numbers = new int[8 * zeros.length], places = new int[bits];
        for (int digit = 0; bits >> digit != 0; digit++) {
            byte[] blocks = new byte[PackedType.ROWS * bytes];
            for (int bit = 0; bit < bits; bit++) blocks[row * bytes + bit / 8] |= (byte) ((bit + 1 >> digit & 1) << bit % 8);
            byte[] packed = pack(blocks);
            for (int at = 0; at < packed.length; at++)
                for (int b = 0; b < 8 && packed[at] != zeros[at]; b++)
                    numbers[8 * at + b] |= ((packed[at] ^ zeros[at]) >> b & 1) << digit;
        }
        Arrays.fill(places, -1);
        for (int at = 0; at < numbers.length; at++) {
            if (numbers[at] == 0) continue;
            if (numbers[at] > bits) throw wrong();
            places[numbers[at] - 1] = at;
        }
        for (int place : places) if (place < 0) throw wrong();
        return places;
    }

    /// Bits that stay side by side: `byte in the packed block << 12 | bit there << 8 | count << 4 | bit in the file's byte`, for all
    /// bytes in their order.
    private static int[] pieces(int[] places) {
        int[] all = new int[places.length];
        int n = 0;
        for (int bit = 0, count; bit < places.length; bit += count) {
            int at = places[bit];
            for (count = 1; (bit + count) % 8 != 0 && (at + count) % 8 != 0 && places[bit + count] == at + count;) count++;
            all[n++] = at / 8 << 12 | at % 8 << 8 | count << 4 | bit % 8;
        }
        return Arrays.copyOf(all, n);
    }

    private void restore(byte[] packed, int row, byte[] out, int to) {
        int at = to - 1, lane = row % LANES * 4;
        for (int piece : pieces[row / LANES]) {
            int from = piece >> 12, value = (packed[from + lane] ^ zeros[from]) >> (piece >> 8 & 7) & (1 << (piece >> 4 & 15)) - 1;
            if ((piece & 7) == 0) out[++at] = (byte) value;
            else out[at] |= (byte) (value << (piece & 7));
        }
    }

    /// Restores rows of a panel.
    ///
    /// @param w the packed weights; the panel begins at `at`
    /// @param blocks in a row
    /// @param first row of the panel, 0 to 31
    /// @param rows how many
    /// @param block [PackedType#blockBytes()] bytes of scratch
    /// @param out takes the rows, as in the file, one after the other
    void rows(MemorySegment w, long at, int blocks, int first, int rows, byte[] block, byte[] out) {
        for (int b = 0; b < blocks; b++) {
            MemorySegment.copy(w, ValueLayout.JAVA_BYTE, at + (long) b * type.blockBytes(), block, 0, type.blockBytes());
            for (int r = 0; r < rows; r++) restore(block, first + r, out, (r * blocks + b) * bytes);
        }
    }
}
