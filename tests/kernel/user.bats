# As an ordinary user: everything in a user namespace of one's own.
load ../lib/umbel
setup() {
  umbel_setup && needs_root && needs_command setpriv
  chmod 755 "$scratch"
  mkdir -p "$scratch/user" && chown 65534:65534 "$scratch/user"
  export UMBEL_HOME=$scratch/user/home
  cp "$UMBEL" "$scratch/umbel"  # the build's directory may be closed to others
}
teardown() { as_user rm --force a >/dev/null 2>&1 || true; umbel_teardown; }

as_user() {
  (cd / && setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
    env UMBEL_HOME="$UMBEL_HOME" HOME=/ "$scratch/umbel" "$@")
}

@test "a command runs as root of its own user namespace, on the host's files" {
  equal "$(as_user run --rm -- id -u)" 0
  equal "$(as_user run --rm -- sh -c 'echo $$')" 2
  [[ $(as_user run --rm -- readlink /proc/self/ns/user) != "$(readlink /proc/self/ns/user)" ]]
  as_user run --rm -- sh -c 'touch /tmp/umbel-user-made && ls /usr/bin/env'
  [[ ! -e /tmp/umbel-user-made ]]
}

@test "detached, exec, stop" {
  as_user run -d --name a -- sleep 1000
  equal "$(as_user exec a id -u)" 0
  as_user stop -t 1 a
  as_user rm a
}

@test "limits without a delegated cgroup are refused with the command that delegates one" {
  run -125 as_user run --rm --memory 32m -- true
  contains "$output" "try:"
}

@test "what needs more rights is refused before anything starts" {
  run -125 as_user run --rm --userns host -- true
  contains "$output" "--userns new"
  run -125 as_user run --rm --net ns:/proc/1/ns/net -- true
  equal "$(as_user ps -aq)" ""
}
