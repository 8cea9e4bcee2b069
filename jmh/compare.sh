#!/bin/sh
# Compares Kvern with llama.cpp on the same file in the same minutes: A B A B, tokens per second, medians, ratios.
#
#   jmh/compare.sh MODEL.gguf [ROUNDS]          environment: LLAMA_BENCH (command, default llama-bench), THREADS (2), PROMPTS ("512"), N (32)
#
# Keep the machine otherwise idle. Figures go to standard output, what is running to standard error.
set -eu
model=${1:?usage: jmh/compare.sh MODEL.gguf [ROUNDS]}
rounds=${2:-3}
threads=${THREADS:-2}
prompts=${PROMPTS:-512}
n=${N:-32}
peer=${LLAMA_BENCH:-llama-bench}
kvern=$(dirname "$0")/../kvern
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

tests=
for p in $prompts; do tests="$tests pp$p"; done
[ "$n" -gt 0 ] && tests="$tests tg$n"

i=0
while [ "$i" -lt "$rounds" ]; do
  i=$((i + 1))
  for t in $tests; do
    count=${t#??}
    case $t in pp*) args="-p $count -n 0" ;; *) args="-p 0 -n $count" ;; esac
    echo "round $i: $t" >&2
    # shellcheck disable=SC2086
    $peer -m "$model" -t "$threads" $args -r 2 -o jsonl 2>/dev/null | sed -n 's/.*"avg_ts": *\([0-9.]*\).*/\1/p' >>"$out/$t.peer"
    # shellcheck disable=SC2086
    "$kvern" bench -m "$model" -t "$threads" $args -r 2 --json 2>/dev/null | tr -d ' \n' | sed -n 's/.*"median":\([0-9.]*\).*/\1\n/p' >>"$out/$t.kvern"
  done
done

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

echo "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1), $(grep -qw avx512f /proc/cpuinfo 2>/dev/null && echo AVX-512 || echo 'no AVX-512'), $threads threads, $(date +%Y-%m-%d), $(basename "$model")"
printf '%-8s %12s %12s %8s\n' test kvern llama.cpp ratio
for t in $tests; do
  paste "$out/$t.kvern" "$out/$t.peer" | awk '{ print $1 / $2 }' >"$out/$t.ratio"
  printf '%-8s %12.2f %12.2f %8.2f\n' "$t" "$(median "$out/$t.kvern")" "$(median "$out/$t.peer")" "$(median "$out/$t.ratio")"
done
