package io.github.kvern.kernels.scalar;

/// The small floats of the microscaling formats.
final class TinyFloats {
    /// What the 4 bits of an E2M1 float (sign, two bits of exponent, one of fraction) stand for, doubled to be whole.
    private static final byte[] TWICE_E2M1 = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

    private TinyFloats() {
    }

    /// Twice the value of an E2M1 float; a minus zero is zero.
    ///
    /// @param bits 0 to 15
    static int twiceE2M1(int bits) {
        return TWICE_E2M1[bits];
    }

    /// Half the value of an E8M0 float, an exponent alone: `2^(bits - 127) / 2`. All 256 of them are numbers here, none is
    /// set aside for NaN; the first two are float denormals.
    ///
    /// @param bits 0 to 255
    static float halfE8M0(int bits) {
        return Float.intBitsToFloat(bits < 2 ? 0x00200000 << bits : bits - 1 << 23);
    }

    /// Half the value of an unsigned E4M3 float: four bits of exponent with bias 7, three of fraction. The highest bit has no
    /// meaning, but 0x7f alone, NaN elsewhere, is zero here.
    ///
    /// @param bits 0 to 255
    static float halfUE4M3(int bits) {
        int exponent = bits >> 3 & 15;
        int fraction = bits & 7;
        if (bits == 0x7f) return 0;
        if (exponent == 0) return fraction * 0x1p-10f;
        return (8 + fraction) * Float.intBitsToFloat(exponent + 127 - 11 << 23);
    }
}
