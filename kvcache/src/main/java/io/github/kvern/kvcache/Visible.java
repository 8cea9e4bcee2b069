package io.github.kvern.kvcache;

/// Which positions a position sees, besides itself: none after it, and before it everything, or a part.
///
/// @param kind which part
/// @param size its length in positions, at least 1; 0 for everything
public record Visible(Kind kind, int size) {
    /// Everything before.
    public static final Visible ALL = new Visible(Kind.ALL, 0);

    /// What the size means.
    public enum Kind {
        /// No bound.
        ALL,
        /// Positions fall into aligned runs of `size`, and see only their own run.
        CHUNK,
        /// Position i sees `i - size + 1` and on.
        WINDOW
    }

    /// @throws IllegalArgumentException when the size does not fit the kind
    public Visible {
        if (kind == Kind.ALL ? size != 0 : size < 1)
            throw new IllegalArgumentException("a " + kind + " of " + size + " positions; expected at least 1, or 0 for ALL");
    }

    /// Aligned runs of so many positions.
    public static Visible chunk(int size) {
        return new Visible(Kind.CHUNK, size);
    }

    /// So many positions, the position itself among them.
    public static Visible window(int size) {
        return new Visible(Kind.WINDOW, size);
    }

    /// The first position that `position` sees.
    int first(int position) {
        return switch (kind) {
            case ALL -> 0;
            case CHUNK -> position - position % size;
            case WINDOW -> Math.max(0, position - size + 1);
        };
    }
}
