# Who shares what with whom: the graph against what the kernel says.
load ../lib/umbel
setup() { umbel_setup && needs_root; }
teardown() {
  [[ -z ${stranger-} ]] || kill "$stranger" 2>/dev/null || true
  umbel_teardown
}

graph() { umbel graph --json | jq -r "$1"; }
pid_of() { umbel show --json "$1" | jq .pid; }
namespace() { readlink "/proc/$1/ns/$2" | tr -dc 0-9; }

@test "graph: each container's namespaces are the kernel's, and sharers are named" {
  umbel run -d --name a -- sleep 1000
  umbel run -d --name b --net with:a --ipc with:a -- sleep 1000
  umbel run -d --name c --net host -- sleep 1000
  local name kind
  for name in a b c; do
    for kind in pid ipc net uts mnt time; do
      equal "$(graph ".containers[] | select(.name == \"$name\").namespaces.$kind")" \
        "$(namespace "$(pid_of $name)" $kind)"
    done
  done
  equal "$(graph '.namespaces[] | select(.kind == "net" and (.containers | length) == 2) |
    .containers | sort | join(" ")')" "a b"
  equal "$(graph '.namespaces[] | select(.kind == "net" and .host) | .containers | join(" ")')" c
  run -0 umbel graph
  contains "$output" "a, b"
  run grep -E '^c .* host ' <<<"$output"
  equal "$status" 0
}

@test "graph: a process of no container that sits in one's namespace" {
  umbel run -d --name a -- sleep 1000
  nsenter --target "$(pid_of a)" --net sleep 1000 3>&- &
  stranger=$!
  inside() { [[ $(namespace $stranger net) == "$(namespace "$(pid_of a)" net)" ]]; }
  eventually inside
  equal "$(graph '.namespaces[] | select(.kind == "net" and .containers == ["a"]) |
    .others[] | "\(.pid) \(.name)"')" "$stranger sleep"
  contains "$(umbel graph)" "sleep ($stranger), of no container"
}

@test "graph: names, also of what nobody is in" {
  umbel ns create uts lab && umbel ns create ipc spare && umbel ns create pid held
  umbel run -d --name a --uts ns:lab -- sleep 1000
  names() { graph ".namespaces[] | select(.names == [\"$1\"]) | \"\\(.kind) \\(.containers)\""; }
  equal "$(names uts/lab)" 'uts ["a"]'
  equal "$(names ipc/spare)" 'ipc []'
  equal "$(names pid/held)" 'pid []'
  run -0 umbel graph
  grep -E 'uts +[0-9]+ +uts/lab +a$' <<<"$output"
  grep -E 'pid +[0-9]+ +pid/held +nobody$' <<<"$output"
  contains "$(umbel graph --dot)" uts/lab
  contains "$(umbel graph --svg -)" "ipc/spare: a namespace with a name; nobody is in it"
  for name in uts/lab ipc/spare pid/held; do umbel ns rm --force $name; done
}

@test "graph: what lies in what, and who owns it" {
  umbel run -d --name outer --privileged -- unshare --pid --fork sleep 1000
  umbel run -d --name vault --userns new -- sleep 1000
  nested() { graph '.namespaces[] | select(.kind == "pid" and .visitors == ["outer"]) | .parent'; }
  is_nested() { equal "$(nested)" "$(namespace "$(pid_of outer)" pid)"; }
  eventually is_nested
  equal "$(graph '.namespaces[] | select(.kind == "net" and .containers == ["vault"]) | .owner')" \
    "$(namespace "$(pid_of vault)" user)"
}

@test "graph --if-removed: who ends, who could not be started again; and so it is" {
  umbel run -d --name a -- sleep 1000
  umbel run -d --name inside --pid with:a -- sleep 1000
  umbel run -d --name beside --net with:a -- sleep 1000
  umbel run -d --name apart -- sleep 1000
  losses=$(umbel graph --json --if-removed a | jq -r '.ifRemoved[] | "\(.container) \(.what)"' | sort)
  equal "$losses" "$(printf '%s\n' 'beside cannotStart' 'inside cannotStart' 'inside ends')"
  contains "$(umbel graph --if-removed beside)" nobody
  umbel rm --force a
  ended() { [[ $(umbel ps --all --json | jq -r '.[] | select(.name == "inside").status') != running ]]; }
  eventually ended
  equal "$(umbel ps --all --json | jq -r '.[] | select(.name == "beside").status')" running
  equal "$(umbel ps --all --json | jq -r '.[] | select(.name == "apart").status')" running
  umbel stop beside
  run -125 umbel start beside
  contains "$output" "there is no container a"
  run -125 umbel graph --if-removed nobody-here
  contains "$output" "no container nobody-here"
}

@test "graph: pictures that other programs read" {
  umbel run -d --name 'a' --label x -- sleep 1000
  umbel run -d --name 'b.<&>' -- true || umbel run -d --name b --uts with:a -- sleep 1000
  umbel graph --svg picture.svg
  python3 - picture.svg <<'PY'
import sys, xml.etree.ElementTree as tree
svg = tree.parse(sys.argv[1]).getroot()
words = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
assert {"a", "b", "pid", "net", "the host"} <= set(words), words
PY
  equal "$(umbel graph --svg -)" "$(cat picture.svg)"
  contains "$(umbel graph --dot)" '"a" -- "uts:'
  if command -v dot >/dev/null; then umbel graph --dot | dot -Tsvg >/dev/null; fi
  run -125 umbel graph --json --dot
  contains "$output" "give one of them"
}

@test "graph: an ordinary user sees its own containers" {
  needs_user nobody
  needs_command runuser
  mkdir -m 700 "$scratch/nobody" && chown nobody "$scratch/nobody" && chmod 755 "$scratch"
  as_nobody() { runuser -u nobody -- env UMBEL_HOME="$scratch/nobody/home" "$UMBEL" "$@" 3>&-; }
  as_nobody run -d --name mine -- sleep 1000 || skip "an ordinary user can't run a container here"
  equal "$(as_nobody graph --json | jq -r '.containers[] | select(.engine == "umbel") | .name')" mine
  as_nobody rm --force mine
}

@test "graph: containers of umbel-oci, under its own name" {
  [[ ! -e /run/umbel-oci/containers/umbel-graph-test ]] || skip "somebody has a container there"
  rootfs bundle/rootfs
  (cd bundle && "${UMBEL%/*}/umbel-oci" spec)
  jq '.process.terminal = false | .process.args = ["sleep", "1000"] | .process.rlimits = [] |
    .linux.cgroupsPath = "/umbel-test/graph"' bundle/config.json >config && mv config bundle/config.json
  "${UMBEL%/*}/umbel-oci" run --detach --bundle bundle umbel-graph-test </dev/null >/dev/null 2>&1 3>&-
  local pid
  pid=$("${UMBEL%/*}/umbel-oci" state umbel-graph-test | jq .pid)
  equal "$(graph '.containers[] | select(.name == "umbel-oci:umbel-graph-test") | "\(.engine) \(.pid)"')" \
    "umbel-oci $pid"
  "${UMBEL%/*}/umbel-oci" delete --force umbel-graph-test
}
