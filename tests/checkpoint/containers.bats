# Containers into an image and out of it: what is inside finds everything as it was.
load ../lib/umbel

setup() {
  needs_root
  umbel_setup
}
teardown() { umbel_teardown; }

status_of() { umbel ps -a --json | jq -r ".[] | select(.name==\"$1\") | .status"; }
# A counter that writes its value to standard output and to /tmp/x, several times a second.
counter='n=0; while :; do n=$((n+1)); echo $n; echo $n >/tmp/x; sleep 0.05; done'
counting() { umbel run -d --time new "$@" -- sh -c "$counter"; }
at_least() { (($(umbel exec "$1" cat /tmp/x) >= $2)); }
count_of() { umbel exec "$1" cat /tmp/x; }

@test "a counter goes on where it was, in its log too" {
  counting --name a --memory 64m
  eventually at_least a 5
  before=$(count_of a)
  equal "$(umbel checkpoint a)" a
  equal "$(status_of a)" checkpointed
  [[ ! -e $(echo /sys/fs/cgroup/memory/umbel-a*) ]]
  equal "$(umbel restore a)" a
  equal "$(status_of a)" running
  eventually at_least a $((before + 5))
  # Every number once and in order: nothing was lost and nothing was done twice.
  umbel logs a >log
  seq "$(wc -l <log)" | cmp - log
  equal "$(umbel exec a hostname)" a
  equal "$(umbel exec a cat /proc/1/comm)" umbel-init
  contains "$(umbel exec a cat /proc/2/cmdline | tr '\0' ' ')" "sh -c n=0"
  equal "$(umbel show --json a | jq -r .limits.memory)" 67108864
  umbel stop a
  equal "$(umbel wait a)" 143
}

@test "three times in a row, and an exit code at the end" {
  umbel run -d --time new --name a -- sh -c \
    'while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 7'
  for round in 1 2 3; do
    umbel checkpoint a
    umbel restore a
  done
  umbel exec a touch /tmp/end
  equal "$(umbel wait a)" 7
}

@test "without an init of umbel's the program itself is pid 1" {
  umbel run -d --time new --no-init --name a -- sh -c "$counter"
  eventually at_least a 3
  before=$(count_of a)
  umbel checkpoint a
  umbel restore a
  eventually at_least a $((before + 3))
  contains "$(umbel exec a cat /proc/1/cmdline | tr '\0' ' ')" "sh -c n=0"
  umbel rm --force a
}

@test "clocks that are its own go on" {
  umbel run -d --time new --name a -- sleep 1000
  before=$(umbel exec a cut -d. -f1 /proc/uptime)
  umbel checkpoint a
  sleep 3
  umbel restore a
  after=$(umbel exec a cut -d. -f1 /proc/uptime)
  ((after >= before && after - before <= 2))
}

@test "what is not migratable is refused with the verdict and runs on" {
  umbel run -d --name a -- sh -c "$counter" # its time is the host's
  eventually at_least a 3
  run -125 umbel checkpoint a
  contains "$output" "run a with --time new"
  equal "$(status_of a)" running
  before=$(count_of a)
  eventually at_least a $((before + 3))
  [[ -z $(ls "$UMBEL_HOME/checkpoints" 2>/dev/null) ]]
}

@test "a copy beside the original, through a file, a directory and a pipe" {
  counting --name a
  eventually at_least a 3
  umbel checkpoint a --leave-running --to file.img
  umbel checkpoint a --leave-running --compress --to directory/
  umbel image verify ./file.img
  umbel image verify ./directory
  umbel restore ./file.img --name b
  umbel restore ./directory --name c
  umbel checkpoint a --leave-running --to - 2>messages | umbel restore - --name d
  contains "$(<messages)" processes
  for name in a b c d; do
    equal "$(status_of $name)" running
    before=$(count_of $name)
    eventually at_least $name $((before + 3))
  done
  run -125 umbel restore ./file.img
  contains "$output" "the name a is taken"
}

@test "what it has written to its own file systems is there again" {
  umbel run -d --time new --name a -- sh -c '
    mkdir -p /tmp/d/e && printf hello >/tmp/d/e/f && chmod 640 /tmp/d/e/f && chown 1:2 /tmp/d/e/f
    ln /tmp/d/e/f /tmp/d/second && ln -s /tmp/d/e /tmp/d/link && mkfifo -m 600 /tmp/d/fifo
    touch -d "2001-02-03 04:05:06" /tmp/d/e/f /tmp/d/e
    rm /etc/hostname; rm -r /etc/pam.d; mkdir /etc/pam.d; echo mine >/etc/pam.d/only
    echo changed >/etc/motd; echo memory >/dev/shm/m
    exec 3>>/tmp/d/open; echo open >&3; touch /tmp/ready; while :; do sleep 0.05; done'
  eventually umbel exec a test -e /tmp/ready
  describe='cd /tmp/d && stat -c "%n %F %a %u %g %h %s" e e/f second link fifo open &&
    stat -c "%n %Y" e e/f && cat e/f /etc/motd /dev/shm/m && ls /etc/pam.d && [ ! -e /etc/hostname ]'
  umbel exec a sh -c "$describe" >before
  contains "$(<before)" "only"
  umbel checkpoint a
  umbel restore a
  umbel exec a sh -c "$describe" >after
  diff before after
  equal "$(umbel exec a sh -c 'ls -l /proc/2/fd/3 | sed "s/.* -> //"')" /tmp/d/open
  umbel diff a | grep -q '^D /etc/hostname'
  [[ -e /etc/pam.d/common-auth || -e /etc/motd || -e /etc/hostname ]] # the host keeps its own
}

