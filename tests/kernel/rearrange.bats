# Other namespaces for a container that exists: what moves, what does not and why.
load ../lib/umbel
setup() {
  umbel_setup && needs_root
  [[ -d /run/netns ]] || netns_is_new=1
  unique=ur$$  # net names are the host's
}
teardown() {
  local name
  for name in $(umbel ps --all --quiet 2>/dev/null); do umbel rm --force "$name"; done
  for name in $(umbel ns list -q 2>/dev/null); do
    [[ $name == net/* && $name != net/$unique* ]] || umbel ns rm --force "$name"
  done
  umbel_teardown
  [[ -z ${netns_is_new-} ]] || { umount /run/netns && rmdir /run/netns; } 2>/dev/null || true
}

id_of() { umbel ns show --json "$1" | jq .id; }
first_in() { readlink "/proc/$(umbel show --json "$1" | jq .pid)/ns/$2"; }
next_in() { umbel exec "$1" readlink "/proc/self/ns/$2"; }

@test "each of net, ipc, uts, cgroup, mnt: exec goes there, the first process stays, a restart moves all" {
  umbel run -d --name $unique -- sleep 1000
  for kind in net ipc uts cgroup mnt; do
    option=$kind && [[ $kind != cgroup ]] || option=cgroupns
    umbel ns create $kind $unique-n
    before=$(first_in $unique $kind)
    umbel update --$option ns:$unique-n $unique
    equal "$(next_in $unique $kind)" "$kind:[$(id_of $kind/$unique-n)]"
    equal "$(first_in $unique $kind)" "$before"
    # Nothing but that kind has changed.
    equal "$(next_in $unique pid)" "$(first_in $unique pid)"
  done
  contains "$(umbel show $unique)" "for the next processes"
  umbel update --pid host $unique && return 1
  umbel restart -t 0 $unique
  for kind in net ipc uts cgroup mnt; do
    equal "$(first_in $unique $kind)" "$kind:[$(id_of $kind/$unique-n)]"
    equal "$(next_in $unique $kind)" "$kind:[$(id_of $kind/$unique-n)]"
  done
  lacks "$(umbel show $unique)" "for the next processes"
}

@test "join another container's, leave for the host's, and back to one of its own" {
  umbel run -d --name $unique -- sleep 1000
  umbel run -d --name other -- sleep 1000
  umbel update --ipc with:other --uts host $unique
  equal "$(next_in $unique ipc)" "$(first_in other ipc)"
  equal "$(next_in $unique uts)" "$(readlink /proc/self/ns/uts)"
  umbel update --net new --uts new $unique
  equal "$(next_in $unique net)" "net:[$(id_of net/$unique)]"
  equal "$(umbel exec $unique hostname)" $unique
  equal "$(umbel exec $unique cat /proc/net/dev | grep -c lo:)" 1
}

@test "what cannot move is refused with the kernel's rule, and nothing of the same call is done" {
  umbel run -d --name $unique -- sleep 1000
  for kind in pid userns time; do
    run -125 umbel update --uts host --$kind new $unique
    contains "$output" "setns(2)"
    contains "$output" "umbel stop $unique"
  done
  equal "$(next_in $unique uts)" "$(first_in $unique uts)"
  run -125 umbel update --net ns:nosuch $unique
  contains "$output" "there is no namespace net/nosuch"
  run -125 umbel update --net ns:/proc/self/ns/uts $unique
  contains "$output" "is a uts namespace"
  run -125 umbel update --net with:$unique $unique
  contains "$output" "itself"
  # A namespace that was made for a call that failed is gone again.
  run -125 umbel update --ipc new --net ns:nosuch $unique
  equal "$(umbel ns list -q | grep -c "^ipc/$unique" || true)" 0
}

@test "of a stopped container every kind can be changed" {
  umbel ns create pid p
  umbel create --name $unique -- sleep 1000
  umbel update --pid ns:p --net host $unique
  umbel start $unique
  equal "$(first_in $unique pid)" "pid:[$(id_of p)]"
  equal "$(first_in $unique net)" "$(readlink /proc/self/ns/net)"
  umbel create --mnt host --name plain -- true
  run -125 umbel update --mnt new plain
  contains "$output" "without files"
}

@test "stats count the processes of nested and overlapping containers once" {
  needs_controller pids
  umbel run -d --name $unique -- sh -c 'sleep 1000 & sleep 1000'
  parent=$(umbel show --json $unique | jq -r .config.cgroup)
  umbel run -d --name inner --cgroup-parent "$parent" --net with:$unique -- sleep 1000
  umbel run -d --name apart -- sleep 1000
  all=$(umbel stats --no-stream --json)
  equal "$(jq -c '[.[] | {name, within, processes}] | sort_by(.name)' <<<"$all")" \
    "[{\"name\":\"apart\",\"within\":\"\",\"processes\":2},{\"name\":\"inner\",\"within\":\"$unique\",\"processes\":2},{\"name\":\"$unique\",\"within\":\"\",\"processes\":6}]"
  equal "$(umbel stats --no-stream --groups --json | jq -c '[.[] | {containers, processes: .total.processes}]')" \
    "[{\"containers\":[\"apart\"],\"processes\":2},{\"containers\":[\"inner\",\"$unique\"],\"processes\":6}]"
  run umbel stats --no-stream
  contains "$output" "(total)"
  contains "$output" "inner in $unique"
  equal "$(awk '/total/{print $5}' <<<"$output")" 8
}
