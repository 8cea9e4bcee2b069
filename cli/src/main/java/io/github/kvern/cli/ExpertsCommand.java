package io.github.kvern.cli;

import io.github.kvern.ExpertAdvice;
import io.github.kvern.ExpertStats;
import io.github.kvern.ExpertTrace;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `experts`: what a trace says.
@Command(name = "experts",
        description = {"Show how often each routed expert was used, from a file that --expert-trace wrote, and whether locking the "
                + "most used ones in memory would pay."},
        sortOptions = false)
final class ExpertsCommand implements Callable<Integer> {
    /// From never to as often as the most used of the layer.
    private static final String SHADES = ".123456789#";
    private static final int WIDTH = 64;

    private final Session session;

    @Parameters(index = "0", paramLabel = "TRACE", description = "The file.")
    private String trace = "";

    @Option(names = "--memory", paramLabel = "BYTES", converter = ByteSize.class,
            description = "Memory for routed experts. Default: three quarters of the machine's.")
    private Optional<Long> memory = Optional.empty();

    @Option(names = "--budget", paramLabel = "BYTES", converter = ByteSize.class,
            description = "What may be locked. Default: half of --memory.")
    private Optional<Long> budget = Optional.empty();

    @Option(names = "--no-table", description = "Only the summary.")
    private boolean noTable;

    ExpertsCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        ExpertTrace read = ExpertOptions.read(trace);
        Map<Integer, List<ExpertStats>> layers = read.experts().stream()
                .collect(Collectors.groupingBy(ExpertStats::layer, TreeMap::new, Collectors.toList()));
        Page page = new Page();
        page.line(read.name() + ", " + read.identity());
        if (!noTable) layers.forEach((number, layer) -> table(page, number, layer));
        summary(page, layers);
        advice(page, read);
        session.terminal().print(page.text());
        return Failures.DONE;
    }

    /// A character an expert: tenths of the tokens of the layer's most used one.
    private static void table(Page page, int number, List<ExpertStats> layer) {
        List<ExpertStats> sorted = layer.stream().sorted(Comparator.comparingInt(ExpertStats::expert)).toList();
        long most = sorted.stream().mapToLong(ExpertStats::tokens).max().orElse(0);
        page.line("");
        page.line("layer " + number + ", " + Page.count(sorted.getFirst().layerSteps()) + " steps; " + SHADES.charAt(0)
                + " never, 1 to 9 tenths of the most used, " + SHADES.charAt(10) + " = " + Page.count(most) + " tokens");
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < sorted.size(); i++) {
            if (i % WIDTH == 0) line.append(String.format(Locale.ROOT, "  %5d  ", sorted.get(i).expert()));
            long tokens = sorted.get(i).tokens();
            int shade = tokens == 0 ? 0 : Math.clamp(Math.round(10.0 * tokens / most), 1, 10);
            line.append(SHADES.charAt(shade));
            if (i % WIDTH == WIDTH - 1 || i == sorted.size() - 1) {
                page.line(line.toString());
                line.setLength(0);
            }
        }
    }

    private static void summary(Page page, Map<Integer, List<ExpertStats>> layers) {
        page.line("");
        page.row("layer", "experts", "used", "tokens", "hottest tenth", "in memory", "read when asked for");
        layers.forEach((number, layer) -> {
            long[] tokens = layer.stream().mapToLong(ExpertStats::tokens).sorted().toArray();
            long all = 0, hot = 0;
            for (int i = 0; i < tokens.length; i++) {
                all += tokens[i];
                if (i >= tokens.length - Math.ceilDiv(tokens.length, 10)) hot += tokens[i];
            }
            page.row(String.valueOf(number), String.valueOf(layer.size()),
                    String.valueOf(layer.stream().filter(s -> s.uses() > 0).count()), Page.count(all),
                    all == 0 ? "-" : percent(1.0 * hot / all),
                    layer.stream().anyMatch(s -> s.residentBytes().isEmpty()) ? "?"
                            : Page.bytes(layer.stream().mapToLong(s -> s.residentBytes().orElse(0)).sum()),
                    layer.stream().anyMatch(s -> s.missedBytes().isEmpty()) ? "?"
                            : Page.bytes(layer.stream().mapToLong(s -> s.missedBytes().orElse(0)).sum()));
        });
        page.endTable(0, 1, 2, 3, 4, 5, 6);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    private void advice(Page page, ExpertTrace read) {
        long there = memory.orElseGet(ExpertAdvice::defaultMemoryBytes), locked = budget.orElse(there / 2);
        if (locked > there) throw Failures.usage("--budget: " + locked + " bytes to lock of " + there + " (--memory)");
        ExpertAdvice a = read.advice(there, locked);
        page.line("");
        if (a.expertBytes() <= there) {
            page.line("All experts take " + Page.bytes(a.expertBytes()) + " and fit in " + Page.bytes(there)
                    + ": once read they stay, and locking them saves nothing but what other programs might push out.");
            return;
        }
        page.line("Experts take " + Page.bytes(a.expertBytes()) + ", there are " + Page.bytes(there)
                + " for them. A step reads from the disk, worked out "
                + "from how often each was used:");
        page.row("nothing locked", Page.bytes(Math.round(a.missedWithout())));
        page.row(Page.bytes(a.lockedBytes()) + " locked", Page.bytes(Math.round(a.missedWith())));
        page.endTable(1);
        page.line(percent(a.repeats()) + " of uses followed a use in the step before; by chance it would be " + percent(a.expectedRepeats())
                + ". The more it is than that, the less locking helps: the system keeps what was just used.");
        if (a.isThin())
            page.line("An expert was used " + Page.decimal(a.usesPerExpert()) + " times on average: too few to tell hot experts from lucky "
                    + "ones, so take more steps before you believe this.");
        if (a.missedWithout() == 0) page.line("The experts that were used in this trace fit: a longer trace may tell more.");
        else
            page.line(a.pays() ? "Locking would pay: try --pin-experts " + a.lockedBytes() + " --pin-trace " + trace + ", and measure."
                    : "Locking would not pay: it spares less than a twentieth of what is read.");
    }
}
