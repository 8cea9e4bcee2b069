package io.github.kvern.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/// The files of a model, mapped, in order.
record Parts(List<Part> list) {
    /// One file.
    ///
    /// @param data the whole file, mapped read-only
    record Part(Path path, Header header, MemorySegment data) {
    }

    static Parts open(Path path, Arena arena) throws IOException {
        MemorySegment data = map(path, arena);
        Header header = read(data, path);
        Split split = Split.of(header, path);
        if (split.count() == 1) return new Parts(List.of(new Part(path, header, data)));
        requireAll(path, split);
        List<Part> parts = new ArrayList<>(split.count());
        for (int no = 0; no < split.count(); no++) {
            Path sibling = path.resolveSibling(split.fileName(no));
            if (no == split.no()) {
                parts.add(new Part(path, header.inPart(no), data));
            } else {
                MemorySegment bytes = map(sibling, arena);
                parts.add(new Part(sibling, read(bytes, sibling).inPart(no), bytes));
            }
        }
        Split.checkTogether(parts.stream().map(Part::header).toList());
        return new Parts(List.copyOf(parts));
    }

    private static void requireAll(Path path, Split split) throws IOException {
        for (int no = 0; no < split.count(); no++) {
            Path part = path.resolveSibling(split.fileName(no));
            if (!Files.exists(part))
                throw new NoSuchFileException(part.toString(), null,
                        "part " + (no + 1) + " of " + split.count() + " is missing: all parts must be in one folder");
        }
    }

    private static Header read(MemorySegment data, Path path) throws IOException {
        try {
            return Header.read(data, path.toString());
        } catch (InternalError e) { // what the virtual machine makes of a page that is no longer there
            throw new FileSystemException(path.toString(), null, "the file was cut short or its disk failed while it was read");
        }
    }

    /// Maps a whole file. The channel is closed at once: a mapping outlives it.
    private static MemorySegment map(Path path, Arena arena) throws IOException {
        if (Files.isDirectory(path)) throw new FileSystemException(path.toString(), null, "expected a GGUF file, found a directory");
        if (!Files.exists(path)) throw new NoSuchFileException(path.toString(), null, "no such file");
        if (!Files.isRegularFile(path)) throw new FileSystemException(path.toString(), null, "expected a GGUF file, found no regular file");
        if (!Files.isReadable(path)) throw new AccessDeniedException(path.toString(), null, "no permission to read the file");
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (FileSystemException e) {
            throw e; // names the file
        } catch (IOException e) {
            throw new IOException(path + ": cannot be mapped into memory: " + e.getMessage(), e);
        }
    }
}
