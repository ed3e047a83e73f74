# umbel-oci checkpoint and restore: a container goes on where it was.
load ../lib/umbel
load ../lib/oci

setup() { oci_setup; }
teardown() { oci_teardown; }

# A shell that counts, says so, and keeps a file open.
counts() {
  script 'i=0; exec 7>>/kept; while :; do i=$((i + 1)); echo $i; echo $i >&7; sleep 0.05; done'
}
# run_detached FILE: its output goes there
run_detached() { oci run --detach --bundle "$bundle" "$id" >>"$1" 2>"$scratch/err" </dev/null 3>&-; }
checkpoint() { oci checkpoint --image-path "$scratch/image" --work-path "$scratch/work" "$@"; }
restore() {
  oci restore --detach --bundle "$bundle" --image-path "$scratch/image" \
    --work-path "$scratch/work" "$@" 3>&-
}
at_least() { (($(tail -n 1 "$2" 2>/dev/null || echo 0) >= $1)); }
goes_on() {
  local before
  before=$(tail -n 1 "$1")
  eventually at_least $((before + 3)) "$1"
}

@test "it goes on where it was, with other descriptors for its output" {
  counts
  run_detached "$scratch/first"
  eventually at_least 5 "$scratch/first"
  checkpoint "$id"
  [[ -s $scratch/work/stats-dump && -s $scratch/work/dump.log ]]
  run -1 oci state "$id"
  contains "$output" "does not exist"
  local last
  last=$(tail -n 1 "$scratch/first")
  restore --pid-file "$scratch/pid" "$id" >"$scratch/second" 2>&1 </dev/null
  has_status "$id" running
  equal "$(cat "$scratch/pid")" "$(pid_of "$id")"
  eventually at_least $((last + 5)) "$scratch/second"
  (($(head -n 1 "$scratch/second") <= last + 1))
  equal "$(tail -n 1 "$scratch/first")" "$last"
  # Every number once: nothing was done twice or left out.
  equal "$(awk '$1 != NR' "$bundle/rootfs/kept")" ""
  # And again.
  checkpoint "$id"
  restore "$id" >"$scratch/third" 2>&1 </dev/null
  goes_on "$scratch/third"
  oci kill "$id" KILL
}

@test "a shell, its subshell, and what that runs" {
  script '(while :; do echo $((i += 1)); sleep 0.1; done) & wait'
  run_detached "$scratch/out"
  eventually at_least 3 "$scratch/out"
  for _ in 1 2 3; do
    checkpoint "$id"
    restore "$id" >>"$scratch/out" 2>&1 </dev/null
    goes_on "$scratch/out"
  done
  equal "$(awk '$1 != NR' "$scratch/out")" ""
}

@test "pids, names, cgroup, capabilities and filters are as they were" {
  script 'echo $$ >/pid; sleep 1000 & echo $! >/child; while :; do
    if test -e /ask; then rm /ask; grep -E "^(Cap|Seccomp:|NoNewPrivs|Uid)" /proc/self/status
      hostname; kill -0 $(cat /child) && echo child; cat /proc/self/cgroup; fi; sleep 0.05; done'
  config '.hostname = "there"' '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{names: ["sethostname"], action: "SCMP_ACT_ERRNO"}]}'
  run_detached "$scratch/out"
  eventually test -e "$bundle/rootfs/child"
  touch "$bundle/rootfs/ask"
  eventually grep -q child "$scratch/out"
  sleep 0.3
  checkpoint "$id"
  restore "$id" >"$scratch/again" 2>&1 </dev/null
  touch "$bundle/rootfs/ask"
  eventually grep -q child "$scratch/again"
  sleep 0.3
  equal "$(cat "$scratch/again")" "$(cat "$scratch/out")"
  equal "$(cat "$bundle/rootfs/pid")" 1
  # Others can enter it.
  contains "$(oci exec "$id" ps)" "sleep 1000"
  oci pause "$id"
  has_status "$id" paused
  oci resume "$id"
}

@test "leave running; a paused container stays paused" {
  counts
  run_detached "$scratch/out"
  eventually at_least 3 "$scratch/out"
  checkpoint --leave-running "$id"
  has_status "$id" running
  goes_on "$scratch/out"
  oci pause "$id"
  checkpoint --leave-running "$id"
  has_status "$id" paused
  oci resume "$id"
  goes_on "$scratch/out"
  oci pause "$id"
  checkpoint "$id"
  restore "$id" >"$scratch/again" 2>&1 </dev/null
  goes_on "$scratch/again"
}

@test "a terminal: whoever restores it gets the new master" {
  config '.process.terminal = true' '.process.consoleSize = {height: 33, width: 101}'
  script 'stty -echo; stty size; while :; do echo "tick $(tty)"; sleep 0.1; done'
  listen "$scratch/socket" "$scratch/screen" &
  eventually test -e "$scratch/socket"
  oci run --detach --console-socket "$scratch/socket" --bundle "$bundle" "$id" 3>&-
  eventually grep -q "tick /dev/pts/0" "$scratch/screen"
  checkpoint "$id"
  run -1 restore "$id"
  contains "$output" "console-socket"
  listen "$scratch/socket2" "$scratch/screen2" &
  eventually test -e "$scratch/socket2"
  restore --console-socket "$scratch/socket2" "$id"
  eventually grep -q "tick /dev/pts/0" "$scratch/screen2"
  equal "$(oci exec "$id" stty -F /dev/pts/0 size)" "33 101"
  contains "$(oci exec "$id" stty -F /dev/pts/0 -a)" "-echo"
}

