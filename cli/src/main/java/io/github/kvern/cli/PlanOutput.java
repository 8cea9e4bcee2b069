package io.github.kvern.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.kvern.MemoryPlan;
import java.io.IOException;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Stream;

/// A plan for people, and as JSON. Others script against the names in it: none is changed, none is removed.
final class PlanOutput {
    private PlanOutput() {
    }

    private static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    static String text(MemoryPlan plan, PlanCommand.Bandwidth speed) {
        MemoryPlan.Weights w = plan.weights();
        Page page = new Page();
        page.line(plan.name() + ", " + plan.architecture() + ", " + Page.bytes(w.fileBytes()) + "; a conversation of "
                + Page.count(plan.context()) + " tokens, " + plan.options().threads()
                + (plan.options().threads() == 1 ? " thread" : " threads"));
        page.line(ComputeOptions.line(w.info()));
        page.heading("weights, in bytes", w.shares().size());
        page.row("part", "type", "tensors", "in the file", "mapped", "packed", "read for a token");
        for (MemoryPlan.Share s : w.shares())
            page.row(name(s.part()), s.type().name(), Page.count(s.tensors()), Page.count(s.fileBytes()), Page.count(s.mappedBytes()),
                    Page.count(s.packedBytes()), Page.count(s.activeBytes()));
        page.row("headers", "", "", Page.count(w.headerBytes()), Page.count(w.headerBytes()), "0", "0");
        if (w.ownBytes() > 0) page.row("made of them", "F32", "", "", "", Page.count(w.ownBytes()), Page.count(w.ownBytes()));
        page.row("all", "", "", Page.count(w.fileBytes()), Page.count(w.mappedBytes()), Page.count(w.packedBytes() + w.ownBytes()),
                Page.count(w.activeBytes()));
        page.endTable(2, 3, 4, 5, 6);
        page.heading("cache, " + name(plan.options().kvType()) + ", in bytes", plan.cache().size());
        for (MemoryPlan.CacheGroup g : plan.cache())
            page.row(g.kind() + (g.visible() > 0 ? " " + Page.count(g.visible()) : ""),
                    g.layers() + (g.layers() == 1 ? " layer" : " layers"), Page.count(g.bytes()));
        page.endTable(2);
        page.heading("memory, in bytes", 7 + (plan.lockedBytes() > 0 ? 1 : 0));
        row(page, "packed weights", w.packedBytes() + w.ownBytes(), "off the heap");
        row(page, "cache", plan.cacheBytes(), "off the heap");
        row(page, "buffers of a step", plan.buffers().heapBytes(), "heap");
        row(page, "norms and biases", w.heapBytes(), "heap");
        row(page, "the JVM itself", MemoryPlan.JVM_BYTES, "set aside");
        row(page, "mapped weights", w.mappedBytes(), "page cache");
        if (plan.lockedBytes() > 0) row(page, "of these, locked", plan.lockedBytes(), "ulimit -l");
        row(page, "all", plan.bytes(), plan.pagedBytes() == 0 ? "" : Page.count(plan.pagedBytes()) + " of it paged");
        page.endTable(1);
        MemoryPlan.Machine m = plan.machine();
        page.heading("machine, in bytes",
                3 + (int) Stream.of(m.machine(), m.available(), m.lockable()).filter(OptionalLong::isPresent).count());
        row(page, m.machine().isPresent() ? "memory of the container" : "memory", m.memory(), "");
        if (m.machine().isPresent()) row(page, "memory of the machine", m.machine().getAsLong(), "");
        if (m.available().isPresent()) row(page, "available now", m.available().getAsLong(), "");
        row(page, "off the heap at most", m.offHeap(), "-XX:MaxDirectMemorySize");
        row(page, "heap at most", m.heap(), "-Xmx");
        if (m.lockable().isPresent()) row(page, "locked at most", m.lockable().getAsLong(), "ulimit -l, RLIMIT_MEMLOCK");
        page.endTable(1);
        page.line("");
        page.line(name(plan.verdict()) + ": " + plan.reason());
        for (MemoryPlan.Remedy r : plan.remedies()) page.line("  with " + r.option() + ": " + name(r.verdict()));
        if (speed.bytesPerSecond() > 0)
            page.line("at most " + Page.decimal(plan.tokensPerSecond(speed.bytesPerSecond(), false)) + " tokens/s, and "
                    + Page.decimal(plan.tokensPerSecond(speed.bytesPerSecond(), true)) + " at the end of the conversation: "
                    + Page.decimal(speed.bytesPerSecond() / 1e9) + " GB/s (" + (speed.measured() ? "measured" : "given") + ") over "
                    + Page.decimal(w.activeBytes() / 1e9) + " GB of weights a token");
        return page.text();
    }

