#!/usr/bin/env bash
# Builds jit and installs it: the programs, completions and man pages. See --help.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${CARGO_TARGET_DIR:-$top/target}
prefix=${HOME:-}/.local
action=install

help() {
  cat <<'HELP'
Builds jit and installs it for you alone; no root is needed

Usage: ./install.sh [--prefix DIR] [--demo | --uninstall]

  --prefix DIR   install below DIR [default: ~/.local]
  --demo         install, then play the main job against an AWS stand-in on this machine
  --uninstall    take away what was installed; says what it leaves
  --help         show this

Needs a Rust toolchain and a C compiler; --demo also Python 3 with venv.
Example: ./install.sh --prefix ~/tools
HELP
}

say() { printf '%s\n' "$*"; }
die() { printf 'install.sh: %s\n' "$1" >&2; exit "${2:-1}"; }

while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -ge 2 ] || die "--prefix needs a folder" 2; prefix=$2; shift ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --demo) action=demo ;;
    --uninstall) action=uninstall ;;
    -h | --help) help; exit 0 ;;
    *) die "unknown argument $1; try ./install.sh --help" 2 ;;
  esac
  shift
done
[ -n "$prefix" ] || die "--prefix is empty" 2
case $prefix in
  /*) ;;
  *) prefix=$PWD/$prefix ;;
esac
[ ! -d "$prefix" ] || prefix=$(cd "$prefix" && pwd)
# What was installed, a path below the prefix on each line: all that --uninstall ever touches.
manifest=$prefix/share/jit/installed-files

# --- what is needed -------------------------------------------------------------------------------------------------

missing=0
needs() { # what, how to get it
  say "  missing: $1"
  say "    get it: $2"
  missing=1
}

packages() { # Debian's, Fedora's and macOS' way to the same thing
  if command -v apt-get >/dev/null; then say "sudo apt-get install $1"
  elif command -v dnf >/dev/null; then say "sudo dnf install $2"
  else
    case $OSTYPE in
      darwin*) say "$3" ;;
      *) say "your package manager has it as $2, or $1" ;;
    esac
  fi
}

version_at_least() { # 1.95 1.97.2
  local want_major=${1%%.*} want_minor=${1#*.} have_major=${2%%.*} have_minor=${2#*.}
  have_minor=${have_minor%%.*}
  [ "$have_major" -gt "$want_major" ] || { [ "$have_major" -eq "$want_major" ] && [ "$have_minor" -ge "$want_minor" ]; }
}

check_needs() {
  local rust have
  rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$top/Cargo.toml" | head -n 1)
  say "Checking what is needed: Rust $rust, a C compiler$([ $action = demo ] && echo ', Python 3 with venv')"
  if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
    needs "Rust $rust or newer" "curl --proto '=https' -sSf https://sh.rustup.rs | sh"
  else
    have=$(cd "$top" && rustc --version | cut -d' ' -f2)
    version_at_least "$rust" "$have" || needs "Rust $rust or newer (this is $have)" "rustup update stable"
  fi
  if ! command -v "${CC:-cc}" >/dev/null && ! command -v gcc >/dev/null && ! command -v clang >/dev/null; then
    needs "a C compiler" "$(packages build-essential gcc 'xcode-select --install')"
  fi
  if [ $action = demo ]; then
    local python=${PYTHON:-python3}
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      needs "Python 3.10 or newer (for the AWS stand-in)" "$(packages 'python3 python3-venv' python3 'brew install python')"
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
      needs "Python's venv module (for the AWS stand-in)" "$(packages python3-venv python3 'brew install python')"
    fi
  fi
  [ $missing = 0 ] || die "install what is missing, then run this again" 3
}

# --- build ----------------------------------------------------------------------------------------------------------

# On a terminal cargo shows its own progress bar; elsewhere every twentieth package is named.
thinned() {
  if [ -t 2 ]; then
    "$@"
  else
    "$@" 2>&1 >&3 | awk '
      /^ *(Downloaded|Adding|Locking|Updating) / { next }
      /^ *Compiling / { if (++built % 20 == 0) { print "  " built " packages built, now " $2; fflush() } next }
      { print; fflush() }' >&2
  fi
}

build() {
  say "Building jit (from nothing: some minutes; each package is built once)"
  (cd "$top" && thinned cargo build --release --locked --package jit --bin jit) 3>&1
  # AWS tools start the helper again and again: without a dynamic linker it starts about as fast as /bin/true.
  # Where static linking cannot be had, the plain one does the same job.
  if (cd "$top" && thinned cargo build --release --locked --package jit-credential \
    --config credential/static.toml --target-dir "$target/static") 3>&1; then
    helper=$target/static/release/jit-credential
  else
    say "  no static linking here (a static C library is missing): jit-credential is linked as usual"
    (cd "$top" && thinned cargo build --release --locked --package jit-credential) 3>&1
    helper=$target/release/jit-credential
  fi
}

# --- install --------------------------------------------------------------------------------------------------------

put() { # mode, file, path below the prefix
  local target=$prefix/$3
  mkdir -p "$(dirname "$target")"
  # By rename: a jit that runs at this moment keeps its own file.
  cp "$2" "$target.new"
  chmod "$1" "$target.new"
  mv -f "$target.new" "$target"
  printf '%s\n' "$3" >>"$manifest.new"
}

install_files() {
  local page
  [ -x "$target/release/jit" ] || die "cargo built no $target/release/jit: is a target folder or target set in cargo's configuration?"
  say "Installing below $prefix"
  mkdir -p "$(dirname "$manifest")"
  rm -f "$manifest.new"
  put 755 "$target/release/jit" bin/jit
  put 755 "$helper" bin/jit-credential
  put 644 "$top/completions/jit.bash" share/bash-completion/completions/jit
  put 644 "$top/completions/_jit" share/zsh/site-functions/_jit
  put 644 "$top/completions/jit.fish" share/fish/vendor_completions.d/jit.fish
  for page in "$top"/man/*.1; do
    put 644 "$page" "share/man/man1/${page##*/}"
  done
  forget_old_files
  mv -f "$manifest.new" "$manifest"
  say "  bin/jit, bin/jit-credential, completions for bash, zsh and fish, $(find "$top/man" -name '*.1' | wc -l | tr -d ' ') man pages"
  "$prefix/bin/jit" --version
  case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *) say "  $prefix/bin is not on your PATH: add it  (export PATH=\"$prefix/bin:\$PATH\")" ;;
  esac
}

