package io.github.kvern;

import static org.junit.jupiter.api.Assertions.fail;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// After warm-up a token costs the driver its record, its text and little else, however large the model.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AllocationTest {
    private static final int WINDOW = 100;
    private static final int WINDOWS = 60;
    /// Record, text and the buffers that it is decoded in are 320 to 350, and the look at the file before it is handed out 344. One vector kernel
    /// whose vectors are objects adds tens of thousands, one array a layer, or one of logits, as well.
    private static final long BYTES_PER_TOKEN = 1024;

    /// Until the compiler has seen everything, vectors are objects: the first windows do not count.
    @Test
    void aTokenCostsNextToNothing() {
        Assumptions.assumeTrue(ManagementFactory.getThreadMXBean() instanceof com.sun.management.ThreadMXBean,
                "this JVM does not count what a thread allocates: not checked");
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Model model = Shipped.load(Shipped.exact()); Generator generator = model.generator()) {
            Thread driver = Thread.getAllStackTraces().keySet().stream().filter(t -> t.getName().startsWith("kvern-driver")).findFirst()
                    .orElseThrow();
            Sampling endless = Shipped.GREEDY.maxTokens(-1).ignoreEndOfText(true);
            List<Long> costs = new ArrayList<>();
            while (costs.size() < WINDOWS) {
                Iterator<Token> tokens = generator.generate(Prompt.text(Shipped.PROMPT), endless).iterator();
                for (int w = 0; w < 4; w++) {
                    long before = threads.getThreadAllocatedBytes(driver.threadId());
                    for (int i = 0; i < WINDOW; i++) tokens.next();
                    costs.add((threads.getThreadAllocatedBytes(driver.threadId()) - before) / WINDOW);
                    if (costs.getLast() < BYTES_PER_TOKEN) return;
                }
                while (tokens.hasNext()) tokens.next();
            }
            fail("bytes a token, 100 by 100: " + costs);
        }
    }
}
