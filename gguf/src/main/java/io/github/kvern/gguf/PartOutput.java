package io.github.kvern.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Map;

/// Writes one file: header, table, and each tensor's data at its place.
final class PartOutput {
    private PartOutput() {
    }

    static void write(FileChannel file, Map<String, MetadataValue> keys, int alignment, List<GgufWriter.Entry> entries) throws IOException {
        HeaderOutput out = new HeaderOutput(file);
        for (byte b : new byte[] {'G', 'G', 'U', 'F'}) out.writeByte(b);
        out.writeInt(3);
        out.writeLong(entries.size());
        out.writeLong(keys.size());
        for (Map.Entry<String, MetadataValue> pair : keys.entrySet()) {
            out.writeString(pair.getKey());
            out.writeValue(pair.getValue());
        }
        for (GgufWriter.Entry entry : entries) {
            TensorInfo info = entry.info();
            out.writeString(info.name());
            out.writeInt(info.shape().size());
            for (long extent : info.shape()) out.writeLong(extent);
            out.writeInt(info.type().id());
            out.writeLong(info.offset());
        }
        out.writePadding(alignment);
        for (GgufWriter.Entry entry : entries) {
            out.flush();
            Counted data = new Counted(file, entry.info().name(), entry.info().bytes());
            entry.source().writeTo(data);
            data.checkAll();
            out.skip(entry.info().bytes());
            out.writePadding(alignment);
        }
        out.flush();
    }

    /// Passes exactly as many bytes on as a tensor has.
    private static final class Counted implements WritableByteChannel {
        private final FileChannel file;
        private final String tensor;
        private final long bytes;
        private long written;

        Counted(FileChannel file, String tensor, long bytes) {
            this.file = file;
            this.tensor = tensor;
            this.bytes = bytes;
        }

        @Override
        public int write(ByteBuffer data) throws IOException {
            if (data.remaining() > bytes - written)
                throw new IOException("tensor " + Text.quote(tensor) + ": expected " + bytes + " bytes from its source, found more");
            int n = file.write(data);
            written += n;
            return n;
        }

        void checkAll() throws IOException {
            if (written < bytes)
                throw new IOException("tensor " + Text.quote(tensor) + ": expected " + bytes + " bytes from its source, found " + written);
        }

        @Override
        public boolean isOpen() {
            return file.isOpen();
        }

        /// The file stays open for the next tensor.
        @Override
        public void close() {
        }
    }
}
