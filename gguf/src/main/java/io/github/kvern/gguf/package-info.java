/// The GGUF file format: metadata, tensor table, mapped tensor data.
@NullMarked
package io.github.kvern.gguf;

import org.jspecify.annotations.NullMarked;
