# umbel-oci as the runtime of buildah.

load ../lib/umbel
load ../lib/engine

setup_file() {
  engine_setup buildah
  set -o allexport
  eval "$(documented sh 2)"
  set +o allexport
  export CONTAINERS_CONF=$scratch/containers.conf
  cat >"$CONTAINERS_CONF" <<CONF
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1024:4096"]
[engine]
cgroup_manager = "cgroupfs"
CONF
  base=$(buildah from scratch)
  buildah add --quiet "$base" "$scratch/$image.tar" / >/dev/null
  buildah config --env PATH=/bin:/usr/bin "$base"
  buildah commit --quiet "$base" "localhost/$image" >/dev/null
}
teardown_file() {
  buildah rm --all >/dev/null 2>&1
  engine_teardown
}

buildah() {
  inside_net buildah --root "$scratch/b/root" --runroot "$scratch/b/run" --storage-driver vfs \
    "$@" 3>&-
}

@test "run in a working container" {
  local box
  box=$(buildah from "localhost/$image")
  equal "$(buildah run "$box" sh -c 'echo kept >/x; cat /x')" kept
  run -4 buildah run "$box" sh -c 'exit 4'
  equal "$(buildah run "$box" cat /x)" kept
}

@test "a build" {
  printf '%s\n' "FROM localhost/$image" 'RUN echo built >/built && cat /built' >"$scratch/File"
  buildah bud --quiet --tag made --file "$scratch/File" "$scratch"
  equal "$(buildah run "$(buildah from localhost/made)" cat /built)" built
}
