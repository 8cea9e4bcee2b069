package io.github.kvern.gguf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;

/// Hashes what a model is, without reading it: see [GgufFile#identity()].
final class Identity {
    private static final String FORM = "kvern model identity 1";
    private static final int SAMPLE_BYTES = 64;

    private Identity() {
    }

    static String of(Metadata metadata, List<Tensor> tensors, Samples samples) {
        MessageDigest digest = sha256();
        HeaderOutput out = new HeaderOutput(new Into(digest));
        try {
            out.writeString(FORM);
            for (String key : new TreeSet<>(metadata.keys())) {
                if (Split.isLayout(key)) continue;
                out.writeString(key);
                out.writeValue(metadata.find(key).orElseThrow());
            }
            List<Tensor> byName = new ArrayList<>(tensors);
            byName.sort(Comparator.comparing(Tensor::name));
            for (Tensor tensor : byName) {
                out.writeString(tensor.name());
                out.writeInt(tensor.type().id());
                for (int d = 0; d < TensorInfo.MOST_DIMENSIONS; d++) out.writeLong(tensor.info().extent(d));
                sample(out, samples, tensor.info());
            }
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // a digest takes everything
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /// The first, middle and last bytes. The last share a page with the next tensor's first as a rule, so that a tensor costs
    /// two pages.
    private static void sample(HeaderOutput out, Samples samples, TensorInfo tensor) throws IOException {
        long size = tensor.bytes();
        if (size <= 3 * SAMPLE_BYTES) {
            out.writeBytes(samples.read(tensor, 0, (int) size));
            return;
        }
        out.writeBytes(samples.read(tensor, 0, SAMPLE_BYTES));
        out.writeBytes(samples.read(tensor, size / 2, SAMPLE_BYTES));
        out.writeBytes(samples.read(tensor, size - SAMPLE_BYTES, SAMPLE_BYTES));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private record Into(MessageDigest digest) implements WritableByteChannel {
        @Override
        public int write(ByteBuffer bytes) {
            int n = bytes.remaining();
            digest.update(bytes);
            return n;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
        }
    }
}
