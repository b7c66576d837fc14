#!/usr/bin/env bash
# Plays jit's main job end to end on this machine alone: demo.sh [JIT]
# Everything runs on loopback with a throw-away HOME; whatever it starts it stops, however it ends.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jit_program=${1:-${CARGO_TARGET_DIR:-$top/target}/release/jit}
venv=$top/.cache/venv
limit_s=60

die() { printf '\ndemo: %s\n' "$*" >&2; exit 1; }
chapter() { printf '\n=== %s\n' "$*"; }

[ -x "$jit_program" ] || die "no jit at $jit_program; try ./install.sh --demo"
"$top/tests/venv.sh"

# --- a HOME of its own, and nothing left behind -----------------------------------------------------------------------

play=$(mktemp -d)
started=
# Ends a process that this started: politely, and after 5 s for good.
stop() {
  kill "$1" 2>/dev/null || return 0
  local tries=0
  while kill -0 "$1" 2>/dev/null && [ $((tries += 1)) -lt 50 ]; do sleep 0.1; done
  kill -9 "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
clean_up() {
  local code=$? pid
  trap - EXIT INT TERM HUP
  for pid in $started; do stop "$pid"; done
  if [ $code != 0 ] && [ -s "$play/backend.log" ]; then
    printf '\nthe last lines of the backend:\n' >&2
    tail -n 20 "$play/backend.log" >&2
  fi
  rm -rf "$play"
  exit $code
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# This machine's own AWS, jit and proxy settings stay out of the play.
for name in $(compgen -e); do
  case $name in
    AWS_* | JIT_* | _JIT_* | XDG_* | DBUS_SESSION_BUS_ADDRESS | *_proxy | *_PROXY) unset "$name" ;;
  esac
done
export HOME=$play/home AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true AWS_PAGER='' NO_COLOR=1
mkdir -m 700 "$HOME"
cd "$HOME"
PATH=$(dirname "$jit_program"):$venv/bin:$PATH

# --- how a step is played ---------------------------------------------------------------------------------------------

# Waits for a text in a file that process $3 writes, and prints the match.
wait_for() {
  local end=$((SECONDS + limit_s)) found
  until found=$(grep -m 1 -o -e "$2" "$1" 2>/dev/null); do
    kill -0 "$3" 2>/dev/null || { cat "$1" >&2; die "it ended before it said '$2'"; }
    [ $SECONDS -lt $end ] || { cat "$1" >&2; die "no '$2' within $limit_s s"; }
    sleep 0.1
  done
  printf '%s\n' "$found"
}

# A command as somebody would type it.
show() {
  local word line=' $'
  for word in "$@"; do
    case $word in
      with_copy) word='AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_SESSION_TOKEN=…' ;;
      *' '*) word="\"$word\"" ;;
      "$HOME"/*) word="~${word#"$HOME"}" ;;
    esac
    line="$line $word"
  done
  printf '\n%s\n' "${line# }"
}

# Plays one command: shows it and what it prints, keeps that in $out, goes on only if it ended with code $1.
play() {
  local want=$1 got=0
  shift
  show "$@"
  out=$("$@" 2>&1) || got=$?
  printf '%s\n' "$out"
  [ "$got" = "$want" ] || die "this should have ended with exit code $want, not $got"
}

# The last output must name it.
names() {
  case $out in
    *"$1"*) ;;
    *) die "the output above should name: $1" ;;
  esac
}

field() { "$venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# What somebody does who copied the keys: they go into the environment of a command, jit is out of the way.
copy_keys() {
  show "$@"
  copied=$("$@")
  copy_ends=$(field Expiration <<<"$copied")
  printf '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "****", "SessionToken": "****", "Expiration": "%s"}\n' \
    "$(field AccessKeyId <<<"$copied")" "$copy_ends"
}
with_copy() {
  AWS_ACCESS_KEY_ID=$(field AccessKeyId <<<"$copied") AWS_SECRET_ACCESS_KEY=$(field SecretAccessKey <<<"$copied") \
    AWS_SESSION_TOKEN=$(field SessionToken <<<"$copied") "$@"
}

# --- the stage --------------------------------------------------------------------------------------------------------

chapter "An AWS stand-in (ministack) and the backend, both on loopback"
AUTH=true BIND_HOST=127.0.0.1 GATEWAY_PORT=0 ministack >"$play/aws.log" 2>&1 &
aws_pid=$!
started="$aws_pid"
AWS_ENDPOINT_URL=$(wait_for "$play/aws.log" 'http://127\.0\.0\.1:[0-9][0-9]*' $aws_pid)
export AWS_ENDPOINT_URL
printf 'AWS stand-in: %s\n' "$AWS_ENDPOINT_URL"
python "$top/tests/aws_roles.py" "$AWS_ENDPOINT_URL" 222222222222:jit-dev-admin \
  111111111111:jit-prod-readonly 111111111111:jit-prod-admin 111111111111:jit-prod-owner

show jit serve --dev -o json --data "$HOME/jit-dev" --listen 127.0.0.1:0
AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 \
  jit serve --dev -o json --data "$HOME/jit-dev" --listen 127.0.0.1:0 >"$play/serve.json" 2>"$play/backend.log" &
backend_pid=$!
started="$backend_pid $started"
wait_for "$play/serve.json" '^{.*jit/serve/1.*}$' $backend_pid >"$play/hello.json"
cat "$play/hello.json"
server=$(field url <"$play/hello.json")
code_of() {
  "$venv/bin/python" -c 'import json, sys; print(*[p["code"] for p in json.load(sys.stdin)["people"] if p["name"] == sys.argv[1]])' \
    "$1" <"$play/hello.json"
}

chapter "Two people sign in"
play 0 jit login --server "$server" --identity bob --code "$(code_of bob)"
play 0 jit login --server "$server" --identity alice --code "$(code_of alice)"

# --- the job ----------------------------------------------------------------------------------------------------------

chapter "Alice asks, and waits"
show jit --identity alice request prod-admin --for 30m --reason "payout job stuck, PAY-311" '&'
jit --identity alice request prod-admin --for 30m --reason "payout job stuck, PAY-311" >"$play/request.log" 2>&1 &
request_pid=$!
started="$request_pid $started"
request=$(wait_for "$play/request.log" 'req_[0-9a-z]\{12\}' $request_pid)
wait_for "$play/request.log" '[Ww]aiting.*' $request_pid >/dev/null
cat "$play/request.log"
seen=$(wc -l <"$play/request.log")

chapter "Bob decides"
play 0 jit --identity bob inbox
names prod-admin
play 0 jit --identity bob approve "$request" --comment "go, watch the ledger lag"

chapter "Alice's request goes on by itself"
wait $request_pid || die "the request ended with exit code $?"
tail -n "+$((seen + 1))" "$play/request.log"

chapter "The real aws CLI uses the role through credential_process"
play 0 jit --identity alice setup prod-admin
play 0 aws --profile jit-prod-admin sts get-caller-identity
names assumed-role/jit-prod-admin/alice@
play 0 jit --identity alice status
names prod-admin
copy_keys jit --identity alice credential-process prod-admin

chapter "Done early: Alice gives it back, and the same call fails"
play 0 jit --identity alice drop prod-admin
play 255 aws --profile jit-prod-admin sts get-caller-identity
names "jit request prod-admin"
printf '\nA copy of the credential made before is beyond recall; AWS itself ends it at %s. Until then:\n' "$copy_ends"
play 0 with_copy aws s3api list-buckets --query Owner.DisplayName

# --- the cloud ends it ------------------------------------------------------------------------------------------------

chapter "A grant of 20 seconds, and then no backend: AWS ends it by itself"
play 0 jit --identity alice request dev-admin --for 20s --reason "the cloud keeps the time"
copy_keys jit --identity alice credential-process dev-admin
show kill -9 "$backend_pid" '#' the backend
kill -9 $backend_pid
wait $backend_pid 2>/dev/null || true
play 0 with_copy aws s3api list-buckets --query Owner.DisplayName
printf '\nasking again until AWS refuses '
end=$((SECONDS + limit_s))
while out=$(with_copy aws s3api list-buckets 2>&1); do
  [ $SECONDS -lt $end ] || die "still allowed after $limit_s s"
  printf '.'
  sleep 1
done
printf ' refused at %s\n%s\n' "$(date -u +%H:%M:%S)" "${out#"${out%%[![:space:]]*}"}"
names AccessDenied

chapter "That was the whole job. What this started has been stopped. Next, by hand:"
cat <<NEXT
  jit serve --dev                  a backend of your own, which prints what to type
  jit --help                       every command
  ./tests/run                      all tests
NEXT
