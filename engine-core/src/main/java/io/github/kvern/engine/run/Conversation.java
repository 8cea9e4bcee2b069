package io.github.kvern.engine.run;

import io.github.kvern.kvcache.Sequence;
import java.util.Arrays;

/// What a generator keeps from one answer to the next: a sequence in the cache, and the ids that it was made from. While an answer
/// runs it belongs to the driver; while none does, to who holds the scheduler's lock.
public final class Conversation {
    private final Sequence sequence;
    /// Prompt and answer. The cache holds the first `sequence.length()` of them.
    private int[] ids = {};
    private int length;
    private int answers; // submitted and not let go of: the next may be there before the driver has let go of the last
    private long lastUse;

    Conversation(Sequence sequence) {
        this.sequence = sequence;
    }

    Sequence sequence() {
        return sequence;
    }

    /// Begins an answer: the sequence is cut back to what it shares with the prompt, whose last token is left out because its logits
    /// are needed.
    ///
    /// @param prompt the whole conversation so far, 1 id or more; owned from now on
    /// @return how many of its ids need not be computed again
    int begin(int[] prompt) {
        int most = Math.min(sequence.length(), prompt.length - 1);
        int same = Arrays.mismatch(ids, 0, most, prompt, 0, most);
        sequence.truncate(sequence.nearest(same < 0 ? most : same));
        ids = prompt;
        length = prompt.length;
        return sequence.length();
    }

    /// Ids of prompt and answer.
    int length() {
        return length;
    }

    int id(int position) {
        return ids[position];
    }

    void add(int id) {
        if (length == ids.length) ids = Arrays.copyOf(ids, length + Math.max(64, length >> 1));
        ids[length++] = id;
    }

    /// Gives the cache's pages back. The next answer begins from nothing.
    void forget() {
        sequence.truncate(0);
    }

    /// Whether an answer runs here, from its submission to the moment when the driver lets go of it.
    boolean isBusy() {
        return answers > 0;
    }

    void begun() {
        answers++;
    }

    /// @param now ascends from answer to answer
    void ended(long now) {
        answers--;
        lastUse = now;
        sequence.truncate(sequence.length()); // room that was made for a step that did not come to its end
    }

    long lastUse() {
        return lastUse;
    }
}
