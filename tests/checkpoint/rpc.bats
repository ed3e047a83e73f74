# criu's RPC, spoken by a client that makes its messages by hand (lib/criu_rpc.py), on a real process.
load ../lib/umbel
: "${UMBEL_CRIU:=${UMBEL}-criu}"

setup() {
  needs_root
  needs_command python3
  umbel_setup
  chmod 755 .
  mkdir images program
  pid= service=
}
teardown() {
  [[ -z $service ]] || kill "$service" 2>/dev/null || true
  [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
  umbel_teardown
}

rpc() { python3 "$BATS_TEST_DIRNAME/../lib/criu_rpc.py" "$@" 3>&-; }
swrk() { rpc swrk "$UMBEL_CRIU" "$@"; }
# request TYPE OPTIONS [MORE]: as JSON; the images go to ./images
request() {
  jq -cn --arg type "$1" --argjson more "${3:-{\}}" --arg dir "$scratch/images" \
    '{type: $type, opts: ({images_dir_fd: $dir} + '"$2"')} + $more'
}

# A program that checks itself when it is asked.
start_program() {
  (
    local open
    for open in /proc/self/fd/*; do
      ((${open##*/} <= 2)) || eval "exec ${open##*/}>&-"
    done
    exec setsid "$UMBEL_PROGRAMS/checkpoint/plain" "$scratch/program"
  ) </dev/null >program.log 2>&1 &
  pid=$!
  eventually test -e program/ready
}
is_right() {
  rm -f program/verdict
  touch program/ask
  eventually test -e program/verdict
  equal "$(cat program/verdict)" right
}
field() { jq -r "$1" <<<"$2"; }
gone() { [[ ! -e /proc/$pid ]] || grep -q '^State:.Z' "/proc/$pid/status"; }

@test "the version, as podman and runc ask for it before anything else" {
  run -0 --separate-stderr swrk '{"type": "VERSION"}'
  equal "$(field '.version | "\(.major) \(.minor) \(.gitid)"' "$output")" "4 2 null"
  run -0 "$UMBEL_CRIU" --version
  contains "$output" "Version: 4.2"
}

@test "features and the kernel" {
  run -0 --separate-stderr swrk '{"type": "FEATURE_CHECK", "features": {"mem_track": true, "lazy_pages": true}}'
  equal "$(field '.features | keys | join(" ")' "$output")" "lazy_pages mem_track"
  "$UMBEL_CRIU" check --feature mem_dirty_track && equal "$(field .features.mem_track "$output")" 1
  run -0 --separate-stderr swrk '{"type": "CHECK"}'
  equal "$(field .success "$output")" 1
}

@test "one connection: requests follow each other where the client keeps it open" {
  run -0 --separate-stderr swrk '{"type": "VERSION", "keep_open": true}' '{"type": "CHECK"}'
  equal "$(jq -r .type <<<"$output" | xargs)" "VERSION CHECK"
  run -1 --separate-stderr swrk '{"type": "VERSION"}' '{"type": "CHECK"}'
  equal "$(jq -r .type <<<"$output" | xargs)" VERSION
}

@test "dump, and restore as the client's own child" {
  start_program
  run -0 --separate-stderr swrk "$(request DUMP "{pid: $pid, log_file: \"dump.log\"}")"
  eventually gone
  wait "$pid" || true
  contains "$(cat images/dump.log)" "Dumped 1 processes"
  [[ -s images/stats-dump ]]
  run -0 --separate-stderr swrk "$(request RESTORE '{rst_sibling: true, log_file: "restore.log"}')"
  equal "$(field .restore.pid "$output")" "$pid"
  is_right
}

@test "stages are notified of, in their order, and wait for the client" {
  start_program
  run -0 --separate-stderr swrk "$(request DUMP "{pid: $pid, notify_scripts: true}")"
  equal "$(jq -r '.notify.script // .type' <<<"$output" | xargs)" "pre-dump post-dump DUMP"
  wait "$pid" || true
  run -0 --separate-stderr swrk "$(request RESTORE '{notify_scripts: true}')"
  equal "$(jq -r '.notify.script // .type' <<<"$output" | xargs)" \
    "pre-restore post-restore pre-resume post-resume RESTORE"
  equal "$(jq -r 'select(.notify.script == "post-restore").notify.pid' <<<"$output")" "$pid"
  is_right
}

@test "a client that refuses a stage, or goes away: the program runs on, or nothing is left" {
  start_program
  for stage in pre-dump post-dump; do
    run -1 --separate-stderr swrk "$(request DUMP "{pid: $pid, notify_scripts: true}" "{\"refuse\": \"$stage\"}")"
    contains "$(tail -n 1 <<<"$output" | jq -r .cr_errmsg)" "refused to go on at the stage $stage"
    is_right
    run -1 --separate-stderr swrk "$(request DUMP "{pid: $pid, notify_scripts: true}" "{\"hang-up\": \"$stage\"}")"
    is_right
  done
  run -0 --separate-stderr swrk "$(request DUMP "{pid: $pid}")"
  wait "$pid" || true
  for stage in pre-restore post-restore pre-resume; do
    run -1 --separate-stderr swrk "$(request RESTORE '{notify_scripts: true}' "{\"refuse\": \"$stage\"}")"
    eventually gone
    run -1 --separate-stderr swrk "$(request RESTORE '{notify_scripts: true}' "{\"hang-up\": \"$stage\"}")"
    eventually gone
  done
  run -0 --separate-stderr swrk "$(request RESTORE '{}')"
  is_right
}

