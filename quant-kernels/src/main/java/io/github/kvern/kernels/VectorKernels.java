package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.vector.Arrangement;
import io.github.kvern.kernels.vector.BF16;
import io.github.kvern.kernels.vector.BytePanels;
import io.github.kvern.kernels.vector.F16;
import io.github.kvern.kernels.vector.F32;
import io.github.kvern.kernels.vector.FloatPanels;
import io.github.kvern.kernels.vector.Lanes;
import io.github.kvern.kernels.vector.NibblePanels;
import io.github.kvern.kernels.vector.PackedQ4_0;
import io.github.kvern.kernels.vector.PackedQ4_K;
import io.github.kvern.kernels.vector.PackedQ5_K;
import io.github.kvern.kernels.vector.PackedQ6_K;
import io.github.kvern.kernels.vector.PackedQ8_0;
import io.github.kvern.kernels.vector.PackedType;
import io.github.kvern.kernels.vector.PanelDecoder;
import io.github.kvern.kernels.vector.Q4_0;
import io.github.kvern.kernels.vector.Q4_K;
import io.github.kvern.kernels.vector.Q5_K;
import io.github.kvern.kernels.vector.Q6_K;
import io.github.kvern.kernels.vector.Q8_0;
import io.github.kvern.kernels.vector.RowKernel;
import io.github.kvern.kernels.vector.RowPanels;
import io.github.kvern.kernels.vector.SixPanels;
import io.github.kvern.kernels.vector.SuperPanels;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Chooses among the vector kernels. The only way from the door to the classes that link to the vector module: [Kernels] comes here
/// when it has found the module.
final class VectorKernels {
    private static final List<MatMul> EXACT;
    private static final List<MatMul> FAST;
    private static final Map<TensorType, PackedMatMul> PACKED = new EnumMap<>(TensorType.class);

    static {
        List<MatMul> exact = new ArrayList<>();
        List<MatMul> fast = new ArrayList<>();
        Map<Arrangement, ArrangedColumns> forms = new IdentityHashMap<>(); // types of one arrangement share what is prepared
        for (TensorType type : TensorType.values()) {
            MatMul tile = new TileMatMul(panels(type));
            exact.add(tile);
            fast.add(switch (type) {
                case F32 -> rows(new F32(), tile, forms);
                case F16 -> rows(new F16(), tile, forms);
                case BF16 -> rows(new BF16(), tile, forms);
                case Q4_0 -> rows(new Q4_0(), tile, forms);
                case Q8_0 -> rows(new Q8_0(), tile, forms);
                case Q4_K -> rows(new Q4_K(), tile, forms);
                case Q5_K -> rows(new Q5_K(), tile, forms);
                case Q6_K -> rows(new Q6_K(), tile, forms);
                default -> tile;
            });
        }
        EXACT = List.copyOf(exact);
        FAST = List.copyOf(fast);
        packs(TensorType.Q4_0, new PackedQ4_0());
        packs(TensorType.Q8_0, new PackedQ8_0());
        packs(TensorType.Q4_K, new PackedQ4_K());
        packs(TensorType.Q5_K, new PackedQ5_K());
        packs(TensorType.Q6_K, new PackedQ6_K());
    }

    private VectorKernels() {}

    private static void packs(TensorType file, PackedType type) {
        PACKED.put(file, new PackedMatMul(file, type));
    }

    private static PanelDecoder panels(TensorType type) {
        return switch (type) {
            case F32, F16, BF16 -> new FloatPanels(type);
            case Q8_0 -> new BytePanels();
            case Q4_0 -> new NibblePanels();
            case Q4_K, Q5_K -> new SuperPanels(type == TensorType.Q5_K);
            case Q6_K -> new SixPanels();
            default -> new RowPanels(type);
        };
    }

    private static MatMul rows(RowKernel kernel, MatMul tile, Map<Arrangement, ArrangedColumns> forms) {
        return new RowMatMul(kernel, forms.computeIfAbsent(kernel.arrangement(), ArrangedColumns::new), tile);
    }

    /// Bits of a vector; below 128 when there are none worth the name.
    static int bits() {
        return Lanes.BITS;
    }

    /// The kernel for weights as in the file.
    static MatMul matMul(TensorType type, Precision precision) {
        return (precision == Precision.FAST ? FAST : EXACT).get(type.ordinal());
    }

    /// The kernel of a type's packed layout, or null when it has none.
    static @Nullable PackedMatMul packing(TensorType type) {
        return PACKED.get(type);
    }

    static Ops ops() {
        return new VectorOps();
    }

    /// What there is to compile for these matrices, and for all that is not a matrix; what comes first in a model's life comes first.
    static List<Exercise> exercises(Collection<Matrix> matrices, Ops ops, AttentionOps attention) {
        Map<MatMul, List<Exercise>> kernels = new LinkedHashMap<>();
        for (Matrix w : matrices) kernels.computeIfAbsent(w.kernel(), k -> k.exercises(w));
        List<Exercise> all = new ArrayList<>();
        kernels.values().forEach(all::addAll);
        if (ops instanceof VectorOps v) all.addAll(v.exercises());
        if (attention instanceof WarmingAttention a) all.addAll(a.exercises());
        return all;
    }

    static AttentionOps attention() {
        return new WarmingAttention();
    }
}
