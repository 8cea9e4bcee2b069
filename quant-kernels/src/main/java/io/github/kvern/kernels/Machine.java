package io.github.kvern.kernels;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.Optional;

/// What this JVM can do with vectors, as far as it tells.
final class Machine {
    private Machine() {}

    /// Whether the vector module was resolved. Asked by name: nothing may link to it before.
    static boolean hasVectorModule() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }

    /// Why no optimising compiler will ever compile a kernel (it takes one to turn the vector classes into instructions; without it
    /// they are some thousand times slower than plain loops), or empty.
    static Optional<String> compilerIsMissing() {
        String info = System.getProperty("java.vm.info", "");
        if (info.contains("interpreted mode")) return Optional.of("this JVM only interprets (-Xint)");
        if (info.contains("emulated-client"))
            return Optional.of("this JVM has its optimising compiler switched off (-XX:TieredStopAtLevel=1)");
        try {
            return Flags.problem();
        } catch (LinkageError | RuntimeException e) { // no management module, or not this kind of JVM: nothing more can be known
            return Optional.empty();
        }
    }

    /// Loaded only on demand: the management module need not be there.
    private static final class Flags {
        static Optional<String> problem() {
            HotSpotDiagnosticMXBean bean = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
            if (bean == null) return Optional.empty();
            String level = value(bean, "TieredStopAtLevel");
            boolean tiered = value(bean, "TieredCompilation").equals("true");
            if (value(bean, "UseCompiler").equals("false")) return Optional.of("this JVM's compilers are switched off (-XX:-UseCompiler)");
            if (tiered && !level.isEmpty() && !level.equals("4"))
                return Optional.of("this JVM has its optimising compiler switched off (-XX:TieredStopAtLevel=" + level + ")");
            if (value(bean, "EnableVectorSupport").equals("false"))
                return Optional.of("this JVM has its vector support switched off (-XX:-EnableVectorSupport)");
            return Optional.empty();
        }

        private static String value(HotSpotDiagnosticMXBean bean, String flag) {
            try {
                return bean.getVMOption(flag).getValue();
            } catch (IllegalArgumentException e) {
                return "";
            }
        }
    }
}
