# config.json, field by field, as the program inside sees it.

load ../lib/umbel
load ../lib/oci
setup() {
  oci_setup
  links=()
}
teardown() {
  local link
  for link in "${links[@]}"; do ip link del "$link-peer" 2>/dev/null || true; done
  oci_teardown
}

@test "process: user, groups, umask, directory and environment" {
  config '.process.user = {uid: 5, gid: 6, additionalGids: [7, 8], umask: 63}' \
    '.process.cwd = "/tmp"' '.process.env += ["A=b c"]'
  script 'id -u; id -g; grep ^Groups /proc/self/status; umask; pwd; echo "$A"; echo $HOME'
  equal "$(container | tr '\t' ' ')" $'5\n6\nGroups: 7 8 \n0077\n/tmp\nb c\n/'
}

@test "process: capabilities in all five sets" {
  config '.process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL"],
    effective: ["CAP_KILL"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}' \
    '.process.user = {uid: 5, gid: 5}'
  program grep ^Cap /proc/self/status
  equal "$(container | tr -s '\t0' ' ' | tr -d ' ')" \
    $'CapInh:2\nCapPrm:2\nCapEff:2\nCapBnd:21\nCapAmb:2'
}

@test "process: no capabilities where none are given" {
  config 'del(.process.capabilities)'
  program grep CapBnd /proc/self/status
  contains "$(container)" 0000000000000000
}

@test "process: an unknown capability is a warning" {
  config '.process.capabilities.bounding += ["CAP_TO_FLY"]'
  oci --log "$scratch/log" run --bundle "$bundle" "$id"
  contains "$(cat "$scratch/log")" CAP_TO_FLY
}

@test "process: limits" {
  config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}]'
  script 'ulimit -Sn; ulimit -Hn'
  equal "$(container)" $'100\n200'
}

@test "process: new privileges" {
  program grep NoNewPrivs /proc/self/status
  contains "$(container)" 1
  config '.process.noNewPrivileges = false'
  contains "$(container)" 0
}

@test "process: the out-of-memory score" {
  config '.process.oomScoreAdj = 321'
  program cat /proc/self/oom_score_adj
  equal "$(container)" 321
}

@test "process: scheduler, I/O priority, personality" {
  needs_command python3
  config '.process.scheduler = {policy: "SCHED_BATCH", nice: 7}' \
    '.process.ioPriority = {class: "IOPRIO_CLASS_IDLE", priority: 0}' \
    '.linux.personality = {domain: "LINUX32"}'
  script 'cut -d" " -f19,41 /proc/self/stat; ionice; uname -m'
  equal "$(container | head -1)" "7 3"
  contains "$(container)" idle
  lacks "$(container)" x86_64
}

@test "process: a terminal of the size that was asked for" {
  config '.process.terminal = true' '.process.consoleSize = {height: 33, width: 111}'
  script 'stty size; ls -l /dev/console; tty'
  listen "$scratch/socket" "$scratch/said" &
  eventually test -S "$scratch/socket"
  create --console-socket "$scratch/socket" "$id"
  oci start "$id"
  wait
  contains "$(cat "$scratch/said")" "33 111"
  contains "$(cat "$scratch/said")" /dev/console
  contains "$(cat "$scratch/said")" /dev/pts/0
}

@test "root: read-only" {
  script 'touch /x 2>&1; echo $?'
  equal "$(container)" 0
  config '.root.readonly = true'
  contains "$(container)" "Read-only file system"
}

@test "root: without pivot_root, and processes that enter it" {
  script 'ls /; cat /proc/self/mountinfo | wc -l; sleep 1000'
  create --no-pivot "$id"
  oci start "$id"
  eventually grep -q '^[0-9]' "$scratch/out"
  equal "$(oci exec "$id" ls /)" "$(ls "$bundle/rootfs")"
  equal "$(grep -v '^[0-9]' "$scratch/out")" "$(ls "$bundle/rootfs")"
}

@test "hostname and domainname" {
  config '.hostname = "here"' '.domainname = "there"'
  script 'hostname; cat /proc/sys/kernel/domainname'
  equal "$(container)" $'here\nthere'
}

@test "no hostname: the host's" {
  config 'del(.hostname)'
  program hostname
  equal "$(container)" "$(hostname)"
}