@test "pre-dump: memory ahead, then the rest" {
  "${UMBEL}-criu" check --feature mem_dirty_track || skip "the kernel does not track writes"
  counts
  run_detached "$scratch/out"
  eventually at_least 3 "$scratch/out"
  oci checkpoint --pre-dump --image-path "$scratch/before" "$id"
  has_status "$id" running
  checkpoint --parent-path ../before "$id"
  (($(stat -c %s "$scratch/image/pages"*) < $(stat -c %s "$scratch/before/pages"*)))
  restore "$id" >"$scratch/again" 2>&1 </dev/null
  goes_on "$scratch/again"
}

@test "in the foreground, until it ends: its exit code" {
  script 'while ! test -e /go; do sleep 0.05; done; echo done; exit 7'
  run_detached "$scratch/out"
  checkpoint "$id"
  touch "$bundle/rootfs/go"
  run -7 oci restore --bundle "$bundle" --image-path "$scratch/image" "$id"
  equal "$output" "done"
  run -1 oci state "$id"
}

@test "hooks run as at a start, and at the end of the one that was checkpointed" {
  counts
  config '.hooks = {
    prestart: [{path: "/bin/sh", args: ["sh", "-c", "echo prestart >>'"$scratch"'/hooks"]}],
    poststart: [{path: "/bin/sh", args: ["sh", "-c", "echo poststart >>'"$scratch"'/hooks"]}],
    poststop: [{path: "/bin/sh", args: ["sh", "-c", "echo poststop >>'"$scratch"'/hooks"]}]}'
  run_detached "$scratch/out"
  checkpoint "$id"
  restore "$id" >"$scratch/again" 2>&1 </dev/null
  equal "$(xargs <"$scratch/hooks")" "prestart poststart poststop prestart poststart"
}

@test "a checkpoint that fails leaves the container running" {
  counts
  run_detached "$scratch/out"
  eventually at_least 3 "$scratch/out"
  run -1 checkpoint --parent-path ../nothing "$id"
  contains "$output" "--parent-path"
  goes_on "$scratch/out"
  run -1 oci checkpoint --image-path /dev/null "$id"
  goes_on "$scratch/out"
  mkdir "$scratch/full"
  mount -t tmpfs -o size=64k tmpfs "$scratch/full"
  run -1 oci checkpoint --image-path "$scratch/full/image" --work-path "$scratch/work" "$id"
  umount "$scratch/full"
  contains "$output" "no space left on device"
  contains "$(cat "$scratch/work/dump.log")" "Error: "
  has_status "$id" running
  goes_on "$scratch/out"
  oci exec "$id" touch /dev/shm/file
  run -1 checkpoint "$id"
  contains "$output" "the tmpfs at /dev/shm has files"
  goes_on "$scratch/out"
  oci exec "$id" rm /dev/shm/file
  checkpoint "$id"
}

@test "a restore that fails leaves nothing" {
  counts
  run_detached "$scratch/out"
  eventually at_least 3 "$scratch/out"
  checkpoint "$id"
  local mounts groups
  mounts=$(findmnt -rn | wc -l)
  groups=$(find /sys/fs/cgroup -type d -path '*umbel-test*' | wc -l)
  mv "$bundle/rootfs/kept" "$scratch/kept"
  run -1 restore "$id"
  contains "$output" /kept
  run -1 oci state "$id"
  contains "$output" "does not exist"
  mv "$scratch/kept" "$bundle/rootfs/kept"
  run -1 oci restore --detach --bundle "$bundle" --image-path "$scratch/nothing" "$id"
  contains "$output" "$scratch/nothing"
  printf x | dd of="$scratch/image/$(ls "$scratch/image" | grep pages | head -n 1)" bs=1 seek=4096 \
    conv=notrunc 2>/dev/null
  run -1 restore "$id"
  contains "$output" checksum
  equal "$(findmnt -rn | wc -l)" "$mounts"
  equal "$(find /sys/fs/cgroup -type d -path '*umbel-test*' | wc -l)" "$groups"
  equal "$(oci list --quiet)" ""
}

@test "options: runc's, and refusals by name" {
  counts
  run_detached "$scratch/out"
  local option
  for option in --lazy-pages --auto-dedup "--page-server 1.2.3.4:5" "--lsm-profile apparmor:x" \
    "--manage-cgroups-mode some" "--empty-ns mount"; do
    # shellcheck disable=SC2086
    run -1 checkpoint $option "$id"
    contains "$output" "${option%% *}"
  done
  has_status "$id" running
  run -1 checkpoint nothing
  contains "$output" "does not exist"
  run -1 oci restore --lsm-mount-context
  contains "$output" "flag needs an argument"  # podman asks so whether pods can be restored
  checkpoint --tcp-established --ext-unix-sk --shell-job --file-locks --empty-ns network \
    --manage-cgroups-mode ignore "$id"
  restore --tcp-established --ext-unix-sk --shell-job --file-locks --empty-ns network \
    --manage-cgroups-mode ignore --no-subreaper "$id" >"$scratch/again" 2>&1 </dev/null
  goes_on "$scratch/again"
  run -1 checkpoint --work-path "$scratch/work" "$id" extra
}
