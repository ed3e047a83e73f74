# create, start, state, kill, delete, list, run: runc's command line and what an engine sees of it.

load ../lib/umbel
load ../lib/oci
setup() { oci_setup; }
teardown() { oci_teardown; }

@test "a container is created, started, and deleted" {
  create --pid-file "$scratch/pid" "$id"
  has_status "$id" created
  equal "$(cat "$scratch/pid")" "$(pid_of "$id")"
  equal "$(cat "$scratch/out")" ""
  equal "$(stat -c %s "$scratch/pid")" "$(pid_of "$id" | tr -d '\n' | wc -c)"
  oci start "$id"
  eventually has_status "$id" stopped
  equal "$(cat "$scratch/out")" hello
  oci delete "$id"
  run -1 oci state "$id"
  contains "$output" "container $id does not exist"
}

@test "state tells what the specification asks for" {
  config '.annotations = {"a.b": "c"}'
  create "$id"
  local state
  state=$(oci state "$id")
  equal "$(jq -r '.id, .status, .bundle, .rootfs, .annotations["a.b"], .owner' <<<"$state")" \
    "$id"$'\n'created$'\n'"$bundle"$'\n'"$bundle/rootfs"$'\n'c$'\n'root
  equal "$(jq -r '.ociVersion' <<<"$state" | cut -c1-2)" 1.
  date --date "$(jq -r .created <<<"$state")"
}

@test "run gives the program's output and exit code" {
  equal "$(container)" hello
  script 'exit 42'
  run -42 oci run --bundle "$bundle" "$id"
  script 'kill -9 $$'
  config '.linux.namespaces |= map(select(.type != "pid"))'
  run -137 oci run --bundle "$bundle" "$id"
  equal "$(oci list --quiet)" ""
}

@test "run --detach leaves it running; --keep leaves it stopped" {
  program sleep 100
  oci run --detach --bundle "$bundle" "$id" >/dev/null 2>&1 </dev/null 3>&-
  has_status "$id" running
  oci kill "$id" KILL
  eventually has_status "$id" stopped
  oci delete "$id"
  program true
  oci run --keep --bundle "$bundle" "$id"
  has_status "$id" stopped
}

@test "signals reach the program" {
  script 'trap "echo got it; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
  create "$id"
  oci start "$id"
  eventually grep -q ready "$scratch/out"
  oci kill "$id"
  eventually has_status "$id" stopped
  contains "$(cat "$scratch/out")" "got it"
  run -1 oci kill "$id" KILL
  contains "$output" "container not running"
}

@test "signals end a container that was not started yet" {
  create "$id"
  oci kill "$id" TERM
  eventually has_status "$id" stopped
}

@test "a running container is deleted by force only" {
  program sleep 100
  create "$id"
  oci start "$id"
  run -1 oci delete "$id"
  contains "$output" "that is not stopped: running"
  local pid
  pid=$(pid_of "$id")
  oci delete --force "$id"
  eventually test ! -e "/proc/$pid"
  [[ ! -e /sys/fs/cgroup/pids/umbel-test/$id ]]
  run -1 oci delete "$id"
  oci delete --force "$id"
}

@test "a created container is deleted without force" {
  create "$id"
  oci delete "$id"
  equal "$(oci list --quiet)" ""
}

@test "an id is taken once, and must be plain" {
  create "$id"
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "container with id exists"
  has_status "$id" created
  local bad
  for bad in ../x a/b "" . "a b"; do
    run -1 oci create --bundle "$bundle" "$bad"
  done
}

@test "a container is started once" {
  program sleep 100
  create "$id"
  oci start "$id"
  run -1 oci start "$id"
  contains "$output" "running"
  has_status "$id" running
}

@test "what is missing is told at create, and nothing is left" {
  program /bin/nonsense
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "/bin/nonsense: no such file or directory"
  program nonsense
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "nonsense: executable file not found in \$PATH"
  program /etc/passwd
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "permission denied"
  config '.process.args = ["true"]' '.root.path = "nowhere"'
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "opening the root file system $bundle/nowhere"
  equal "$(oci list --quiet)" ""
  [[ ! -e /sys/fs/cgroup/pids/umbel-test/$id ]]
}

@test "what fails at exec is told by start" {
  printf 'not a program' >"$bundle/rootfs/bin/broken"
  chmod +x "$bundle/rootfs/bin/broken"
  program /bin/broken
  create "$id"
  run -1 oci start "$id"
  contains "$output" "/bin/broken: exec format error"
}

@test "errors go to the log and to standard error" {
  run -1 oci --log "$scratch/log" --log-format json start nothing
  contains "$output" "container nothing does not exist"
  equal "$(jq -r .level "$scratch/log")" error
  contains "$(jq -r .msg "$scratch/log")" "container nothing does not exist"
  date --date "$(jq -r .time "$scratch/log")"
  run -1 oci --log "$scratch/log.txt" start nothing
  contains "$(cat "$scratch/log.txt")" 'level=error msg="container nothing'
}

@test "wrong options and commands are refused, and suggested" {
  run -1 oci creat
  contains "$output" "did you mean create?"
  run -1 oci create --bundel x "$id"
  contains "$output" "did you mean --bundle?"
  run -1 oci create
  contains "$output" "exactly one argument"
  run -1 oci --systemd-cgroup list
  contains "$output" "systemd"
  run -0 oci --help
  run -0 oci create --help
  contains "$(oci --version)" "umbel-oci version"
}

@test "list shows all, as a table and as JSON" {
  create "$id"
  contains "$(oci list)" "$id"
  equal "$(oci list --format json | jq -r '.[].status')" created
}

@test "a container killed from outside is stopped, and can be deleted" {
  program sleep 100
  create "$id"
  oci start "$id"
  kill -9 "$(pid_of "$id")"
  eventually has_status "$id" stopped
  oci delete "$id"
}

@test "two hundred containers, by eight at a time, twice" {
  program true
  one() {
    oci create --bundle "$bundle" "$1" >/dev/null 2>&1 </dev/null 3>&- && oci start "$1" &&
      eventually has_status "$1" stopped && oci delete "$1"
  }
  export -f one oci eventually has_status status_of equal
  export UMBEL_OCI OCI_ROOT bundle
  config 'del(.linux.cgroupsPath)'
  local round
  for round in 1 2; do
    seq 200 | xargs -P 8 -I N bash -c "one many-N"
    equal "$(oci list --quiet)" ""
  done
}