@test "mounts: kinds, options, and missing destinations" {
  echo content >"$scratch/file"
  config '.mounts += [
    {destination: "/a/b", type: "tmpfs", source: "x", options: ["size=4k", "nosuid", "mode=1770"]},
    {destination: "/data", source: "'"$scratch"'", options: ["rbind", "ro"]},
    {destination: "/etc/one", type: "none", source: "'"$scratch/file"'", options: ["bind"]}]'
  script 'grep -c "^x /a/b tmpfs .*nosuid.*size=4k" /proc/mounts; cat /data/file /etc/one
    touch /data/x 2>/dev/null || echo read-only'
  equal "$(container)" $'1\ncontent\ncontent\nread-only'
  [[ ! -e $scratch/x ]]
}

@test "mounts: a tmpfs starts with what was there" {
  mkdir "$bundle/rootfs/full"
  echo kept >"$bundle/rootfs/full/file"
  config '.mounts += [{destination: "/full", type: "tmpfs", source: "x", options: ["tmpcopyup"]}]'
  script 'cat /full/file; rm /full/file'
  equal "$(container)" kept
  [[ -e $bundle/rootfs/full/file ]]
}

@test "mounts: id-mapped" {
  mkdir "$scratch/mapped"
  touch "$scratch/mapped/file"
  config '.mounts += [{destination: "/mapped", source: "'"$scratch/mapped"'",
    options: ["bind", "idmap"], uidMappings: [{containerID: 0, hostID: 1000, size: 10}],
    gidMappings: [{containerID: 0, hostID: 1000, size: 10}]}]'
  program stat -c %u:%g /mapped/file
  local seen
  seen=$(container) || { contains "$seen" "id-mapped"; skip "this file system can't be id-mapped"; }
  equal "$seen" 1000:1000
}

@test "linux: new namespaces, and those of another container" {
  program sleep 1000
  create "$id"
  oci start "$id"
  local pid kind
  pid=$(pid_of "$id")
  for kind in pid ipc uts mnt net cgroup; do
    [[ $(readlink "/proc/$pid/ns/$kind") != "$(readlink "/proc/self/ns/$kind")" ]]
  done
  config '.linux.namespaces |= map(if .type == "mount" then . else
    .path = "/proc/'"$pid"'/ns/" + ({network: "net"}[.type] // .type) end)'
  config '.linux.cgroupsPath += "-2"' 'del(.hostname)'
  script 'for k in pid ipc uts net; do readlink /proc/self/ns/$k; done; ls /proc | grep -c "^1$"'
  equal "$(oci run --bundle "$bundle" "$id-2")" \
    "$(for kind in pid ipc uts net; do readlink "/proc/$pid/ns/$kind"; done; echo 1)"
}

@test "linux: a user namespace with mappings" {
  chmod 755 "$scratch"
  chown -R 100000:100000 "$bundle/rootfs"
  config '.linux.namespaces += [{type: "user"}]' \
    '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]' \
    '.linux.gidMappings = .linux.uidMappings'
  script 'id -u; cat /proc/self/uid_map; touch /new; stat -c %u /new; hostname'
  equal "$(container | tr -s ' ')" $'0\n 0 100000 65536\n0\numbel'
  equal "$(stat -c %u "$bundle/rootfs/new")" 100000
}

@test "linux: clocks" {
  config '.linux.namespaces += [{type: "time"}]' '.linux.timeOffsets = {boottime: {secs: 1000000}}'
  program cut -d. -f1 /proc/uptime
  local seen
  seen=$(container)
  ((seen > 1000000)) && ((seen < 1000000 + $(cut -d. -f1 /proc/uptime) + 60))
}

@test "linux: devices" {
  config '.linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229,
    fileMode: 384, uid: 3, gid: 4}, {path: "/pipe", type: "p"}]'
  script 'stat -c "%t:%T %a %u:%g" /dev/fuse; test -p /pipe && echo pipe; ls /dev'
  local seen
  seen=$(container)
  contains "$seen" "a:e5 600 3:4"$'\n'pipe
  for device in null zero full random urandom tty ptmx fd stdin; do contains "$seen" "$device"; done
}

@test "linux: what may be done with devices" {
  needs_controller devices
  config '.process.capabilities.bounding += ["CAP_MKNOD"]' \
    '.process.capabilities.permitted += ["CAP_MKNOD"]' \
    '.process.capabilities.effective += ["CAP_MKNOD"]'
  script 'mknod /f c 10 229; cat /f 2>&1; head -c1 /dev/zero | wc -c'
  contains "$(container)" "Operation not permitted"
  contains "$(container)" 1
}

