package io.github.kvern.kernels.vector;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// The width of vectors in this JVM, chosen once. The species are constants, or the compiler could do nothing with them.
public final class Lanes {
    /// A 1 that the compiler does not know to be one: a loop with such a step is not unrolled. Unrolled, a short loop over weights loads
    /// its lines out of their order, and the processor then fetches from memory a tenth to a half slower.
    static final int[] ONE = {1};

    /// The system property that forces a width (or `scalar`).
    public static final String PROPERTY = "kvern.kernels";
    /// Bits of a vector: 512, 256 or 128; less than 128 when this machine has no vectors to speak of.
    public static final int BITS = bits();

    static final VectorShape SHAPE = VectorShape.forBitSize(Math.max(128, BITS));
    static final VectorSpecies<Float> F = VectorSpecies.of(float.class, SHAPE);
    static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, SHAPE);
    static final VectorSpecies<Short> S = VectorSpecies.of(short.class, SHAPE);
    /// Floats in a vector.
    static final int L = F.length();
    /// Columns that a tile works on at once. With two vectors of rows each column takes two accumulators: 16 of 32 registers, or 8
    /// of 16 (more make the compiler spill). AVX-512 and Arm have 32; for 256 bits this cannot be told, so 16 is assumed.
    public static final int COLUMNS = BITS == 512 || System.getProperty("os.arch", "").equals("aarch64") ? 8 : 4;

    /// At most 256 bits, for what comes in pieces of 32 bytes.
    static final VectorShape SHAPE_8 = VectorShape.forBitSize(Math.min(256, SHAPE.vectorBitSize()));
    static final VectorSpecies<Float> F8 = VectorSpecies.of(float.class, SHAPE_8);
    static final VectorSpecies<Integer> I8 = VectorSpecies.of(int.class, SHAPE_8);
    static final VectorSpecies<Short> S8 = VectorSpecies.of(short.class, SHAPE_8);
    static final VectorSpecies<Long> L8 = VectorSpecies.of(long.class, SHAPE_8);
    /// Floats in such a vector.
    static final int M = F8.length();

    static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

    private Lanes() {}

    private static int bits() {
        int widest = Math.min(512, FloatVector.SPECIES_PREFERRED.vectorBitSize());
        return switch (System.getProperty(PROPERTY, "")) {
            case "512" -> Math.min(widest, 512);
            case "256" -> Math.min(widest, 256);
            case "128" -> Math.min(widest, 128);
            default -> widest;
        };
    }
}