    private static void row(Page page, String what, long bytes, String remark) {
        page.row(what, Page.count(bytes), remark);
    }

    static void write(JsonGenerator json, MemoryPlan plan, PlanCommand.Bandwidth speed) throws IOException {
        MemoryPlan.Weights w = plan.weights();
        json.writeStartObject();
        json.writeStringField("name", plan.name());
        json.writeStringField("architecture", plan.architecture());
        json.writeNumberField("context", plan.context());
        json.writeNumberField("threads", plan.options().threads());
        json.writeStringField("verdict", name(plan.verdict()));
        json.writeStringField("reason", plan.reason());
        json.writeArrayFieldStart("remedies");
        for (MemoryPlan.Remedy r : plan.remedies()) {
            json.writeStartObject();
            json.writeStringField("option", r.option());
            json.writeStringField("verdict", name(r.verdict()));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeStringField("weights", ComputeOptions.name(w.info()));
        json.writeStringField("weightsReason", w.info().reason());
        json.writeArrayFieldStart("parts");
        for (MemoryPlan.Share s : w.shares()) {
            json.writeStartObject();
            json.writeStringField("part", name(s.part()));
            json.writeStringField("type", s.type().name());
            json.writeNumberField("tensors", s.tensors());
            json.writeNumberField("fileBytes", s.fileBytes());
            json.writeNumberField("mappedBytes", s.mappedBytes());
            json.writeNumberField("packedBytes", s.packedBytes());
            json.writeNumberField("activeBytes", s.activeBytes());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("cache");
        for (MemoryPlan.CacheGroup g : plan.cache()) {
            json.writeStartObject();
            json.writeStringField("kind", g.kind());
            json.writeNumberField("layers", g.layers());
            json.writeNumberField("visible", g.visible());
            json.writeNumberField("bytes", g.bytes());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeObjectFieldStart("bytes");
        json.writeNumberField("file", w.fileBytes());
        json.writeNumberField("headers", w.headerBytes());
        json.writeNumberField("mapped", w.mappedBytes());
        json.writeNumberField("packed", w.packedBytes());
        json.writeNumberField("made", w.ownBytes());
        json.writeNumberField("vectors", w.heapBytes());
        json.writeNumberField("cache", plan.cacheBytes());
        json.writeNumberField("buffers", plan.buffers().heapBytes());
        json.writeNumberField("jvm", MemoryPlan.JVM_BYTES);
        json.writeNumberField("locked", plan.lockedBytes());
        json.writeNumberField("held", plan.heldBytes());
        json.writeNumberField("all", plan.bytes());
        json.writeNumberField("paged", plan.pagedBytes());
        json.writeNumberField("active", w.activeBytes());
        json.writeEndObject();
        json.writeObjectFieldStart("machine");
        MemoryPlan.Machine m = plan.machine();
        json.writeNumberField("memory", m.memory());
        number(json, "machine", m.machine());
        number(json, "available", m.available());
        json.writeNumberField("offHeap", m.offHeap());
        json.writeNumberField("heap", m.heap());
        number(json, "lockable", m.lockable());
        json.writeEndObject();
        if (speed.bytesPerSecond() > 0) {
            json.writeObjectFieldStart("ceiling");
            json.writeNumberField("bytesPerSecond", Math.round(speed.bytesPerSecond()));
            json.writeBooleanField("measured", speed.measured());
            json.writeNumberField("tokensPerSecond", Answer.rounded(plan.tokensPerSecond(speed.bytesPerSecond(), false)));
            json.writeNumberField("tokensPerSecondAtTheEnd", Answer.rounded(plan.tokensPerSecond(speed.bytesPerSecond(), true)));
            json.writeEndObject();
        }
        json.writeEndObject();
    }

    private static void number(JsonGenerator json, String name, OptionalLong value) throws IOException {
        if (value.isPresent()) json.writeNumberField(name, value.getAsLong());
    }
}
