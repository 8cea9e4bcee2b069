package io.github.kvern.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/// A file that appears only when it is complete: it is written beside its place under another name, and gone if the run fails or is
/// interrupted. What is no regular file (`/dev/stdout`, a pipe) is written as it is.
final class OutputFile implements AutoCloseable {
    private final Path target;
    private final Path written;
    private final FileChannel channel;
    private final Interrupts interrupts;

    private OutputFile(Path target, Path written, FileChannel channel, Interrupts interrupts) {
        this.target = target;
        this.written = written;
        this.channel = channel;
        this.interrupts = interrupts;
    }

    static OutputFile open(Path path, Interrupts interrupts) {
        try {
            if (Files.isDirectory(path)) throw new FileSystemException(path.toString(), null, "expected a file, found a directory");
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                return new OutputFile(path, path, FileChannel.open(path, StandardOpenOption.WRITE), interrupts);
            }
            Path target = Files.exists(path) ? path.toRealPath() : path.toAbsolutePath(); // a link stays a link
            if (Files.exists(target) && !Files.isWritable(target))
                throw new FileSystemException(path.toString(), null, "no permission to write the file");
            Path folder = target.getParent();
            if (folder == null || !Files.isDirectory(folder)) throw new NoSuchFileException(path.toString(), null, "no such folder");
            Path written = folder.resolve("." + target.getFileName() + "." + ProcessHandle.current().pid() + ".part");
            FileChannel channel = interrupts.step(() -> {
                interrupts.halfWritten(written);
                return FileChannel.open(written, StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
            });
            return new OutputFile(target, written, channel, interrupts);
        } catch (IOException e) {
            throw Failures.file(e);
        }
    }

    /// Writes what is left of a buffer.
    void write(ByteBuffer bytes) {
        try {
            while (bytes.hasRemaining()) channel.write(bytes);
        } catch (IOException e) {
            throw Failures.file(e);
        }
    }

    /// All is written: gives the file its name.
    void complete() {
        try {
            channel.close();
            if (!written.equals(target)) interrupts.step(this::rename);
            interrupts.settled(written);
        } catch (IOException e) {
            throw Failures.file(e);
        }
    }

    private Path rename() throws IOException {
        Path renamed = Files.move(written, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        interrupts.settled(written);
        return renamed;
    }

    /// Ends the writing; what is not complete is taken away.
    @Override
    public void close() {
        try {
            channel.close();
            if (!written.equals(target)) Files.deleteIfExists(written);
        } catch (IOException e) {
            // the failure that led here is the one to tell
        }
        interrupts.settled(written);
    }
}
