# Policies: what they choose, refuse and hold to, looked at from inside and outside.
load ../lib/umbel
setup() {
  umbel_setup && needs_root
  export XDG_CONFIG_HOME=$scratch/config
  mkdir -p "$XDG_CONFIG_HOME/umbel/policies"
}
teardown() { umbel_teardown; }

pid_of() { umbel show --json "$1" | jq .pid; }
# is CONTAINER own|host KIND...: by the kernel
is() {
  local name=$1 wanted=$2 kind found
  shift 2
  for kind; do
    found=own
    [[ $(readlink "/proc/$(pid_of "$name")/ns/$kind") != "$(readlink "/proc/self/ns/$kind")" ]] ||
      found=host
    equal "$kind $found" "$kind $wanted"
  done
}

@test "policy list, show: each built-in one is explained" {
  run -0 umbel policy list
  for name in isolated migratable pidspace vserver pod sandbox host-tools; do
    contains "$output" "$name"
    contains "$(umbel policy show $name)" "$name: "
    contains "$(<"$BATS_TEST_DIRNAME/../../docs/POLICIES.md")" "## $name"
  done
  run -125 umbel policy show migratabel
  contains "$output" "did you mean migratable?"
  run -125 umbel policy show
  contains "$output" "needs the name"
}

@test "run --policy: chooses each kind as the policy says" {
  umbel run -d --name migratable --policy migratable -- sleep 1000
  is migratable own pid ipc net uts mnt cgroup time
  umbel run -d --name vserver --policy vserver -- sleep 1000
  is vserver own pid ipc uts mnt
  is vserver host net
  umbel run -d --name sandbox --policy sandbox -- sleep 1000
  is sandbox own user pid net
  umbel run -d --name tools --policy host-tools -- sleep 1000
  is tools own pid
  is tools host user mnt net ipc uts
  equal "$(umbel show --json migratable | jq -r .policy)" migratable
}

@test "run --policy: what is chosen by hand stays, within the policy" {
  umbel run -d --name tools --policy host-tools --pid host --net new -- sleep 1000
  is tools host pid mnt
  is tools own net
}

@test "run --policy: contradictions are refused before anything starts" {
  run -125 umbel run -d --policy migratable --net host -- true
  contains "$output" "--net is host, and migratable wants it to be own or group"
  contains "$output" "--net new"
  run -125 umbel run -d --policy migratable -v /srv:/srv -- true
  contains "$output" "/srv of the host"
  run -125 umbel run --policy migratable -- true
  contains "$output" "-d"
  run -125 umbel run --policy isolated --privileged -- true
  contains "$output" "no capability beyond the usual ones"
  run -125 umbel run --policy vserver,isolated -- true
  contains "$output" "contradict each other"
  run -125 umbel run --policy pidspace --memory -1 -- true
  contains "$output" "wants a limit for memory"
  equal "$(umbel ps -aq)" ""
}

@test "pidspace: processes of its own, and limits in force" {
  needs_controller memory
  needs_controller pids
  umbel run -d --name p --policy pidspace --pids-limit 20 -- sleep 1000
  is p host mnt net ipc uts
  is p own pid
  equal "$(umbel show --json p | jq -c '[.limits.memory, .limits.pids]')" "[536870912,20]"
  run umbel exec p sh -c 'for i in $(seq 30); do sleep 2 & done; wait'
  contains "$output" fork
}

@test "sandbox: the host's private files are hidden, and there is no way out" {
  equal "$(umbel run --rm --policy sandbox -- sh -c 'ls -A /root /home | grep -v :; cat /etc/shadow' |
    tr -d '\n')" ""
  equal "$(umbel run --rm --policy sandbox -- sh -c "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '")" lo
}

@test "pod: the next one shares all that a pod shares" {
  umbel run -d --name a --policy pod -- sleep 1000
  umbel run -d --name b --policy pod --net with:a -- sleep 1000
  local kind
  for kind in net ipc uts; do
    equal "$(readlink "/proc/$(pid_of a)/ns/$kind")" "$(readlink "/proc/$(pid_of b)/ns/$kind")"
  done
  [[ $(readlink "/proc/$(pid_of a)/ns/pid") != "$(readlink "/proc/$(pid_of b)/ns/pid")" ]]
}

@test "a promise holds: joins that would break it are refused, or recorded" {
  umbel run -d --name a --policy isolated -- sleep 1000
  run -125 umbel run -d --name b --net with:a -- sleep 1000
  contains "$output" "would break what a promised"
  equal "$(umbel ps -aq)" a
  run -125 umbel run -d --name b --net "ns:/proc/$(pid_of a)/ns/net" -- sleep 1000
  contains "$output" "would break what a promised"
  umbel ns adopt "/proc/$(pid_of a)/ns/net" --name ut$$
  run -125 umbel run -d --name b --net ns:ut$$ -- sleep 1000
  umbel ns rm --force net/ut$$
  contains "$output" "would break what a promised"
  umbel run -d --name b --force --net with:a -- sleep 1000
  contains "$(umbel show --json a | jq -r '.breaches[]')" "--net with:a would break"
  contains "$(umbel show a)" broken
}

@test "a promise holds: a group may be joined by its own" {
  umbel run -d --name a --policy migratable -- sleep 1000
  run -125 umbel run -d --name b --ipc with:a -- sleep 1000
  contains "$output" "--policy migratable"
  umbel run -d --name b --policy migratable --ipc with:a -- sleep 1000
  equal "$(umbel show --json a | jq -c .breaches)" "[]"
}

@test "a promise holds: exec and update" {
  umbel run -d --name a --policy migratable -- sleep 1000
  run -125 umbel exec a true
  contains "$output" "would break what a promised"
  umbel exec --force a true
  equal "$(umbel show --json a | jq '.breaches | length')" 1
  umbel run -d --name p --policy pidspace -- sleep 1000
  umbel exec p true
  run -125 umbel update --memory -1 p
  contains "$output" "no limit for memory would break"
  umbel update --memory 256m p
  umbel update --memory -1 --force p
  equal "$(umbel show --json p | jq '.breaches | length')" 1
}

@test "a promise holds though its file changes" {
  printf '[namespaces]\nnet = "own"\n' >"$XDG_CONFIG_HOME/umbel/policies/mine.toml"
  contains "$(umbel policy list)" "$XDG_CONFIG_HOME/umbel/policies/mine.toml"
  umbel run -d --name a --policy mine -- sleep 1000
  printf '' >"$XDG_CONFIG_HOME/umbel/policies/mine.toml"
  run -125 umbel run -d --net with:a -- sleep 1000
  contains "$output" "by mine its net is own"
}

@test "mistakes in a file are named with their line" {
  printf 'summary = "x"\n[namespaces]\nnett = "own"\n' >"$XDG_CONFIG_HOME/umbel/policies/bad.toml"
  run -125 umbel run --policy bad -- true
  contains "$output" "bad.toml: policy bad: line 3: there is no kind of namespace 'nett'"
  contains "$output" "did you mean net?"
}

@test "the example of docs/POLICIES.md is a policy" {
  awk '/^```toml/{inside = 1; next} /^```/{inside = 0} inside' \
    "$BATS_TEST_DIRNAME/../../docs/POLICIES.md" >"$XDG_CONFIG_HOME/umbel/policies/example.toml"
  run -0 umbel policy show example
  contains "$output" "with:db"
}
