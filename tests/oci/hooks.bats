# Hooks of all six kinds: when, where, and with which state on their standard input.

load ../lib/umbel
load ../lib/oci
setup() {
  oci_setup
  trail=$scratch/trail
}
teardown() { oci_teardown; }

# hook KIND SCRIPT: adds one that is run by the shell of wherever it runs
hook() {
  config ".hooks[\"$1\"] += [{path: \"/bin/sh\", args: [\"sh\", \"-c\", $(jq -Rs . <<<"$2")],
    env: [\"PATH=/usr/bin:/bin\"]}]"
}

@test "they run in their order and their places, with the container's state" {
  needs_command jq
  local outside="jq -r '\"KIND \" + .id + \" \" + .status + \" \" + (.pid > 0 | tostring) + \" \" +
    .annotations.a' >>$trail"
  config '.annotations = {a: "b"}'
  local kind
  for kind in prestart createRuntime createContainer poststart; do
    hook $kind "${outside/KIND/$kind}"
  done
  hook poststop "jq -r '\"poststop \" + .id + \" \" + .status' >>$trail"
  hook startContainer 'cat >/hook-state'
  create "$id"
  equal "$(cat "$trail")" "prestart $id creating true b
createRuntime $id creating true b
createContainer $id creating true b"
  [[ ! -e $bundle/rootfs/hook-state ]]
  oci start "$id"
  equal "$(tail -1 "$trail")" "poststart $id running true b"
  equal "$(jq -r .status "$bundle/rootfs/hook-state")" created
  eventually has_status "$id" stopped
  oci delete "$id"
  equal "$(tail -1 "$trail")" "poststop $id stopped"
}

@test "they run in the namespaces that the specification names" {
  hook createRuntime "readlink /proc/self/ns/net >>$trail"
  hook createContainer "readlink /proc/self/ns/net >>$trail; test -e $bundle/config.json && echo host >>$trail"
  hook startContainer 'readlink /proc/self/ns/net >/net; ls / >/root-seen'
  script 'readlink /proc/self/ns/net'
  local own
  own=$(container)
  equal "$(cat "$trail")" "$(readlink /proc/self/ns/net)"$'\n'"$own"$'\n'host
  equal "$(cat "$bundle/rootfs/net")" "$own"
  lacks "$(cat "$bundle/rootfs/root-seen")" boot
}

@test "what createContainer mounts in the root is there" {
  mkdir "$bundle/rootfs/mounted"
  hook createContainer "mount -t tmpfs hooked $bundle/rootfs/mounted"
  program grep -c "^hooked /mounted tmpfs" /proc/mounts
  equal "$(container)" 1
  lacks "$(cat /proc/mounts)" hooked
}

@test "one that fails stops the creation, and is quoted" {
  hook createRuntime 'echo went wrong >&2; exit 3'
  hook poststop "echo stopped >>$trail"
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "the createRuntime hook: /bin/sh: exit status 3: went wrong"
  equal "$(oci list --quiet)" ""
  equal "$(cat "$trail")" stopped
}

@test "one that takes too long is killed" {
  hook createContainer 'exec sleep 100'
  config '.hooks.createContainer[0].timeout = 1'
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "did not end within 1 seconds"
}

@test "one that fails at start stops the program" {
  hook startContainer 'exit 1'
  create "$id"
  run -1 oci start "$id"
  contains "$output" "startContainer hook"
  lacks "$(cat "$scratch/out")" hello
}

@test "failures after that are warnings" {
  hook poststart 'exit 1'
  hook poststart "echo second >>$trail"
  create "$id"
  oci --log "$scratch/log" start "$id"
  contains "$(cat "$scratch/log")" "level=warning"
  equal "$(cat "$trail")" second
}

@test "they get no descriptors beyond the first three" {
  hook createRuntime "ls /proc/self/fd | wc -l >>$trail"
  hook createContainer "ls /proc/self/fd | wc -l >>$trail"
  container
  equal "$(cat "$trail")" $'4\n4'
}
