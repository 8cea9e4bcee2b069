package io.github.kvern.gguf;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// An array of metadata values of one type, kept as compactly as its type allows: a vocabulary has some hundred thousand
/// entries. Immutable.
public final class MetadataArray {
    private final MetadataType elementType;
    private final Object storage;
    private final int size;

    /// @param storage `byte[]`, `short[]`, `int[]`, `long[]`, `float[]`, `double[]` as wide as the type (a byte for BOOL),
    ///                `String[]` or `MetadataArray[]`; owned by the new object
    MetadataArray(MetadataType elementType, Object storage) {
        this.elementType = elementType;
        this.storage = storage;
        this.size = java.lang.reflect.Array.getLength(storage);
    }

    /// An array of this type.
    ///
    /// @param values what [MetadataValue#of(MetadataType, Object)] takes for that type
    /// @throws IllegalArgumentException if a value is of another kind or out of the type's range
    public static MetadataArray of(MetadataType elementType, List<?> values) {
        int n = values.size();
        Object storage = allocate(elementType, n);
        int i = 0;
        for (Object value : values) set(elementType, storage, i++, MetadataValue.of(elementType, value).value());
        return new MetadataArray(elementType, storage);
    }

    /// An array of INT32.
    public static MetadataArray ofInts(int... values) {
        return new MetadataArray(MetadataType.INT32, values.clone());
    }

    /// An array of FLOAT32.
    public static MetadataArray ofFloats(float... values) {
        return new MetadataArray(MetadataType.FLOAT32, values.clone());
    }

    /// An array of STRING.
    ///
    /// @throws IllegalArgumentException if a text has half a surrogate pair, which UTF-8 cannot say
    public static MetadataArray ofStrings(List<String> values) {
        return of(MetadataType.STRING, values);
    }

    static Object allocate(MetadataType type, int n) {
        return switch (type) {
            case UINT8, INT8, BOOL -> new byte[n];
            case UINT16, INT16 -> new short[n];
            case UINT32, INT32 -> new int[n];
            case UINT64, INT64 -> new long[n];
            case FLOAT32 -> new float[n];
            case FLOAT64 -> new double[n];
            case STRING -> new String[n];
            case ARRAY -> new MetadataArray[n];
        };
    }

    private static void set(MetadataType type, Object storage, int i, Object value) {
        switch (type) {
            case UINT8, INT8 -> ((byte[]) storage)[i] = ((Number) value).byteValue();
            case BOOL -> ((byte[]) storage)[i] = (byte) ((Boolean) value ? 1 : 0);
            case UINT16, INT16 -> ((short[]) storage)[i] = ((Number) value).shortValue();
            case UINT32, INT32 -> ((int[]) storage)[i] = ((Number) value).intValue();
            case UINT64, INT64 -> ((long[]) storage)[i] = ((Number) value).longValue();
            case FLOAT32 -> ((float[]) storage)[i] = (Float) value;
            case FLOAT64 -> ((double[]) storage)[i] = (Double) value;
            case STRING -> ((String[]) storage)[i] = (String) value;
            case ARRAY -> ((MetadataArray[]) storage)[i] = (MetadataArray) value;
        }
    }

    /// The type of every element.
    public MetadataType elementType() {
        return elementType;
    }

    /// The number of elements.
    public int size() {
        return size;
    }

    /// Whether there are no elements.
    public boolean isEmpty() {
        return size == 0;
    }

    /// A view of the elements, which cannot be changed.
    public List<Object> asList() {
        return new AbstractList<>() {
            @Override
            public Object get(int index) {
                return MetadataArray.this.get(index);
            }

            @Override
            public int size() {
                return size;
            }
        };
    }

    /// An element, as [MetadataValue#value()] describes it.
    ///
    /// @param index 0 to `size() - 1`
    /// @throws IndexOutOfBoundsException if there is no such element
    public Object get(int index) {
        Objects.checkIndex(index, size);
        return switch (elementType) {
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, INT64 -> longAt(index);
            case UINT64 -> MetadataValue.unsigned(((long[]) storage)[index]);
            case FLOAT32 -> ((float[]) storage)[index];
            case FLOAT64 -> ((double[]) storage)[index];
            case BOOL -> ((byte[]) storage)[index] != 0;
            case STRING -> ((String[]) storage)[index];
            case ARRAY -> ((MetadataArray[]) storage)[index];
        };
    }

    /// An integer element; a UINT64 above [Long#MAX_VALUE] comes out negative, which callers check for.
    long longAt(int index) {
        return switch (elementType) {
            case UINT8 -> ((byte[]) storage)[index] & 0xFF;
            case INT8 -> ((byte[]) storage)[index];
            case UINT16 -> ((short[]) storage)[index] & 0xFFFF;
            case INT16 -> ((short[]) storage)[index];
            case UINT32 -> ((int[]) storage)[index] & 0xFFFF_FFFFL;
            case INT32 -> ((int[]) storage)[index];
            case UINT64, INT64 -> ((long[]) storage)[index];
            case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> throw new IllegalStateException(elementType + " is no integer");
        };
    }

    /// The elements as they are stored: for bulk copies within this package, never to be written to.
    Object storage() {
        return storage;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MetadataArray that && elementType == that.elementType && sameStorage(that.storage);
    }

    private boolean sameStorage(Object that) {
        return switch (elementType) {
            case UINT8, INT8, BOOL -> Arrays.equals((byte[]) storage, (byte[]) that);
            case UINT16, INT16 -> Arrays.equals((short[]) storage, (short[]) that);
            case UINT32, INT32 -> Arrays.equals((int[]) storage, (int[]) that);
            case UINT64, INT64 -> Arrays.equals((long[]) storage, (long[]) that);
            case FLOAT32 -> Arrays.equals((float[]) storage, (float[]) that);
            case FLOAT64 -> Arrays.equals((double[]) storage, (double[]) that);
            case STRING -> Arrays.equals((String[]) storage, (String[]) that);
            case ARRAY -> Arrays.equals((MetadataArray[]) storage, (MetadataArray[]) that);
        };
    }

    @Override
    public int hashCode() {
        return 31 * elementType.hashCode() + asList().hashCode();
    }

    /// The first elements.
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("[");
        int shown = 0;
        while (shown < Math.min(4, size) && text.length() < 100) // short even when arrays are nested
            text.append(shown == 0 ? "" : ", ").append(new MetadataValue(elementType, get(shown++)));
        return text.append(size > shown ? ", ... (" + size + ")]" : "]").toString();
    }
}
