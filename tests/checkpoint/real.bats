# Programs that people run, checkpointed and restored three times in a row while they are at work.
# Each test that needs a network runs in a network namespace of its own.
load ../lib/umbel
: "${UMBEL_CRIU:=${UMBEL}-criu}"

setup() {
  needs_root
  umbel_setup
  mkdir images
  chmod 755 .
  pid=
}
teardown() {
  [[ -z $pid ]] || end_tree "$pid"
  for helper in ${helpers-}; do kill "$helper" 2>/dev/null || true; done
  umbel_teardown
}

end_tree() {
  local child
  # Or it might start new ones in the place of those that end.
  kill -STOP "$1" 2>/dev/null || true
  for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do end_tree "$child"; done
  kill -KILL "$1" 2>/dev/null || true
}

# Replaces this shell by a command that has nothing of the test's open.
alone() {
  local open
  for open in /proc/self/fd/*; do
    ((${open##*/} <= 2)) || eval "exec ${open##*/}>&-"
  done
  exec setsid "$@"
}
# start COMMAND...: in a session of its own, without a terminal; sets pid
start() {
  (alone "$@") </dev/null >>output 2>&1 &
  pid=$!
}

# Ended, and started again from the image.
again() {
  "$UMBEL_CRIU" dump -t "$pid" -D images --file-locks --tcp-established "$@" >log 2>&1 3>&- ||
    { cat log >&2; return 1; }
  wait "$pid" 2>/dev/null || true
  # What has ended keeps its number until whoever adopted it waits for it, who may take his time.
  local saved
  for saved in $("$UMBEL" image show ./images --json | grep -o '"pid": *[0-9]*' | grep -o '[0-9]*'); do
    for _ in {1..750}; do
      [[ -e /proc/$saved ]] || break
      sleep 0.02
    done
  done
  "$UMBEL_CRIU" restore -d -D images "${restoring[@]}" >log 2>&1 3>&- && return
  cat log >&2
  return 1
}
restoring=()

# until_true COMMAND...: within ten seconds
until_true() {
  for _ in {1..200}; do
    "$@" >/dev/null 2>&1 && return
    sleep 0.05
  done
  echo "never came true: $*" >&2
  return 1
}

grows() {
  local before
  before=$(wc -l <"$1")
  until_true eval "(( \$(wc -l <$1) > $before + 2 ))"
}

# The lines of a file are the numbers from 0 on, without a gap.
counts() { awk 'NR - 1 != $1 { print "line " NR ": " $1; exit 1 }' "$1" >&2; }

@test "a pipeline of bash counts on" {
  start bash -c 'for ((i = 0; ; i++)); do echo $i; read -rt 0.01 <> <(:); done |
    while read -r line; do echo "$line"; done | cat >numbers'
  until_true test -s numbers
  for _ in 1 2 3; do
    again
    grows numbers
  done
  counts numbers
}

@test "python3 with threads, files and a subprocess" {
  needs_command /usr/bin/python3
  cat >program.py <<'PYTHON'
import queue, subprocess, threading, time
jobs = queue.Queue(3)
out = open("numbers", "w", buffering=1)
cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=out, text=True)
def worker():
    while True:
        cat.stdin.write(f"{jobs.get()}\n")
        cat.stdin.flush()
threading.Thread(target=worker, daemon=True).start()
event = threading.Event()
threading.Thread(target=lambda: [event.wait(3600)], daemon=True).start()
number = 0
while True:
    jobs.put(number)
    number += 1
    time.sleep(0.01)
PYTHON
  start /usr/bin/python3 program.py
  until_true test -s numbers
  for _ in 1 2 3; do
    again
    grows numbers
  done
  counts numbers
}

