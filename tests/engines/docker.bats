# umbel-oci as the default runtime of dockerd, as docs/ENGINES.md configures it.

load ../lib/umbel
load ../lib/engine

setup_file() {
  engine_setup dockerd
  needs_command docker
  export DOCKER_HOST=unix://$scratch/docker.sock
  documented json 1 | jq '. + {"storage-driver": "vfs", "experimental": true}' >"$scratch/daemon.json"
  background dockerd --config-file "$scratch/daemon.json" --data-root "$scratch/docker/data" \
    --exec-root "$scratch/docker/exec" -H "$DOCKER_HOST" -p "$scratch/docker.pid"
  local tries
  for tries in $(seq 300); do docker version >/dev/null 2>&1 && break; sleep 0.1; done
  docker import "$scratch/$image.tar" "$image" >/dev/null
}
teardown_file() {
  stop_background
  engine_teardown
}
teardown() { docker ps --all --quiet | xargs -r docker rm --force >/dev/null; }

docker() { command docker "$@" 3>&-; }
forever='trap "echo bye; exit 3" TERM; echo started; while :; do sleep 0.1; done'

@test "umbel is the default runtime" {
  contains "$(docker info --format '{{.DefaultRuntime}}')" umbel
}

@test "run: output, exit codes, errors" {
  equal "$(docker run --rm "$image" echo hello)" hello
  equal "$(echo in | docker run --rm -i "$image" cat)" in
  run -7 docker run --rm "$image" sh -c 'exit 7'
  run -127 docker run --rm "$image" nonsense
  contains "$output" "executable file not found"
  run -126 docker run --rm "$image" /etc
}

@test "run with limits" {
  needs_controller memory
  equal "$(docker run --rm --memory 64m --cpus 0.5 --pids-limit 50 "$image" sh -c '
    cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max')" \
    67108864$'\n'50000$'\n'50
  run -137 docker run --rm --memory 8m --memory-swap 8m "$image" tail /dev/zero
}

@test "exec: user, directory, environment, exit code, terminal" {
  docker run -d --name one "$image" sleep 1000
  equal "$(docker exec -u 5:6 -w /tmp -e A=b one sh -c 'id -u; id -g; pwd; echo $A')" \
    5$'\n'6$'\n'/tmp$'\n'b
  run -9 docker exec one sh -c 'exit 9'
  run -126 docker exec one nonsense
  needs_command script
  contains "$(script -qec "docker exec -it one sh -c 'test -t 0 && echo is one'" /dev/null \
    < <(sleep 2))" "is one"
}

@test "run with a terminal" {
  needs_command script
  contains "$(script -qec "docker run --rm -it $image sh -c 'test -t 0 && echo is one'" /dev/null \
    < <(sleep 3))" "is one"
}

@test "published ports" {
  docker run -d --name web -p 18080:80 "$image" \
    sh -c 'mkdir /w; echo served >/w/index.html; exec httpd -f -p 80 -h /w'
  eventually inside_net busybox wget -qO /dev/null http://127.0.0.1:18080/
  equal "$(inside_net busybox wget -qO- http://127.0.0.1:18080/)" served
}

@test "stop, logs, start again, kill" {
  docker run -d --name one "$image" sh -c "$forever"
  eventually contains "$(docker logs one)" started
  docker stop one
  equal "$(docker logs one)" started$'\n'bye
  equal "$(docker inspect one --format '{{.State.ExitCode}}')" 3
  docker start one
  docker kill one
  equal "$(docker inspect one --format '{{.State.ExitCode}}')" 137
}

@test "restart policies" {
  docker run -d --name one --restart on-failure:2 "$image" sh -c 'echo run; exit 1'
  restarted() { [[ $(docker inspect one --format '{{.RestartCount}} {{.State.Status}}') == "2 exited" ]]; }
  eventually restarted
  equal "$(docker logs one | wc -l)" 3
}

@test "top, stats, update, pause" {
  needs_controller memory
  docker run -d --name one "$image" sleep 1000
  contains "$(docker top one)" "sleep 1000"
  contains "$(docker stats --no-stream --format '{{.Name}} {{.PIDs}}' one)" "one 1"
  docker update --memory 128m --memory-swap 256m one
  equal "$(docker exec one cat /sys/fs/cgroup/memory/memory.limit_in_bytes)" 134217728
  docker pause one
  contains "$(docker ps --format '{{.Status}}')" Paused
  docker unpause one
  lacks "$(docker ps --format '{{.Status}}')" Paused
}

@test "a build of a Dockerfile" {
  mkdir -p "$scratch/build"
  printf '%s\n' "FROM $image" 'RUN echo built >/built' 'USER nobody' \
    'CMD ["sh", "-c", "cat /built; id -un"]' >"$scratch/build/Dockerfile"
  DOCKER_BUILDKIT=0 docker build --quiet --tag made "$scratch/build"
  equal "$(docker run --rm made)" built$'\n'nobody
}

@test "rights: capabilities, no new privileges, read-only, privileged" {
  local seen
  seen=$(docker run --rm --cap-drop all --security-opt no-new-privileges --read-only "$image" \
    sh -c 'grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status; touch /x 2>&1' | tr -d '\t') || true
  contains "$seen" CapEff:0000000000000000$'\n'NoNewPrivs:1$'\n'Seccomp:2
  contains "$seen" "Read-only file system"
  equal "$(docker run --rm --privileged "$image" \
    sh -c 'mount -t tmpfs x /tmp && grep -c "^x /tmp tmpfs" /proc/mounts')" 1
}

@test "umbel graph and umbel check see its containers" { graph_and_check_see docker; }

last() { docker logs "$1" | tail -n 1; }
at_least() { (($(last "$2") >= $1)); }

@test "checkpoint, and a start from it" {
  docker run -d --name one "$image" sh -c 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.05; done'
  eventually at_least 3 one
  docker checkpoint create one first
  equal "$(docker inspect one --format '{{.State.Status}}')" exited
  local before
  before=$(last one)
  # The daemon refuses as long as containerd still has what it once put there itself.
  eventually docker start --checkpoint first one
  eventually at_least $((before + 3)) one
  # It went on counting, and did not begin again.
  equal "$(docker logs one | grep -c '^1$')" 1
  docker checkpoint create --leave-running one second
  equal "$(docker inspect one --format '{{.State.Status}}')" running
  eventually at_least $(($(last one) + 3)) one
  equal "$(docker exec one cat /proc/1/comm)" sh
  contains "$(docker exec one ip addr show eth0)" "inet "
}
