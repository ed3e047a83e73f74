# umbel in umbel.
load ../lib/umbel
setup() { umbel_setup && needs_root; }
teardown() { umbel_teardown; }

@test "three deep with only pid and mnt new" {
  inner="$UMBEL run --rm --nest --pid new --mnt new --net host --ipc host --uts host --cgroupns host --"
  equal "$(UMBEL_HOME=/tmp/umbel-nest $inner $inner $inner sh -c 'echo deep $$')" "deep 2"
}

@test "three deep with everything new" {
  inner="$UMBEL run --rm --nest --"
  equal "$($inner $inner $inner sh -c 'echo deep $$; touch /etc/umbel-deep && echo wrote')" "deep 2
wrote"
  [[ ! -e /etc/umbel-deep ]]
}
