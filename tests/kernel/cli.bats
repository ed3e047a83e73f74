# What a person types, and what comes back.
load ../lib/umbel
setup() { umbel_setup; }
teardown() { umbel_teardown; }

@test "help: every command explains itself, with examples" {
  run -0 umbel
  contains "$output" "umbel help COMMAND"
  for name in $(umbel help | awk '/^  [a-z]+ /{print $1}'); do
    [[ $name != umbel ]] || continue
    run -0 umbel "$name" --help
    contains "$output" "Examples"
    equal "$output" "$(umbel help "$name")"
  done
  run -125 umbel help rnu
  contains "$output" "umbel run"
  run -0 umbel help --man umbel-run
  contains "$output" ".TH UMBEL-RUN 1"
}

@test "errors say what, on what, and the cure; on standard error alone" {
  needs_root
  run -125 --separate-stderr umbel stop no-such-container
  equal "$output" ""
  contains "$stderr" "umbel: stop: there is no container no-such-container"
  contains "$stderr" "  try: "
  run -125 --separate-stderr umbel run --uts host --hostname x -- true
  contains "$stderr" "--hostname"
  contains "$stderr" "--uts"
  run -125 --separate-stderr umbel run -it -- true </dev/null
  contains "$stderr" "terminal"
  lacks "$stderr" $'\e'
}

@test "create, start, start -a, and the exit code that comes back" {
  needs_root
  equal "$(umbel create --name a -- sh -c 'echo out; echo err >&2; exit 4')" a
  equal "$(umbel ps -a --json | jq -r '.[0].status')" created
  equal "$(umbel ps -q)" ""
  run -125 umbel wait a
  contains "$output" "never started"
  run -4 --separate-stderr umbel start -a a
  equal "$output" out
  equal "$stderr" err
  run -4 --separate-stderr umbel start --attach a
  equal "$output" out
  equal "$(umbel ps -a --json | jq -r '.[0].exitCode')" 4
  equal "$(umbel logs a 2>/dev/null)" $'out\nout'
}

@test "start -a and run -t see all output of a command that ends at once" {
  needs_root
  umbel create --name a -- echo quick >/dev/null
  for _ in 1 2 3 4 5; do equal "$(umbel start -a a)" quick; done
  for _ in 1 2 3 4 5; do equal "$(umbel run --rm -t -- echo quick)" $'quick\r'; done
}

@test "standard input is given with -i, and only then" {
  needs_root
  equal "$(echo typed | umbel run --rm -i -- cat)" typed
  equal "$(echo typed | umbel run --rm -- cat)" ""
  umbel run -d --name a -- sleep 1000 >/dev/null
  equal "$(echo typed | umbel exec -i a cat)" typed
  equal "$(echo typed | umbel exec a cat)" ""
}

@test "ps: filters, quiet, JSON" {
  needs_root
  umbel run -d --name one --label color=red -- sleep 1000 >/dev/null
  umbel run -d --name two --net host -- sleep 1000 >/dev/null
  umbel run --name three -- true
  equal "$(umbel ps -q)" $'one\ntwo'
  equal "$(umbel ps -aq)" $'one\nthree\ntwo'
  equal "$(umbel ps -q --filter label=color=red)" one
  equal "$(umbel ps -q --filter label=color)" one
  equal "$(umbel ps -q --filter label=color=blue)" ""
  equal "$(umbel ps -q --filter net=host)" two
  equal "$(umbel ps -q --filter status=exited)" three
  equal "$(umbel ps -q --filter name=t --filter status=running)" two
  run -125 umbel ps --filter colour=red
  contains "$(umbel ps)" "net=host"
  equal "$(umbel ps --json | jq -r '.[1].namespaces.net')" host
}

