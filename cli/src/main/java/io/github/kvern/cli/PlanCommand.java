package io.github.kvern.cli;

import io.github.kvern.GeneratorOptions;
import io.github.kvern.MemoryPlan;
import io.github.kvern.ModelOptions;
import io.github.kvern.ReadBandwidth;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `plan`: what a model will take of memory, before it is loaded.
@Command(name = "plan",
        description = {"Show what a model and a conversation will take of memory, whether it fits, and how fast it could answer at best.",
                "Reads the model's metadata and tensor table only."},
        sortOptions = false)
final class PlanCommand implements Callable<Integer> {
    private final Session session;

    @Mixin
    private final ModelChoice model = new ModelChoice();

    @Option(names = {"-c", "--ctx-size"}, paramLabel = "N",
            description = "The most tokens of prompt and answer together; 0 (the default): the model's own context, at most 8192.")
    private int context;

    @Option(names = "--memory", paramLabel = "BYTES", converter = ByteSize.class,
            description = "Plan for a machine of so much memory (K, M, G, T: times 1024). Default: this one, or its container.")
    private Optional<Long> memory = Optional.empty();

    @Option(names = "--bandwidth", paramLabel = "GB/S",
            description = "The billion bytes that memory gives in a second; 0: leave the ceiling out. Default: measured, half a second.")
    private Optional<Double> bandwidth = Optional.empty();

    @Option(names = "--pin-experts", paramLabel = "BYTES", converter = ByteSize.class,
            description = "Plan with so many bytes of routed experts locked in memory (4G, 512M).")
    private Optional<Long> pinned = Optional.empty();

    @Option(names = "--json", description = "One JSON object.")
    private boolean json;

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    PlanCommand(Session session) {
        this.session = session;
    }

    /// How fast memory is read.
    ///
    /// @param bytesPerSecond 0 when nobody wants to know
    record Bandwidth(double bytesPerSecond, boolean measured) {
    }

    @Override
    public Integer call() {
        ModelOptions options = compute.options();
        GeneratorOptions size = GeneratorOptions.context(context);
        if (bandwidth.isPresent() && !(bandwidth.get() >= 0 && bandwidth.get() <= 1e6))
            throw Failures.usage("--bandwidth: expected 0 to 1000000 billion bytes in a second, found " + bandwidth.get());
        Optional<MemoryPlan.Machine> other = memory.map(MemoryPlan.Machine::of);
        MemoryPlan plan = plan(options, size, other.orElseGet(MemoryPlan.Machine::here));
        Bandwidth speed = bandwidth.isPresent() ? new Bandwidth(bandwidth.get() * 1e9, false)
                : new Bandwidth(ReadBandwidth.measure(options.threads()), true);
        if (json) Json.writePretty(session.terminal().out(), out -> PlanOutput.write(out, plan, speed));
        else session.terminal().print(PlanOutput.text(plan, speed));
        return Failures.DONE;
    }

    private MemoryPlan plan(ModelOptions options, GeneratorOptions size, MemoryPlan.Machine machine) {
        try {
            return MemoryPlan.of(model.path(), options, size, machine, pinned.orElse(0L));
        } catch (IOException e) {
            throw Failures.model(e);
        }
    }
}
