# For tests of umbel-oci, after lib/umbel:
#
#   load ../lib/umbel
#   load ../lib/oci
#   setup() { oci_setup; }            teardown() { oci_teardown; }

: "${UMBEL_OCI:=${UMBEL%/*}/umbel-oci}"

# A state directory of its own, and a bundle ($bundle) whose program prints "hello".
oci_setup() {
  umbel_setup
  needs_root
  OCI_ROOT=$scratch/oci
  bundle=$scratch/bundle
  id=oci-$BATS_SUITE_TEST_NUMBER-$$
  mkdir -p "$bundle"
  rootfs "$bundle/rootfs"
  oci spec --bundle "$bundle"
  config '.process.terminal = false' '.process.args = ["echo", "hello"]' \
    '.root.readonly = false' '.process.rlimits = []' \
    ".linux.cgroupsPath = \"/umbel-test/$id\""
}

oci_teardown() {
  local name
  for name in $(oci list --quiet 2>/dev/null); do oci delete --force "$name" || true; done
  umbel_teardown
}

oci() { "$UMBEL_OCI" --root "$OCI_ROOT" "$@"; }

# config FILTER...: changes the bundle's config.json by jq
config() {
  local filter
  for filter in "$@"; do
    jq "$filter" "$bundle/config.json" >"$bundle/config.new"
    mv "$bundle/config.new" "$bundle/config.json"
  done
}

# program WORD...: what the container runs
program() { config ".process.args = $(jq -cn '$ARGS.positional' --args -- "$@")"; }
# The same as a line for the shell in it.
script() { program sh -c "$1"; }

# The words of the container's output; its errors too.
container() { oci run --bundle "$bundle" "$id" 2>&1 </dev/null; }
status_of() { oci state "$1" | jq -r .status; }
pid_of() { oci state "$1" | jq -r .pid; }
has_status() { equal "$(status_of "$1")" "$2"; }

# What is created keeps the caller's descriptors, and bats waits for the end of its own.
create() { oci create --bundle "$bundle" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null 3>&-; }

# listen SOCKET FILE &: takes a terminal's master there, and writes what comes out of it into FILE.
# It is itself the process that $! names, and keeps nothing of bats, which would wait for it.
listen() {
  exec python3 - "$1" >"$2" 3>&- <<'PY'
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(sys.argv[1] + ".new")
server.listen(1)
os.rename(sys.argv[1] + ".new", sys.argv[1])
client, _ = server.accept()
_, control, _, _ = client.recvmsg(100, 100)
master = array.array("i", control[0][2])[0]
try:
    while chunk := os.read(master, 100):
        sys.stdout.write(chunk.decode())
        sys.stdout.flush()
except OSError:
    pass
PY
}
