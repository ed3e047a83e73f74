# umbel-oci under podman, as docs/ENGINES.md configures it.

load ../lib/umbel
load ../lib/engine

setup_file() {
  engine_setup podman
  export CONTAINERS_CONF=$scratch/containers.conf
  podman_configuration >"$CONTAINERS_CONF"
  podman import "$scratch/$image.tar" "$image" >/dev/null 2>&1
}
teardown_file() {
  podman rm --all --force --time 0 >/dev/null 2>&1
  podman pod rm --all --force >/dev/null 2>&1
  podman network reload --all >/dev/null 2>&1
  engine_teardown
}
teardown() { podman rm --all --force --time 0 >/dev/null 2>&1; }

podman() {
  inside_net podman --root "$scratch/podman/root" --runroot "$scratch/podman/run" \
    --storage-driver vfs --network-config-dir "$scratch/podman/net" "$@" 3>&-
}
forever='trap "echo bye; exit 3" TERM; echo started; while :; do sleep 0.1; done'

@test "run: output, exit codes, errors" {
  equal "$(podman run --rm "$image" echo hello)" hello
  equal "$(echo in | podman run --rm -i "$image" cat)" in
  run -7 podman run --rm "$image" sh -c 'exit 7'
  run -137 podman run --rm --init "$image" sh -c 'kill -9 $$'
  run -127 podman run --rm "$image" nonsense
  contains "$output" "executable file not found"
  run -126 podman run --rm "$image" /etc
}

@test "the default bridge, published ports" {
  podman run -d --name web -p 18080:80 "$image" \
    sh -c 'mkdir /w; echo served >/w/index.html; exec httpd -f -p 80 -h /w'
  eventually podman exec web wget -qO- http://127.0.0.1:80/
  equal "$(inside_net busybox wget -qO- http://127.0.0.1:18080/)" served
  contains "$(podman exec web ip addr show eth0)" "inet 10."
}

@test "exec: user, directory, environment, exit code" {
  podman run -d --name one "$image" sleep 1000
  equal "$(podman exec -u 5:6 -w /tmp -e A=b one sh -c 'id -u; id -g; pwd; echo $A')" \
    5$'\n'6$'\n'/tmp$'\n'b
  run -9 podman exec one sh -c 'exit 9'
  run -127 podman exec one nonsense
}

@test "stop, logs, restart" {
  podman run -d --name one "$image" sh -c "$forever"
  eventually contains "$(podman logs one)" started
  podman stop --time 5 one
  equal "$(podman logs one)" started$'\n'bye
  equal "$(podman inspect one --format '{{.State.ExitCode}}')" 3
  podman start one
  equal "$(podman inspect one --format '{{.State.Status}}')" running
}

@test "pause, stats, top" {
  podman run -d --name one "$image" sleep 1000
  podman pause one
  equal "$(podman inspect one --format '{{.State.Status}}')" paused
  podman unpause one
  contains "$(podman stats --no-stream --format '{{.Name}} {{.PIDS}}' one)" "one 1"
  contains "$(podman top one)" "sleep 1000"
}

@test "limits" {
  needs_controller memory
  equal "$(podman run --rm --memory 64m --cpus 0.5 --pids-limit 50 "$image" sh -c '
    cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max')" \
    67108864$'\n'50000$'\n'50
}

@test "volumes, a read-only root, tmpfs" {
  mkdir "$scratch/volume"
  echo content >"$scratch/volume/file"
  run podman run --rm --read-only -v "$scratch/volume:/data:ro" --tmpfs /t "$image" \
    sh -c 'cat /data/file; touch /t/x; touch /x; touch /data/x'
  contains "$output" content
  equal "$(grep -c 'Read-only file system' <<<"$output")" 2
}

@test "a terminal" {
  needs_command script
  contains "$(script -qec "nsenter --net=/run/netns/$net podman --root $scratch/podman/root \
    --runroot $scratch/podman/run --storage-driver vfs run --rm --network none -it $image \
    sh -c 'tty; test -t 1 && echo is one'" /dev/null < <(sleep 3))" "is one"
}

@test "another container's namespaces" {
  podman run -d --name one "$image" sleep 1000
  contains "$(podman run --rm --pid container:one "$image" ps)" "sleep 1000"
  equal "$(podman run --rm --ipc container:one "$image" readlink /proc/self/ns/ipc)" \
    "$(podman exec one readlink /proc/self/ns/ipc)"
  equal "$(podman run --rm --network container:one "$image" readlink /proc/self/ns/net)" \
    "$(podman exec one readlink /proc/self/ns/net)"
}

