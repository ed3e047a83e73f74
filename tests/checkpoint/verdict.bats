# What the verdict says beforehand is what the dump does: satisfied is carried, and comes back as it
# was; refused is refused, for the same object, and runs on.
load ../lib/umbel
setup() { umbel_setup && needs_root; }
teardown() { umbel_teardown; }

answer() {
  umbel exec a rm -f /tmp/home/verdict
  umbel exec a touch /tmp/home/ask
  eventually umbel exec a test -e /tmp/home/verdict
  umbel exec a cat /tmp/home/verdict
}

@test "satisfied: random programs are carried" {
  for seed in ${UMBEL_SEEDS-1 2 3 4}; do
    umbel run -d --name a --time new --env UMBEL_SEED="$seed" -- sh -c \
      'mkdir /tmp/home && exec "$0" /tmp/home' "$UMBEL_PROGRAMS/checkpoint/random"
    eventually umbel exec a test -e /tmp/home/ready
    equal "$(answer)" right
    run -0 umbel check a --policy migratable
    run -0 umbel checkpoint a
    run -0 umbel restore a
    equal "$(answer)" right
    umbel rm --force a
  done
}

# What a program in python3 has open, and a word by which both know it.
refused='
netlink-socket | import socket; kept = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
packet-socket | import socket; kept = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
io_uring | import ctypes; assert ctypes.CDLL(None).syscall(425, 4, ctypes.create_string_buffer(120)) >= 0
userfaultfd | import ctypes; assert ctypes.CDLL(None).syscall(323, 1) >= 0
secret-memory | import ctypes; assert ctypes.CDLL(None).syscall(447, 0) >= 0
events | import ctypes; c = ctypes.CDLL(None); c.inotify_add_watch(c.inotify_init(), b"/tmp", 256); open("/tmp/x", "w")
datagrams | import socket; kept = socket.socket(type=socket.SOCK_DGRAM); kept.bind(("127.0.0.1", 53)); kept.sendto(b"x", kept.getsockname())
'

@test "refused: by the verdict and by the dump, for the same object" {
  local word code pid object
  while IFS='|' read -r word code; do
    word=${word% }
    [[ -n $word ]] || continue
    umbel run -d --name a --time new --seccomp off -- python3 -c "import os, time
${code# }
print('ready', flush=True)
time.sleep(1000)"
    is_ready() { [[ $(umbel logs a 2>&1) == *ready* ]]; }
    eventually is_ready
    run -1 umbel check a --policy migratable --json
    object=$(jq -r ".offenders[] | select(.why | contains(\"$word\")).object" <<<"$output")
    [[ -n $object ]]
    # The dump has nothing of the verdict to go by: it is asked for this process from outside.
    pid=$(pgrep --parent "$(umbel show --json a | jq .pid)")
    mkdir images
    run -1 "$UMBEL_CRIU" dump --tree "$pid" --images-dir images --leave-running
    contains "$output" "$object"
    contains "$output" "$word"
    rm -r images
    equal "$(umbel ps --json | jq -r '.[].status')" running
    umbel rm --force a
  done <<<"$refused"
}
