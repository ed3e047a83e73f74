# The verdict: each class of what leads outside is found and named, on programs that really have it;
# what is clean passes.
load ../lib/umbel
setup() { umbel_setup && needs_root; }
teardown() {
  local pid
  for pid in ${background-}; do kill -- "-$pid" 2>/dev/null || true; done
  umbel_teardown
}

# behind COMMAND...: a process of the host, which ends with the test and with all that it started;
# its pid is $!
behind() {
  setsid "$@" >/dev/null 2>&1 3>&- &
  background="${background-} $!"
}
pid_of() { umbel show --json "$1" | jq .pid; }

verdict() { umbel check --json --policy migratable "$@"; }
# finds KIND [FILTER]: that the last verdict has such an offender, for whom the jq filter holds
finds() {
  local found
  found=$(jq -c "[.offenders[] | select(.kind == \"$1\") | select(${2-true})] | length" <<<"$output")
  ((found > 0)) && return
  printf 'expected an offender of kind %s with %s\nin: %s\n' "$1" "${2-}" "$output" >&2
  return 1
}
# Until the program inside has set itself up, which it says in its log.
is_ready() { [[ $(umbel logs "$1" 2>&1) == *ready* ]]; }
# python NAME OPTION... CODE: a container whose program has said "ready"
python() {
  local name=$1
  umbel run -d --name "$name" "${@:2:$#-2}" -- python3 -c "import os, time
${*: -1}
print('ready', flush=True)
time.sleep(1000)"
  eventually is_ready "$name"
}

@test "a clean container passes, and nobody is disturbed" {
  umbel run -d --name a --policy migratable -- sh -c 'echo out; sleep 1000 | sleep 1000'
  run -0 verdict a
  equal "$(jq -c '[.satisfied, .offenders, .closure]' <<<"$output")" '[true,[],["a"]]'
  run -0 umbel check a
  contains "$output" "a: migratable is satisfied"
  equal "$(umbel ps --json | jq -r '.[].status')" running
}

@test "found: shared ipc and net; the closure takes the other along" {
  umbel run -d --name a --time new -- sleep 1000
  umbel run -d --name b --time new --ipc with:a --net with:a -- sleep 1000
  umbel run -d --name c --time new -- sleep 1000
  run -1 verdict a
  finds ipc '.why == "it shares its ipc with b" and (.cure | contains("umbel check a b --policy migratable"))'
  finds net '.why == "it shares its net with b"'
  equal "$(jq -c .closure <<<"$output")" '["a","b"]'
  run -0 verdict a b
  run -0 verdict c
  run -1 umbel check a --policy migratable
  contains "$output" "The smallest group that satisfies it: a b"
}

@test "found: what is the host's" {
  umbel run -d --name a --net host --ipc host --time new -- sleep 1000
  run -1 verdict a
  finds net '.cure == "run a with --net new"'
  finds ipc '(.why | contains("the host"))'
  equal "$(jq .closure <<<"$output")" null
}

@test "found: a process of no container in its network" {
  umbel run -d --name a --time new -- sleep 1000
  behind nsenter --target "$(pid_of a)" --net sleep 1000
  inside() { [[ $(readlink "/proc/$!/ns/net") == "$(readlink "/proc/$(pid_of a)/ns/net")" ]]; }
  eventually inside
  run -1 verdict a
  finds net "(.why | contains(\"process $! (sleep), of no container\"))"
}

@test "found: a unix socket to a process of the host, and the directory that it came by" {
  behind python3 -c "
import socket, time
s = socket.socket(socket.AF_UNIX); s.bind('$scratch/sock'); s.listen()
c = s.accept(); time.sleep(1000)"
  eventually test -S "$scratch/sock"
  python a --time new -v "$scratch:/shared" "import socket
s = socket.socket(socket.AF_UNIX); s.connect('/shared/sock')"
  run -1 verdict a
  finds socket "(.fd == 3) and (.why | contains(\"process $! (python3)\") and contains(\"sock\"))"
  finds mount '.object == "/shared" and (.cure | contains("--external"))'
  equal "$(jq '[.offenders[] | select(.kind == "mount")] | length' \
    <<<"$(umbel check --json --policy migratable --external /shared a)")" 0
}

@test "found: half of a socket pair outside" {
  behind python3 -c "
import os, socket, subprocess, time
a, b = socket.socketpair()
subprocess.Popen(['$UMBEL', 'run', '-i', '--name', 'a', '--time', 'new', '--', 'sleep', '1000'], stdin=b)
b.close(); time.sleep(1000)"
  eventually umbel exec a true
  run -1 verdict a
  finds socket "(.fd == 0) and (.why | contains(\"process $! (python3)\"))"
}