@test "message queues and semaphores are refused by name, and all runs on" {
  needs_command ipcmk
  umbel run -d --time new --name a -- sh -c "ipcmk -Q >/dev/null; $counter"
  eventually at_least a 3
  run -125 umbel checkpoint a
  contains "$output" "System V message queues"
  equal "$(status_of a)" running
  before=$(count_of a)
  eventually at_least a $((before + 3))
}

@test "redis and its data, through a pipe, beside the original" {
  needs_command redis-server
  umbel run -d --time new --name a -- redis-server --save '' --unixsocket /tmp/r.sock
  eventually bash -c "[[ \$('$UMBEL' exec a redis-cli ping) == PONG ]]"
  umbel exec a redis-cli set colour green
  umbel exec a sh -c 'i=0; while [ $i -lt 1000 ]; do echo set key$i $i; i=$((i+1)); done | redis-cli' \
    >/dev/null
  umbel checkpoint a --leave-running --to - 2>/dev/null | umbel restore - --name b
  for name in a b; do
    equal "$(umbel exec $name redis-cli get colour)" green
    equal "$(umbel exec $name redis-cli dbsize)" 1001
  done
  umbel exec b redis-cli set colour blue
  equal "$(umbel exec a redis-cli get colour)" green
}

@test "an interface made inside is refused, and all runs on" {
  umbel run -d --time new --cap-add NET_ADMIN --name a -- sh -c \
    "ip link add v0 type veth peer name v1 && touch /tmp/made; $counter"
  eventually umbel exec a test -e /tmp/made
  run -125 umbel checkpoint a
  contains "$output" "the network interface v"
  before=$(count_of a)
  eventually at_least a $((before + 3))
}

@test "a restore that fails leaves nothing, and the container is still checkpointed" {
  counting --name a
  eventually at_least a 3
  umbel checkpoint a
  cp -r "$UMBEL_HOME/checkpoints/a" damaged
  printf 'x' | dd of=damaged/pages bs=1 seek=100 conv=notrunc status=none
  run -125 umbel restore ./damaged
  equal "$(status_of a)" checkpointed
  run -125 umbel restore ./damaged --name b
  equal "$(status_of b)" ""
  [[ ! -e /sys/fs/cgroup/memory/umbel-b ]]
  umbel restore a
  eventually at_least a 10
}

@test "a connection and a lock inside go on" {
  cat >program.py <<'PY'
import fcntl, os, socket, time
server = socket.create_server(("127.0.0.1", 80))
client = socket.create_connection(("127.0.0.1", 80))
accepted = server.accept()[0]
client.sendall(b"sent before")
lock = open("/tmp/lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
while True:
    time.sleep(0.02)
    if os.path.exists("/tmp/ask"):
        accepted.sendall(accepted.recv(100) + b", answered after")
        open("/tmp/answer.new", "wb").write(client.recv(100))
        os.rename("/tmp/answer.new", "/tmp/answer")
        time.sleep(1000)
PY
  umbel run -d --time new --name a -- python3 -c "$(<program.py)"
  holds() { umbel exec a test -e /tmp/lock && ! umbel exec a flock --nonblock /tmp/lock true; }
  eventually holds
  run -0 umbel check a --policy migratable
  umbel checkpoint a
  umbel restore a
  run -1 umbel exec a flock --nonblock /tmp/lock true
  umbel exec a touch /tmp/ask
  eventually umbel exec a test -e /tmp/answer
  equal "$(umbel exec a cat /tmp/answer)" "sent before, answered after"
}

@test "clones of one image run side by side, and none is left if one fails" {
  counting --name a
  eventually at_least a 3
  umbel checkpoint a --leave-running
  equal "$(umbel clone a --count 3 | tr '\n' ' ')" "a-1 a-2 a-3 "
  for name in a a-1 a-2 a-3; do eventually at_least $name 8; done
  umbel rm --force a-1 a-2
  run -125 umbel clone a --count 3 # a-3 is there
  contains "$output" "the name a-3 is taken"
  equal "$(umbel ps -aq | sort | tr '\n' ' ')" "a a-3 "
}

@test "what is mounted inside is refused, and runs on; mounts of its config come back" {
  umbel run -d --time new --cap-add SYS_ADMIN --seccomp off --tmpfs /own --name a -- sh -c \
    'echo mine >/own/x; while [ ! -e /tmp/mount ]; do sleep 0.02; done
     mkdir /tmp/m; mount -t tmpfs inside /tmp/m; echo done >/tmp/mounted; sleep 1000'
  eventually umbel exec a test -e /own/x
  umbel checkpoint a
  umbel restore a
  equal "$(umbel exec a cat /own/x)" mine
  umbel exec a touch /tmp/mount
  eventually umbel exec a test -e /tmp/mounted
  run -125 umbel checkpoint a
  contains "$output" "something mounted inside, at /tmp/m"
  equal "$(status_of a)" running
}
