#!/usr/bin/env bash
# Puts the pinned Python packages of the tests and the demo into .cache/venv, once for each requirements.txt.
# `tests/venv.sh templates` does the same with templates.txt and .cache/venv-templates, `tests/venv.sh scim` with scim.txt
# and .cache/venv-scim.
# Prints nothing when they are there already. PYTHON names another interpreter than python3.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
case ${1:-} in
  '') venv=$top/.cache/venv locked=$top/tests/requirements.txt what='AWS stand-ins, aws CLI, boto3' ;;
  scim) venv=$top/.cache/venv-scim locked=$top/tests/scim.txt what='a SCIM compliance suite' ;;
  templates) venv=$top/.cache/venv-templates locked=$top/tests/templates.txt what=cfn-lint ;;
  *) printf 'tests/venv.sh: no packages called %s\n' "$1" >&2; exit 2 ;;
esac

fail() {
  printf 'tests/venv.sh: %s\n  try: %s\n' "$1" "$2" >&2
  exit 1
}

# The stamp is the lock file itself: another lock, another venv.
if [ -x "$venv/bin/python" ] && cmp -s "$locked" "$venv/locked.txt"; then
  exit 0
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
  fail "Python 3.10 or newer is needed, $python is not" "install python3, or PYTHON=python3.12 $0"
# The suite itself asks for more; its test says then that it was left out.
if [ "${1:-}" = scim ] && ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  printf 'tests/venv.sh: left out: %s needs Python 3.11\n' "$what" >&2
  exit 0
fi
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  fail "$python has no venv module" "apt-get install python3-venv"

printf 'Python packages (%s) into %s ...\n' "$what" "${venv#"$top/"}" >&2
rm -rf "$venv"
mkdir -p "$top/.cache"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
  --only-binary :all: --require-hashes --requirement "$locked" >&2 ||
  fail "the Python packages could not be installed" "check the network and the package index that pip is set to"
cp "$locked" "$venv/locked.txt"