@test "found: an inherited pipe, and a file of the caller's" {
  mkfifo fifo
  behind sh -c "sleep 1000 | '$UMBEL' run -i --name a --time new -- sleep 1000 >'$scratch/out'"
  eventually umbel exec a true
  run -1 verdict a
  finds pipe '(.fd == 0) and (.why | contains("(sleep), of no container"))'
  finds file "(.fd == 1) and .object == \"$scratch/out\""
}

@test "found: a device" {
  [[ -c /dev/loop-control ]] || skip "needs /dev/loop-control"
  umbel run -d --name a --time new --device /dev/loop-control -- sh -c 'sleep 1000 9</dev/loop-control'
  has() { contains "$(verdict a || true)" loop-control; }
  eventually has
  run -1 verdict a
  finds device '.object == "/dev/loop-control" and .fd == 9'
}

@test "found: a terminal of somebody outside" {
  needs_command script
  behind script -qec "'$UMBEL' run -i --name a --time new -- sleep 1000" /dev/null
  eventually umbel exec a true
  run -1 verdict a
  finds terminal '(.fd == 0) and (.why | contains("(script), of no container"))'
}

@test "found: a lock that is held outside" {
  touch file
  behind flock file sleep 1000
  locked() { ! flock --nonblock file true; }
  eventually locked
  python a --time new -v "$scratch:/shared" "kept = open('/shared/file')"
  run -1 verdict a
  finds lock '.object == "/shared/file" and (.why | contains("(flock)"))'
}

@test "found: memory that is shared with a process outside" {
  truncate -s 4096 memory
  map="import mmap; kept = mmap.mmap(os.open(path, os.O_RDWR), 4096)"
  behind python3 -c "import os, time; path = '$scratch/memory'; $map; time.sleep(1000)"
  mapped() { grep -q memory "/proc/$!/maps"; }
  eventually mapped
  python a --time new -v "$scratch:/shared" "path = '/shared/memory'; $map"
  run -1 verdict a
  finds memory "(.object | contains(\"memory\")) and (.why | contains(\"process $! (python3)\"))"
}

@test "found: what was inherited and has no name: a memory file, an event counter, a named pipe" {
  mkfifo fifo
  behind python3 -c "
import ctypes, os, subprocess, time
kept = [os.memfd_create('kept', 0), ctypes.CDLL(None).eventfd(1, 0), os.open('fifo', os.O_RDWR)]
for name, fd in zip(('m', 'e', 'f'), kept):
    subprocess.Popen(['$UMBEL', 'run', '-i', '--name', name, '--time', 'new', '--', 'sleep', '1000'], stdin=fd)
time.sleep(1000)"
  eventually umbel exec m true && eventually umbel exec e true && eventually umbel exec f true
  run -1 verdict m
  finds memory "(.fd == 0) and (.object | contains(\"memfd:kept\")) and (.why | contains(\"process $! (python3)\"))"
  run -1 verdict e
  finds pipe "(.fd == 0) and (.object | contains(\"eventfd\")) and (.why | contains(\"process $! (python3)\"))"
  run -1 verdict f
  finds pipe "(.fd == 0) and (.object | endswith(\"/fifo\")) and (.why | contains(\"process $! (python3)\"))"
}

@test "found: a connection between two containers, which move together" {
  umbel run -d --name a --time new -- python3 -c "import socket, time
s = socket.socket(); s.bind(('127.0.0.1', 4711)); s.listen()
kept = s.accept(); print('ready', flush=True); time.sleep(1000)"
  listening() { umbel exec a grep -q ':1267 .* 0A ' /proc/net/tcp; }
  eventually listening
  python b --time new --net with:a "import socket
s = socket.create_connection(('127.0.0.1', 4711))"
  eventually is_ready a
  run -1 verdict b
  finds connection '.object == "127.0.0.1:4711" and (.why | endswith(" is with a")) and (.cure | contains("check a b"))'
  run verdict a b
  equal "$(jq -c '.offenders[] | select(.kind == "connection" or .kind == "net")' <<<"$output")" ""
}

@test "found: an io_uring" {
  [[ $(cat /proc/sys/kernel/io_uring_disabled 2>/dev/null) != 2 ]] || skip "io_uring is disabled here"
  python a --time new --seccomp off "import ctypes
ring = ctypes.CDLL(None).syscall(425, 4, ctypes.create_string_buffer(120))
assert ring >= 0"
  run -1 verdict a
  finds descriptor '(.object | contains("io_uring")) and (.cure | contains("epoll"))'
}