# A client that is not checkpointed keeps its connection all the while.
@test "redis: a connected client never notices" {
  needs_command redis-server
  needs_command /usr/bin/python3
  needs_command nft
  if [[ -z ${in_own_network-} ]]; then
    in_own_network=1 unshare --net bats --filter "redis: a connected client" "$BATS_TEST_FILENAME"
    return
  fi
  ip link set lo up
  start redis-server --port 6400 --save '' --appendonly no --dir "$PWD"
  cat >client.py <<'PYTHON'
import socket, time
for _ in range(200):
    try:
        client = socket.create_connection(("127.0.0.1", 6400))
        break
    except OSError:
        time.sleep(0.05)
client.settimeout(20)
answers = client.makefile("rb")
def ask(*words):
    client.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
    return answers.readline()
for i in range(20000):
    ask(b"SET", b"key%d" % i, b"value%d" % i)
count = 0
log = open("answers", "w", buffering=1)
while True:
    count += 1
    answer = ask(b"INCR", b"counter")
    if answer != b":%d\r\n" % count:
        log.write(f"wrong: {answer}\n")
        raise SystemExit(1)
    log.write(f"{count - 1}\n")
    time.sleep(0.005)
PYTHON
  /usr/bin/python3 client.py >client.log 2>&1 3>&- &
  helpers=$!
  until_true test -s answers
  for _ in 1 2 3; do
    again
    grows answers
  done
  counts answers
  kill -0 "$helpers"
  [[ $(redis-cli -p 6400 dbsize) == 20001 ]]
  [[ $(redis-cli -p 6400 get key19999) == value19999 ]]
}

