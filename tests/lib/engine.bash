# For tests of umbel-oci under real engines, after lib/umbel:
#
#   load ../lib/umbel
#   load ../lib/engine
#   setup_file() { engine_setup podman; }     teardown_file() { engine_teardown; }
#
# An engine lives in a network namespace of its own, with its bridges and packet-filter rules, and
# keeps everything else in $scratch. What it leaves in the cgroup tree is removed with it. The one
# image, $image.tar, is a busybox.

# engine_setup COMMAND: once a file, since engines take seconds to start
engine_setup() {
  export UMBEL_OCI=${UMBEL%/*}/umbel-oci scratch net image=busybox
  needs_root
  needs_command "$1"
  needs_command nsenter
  umbel_setup
  net=umbel-test-$$
  ip netns add "$net"
  inside_net ip link set lo up
  rootfs "$scratch/rootfs"
  tar -C "$scratch/rootfs" --owner=0 --group=0 -cf "$scratch/$image.tar" .
  cgroups >"$scratch/cgroups"
}

engine_teardown() {
  [[ -n ${scratch-} ]] || return 0
  ip netns del "$net" 2>/dev/null || true
  local new
  cgroups | comm -13 "$scratch/cgroups" - | while read -r new; do
    find "$new" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
  findmnt -rno TARGET | grep "^$scratch/" | sort -r | xargs -r -n 1 umount --lazy
  cd / && rm -rf --one-file-system "$scratch"
}

# documented LANGUAGE N: the Nth block of that language in docs/ENGINES.md, for the tested binary
documented() {
  awk -v fence="\`\`\`$1" -v wanted="$2" '
    /^```$/ { inside = 0 }
    inside && seen == wanted { print }
    $0 == fence { seen++; inside = 1 }' "$BATS_TEST_DIRNAME/../../docs/ENGINES.md" |
    sed "s#/usr/bin/umbel-oci#$UMBEL_OCI#g" | grep . || fail "ENGINES.md has no such block"
}

# The documented containers.conf, and what docs/ENGINES.md says that tests add.
podman_configuration() {
  printf '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=1024:4096"]\n'
  documented toml 1 | sed '/^\[engine\]$/a events_logger = "file"'
}

cgroups() { find /sys/fs/cgroup -mindepth 2 -maxdepth 2 -type d | sort; }
inside_net() { nsenter --net="/run/netns/$net" "$@"; }

# background COMMAND...: a server that ends by `stop_background`
background() {
  setsid nsenter --net="/run/netns/$net" "$@" >"$scratch/server.log" 2>&1 </dev/null 3>&- &
  echo $! >"$scratch/server.pid"
}
stop_background() {
  local pid
  pid=$(cat "$scratch/server.pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || return 0
  eventually test ! -e "/proc/$pid" || kill -9 "$pid"
}

# graph_and_check_see ENGINE: umbel knows its containers, what two of them share, and what they lack
graph_and_check_see() {
  local engine=$1 pid id
  mkdir -p "$scratch/umbel/policies"
  printf '[namespaces]\nnet = ["own", "group"]\n' >"$scratch/umbel/policies/net.toml"
  export XDG_CONFIG_HOME=$scratch UMBEL_HOME=$scratch/umbel-home
  "$engine" run -d --name web "$image" sleep 1000
  "$engine" run -d --name side --network container:web "$image" sleep 1000
  pid=$("$engine" inspect web --format '{{.State.Pid}}')
  id=$(readlink "/proc/$pid/ns/net" | tr -dc 0-9)
  equal "$(umbel graph --json | jq -r '.containers[] | select(.name == "'"$engine"':web") |
    "\(.engine) \(.pid)"')" "$engine $pid"
  equal "$(umbel graph --json | jq -r ".namespaces[] | select(.id == $id) |
    .containers | sort | join(\" \")")" "$engine:side $engine:web"
  run -1 umbel check --json "$engine:web" --policy net
  equal "$(jq -c '[.offenders[].why, (.closure | sort)]' <<<"$output")" \
    "[\"it shares its net with $engine:side\",[\"$engine:side\",\"$engine:web\"]]"
  run -0 umbel check web side --policy net
  run -1 umbel check --json "$engine:web" --policy migratable
  contains "$(jq -r '.offenders[] | select(.kind == "mount").object' <<<"$output")" /etc/hosts
  run -2 umbel check web --policy pidspace
  contains "$output" "whether $engine set a limit for memory"
  run -125 umbel graph --if-removed wbe
  contains "$output" "did you mean web?"
  # A namespace that umbel gives a name outlives the engine's containers.
  umbel ns adopt "$pid" --kind net --name "umbel-test-$$"
  "$engine" kill side web
  "$engine" rm --force side
  "$engine" rm --force web
  equal "$(umbel ns show --json "net/umbel-test-$$" | jq .id)" "$id"
  equal "$(umbel ns exec "net/umbel-test-$$" -- readlink /proc/self/ns/net)" "net:[$id]"
  umbel ns rm "net/umbel-test-$$"
}
