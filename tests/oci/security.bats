# The ways out of containers that were found in runtimes, one test each, and what else must never
# be seen or reached from inside. Each plays the attack and looks at whether it came to anything.

load ../lib/umbel
load ../lib/oci
setup() {
  oci_setup
  outside=$scratch/outside  # what no container may touch
  mkdir "$outside"
  echo untouched >"$outside/file"
  find "$outside" | sort >"$scratch/before"
}
teardown() { oci_teardown; }

# Nothing was made, changed or mounted outside.
outside_is_whole() {
  equal "$(cat "$outside/file")" untouched
  equal "$(find "$outside" | sort)" "$(cat "$scratch/before")"
  lacks "$(cat /proc/self/mountinfo)" " $outside"
}
running() {
  create "$id"
  oci start "$id"
}
all_rights() {
  config '.process.capabilities = ([["bounding", "effective", "permitted"][] |
    {key: ., value: ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_SYS_CHROOT",
      "CAP_KILL", "CAP_MKNOD"]}] | from_entries)'
}
refused() {
  run -1 oci run --bundle "$bundle" "$id"
  contains "$output" "$1"
  equal "$(oci list --quiet)" ""
}

@test "the only descriptors inside are those that were asked for" {
  exec 9<"$outside/file" 8<"$outside"
  # ls itself has the directory open, as 3.
  program ls /proc/self/fd
  equal "$(oci run --bundle "$bundle" "$id" 3>&-)" $'0\n1\n2\n3'
  equal "$(oci run --preserve-fds 1 --bundle "$bundle" "$id" 3<"$outside/file")" $'0\n1\n2\n3\n4'
  program sleep 1000
  running
  equal "$(oci exec "$id" ls /proc/1/fd)" $'0\n1\n2'
  equal "$(oci exec "$id" ls /proc/self/fd 3>&-)" $'0\n1\n2\n3'
  oci delete --force "$id"
  config '.process.terminal = true'
  program sh -c 'ls /proc/self/fd /proc/1/fd; stty size'
  listen "$scratch/socket" "$scratch/said" &
  eventually test -S "$scratch/socket"
  create --console-socket "$scratch/socket" "$id"
  # Also while it waits to be started: its gate and nothing else.
  local fds
  fds=$(ls -l "/proc/$(pid_of "$id")/fd" | grep -c ' -> ')
  ((fds <= 5))
  lacks "$(ls -l "/proc/$(pid_of "$id")/fd")" "$outside"
  oci start "$id"
  wait $! || true
  equal "$(tr -d '\r' <"$scratch/said" | tr -s ' \n' ' ' | cut -d: -f2-)" \
    " 0 1 2 3 /proc/self/fd: 0 1 2 3 0 0 " || contains "$(cat "$scratch/said")" "0  1  2"
  lacks "$(cat "$scratch/said")" 4
}

@test "CVE-2016-9962: nobody inside looks into what enters" {
  all_rights
  # Everything that can be learnt about any process that appears, again and again.
  script 'while :; do for p in /proc/[0-9]*; do
    ls -l $p/fd $p/root/ $p/cwd/; done; done >/seen 2>/dev/null'
  running
  local n
  for n in $(seq 30); do oci exec "$id" true >/dev/null 2>&1 </dev/null; done
  oci kill "$id" KILL
  local seen
  # The first process has this test's own files as its output.
  seen=$(grep -v " -> $scratch/[oe][ur][tr]$" "$bundle/rootfs/seen")
  contains "$seen" bin
  lacks "$seen" "$scratch"
  lacks "$seen" cgroup
  lacks "$seen" "umbel-"
}

