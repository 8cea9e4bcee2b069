package io.github.kvern.kernels.scalar;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import java.lang.foreign.MemorySegment;

/// One door to the decoders of all types.
public final class Decoders {
    private Decoders() {
    }

    /// Decodes `count` values, a multiple of the type's block length, from byte `offset` of `source` on into `target` from
    /// index `at` on.
    ///
    /// @throws UnsupportedModelException for the plain integers and doubles, which are no weights
    /// @throws IllegalArgumentException when `count` is not a whole number of blocks
    /// @throws IndexOutOfBoundsException when source or target is too short
    public static void decode(TensorType type, MemorySegment source, long offset, float[] target, int at, int count) {
        switch (type) {
            case F32 -> F32.decode(source, offset, target, at, count);
            case F16 -> F16.decode(source, offset, target, at, count);
            case BF16 -> BF16.decode(source, offset, target, at, count);
            case Q4_0 -> Q4_0.decode(source, offset, target, at, count);
            case Q4_1 -> Q4_1.decode(source, offset, target, at, count);
            case Q5_0 -> Q5_0.decode(source, offset, target, at, count);
            case Q5_1 -> Q5_1.decode(source, offset, target, at, count);
            case Q8_0 -> Q8_0.decode(source, offset, target, at, count);
            case Q8_1 -> Q8_1.decode(source, offset, target, at, count);
            case Q2_K -> Q2_K.decode(source, offset, target, at, count);
            case Q3_K -> Q3_K.decode(source, offset, target, at, count);
            case Q4_K -> Q4_K.decode(source, offset, target, at, count);
            case Q5_K -> Q5_K.decode(source, offset, target, at, count);
            case Q6_K -> Q6_K.decode(source, offset, target, at, count);
            case Q8_K -> Q8_K.decode(source, offset, target, at, count);
            case IQ2_XXS -> IQ2_XXS.decode(source, offset, target, at, count);
            case IQ2_XS -> IQ2_XS.decode(source, offset, target, at, count);
            case IQ2_S -> IQ2_S.decode(source, offset, target, at, count);
            case IQ3_XXS -> IQ3_XXS.decode(source, offset, target, at, count);
            case IQ3_S -> IQ3_S.decode(source, offset, target, at, count);
            case IQ1_S -> IQ1_S.decode(source, offset, target, at, count);
            case IQ1_M -> IQ1_M.decode(source, offset, target, at, count);
            case IQ4_NL -> IQ4_NL.decode(source, offset, target, at, count);
            case IQ4_XS -> IQ4_XS.decode(source, offset, target, at, count);
            case TQ1_0 -> TQ1_0.decode(source, offset, target, at, count);
            case TQ2_0 -> TQ2_0.decode(source, offset, target, at, count);
            case MXFP4 -> MXFP4.decode(source, offset, target, at, count);
            case NVFP4 -> NVFP4.decode(source, offset, target, at, count);
            case Q1_0 -> Q1_0.decode(source, offset, target, at, count);
            case Q2_0 -> Q2_0.decode(source, offset, target, at, count);
            default -> throw new UnsupportedModelException(
                    "tensor type " + type + " holds no weights: expected F32, F16, BF16 or a quantised type; re-convert the model");
        }
    }

    /// Whether [#decode] takes this type: all but the plain integers and doubles. The two types made for activations, Q8_1
    /// and Q8_K, count as weights too.
    public static boolean isWeight(TensorType type) {
        return switch (type) { // no default: a new type must not compile before it has an answer here and above
            case F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q8_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, Q8_K -> true;
            case IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S, IQ1_S, IQ1_M, IQ4_NL, IQ4_XS -> true;
            case TQ1_0, TQ2_0, MXFP4, NVFP4, Q1_0, Q2_0 -> true;
            case I8, I16, I32, I64, F64 -> false;
        };
    }
}
