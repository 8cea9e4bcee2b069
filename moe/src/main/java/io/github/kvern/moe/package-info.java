/// Mixture-of-experts layers: which experts, and their sum.
@NullMarked
package io.github.kvern.moe;

import org.jspecify.annotations.NullMarked;
