package io.github.kvern.engine.sample;

/// xoshiro256** 1.0 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018), its state filled by SplitMix64
/// (Steele, Lea and Flood 2014) as its authors advise. Period 2^256 - 1.
///
/// Written out rather than taken from `java.util.random`, whose algorithms may be replaced: a seed has to give the same text for ever.
final class Xoshiro {
    private long s0;
    private long s1;
    private long s2;
    private long s3;

    /// @param seed any number
    Xoshiro(long seed) {
        this(splitMix(seed, 1), splitMix(seed, 2), splitMix(seed, 3), splitMix(seed, 4));
    }

    /// The state itself: not all zero, else every number is 0.
    Xoshiro(long s0, long s1, long s2, long s3) {
        this.s0 = s0;
        this.s1 = s1;
        this.s2 = s2;
        this.s3 = s3;
    }

    /// The next 64 bits.
    long nextLong() {
        long result = Long.rotateLeft(s1 * 5, 7) * 9;
        long shifted = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= shifted;
        s3 = Long.rotateLeft(s3, 45);
        return result;
    }

    /// The next multiple of 2^-53 from 0 to below 1.
    double nextDouble() {
        return (nextLong() >>> 11) * 0x1p-53;
    }

    /// The `n`th number (from 1) of SplitMix64. It is a bijection of a counter, so no four in a row are all zero.
    static long splitMix(long seed, int n) {
        long z = seed + n * 0x9E3779B97F4A7C15L;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
