# Detached containers and everything that is done to them.
load ../lib/umbel
setup() { umbel_setup && needs_root; }
teardown() { umbel_teardown; }

status_of() { umbel ps -a --json | jq -r ".[] | select(.name==\"$1\") | .status"; }
init_of() { umbel show --json "$1" | jq .pid; }

@test "run, logs, stop, start, wait, rm" {
  umbel run -d --name a -- sh -c 'echo out; echo err >&2; exec sleep 1000'
  eventually bash -c "'$UMBEL' logs a 2>/dev/null | grep -q out"
  run --separate-stderr umbel logs a
  equal "$output" out
  equal "$stderr" err
  equal "$(status_of a)" running
  umbel stop -t 5 a
  equal "$(status_of a)" exited
  equal "$(umbel wait a)" 143
  umbel start a
  equal "$(status_of a)" running
  run -125 umbel rm a
  contains "$output" "running"
  umbel rm --force a
  equal "$(umbel ps -aq)" ""
}

@test "wait returns the exit code to everyone, also with --rm" {
  umbel run -d --name a -- sh -c 'sleep 1; exit 9'
  umbel wait a >one & umbel wait a >two & wait
  equal "$(<one)" 9
  equal "$(<two)" 9
  umbel run -d --rm --name b -- sh -c 'sleep 1; exit 8'
  equal "$(umbel wait b)" 8
  eventually bash -c "! '$UMBEL' show b"
}

@test "exec joins exactly the container's namespaces, cgroup, capabilities and filter" {
  umbel run -d --name a -- sleep 1000
  pid=$(init_of a)
  for kind in cgroup ipc mnt net pid time user uts; do
    equal "$(umbel exec a readlink /proc/self/ns/$kind)" "$(readlink "/proc/$pid/ns/$kind")"
  done
  equal "$(umbel exec a cat /proc/self/cgroup)" "$(umbel exec a cat /proc/1/cgroup)"
  equal "$(umbel exec a grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status)" \
    "$(umbel exec a grep -E '^(Cap|NoNew|Seccomp:)' /proc/2/status)"
  run -5 umbel exec a sh -c 'exit 5'
  run -127 umbel exec a no-such-command
  equal "$(echo piped | umbel exec -i a cat)" piped
  equal "$(umbel exec -e X=y -w /usr a sh -c 'echo $X $PWD')" "y /usr"
}

@test "pause stops all, resume lets go on" {
  umbel run -d --name a -v "$scratch:/out" -- sh -c 'while :; do date +%s%N > /out/now; done'
  eventually test -s now
  umbel pause a
  equal "$(status_of a)" paused
  before=$(<now); sleep 0.3
  equal "$(<now)" "$before"
  run -125 umbel exec a true
  contains "$output" resume
  umbel resume a
  eventually bash -c "[[ \$(<now) != '$before' ]]"
}

@test "the monitor of a container that is quiet takes less than 1 MB" {
  # Of a static umbel; one that is made for debugging needs some more for its libraries.
  local most=1024
  ! ldd "$UMBEL" >/dev/null 2>&1 || most=2048
  umbel run -d --name a -- sleep 1000
  monitor=$(jq .monitor.pid "$UMBEL_HOME/containers/a/state.json")
  is_small() { (($(awk '/^VmRSS:/{print $2}' /proc/$monitor/status) < most)); }
  eventually is_small
}

@test "a killed monitor leaves the container running; it shows as it is and can be removed" {
  umbel run -d --name a -- sleep 1000
  kill -KILL "$(jq .monitor.pid "$UMBEL_HOME/containers/a/state.json")"
  equal "$(status_of a)" running
  equal "$(umbel exec a echo alive)" alive
  kill -KILL "$(init_of a)"
  eventually bash -c "[[ \$('$UMBEL' ps -a --json | jq -r '.[0].status') == lost ]]"
  umbel rm a
  equal "$(umbel ps -aq)" ""
}

@test "kill, rename, cp, top, stats, restart" {
  umbel run -d --name a -- sh -c 'trap "echo usr1" USR1; while :; do sleep 0.1; done'
  eventually umbel exec a true
  sleep 0.3
  umbel kill -s USR1 a
  eventually bash -c "'$UMBEL' logs a | grep -q usr1"
  umbel rename a b
  echo text >file
  umbel cp file b:/tmp/copy
  equal "$(umbel exec b cat /tmp/copy)" text
  umbel cp b:/etc/passwd passwd
  cmp passwd /etc/passwd
  contains "$(umbel top b)" sleep
  equal "$(umbel stats --no-stream --json b | jq -r '.[0].name')" b
  umbel restart -t 1 b
  equal "$(status_of b)" running
}

@test "attach: output is seen, the exit code comes back" {
  umbel run -d -i --name a -- sh -c 'while read line; do echo "got $line"; [ "$line" = end ] && exit 4; done'
  run -4 bash -c "(echo one; echo end; sleep 1) | '$UMBEL' attach a"
  contains "$output" "got one"
}

@test "100 MB of output through the log and to the end" {
  umbel run -d --name a -- sh -c 'head -c 30000000 /dev/zero | tr "\0" "x" | fold -w 100; echo; echo done'
  equal "$(umbel wait a)" 0
  equal "$(umbel logs --tail 1 a)" done
}