@test "found: a debugger outside" {
  needs_command strace
  umbel run -d --name a --time new -- sleep 1000
  inner=$(pgrep --parent "$(pid_of a)")
  behind strace -p "$inner"
  traced() { ! grep -q '^TracerPid:	0' "/proc/$inner/status"; }
  eventually traced
  run -1 verdict a
  finds tracer "(.pid == $inner) and (.why | contains(\"strace\"))"
}

@test "found: a process that was started from outside" {
  umbel run -d --name a --time new -- sleep 1000
  umbel exec -d a sleep 500
  run -1 verdict a
  finds process '.object == "sleep"'
}

@test "found: namespaces made inside, and more rights than usual" {
  umbel run -d --name a --time new --privileged -- unshare --net sleep 1000
  has() { [[ $(verdict a) == *'"namespace"'* ]]; }
  eventually has
  run -1 verdict a
  finds namespace '(.object | startswith("net:["))'
  run -1 umbel check --json --policy isolated a
  finds rights '(.object | startswith("CAP_"))'
}

@test "the closure goes on through containers that were not named, until one can't be cured" {
  umbel run -d --name a --time new -v "$scratch:/shared" -- sleep 1000
  umbel run -d --name b --time new --uts with:a -- sleep 1000
  umbel run -d --name c --time new --ipc with:b -- sleep 1000
  umbel run -d --name e --time new -- sleep 1000
  run -1 umbel check --json --policy migratable b
  finds uts '.why == "it shares its uts with a"'
  umbel run -d --name d --time new --net with:c -- sleep 1000
  run -1 umbel check --json --policy migratable d
  finds net
  equal "$(jq -c .closure <<<"$output")" null
  run -1 umbel check --json --policy migratable --external /shared d
  equal "$(jq -c .closure <<<"$output")" '["a","b","c","d"]'
  umbel rm --force a
  run -1 umbel check --json --policy migratable b
  equal "$(jq -c .closure <<<"$output")" '["b","c","d"]'
}

@test "other policies look at other things" {
  umbel run -d --name a --policy vserver -- sleep 1000
  run -0 umbel check a
  contains "$output" "vserver is satisfied"
  run -1 umbel check a --policy isolated
  contains "$output" "run a with --net new"
  umbel run -d --name s --policy sandbox -- sleep 1000
  run -0 umbel check s
  run -1 umbel check a --policy sandbox
  contains "$output" "/home of the host would be seen"
  umbel run -d --name p --policy pidspace -- sleep 1000
  run -0 umbel check p
  run -1 umbel check a --policy pidspace
  contains "$output" "wants a limit for memory"
}

@test "a pod is judged as one" {
  umbel run -d --name a --policy pod -- sleep 1000
  umbel run -d --name b --policy pod --net with:a -- sleep 1000
  umbel run -d --name c --policy pod -- sleep 1000
  run -0 umbel check a b
  run -1 umbel check --json a
  equal "$(jq -c .closure <<<"$output")" '["a","b"]'
  run -1 umbel check a b c
  contains "$output" "wants one for all of the group"
}

@test "what can't be asked is said: exit 2" {
  run -2 umbel check nobody-here --policy migratable
  contains "$output" "no container nobody-here"
  umbel run -d --name a -- sleep 1000
  run -2 umbel check a --policy migratabel
  contains "$output" "did you mean migratable?"
  run -2 umbel check a
  contains "$output" "promised no policy"
}

@test "what may not be looked at leaves a doubt: exit 2" {
  needs_command setpriv
  chmod 755 "$scratch"
  mkdir -p user/umbel/policies && chown 65534:65534 user
  printf '[outside]\ndescriptors = "none"\n' >user/umbel/policies/quiet.toml
  cp "$UMBEL" umbel  # the build's directory may be closed to others
  cat >as-user <<SH
cd /
exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \\
  env UMBEL_HOME="$scratch/user/home" XDG_CONFIG_HOME="$scratch/user" HOME=/ "$scratch/umbel" "\$@"
SH
  behind sh -c "sleep 1000 | sh as-user run -i --name a -- sleep 1000"
  eventually sh as-user exec a true
  run -2 sh as-user check a --policy quiet
  contains "$output" "could not tell"
  contains "$output" "root may"
  sh as-user rm --force a
}
