# umbel-oci under podman as an ordinary user, as docs/ENGINES.md configures it. The host's users are
# left as they are: the user is nobody, with further ids that only this test's mount namespace
# gives it.

load ../lib/umbel
load ../lib/engine

setup_file() {
  engine_setup podman
  needs_command newuidmap
  needs_command setpriv
  needs_user nobody
  # Where an ordinary user can reach them.
  chmod 755 "$scratch"
  mkdir "$scratch/bin" "$scratch/home" "$scratch/run"
  cp -L "$UMBEL_OCI" "$scratch/bin/umbel-oci"
  UMBEL_OCI=$scratch/bin/umbel-oci podman_configuration >"$scratch/containers.conf"
  chown nobody "$scratch/home" "$scratch/run"
  chmod 700 "$scratch/run"
  printf 'nobody:300000:65536\n' >"$scratch/subid"
  podman import "$scratch/$image.tar" "$image" >/dev/null 2>&1
}
teardown_file() {
  podman pod rm --all --force --time 0 >/dev/null 2>&1
  podman rm --all --force --time 0 >/dev/null 2>&1
  # Its pause process and what it wrote under other ids are the user namespace's.
  podman unshare rm -rf "$scratch/home/.local" >/dev/null 2>&1
  local pause
  pause=$(cat "$scratch/run/libpod/tmp/pause.pid" 2>/dev/null) && kill "$pause"
  engine_teardown
}
teardown() { podman rm --all --force --time 0 >/dev/null 2>&1; }

podman() {
  inside_net unshare --mount sh -c '
    mount --bind "$scratch/subid" /etc/subuid && mount --bind "$scratch/subid" /etc/subgid &&
    cd "$scratch/home" && exec setpriv --reuid=nobody --regid=nogroup --clear-groups \
      env -i PATH="$PATH" HOME="$scratch/home" XDG_RUNTIME_DIR="$scratch/run" \
        CONTAINERS_CONF="$scratch/containers.conf" podman --storage-driver vfs "$@"' sh "$@" \
    2> >(grep -v 'is not a shared mount' >&2) 3>&-
}

@test "run: output, exit code, and the user's ids" {
  equal "$(podman run --rm --network none "$image" sh -c 'id -u; echo hello')" 0$'\n'hello
  run -7 podman run --rm --network none "$image" sh -c 'exit 7'
  equal "$(podman run --rm --network none "$image" cat /proc/self/uid_map | tr -s ' ' | sed 's/^ //')" \
    "0 $(id -u nobody) 1"$'\n'"1 300000 65536"
  equal "$(podman run --rm --network none --user 5 "$image" id -u)" 5
}

@test "exec, stop, logs" {
  podman run -d --network none --name one "$image" sh -c 'echo started; exec sleep 1000'
  equal "$(podman exec one id -u)" 0
  run -9 podman exec one sh -c 'exit 9'
  eventually contains "$(podman logs one)" started
  podman stop --time 0 one
  equal "$(podman inspect one --format '{{.State.ExitCode}}')" 137
}

@test "a pod shares its namespaces" {
  needs_command /usr/libexec/podman/catatonit
  podman pod create --network none --name pod >/dev/null
  podman run -d --pod pod --name one "$image" sleep 1000
  local kind
  for kind in ipc net uts; do
    equal "$(podman run --rm --pod pod "$image" readlink /proc/self/ns/$kind)" \
      "$(podman exec one readlink /proc/self/ns/$kind)"
  done
  podman pod rm --force --time 0 pod
}

@test "what happens inside is the user's alone" {
  mkdir -p "$scratch/home/volume"
  chown nobody "$scratch/home/volume"
  podman run --rm --network none -v "$scratch/home/volume:/v" "$image" touch /v/made
  equal "$(stat -c %U "$scratch/home/volume/made")" nobody
}
