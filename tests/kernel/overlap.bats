# Containers that share some kinds of namespaces and not others.
load ../lib/umbel
setup() { umbel_setup && needs_root; }
teardown() { umbel_teardown; }

# queue_keys CONTAINER: the System V message queues that it sees
queue_keys() { umbel exec "$1" ipcs -q | awk '/^0x/{print $1}'; }

@test "a message queue is seen by the container that shares ipc, and by no other" {
  umbel run -d --name a -- sleep 1000
  umbel run -d --name b --ipc with:a -- sleep 1000
  umbel run -d --name c -- sleep 1000
  umbel exec a ipcmk -Q
  key=$(queue_keys a)
  [[ -n $key ]]
  equal "$(queue_keys b)" "$key"
  equal "$(queue_keys c)" ""
  run ipcs -q
  lacks "$output" "$key"
}

@test "an abstract socket is reached from the container that shares net, and from no other" {
  umbel run -d --name a -- python3 -c '
import socket
s = socket.socket(socket.AF_UNIX); s.bind("\0umbel-overlap"); s.listen()
while True: s.accept()[0].send(b"here")'
  connect='import socket; s = socket.socket(socket.AF_UNIX); s.connect("\0umbel-overlap"); print(s.recv(9).decode())'
  eventually umbel run --rm --net with:a -- python3 -c "$connect"
  equal "$(umbel run --rm --net with:a -- python3 -c "$connect")" here
  run -1 umbel run --rm -- python3 -c "$connect"
  run -1 python3 -c "$connect"
}

@test "net and ipc are shared while pid is not" {
  umbel run -d --name a -- sleep 1000
  umbel run -d --name b --net with:a --ipc with:a -- sleep 1000
  for kind in net ipc; do
    equal "$(umbel exec b readlink /proc/self/ns/$kind)" "$(umbel exec a readlink /proc/self/ns/$kind)"
  done
  [[ $(umbel exec b readlink /proc/self/ns/pid) != "$(umbel exec a readlink /proc/self/ns/pid)" ]]
  run umbel show a
  contains "$output" b
}

@test "a joined container that has exited is named, with the cure" {
  umbel run --name a -- true
  run -125 umbel run --net with:a -- true
  contains "$output" "a is not running"
  contains "$output" "umbel start a"
}

@test "--mnt with:X takes X's pid namespace too, and warns where it does not" {
  umbel run -d --name a -- sleep 1000
  equal "$(umbel run --rm --mnt with:a -- readlink /proc/self/ns/pid)" \
    "$(umbel exec a readlink /proc/self/ns/pid)"
  run --separate-stderr umbel run --rm --mnt with:a --pid new -- true
  contains "$stderr" "/proc"
}

@test "a shared pid namespace: the second sees the first, and its end leaves it" {
  umbel run -d --name a -- sleep 1000
  run umbel run --rm --pid with:a -- sh -c 'tr "\0" " " </proc/1/cmdline; cat /proc/[0-9]*/cmdline | tr "\0" " "'
  contains "$output" "sleep 1000"
  equal "$(umbel ps --json | jq -r '.[] | select(.name=="a") | .status')" running
}

@test "what joins another is in its own cgroup, in every hierarchy" {
  needs_controller pids
  umbel run -d --name a -- sleep 1000
  umbel run -d --name b --net with:a --time new -- sleep 1000
  run cat "/proc/$(umbel show --json b | jq .pid)/cgroup"
  equal "$(grep -c ':/umbel-b-[0-9]*$' <<<"$output")" "$(grep -c . <<<"$output")"
  contains "$(umbel top b)" "sleep 1000"
}
