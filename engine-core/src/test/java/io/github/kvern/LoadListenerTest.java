package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What somebody who waits for a model is told.
class LoadListenerTest {
    @Test
    void theModelsLoadingIsToldInSteps() throws IOException {
        List<Double> told = new ArrayList<>();
        Thread loader = Thread.currentThread();
        try (Model _ = Model.load(Shipped.path(), Shipped.exact(), fraction -> {
            assertSame(loader, Thread.currentThread());
            told.add(fraction);
        })) {
            assertEquals(1, told.getLast());
        }
        double before = 0;
        for (double fraction : told) {
            assertTrue(fraction > before && fraction <= 1, told.toString());
            assertTrue(fraction - before < 0.5, "a step of half the model or more: " + told);
            before = fraction;
        }
    }

    @Test
    void stepsAreAtLeastAHundredthAndTheLastOneIsTheModel() {
        List<Double> told = new ArrayList<>();
        LoadSteps steps = new LoadSteps(told::add);
        for (int i = 0; i <= 100_000; i++) steps.at(i / 100_000.0);
        steps.at(0.5); // a second look at what is done already
        assertTrue(told.size() >= 90 && told.size() <= 100, told.size() + " steps");
        assertTrue(told.getLast() < 1, told.toString());
        steps.ready();
        assertEquals(1, told.getLast());
        assertEquals(told.stream().sorted().toList(), told);
    }
}
