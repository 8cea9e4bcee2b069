package io.github.kvern.kernels.scalar;

import java.lang.foreign.MemorySegment;

/// The eight 6-bit scales and eight 6-bit minimums that Q4_K and Q5_K pack into twelve bytes. Upper case: scales A..H of
/// groups 0..7; lower case: minimums.
/// ```
/// byte  bits 7..0       byte  bits 7..0       byte  bits 7..0
///  0    EE AAAAAA        4    ee aaaaaa        8    eeee EEEE
///  1    FF BBBBBB        5    ff bbbbbb        9    ffff FFFF
///  2    GG CCCCCC        6    gg cccccc       10    gggg GGGG
///  3    HH DDDDDD        7    hh dddddd       11    hhhh HHHH
/// ```
/// The last four keep bits 4 and 5 above the first four. Four numbers are unpacked at once, as the bytes of an int.
final class SixBitScales {
    private SixBitScales() {
    }

    /// The eight scales, that of group i in byte i.
    static long scales(MemorySegment source, long offset) {
        return unpack(source.get(LittleEndian.INT, offset), source.get(LittleEndian.INT, offset + 8));
    }

    /// The eight minimums, that of group i in byte i.
    static long minimums(MemorySegment source, long offset) {
        return unpack(source.get(LittleEndian.INT, offset + 4), source.get(LittleEndian.INT, offset + 8) >>> 4);
    }

    private static long unpack(int first, int last) {
        return first & 0x3f3f3f3fL | (last & 0x0f0f0f0fL | first >>> 2 & 0x30303030L) << 32;
    }
}
