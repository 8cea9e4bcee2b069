package io.github.kvern.kernels.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;

import io.github.kvern.kernels.scalar.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;

/// How the weights of one type lie when they were packed at load, and the products with them.
///
/// 32 rows make a panel. A panel is one strictly ascending stream of lines of 64 bytes, block by block along k. An int lane i of a
/// line belongs to row i in its low half and to row i + 16 in its high half, for vectors of every width:
///
/// ```
///   line   lane 0             lane 1             ...   lane 15
///          row 0  | row 16    row 1  | row 17          row 15 | row 31
/// ```
///
/// A half holds as many values of k as fit. It is multiplied where it lies, modulo 2^16: with q in 0..2z-1 and |a| <= 127, an
/// accumulator that starts at -z * sum(a) ends at the sum of (q - z) * a, which fits while a *run* of k is short enough. Twice as long a
/// *wide* run fits while the mean |a| in it is below 64, which is nearly always so: whether it is, is found when the activations are
/// made, and where it is not, the shorter run is taken. The sums are the same. From there on sums are exact in 32 bits up to the end of a block, where they meet the block's scales in a fixed order. So a row's
/// result is the same for every width, for any number of columns, and for plain Java.
///
/// Slices: a kernel takes one slice of the segment per block, of constant size. Accesses at constant places in it need no check any
/// more, which is worth a fifth (and makes it as fast as an array on the heap). Where a line's values are multiplied with many columns a
/// check costs nothing that shows, and a slice is an object that the compiler does not always take away: there it is left out.
public abstract class PackedType {
    /// Rows of a panel.
    public static final int ROWS = 32;
    /// Bytes of a line.
    static final int LINE = 64;
    /// Ints of scratch that [#pack] is given.
    public static final int SCRATCH = 64 * ROWS + 105 * 16;
    static final int NIBBLE = 0x000f000f;
    /// The bits of two half floats' exponent and fraction, moved to where a float has them; times [#HALF] they are the value.
    static final int HALF_BITS = 0x8fffe000;
    static final float HALF = 0x1p112f;

    final int length;
    final int lines;
    final int run;
    final int wide;
    final int offset;
    final int wideOffset;

    /// @param length values of k in a block
    /// @param lines of a block
    /// @param run values of k whose products fit 16 bits
    /// @param wide values of k whose products fit 16 bits with most activations: one or two runs. A group of columns in which they do
    ///        not, is multiplied run by run.
    /// @param offset taken from each value for that: half of what a value can be
    /// @param wideOffset the same in wide runs: as much, or nothing where that saves adding it again
    PackedType(int length, int lines, int run, int wide, int offset, int wideOffset) {
        this.length = length;
        this.lines = lines;
        this.run = run;
        this.wide = wide;
        this.offset = offset;
        this.wideOffset = wideOffset;
    }

    /// Values of k in a block.
    public final int blockLength() {
        return length;
    }

    /// Bytes of a block of 32 rows.
    public final int blockBytes() {
        return lines * LINE;
    }

    /// Packs one block of 32 rows. Plain loops: it runs before the compiler has seen much of anything.
    ///
    /// @param source the matrix as in the file
    /// @param at byte offset of the first row's block
    /// @param rowBytes distance of two rows
    /// @param rows 1 to 32; missing rows become zeros
    /// @param target takes [#blockBytes()] from `to` on
    /// @param scratch [#SCRATCH] ints, overwritten
    /// @return false when a scale is no finite number: the matrix then has to stay as it is
    public abstract boolean pack(MemorySegment source, long at, long rowBytes, int rows, MemorySegment target, long to, int[] scratch);

    /// A panel times a group of one column: `y[row]`, 32 of them.
    ///
    /// @param at byte offset of the panel
    /// @param blocks in a row
    /// @param before columns before this one in the operand, with padding
    public abstract void column(MemorySegment w, long at, int blocks, PackedOperand x, int before, float[] y);

