#!/usr/bin/env bash
# A walk through what umbel does, on this machine's kernel: each step shows the command and its
# output, and is checked. `./dev try` builds umbel and runs this.
set -euo pipefail

umbel_binary=${UMBEL:?is the path of the umbel binary}
UMBEL_HOME=$(mktemp -d "${TMPDIR:-/tmp}/umbel-try.XXXXXX")
export UMBEL_HOME
umbel() { "$umbel_binary" "$@"; }

cleanup() {
  local name
  for name in try-one try-two; do umbel rm --force "$name" >/dev/null 2>&1 || true; done
  rm -rf --one-file-system "$UMBEL_HOME"
}
trap cleanup EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# Shows a command, runs it, shows its output, and leaves both output and status for the checks.
step() {
  printf '  $ %s\n' "$(printable "$@")"
  status=0
  output=$("$@" 2>&1) || status=$?
  sed 's/^/    /' <<<"$output"
}
printable() {
  local word
  for word in "$@"; do
    [[ $word =~ ^[[:alnum:]_./:=,-]+$ ]] || word="'$word'"
    printf '%s ' "$word"
  done
}
expect() {
  local what=$1
  shift
  if "$@"; then return; fi
  printf '\nNOT AS EXPECTED: %s (exit status %s)\n' "$what" "$status" >&2
  exit 1
}
has() { [[ $output == *"$1"* ]]; }
is() { [[ $1 == "$2" ]]; }

((EUID == 0)) || {
  echo "try: these containers need root" >&2
  exit 1
}

say "1. A command in namespaces of its own, on a throw-away copy of this machine's files"
host_pid_namespace=$(readlink /proc/self/ns/pid)
step umbel run --rm -- sh -c \
  'ls -d /proc/[0-9]*; readlink /proc/self/ns/pid; echo gone >/umbel-was-here'
expect "it ran" is "$status" 0
expect "it has a pid namespace of its own" is "$(grep -c "$host_pid_namespace" <<<"$output")" 0
expect "what it wrote did not reach the host" is "$(ls /umbel-was-here 2>/dev/null)" ""

say "2. Two containers that overlap: one message queue and one network, but separate processes"
step umbel run --detach --name try-one -- sleep 300
expect "it started" is "$status" 0
step umbel exec try-one -- ipcmk --queue
expect "it made a queue" has "id:"
queue=${output##*: }
step umbel run --detach --name try-two --ipc with:try-one --net with:try-one -- sleep 300
expect "it started" is "$status" 0
step umbel exec try-two -- sh -c 'ipcs -q -i '"$queue"' | grep msqid'
expect "the other one sees the queue" has "msqid=$queue"
expect "the host does not" is "$(ipcs -q -i "$queue" 2>/dev/null | grep -c "msqid=$queue")" 0
namespaces() { umbel exec "$1" -- sh -c 'cd /proc/1/ns && readlink pid ipc net'; }
printf '  %-12s %-18s %s\n' "" try-one try-two
paste <(printf 'pid\nipc\nnet\n') <(namespaces try-one) <(namespaces try-two) |
  while read -r kind one two; do printf '  %-12s %-18s %s\n' "$kind" "$one" "$two"; done
one=$(namespaces try-one) two=$(namespaces try-two)
expect "ipc and net are the same" is "$(tail -n 2 <<<"$one")" "$(tail -n 2 <<<"$two")"
expect "pid differs" test "$(head -n 1 <<<"$one")" != "$(head -n 1 <<<"$two")"

say "3. What there is now"
step umbel ps
expect "both are listed" has try-two
step umbel show try-two
expect "its ipc is the other one's" has try-one

say "4. Limits that hold"
step umbel run --rm --pids-limit 10 -- sh -c \
  'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 2 & done; wait'
expect "the 11th process was refused" has fork
step umbel run --rm --memory 32m -- sh -c 'head -c 200M /dev/zero | tail >/dev/null'
expect "the kernel ended what grew beyond 32 MiB" test "$status" -ne 0

say "5. Away again"
step umbel rm --force try-one try-two
expect "they went" is "$status" 0
step umbel ps --all
expect "nothing is left" is "$(grep -c try- <<<"$output")" 0

say "All as it should be."