# The server, its workers and both clients on its unix socket: one that counts, and pgbench.
@test "postgres under pgbench" {
  local bin=/usr/lib/postgresql/15/bin
  [[ -x $bin/postgres ]] || skip "needs postgres"
  needs_user postgres
  # One that is killed leaves a System V segment.
  if [[ -z ${in_own_ipc-} ]]; then
    in_own_ipc=1 unshare --ipc bats --filter "postgres under" "$BATS_TEST_FILENAME"
    return
  fi
  mkdir data socket
  chown postgres . data socket
  setpriv --reuid postgres --regid postgres --clear-groups \
    $bin/initdb -D data -A trust --no-sync >initdb.log 2>&1
  cat >all <<'BASH'
$1/postgres -D data -k "$PWD/socket" -c listen_addresses= -c fsync=off >server.log 2>&1 &
until $1/pg_isready -qh "$PWD/socket"; do sleep 0.1; done
$1/pgbench -qih "$PWD/socket" postgres 2>init.log
$1/pgbench -nT 600 -c 2 -P 1 -h "$PWD/socket" postgres >bench.log 2>progress &
{ echo 'create table t (n int);'
  for ((i = 0; ; i++)); do echo "insert into t values ($i) returning n;"; sleep 0.02; done
} | $1/psql -qAth "$PWD/socket" postgres >numbers
BASH
  start setpriv --reuid postgres --regid postgres --clear-groups bash all $bin
  until_true test -s numbers
  until_true test -s progress
  local before
  query() { $bin/psql -U postgres -Ath "$PWD/socket" postgres -c "$1"; }
  for _ in 1 2 3; do
    again --file-locks
    grows numbers
    before=$(query 'select count(*) from pgbench_history')
    until_true eval '(($(query "select count(*) from pgbench_history") > before + 10))'
  done
  counts numbers
  # What pgbench moves between its tables has to add up, whenever it is looked at.
  [[ $(query 'select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from
    pgbench_history) and (select sum(bbalance) from pgbench_branches) = (select sum(delta) from
    pgbench_history)') == t ]]
  ! grep -qiE "error|fatal|panic" server.log progress bench.log
}

@test "nginx with its workers" {
  needs_command nginx
  needs_command curl
  if [[ -z ${in_own_network-} ]]; then
    in_own_network=1 unshare --net bats --filter "nginx with its workers" "$BATS_TEST_FILENAME"
    return
  fi
  ip link set lo up
  mkdir logs
  echo hello >index.html
  cat >nginx.conf <<NGINX
daemon off; worker_processes 2; pid $PWD/nginx.pid; error_log $PWD/logs/error.log;
events { worker_connections 64; }
http { access_log $PWD/logs/access.log; server { listen 127.0.0.1:8400; root $PWD; } }
NGINX
  start nginx -c "$PWD/nginx.conf"
  until_true curl -sf http://127.0.0.1:8400/index.html
  for _ in 1 2 3; do
    again --tcp-close
    [[ $(curl -s --max-time 10 http://127.0.0.1:8400/index.html) == hello ]]
  done
}

@test "node with timers and a server" {
  needs_command node
  cat >program.js <<'NODE'
const fs = require("fs"), net = require("net");
const out = fs.openSync("numbers", "w");
let number = 0;
const server = net.createServer(peer => peer.on("data", text => fs.writeSync(out, text)));
server.listen("server.socket", () => {
  const client = net.connect("server.socket");
  setInterval(() => client.write(`${number++}\n`), 10);
});
NODE
  start node program.js
  until_true test -s numbers
  for _ in 1 2 3; do
    again
    grows numbers
  done
  counts numbers
}

@test "a Java virtual machine" {
  needs_command rmiregistry
  if [[ -z ${in_own_network-} ]]; then
    in_own_network=1 unshare --net bats --filter "a Java virtual machine" "$BATS_TEST_FILENAME"
    return
  fi
  ip link set lo up
  start rmiregistry 1400
  # The registry answers the first bytes of its protocol.
  hello() {
    exec 9<>/dev/tcp/127.0.0.1/1400
    printf 'JRMI\0\2K' >&9
    [[ $(head -c 1 <&9 | od -An -tx1) == *4e ]]
    exec 9>&-
  }
  until_true hello
  for _ in 1 2 3; do
    sleep 0.3
    again --tcp-close
    until_true hello
  done
}

@test "vim under a terminal of its own" {
  needs_command vim
  needs_command script
  mkfifo keys
  exec 8<>keys
  (alone script -qfc "vim -u NONE -n text" typescript) <keys >/dev/null 2>&1 &
  pid=$!
  until_true grep -q '~' typescript
  for i in 1 2 3; do
    printf 'Goline %s\033' "$i" >&8
    sleep 0.5
    again
  done
  printf ':wq\n' >&8
  until_true test -f text
  [[ $(grep -c line text) == 3 ]]
}

# Its session and terminal belong to a shell that stays; it comes back to another terminal.
@test "a job of a shell, restored in another terminal" {
  needs_command script
  cat >job <<'BASH'
exec 3>>numbers
for ((i = 0; ; i++)); do
  [[ -t 1 ]] && : </dev/tty && echo "$i" >&3
  sleep 0.02
done
BASH
  cat >first <<'BASH'
bash job & pid=$!
until [[ -s numbers ]]; do sleep 0.05; done
"$1" dump --shell-job -t $pid -D images >log 2>&1; echo $? >dumped
wait
echo $pid >pid
BASH
  cat >second <<'BASH'
for i in {1..100}; do
  "$1" restore --shell-job -d -D images >log 2>&1; echo $? >restored
  grep -q exists log || break
  sleep 0.02
done
before=$(wc -l <numbers)
until (($(wc -l <numbers) > before + 5)); do sleep 0.05; done
kill "$(cat pid)"
BASH
  (alone script -qfec "bash first '$UMBEL_CRIU'" one) </dev/null >/dev/null 2>&1
  [[ $(cat dumped) == 0 ]] || { cat log >&2; false; }
  (alone timeout 20 script -qfec "bash second '$UMBEL_CRIU'" other) </dev/null >/dev/null 2>&1 || true
  [[ $(cat restored) == 0 ]] || { cat log >&2; false; }
  until_true eval '! kill -0 "$(cat pid)"'
  counts numbers
}

# What leads out of the tree is given anew by whoever restores it.
@test "a descriptor from outside, dumped as external and inherited" {
  needs_command script
  cat >job <<'BASH'
exec 3>>numbers 4<>/dev/pts/$1
for ((i = 0; ; i++)); do
  echo "$i" >&3
  read -rt 0.02 <&4 || true
done
BASH
  cat >outside <<'BASH'
tty | sed s,.*/,, >terminal
until [[ -e done ]]; do read -rt 0.1 || true; done
BASH
  (alone script -qfc "bash outside" one) </dev/null >/dev/null 2>&1 &
  helpers=$!
  until_true test -s terminal
  start bash job "$(cat terminal)"
  until_true test -s numbers
  # Both in hexadecimal, as one number each.
  name=$(printf 'tty[%x:%x]' $((0x88 << 8 | $(cat terminal))) "$(stat -c %d /dev/pts/"$(cat terminal)")")
  ! "$UMBEL_CRIU" dump -t "$pid" -D images >log 2>&1
  grep -q -- --shell-job log
  "$UMBEL_CRIU" dump -t "$pid" -D images --external "$name" >log 2>&1 || { cat log >&2; false; }
  wait "$pid" 2>/dev/null || true
  ! "$UMBEL_CRIU" restore -d -D images >log 2>&1
  grep -q "inherit-fd fd\[NUMBER\]:tty" log || { cat log >&2; false; }
  "$UMBEL_CRIU" restore -d -D images --inherit-fd "fd[7]:$name" >log 2>&1 3>&- 7<>"/dev/pts/$(cat terminal)" ||
    { cat log >&2; false; }
  grows numbers
  counts numbers
  touch done
}
