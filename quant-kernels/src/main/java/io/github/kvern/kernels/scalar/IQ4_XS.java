package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedShort;

import java.lang.foreign.MemorySegment;

/// 4 bits a value; 8 groups of 32 values, each with a 6-bit scale, and the levels of IQ4_NL: `x = (d * (s - 32)) * LEVELS[q]`.
/// ```
/// byte  0..1   2..3               4..7                    8..135
///       d      bits 4 and 5 of s  bits 0..3 of s, group   q: 16 bytes to a group, values 0..15 in
///       half   two to a group     0 in the first low      the low, 16..31 in the high nibbles
///                                 nibble
/// ```
public final class IQ4_XS {
    private IQ4_XS() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 136) {
            float d = half(source, offset);
            int high = unsignedShort(source, offset + 2);
            int low = source.get(LittleEndian.INT, offset + 4);
            for (int group = 0; group < 8; group++) {
                int s = low >>> 4 * group & 15 | (high >> 2 * group & 3) << 4;
                IQ4_NL.write(d * (s - 32), source, offset + 8 + 16L * group, target, i + 32 * group);
            }
        }
    }
}
