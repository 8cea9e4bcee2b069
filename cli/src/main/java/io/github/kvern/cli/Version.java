package io.github.kvern.cli;

import io.github.kvern.EngineInfo;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/// `--version`: what runs here.
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        EngineInfo engine = EngineInfo.here();
        List<String> lines = new ArrayList<>();
        lines.add("kvern " + number());
        lines.add("JDK " + Runtime.version() + " (" + System.getProperty("java.vm.name") + ")");
        lines.add("kernels " + engine.kernels() + ": " + engine.reason());
        lines.add("threads " + engine.threads());
        engine.warning().ifPresent(warning -> lines.add("warning: " + warning));
        return lines.toArray(String[]::new);
    }

    /// The version that the build wrote down.
    static String number() {
        Properties written = new Properties();
        try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
            if (in != null) written.load(in);
        } catch (IOException e) {
            // told below
        }
        return written.getProperty("version", "of unknown version");
    }
}