# A page that an older version had goes with the update.
forget_old_files() {
  [ -f "$manifest" ] || return 0
  local old
  while IFS= read -r old; do
    grep -qxF -- "$old" "$manifest.new" || rm -f -- "$prefix/$old"
  done <"$manifest"
}

uninstall() {
  [ -f "$manifest" ] || die "nothing of jit is installed below $prefix (no $manifest)" 10
  local file folder
  while IFS= read -r file; do
    case $file in
      '' | /* | *..*) die "$manifest was changed by somebody: $file" 3 ;;
    esac
    rm -f -- "$prefix/$file"
    say "  removed $prefix/$file"
    # Folders that this leaves empty go too, up to the prefix.
    folder=$(dirname "$file")
    while [ "$folder" != . ] && rmdir "$prefix/$folder" 2>/dev/null; do folder=$(dirname "$folder"); done
  done <"$manifest"
  rm -f -- "$manifest"
  rmdir "$prefix/share/jit" "$prefix/share" 2>/dev/null || true
  say "jit is gone from $prefix. Left as they are, remove them by hand if you want:"
  case $OSTYPE in
    darwin*) say "  configuration, session, cached credentials: ~/Library/Application Support/jit, ~/Library/Caches/jit" ;;
    *)
      say "  configuration      ${XDG_CONFIG_HOME:-$HOME/.config}/jit"
      say "  session, keys      ${XDG_STATE_HOME:-$HOME/.local/state}/jit"
      say "  cached credentials ${XDG_CACHE_HOME:-$HOME/.cache}/jit"
      ;;
  esac
  say "  AWS profiles that jit setup wrote in ~/.aws/config, and jit's entries in the system's keyring"
}

if [ $action = uninstall ]; then
  uninstall
  exit 0
fi
check_needs
build
install_files
if [ $action = demo ]; then
  exec "$top/tests/demo.sh" "$prefix/bin/jit"
fi
say "Next: jit login --server URL   ·   or try it alone: jit serve --dev   ·   or ./install.sh --demo"
