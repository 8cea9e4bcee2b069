package io.github.kvern.kernels.scalar;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// How numbers lie in a tensor: least significant byte first, with no alignment.
public final class LittleEndian {
    public static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private LittleEndian() {
    }

    /// The half float (IEEE 754 binary16) at this offset.
    public static float half(MemorySegment source, long offset) {
        return Float.float16ToFloat(source.get(SHORT, offset));
    }

    /// The signed byte at this offset.
    public static int signedByte(MemorySegment source, long offset) {
        return source.get(ValueLayout.JAVA_BYTE, offset);
    }

    /// The unsigned byte at this offset, 0 to 255.
    public static int unsignedByte(MemorySegment source, long offset) {
        return source.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
    }

    /// The unsigned 16-bit number at this offset, 0 to 65535.
    public static int unsignedShort(MemorySegment source, long offset) {
        return source.get(SHORT, offset) & 0xffff;
    }
}