    /// Unpacks blocks for the tile. The values first: they are most of the lines, and the processor fetches what is read in order.
    ///
    /// @param count of blocks, up to [#stepBlocks]
    /// @param panel 0 or, with 64 rows in a tile, 1: which of the tile's panels
    public final void unpack(MemorySegment w, long at, int count, PackedTile tile, int panel) {
        for (int i = 0; i < count; i++) values(w, at + (long) i * blockBytes(), tile, i, panel);
        for (int i = 0; i < count; i++) scales(w, at + (long) i * blockBytes(), tile, i, panel);
    }

    /// Unpacks the values of a block.
    ///
    /// @param i which of the tile's blocks
    abstract void values(MemorySegment w, long at, PackedTile tile, int i, int panel);

    /// Unpacks the scales of a block, and what else its end needs.
    public abstract void scales(MemorySegment w, long at, PackedTile tile, int i, int panel);

    /// Adds the products of unpacked blocks and a group of columns to `acc[column][tileRows()]`.
    ///
    /// @param width of the group: 1, 2, 4 or 8
    /// @param k values in a column
    /// @param block number of the first block along k
    public abstract void multiply(PackedTile tile, PackedOperand x, int before, int width, int k, int block, int count, float[] acc,
            int accAt);

    /// Columns up to which each is multiplied by itself ([#column]) while the panel is in the cache: faster than unpacking it.
    public int few() {
        return 4;
    }

    /// Whether the products of a wide run fit 16 bits, whatever the weights.
    ///
    /// @param size sum of the run's values without their signs
    final boolean fits(int size) {
        return size * Math.max(wideOffset, 2 * offset - 1 - wideOffset) <= Short.MAX_VALUE;
    }

    /// Whether a column that is alone ([#column]) is multiplied by factors in place of its values, which saves cutting the weights out.
    boolean hasFactors() {
        return false;
    }

    /// Rows of a tile: 32 or 64.
    public int tileRows() {
        return PackedTile.ROWS;
    }

    /// Whether many columns are multiplied as floats (which hold the same whole numbers).
    public boolean usesFloats() {
        return false;
    }

    /// The most blocks that are unpacked at once.
    public final int stepBlocks() {
        return Math.max(1, (usesFloats() ? 128 : 256) / length);
    }

    /// The half floats of a line, in the order of rows.
    ///
    /// A vector is not handed to it: where the call is not inlined, that would be an object.
    static void floats(MemorySegment w, long lineAt, float[] out, int at) {
        Mapped.mark(w, lineAt);
        IntVector line = IntVector.fromMemorySegment(Lanes.I, w, lineAt, Lanes.LE);
        line.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).intoArray(out, at);
        line.lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).intoArray(out, at + 16);
    }

    /// `words[32 * i + row]`: `count` words of 32 bits of each row, from byte `at` of the first one on.
    static void words(MemorySegment source, long at, long rowBytes, int rows, int count, int[] words, int to) {
        for (int row = 0; row < ROWS; row++) {
            long from = at + row * rowBytes;
            if (row < rows) for (int i = 0; i < count; i++) words[to + ROWS * i + row] = source.get(LittleEndian.INT, from + 4L * i);
            else for (int i = 0; i < count; i++) words[to + ROWS * i + row] = 0;
        }
    }

    /// Puts 32 numbers of 16 bits in a line: `out[outAt + i] = v[i] | v[i + 16] << 16`.
    static void halves(int[] v, int at, int shift, int[] out, int outAt) {
        for (int i = 0; i < 16; i++) out[outAt + i] = v[at + i] >>> shift & 0xffff | v[at + 16 + i] >>> shift << 16;
    }

    /// Whether all 32 half floats of a line are finite.
    static boolean finite(int[] line, int at) {
        boolean finite = true;
        for (int i = 0; i < 16; i++) finite &= (line[at + i] & 0x7c00) != 0x7c00 && (line[at + i] & 0x7c000000) != 0x7c000000;
        return finite;
    }

    static void store(int[] block, int at, int count, MemorySegment target, long to) {
        MemorySegment.copy(block, at, target, ValueLayout.JAVA_INT, to, count);
    }
}
