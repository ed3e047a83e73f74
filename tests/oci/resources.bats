# linux.resources, as the kernel's files show it while the container waits to be started; and what
# this host can't keep, which is refused with its path.

load ../lib/umbel
load ../lib/oci
setup() {
  oci_setup
  program sleep 1000
}
teardown() { oci_teardown; }

resources() { config ".linux.resources += $1"; }
# in_force CONTROLLER FILE: of the container's cgroup, on either version
in_force() {
  local v1=/sys/fs/cgroup/$1/umbel-test/$id/$2 v2=/sys/fs/cgroup/umbel-test/$id/$2
  cat "$v1" 2>/dev/null || cat "$v2"
}
needs_v1() { [[ -d /sys/fs/cgroup/$1 ]] || skip "needs version 1 of the cgroup controller $1"; }
refused() {
  run -1 oci create --bundle "$bundle" "$id"
  contains "$output" "umbel-oci: linux.resources: "
  contains "$output" "$1"
  equal "$(oci list --quiet)" ""
  [[ ! -e /sys/fs/cgroup/memory/umbel-test/$id ]]
}

@test "memory" {
  needs_v1 memory
  resources '{memory: {limit: 33554432, reservation: 16777216, swappiness: 10, kernelTCP: 1048576,
    disableOOMKiller: true, useHierarchy: true, checkBeforeUpdate: true}}'
  create "$id"
  equal "$(in_force memory memory.limit_in_bytes)" 33554432
  equal "$(in_force memory memory.soft_limit_in_bytes)" 16777216
  equal "$(in_force memory memory.swappiness)" 10
  equal "$(in_force memory memory.kmem.tcp.limit_in_bytes)" 1048576
  contains "$(in_force memory memory.oom_control)" "oom_kill_disable 1"
  equal "$(in_force memory memory.use_hierarchy)" 1
}

@test "memory and swap" {
  needs_v1 memory
  [[ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ]] || skip "this kernel counts no swap"
  resources '{memory: {limit: 33554432, swap: 67108864}}'
  create "$id"
  equal "$(in_force memory memory.memsw.limit_in_bytes)" 67108864
  oci update --memory 128m --memory-swap 256m --memory-reservation 64m "$id"
  equal "$(in_force memory memory.limit_in_bytes)" 134217728
  equal "$(in_force memory memory.memsw.limit_in_bytes)" 268435456
  equal "$(in_force memory memory.soft_limit_in_bytes)" 67108864
}

@test "processors" {
  needs_v1 cpu
  needs_v1 cpuset
  resources '{cpu: {shares: 100, quota: 50000, period: 200000, burst: 10000, cpus: "0", mems: "0"}}'
  create "$id"
  equal "$(in_force cpu cpu.shares)" 100
  equal "$(in_force cpu cpu.cfs_quota_us)" 50000
  equal "$(in_force cpu cpu.cfs_period_us)" 200000
  equal "$(in_force cpu cpu.cfs_burst_us)" 10000
  equal "$(in_force cpuset cpuset.cpus)" 0
  equal "$(in_force cpuset cpuset.mems)" 0
  oci update --cpu-share 200 --cpu-quota 60000 --cpu-period 300000 --cpu-burst 0 "$id"
  equal "$(in_force cpu cpu.shares)" 200
  equal "$(in_force cpu cpu.cfs_quota_us)" 60000
  equal "$(in_force cpu cpu.cfs_period_us)" 300000
  equal "$(in_force cpu cpu.cfs_burst_us)" 0
}

@test "processors that nobody else wants" {
  needs_v1 cpu
  resources '{cpu: {idle: 1}}'
  create "$id"
  equal "$(in_force cpu cpu.idle)" 1
}

@test "huge pages" {
  local size
  size=$(basename "$(ls -d /sys/kernel/mm/hugepages/hugepages-2048kB 2>/dev/null)")
  [[ -n $size ]] || skip "needs huge pages of 2 MB"
  resources '{hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}'
  create "$id"
  equal "$(cat /sys/fs/cgroup/{unified/,hugetlb/,}"umbel-test/$id"/hugetlb.2MB.{max,limit_in_bytes} \
    2>/dev/null)" 4194304
}

@test "block I/O" {
  needs_v1 blkio
  local device
  device=$(awk 'NR > 2 && $4 !~ /[0-9]$/ { print $1 ":" $2; exit }' /proc/partitions)
  [[ -n $device ]] || skip "needs a disk"
  resources "{blockIO: {throttleReadBpsDevice: [{major: ${device%:*}, minor: ${device#*:},
    rate: 1048576}], throttleWriteIOPSDevice: [{major: ${device%:*}, minor: ${device#*:},
    rate: 77}]}}"
  create "$id"
  equal "$(in_force blkio blkio.throttle.read_bps_device)" "$device 1048576"
  equal "$(in_force blkio blkio.throttle.write_iops_device)" "$device 77"
}

@test "what is used is told once, and again and again" {
  create "$id"
  oci start "$id"
  equal "$(oci events --stats "$id" | jq -r '.type, .id, (.data.memory.usage.usage > 0),
    (.data.cpu.usage.total > 0), .data.pids.current')" "stats"$'\n'"$id"$'\n'true$'\n'true$'\n'1
  oci events --interval 100ms "$id" >"$scratch/events" 3>&- &
  several() { (($(wc -l <"$scratch/events") >= 3)); }
  eventually several
  oci kill "$id" KILL
  wait $!
  equal "$(jq -r .type "$scratch/events" | sort -u)" stats
}

@test "running out of memory is an event" {
  needs_v1 memory
  resources '{memory: {limit: 16777216, swap: 16777216}}'
  script 'sleep 1; tail /dev/zero; sleep 1000'
  create "$id"
  oci start "$id"
  oci events --interval 100ms "$id" >"$scratch/events" 3>&- &
  told() { jq -r .type "$scratch/events" | grep -q oom; }
  eventually told
  oci kill "$id" KILL
  wait $!
}

@test "what this host can't keep is refused by its path" {
  needs_v1 memory
  resources '{rdma: {mlx5_1: {hcaHandles: 3}}}'
  grep -qw rdma /proc/cgroups || refused "rdma"
  resources '{rdma: null, unified: {"memory.high": "1000000"}}'
  refused "unified"
  resources '{unified: null, network: {classID: 5}}'
  [[ -d /sys/fs/cgroup/net_cls ]] || refused "network.classID"
  resources '{network: null, hugepageLimits: [{pageSize: "3MB", limit: 1}]}'
  refused "hugepageLimits"
  resources '{hugepageLimits: null, cpu: {cpus: "9999"}}'
  refused "cpu.cpus"
}

@test "what the kernel refuses of a process is told by its path" {
  told() {
    cp "$bundle/config.json" "$scratch/before"
    config "$1"
    run -1 oci create --bundle "$bundle" "$id"
    contains "$output" "$2: "
    cp "$scratch/before" "$bundle/config.json"
  }
  [[ -d /sys/kernel/security/apparmor ]] ||
    told '.process.apparmorProfile = "x"' process.apparmorProfile
  [[ -d /sys/fs/selinux ]] || told '.process.selinuxLabel = "x"' process.selinuxLabel
  told '.process.rlimits = [{type: "RLIMIT_NOFILL", soft: 1, hard: 1}]' process.rlimits
  told '.process.oomScoreAdj = 2000' process.oomScoreAdj
  told '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1000"}' linux.memoryPolicy
  told '.linux.seccomp = {defaultAction: "SCMP_ACT_FLY"}' linux.seccomp
  told '.linux.devices = [{path: "/dev/x", type: "q"}]' 'linux.devices[0].type'
}
