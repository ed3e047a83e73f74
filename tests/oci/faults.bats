# umbel-oci's own processes, killed at a system call or failing there: nothing is left behind that
# `delete --force` does not remove. Some of the calls by default, every one with UMBEL_FAULT_STEP=1.
load ../lib/umbel
load ../lib/oci
setup() {
  oci_setup
  needs_command strace
  id=oci-fault
  # Without a parent, which would be nobody's where umbel is killed when it has just made it.
  config ".linux.cgroupsPath = \"/umbel-$id-$$\""
  export UMBEL_OCI OCI_ROOT bundle id
}
teardown() { oci_teardown; }

: "${UMBEL_FAULT_STEP:=59}"
export UMBEL_FAULT_STEP

create='"$UMBEL_OCI" --root "$OCI_ROOT" create --bundle "$bundle" "$id" >/dev/null'
start='"$UMBEL_OCI" --root "$OCI_ROOT" start "$id"'
# Twice: what is gone is no error.
delete='for i in 1 2; do "$UMBEL_OCI" --root "$OCI_ROOT" delete --force "$id" || exit; done'

# faults [--before LINE] -- ARGUMENT...
faults() {
  local before=()
  [[ $1 != --before ]] || { before=("$1" "$2"); shift 2; }
  scratch=$scratch python3 -B "$BATS_TEST_DIRNAME/../lib/faults.py" --after "$delete" \
    "${before[@]}" signal=KILL error=ENOMEM -- "$UMBEL_OCI" --root "$OCI_ROOT" "${@:2}"
}

@test "run" {
  program true
  faults -- run --bundle "$bundle" "$id"
}

@test "create" {
  program sleep 1000
  faults -- create --bundle "$bundle" "$id"
}

@test "start" {
  program sleep 1000
  faults --before "$create" -- start "$id"
}

@test "exec" {
  program sleep 1000
  faults --before "$create && $start" -- exec "$id" true
}

@test "kill" {
  program sleep 1000
  faults --before "$create && $start" -- kill "$id" KILL
}

@test "delete" {
  program sleep 1000
  faults --before "$create && $start" -- delete --force "$id"
}