@test "linux: limits" {
  needs_controller memory
  needs_controller pids
  config '.linux.resources += {memory: {limit: 33554432}, pids: {limit: 20},
    cpu: {shares: 512, quota: 50000, period: 100000}}'
  program sleep 1000
  create "$id"
  local path=/sys/fs/cgroup
  equal "$(cat $path/memory/umbel-test/$id/memory.limit_in_bytes)" 33554432
  equal "$(cat $path/pids/umbel-test/$id/pids.max)" 20
  equal "$(cat $path/cpu/umbel-test/$id/cpu.shares)" 512
  equal "$(cat $path/cpu/umbel-test/$id/cpu.cfs_quota_us)" 50000
  oci start "$id"
  oci update --memory 64m --pids-limit 30 "$id"
  equal "$(cat $path/memory/umbel-test/$id/memory.limit_in_bytes)" 67108864
  equal "$(cat $path/pids/umbel-test/$id/pids.max)" 30
  echo '{"cpu": {"shares": 256}}' | oci update --resources - "$id"
  equal "$(cat $path/cpu/umbel-test/$id/cpu.shares)" 256
  equal "$(oci events --stats "$id" | jq '.data.memory.usage.limit, .data.pids.limit')" \
    $'67108864\n30'
}

@test "linux: masked and read-only paths" {
  config '.linux.maskedPaths = ["/proc/keys", "/etc/passwd", "/nowhere"]' \
    '.linux.readonlyPaths = ["/proc/sys", "/tmp"]'
  script 'wc -c </etc/passwd; wc -c </proc/keys; touch /tmp/x 2>&1'
  local seen
  seen=$(container) || true
  equal "$(head -2 <<<"$seen")" $'0\n0'
  contains "$seen" "Read-only"
}

@test "linux: kernel parameters" {
  config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}'
  program cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced
  equal "$(container)" $'1\n1'
}

@test "linux: seccomp, by name, by argument, with an errno of its own" {
  config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
    {names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28},
    {names: ["kill"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 10, op: "SCMP_CMP_EQ"}]}]}'
  script 'mkdir /tmp/x 2>&1; kill -USR1 $$ 2>&1; kill -0 $$ && echo alive'
  local seen
  seen=$(container)
  contains "$seen" "No space left on device"
  contains "$seen" "not permitted"
  contains "$seen" alive
  config '.process.noNewPrivileges = false'
  contains "$(container)" "No space left on device"
}

@test "linux: propagation of the root" {
  program sh -c 'grep " / / " /proc/self/mountinfo || cat /proc/self/mountinfo | head -1'
  config '.linux.rootfsPropagation = "shared"'
  contains "$(container)" shared:
  config '.linux.rootfsPropagation = "private"'
  lacks "$(container)" shared:
  lacks "$(container)" master:
}

# agent: answers what a filter notifies of with "no space left"
agent() {
  python3 "$BATS_TEST_DIRNAME/../lib/seccomp_agent.py" "$scratch/agent" "$scratch/message" 3>&- &
  eventually test -S "$scratch/agent"
}
notifying() {
  needs_command python3
  config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: [],
    listenerPath: "'"$scratch/agent"'", listenerMetadata: "some words",
    syscalls: [{names: ["mkdir", "mkdirat", "sendmsg"], action: "SCMP_ACT_NOTIFY"}]}'
}

@test "linux: a filter's listener goes to whoever answers, with the container's state" {
  notifying
  script 'mkdir /tmp/x 2>&1'
  agent
  contains "$(container)" "No space left on device"
  equal "$(jq -r '.ociVersion[:2], .fds[0], .metadata, .state.id, .state.status, .state.bundle,
    (.pid == .state.pid and .pid > 1 | tostring)' "$scratch/message")" \
    "1.
seccompFd
some words
$id
creating
$bundle
true"
}

@test "linux: every process of exec gets a listener of its own" {
  notifying
  script 'sleep 1000'
  agent
  create "$id"
  oci start "$id"
  rm "$scratch/agent" "$scratch/message"
  agent
  contains "$(oci exec "$id" mkdir /tmp/x 2>&1)" "No space left on device"
  equal "$(jq -r .state.status "$scratch/message")" running
}

@test "linux: a filter with nobody to answer is refused" {
  notifying
  run -1 oci run --bundle "$bundle" "$id"
  contains "$output" "linux.seccomp.listenerPath $scratch/agent: connect"
  equal "$(oci list --quiet)" ""
  config 'del(.linux.seccomp.listenerPath)'
  run -1 oci run --bundle "$bundle" "$id"
  contains "$output" linux.seccomp.listenerMetadata:
  config 'del(.linux.seccomp.listenerMetadata)'
  run -1 oci run --bundle "$bundle" "$id"
  contains "$output" "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY with nobody to notify"
}

