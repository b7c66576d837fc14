#!/usr/bin/env bash
# Puts AWS SDKs of other languages, at the versions pinned in tests/sdks/, into .cache/sdks, shells that are no system
# package, pinned in tests/shells/, into .cache/shells, and an identity provider, pinned in tests/issuers/, into
# .cache/issuers. Prints nothing when they are there already. What cannot be made because its tools are missing is said
# and left out.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
made=$top/.cache
# Where Go's own archive puts it.
PATH=$PATH:/usr/local/go/bin
failed=0

# FOLDER/NAME TOOL...: copies tests/FOLDER/NAME to .cache/FOLDER/NAME and makes it there by make_NAME, once for each
# state of it.
set_up() {
  local name=${1#*/} from=$top/tests/$1 to=$made/$1 state tool
  shift
  for tool in "$@"; do
    command -v "$tool" >/dev/null || { printf 'missing: %s, for %s\n' "$tool" "${from#"$top/"}"; return; }
  done
  state=$(cd "$from" && find . -type f | LC_ALL=C sort | xargs sha256sum)
  [ "$(cat "$to/state" 2>/dev/null)" != "$state" ] || return
  printf '%s into %s ...\n' "${from#"$top/"}" "${to#"$top/"}"
  rm -rf "$to"
  mkdir -p "${to%/*}"
  cp -R "$from" "$to"
  if (cd "$to" && "make_$name" >"$to.log" 2>&1 </dev/null); then
    printf '%s\n' "$state" >"$to/state"
  else
    tail -n 20 "$to.log"
    printf 'tests/sdks.sh: %s could not be set up\n  try: the network, and %s\n' "$name" "$to.log"
    failed=1
  fi
}

# The SDKs ask for it, and Debian 12 has an older one.
has_go() { go version 2>/dev/null | grep -Eq 'go1\.(2[4-9]|[3-9][0-9])'; }

make_js() { npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; }
make_oidc_provider() { make_js; }
make_nu() { make_js && ln -s node_modules/@nushell/*/bin bin; }
make_go() { go build -mod=readonly -trimpath -o bin/ ./...; }
make_java() { mvn -q -B compile dependency:copy-dependencies -DincludeScope=runtime; }
make_awscrt() {
  python3 -m venv venv && venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --only-binary :all: --require-hashes --requirement requirements.txt
}

set_up sdks/js node npm
if has_go; then set_up sdks/go go; else printf 'missing: Go 1.24 or newer, for the AWS SDK under tests/sdks/go\n'; fi
set_up sdks/java java mvn
set_up issuers/oidc_provider node npm
[ "$(uname -sm)" != "Linux x86_64" ] || { set_up sdks/awscrt python3; set_up shells/nu npm; }
exit $failed
