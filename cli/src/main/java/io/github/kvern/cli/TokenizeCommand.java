package io.github.kvern.cli;

import io.github.kvern.ModelOptions;
import io.github.kvern.Tokenizer;
import io.github.kvern.gguf.GgufFile;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `tokenize`: text to token ids, and back. Needs only the vocabulary of a file.
@Command(name = "tokenize", description = "Turn text into token ids, or ids into text. Works on any file with a vocabulary.",
        sortOptions = false)
final class TokenizeCommand implements Callable<Integer> {
    private final Session session;

    @Parameters(arity = "0..*", paramLabel = "TEXT", description = "The text, or with --detokenize the ids; default: standard input.")
    private List<String> arguments = new ArrayList<>();

    @Mixin
    private final ModelChoice model = new ModelChoice();

    @Mixin
    private final MetadataChoice metadata = new MetadataChoice();

    @Mixin
    private final PromptSource source = new PromptSource();

    @Option(names = "--lines",
            description = "Standard input has one JSON string a line; print one JSON array of ids for each. With --detokenize the other way.")
    private boolean lines;

    @Option(names = "--special",
            description = "Text that spells a special token is that token; with --detokenize: write special tokens out.")
    private boolean special;

    @Option(names = "--bos", description = "Put the begin token in front, if the model expects one. Default: none.")
    private boolean bos;

    @Option(names = "--detokenize", description = "Ids, between commas or white space, to text.")
    private boolean backwards;

    TokenizeCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        if (backwards && bos) throw Failures.usage("--bos puts a token in front of ids that are made: it does not go with --detokenize");
        if (lines && !source.isStream(arguments)) throw Failures.usage("--lines reads standard input or -f FILE, not an argument");
        Tokenizer tokenizer;
        try (GgufFile file = model.open(metadata.onto(ModelOptions.defaults()))) {
            tokenizer = Tokenizer.of(file);
        }
        if (lines) eachLine(tokenizer);
        else if (backwards) print(tokenizer.decode(Ids.parse(idText(), "the ids"), special));
        else print(tokenizer, encode(tokenizer, source.read(session.terminal(), arguments)));
        return Failures.DONE;
    }

    /// Ids may stand in one argument or in several.
    private String idText() {
        return source.read(session.terminal(), arguments.isEmpty() ? arguments : List.of(String.join(" ", arguments)));
    }

    private int[] encode(Tokenizer tokenizer, String text) {
        int[] ids = tokenizer.encode(text, special);
        if (!bos || !tokenizer.addsBos() || tokenizer.bos().isEmpty()) return ids;
        int[] begun = new int[ids.length + 1];
        begun[0] = tokenizer.bos().getAsInt();
        System.arraycopy(ids, 0, begun, 1, ids.length);
        return begun;
    }

    private void print(String text) {
        session.terminal().print(text);
        if (session.terminal().outIsTerminal()) session.terminal().print("\n");
    }

    private void print(Tokenizer tokenizer, int[] ids) {
        Page page = new Page();
        for (int id : ids) page.row(String.valueOf(id), Terminal.quoted(tokenizer.piece(id)));
        page.endTable(0);
        session.terminal().print(page.text());
    }

    /// Answers line by line, at once when nothing more waits to be read, so that a program can ask and wait.
    private void eachLine(Tokenizer tokenizer) {
        try (InputStream in = new BufferedInputStream(source.open(session.terminal()), 1 << 16)) {
            OutputStream out = new BufferedOutputStream(session.terminal().out(), 1 << 16);
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            long number = 0;
            long at = 0;
            try {
                for (int b = in.read(); b >= 0 || line.size() > 0; b = in.read()) {
                    if (b >= 0 && b != '\n') {
                        line.write(b);
                        continue;
                    }
                    String where = source.name() + ", line " + ++number;
                    answer(tokenizer, Utf8.decode(line.toByteArray(), where, at), where, out);
                    at += line.size() + 1L;
                    line.reset();
                    if (b < 0) break;
                    if (in.available() == 0) out.flush();
                }
            } finally {
                out.flush();
            }
        } catch (IOException e) {
            throw Failures.input(e);
        }
    }

    private void answer(Tokenizer tokenizer, String line, String where, OutputStream out) {
        if (backwards) {
            String text = tokenizer.decode(checked(tokenizer, Json.ids(line, where), where), special);
            Json.write(out, json -> json.writeString(text));
        } else {
            int[] ids = encode(tokenizer, Json.string(line, where));
            Json.write(out, json -> json.writeArray(ids, 0, ids.length));
        }
    }

    private static int[] checked(Tokenizer tokenizer, int[] ids, String where) {
        for (int id : ids)
            if (id >= tokenizer.size())
                throw Failures.usage(where + ": token id " + id + " is none of the vocabulary: expected 0 to " + (tokenizer.size() - 1));
        return ids;
    }
}
