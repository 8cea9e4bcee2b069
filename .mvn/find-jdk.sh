# Finds the JDK that builds and runs Kvern. Sourced by ./kvern and ./mvnw; POSIX sh.
#
# 25.0.3 is the least: 25.0.0 to 25.0.2 corrupt heap data that is pinned while the G1 collector works. Folders are judged by
# their `release` file, so no java is started to ask for its version.

KVERN_JDK_ADVICE='install a JDK 25.0.3 or newer (for example Eclipse Temurin 25, https://adoptium.net) or set KVERN_JAVA_HOME to the folder of one'

# Whether the folder $1 holds a JDK that is new enough (and of release 25, if $2 says so).
kvern_jdk_fits() {
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] || return 1
  kvern_version=
  if [ -r "$1/release" ]; then
    while IFS='=' read -r kvern_key kvern_value; do
      [ "$kvern_key" != JAVA_VERSION ] || kvern_version=$kvern_value
    done <"$1/release"
  else
    kvern_version=$("$1/bin/java" -version 2>&1 | sed -n 's/.* version \("[^"]*"\).*/\1/p' | head -n 1)
  fi
  kvern_version=${kvern_version#\"}
  kvern_version=${kvern_version%%[!0-9.]*}.0.0
  kvern_major=${kvern_version%%.*} kvern_rest=${kvern_version#*.}
  kvern_minor=${kvern_rest%%.*} kvern_rest=${kvern_rest#*.}
  kvern_patch=${kvern_rest%%.*}
  [ -n "$kvern_major" ] || return 1
  [ "$kvern_major" -eq 25 ] || { [ "$kvern_major" -gt 25 ] && [ "${2-}" != 25 ]; return; }
  [ "${kvern_minor:-0}" -gt 0 ] || [ "${kvern_patch:-0}" -ge 3 ]
}

# The folder of the JDK whose java is first in PATH; empty when there is none.
kvern_jdk_on_path() {
  kvern_java=$(command -v java) || return 0
  kvern_java=$(readlink -f "$kvern_java" 2>/dev/null || printf %s "$kvern_java")
  kvern_java=${kvern_java%/*}
  printf %s "${kvern_java%/*}"
}

# Prints the folder of the JDK to use. Status 1 when there is none, 2 when KVERN_JAVA_HOME names something else.
kvern_find_jdk() (
  set +f
  if [ -n "${KVERN_JAVA_HOME-}" ]; then
    kvern_jdk_fits "$KVERN_JAVA_HOME" || exit 2
    printf %s "$KVERN_JAVA_HOME"
    exit 0
  fi
  for kvern_home in "${JAVA_HOME-}" "${JDK_HOME-}" "$(kvern_jdk_on_path)"; do
    if [ -n "$kvern_home" ] && kvern_jdk_fits "$kvern_home"; then
      printf %s "$kvern_home"
      exit 0
    fi
  done
  for kvern_wanted in 25 later; do # a later release only when there is no 25: it is the one the tests run on
    for kvern_home in /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /usr/local/*jdk* /usr/local/java/* /usr/local/lib/jvm/* \
      /opt/*jdk* /opt/*jdk*/* /opt/java/* /opt/*temurin* /opt/*corretto* /opt/*zulu* /opt/jvm/* \
      "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* "${HOME-}"/.asdf/installs/java/* "${HOME-}"/.local/share/mise/installs/java/* \
      "${HOME-}"/.gradle/jdks/* "${HOME-}"/.gradle/jdks/*/* "${HOME-}"/*jdk* "${HOME-}"/.m2/jdks/* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home "${HOME-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
      /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
      if kvern_jdk_fits "$kvern_home" "$kvern_wanted"; then
        printf %s "$kvern_home"
        exit 0
      fi
    done
  done
  exit 1
)

# Sets KVERN_JDK, or prints the one line that says what to do and returns 1. $1: the name of the program that asks.
kvern_use_jdk() {
  kvern_status=0
  KVERN_JDK=$(kvern_find_jdk) || kvern_status=$?
  case $kvern_status in
  0) return 0 ;;
  2) printf '%s\n' "$1: KVERN_JAVA_HOME=$KVERN_JAVA_HOME is not the folder of a JDK 25.0.3 or newer: $KVERN_JDK_ADVICE" >&2 ;;
  *) printf '%s\n' "$1: no JDK 25.0.3 or newer found (in JAVA_HOME, PATH or the usual folders): $KVERN_JDK_ADVICE" >&2 ;;
  esac
  return 1
}
