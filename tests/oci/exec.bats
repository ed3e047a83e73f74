# exec: further processes, and everything that they share with the first.

load ../lib/umbel
load ../lib/oci
setup() {
  oci_setup
  program sleep 1000
}
teardown() { oci_teardown; }

running() {
  create "$id"
  oci start "$id"
}

@test "a process runs inside, with its output and exit code" {
  running
  equal "$(oci exec "$id" sh -c 'hostname; pwd; id -u')" umbel$'\n'/$'\n'0
  run -7 oci exec "$id" sh -c 'exit 7'
  run -143 oci exec "$id" sh -c 'kill -TERM $$'
  equal "$(echo in | oci exec "$id" cat)" in
}

@test "it joins every namespace and the cgroup" {
  running
  local pid kind
  pid=$(pid_of "$id")
  for kind in pid ipc uts mnt net cgroup; do
    equal "$(oci exec "$id" readlink "/proc/self/ns/$kind")" "$(readlink "/proc/$pid/ns/$kind")"
  done
  oci exec --detach --pid-file "$scratch/pid" "$id" sleep 1000 >/dev/null 2>&1 </dev/null 3>&-
  equal "$(cat "/proc/$(cat "$scratch/pid")/cgroup")" "$(cat "/proc/$pid/cgroup")"
  equal "$(oci ps --format json "$id" | jq length)" 2
  contains "$(oci ps "$id")" "sleep 1000"
}

@test "flags say who, where, and with what" {
  running
  equal "$(oci exec --user 5:6 --cwd /tmp --env A=b --additional-gids 9 "$id" \
    sh -c 'id -u; id -g; pwd; echo $A; grep Groups /proc/self/status | tr -d "[:blank:]"')" \
    5$'\n'6$'\n'/tmp$'\n'b$'\n'Groups:9
  contains "$(oci exec --no-new-privs "$id" cat /proc/self/status)" "NoNewPrivs:	1"
  local before after
  before=$(oci exec "$id" grep CapEff /proc/self/status)
  after=$(oci exec --cap CAP_SYS_TIME "$id" grep CapEff /proc/self/status)
  [[ $before != "$after" ]]
}

@test "a process is described by a file" {
  running
  jq -n '{args: ["sh", "-c", "echo $A; id -u; umask"], cwd: "/tmp", env: ["A=b", "PATH=/bin"],
          user: {uid: 3, gid: 4, umask: 63}}' >"$scratch/process"
  equal "$(oci exec --process "$scratch/process" "$id")" b$'\n'3$'\n'0077
  echo '{"args": ["x"], "cwd": 5}' >"$scratch/process"
  run -255 oci exec --process "$scratch/process" "$id"
  contains "$output" "cwd: must be a string"
}

@test "what is missing exits 255 and says so" {
  running
  run -255 oci exec "$id" nonsense
  contains "$output" "executable file not found in \$PATH"
  run -255 oci exec "$id"
  run -255 oci exec nothing true
  contains "$output" "container nothing does not exist"
  run -255 oci exec --cwd /nowhere "$id" true
  contains "$output" "/nowhere"
}

@test "nothing runs in a stopped container, nor in a paused one" {
  running
  needs_controller freezer
  oci pause "$id"
  has_status "$id" paused
  run -255 oci exec "$id" true
  contains "$output" "paused"
  oci exec --ignore-paused --detach --pid-file "$scratch/pid" "$id" touch /tmp/late \
    >/dev/null 2>&1 </dev/null 3>&- &
  sleep 0.3
  [[ ! -e $bundle/rootfs/tmp/late ]]
  oci resume "$id"
  wait
  eventually test -e "$bundle/rootfs/tmp/late"
  oci pause "$id"
  oci kill "$id" KILL
  eventually has_status "$id" stopped
  run -255 oci exec "$id" true
  contains "$output" "cannot exec in a stopped container"
}

@test "a created container can be entered" {
  create "$id"
  equal "$(oci exec "$id" echo here)" here
  has_status "$id" created
}

@test "a terminal goes to whoever listens" {
  running
  listen "$scratch/socket" "$scratch/said" &
  local listener=$!
  eventually test -S "$scratch/socket"
  oci exec --tty --detach --console-socket "$scratch/socket" "$id" \
    sh -c 'tty; test -t 0 && echo a terminal' >/dev/null 2>&1 </dev/null 3>&-
  wait $listener
  contains "$(cat "$scratch/said")" "/dev/pts/0"
  contains "$(cat "$scratch/said")" "a terminal"
  run -255 oci exec --tty --detach "$id" true
  contains "$output" "--console-socket is missing"
}

@test "descriptors are passed on from 3, and no others" {
  running
  exec 5<"$bundle/config.json"
  lacks "$(oci exec "$id" ls -l /proc/self/fd 3>&-)" config.json
  exec 4</etc/passwd
  contains "$(oci exec --preserve-fds 2 "$id" ls -l /proc/self/fd 3</etc/group)" "4 -> "
  run -255 oci exec --preserve-fds 9 "$id" true
  contains "$output" "must be open"
}

@test "a process in a cgroup of its own below the container's, in one hierarchy or in all" {
  needs_controller pids
  needs_controller memory
  running
  mkdir "/sys/fs/cgroup/pids/umbel-test/$id/part" "/sys/fs/cgroup/memory/umbel-test/$id/part"
  local seen
  seen=$(oci exec --cgroup pids:part "$id" cat /proc/self/cgroup)
  contains "$(grep :pids: <<<"$seen")" "/part"
  lacks "$(grep :memory: <<<"$seen")" "/part"
  contains "$(oci exec --cgroup pids,memory:part "$id" cat /proc/self/cgroup | grep :memory:)" /part
  run -255 oci exec --cgroup part "$id" true
  contains "$output" part
  run -255 oci exec --cgroup nonsense:part "$id" true
  contains "$output" "no cgroup of one of the controllers"
  # Not above it.
  equal "$(oci exec --cgroup pids:../../.. "$id" cat /proc/self/cgroup)" \
    "$(oci exec "$id" cat /proc/self/cgroup)"
}

@test "a pidfd goes to whoever listens" {
  needs_command python3
  running
  receive_pidfd() {
    python3 - "$1" <<'PY' 3>&- &
import array, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(sys.argv[1] + ".new")
server.listen(1)
os.rename(sys.argv[1] + ".new", sys.argv[1])
client, _ = server.accept()
_, control, _, _ = client.recvmsg(100, 100)
signal.pidfd_send_signal(array.array("i", control[0][2])[0], signal.SIGKILL)
PY
    eventually test -S "$1"
  }
  receive_pidfd "$scratch/one"
  run -137 oci exec --pidfd-socket "$scratch/one" "$id" sleep 1000
  receive_pidfd "$scratch/two"
  config '.linux.cgroupsPath += "-2"'
  run oci run --pidfd-socket "$scratch/two" --bundle "$bundle" "$id-2"
  equal "$status $output" "137 "
}
