package io.github.kvern;

import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.Faults;
import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.engine.layer.Pass;
import io.github.kvern.engine.run.CacheBudget;
import io.github.kvern.engine.run.Recorder;
import io.github.kvern.engine.run.Scheduler;
import io.github.kvern.engine.run.ScoreJob;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.PackedTensors;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.WarmUp;
import io.github.kvern.kernels.Workers;
import io.github.kvern.kvcache.PagePool;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A loaded model: immutable, thread-safe, the owner of the mapping and of the threads that compute. Load it once, keep it as long as the
/// application lives, and hold each conversation with a [Generator] of its own.
///
/// Loading reads the headers and maps the data: it takes milliseconds, or as long as packing ([ModelOptions#weights]) or reading it all
/// ([ModelOptions#loadMode]) takes. First answers are slower, because the JVM compiles while they run, and because the system reads the
/// file from the disk when it is first needed. The file must not be written to while it is loaded; replace it by renaming another.
public final class Model implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Model.class);

    private final GgufFile file;
    private final ModelOptions options;
    private final ModelInfo info;
    private final LoadedWeights weights;
    private final Decoder decoder;
    private final CompletableFuture<Tokenizer> tokenizer;
    private final Workers workers;
    private final WarmUp warmUp;
    private final PagePool pool;
    private final Scheduler scheduler;
    private final ReentrantLock closing = new ReentrantLock();
    private final ModelExperts experts;
    private boolean closed;

    private Model(GgufFile file, ModelOptions options, ModelInfo info, LoadedWeights weights, CompletableFuture<Tokenizer> tokenizer,
            PagePool pool, Workers workers, WarmUp warmUp, Recorder recorder) {
        this.file = file;
        this.options = options;
        this.info = info;
        this.weights = weights;
        decoder = weights.decoder();
        this.tokenizer = tokenizer;
        this.pool = pool;
        this.workers = workers;
        this.warmUp = warmUp;
        scheduler = new Scheduler(decoder, new Pass(weights.kernels(), workers, pool, decoder.width(), file), options.microBatch(),
                info.name(), recorder, warmUp::go);
        experts = new ModelExperts(info, decoder, recorder);
    }

    /// Loads a model with [ModelOptions#defaults()].
    ///
    /// @param path the file, or any part of a split model
    /// @throws IOException the disk: a missing file too
    /// @throws io.github.kvern.gguf.ModelFormatException the file is wrong
    /// @throws io.github.kvern.gguf.UnsupportedModelException the file is fine, but asks for what Kvern cannot do
    public static Model load(Path path) throws IOException {
        return load(path, ModelOptions.defaults());
    }

    /// Loads a model.
    ///
    /// @param path the file, or any part of a split model
    /// @throws IllegalArgumentException an override does not fit the file
    /// @throws IOException the disk: a missing file too
    /// @throws io.github.kvern.gguf.ModelFormatException the file is wrong
    /// @throws io.github.kvern.gguf.UnsupportedModelException the file is fine, but asks for what Kvern cannot do
    public static Model load(Path path, ModelOptions options) throws IOException {
        return load(path, options, fraction -> {
        });
    }

    /// Loads a model and tells how far it is.
    ///
    /// @param path the file, or any part of a split model
    /// @param listener called on this thread, about a hundred times at most; see there
    /// @throws IllegalArgumentException an override does not fit the file
    /// @throws IOException the disk: a missing file too
    /// @throws io.github.kvern.gguf.ModelFormatException the file is wrong
    /// @throws io.github.kvern.gguf.UnsupportedModelException the file is fine, but asks for what Kvern cannot do
    /// @throws io.github.kvern.gguf.MemoryBudgetException not one page of cache fits; or [ModelOptions#loadMode] asks for too much
    /// @throws IllegalStateException the weights are to be locked, and this JVM may not
    public static Model load(Path path, ModelOptions options, LoadListener listener) throws IOException {
        long started = System.nanoTime();
        LoadSteps steps = WeightPages.steps(options, listener);
        Recorder recorder = Recorder.here();
        Recorder.Loading recorded = recorder.loading();
        // what takes its time and needs nothing of the others goes side by side
        CompletableFuture<Kernels> choice = later("kvern-kernels", StartUp::kernels);
        CompletableFuture<MemoryLimits> memory = later("kvern-memory", MemoryLimits::here);
        GgufFile file = GgufFile.open(path, options::corrected);
        boolean loaded = false;
        try {
            CompletableFuture<Tokenizer> tokenizer = later("kvern-tokenizer", () -> Tokenizer.of(file));
            CompletableFuture<String> identity = later("kvern-identity", file::identity);
            LoadedWeights weights = LoadedWeights.load(file, get(choice), options, get(memory), steps);
            Model model = started(file, options, weights, get(memory), identity, tokenizer, recorder, started, steps);
            recorded.loaded(model.info);
            loaded = true;
            LOG.debug("loaded {} in {} ms: {} kernels, weights {} ({}), {} threads", path, model.info.loadNanos() / 1_000_000,
                    model.info.kernels(), weights.info().kind(), weights.info().reason(), options.threads());
            begin(steps, model, get(memory));
            return model;
        } catch (InternalError | OutOfMemoryError e) {
            throw Faults.ofLoading(e, file);
        } finally {
            if (!loaded) file.close();
        }
    }

    private static void begin(LoadSteps steps, Model model, MemoryLimits memory) {
        boolean told = false;
        try {
            model.experts.begin(memory, model.scheduler.experts());
            steps.ready();
            told = true;
        } finally {
            if (!told) model.close(); // nobody else will
        }
    }

    /// From here on there is memory to give back.
    private static Model started(GgufFile file, ModelOptions options, LoadedWeights loaded, MemoryLimits memory,
            CompletableFuture<String> identity, CompletableFuture<Tokenizer> tokenizer, Recorder recorder, long began, LoadSteps steps)
            throws IOException {
        boolean started = false;
        try {
            long budget = CacheBudget.bytes(options.cacheBytes(), loaded.bytes(), memory);
            PagePool pool = new PagePool(loaded.decoder().cacheGroups(), budget);
            WeightPages.bringIn(file, options, loaded, memory, steps);
            Model model = start(file, options, info(file, loaded, get(identity), options, began), loaded, tokenizer, pool, recorder);
            started = true;
            return model;
        } finally {
            if (!started) loaded.close();
        }
    }

    /// From here on there are threads to end.
    private static Model start(GgufFile file, ModelOptions options, ModelInfo info, LoadedWeights loaded,
            CompletableFuture<Tokenizer> tokenizer, PagePool pool, Recorder recorder) {
        WarmUp warmUp = loaded.kernels().warmUp(loaded.weights().matrices(), StartUp::warn);
        Workers workers = team(options.threads(), warmUp);
        boolean started = false;
        try {
            Model model = new Model(file, options, info, loaded, tokenizer, pool, workers, warmUp, recorder);
            started = true;
            return model;
        } finally {
            if (!started) {
                workers.close();
                warmUp.close();
            }
        }
    }

    private static Workers team(int threads, WarmUp warmUp) {
        boolean made = false;
        try {
            Workers workers = new Workers(threads);
            made = true;
            return workers;
        } finally {
            if (!made) warmUp.close();
        }
    }

    private static <T> CompletableFuture<T> later(String name, Supplier<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread.ofVirtual().name(name).start(() -> result.completeAsync(work, Runnable::run));
        return result;
    }

    private static <T> T get(CompletableFuture<T> work) {
        try {
            return work.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) throw cause;
            if (e.getCause() instanceof Error cause) throw cause;
            throw e;
        }
    }

    private static ModelInfo info(GgufFile file, LoadedWeights weights, String identity, ModelOptions options, long started) {
        Decoder decoder = weights.decoder();
        Metadata metadata = file.metadata();
        String name = metadata.findString("general.name").orElse(file.paths().getFirst().getFileName().toString());
        String architecture = metadata.requireString("general.architecture");
        long parameters = file.tensors().stream().mapToLong(t -> t.info().values()).sum();
        if (file.packed().isPresent()) // what they are, in place of the bytes that they lie in
            for (PackedTensors.Entry p : file.packed().get().entries().values()) parameters += p.values() - p.stored().info().values();
        return new ModelInfo(file.paths(), name, architecture, file.bytes(), parameters, decoder.layers().size(), decoder.width(),
                decoder.vocabulary(), metadata.requireInt(architecture + ".context_length"), identity, weights.kernels().name(),
                options.threads(),
                weights.info(), System.nanoTime() - started, metadata);
    }

    /// What this model is. Stays valid after the model is closed.
    public ModelInfo info() {
        return info;
    }

    /// How it was loaded.
    public ModelOptions options() {
        return options;
    }

    /// The model's tokenizer, always the same. It is read beside the rest of the loading; the first call may wait for it. Stays valid
    /// after the model is closed.
    ///
    /// @throws io.github.kvern.gguf.KvernException the file has none, or one that Kvern does not know; [#score] works all the same
    public Tokenizer tokenizer() {
        return get(tokenizer);
    }

    /// A conversation of the default size: the model's own context, at most 8,192 tokens. To be closed, or its part of the cache stays in
    /// use until the model is closed.
    ///
    /// @throws IllegalStateException the model is closed
    /// @throws io.github.kvern.gguf.MemoryBudgetException a context of this size can never fit the cache's memory
    public Generator generator() {
        return generator(GeneratorOptions.defaults());
    }

    /// A conversation. Many can run at once, and share steps and the cache's memory, which they take as they grow and not before. To be
    /// closed, or its part of the cache stays in use until the model is closed.
    ///
    /// @throws IllegalStateException the model is closed
    /// @throws io.github.kvern.gguf.MemoryBudgetException a context of this size can never fit the cache's memory
    public synchronized Generator generator(GeneratorOptions options) {
        if (closed) throw new IllegalStateException("the model is closed");
        int context = options.length(info.context());
        CacheBudget.check(pool, decoder.cacheGroups(), context, this.options.microBatch());
        return new Generator(this, scheduler, scheduler.open(pool), context);
    }

    /// The logits at some positions of a text: those at position `i` are for the token after `ids[i]`, as the model gives them: their softmax
    /// is its probability. Adds no begin token; the text may be longer than the model's own context. Runs beside conversations, and shares
    /// their steps; nothing of it stays in the cache. Thread-safe. The calling thread waits, and an interrupt ends the waiting.
    ///
    /// @param ids the text, 1 token or more
    /// @param positions ascending numbers of ids, 1 or more
    /// @param sink called once for each position, in their order, on the calling thread
    /// @throws IllegalArgumentException ids outside the vocabulary, positions outside the text or not ascending
    /// @throws IllegalStateException the model is closed, or was closed meanwhile; or the calling thread was interrupted
    /// @throws io.github.kvern.gguf.MemoryBudgetException the text is too long for the cache's memory
    /// @throws io.github.kvern.gguf.KvernException computing failed: the file changed, for example
    public void score(int[] ids, int[] positions, LogitsSink sink) {
        int[] text = ids.clone(), at = positions.clone(); // checked once, and then nobody else's
        check(text, at);
        ScoreJob job = submit(text, at);
        try {
            for (int position : at) {
                float[] logits = job.outbox().take();
                if (logits == null) throw new IllegalStateException("the model was closed while it was scoring");
                sink.accept(position, logits);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while scoring", e);
        } finally {
            scheduler.cancel(job, StopReason.CANCELLED);
            job.awaitRelease();
        }
    }

    private void check(int[] ids, int[] positions) {
        if (positions.length == 0) throw new IllegalArgumentException("positions: give at least one");
        for (int i = 0; i < positions.length; i++) {
            if (positions[i] < 0 || positions[i] >= ids.length)
                throw new IllegalArgumentException("position " + positions[i] + " is outside the text of " + ids.length + " tokens");
            if (i > 0 && positions[i] <= positions[i - 1])
                throw new IllegalArgumentException("positions must ascend: " + positions[i] + " comes after " + positions[i - 1]);
        }
        for (int id : ids) {
            if (id < 0 || id >= info.vocabulary())
                throw new IllegalArgumentException("token id " + id + " is outside the vocabulary of " + info.vocabulary() + " tokens");
        }
    }

    private synchronized ScoreJob submit(int[] ids, int[] positions) {
        if (closed) throw new IllegalStateException("the model is closed");
        CacheBudget.check(pool, decoder.cacheGroups(), ids.length, options.microBatch());
        ScoreJob job = new ScoreJob(scheduler, pool.sequence(), ids, positions, info.vocabulary());
        scheduler.submit(job);
        return job;
    }

    /// The logits at some positions of a text, `[positions][vocabulary]`: four bytes for each. As [#score(int[], int[], LogitsSink)],
    /// which needs one row of that memory at a time.
    ///
    /// @throws IllegalArgumentException ids outside the vocabulary, positions outside the text or not ascending
    /// @throws IllegalStateException the model is closed, or was closed meanwhile; or the calling thread was interrupted
    /// @throws io.github.kvern.gguf.KvernException computing failed
    public float[][] score(int[] ids, int[] positions) {
        float[][] all = new float[positions.length][];
        int[] next = new int[1];
        score(ids, positions, (position, logits) -> all[next[0]++] = logits.clone());
        return all;
    }

    /// Bytes of cache that conversations hold at this moment, running and idle ones; at most [ModelOptions#cacheBytes()]. 0 after
    /// [#close()].
    public long cacheBytesInUse() {
        return pool.usedBytes();
    }

    /// What the routed experts of all mixture layers did since the model was loaded, and what of them is in memory; empty for a model
    /// without them. Looks at every page of them, where it may: some milliseconds for a gigabyte.
    ///
    /// @return by layer and expert
    /// @throws IllegalStateException the model is closed
    public List<ExpertStats> experts() {
        closing.lock(); // they stay mapped meanwhile
        try {
            requireOpen();
            return experts.stats();
        } finally {
            closing.unlock();
        }
    }

    /// Locks the most used experts of a trace in memory, until the model is closed. Whether that pays, [ExpertTrace#advice] says. Comes
    /// back when they were read; what is computed meanwhile goes on.
    ///
    /// @param trace of this very model
    /// @param bytes to lock at most
    /// @return bytes that were locked
    /// @throws IllegalArgumentException the trace is of another model, or `bytes` is below 0
    /// @throws IllegalStateException the weights are not read from the file, this JVM may not lock, or the model is closed
    /// @throws io.github.kvern.gguf.MemoryBudgetException more than this process may lock
    /// @throws InterruptedException this thread was interrupted; nothing is locked
    public long pinExperts(ExpertTrace trace, long bytes) throws InterruptedException {
        closing.lock();
        try {
            requireOpen();
            return experts.pin(trace, bytes, options.threads());
        } finally {
            closing.unlock();
        }
    }

    private synchronized void requireOpen() {
        if (closed) throw new IllegalStateException("the model is closed");
    }

    /// Waits until the kernels that this model needs are compiled: for a server that wants to be at full speed before it says that it
    /// is ready, and for measurements. Nothing needs to wait: until then answers are the same, and slower. What is not compiled within a
    /// minute counts as given up by the compiler: it stays slow, and a warning names it, through SLF4J or on standard error.
    ///
    /// @param limit the longest to wait; zero or less only asks
    /// @return true when all of them are compiled; false when they were not by then, when one was given up, or when the model was closed
    /// @throws InterruptedException when the waiting thread is interrupted
    public boolean awaitWarm(Duration limit) throws InterruptedException {
        if (!warmUp.await(limit) || !warmUp.problems().isEmpty()) return false;
        synchronized (this) {
            return !closed;
        }
    }

    /// Ends what runs (its stop reason is [StopReason#CLOSED]), waits for it, joins the threads, and unmaps.
    @Override
    public void close() {
        closing.lock(); // who comes second waits as well
        try {
            synchronized (this) {
                if (closed) return;
                closed = true;
            }
            warmUp.close();
            scheduler.close();
            workers.close();
            experts.close();
            pool.close();
            weights.close();
            tokenizer.exceptionally(e -> null).join();
            file.close();
        } finally {
            closing.unlock();
        }
    }
}