@test "a pod" {
  needs_command /usr/libexec/podman/catatonit
  podman pod create --name pod >/dev/null
  podman run -d --pod pod --name one "$image" sleep 1000
  local kind
  for kind in ipc net uts; do
    equal "$(podman run --rm --pod pod "$image" readlink /proc/self/ns/$kind)" \
      "$(podman exec one readlink /proc/self/ns/$kind)"
  done
  podman pod rm --force --time 0 pod
}

@test "init" {
  needs_command /usr/libexec/podman/catatonit
  contains "$(podman run --rm --init "$image" ps)" "podman-init"
}

@test "health checks" {
  podman run -d --name one --health-cmd 'test -e /healthy' "$image" sleep 1000 2>/dev/null
  run -1 podman healthcheck run one
  podman exec one touch /healthy
  run -0 podman healthcheck run one
}

@test "a user namespace" {
  equal "$(podman run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 "$image" \
    sh -c 'id -u; cat /proc/self/uid_map' | tr -s ' ')" $'0\n 0 100000 65536'
}

@test "a user namespace of podman's choice" {
  printf 'containers:200000:1000000\n' >"$scratch/subid"
  equal "$(unshare --mount sh -c "
    mount --bind $scratch/subid /etc/subuid && mount --bind $scratch/subid /etc/subgid &&
    exec podman --root $scratch/podman/root --runroot $scratch/podman/run --storage-driver vfs \
      run --rm --network none --userns=auto $image cut -c12-22 /proc/self/uid_map" | tr -d ' ')" \
    200000
}

@test "privileged" {
  equal "$(podman run --rm --privileged "$image" \
    sh -c 'mount -t tmpfs x /tmp && grep -c "^x /tmp tmpfs" /proc/mounts')" 1
}

@test "umbel graph and umbel check see its containers" {
  graph_and_check_see podman
  podman rm --force --time 0 side >/dev/null 2>&1  # before what it depends on
}

# podman asks the program criu for its version; what is done is umbel-oci's.
with_criu() {
  mkdir -p "$scratch/bin"
  ln -sf "$UMBEL" "$scratch/bin/criu"
  PATH=$scratch/bin:$PATH podman "$@"
}
counting='i=0; while :; do i=$((i + 1)); echo $i; sleep 0.05; done'
last() { podman logs "$1" | tail -n 1; }
at_least() { (($(last "$2") >= $1)); }

@test "checkpoint and restore" {
  podman run -d --name one "$image" sh -c "$counting"
  eventually at_least 3 one
  with_criu container checkpoint one
  equal "$(podman inspect one --format '{{.State.Status}} {{.State.Checkpointed}}')" "exited true"
  local before
  before=$(last one)
  with_criu container restore one
  equal "$(podman inspect one --format '{{.State.Status}}')" running
  eventually at_least $((before + 3)) one
  # It went on counting, and did not begin again.
  equal "$(podman logs one | grep -c '^1$')" 1
  equal "$(podman exec one cat /proc/1/comm)" sh
  podman stop --time 0 one
}

@test "checkpoint: leave running, statistics, a refusal" {
  podman run -d --name one "$image" sh -c "$counting"
  eventually at_least 3 one
  with_criu container checkpoint --leave-running --print-stats one >"$scratch/stats"
  (($(jq -r '.container_statistics[0].criu_statistics.pages_written' "$scratch/stats") > 0))
  equal "$(podman inspect one --format '{{.State.Status}}')" running
  eventually at_least $(($(last one) + 3)) one
  # A connection is carried where that is asked for.
  podman run -d --name two "$image" sh -c 'nc -l -p 999 -e cat & sleep 1
    (while :; do echo over; sleep 0.1; done) | nc 127.0.0.1 999'
  more_than() { (($(podman logs two | wc -l) > $1)); }
  eventually more_than 0
  run -125 with_criu container checkpoint two
  contains "$output" tcp-established
  equal "$(podman inspect two --format '{{.State.Status}}')" running
  with_criu container checkpoint --tcp-established two
  local lines
  lines=$(podman logs two | wc -l)
  with_criu container restore --tcp-established two
  more_than() { (($(podman logs two | wc -l) > $1)); }
  eventually more_than $((lines + 3))
}

@test "checkpoint: export, and import under another name beside it" {
  podman run -d --name one "$image" sh -c "echo kept >/file; $counting"
  eventually at_least 3 one
  with_criu container checkpoint --export "$scratch/one.tar.gz" --compress gzip one
  local before
  before=$(last one)
  with_criu container restore --import "$scratch/one.tar.gz" --name two
  # What it had said so far has come along.
  eventually at_least $((before + 3)) two
  equal "$(podman logs two | grep -c '^1$')" 1
  equal "$(podman exec two cat /file)" kept
  podman rm -f -t 0 one two
  with_criu container restore --import "$scratch/one.tar.gz"
  eventually at_least $((before + 3)) one
}
