package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.Operand;
import io.github.kvern.kernels.vector.PackedOperand;
import java.util.Arrays;

/// What was made of an activation for one [Form]: arrays that grow and are kept. What is in which array, the form says.
final class Prepared {
    private final Form form;
    private final Activation x;
    private boolean ready;
    private final Room room;
    float[] floats = {};
    int[] ints = {};
    int[] table = {};
    /// For each segment its first unit, and the number of all: see [Form].
    int[] firsts = {};
    private boolean[] asked = {};
    final Operand operand;
    final PackedOperand packed;

    Prepared(Form form, Activation x) {
        this.form = form;
        this.x = x;
        room = new Room(x.counted(), Float.BYTES);
        operand = new Operand(x.counted());
        packed = new PackedOperand(x.counted());
    }

    /// Makes room for so many floats.
    void lay(long count) {
        floats = room.floats(0, floats, count);
    }

    Form form() {
        return form;
    }

    Activation x() {
        return x;
    }

    /// True when it still has to be made: the caller then makes it.
    boolean begin() {
        boolean begins = !ready;
        ready = true;
        return begins;
    }

    /// Makes room for it, and nothing yet.
    ///
    /// @return how many units there are to make
    int lay() {
        firsts = room(firsts, x.segments() + 1L);
        if (asked.length < x.segments()) asked = new boolean[x.segments()];
        Arrays.fill(asked, false);
        int units = form.units(this);
        firsts[x.segments()] = units;
        return units;
    }

    /// True for the first who asks for a segment.
    boolean ask(int segment) {
        boolean first = !asked[segment];
        asked[segment] = true;
        return first;
    }

    void forget() {
        ready = false;
    }

    long heapBytes() {
        return 4L * ((long) ints.length + table.length + firsts.length) + asked.length + room.bytes() + operand.heapBytes()
                + packed.heapBytes();
    }

    static int[] room(int[] array, long size) {
        return array.length >= size ? array : new int[Math.toIntExact(size)];
    }
}
