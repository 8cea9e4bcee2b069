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
    /// @param stamp which file was mapped
    record Part(Path path, Header header, MemorySegment data, Samples.Stamp stamp) {
        Part numbered(int no) {
            return new Part(path, header.inPart(no), data, stamp);
        }
    }

    static Parts open(Path path, Arena arena) throws IOException {
        Part given = map(path, arena);
        Split split = Split.of(given.header(), path);
        if (split.count() == 1) return new Parts(List.of(given));
        requireAll(path, split);
        List<Part> parts = new ArrayList<>(split.count());
        for (int no = 0; no < split.count(); no++) {
            Part part = no == split.no() ? given : map(path.resolveSibling(split.fileName(no)), arena);
            parts.add(part.numbered(no));
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

    /// Maps a whole file and reads its header. The channel is closed at once: a mapping outlives it.
    private static Part map(Path path, Arena arena) throws IOException {
        if (Files.isDirectory(path)) throw new FileSystemException(path.toString(), null, "expected a GGUF file, found a directory");
        if (!Files.exists(path)) throw new NoSuchFileException(path.toString(), null, "no such file");
        if (!Files.isRegularFile(path)) throw new FileSystemException(path.toString(), null, "expected a GGUF file, found no regular file");
        if (!Files.isReadable(path)) throw new AccessDeniedException(path.toString(), null, "no permission to read the file");
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new Part(path, Header.read(data, path.toString()), data, Samples.Stamp.of(path));
        } catch (FileSystemException e) {
            throw e; // names the file
        } catch (IOException e) {
            throw new IOException(path + ": cannot be mapped into memory: " + e.getMessage(), e);
        } catch (InternalError e) { // what the virtual machine makes of a page that is no longer there
            throw new FileSystemException(path.toString(), null, "the file was cut short or its disk failed while it was read");
        }
    }
}
