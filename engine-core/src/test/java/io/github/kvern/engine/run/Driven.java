package io.github.kvern.engine.run;

import io.github.kvern.Sampling;
import io.github.kvern.Token;
import io.github.kvern.Tokenizer;
import io.github.kvern.engine.arch.Architectures;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.Ffn;
import io.github.kvern.engine.layer.Pass;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.engine.sample.Sampler;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Precision;
import io.github.kvern.kernels.Workers;
import io.github.kvern.kvcache.PagePool;
import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A driver over a tiny model whose layers can be watched: what happens between two of them is the test's.
final class Driven implements AutoCloseable {
    /// Called on the driver's thread in every layer.
    @FunctionalInterface
    interface Watch {
        void layer(int number, Pass pass);
    }

    private record WatchedFfn(Ffn ffn, int number, Watch watch) implements Ffn {
        @Override
        public void forward(Pass pass) {
            ffn.forward(pass);
            watch.layer(number, pass);
        }
    }

    private final GgufFile file;
    private final Workers workers = new Workers(2);
    private final Tokenizer tokenizer;
    final PagePool pool;
    final Scheduler scheduler;
    final int layers;
    final int vocabulary;

    static final Path MODEL = TestData.folder().resolve("fixtures/models/llama-tied-Q4_K_M.gguf");

    Driven(int microBatch, long cacheBytes, Watch watch) {
        this(MODEL, microBatch, cacheBytes, watch);
    }

    Driven(Path model, int microBatch, long cacheBytes, Watch watch) {
        try {
            file = GgufFile.open(model);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        tokenizer = Tokenizer.of(file);
        Kernels kernels = Kernels.best();
        Decoder plain = Architectures.load(file, new Weights(file, kernels, Precision.EXACT), TensorType.F32);
        layers = plain.layers().size();
        vocabulary = plain.vocabulary();
        List<Decoder.Layer> watched = new ArrayList<>();
        for (Decoder.Layer l : plain.layers())
            watched.add(new Decoder.Layer(l.attentionNorm(), l.attention(), l.ffnNorm(), new WatchedFfn(l.ffn(), watched.size(), watch)));
        Decoder decoder = new Decoder(plain.embedding(), plain.ropes(), watched, plain.norm(), plain.output(), plain.cacheGroups(),
                plain.embeddingScale());
        pool = new PagePool(decoder.cacheGroups(), cacheBytes);
        scheduler = new Scheduler(decoder, new Pass(kernels, workers, pool, decoder.width(), file), microBatch, "watched", Recorder.here(),
                () -> {});
    }

    /// A prompt of so many ids, different for each salt.
    int[] prompt(int tokens, int salt) {
        int[] ids = new int[tokens];
        for (int i = 0; i < tokens; i++) ids[i] = Math.floorMod(31 * i + 7 * salt + i * i, Math.min(vocabulary, tokenizer.size()));
        return ids;
    }

    GenerateJob job(Conversation conversation, int[] prompt, int maxTokens) {
        Sampling sampling = Sampling.greedy().maxTokens(maxTokens).ignoreEndOfText(true);
        Sampler sampler = new Sampler(sampling, vocabulary, 1, tokenizer.endOfGeneration());
        return new GenerateJob(scheduler, conversation, prompt, 2048, tokenizer, sampling, sampler, 1, 0);
    }

    Conversation conversation() {
        return scheduler.open(pool);
    }

    /// Hands a job in, in a conversation of its own.
    GenerateJob submit(int[] prompt, int maxTokens) {
        GenerateJob job = job(conversation(), prompt, maxTokens);
        scheduler.submit(job);
        return job;
    }

    static List<Integer> read(GenerateJob job) {
        List<Integer> ids = new ArrayList<>();
        try {
            for (Token t; (t = job.outbox().take()) != null;) ids.add(t.id());
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return ids;
    }

    @Override
    public void close() {
        scheduler.close();
        workers.close();
        pool.close();
        file.close();
    }
}
