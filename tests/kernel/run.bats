# What a person meets who runs a command.
load ../lib/umbel
setup() { umbel_setup && needs_root; }
teardown() { umbel_teardown; }

@test "the exit status is the command's own" {
  umbel run --rm -- true
  run -7 umbel run --rm -- sh -c 'exit 7'
  run -143 umbel run --rm -- sh -c 'kill -TERM $$'
  run -137 umbel run --rm --no-init -- sh -c 'sh -c "kill -KILL \$\$"; exit 137'
}

@test "a command that does not exist is 127, one that cannot be executed 126, umbel's own failure 125" {
  run -127 umbel run --rm -- no-such-command
  contains "$output" no-such-command
  run -126 umbel run --rm -- /etc/passwd
  run -125 umbel run --rm --no-such-option -- true
  run -125 umbel run --rm --rootfs /no/such/directory -- true
  contains "$output" /no/such/directory
  equal "$(umbel ps -aq)" ""
}

@test "an image name is answered with what umbel takes instead" {
  run -127 umbel run --rm alpine sh
  contains "$output" --rootfs
}

@test "misspelt options, kinds and sources are answered with what was probably meant" {
  run -125 umbel run --hostnam x -- true
  contains "$output" --hostname
  run -125 umbel run --net hst -- true
  contains "$output" host
  run -125 umbel rnu -- true
  contains "$output" run
}

@test "the command is alone: pid 2 under the reaper, its own host name, only lo, only descriptors 0 to 2" {
  equal "$(umbel run --rm -- sh -c 'echo $$')" 2
  equal "$(umbel run --rm --no-init -- sh -c 'echo $$')" 1
  equal "$(umbel run --rm --hostname box -- hostname)" box
  equal "$(umbel run --rm -- ls /sys/class/net)" lo
  equal "$(umbel run --rm -- sh -c 'ls /proc/self/fd | tr "\n" " "' 7</etc/passwd)" "0 1 2 3 "  # 3: ls
  contains "$(umbel run --rm -- ip addr show lo)" "127.0.0.1"
}

@test "least privilege: no new privileges, Docker's capabilities, a filter" {
  status=$(umbel run --rm -- cat /proc/self/status)
  contains "$status" "NoNewPrivs:	1"
  contains "$status" "Seccomp:	2"
  contains "$status" "CapEff:	00000000a80425fb"
  contains "$status" "CapBnd:	00000000a80425fb"
  run -32 umbel run --rm -- mount -t tmpfs none /mnt
  run -2 umbel run --rm -- sh -c 'echo 1 > /proc/sys/vm/drop_caches'
  equal "$(umbel run --rm -- sh -c 'wc -c < /proc/timer_list')" 0
  umbel run --rm --cap-add sys_admin -- mount -t tmpfs none /mnt
  contains "$(umbel run --rm --cap-drop all -- cat /proc/self/status)" "CapEff:	0000000000000000"
}

@test "the host's root is under a throw-away overlay: the host is untouched" {
  before=$(find /etc -xdev -type f -printf '%p %T@ %s\n' | sort | sha256sum)
  umbel run --rm -- sh -c 'echo changed > /etc/hostname; rm /etc/passwd; mkdir /umbel-new; cat /etc/hostname' | grep changed
  equal "$(find /etc -xdev -type f -printf '%p %T@ %s\n' | sort | sha256sum)" "$before"
  [[ ! -e /umbel-new ]]
}

@test "diff tells what changed; --overlay keeps it" {
  umbel run -d --name a --overlay "$scratch/kept" -- sh -c 'echo x > /etc/new; rm /etc/hostname; exec sleep 1000'
  eventually grep -q x "$scratch/kept/upper/etc/new"
  run umbel diff a
  contains "$output" "A /etc/new"
  contains "$output" "D /etc/hostname"
  contains "$output" "C /etc"
}

