package io.github.kvern.gguf;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;

/// Files that get their names together, when all of them are complete. Closed before that, it deletes them.
final class PendingFiles implements AutoCloseable {
    private final List<Pending> files = new ArrayList<>();
    private int named;
    private boolean complete;

    private final Consumer<Path> temporaries;

    /// @param temporaries is told the temporary names, before there are such files
    PendingFiles(Consumer<Path> temporaries) {
        this.temporaries = temporaries;
    }

    private record Pending(Path target, Path temporary, FileChannel channel) {
    }

    /// Starts a file, beside its target so that a rename is all it takes in the end.
    FileChannel add(Path target) throws IOException {
        if (Files.isDirectory(target))
            throw new FileSystemException(target.toString(), null, "expected the name of a file, found a directory");
        Path temporary = target.resolveSibling(".kvern-" + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp");
        if (!files.isEmpty()) finish(files.get(files.size() - 1)); // a split model may have more parts than we may have open files
        temporaries.accept(temporary);
        FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        files.add(new Pending(target, temporary, channel));
        return channel;
    }

    /// Gives all files their names, once their data is on the disk.
    List<Path> complete() throws IOException {
        finish(files.get(files.size() - 1));
        for (Pending file : files) {
            try {
                Files.move(file.temporary, file.target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(file.temporary, file.target, StandardCopyOption.REPLACE_EXISTING);
            }
            named++;
        }
        complete = true;
        return files.stream().map(Pending::target).toList();
    }

    private static void finish(Pending file) throws IOException {
        file.channel.force(true);
        file.channel.close();
    }

    @Override
    public void close() throws IOException {
        if (complete) return;
        IOException failed = null;
        for (int i = 0; i < files.size(); i++) {
            Pending file = files.get(i);
            try {
                file.channel.close();
                Files.deleteIfExists(i < named ? file.target : file.temporary);
            } catch (IOException e) {
                failed = e;
            }
        }
        if (failed != null) throw failed;
    }
}
