package io.github.kvern.kernels.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// What loops over mapped memory owe the JVM. When a file is cut short, or its disk fails, reading its mapping is a fault (SIGBUS).
/// HotSpot makes an [InternalError] of a fault in compiled code that it knows to read memory which may not be there; of any other it
/// ends the process. Compiling a plain read of a segment is how it gets to know; compiling a load of a vector is not (JDK 25).
final class Mapped {
    private Mapped() {}

    /// To be called beside the vector loads of a method that has no plain read of the segment where they are. What is read is not
    /// used, and so the machine code does not read it; the compiled method is marked all the same.
    static void mark(MemorySegment s, long at) {
        s.get(ValueLayout.JAVA_BYTE, at);
    }
}