@test "CVE-2019-5736: the host's program can't be written to through /proc/PID/exe" {
  all_rights
  program sleep 1000
  # What umbel is linked with, unless it is static.
  ldd "$UMBEL_OCI" 2>/dev/null | grep -o '/[^ )]*' | xargs -r cp -L --parents -t "$bundle/rootfs"
  running
  local sum
  sum=$(sha256sum <"$UMBEL_OCI")
  # A pipe that is full keeps umbel itself, which /proc/self/exe is at that moment, in the container.
  mkfifo "$scratch/full"
  exec 7<>"$scratch/full"
  head -c 65536 /dev/zero >&7
  oci exec "$id" /proc/self/exe help >&7 2>&1 3>&- &
  attack() {
    tries=$(oci exec "$id" sh -c 'for p in /proc/[0-9]*; do
      [ $p/exe -ef /proc/self/exe ] || [ ! -e $p/exe ] && continue
      echo try; echo x >$p/exe
      exec 9<$p/exe; kill -9 ${p#/proc/}; sleep 0.2; echo x >/proc/self/fd/9; done' 2>&1)
    [[ $tries == *try* ]]
  }
  local tries
  eventually attack
  # By its name and by what was opened while it ran.
  equal "$(grep -c "Read-only file system" <<<"$tries")" 2
  equal "$(sha256sum <"$UMBEL_OCI")" "$sum"
  oci kill "$id" KILL
  wait $! || true
}

@test "CVE-2019-19921, 2023-27561: /proc as a link is refused" {
  rmdir "$bundle/rootfs/proc"
  ln -s /tmp "$bundle/rootfs/proc"
  refused "symbolic link"
  rm "$bundle/rootfs/proc"
  ln -s "$outside" "$bundle/rootfs/proc"
  refused "symbolic link"
  outside_is_whole
}

@test "CVE-2019-19921, 2023-27561: a volume over /proc is refused" {
  mkdir -p "$scratch/volume/self/attr"
  config '.mounts += [{destination: "/proc", source: "'"$scratch/volume"'", options: ["bind"]}]'
  refused "/proc is covered"
  config '.mounts = [.mounts[-1]] + .mounts[:-1]' '.mounts += [{destination: "/proc/self",
    type: "tmpfs", source: "x"}]'
  refused "symbolic link"
}

@test "CVE-2021-30465: a destination that is exchanged for a link meanwhile stays inside" {
  needs_command python3
  mkdir -p "$bundle/rootfs/a" "$scratch/volume"
  ln -s "$outside" "$bundle/rootfs/b"
  config '.mounts += [{destination: "/a/deep/er", type: "tmpfs", source: "umbel-attack"}]'
  python3 - "$bundle/rootfs" <<'PY' 3>&- &
import ctypes, os, sys
libc, root = ctypes.CDLL(None), sys.argv[1].encode()
libc.prctl(1, 9)  # PR_SET_PDEATHSIG
while not os.path.exists(root + b"/stop"):
    libc.renameat2(-100, root + b"/a", -100, root + b"/b", 2)  # RENAME_EXCHANGE
PY
  program true
  local n made=0
  for n in $(seq 40); do
    oci run --bundle "$bundle" "$id" >/dev/null 2>&1 && made=$((made + 1))
    outside_is_whole || { touch "$bundle/rootfs/stop"; return 1; }
  done
  touch "$bundle/rootfs/stop"
  wait $! || true
  ((made > 0))
  outside_is_whole
}

@test "CVE-2022-29162: exec --cap leaves the inheritable set empty" {
  program sleep 1000
  running
  contains "$(oci exec --cap CAP_SYS_TIME "$id" grep CapInh /proc/self/status)" 0000000000000000
  config '.process.capabilities.bounding += ["CAP_CHOWN"]'
  contains "$(oci exec "$id" grep CapInh /proc/self/status)" 0000000000000000
}

@test "CVE-2023-28642: labels are written to procfs or not at all" {
  config 'del(.mounts[] | select(.destination == "/proc"))' '.process.apparmorProfile = "none"' \
    '.linux.maskedPaths = []' '.linux.readonlyPaths = []'
  rm -rf "$bundle/rootfs/proc"
  ln -s "/fake" "$bundle/rootfs/proc"
  mkdir -p "$bundle/rootfs/fake/thread-self/attr/apparmor" "$bundle/rootfs/fake/self/attr"
  local file
  for file in thread-self/attr/apparmor/exec thread-self/attr/exec self/attr/exec; do
    echo untouched >"$bundle/rootfs/fake/$file"
  done
  run ! oci run --bundle "$bundle" "$id"
  config 'del(.process.apparmorProfile)' '.process.selinuxLabel = "a:b:c:d"'
  run ! oci run --bundle "$bundle" "$id"
  equal "$(cat "$bundle"/rootfs/fake/*/attr/exec "$bundle"/rootfs/fake/*/attr/*/exec | sort -u)" \
    untouched
}

