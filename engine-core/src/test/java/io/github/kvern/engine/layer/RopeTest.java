package io.github.kvern.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kvern.engine.arch.Architectures;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Precision;
import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RopeTest {
    /// The angle of the first pair is the position itself.
    @Test
    void angles() throws IOException {
        long seed = 3;
        SplittableRandom random = new SplittableRandom(seed);
        try (GgufFile file = GgufFile.open(TestData.folder().resolve("fixtures/models/llama-tied-Q4_K_M.gguf"))) {
            Rope rope = Architectures.load(file, new Weights(file, Kernels.best(), Precision.EXACT), TensorType.F32).ropes().getFirst();
            float[] cos = new float[rope.pairs()], sin = new float[rope.pairs()];
            for (int i = 0; i < 100_000; i++) {
                int position = i < 20_000 ? i : random.nextInt(1 << 24);
                rope.angles(position, cos, sin, 0);
                double c = StrictMath.cos(position), s = StrictMath.sin(position);
                assertEquals(c, cos[0], Math.ulp((float) c), "cosine of " + position);
                assertEquals(s, sin[0], Math.ulp((float) s), "sine of " + position);
            }
        }
    }
}
