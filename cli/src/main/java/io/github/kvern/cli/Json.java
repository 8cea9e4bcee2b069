package io.github.kvern.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;

/// JSON in and out, as the command line needs it: values are written as they come, and lines are read strictly.
final class Json {
    private static final JsonFactory FACTORY = new JsonFactory();

    private Json() {
    }

    /// Writes into an open JSON text.
    @FunctionalInterface
    interface Body {
        void write(JsonGenerator json) throws IOException;
    }

    /// Writes one JSON text and a line end.
    static void write(OutputStream out, Body body) {
        write(out, false, body);
    }

    /// Writes one JSON text over several lines.
    static void writePretty(OutputStream out, Body body) {
        write(out, true, body);
    }

    private static void write(OutputStream out, boolean pretty, Body body) {
        try (JsonGenerator json = FACTORY.createGenerator(out).disable(StreamWriteFeature.AUTO_CLOSE_TARGET.mappedFeature())) {
            if (pretty) json.setPrettyPrinter(new DefaultPrettyPrinter());
            body.write(json);
            json.writeRaw('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The string that a line is.
    ///
    /// @param where what messages call the line
    static String string(String line, String where) {
        try (JsonParser json = FACTORY.createParser(line)) {
            if (json.nextToken() != JsonToken.VALUE_STRING)
                throw Failures.usage(where + ": expected one JSON string, found " + found(line));
            String text = json.getText();
            if (json.nextToken() != null) throw Failures.usage(where + ": expected one JSON string and nothing after it");
            return Utf8.whole(text, where);
        } catch (IOException e) {
            throw Failures.usage(where + ": expected one JSON string: " + said(e));
        }
    }

    /// The array of token ids that a line is.
    ///
    /// @param where what messages call the line
    static int[] ids(String line, String where) {
        try (JsonParser json = FACTORY.createParser(line)) {
            if (json.nextToken() != JsonToken.START_ARRAY)
                throw Failures.usage(where + ": expected one JSON array of ids, found " + found(line));
            int[] ids = new int[16];
            int n = 0;
            for (JsonToken token = json.nextToken(); token != JsonToken.END_ARRAY; token = json.nextToken()) {
                if (token != JsonToken.VALUE_NUMBER_INT || json.getNumberType() != JsonParser.NumberType.INT || json.getIntValue() < 0) {
                    throw Failures.usage(where + ", element " + n + ": expected a token id, found " + json.getText());
                }
                if (n == ids.length) ids = Arrays.copyOf(ids, 2 * n);
                ids[n++] = json.getIntValue();
            }
            if (json.nextToken() != null) throw Failures.usage(where + ": expected one JSON array and nothing after it");
            return Arrays.copyOf(ids, n);
        } catch (IOException e) {
            throw Failures.usage(where + ": expected one JSON array of ids: " + said(e));
        }
    }

    private static String found(String line) {
        return line.isBlank() ? "an empty line" : line.length() > 40 ? line.substring(0, 40) + "..." : line;
    }

    private static String said(IOException e) {
        return e instanceof JsonProcessingException json ? json.getOriginalMessage() : String.valueOf(e.getMessage());
    }
}
