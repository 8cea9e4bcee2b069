package io.github.kvern.gguf;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reads bytes of a model's files, here and there or in order. Thread-safe.
///
/// Not through the mapping where it can be helped: an operating system reads ahead around a page fault, on some disks many
/// megabytes, and a few thousand of them take minutes. A read at a position takes one page. So the files are opened again for
/// as long as this lives; a file that is no longer the one that was mapped is read through the mapping after all.
final class Samples implements AutoCloseable {
    private static final long MOST_AT_ONCE = 1 << 30;

    private final List<Parts.Part> parts;
    private final List<Optional<FileChannel>> channels = new ArrayList<>();

    Samples(List<Parts.Part> parts) {
        this.parts = parts;
        for (Parts.Part part : parts) channels.add(reopen(part));
    }

    /// What tells a file from another that has taken its name.
    record Stamp(long bytes, long modified, Optional<Object> key) {
        static Stamp of(Path path) throws IOException {
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            return new Stamp(attributes.size(), attributes.lastModifiedTime().toMillis(), Optional.ofNullable(attributes.fileKey()));
        }

        /// How the same file looked later, in words.
        String unlike(Stamp later) {
            if (bytes != later.bytes) return "it had " + bytes + " bytes and now has " + later.bytes;
            return "it was last written at " + Instant.ofEpochMilli(modified) + " and now at " + Instant.ofEpochMilli(later.modified)
                    + ", with the same length";
        }
    }

    private static Optional<FileChannel> reopen(Parts.Part part) {
        try {
            FileChannel channel = FileChannel.open(part.path(), StandardOpenOption.READ);
            if (Stamp.of(part.path()).equals(part.stamp())) return Optional.of(channel);
            channel.close();
            return Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// Bytes of a tensor, `from` counted from its first.
    byte[] read(TensorInfo tensor, long from, int count) {
        byte[] bytes = new byte[count];
        read(tensor, from, MemorySegment.ofArray(bytes));
        return bytes;
    }

    /// Fills a segment with bytes of a tensor.
    void read(TensorInfo tensor, long from, MemorySegment into) {
        Parts.Part part = parts.get(tensor.part());
        long position = part.header().dataOffset() + tensor.offset() + from;
        for (long done = 0; done < into.byteSize(); done += MOST_AT_ONCE) {
            MemorySegment piece = into.asSlice(done, Math.min(MOST_AT_ONCE, into.byteSize() - done));
            if (!readFile(channels.get(tensor.part()), position + done, piece.asByteBuffer()))
                piece.copyFrom(part.data().asSlice(position + done, piece.byteSize()));
        }
    }

    private static boolean readFile(Optional<FileChannel> channel, long position, ByteBuffer into) {
        if (channel.isEmpty()) return false;
        try {
            while (into.hasRemaining()) {
                int n = channel.get().read(into, position + into.position());
                if (n < 0) return false;
            }
            return true;
        } catch (IOException e) { // an interrupted thread, say
            return false;
        }
    }

    @Override
    public void close() {
        for (Optional<FileChannel> channel : channels) {
            try {
                if (channel.isPresent()) channel.get().close();
            } catch (IOException e) {
                continue; // nothing was written
            }
        }
    }
}
