# What every .bats file starts with:
#
#   load ../lib/umbel
#   setup() { umbel_setup; }          teardown() { umbel_teardown; }
#
# Each test gets a state directory of its own (UMBEL_HOME) inside a scratch directory ($scratch), so
# that tests can run side by side, and loses both with every container in them at its end.

bats_require_minimum_version 1.5.0
: "${UMBEL:=${BATS_TEST_DIRNAME%/tests/*}/build/dev/umbel}"

umbel() { "$UMBEL" "$@"; }

umbel_setup() {
  [[ -x $UMBEL ]] || skip "there is no $UMBEL"
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/umbel-test.XXXXXX")
  export UMBEL_HOME=$scratch/home
  cd "$scratch" || return
}

umbel_teardown() {
  local name
  [[ -n ${scratch-} ]] || return 0
  for name in $("$UMBEL" ps --all --json 2>/dev/null | jq -r '.[].name' 2>/dev/null); do
    "$UMBEL" rm --force "$name" || true
  done
  cd / && rm -rf --one-file-system "$scratch"
}

needs_root() { ((EUID == 0)) || skip "needs root"; }
needs_user() { id "${1:-nobody}" >/dev/null 2>&1 || skip "needs the user ${1:-nobody}"; }
needs_command() { command -v "$1" >/dev/null || skip "needs the command $1"; }
# needs_controller pids: as a v1 hierarchy or enabled in the root of cgroup2
needs_controller() {
  grep -Eq " - cgroup [^ ]+ [^ ]*\b$1\b" /proc/self/mountinfo && return
  local unified
  for unified in $(awk '/ - cgroup2 /{print $5}' /proc/self/mountinfo); do
    grep -qw "$1" "$unified/cgroup.controllers" && return
  done
  skip "needs the cgroup controller $1"
}

# rootfs DIR: a root file system of busybox, a shell and the usual directories and users
rootfs() {
  local root=$1 busybox
  busybox=$(command -v busybox) || skip "needs busybox"
  mkdir -p "$root"/{bin,dev,etc,proc,root,run,sys,tmp,var,usr/bin}
  chmod 1777 "$root/tmp"
  mkdir -p "$root${busybox%/*}"  # the links that --install makes lead to where it lies here
  cp "$busybox" "$root$busybox"
  busybox --install -s "$root/bin"
  printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/:/bin/false \
    >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
}

# Checks, which show what was there instead.
equal() {
  [[ $1 == "$2" ]] && return
  printf 'expected: %s\nfound:    %s\n' "$2" "$1" >&2
  return 1
}
contains() {
  [[ $1 == *"$2"* ]] && return
  printf 'expected to find: %s\nin: %s\n' "$2" "$1" >&2
  return 1
}
lacks() {
  [[ $1 != *"$2"* ]] && return
  printf 'did not expect: %s\nin: %s\n' "$2" "$1" >&2
  return 1
}

# eventually COMMAND...: until it succeeds, for at most 30 seconds
eventually() {
  local until=$((SECONDS + 30))
  until "$@"; do
    ((SECONDS < until)) || {
      printf 'not within 30 seconds: %s\n' "$*" >&2
      return 1
    }
    sleep 0.05
  done
}
