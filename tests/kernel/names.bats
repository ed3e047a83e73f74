# Namespaces with names, as root.
load ../lib/umbel
setup() {
  umbel_setup && needs_root
  [[ -d /run/netns ]] || netns_is_new=1
  unique=ut$$  # net names are the host's
}
teardown() {
  local name
  [[ -z ${background-} ]] || kill -KILL $background 2>/dev/null || true
  for name in $(umbel ns list -q 2>/dev/null); do
    [[ $name == net/* && $name != net/$unique* ]] || umbel ns rm --force "$name"
  done
  umbel_teardown
  [[ -z ${netns_is_new-} ]] || { umount /run/netns && rmdir /run/netns; } 2>/dev/null || true
}

link() { readlink "/proc/self/ns/$1"; }
id_of() { umbel ns show --json "$1" | jq .id; }

@test "a namespace of each kind lives without a process, is joined by run and exec, and ends by rm" {
  for kind in user mnt net ipc uts cgroup time; do
    equal "$(umbel ns create $kind $unique)" "$kind/$unique"
    inode=$(id_of $kind/$unique)
    equal "$(umbel ns show --json $kind/$unique | jq '.users, .holder')" $'0\nnull'
    equal "$(umbel ns exec $kind/$unique -- readlink /proc/self/ns/$kind)" "$kind:[$inode]"
    [[ $(link $kind) != "$kind:[$inode]" ]]
  done
  for kind in mnt net ipc uts cgroup time; do
    option=$kind && [[ $kind != cgroup ]] || option=cgroupns
    equal "$(umbel run --rm --$option ns:$unique -- readlink /proc/self/ns/$kind)" \
      "$kind:[$(id_of $kind/$unique)]"
  done
  equal "$(umbel run --rm --userns ns:$unique -- readlink /proc/self/ns/user)" \
    "user:[$(id_of user/$unique)]"
  run -125 umbel ns show $unique
  contains "$output" "KIND/NAME"
  for kind in user mnt net ipc uts cgroup time; do umbel ns rm $kind/$unique; done
  equal "$(umbel ns list -q | grep $unique || true)" ""
  [[ ! -e $UMBEL_HOME/ns ]]
}

@test "net: a macvlan on a link from here, and a link from here that moves in" {
  # In a network namespace of the test's own, in place of the host's.
  unique=$unique unshare --net bash -e <<'INSIDE'
    ip link add up0 type veth peer name up1
    ip link set up0 up && ip link set up1 up
    "$UMBEL" ns create net $unique --link lan=macvlan:up0 --link wire=host:up1 \
      --address wire=10.9.8.1/24 >/dev/null
    "$UMBEL" ns exec net/$unique -- ip -json -details link >links
    ! ip link show up1 2>/dev/null
    ! "$UMBEL" ns create net $unique-2 --link lan=macvlan:up7 2>refusal
    "$UMBEL" ns rm net/$unique
INSIDE
  equal "$(jq -r '.[] | select(.ifname == "lan") | .linkinfo.info_kind, .operstate' links)" \
    $'macvlan\nUP'
  equal "$(jq -r '.[] | select(.ifname == "wire").linkinfo.info_kind' links)" veth
  contains "$(cat refusal)" "there is no link up7 here"
  [[ ! -e /run/netns/$unique-2 ]]
}

@test "a pid namespace has a holder of less than 80 KB, which reaps, and ends with it" {
  umbel ns create pid p
  holder=$(umbel ns show --json p | jq .holder)
  equal "$(cat /proc/$holder/comm)" umbel-holder
  equal "$(awk '/^NSpid/{print $NF}' /proc/$holder/status)" 1
  (($(awk '/^Pss:/{print $2}' /proc/$holder/smaps_rollup) < 80))
  (($(awk '/^VmRSS:/{print $2}' /proc/$holder/status) < 80))
  equal "$(ls /proc/$holder/fd | wc -l)" 0
  # A grandchild whose parent ends is the holder's to reap.
  umbel ns exec p -- sh -c 'sleep 0.2 & exit 0'
  pid=$(umbel ns exec p -- sh -c 'echo $$')
  ((pid > 1))
  sleep 0.5
  equal "$(cat /proc/$holder/task/$holder/children)" ""
  equal "$(umbel run --rm --pid ns:p -- readlink /proc/self/ns/pid)" "pid:[$(id_of p)]"
  kill -TERM $holder
  umbel run -d --name a --pid ns:p -- sleep 1000
  run -125 umbel ns rm p
  contains "$output" "in use"
  umbel ns rm --force p
  eventually test ! -e /proc/$holder
  equal "$(umbel wait a)" 137
}

@test "a pid namespace whose holder was killed has ended, and says so" {
  umbel ns create pid p
  kill -KILL "$(umbel ns show --json p | jq .holder)"
  life() { umbel ns show --json p | jq -r .life; }
  ended() { [[ $(life) == ended ]]; }
  eventually ended
  run -125 umbel run --rm --pid ns:p -- true
  contains "$output" "has ended"
  contains "$output" "umbel ns rm pid/p"
  umbel ns rm p
}

@test "settings at creation: names, maps, clocks, parameters" {
  umbel ns create uts u --hostname studio --domainname example.org
  equal "$(umbel ns exec u -- hostname)" studio
  equal "$(umbel ns exec u -- sysctl -n kernel.domainname)" example.org
  umbel ns create user m --uid-map 0:100000:10 --uid-map 10:200000:5 --gid-map 0:300000:1
  equal "$(umbel ns show --json m | jq -c '[.settings.uidMap[] | [.containerID, .hostID, .size]]')" \
    '[[0,100000,10],[10,200000,5]]'
  equal "$(umbel ns exec m -- sh -c 'id -u; stat -Lc %u /proc/self')" $'0\n0'
  umbel ns create time t --time-offset 10d
  before=$(cut -d. -f1 /proc/uptime)
  after=$(umbel ns exec t -- cut -d. -f1 /proc/uptime)
  ((after - before >= 864000 && after - before < 864100))
  umbel ns create ipc i --sysctl kernel.msgmax=4242
  equal "$(umbel ns exec i -- sysctl -n kernel.msgmax)" 4242
  [[ $(sysctl -n kernel.msgmax) != 4242 ]]
  umbel ns create net $unique --sysctl net.ipv4.ip_default_ttl=33
  equal "$(umbel ns exec net/$unique -- sysctl -n net.ipv4.ip_default_ttl)" 33
  run -125 umbel ns create ipc j --sysctl vm.swappiness=1
  contains "$output" "host's"
  run -125 umbel ns create ipc j --hostname x
  contains "$output" "uts"
}

@test "a network with a cable, an address, a route: packets pass" {
  needs_command ip
  umbel ns create net $unique --link eth0=veth:$unique --link br0=bridge \
    --address eth0=10.213.77.2/24 --address eth0=fd77::2/64 --route default=10.213.77.1
  ip addr add 10.213.77.1/24 dev $unique
  equal "$(umbel ns exec net/$unique -- ip -o -4 addr show eth0 | awk '{print $4}')" 10.213.77.2/24
  contains "$(umbel ns exec net/$unique -- ip -6 addr show eth0)" fd77::2/64
  contains "$(umbel ns exec net/$unique -- ip route)" "default via 10.213.77.1"
  equal "$(umbel ns exec net/$unique -- cat /proc/net/dev | grep -c 'br0\|eth0\|lo')" 3
  umbel run -d --name server --net ns:$unique -- python3 -c '
import socket
s = socket.create_server(("10.213.77.2", 7000))
while True: s.accept()[0].send(b"here")'
  eventually python3 -c 'import socket; assert socket.create_connection(("10.213.77.2", 7000)).recv(9) == b"here"'
  umbel rm --force server
  umbel ns rm net/$unique
  eventually test ! -e /sys/class/net/$unique
}

@test "a failed step leaves nothing: neither name nor namespace nor link" {
  run -125 umbel ns create net $unique --link eth0=veth:$unique --address nosuch=10.0.0.1/8
  contains "$output" "nosuch"
  run -125 umbel ns create net $unique --link eth0=veth:$unique --route default=10.0.0.1
  contains "$output" "gateway"
  run -125 umbel ns create mnt m --rootfs /nonexistent
  run -125 umbel ns create user x --uid-map 0:4294967295:5
  run -125 umbel ns create time t --time-offset -100000d
  run -125 umbel ns create uts 'a b'
  run -125 umbel ns create uts ../x
  equal "$(umbel ns list -q | grep -v '^net/' || true)" ""
  [[ ! -e /run/netns/$unique ]]
  eventually test ! -e /sys/class/net/$unique
  [[ ! -e $UMBEL_HOME/ns ]]
}

@test "a mount namespace from a rootfs and over the host's files" {
  rootfs "$scratch/root"
  umbel ns create mnt r --rootfs "$scratch/root"
  equal "$(umbel ns exec r -- /bin/sh -c 'echo kept >/tmp/x; cat /tmp/x; ls /bin/busybox')" $'kept\n/bin/busybox'
  equal "$(cat "$scratch/root/tmp/x")" kept
  umbel ns create mnt o
  umbel ns exec o -- sh -c 'echo changed >/etc/umbel-names'
  equal "$(umbel run --rm --mnt ns:o -- cat /etc/umbel-names)" changed
  [[ ! -e /etc/umbel-names ]]
  run -125 umbel run --rm --mnt ns:o --hostname x --volume /tmp:/mnt -- true
  contains "$output" "--volume"
}

@test "names of kind net are those of ip netns, both ways" {
  needs_command ip
  umbel ns create net $unique-a
  contains "$(ip netns list)" $unique-a
  equal "$(ip netns exec $unique-a readlink /proc/self/ns/net)" "net:[$(id_of net/$unique-a)]"
  ip netns add $unique-b
  equal "$(umbel run --rm --net ns:$unique-b -- readlink /proc/self/ns/net)" "net:[$(id_of net/$unique-b)]"
  run -125 umbel ns create net $unique-b
  contains "$output" "taken"
  ip netns del $unique-a
  run -125 umbel ns show net/$unique-a
  contains "$output" "there is no namespace"
  umbel ns rm net/$unique-b
  lacks "$(ip netns list)" $unique-b
}

@test "several are joined at once; two of a kind are not" {
  umbel ns create uts a --hostname both
  umbel ns create ipc a
  umbel ns create uts b
  equal "$(umbel ns exec uts/a ipc/a -- sh -c 'hostname; readlink /proc/self/ns/ipc')" \
    "both"$'\n'"ipc:[$(id_of ipc/a)]"
  run -125 umbel ns exec uts/a uts/b -- true
  contains "$output" "both of kind uts"
  run -127 umbel ns exec uts/a -- /nonexistent
  run -3 umbel ns exec b sh -c 'exit 3'
}

@test "users are counted, with their containers, and rm is refused while there are some" {
  umbel ns create ipc i
  umbel run -d --name a --ipc ns:i -- sleep 1000
  umbel create --name later --ipc ns:i -- true
  # The reaper and the command.
  equal "$(umbel ns show --json i | jq -c '[.users, (.processes | map(.container) | unique), .containers]')" \
    '[2,["a"],["a","later"]]'
  run -125 umbel ns rm i
  contains "$output" "in use by 2 processes"
  umbel ns rm --force i
  equal "$(umbel ps --json | jq -r '.[] | select(.name=="a").status')" running
  run -125 umbel start later
  contains "$output" "there is no namespace ipc/i"
}

@test "a named user namespace owns what is made in it" {
  umbel ns create user owner --uid-map 0:100000:1000
  umbel ns create net $unique --userns owner
  umbel ns create ipc i --userns owner
  equal "$(umbel ns show --json net/$unique | jq -r .ownerName)" user/owner
  equal "$(umbel ns show --json owner | jq -c '.owns | sort')" "[\"ipc/i\",\"net/$unique\"]"
  equal "$(umbel run --rm --userns ns:net/$unique --net ns:$unique -- readlink /proc/self/ns/user)" \
    "user:[$(id_of owner)]"
  umbel ns create user inner --userns owner --uid-map 0:5:10
  equal "$(umbel ns show --json inner | jq -r .ownerName)" user/owner
  umbel ns create pid p --userns owner
  equal "$(umbel ns show --json p | jq -r .ownerName)" user/owner
}

@test "adopt: a process's namespaces, one of them, a file; they outlive what made them" {
  unshare --uts --ipc --net sh -c 'hostname foreign; exec sleep 1000' 3>&- &
  pid=$! background=$!
  eventually grep -q sleep /proc/$pid/comm
  equal "$(umbel ns adopt $pid --name f --kind uts)" uts/f
  umbel ns adopt /proc/$pid/ns/ipc --name g
  run -125 umbel ns adopt $pid --name f
  contains "$output" "taken"
  equal "$(umbel ns list -q | grep -cE '^(net|ipc)/f$' || true)" 0
  kill $pid
  wait $pid || true
  equal "$(umbel ns exec f -- hostname)" foreign
  run -125 umbel ns adopt $$ --name mine
  contains "$output" "same namespaces"
  run -125 umbel ns adopt /etc/passwd --name p
  contains "$output" "no namespace"
}

@test "an adopted pid namespace is not umbel's to end" {
  unshare --pid --fork sleep 1000 3>&- &
  eventually pgrep -P $! sleep
  pid=$(pgrep -P $! sleep) background=$pid
  umbel ns adopt $pid --name p --kind pid
  equal "$(umbel ns show --json p | jq .holder)" null
  umbel ns rm --force p
  kill -0 $pid
  kill -KILL $pid
}

@test "what a killed umbel leaves is shown, removed and replaced" {
  umbel ns create uts u
  umount "$UMBEL_HOME/ns/uts/u"  # as if it had died between the file and the bind
  equal "$(umbel ns show --json u | jq -r .life)" lost
  run -125 umbel run --rm --uts ns:u -- true
  contains "$output" "lost"
  umbel ns create uts u --hostname again
  equal "$(umbel ns exec u -- hostname)" again
  umount "$UMBEL_HOME/ns/uts/u"
  umbel ns rm u
}

@test "a misspelt name or kind is answered with the right one" {
  umbel ns create uts studio
  run -125 umbel ns exec studoi -- true
  contains "$output" "studio"
  run -125 umbel run --rm --uts ns:studoi -- true
  contains "$output" "studio"
  run -125 umbel ns create nett x
  contains "$output" "net"
  run -125 umbel ns crate uts x
  contains "$output" "ns create"
}

@test "two umbels that take the same name at once: one gets it" {
  for i in 1 2 3 4 5 6; do
    umbel ns create uts same >"out$i" 2>/dev/null &
  done
  wait
  equal "$(cat out? | sort | uniq -c | awk '{print $1, $2}')" "1 uts/same"
}
