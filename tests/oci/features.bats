# features, spec, list and ps: what umbel-oci says of itself and of what runs is what there is.

load ../lib/umbel
load ../lib/oci
setup() { oci_setup; }
teardown() { oci_teardown; }

features() { oci features | jq -r "$1"; }

@test "features: everything that is named there is taken, and nothing else" {
  equal "$(features .ociVersionMax | cut -c1-3)" 1.3
  equal "$(features '.hooks | sort | join(" ")')" \
    "createContainer createRuntime poststart poststop prestart startContainer"
  equal "$(features '.linux.namespaces | sort | join(" ")')" \
    "cgroup ipc mount network pid time user uts"
  local kind
  # A filter has architectures of one byte order.
  config ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", architectures:
    $(features '.linux.seccomp.archs | map(select(test("X86|X32|ARM|AARCH64"))) | tojson'),
    syscalls: []}"
  for kind in $(features '.linux.seccomp.operators[]'); do
    config '.linux.seccomp.syscalls += [{names: ["kill"], action: "SCMP_ACT_ERRNO",
      args: [{index: 0, value: 1, valueTwo: 1, op: "'"$kind"'"}]}]'
  done
  for kind in $(features '.linux.seccomp.actions[]'); do
    [[ $kind == *NOTIFY || $kind == *TRACE || $kind == *KILL* ]] ||
      config '.linux.seccomp.syscalls += [{names: ["reboot"], action: "'"$kind"'"}]'
  done
  equal "$(container)" hello
  config 'del(.linux.seccomp)'
  for kind in $(features '.linux.memoryPolicy.modes[]'); do
    config ".linux.memoryPolicy = {mode: \"$kind\"}"
    lacks "$(container || true)" "is no memory policy"
  done
  equal "$(features '.linux.intelRdt.enabled, .linux.netDevices.enabled, .linux.cgroup.systemd')" \
    $'false\ntrue\nfalse'
}

@test "features: the options of mounts are all understood" {
  local words
  words=$(features '.mountOptions - ["remount", "idmap", "ridmap", "tmpcopyup"] | tojson')
  mkdir "$scratch/volume"
  config '.mounts += [{destination: "/v", source: "'"$scratch/volume"'", options: '"$words"'}]'
  equal "$(container)" hello
}

@test "spec writes a configuration that runs, and never over another" {
  run -1 oci spec --bundle "$bundle"
  contains "$output" "there is a config.json"
  mkdir "$scratch/new"
  oci spec --bundle "$scratch/new"
  equal "$(jq -r '.ociVersion[:2], .process.args[0], .root.path' "$scratch/new/config.json")" \
    $'1.\nsh\nrootfs'
}

@test "an ordinary user runs what spec --rootless writes" {
  needs_user nobody
  needs_command setpriv
  chmod 755 "$scratch"
  mkdir -m 700 "$scratch/run"
  mkdir "$scratch/bin" "$scratch/own"
  cp -L "$UMBEL_OCI" "$scratch/bin/umbel-oci"
  cp -r "$bundle/rootfs" "$scratch/own/"
  chown -R nobody:nogroup "$scratch/run" "$scratch/own"
  as_nobody() {
    (cd "$scratch/own" && setpriv --reuid=nobody --regid=nogroup --clear-groups \
      env XDG_RUNTIME_DIR="$scratch/run" "$scratch/bin/umbel-oci" "$@" 3>&-)
  }
  as_nobody spec --rootless
  jq '.process.terminal = false | .process.rlimits = [] | .root.readonly = false |
    .process.args = ["sh", "-c", "id -u; touch /made; sleep 1000"]' "$scratch/own/config.json" \
    >"$scratch/new.json"
  cp "$scratch/new.json" "$scratch/own/config.json"
  as_nobody create rootless >"$scratch/out" 2>&1 </dev/null || { cat "$scratch/out"; false; }
  as_nobody start rootless
  eventually test -e "$scratch/own/rootfs/made"
  equal "$(cat "$scratch/out")" 0
  equal "$(stat -c %U "$scratch/own/rootfs/made")" nobody
  equal "$(as_nobody list --quiet)" rootless
  equal "$(ls "$scratch/run")" umbel-oci
  equal "$(as_nobody exec rootless id -u)" 0
  as_nobody delete --force rootless
  equal "$(as_nobody list --quiet)" ""
}

@test "ps shows the container's processes and no others, with ps's own options" {
  script 'sleep 1001 & exec sleep 1000'
  create "$id"
  oci start "$id"
  two() { equal "$(oci ps --format json "$id" | jq length)" 2; }
  eventually two
  equal "$(oci ps "$id" -o pid,args | tail -n +2 | awk '{ print $2, $3 }' | sort)" \
    $'sleep 1000\nsleep 1001'
  run -1 oci ps "$id" -o args
  contains "$output" "no column PID"
  oci kill "$id" KILL
}
