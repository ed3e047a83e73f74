# umbel's own processes, killed at every system call and failing at every one: nothing is left behind that
# `umbel rm` does not remove.
load ../lib/umbel
setup() { umbel_setup && needs_root && needs_command strace; rootfs root; }
teardown() { umbel_teardown; }

# What the host has of containers of this test.
traces() {
  find /sys/fs/cgroup -type d -path "*umbel-fault*" 2>/dev/null | sort
  grep -c umbel-test /proc/self/mountinfo
  ls "$UMBEL_HOME/containers" 2>/dev/null
  pgrep -f 'umbel-fault-sleep' | wc -l
}

# each INJECTION COMMAND...: with the Nth system call hit, for N = 1, 1+step, ... until a run is not hit
each() {
  local injection=$1 n=1 step=${STEP:-61} hit before
  shift
  before=$(traces)
  while :; do
    rm -f trace
    timeout 30 strace -f -o trace -e inject="all:$injection:when=$n" "$@" >/dev/null 2>&1 </dev/null || true
    grep -q -e INJECTED -e 'killed by SIGKILL' trace && hit=yes || hit=no
    for name in $(ls "$UMBEL_HOME/containers" 2>/dev/null); do
      umbel rm --force "$name" || return 1
    done
    eventually same "$before" || { echo "after $injection at $n of: $*"; traces; return 1; }
    [[ $hit == yes ]] || break
    n=$((n + step))
    ((n < 3000)) || break
  done
}
same() { [[ $(traces) == "$1" ]]; }

@test "killed at every call of a run" {
  each signal=KILL "$UMBEL" run --rm --name umbel-fault --rootfs root -- true
}

@test "out of memory at every call of a run" {
  each error=ENOMEM "$UMBEL" run --rm --name umbel-fault --rootfs root -- true
}