@test "pre-dumps go on over one connection until the dump" {
  "$UMBEL_CRIU" check --feature mem_dirty_track || skip "the kernel does not track writes"
  start_program
  mkdir images/a images/b images/c
  local first second third
  first=$(jq -cn --arg d "$scratch/images/a" "{type: \"PRE_DUMP\",
    opts: {images_dir_fd: \$d, pid: $pid, track_mem: true}}")
  second=$(jq -cn --arg d "$scratch/images/b" "{type: \"PRE_DUMP\",
    opts: {images_dir_fd: \$d, pid: $pid, track_mem: true, parent_img: \"../a\"}}")
  third=$(jq -cn --arg d "$scratch/images/c" "{type: \"DUMP\",
    opts: {images_dir_fd: \$d, pid: $pid, track_mem: true, parent_img: \"../b\"}}")
  run -0 --separate-stderr swrk "$first" "$second" "$third"
  wait "$pid" || true
  (($(stat -c %s images/c/pages*) < $(stat -c %s images/a/pages*)))
  run -0 --separate-stderr swrk "$(jq -cn --arg d "$scratch/images/c" '{type: "RESTORE", opts: {images_dir_fd: $d}}')"
  is_right
}

@test "what fails says why: errors for people" {
  run -1 --separate-stderr swrk "$(request DUMP '{pid: 999999999}')"
  equal "$(field '"\(.type) \(.success)"' "$output")" "DUMP 0"
  contains "$(field .cr_errmsg "$output")" 999999999
  run -1 --separate-stderr swrk "$(request RESTORE '{}')"
  contains "$(field .cr_errmsg "$output")" "No such file"
  run -1 --separate-stderr swrk "$(request DUMP '{}')"
  contains "$(field .cr_errmsg "$output")" "set pid to another process"
  run -1 --separate-stderr swrk '{"type": "DUMP"}'
  contains "$(field .cr_errmsg "$output")" "no options"
  run -1 --separate-stderr swrk '{"type": 99}'
  equal "$output" "" || contains "$(field .cr_errmsg "$output")" 99
  run -1 --separate-stderr swrk '{"raw": "0a0a"}'
  contains "$(field .cr_errmsg "$output")" "is no request"
  run -1 --separate-stderr swrk '{"type": "DUMP", "opts": {"images_dir_fd": 999, "pid": 1}}'
  contains "$(field .cr_errmsg "$output")" "descriptor 999 of the client"
}

@test "options that are not there are refused by name, and the program runs on" {
  start_program
  local option
  for option in 'lazy_pages: true' 'root: "/"' 'cpu_cap: 1' 'ps: {}' 'manage_cgroups: true' \
    'from_the_future: 1'; do
    run -1 --separate-stderr swrk "$(request DUMP "{pid: $pid, $option}")"
    local name=${option%%:*}
    [[ $name != from_the_future ]] || name="field 500"
    [[ $name != manage_cgroups ]] || name="mode 'soft'"
    contains "$(field .cr_errmsg "$output")" "$name"
  done
  run -0 --separate-stderr swrk "$(request DUMP "{pid: $pid, lazy_pages: false, manage_cgroups_mode: 0,
    leave_running: true}")"
  is_right
}

@test "inherited descriptors and a status descriptor; externals that are not there" {
  mkfifo in
  # With the reader's shell alone in its tree; cat takes what it writes.
  (
    exec 3>&- 9>&-
    exec setsid sh -c 'echo $$ >reader; exec sh -c "while read -r line; do echo got \$line; done"' \
      <in 2>/dev/null | cat >first
  ) &
  exec 9>in
  echo one >&9
  eventually grep -q one first
  pid=$(cat reader)
  local key
  key=$(readlink "/proc/$pid/fd/1")
  run -1 --separate-stderr swrk "$(request DUMP "{pid: $pid, external: [\"mnt[]\"]}")"
  contains "$(field .cr_errmsg "$output")" "mnt[]"
  run -0 --separate-stderr swrk "$(request DUMP "{pid: $pid}")"
  RPC_PASS=7 run -0 --separate-stderr swrk \
    "$(request RESTORE "{inherit_fd: [{key: \"$key\", fd: 7}]}")" 7>second
  echo two >&9
  eventually grep -q two second
  equal "$(cat first second)" "got one"$'\n'"got two"
  exec 9>&-
}

@test "a terminal that the client had: it gets the master of the new one" {
  # Ends with its master, which has to be there until the dump.
  setsid python3 - 3>&- <<'PY' &
import os, pty, signal
def line():
    text = b""
    while not text.endswith(b"\n"):
        text += os.read(master, 1)
    return text.decode()
child, master = pty.fork()
if child == 0:
    os.execvp("sh", ["sh", "-c", "stty -echo; echo ready; while read -r line; do echo got $line $(tty); done"])
line()
os.write(master, b"one\n")
with open("screen", "w") as screen:
    screen.write(line())
with open("reader", "w") as reader:
    reader.write(str(child))
signal.pause()
PY
  local holder=$!
  eventually test -s reader
  pid=$(cat reader)
  contains "$(cat screen)" "got one /dev/pts/"
  run -1 --separate-stderr swrk "$(request DUMP "{pid: $pid}")"
  contains "$(field .cr_errmsg "$output")" "somebody outside"
  run -0 --separate-stderr swrk "$(request DUMP "{pid: $pid, orphan_pts_master: true}")"
  kill "$holder"
  wait "$holder" || true
  eventually test ! -e "/proc/$pid"
  run -1 --separate-stderr swrk "$(request RESTORE '{}')"
  contains "$(field .cr_errmsg "$output")" "must take a new one"
  run -0 --separate-stderr swrk \
    "$(request RESTORE '{orphan_pts_master: true}' '{"type-in": "two\n"}')"
  equal "$(jq -r 'select(.files) | "\(.notify.script) \(.files[0])"' <<<"$output")" \
    "orphan-pts-master /dev/ptmx"
  equal "$(jq -r 'select(.screen).screen' <<<"$output" | tr -d '\r')" \
    "$(sed 's/one/two/' screen | tr -d '\r')"
}

@test "cpuinfo: what a processor can do" {
  run -0 --separate-stderr swrk "$(request CPUINFO_DUMP '{}')"
  run -0 --separate-stderr swrk "$(request CPUINFO_CHECK '{}')"
  jq -c '.flags += ["perpetual_motion"]' images/cpuinfo.img >other && mv other images/cpuinfo.img
  run -1 --separate-stderr swrk "$(request CPUINFO_CHECK '{}')"
  contains "$(field .cr_errmsg "$output")" "lacks what that of the image has: perpetual_motion"
  run -0 "$UMBEL_CRIU" cpuinfo dump -D images
  run -0 "$UMBEL_CRIU" cpuinfo check -D images
}

@test "configuration files: before the request, and after it" {
  start_program
  printf '# what the administrator wants\nleave-running # always\nlog-file "a \\"b\\".log"\n' >first
  printf 'no-leave-running\nlog-file second.log\n' >second
  CRIU_CONFIG_FILE=$scratch/first run -0 --separate-stderr swrk "$(request DUMP "{pid: $pid}")"
  [[ -s 'images/a "b".log' ]]
  is_right
  CRIU_CONFIG_FILE=$scratch/first run -0 "$UMBEL_CRIU" dump -t "$pid" -D images
  is_right
  CRIU_CONFIG_FILE=$scratch/first run -0 --separate-stderr swrk "$(request DUMP \
    "{pid: $pid, log_file: \"mine.log\", config_file: \"$scratch/second\"}")"
  [[ -s images/second.log && ! -e images/mine.log ]]
  eventually gone
  wait "$pid" || true
  run -0 --separate-stderr swrk "$(request RESTORE '{}')"
  printf 'leave-runing\n' >first
  run -1 "$UMBEL_CRIU" dump --config first -t "$pid" -D images
  contains "$output" "did you mean --leave-running?"
  printf 'dump\n' >first
  run -1 "$UMBEL_CRIU" check --config first
  contains "$output" "the configuration file first"
  is_right
}

@test "the service: a socket, clients side by side, its end" {
  start_program
  "$UMBEL_CRIU" service --address "$scratch/socket" -d --pidfile "$scratch/service.pid" 3>&-
  eventually test -s service.pid
  service=$(cat service.pid)
  equal "$(stat -c %a socket)" 600
  run -0 --separate-stderr rpc connect "$scratch/socket" '{"type": "VERSION"}'
  run -0 --separate-stderr rpc connect "$scratch/socket" "$(request DUMP "{pid: $pid}")"
  wait "$pid" || true
  run -1 --separate-stderr rpc connect "$scratch/socket" "$(request RESTORE '{rst_sibling: true}')"
  contains "$(field .cr_errmsg "$output")" "umbel-criu swrk"
  run -0 --separate-stderr rpc connect "$scratch/socket" "$(request RESTORE '{}')"
  equal "$(field .restore.pid "$output")" "$pid"
  is_right
  kill "$service"
  eventually test ! -e socket
  eventually test ! -e "/proc/$service"
  is_right
}

@test "the service works for its own user alone" {
  needs_user
  needs_command /usr/bin/python3  # which a user may run
  cp "$BATS_TEST_DIRNAME/../lib/criu_rpc.py" .
  "$UMBEL_CRIU" service --address "$scratch/socket" -d --pidfile "$scratch/service.pid" 3>&-
  eventually test -s service.pid
  service=$(cat service.pid)
  chmod 666 socket
  run -1 setpriv --reuid 65534 --clear-groups /usr/bin/python3 criu_rpc.py connect \
    "$scratch/socket" '{"type": "VERSION"}' 3>&-
  lacks "$output" version
}
