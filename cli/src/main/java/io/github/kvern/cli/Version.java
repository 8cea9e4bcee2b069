package io.github.kvern.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/// `--version`: what runs here.
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {
            "kvern " + number(),
            "JDK " + Runtime.version() + " (" + System.getProperty("java.vm.name") + ")",
        };
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
