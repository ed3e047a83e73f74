# umbel-oci under containerd, by ctr, as docs/ENGINES.md configures it.

load ../lib/umbel
load ../lib/engine

setup_file() {
  engine_setup containerd
  needs_command ctr
  needs_command podman  # it makes the image
  export CONTAINERS_CONF=/dev/null
  podman --root "$scratch/p/root" --runroot "$scratch/p/run" --storage-driver vfs \
    import "$scratch/$image.tar" "$image" >/dev/null 2>&1 3>&-
  podman --root "$scratch/p/root" --runroot "$scratch/p/run" --storage-driver vfs \
    save --format oci-archive --output "$scratch/oci.tar" "$image" >/dev/null 2>&1 3>&-
  cat >"$scratch/config.toml" <<TOML
version = 2
root = "$scratch/containerd/root"
state = "$scratch/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$scratch/containerd.sock"
TOML
  background containerd --config "$scratch/config.toml"
  local tries
  for tries in $(seq 100); do ctr version >/dev/null 2>&1 && break; sleep 0.1; done
  export ref=docker.io/library/$image:1
  ctr image import --index-name "$ref" "$scratch/oci.tar" >/dev/null
}
teardown_file() {
  stop_background
  engine_teardown
}
teardown() {
  ctr task kill --signal KILL one >/dev/null 2>&1 || true
  ctr task rm --force one >/dev/null 2>&1 || true
  ctr container rm one >/dev/null 2>&1 || true
}

ctr() { command ctr --address "$scratch/containerd.sock" "$@" 3>&-; }
# The documented line, with the words that each test has instead of its placeholders.
new() {
  local line
  line=$(documented sh 1)
  line=${line%% IMAGE*}
  eval "${line/ --rm/} --snapshotter native \"\$@\""
}

@test "run: output, exit code, errors" {
  equal "$(new --rm "$ref" one echo hello)" hello
  run -7 new --rm "$ref" one sh -c 'exit 7'
  run -1 new --rm "$ref" one nonsense
  contains "$output" "executable file not found"
}

@test "a task: exec, pause, metrics, kill, delete" {
  new -d "$ref" one sleep 1000
  equal "$(ctr task exec --exec-id e one sh -c 'id -u; echo $$ >/dev/null; pwd')" 0$'\n'/
  run -9 ctr task exec --exec-id e one sh -c 'exit 9'
  ctr task pause one
  contains "$(ctr task ls)" PAUSED
  ctr task resume one
  contains "$(ctr task metrics one)" memory.usage_in_bytes
  ctr task kill --signal KILL one
  stopped() { [[ $(ctr task ls) == *STOPPED* ]]; }
  eventually stopped
  ctr task rm one || true
  lacks "$(ctr task ls)" one
}

@test "the runtime class of Kubernetes is known" {
  documented toml 2 >"$scratch/kubernetes.toml"
  local known
  known=$(containerd --config "$scratch/kubernetes.toml" config dump)
  contains "$known" "containerd.runtimes.umbel]"
  contains "$known" "BinaryName = \"$UMBEL_OCI\""
}

@test "containerd calls what it is told to" {
  new -d "$ref" one sleep 1000
  equal "$("$UMBEL_OCI" --root /run/containerd/runc/default state one | jq -r .pid)" \
    "$(ctr task ls | awk '$1 == "one" {print $2}')"
}

@test "checkpoint of a task, and a restore of it" {
  # With its output in a file, which is part of what is saved.
  new -d "$ref" one sh -c 'i=0; while :; do i=$((i + 1)); echo $i >>/count; sleep 0.05; done'
  last() { ctr task exec --exec-id e$RANDOM one tail -n 1 /count; }
  at_least() { (($(last) >= $1)); }
  eventually at_least 3
  ctr container checkpoint --rw --image --task one checkpoint/one:1
  eventually at_least $(($(last) + 3))
  ctr task kill --signal KILL one
  eventually ctr task rm one
  ctr container rm one
  ctr container restore --rw --live one checkpoint/one:1
  eventually at_least 3
  eventually at_least $(($(last) + 3))
  equal "$(ctr task exec --exec-id g one grep -c '^1$' /count)" 1
}
