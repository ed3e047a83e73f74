# `umbel ns` killed at a system call or failing there: what is left can be seen and removed. Some of
# the calls by default, every one with UMBEL_FAULT_STEP=1.
load ../lib/umbel
setup() { umbel_setup && needs_root && needs_command strace; }
teardown() { eval "$remove_all" || true; umbel_teardown; }

: "${UMBEL_FAULT_STEP:=37}"
export UMBEL_FAULT_STEP UMBEL

# As a person would; the directory of names itself goes with the last of them.
remove_all='"$UMBEL" ns create uts last >/dev/null
  for name in $("$UMBEL" ns list -q); do
    [[ $name == net/* ]] || "$UMBEL" ns rm --force "$name" >/dev/null || exit; done'

# faults ARGUMENT... -- COMMAND...
faults() {
  scratch=$scratch python3 -B "$BATS_TEST_DIRNAME/../lib/faults.py" --after "$remove_all" \
    signal=KILL error=ENOMEM "$@"
}

@test "a namespace that needs no process" {
  faults -- "$UMBEL" ns create ipc umbel-fault --sysctl kernel.msgmax=4242
}

# strace -f would wait for the holder: so umbel's first process alone.
@test "a pid namespace and its holder" {
  # Whoever inherits a dead one may take a while to reap it.
  holders() { ps -C umbel-holder -o pid=,stat= | grep -v Z || true; }
  before=$(holders)
  strace -qq -o calls "$UMBEL" ns create pid umbel-fault
  "$UMBEL" ns rm pid/umbel-fault
  tried=0
  while read -r count call; do
    for ((number = count; number > 0; number -= 5)); do
      strace -qq -o /dev/null -e inject=$call:signal=KILL:when=$number \
        "$UMBEL" ns create pid umbel-fault 2>/dev/null || true
      eval "$remove_all"
      gone() { [[ $(holders) == "$before" ]]; }
      eventually gone
      ((++tried))
    done
  done < <(grep -oE '^[a-z_0-9]+' calls | grep -v execve | sort | uniq -c)
  ((tried > 20))
}

@test "a mount namespace" {
  faults -- "$UMBEL" ns create mnt umbel-fault
}

@test "rm" {
  faults --before '"$UMBEL" ns create pid umbel-fault >/dev/null' \
    -- "$UMBEL" ns rm --force umbel-fault
}

@test "exec in two" {
  faults --before '"$UMBEL" ns create pid umbel-fault >/dev/null; "$UMBEL" ns create uts umbel-fault >/dev/null' \
    -- "$UMBEL" ns exec pid/umbel-fault uts/umbel-fault -- true
}
