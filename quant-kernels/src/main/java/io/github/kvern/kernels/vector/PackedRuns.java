package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.L;

import java.lang.foreign.MemorySegment;

/// A packed type that multiplies many columns in 16 bits, run by run: from unpacked blocks ([#multiply]) or, where there are few groups of
/// columns, straight from the lines ([#direct]).
public abstract class PackedRuns extends PackedType {
    /// See [PackedType].
    PackedRuns(int length, int lines, int run, int wide, int offset, int wideOffset) {
        super(length, lines, run, wide, offset, wideOffset);
    }

    @Override
    public final int few() {
        return 3;
    }

    /// Columns up to which each group is multiplied straight from the lines. Groups of four pay sooner for cutting the lines anew.
    public final int direct() {
        return PackedOperand.GROUP == 8 ? 64 : 8;
    }

    @Override
    public final void multiply(PackedTile tile, PackedOperand x, int before, int width, int k, int block, int count, float[] acc,
            int accAt) {
        for (int i = 0; i < count; i++) {
            int at = before * k + (block + i) * length * width;
            boolean narrow = x.narrow[at / length];
            int size = narrow ? run : wide;
            tile.runs(length / size, i * length * PackedTile.ROWS, size, x.x, at, x.biases(narrow), at / size, width);
            end(tile, i, x, at, narrow, width, acc, accAt);
        }
    }

    /// Adds the products of one block and a group of columns to `acc[column][tileRows()]`, straight from the lines.
    ///
    /// @param low a block of the tile's first panel
    /// @param high of its second panel, with 64 rows in a tile; where there is none, the first once more
    /// @param width of the group: 1, 2, 4 or 8
    /// @param k values in a column
    /// @param block its number along k
    /// @param first whether this is the block's first group: its scales are unpacked then, after the lines before them were read
    public final void direct(MemorySegment low, long lowAt, MemorySegment high, long highAt, PackedTile tile, PackedOperand x, int before,
            int width, int k, int block, boolean first, float[] acc, int accAt) {
        int at = before * k + block * length * width;
        boolean narrow = x.narrow[at / length];
        int size = narrow ? run : wide;
        for (int h = 0; h < PackedTile.ROWS; h += 4 * L) {
            long a = lowAt + 2 * h, b = tileRows() > ROWS ? highAt : a + 4 * L;
            lines(low, a, tileRows() > ROWS ? high : low, b, size, x.x, at, x.biases(narrow), at / size, width,
                    tile.parts, h);
        }
        if (first) {
            scales(low, lowAt, tile, 0, 0);
            if (tileRows() > ROWS) scales(high, highAt, tile, 0, 1);
        }
        end(tile, 0, x, at, narrow, width, acc, accAt);
    }

    /// Sums of a block's runs, two vectors of rows.
    ///
    /// @param low where the first vector begins in the block's first line
    /// @param high where the second one begins: in the other panel, where a tile has two, or further on in the same line
    /// @param size values of k in a run
    /// @param parts takes `[run][width][PackedTile.ROWS]` from `to` on
    abstract void lines(MemorySegment low, long lowAt, MemorySegment high, long highAt, int size, int[] x, int xAt, int[] biases,
            int biasAt, int width, short[] parts, int to);

    /// Ends a block, whose runs' sums are in [PackedTile#parts].
    ///
    /// @param i which of the tile's blocks
    /// @param at of the block's values in the operand
    /// @param narrow whether the runs are not wide
    abstract void end(PackedTile tile, int i, PackedOperand x, int at, boolean narrow, int width, float[] acc, int accAt);
}
