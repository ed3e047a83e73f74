# umbel's own processes, killed at a system call or failing there: nothing is left behind that
# `umbel rm` does not remove. Some of the calls by default, every one with UMBEL_FAULT_STEP=1.
load ../lib/umbel
setup() { umbel_setup && needs_root && needs_command strace; rootfs root; }
teardown() { umbel_teardown; }

: "${UMBEL_FAULT_STEP:=37}"
export UMBEL_FAULT_STEP UMBEL

remove_all='for name in $(ls "$UMBEL_HOME/containers" 2>/dev/null); do
  "$UMBEL" rm --force "$name" >/dev/null || exit; done'

# faults ARGUMENT... -- COMMAND...
faults() {
  scratch=$scratch python3 -B "$BATS_TEST_DIRNAME/../lib/faults.py" --after "$remove_all" \
    signal=KILL error=ENOMEM "$@"
}

@test "a run in the foreground" {
  faults -- "$UMBEL" run --rm --name umbel-fault --rootfs root -- true
}

@test "a run over the host's root" {
  faults -- "$UMBEL" run --rm --name umbel-fault -- true
}

@test "a detached run" {
  faults -- "$UMBEL" run --detach --name umbel-fault --rootfs root -- true
}

@test "exec" {
  faults --before '"$UMBEL" run --detach --name umbel-fault --rootfs root -- sleep 1000 >/dev/null' \
    -- "$UMBEL" exec umbel-fault true
}

@test "rm of a running container" {
  faults --before '"$UMBEL" run --detach --name umbel-fault --rootfs root -- sleep 1000 >/dev/null' \
    -- "$UMBEL" rm --force umbel-fault
}