@test "CVE-2024-21626: no working directory outside of the root" {
  local n
  exec 9<"$outside"
  for n in $(seq 3 12) self/root; do
    config ".process.cwd = \"/proc/self/fd/$n\""
    program sh -c 'pwd -P; cat file ../*/file ../../*/file'
    run oci run --bundle "$bundle" "$id"
    lacks "$output" untouched
    lacks "$output" unreachable
    [[ $n != 9 ]] || contains "$output" "lies outside of the container's root"
  done
  config '.process.cwd = "/"'
  program sleep 1000
  running
  ln -s /proc/self/fd "$bundle/rootfs/fds"
  for n in $(seq 3 12); do
    run oci exec --cwd "/proc/self/fd/$n" "$id" sh -c 'cat file ../*/file; pwd -P'
    lacks "$output" untouched
    run oci exec --cwd "/fds/$n" "$id" sh -c 'cat file ../*/file; pwd -P'
    lacks "$output" untouched
  done
}

@test "CVE-2024-45310: what is missing is made inside, wherever links lead" {
  ln -s "$outside" "$bundle/rootfs/link"
  ln -s ../../../../../../../../"$outside" "$bundle/rootfs/up"
  config '.mounts += [
    {destination: "/link/new/dir", type: "tmpfs", source: "x"},
    {destination: "/up/other", source: "'"$outside/file"'", options: ["bind"]}]'
  program cat /up/other
  equal "$(container)" untouched
  outside_is_whole
  [[ -d $bundle/rootfs$outside/new/dir ]]
}

@test "CVE-2025-31133: masks are the real /dev/null" {
  config 'del(.mounts[] | select(.destination | startswith("/dev")))' \
    '.linux.maskedPaths = ["/etc/passwd", "/etc"]'
  rm -rf "$bundle/rootfs/dev"
  mkdir "$bundle/rootfs/dev"
  ln -s ../../../../../../../"$outside/file" "$bundle/rootfs/dev/null"
  program true
  run oci run --bundle "$bundle" "$id"
  outside_is_whole
  config '.linux.maskedPaths = ["/etc/passwd"]'
  program sh -c 'cat /etc/passwd; stat -c %t:%T /etc/passwd'
  run oci run --bundle "$bundle" "$id"
  lacks "$output" untouched
  [[ $status != 0 ]] || equal "$output" 1:3
}

@test "CVE-2025-52565: the console is a terminal or nothing" {
  config 'del(.mounts[] | select(.destination == "/dev"))' '.process.terminal = true'
  mkdir -p "$bundle/rootfs/dev/pts"
  ln -s ../../../../../../../"$outside/file" "$bundle/rootfs/dev/console"
  program sh -c 'echo written >/dev/console'
  listen "$scratch/socket" "$scratch/said" &
  eventually test -S "$scratch/socket"
  run -1 oci create --bundle "$bundle" --console-socket "$scratch/socket" "$id"
  contains "$output" "/dev/console"
  outside_is_whole
  kill $! 2>/dev/null || true
}

@test "CVE-2025-52881: kernel parameters are written to procfs or not at all" {
  mkdir "$scratch/volume"
  ln -s "$outside/file" "$scratch/volume/shm_rmid_forced"
  config '.mounts += [{destination: "/proc/sys/kernel", source: "'"$scratch/volume"'",
    options: ["bind"]}]' '.linux.sysctl = {"kernel.shm_rmid_forced": "1"}' \
    '.linux.readonlyPaths = []'
  program true
  run oci run --bundle "$bundle" "$id"
  outside_is_whole
  # What was asked for is in force all the same, or it is an error.
  config 'del(.mounts[-1])'
  program cat /proc/sys/kernel/shm_rmid_forced
  equal "$(container)" 1
}

@test "a directory of the host above the root is not reached by dots or links" {
  program sh -c 'cat /../../../../..'"$outside"'/file; ls /..; cd /proc/1/root/..; pwd -P; ls'
  lacks "$(container)" untouched
  lacks "$(container)" boot
}

@test "a process in the container can't be entered through another's name" {
  program sleep 1000
  running
  local pid
  pid=$(pid_of "$id")
  kill -9 "$pid"
  eventually has_status "$id" stopped
  # The pid may be another's by now: the record tells them apart by their start.
  jq '.init.pid = 1' "$OCI_ROOT/containers/$id/state.json" >"$scratch/state"
  cp "$scratch/state" "$OCI_ROOT/containers/$id/state.json"
  has_status "$id" stopped
  run -1 oci kill "$id" TERM
  run -255 oci exec "$id" true
}
