package io.github.kvern.gguf;

import java.util.Optional;

/// The types a metadata value can have, with the number that stands for each in a file.
public enum MetadataType {
    UINT8(0, 1),
    INT8(1, 1),
    UINT16(2, 2),
    INT16(3, 2),
    UINT32(4, 4),
    INT32(5, 4),
    FLOAT32(6, 4),
    BOOL(7, 1),
    STRING(8, 8),
    ARRAY(9, 12),
    UINT64(10, 8),
    INT64(11, 8),
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