@test "show names each kind's namespace, its source, and who shares it" {
  needs_root
  umbel run -d --name a -- sleep 1000 >/dev/null
  umbel run -d --name b --ipc with:a -- sleep 1000 >/dev/null
  json=$(umbel show --json a)
  pid=$(jq .pid <<<"$json")
  for kind in userns:user mnt:mnt pid:pid net:net ipc:ipc uts:uts cgroupns:cgroup time:time; do
    id=$(jq ".namespaces[] | select(.kind == \"${kind%:*}\").id" <<<"$json")
    equal "$(readlink "/proc/$pid/ns/${kind#*:}")" "${kind#*:}:[$id]"
  done
  equal "$(jq -c '.namespaces[] | select(.kind == "ipc").sharedWith' <<<"$json")" '["b"]'
  equal "$(umbel inspect --json b | jq -r '.namespaces[] | select(.kind == "ipc").source')" with:a
  equal "$(jq -c '[.namespaces[] | select(.host).kind] | sort' <<<"$json")" '["time","userns"]'
  contains "$(umbel show a)" "$(readlink "/proc/$pid/ns/net" | tr -dc 0-9)"
}

@test "cp: files, trees, links and owners, both ways; nothing leads out" {
  needs_root
  rootfs root
  umbel run -d --name a --rootfs root -- sleep 1000 >/dev/null
  mkdir -p tree/sub
  echo one >tree/sub/file
  chown 1234:5678 tree/sub/file
  chmod 4750 tree/sub/file
  touch -d '2001-02-03 04:05:06' tree/sub/file
  ln -s /etc/hostname tree/link
  umbel cp tree a:/srv-new
  equal "$(umbel exec a stat -c '%u:%g %a %Y' /srv-new/sub/file)" "$(stat -c '%u:%g %a %Y' tree/sub/file)"
  equal "$(umbel exec a readlink /srv-new/link)" /etc/hostname
  umbel cp tree a:/srv-new
  equal "$(umbel exec a cat /srv-new/tree/sub/file)" one
  umbel cp tree/. a:/tmp
  equal "$(umbel exec a cat /tmp/sub/file)" one
  umbel cp a:/srv-new/. back
  equal "$(stat -c '%u:%g %a' back/sub/file)" "1234:5678 750"
  equal "$(readlink back/link)" /etc/hostname
  # The container's links mean its own files, whatever they say.
  umbel exec a ln -s / /outside
  echo secret >secret
  run -125 umbel cp "a:/outside$scratch/secret" stolen
  umbel exec a ln -s "$scratch" /there
  run -125 umbel cp tree/sub/file a:/there/planted
  [[ ! -e $scratch/planted ]]
  umbel exec a ln -s "$scratch/secret" /tmp/victim
  echo planted >victim
  umbel cp victim a:/tmp/victim
  equal "$(<secret)" secret
  run -125 umbel cp tree/sub/file tree/other
  contains "$output" "CONTAINER:PATH"
  run -125 umbel cp a:/no-such-file .
  contains "$output" "/no-such-file"
}

@test "cp into a user namespace: files get the container's owners" {
  needs_root
  umbel run -d --name a --userns new --uid-map 0:100000:65536 -- sleep 1000 >/dev/null
  echo x >file
  umbel cp file a:/tmp/file
  equal "$(umbel exec a stat -c %u /tmp/file)" 0
  umbel cp a:/tmp/file back
  equal "$(stat -c %u back)" 0
}

@test "exec: a terminal of its own, another user, in the background" {
  needs_root && needs_command script
  umbel run -d --name a -- sleep 1000 >/dev/null
  contains "$(script -qec "stty rows 21 cols 61; $UMBEL exec -it a stty size" /dev/null)" "21 61"
  equal "$(umbel exec -u nobody a id -un)" nobody
  umbel exec -d a sh -c 'echo done > /tmp/there; exec sleep 1000'
  eventually umbel exec a test -s /tmp/there
  contains "$(umbel top a)" "sleep 1000"
  run -126 umbel exec a /etc/passwd
  run -143 umbel exec a sh -c 'kill -TERM $$'
  "$UMBEL" exec a sh -c 'trap "exit 9" TERM; touch /tmp/ready; while :; do sleep 0.1; done' &
  eventually umbel exec a test -e /tmp/ready
  kill -TERM $!
  wait $! && status=0 || status=$?
  equal "$status" 9
}

@test "logs: the last lines, since when, each to its own stream" {
  needs_root
  umbel run -d --name a -- sh -c 'seq 1 5; echo err >&2' >/dev/null
  umbel wait a
  equal "$(umbel logs -n 2 a 2>/dev/null | tail -1)" 5
  equal "$(umbel logs --since 1h a 2>/dev/null | wc -l)" 5
  equal "$(umbel logs --until 1h a 2>&1)" ""
  equal "$(umbel logs a 2>&1 >/dev/null)" err
  run -0 umbel logs -t -n 1 a
  [[ $output =~ ^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z\  ]]
  umbel run --name b -- true
  run -125 umbel logs b
  contains "$output" "foreground"
}

@test "top, stats, diff, info and version, as JSON" {
  needs_root
  umbel run -d --name a --memory 64m -- sleep 1000 >/dev/null
  equal "$(umbel top --json a | jq -r '.[] | select(.pid == 2).command')" "sleep 1000"
  equal "$(umbel stats --no-stream --json a | jq '.[0].memoryLimit')" $((64 << 20))
  umbel exec a touch /etc/umbel-new
  equal "$(umbel diff --json a | jq -r '.[] | select(.path == "/etc/umbel-new").kind')" A
  equal "$(umbel info --json | jq -r .running)" 1
  equal "$(umbel info --json | jq -r '.findings[] | select(.subject == "namespaces").state')" ok
  equal "umbel $(umbel version --json | jq -r .version)" "$(umbel --version)"
}

@test "several names: one failure is reported, the others are done" {
  needs_root
  umbel run -d --name a -- sleep 1000 >/dev/null
  umbel run -d --name b -- sleep 1000 >/dev/null
  run -125 --separate-stderr umbel stop -t 0 a nobody b
  equal "$output" $'a\nb'
  contains "$stderr" "nobody"
  equal "$(umbel ps -q)" ""
  equal "$(umbel rm a b)" $'a\nb'
}

@test "a bundle runs, with its command or another" {
  needs_root && needs_command runc
  mkdir bundle && rootfs bundle/rootfs
  (cd bundle && runc spec && jq '.process.args = ["echo", "bundled"] | .process.terminal = false | del(.process.rlimits, .process.capabilities.ambient)' \
    config.json >new && mv new config.json)
  equal "$(umbel run --rm --bundle bundle)" bundled
  equal "$(umbel run --rm --bundle bundle -e X=y -- sh -c 'echo $X')" y
  run -125 umbel run --rm --bundle bundle --privileged
  contains "$output" "--privileged"
}

@test "umbel's own file cannot be written from inside, not even by a privileged container" {
  needs_root
  before=$(sha256sum <"$UMBEL")
  run -2 umbel run --rm --privileged -- sh -c 'echo broken >/proc/1/exe'
  contains "$output" "Read-only"
  equal "$(sha256sum <"$UMBEL")" "$before"
}

@test "as an ordinary user: a container, limits refused with the cure, umbel's file out of reach" {
  needs_root && needs_user nobody && needs_command setpriv
  chmod 755 "$scratch"
  mkdir -m 700 user && chown nobody user
  umbel_user() {
    setpriv --reuid=nobody --regid=nogroup --clear-groups env UMBEL_HOME="$scratch/user/home" "$UMBEL" "$@"
  }
  cd /
  run -0 --separate-stderr umbel_user run --rm -- id -u
  equal "$output" 0
  run -0 umbel_user info
  contains "$output" "ordinary user"
  run -125 umbel_user run --rm --memory 64m -- true
  contains "$output" "--memory needs a cgroup"
  contains "$output" "try: "
}

@test "shell completion knows commands, options and containers" {
  needs_root
  umbel run -d --name web-one -- sleep 1000 >/dev/null
  complete_words() {
    PATH=${UMBEL%/*}:$PATH bash -c '
      source <(umbel help --completion)
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _umbel 2>/dev/null
      printf "%s\n" "${COMPREPLY[@]}"' - "$@"
  }
  equal "$(complete_words umbel res)" $'restart\nresume\nrestore'
  contains "$(complete_words umbel run --cap)" "--cap-add"
  equal "$(complete_words umbel stop web)" web-one
  equal "$(complete_words umbel run --net with : we)" web-one
  contains "$(complete_words umbel run --net "")" host
}
