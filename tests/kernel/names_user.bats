# Namespaces with names, as an ordinary user.
load ../lib/umbel
setup() {
  umbel_setup && needs_root && needs_command setpriv
  chmod 755 "$scratch"
  mkdir -p "$scratch/user" && chown 65534:65534 "$scratch/user"
  export UMBEL_HOME=$scratch/user/home
  cp "$UMBEL" "$scratch/umbel"  # the build's directory may be closed to others
}
teardown() {
  local name
  for name in $(as_user ns list -q 2>/dev/null); do as_user ns rm --force "$name"; done
  as_user rm --force a >/dev/null 2>&1 || true
  umbel_teardown
}

as_user() {
  (cd / && setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
    env UMBEL_HOME="$UMBEL_HOME" HOME=/ "$scratch/umbel" "$@")
}
id_of() { as_user ns show --json "$1" | jq .id; }

@test "names have a keeper of less than 80 KB, which starts with the first and ends with the last" {
  as_user ns create uts u --hostname mine
  keeper=$(as_user ns show --json u | jq .holder)
  equal "$(cat /proc/$keeper/comm)" umbel-keeper
  (($(awk '/^VmRSS:/{print $2}' /proc/$keeper/status) < 80))
  as_user ns create net n
  as_user ns create ipc i --sysctl kernel.msgmax=4242
  equal "$(as_user ns list --json | jq -c '[.[].holder] | unique')" "[$keeper]"
  equal "$(as_user ns exec u -- hostname)" mine
  equal "$(as_user ns exec uts/u ipc/i -- sh -c 'hostname; cat /proc/sys/kernel/msgmax')" $'mine\n4242'
  as_user ns rm u n
  kill -0 $keeper
  as_user ns rm i
  eventually test ! -e /proc/$keeper
}

@test "a container joins them, in the user namespace that owns them" {
  as_user ns create net n
  as_user ns create uts u --hostname mine
  equal "$(as_user run --rm --net ns:n --uts ns:u -- sh -c 'hostname; readlink /proc/self/ns/net')" \
    $'mine\n'"net:[$(id_of n)]"
  as_user run -d --name a --net ns:n -- sleep 1000
  equal "$(as_user exec a readlink /proc/self/ns/net)" "net:[$(id_of n)]"
  run -125 as_user ns rm n
  contains "$output" "in use"
  as_user rm --force a
  as_user ns rm n u
}

@test "every kind can be made" {
  for kind in user mnt pid net ipc uts cgroup time; do
    as_user ns create $kind x
    equal "$(as_user ns exec $kind/x -- readlink /proc/self/ns/$kind)" "$kind:[$(id_of $kind/x)]"
  done
}

@test "what only root may do is refused with the cure" {
  run -125 as_user ns create net n --link eth0=veth:ut$$
  contains "$output" "as root"
  run -125 as_user ns adopt 1 --name one
  equal "$(as_user ns list -q)" ""
}