@test "volumes, read-only and not; tmpfs; read-only root" {
  mkdir data && echo hello >data/file
  equal "$(umbel run --rm -v "$PWD/data:/srv/data" -- cat /srv/data/file)" hello
  umbel run --rm -v "$PWD/data:/srv/data" -- sh -c 'echo new > /srv/data/file'
  equal "$(<data/file)" new
  run -1 umbel run --rm -v "$PWD/data:/srv/data:ro" -- touch /srv/data/x
  contains "$output" "Read-only"
  run -1 umbel run --rm --read-only -- touch /x
  umbel run --rm --read-only --tmpfs /scratch -- touch /scratch/x
  run -125 umbel run --rm -v /no/such/source:/x -- true
  contains "$output" /no/such/source
}

@test "limits are in force" {
  needs_controller pids && needs_controller memory
  run umbel run --rm --pids-limit 5 -- sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
  contains "$output" "fork"
  run -137 umbel run --rm --memory 32m -- python3 -c 'b = bytearray(200 << 20)'
  umbel run -d --name a --memory 64m --cpus 0.5 -- sleep 1000
  equal "$(umbel show --json a | jq .limits.memory)" $((64 << 20))
  umbel update a --memory 80m
  equal "$(umbel show --json a | jq .limits.memory)" $((80 << 20))
}

@test "--user by name and number, with its groups and home" {
  equal "$(umbel run --rm --user nobody -- id -un)" nobody
  equal "$(umbel run --rm --user 1234:5678 -- id -u)" 1234
  equal "$(umbel run --rm --user 1234:5678 -- id -g)" 5678
  equal "$(umbel run --rm --user nobody -- cat /proc/self/status | grep CapEff)" "CapEff:	0000000000000000"
  run -125 umbel run --rm --user no-such-user -- true
  contains "$output" no-such-user
}

@test "a root file system of one's own" {
  rootfs root
  equal "$(umbel run --rm --rootfs root -- sh -c 'echo $0 $PWD')" "sh /"
  equal "$(umbel run --rm --rootfs root -- ls / | tr '\n' ' ')" "bin dev etc proc root run sys tmp usr var "
}

@test "environment, working directory, labels, ulimits, shm size, devices, sysctl-free defaults" {
  equal "$(umbel run --rm -e A=1 -e B=two -- sh -c 'echo $A$B')" 1two
  printf 'C=3\n#comment\n' >env
  equal "$(umbel run --rm --env-file env -- sh -c 'echo $C')" 3
  equal "$(umbel run --rm --workdir /usr -- pwd)" /usr
  equal "$(cd /usr/bin && umbel run --rm -- pwd)" /usr/bin
  equal "$(umbel run --rm --ulimit nofile=100:200 -- sh -c 'ulimit -n; ulimit -Hn' | tr '\n' ' ')" "100 200 "
  contains "$(umbel run --rm --shm-size 3m -- df -k /dev/shm)" 3072
  umbel run -d --name a --label k=v -- sleep 1000
  equal "$(umbel show --json a | jq -r .labels.k)" v
}

@test "clocks of a container are set off against the host's" {
  up=$(umbel run --rm --time new --time-offset 10d -- cut -d. -f1 /proc/uptime)
  ((up > 864000))
}

@test "a user namespace with a map: root inside is nobody special outside" {
  umbel run -d --name a --userns new --uid-map 0:100000:65536 --gid-map 0:100000:65536 -- sleep 1000
  equal "$(umbel exec a id -u)" 0
  pid=$(umbel show --json a | jq .pid)
  equal "$(stat -c %u /proc/"$pid")" 100000
}

@test "Ctrl-C, TERM and others reach the command" {
  "$UMBEL" run --rm -- sh -c 'trap "echo got; exit 3" TERM; echo ready; while :; do sleep 0.1; done' >out &
  eventually grep -q ready out
  kill -TERM $!
  wait $! && status=0 || status=$?
  equal "$status" 3
  contains "$(<out)" got
}

@test "names: taken, invalid, invented" {
  umbel run -d --name a -- sleep 1000
  run -125 umbel run --name a -- true
  contains "$output" "taken"
  run -125 umbel run --name a/b -- true
  name=$(umbel run -d -- sleep 1000)
  [[ $name == *-* ]]
}