# pair NAME: a link of this test's own; its other end stays behind as NAME-peer
pair() {
  needs_command ip
  ip link add "$1" type veth peer name "$1-peer"
  links+=("$1")
}

@test "linux: network devices of the host, with their addresses, under another name" {
  pair "um$$"
  ip addr add 10.99.1.2/24 dev "um$$"
  config '.linux.netDevices = {"um'$$'": {name: "inside0"}}' \
    '.linux.sysctl = {"net.ipv4.conf.inside0.forwarding": "1"}'
  script 'ip addr show inside0; cat /proc/sys/net/ipv4/conf/inside0/forwarding'
  local seen
  seen=$(container)
  contains "$seen" "inet 10.99.1.2/24"
  contains "$seen" ",UP"
  equal "$(tail -1 <<<"$seen")" 1
  run ! ip link show "um$$"
}

@test "linux: network devices stay with the host when a container can't be made" {
  pair "um$$"
  ip addr add 10.99.1.2/24 dev "um$$"
  ip link set "um$$" up
  config '.linux.netDevices = {"um'$$'": {name: "x"}, "zz-nothing": {}}'
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "moving the network device zz-nothing: there is no such network device"
  contains "$(ip addr show "um$$")" "inet 10.99.1.2/24"
  config 'del(.linux.netDevices["zz-nothing"])'
  config '.linux.netDevices["um'$$'"].name = "lo"'
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "moving the network device um$$"
  contains "$(ip addr show "um$$")" "inet 10.99.1.2/24"
  program /nonsense
  config '.linux.netDevices["um'$$'"].name = "x"'
  run -1 oci create --bundle "$bundle" "$id"
  contains "$(ip addr show "um$$")" "inet 10.99.1.2/24"
  contains "$(ip addr show "um$$")" ",UP"
  config '.linux.namespaces |= map(select(.type != "network"))'
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "linux.netDevices.um$$: would change the host's network namespace"
}

@test "linux: the memory policy" {
  config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
  program cat /proc/self/numa_maps
  local seen
  seen=$(container) || true
  [[ $seen != *"No such file"* ]] || skip "this kernel has no NUMA"
  contains "$seen" "bind=static:0"
}

@test "process: processors of those that enter, and of those alone" {
  local last
  last=$(($(nproc --all) - 1))
  ((last > 0)) || skip "needs two processors"
  config '.process.execCPUAffinity = {initial: "0", final: "'$last'"}'
  script 'grep Cpus_allowed_list /proc/self/status; sleep 1000'
  create "$id"
  oci start "$id"
  equal "$(oci exec "$id" grep Cpus_allowed_list /proc/self/status | cut -f2)" "$last"
  contains "$(cat "$scratch/out")" "0-$last"
}

@test "what umbel can't do is refused by its path" {
  refuses() {
    cp "$bundle/config.json" "$scratch/before"
    config "$1"
    run -1 oci create --bundle "$bundle" "$id"
    contains "$output" "$2"
    cp "$scratch/before" "$bundle/config.json"
  }
  refuses '.linux.intelRdt = {closID: "a"}' 'linux.intelRdt.closID: '
  refuses '.linux.mountLabel = "system_u:object_r:container_file_t:s0"' 'linux.mountLabel: '
  refuses '.linux.memoryPolicy = {mode: "MPOL_BINDER"}' \
    "linux.memoryPolicy: 'MPOL_BINDER' is no memory policy"
  refuses '.linux.personality = {domain: "MINIX"}' "linux.personality: 'MINIX'"
  refuses '.process.scheduler = {policy: "SCHED_FAIR"}' "process.scheduler: 'SCHED_FAIR'"
  refuses '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}' "process.ioPriority: "
  refuses '.process.execCPUAffinity = {initial: "x"}' "process.execCPUAffinity: 'x'"
  refuses '.hooks.prestart = [{path: "/bin/true", timeout: 0}]' "hooks.prestart[0].timeout: "
  refuses '.linux.netDevices = {eth0: {name: "a/b"}}' "linux.netDevices.eth0.name: "
  refuses '.process.args = "sh"' 'process.args: must be an array, not a string'
  refuses '.linux.namespaces[0].type = "nets"' "linux.namespaces[0].type: 'nets'"
  equal "$(oci list --quiet)" ""
}
