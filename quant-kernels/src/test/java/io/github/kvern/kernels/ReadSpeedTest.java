package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReadSpeedTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void readsWithAnyTeamAndLittleMemory(int threads) {
        double speed = ReadSpeed.measure(threads, 1 << 20);
        assertTrue(speed > 0 && speed < Double.POSITIVE_INFINITY, speed + " bytes in a second");
    }
}
