package io.github.kvern.gguf;

import java.util.Optional;

/// The types a metadata value can have, with the number that stands for each in a file.
public enum MetadataType {
    /// 0 to 255.
    UINT8(0, 1),
    /// -128 to 127.
    INT8(1, 1),
    /// 0 to 65,535.
    UINT16(2, 2),
    /// -32,768 to 32,767.
    INT16(3, 2),
    /// 0 to 2³² - 1.
    UINT32(4, 4),
    /// -2³¹ to 2³¹ - 1.
    INT32(5, 4),
    /// IEEE 754 binary32; infinities and NaN too.
    FLOAT32(6, 4),
    /// One byte, 0 or 1.
    BOOL(7, 1),
    /// UTF-8, its length in front.
    STRING(8, 8),
    /// Values of one type, which may be ARRAY again.
    ARRAY(9, 12),
    /// 0 to 2⁶⁴ - 1.
    UINT64(10, 8),
    /// -2⁶³ to 2⁶³ - 1.
    INT64(11, 8),
    /// IEEE 754 binary64; infinities and NaN too.
    FLOAT64(12, 8);

    private static final MetadataType[] BY_ID = new MetadataType[13];

    static {
        for (MetadataType type : values()) BY_ID[type.id] = type;
    }

    private final int id;
    private final int leastBytes;

    MetadataType(int id, int leastBytes) {
        this.id = id;
        this.leastBytes = leastBytes;
    }

    /// The number that stands for this type in a file.
    public int id() {
        return id;
    }

    /// Whether values of this type are whole numbers of any width.
    public boolean isInteger() {
        return switch (this) {
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
            case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> false;
        };
    }

    /// Whether values of this type are floating-point numbers.
    public boolean isFloat() {
        return this == FLOAT32 || this == FLOAT64;
    }

    /// The least bytes a value takes in a file: what bounds an array's count before anything is allocated for it.
    int leastBytes() {
        return leastBytes;
    }

    /// The type with this number, or empty when there is none.
    public static Optional<MetadataType> ofId(int id) {
        return id < 0 || id >= BY_ID.length ? Optional.empty() : Optional.of(BY_ID[id]);
    }
}
