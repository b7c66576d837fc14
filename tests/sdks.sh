#!/usr/bin/env bash
# Puts AWS SDKs of other languages, at the versions pinned in tests/sdks/, into .cache/sdks. Prints nothing when they
# are there already. A language whose tools are missing is said and left out.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
made=$top/.cache/sdks
# Where Go's own archive puts it.
PATH=$PATH:/usr/local/go/bin
failed=0

# NAME TOOL...: copies tests/sdks/NAME to .cache/sdks/NAME and makes it there by make_NAME, once for each state of it.
set_up() {
  local name=$1 from=$top/tests/sdks/$1 to=$made/$1 state tool
  shift
  for tool in "$@"; do
    command -v "$tool" >/dev/null || { printf 'missing: %s, for the AWS SDK under tests/sdks/%s\n' "$tool" "$name"; return; }
  done
  state=$(cd "$from" && find . -type f | LC_ALL=C sort | xargs sha256sum)
  [ "$(cat "$to/state" 2>/dev/null)" != "$state" ] || return
  printf 'AWS SDK under tests/sdks/%s into .cache/sdks ...\n' "$name"
  rm -rf "$to"
  mkdir -p "$made"
  cp -R "$from" "$to"
  if (cd "$to" && "make_$name" >"$made/$name.log" 2>&1 </dev/null); then
    printf '%s\n' "$state" >"$to/state"
  else
    tail -n 20 "$made/$name.log"
    printf 'tests/sdks.sh: %s could not be set up\n  try: the network, and %s\n' "$name" "$made/$name.log"
    failed=1
  fi
}

# The SDKs ask for it, and Debian 12 has an older one.
has_go() { go version 2>/dev/null | grep -Eq 'go1\.(2[4-9]|[3-9][0-9])'; }

make_js() { npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; }
make_go() { go build -mod=readonly -trimpath -o bin/ ./...; }
make_java() { mvn -q -B compile dependency:copy-dependencies -DincludeScope=runtime; }
make_awscrt() {
  python3 -m venv venv && venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --only-binary :all: --require-hashes --requirement requirements.txt
}

set_up js node npm
if has_go; then set_up go go; else printf 'missing: Go 1.24 or newer, for the AWS SDK under tests/sdks/go\n'; fi
set_up java java mvn
[ "$(uname -sm)" != "Linux x86_64" ] || set_up awscrt python3
exit $failed
