package io.github.kvern.gguf;

import java.util.Optional;

/// Every tensor type that the GGUF format names (ggml 0.27), with its number in the file, the values in a block and the
/// bytes of a block.
public enum TensorType {
    /// Floats of 32 bits.
    F32(0, 1, 4),
    /// Half floats, IEEE 754 binary16.
    F16(1, 1, 2),
    /// 4 bits around the middle, a half-float scale for 32 values.
    Q4_0(2, 32, 18),
    /// 4 bits, a half-float scale and minimum for 32 values.
    Q4_1(3, 32, 20),
    /// 5 bits around the middle, a half-float scale for 32 values.
    Q5_0(6, 32, 22),
    /// 5 bits, a half-float scale and minimum for 32 values.
    Q5_1(7, 32, 24),
    /// 8 bits, signed, a half-float scale for 32 values.
    Q8_0(8, 32, 34),
    /// 8 bits, a scale and a sum for 32 values: for activations inside a product, no weight type.
    Q8_1(9, 32, 36),
    /// 2 bits; 256 values in 16 groups, each with a scale and minimum of 4 bits.
    Q2_K(10, 256, 84),
    /// 3 bits; 256 values in 16 groups, each with a scale of 6 bits.
    Q3_K(11, 256, 110),
    /// 4 bits; 256 values in 8 groups, each with a scale and minimum of 6 bits.
    Q4_K(12, 256, 144),
    /// 5 bits; 256 values in 8 groups, each with a scale and minimum of 6 bits.
    Q5_K(13, 256, 176),
    /// 6 bits; 256 values in 16 groups, each with a scale of 8 bits.
    Q6_K(14, 256, 210),
    /// 8 bits; 256 values with sums: for activations inside a product, no weight type.
    Q8_K(15, 256, 292),
    /// About 2.06 bits: signs, and 8 values at a time from a table.
    IQ2_XXS(16, 256, 66),
    /// About 2.31 bits: signs, and 8 values at a time from a table.
    IQ2_XS(17, 256, 74),
    /// About 3.06 bits: signs, and 4 values at a time from a table.
    IQ3_XXS(18, 256, 98),
    /// About 1.56 bits: 8 values at a time from a table.
    IQ1_S(19, 256, 50),
    /// 4 bits that stand for 16 unevenly spaced values, a half-float scale for 32 of them.
    IQ4_NL(20, 32, 18),
    /// About 3.44 bits: signs, and 4 values at a time from a table.
    IQ3_S(21, 256, 110),
    /// About 2.56 bits: signs, and 8 values at a time from a table.
    IQ2_S(22, 256, 82),
    /// As [#IQ4_NL], 256 values in 8 groups, each with a scale of 6 bits.
    IQ4_XS(23, 256, 136),
    /// Whole numbers of 8 bits; no weight type.
    I8(24, 1, 1),
    /// Whole numbers of 16 bits; no weight type.
    I16(25, 1, 2),
    /// Whole numbers of 32 bits; no weight type.
    I32(26, 1, 4),
    /// Whole numbers of 64 bits; no weight type.
    I64(27, 1, 8),
    /// Floats of 64 bits; no weight type.
    F64(28, 1, 8),
    /// 1.75 bits: 8 values at a time from a table, scales of 3 bits.
    IQ1_M(29, 256, 56),
    /// The upper half of a float of 32 bits.
    BF16(30, 1, 2),
    /// Three values (-1, 0, 1), 5 of them in a byte.
    TQ1_0(34, 256, 54),
    /// Three values (-1, 0, 1), 4 of them in a byte.
    TQ2_0(35, 256, 66),
    /// Floats of 4 bits (E2M1), a power of two (E8M0) as scale for 32 of them.
    MXFP4(39, 32, 17),
    /// Floats of 4 bits (E2M1), a scale of 8 bits (E4M3) for 16 of them.
    NVFP4(40, 64, 36),
    /// 1 bit, a half-float scale for 128 values.
    Q1_0(41, 128, 18),
    /// 2 bits, a half-float scale for 64 values.
    Q2_0(42, 64, 18);

    private static final TensorType[] BY_ID = new TensorType[64];

    static {
        for (TensorType type : values()) BY_ID[type.id] = type;
    }

    private final int id;
    private final int blockLength;
    private final int blockBytes;

    TensorType(int id, int blockLength, int blockBytes) {
        this.id = id;
        this.blockLength = blockLength;
        this.blockBytes = blockBytes;
    }

    /// The number that stands for this type in a file.
    public int id() {
        return id;
    }

    /// Values in one block; a row of a tensor is a whole number of blocks.
    public int blockLength() {
        return blockLength;
    }

    /// Bytes of one block.
    public int blockBytes() {
        return blockBytes;
    }

    /// Bytes of a row of values.
    ///
    /// @param columns values in the row, 0 or more, a multiple of [#blockLength()]: it is not checked, and a part of a block is left out
    public long rowBytes(long columns) {
        return columns / blockLength * blockBytes;
    }

    /// The type with this number, or empty when the number stands for no type known here.
    public static Optional<TensorType> ofId(int id) {
        return id < 0 || id >= BY_ID.length ? Optional.empty() : Optional.ofNullable(BY_ID[id]);
    }
}
