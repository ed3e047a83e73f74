# bash completion for umbel; made by `umbel help --completion`.
_umbel_value() {
  case $1 in
    'run:--userns') echo sources ;;
    'run:--mnt') echo sources ;;
    'run:--pid') echo sources ;;
    'run:--net') echo sources ;;
    'run:--ipc') echo sources ;;
    'run:--uts') echo sources ;;
    'run:--cgroupns') echo sources ;;
    'run:--time') echo sources ;;
    'run:--uid-map') echo nothing ;;
    'run:--gid-map') echo nothing ;;
    'run:--time-offset') echo nothing ;;
    'run:--hostname' | 'run:-h') echo nothing ;;
    'run:--domainname') echo nothing ;;
    'run:--rootfs') echo directories ;;
    'run:--bundle') echo directories ;;
    'run:--volume' | 'run:-v') echo files ;;
    'run:--tmpfs') echo nothing ;;
    'run:--overlay') echo directories ;;
    'run:--overlay-size') echo nothing ;;
    'run:--shm-size') echo nothing ;;
    'run:--device') echo files ;;
    'run:--env' | 'run:-e') echo nothing ;;
    'run:--env-file') echo files ;;
    'run:--workdir' | 'run:-w') echo directories ;;
    'run:--user' | 'run:-u') echo nothing ;;
    'run:--ulimit') echo nothing ;;
    'run:--stop-signal') echo signals ;;
    'run:--detach-keys') echo nothing ;;
    'run:--cap-add') echo nothing ;;
    'run:--cap-drop') echo nothing ;;
    'run:--seccomp') echo files ;;
    'run:--memory' | 'run:-m') echo nothing ;;
    'run:--cpus') echo nothing ;;
    'run:--cpuset-cpus') echo nothing ;;
    'run:--pids-limit') echo nothing ;;
    'run:--io-weight') echo nothing ;;
    'run:--name') echo nothing ;;
    'run:--policy') echo nothing ;;
    'run:--label' | 'run:-l') echo nothing ;;
    'run:--pidfile') echo files ;;
    'run:--cgroup-parent') echo nothing ;;
    'create:--userns') echo sources ;;
    'create:--mnt') echo sources ;;
    'create:--pid') echo sources ;;
    'create:--net') echo sources ;;
    'create:--ipc') echo sources ;;
    'create:--uts') echo sources ;;
    'create:--cgroupns') echo sources ;;
    'create:--time') echo sources ;;
    'create:--uid-map') echo nothing ;;
    'create:--gid-map') echo nothing ;;
    'create:--time-offset') echo nothing ;;
    'create:--hostname' | 'create:-h') echo nothing ;;
    'create:--domainname') echo nothing ;;
    'create:--rootfs') echo directories ;;
    'create:--bundle') echo directories ;;
    'create:--volume' | 'create:-v') echo files ;;
    'create:--tmpfs') echo nothing ;;
    'create:--overlay') echo directories ;;
    'create:--overlay-size') echo nothing ;;
    'create:--shm-size') echo nothing ;;
    'create:--device') echo files ;;
    'create:--env' | 'create:-e') echo nothing ;;
    'create:--env-file') echo files ;;
    'create:--workdir' | 'create:-w') echo directories ;;
    'create:--user' | 'create:-u') echo nothing ;;
    'create:--ulimit') echo nothing ;;
    'create:--stop-signal') echo signals ;;
    'create:--cap-add') echo nothing ;;
    'create:--cap-drop') echo nothing ;;
    'create:--seccomp') echo files ;;
    'create:--memory' | 'create:-m') echo nothing ;;
    'create:--cpus') echo nothing ;;
    'create:--cpuset-cpus') echo nothing ;;
    'create:--pids-limit') echo nothing ;;
    'create:--io-weight') echo nothing ;;
    'create:--name') echo nothing ;;
    'create:--policy') echo nothing ;;
    'create:--label' | 'create:-l') echo nothing ;;
    'create:--pidfile') echo files ;;
    'create:--cgroup-parent') echo nothing ;;
    'start:--detach-keys') echo nothing ;;
    'stop:--time' | 'stop:-t') echo nothing ;;
    'restart:--time' | 'restart:-t') echo nothing ;;
    'kill:--signal' | 'kill:-s') echo signals ;;
    'exec:--env' | 'exec:-e') echo nothing ;;
    'exec:--env-file') echo files ;;
    'exec:--workdir' | 'exec:-w') echo directories ;;
    'exec:--user' | 'exec:-u') echo nothing ;;
    'attach:--detach-keys') echo nothing ;;
    'ps:--filter' | 'ps:-f') echo nothing ;;
    'graph:--svg') echo files ;;
    'graph:--if-removed') echo containers ;;
    'logs:--tail' | 'logs:-n') echo nothing ;;
    'logs:--since') echo nothing ;;
    'logs:--until') echo nothing ;;
    'checkpoint:--to') echo nothing ;;
    'checkpoint:--external') echo nothing ;;
    'restore:--name') echo nothing ;;
    'clone:--count' | 'clone:-n') echo nothing ;;
    'clone:--name') echo nothing ;;
    'update:--memory' | 'update:-m') echo nothing ;;
    'update:--cpus') echo nothing ;;
    'update:--cpuset-cpus') echo nothing ;;
    'update:--pids-limit') echo nothing ;;
    'update:--io-weight') echo nothing ;;
    'update:--userns') echo sources ;;
    'update:--mnt') echo sources ;;
    'update:--pid') echo sources ;;
    'update:--net') echo sources ;;
    'update:--ipc') echo sources ;;
    'update:--uts') echo sources ;;
    'update:--cgroupns') echo sources ;;
    'update:--time') echo sources ;;
    'check:--policy') echo nothing ;;
    'check:--external') echo nothing ;;
    'ns create:--userns') echo namespaces ;;
    'ns create:--sysctl') echo nothing ;;
    'ns create:--hostname' | 'ns create:-h') echo nothing ;;
    'ns create:--domainname') echo nothing ;;
    'ns create:--uid-map') echo nothing ;;
    'ns create:--gid-map') echo nothing ;;
    'ns create:--time-offset') echo nothing ;;
    'ns create:--link') echo nothing ;;
    'ns create:--address') echo nothing ;;
    'ns create:--route') echo nothing ;;
    'ns create:--rootfs') echo directories ;;
    'ns create:--volume' | 'ns create:-v') echo files ;;
    'ns create:--tmpfs') echo nothing ;;
    'ns create:--overlay') echo directories ;;
    'ns create:--overlay-size') echo nothing ;;
    'ns create:--shm-size') echo nothing ;;
    'ns list:--kind') echo kinds ;;
    'ns adopt:--name') echo nothing ;;
    'ns adopt:--kind') echo kinds ;;
    'help:--man') echo nothing ;;
    *) return 1 ;;
  esac
}

_umbel_family() {
  case $1 in
    ns) echo 'create list show exec adopt rm' ;;
    *) return 1 ;;
  esac
}

_umbel_words() {
  case $1 in
    containers) umbel ps -aq 2>/dev/null ;;
    places) umbel ps -aq 2>/dev/null | sed 's/$/:/' ;;
    namespaces) umbel ns list -q 2>/dev/null ;;
    kinds) echo user mnt pid net ipc uts cgroup time ;;
    sources) echo new host with: ns: ;;
    signals) echo HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH ;;
    names) echo 'run create start stop restart kill wait pause resume rm exec attach cp ps show graph logs top stats diff checkpoint restore clone image update rename check policy info version help ns' ;;
  esac
}

_umbel_complete() {
  case $1 in
    files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
    directories) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
    commands) mapfile -t COMPREPLY < <(compgen -c -- "$2") ;;
    nothing) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$(_umbel_words "$1")" -- "$2") ;;
  esac
  if [[ $1 == places ]]; then
    compopt -o filenames
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$2")
  fi
  if [[ ${COMPREPLY[*]} == *: ]]; then compopt -o nospace; fi
}

_umbel() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]} options='' operands=nothing value
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _umbel_complete names "$word"
    return
  fi
  if value=$(_umbel_family "$command"); then
    if ((COMP_CWORD == 2)); then
      mapfile -t COMPREPLY < <(compgen -W "$value" -- "$word")
      return
    fi
    command+=" ${COMP_WORDS[2]}"
  fi
  local source=${COMP_WORDS[COMP_CWORD - 2]}
  if [[ $word == : ]]; then
    source=$before word='' before=:
  fi
  if [[ $before == : && $source == ns ]]; then
    _umbel_complete namespaces "$word"
    return
  elif [[ $before == : ]]; then
    _umbel_complete containers "$word"
    return
  fi
  case $command in
    'run') options='--help --userns --mnt --pid --net --ipc --uts --cgroupns --time --uid-map --gid-map --time-offset --hostname --domainname --rootfs --bundle --volume --tmpfs --read-only --overlay --overlay-size --shm-size --device --detach --interactive --tty --env --env-file --workdir --user --ulimit --stop-signal --no-init --detach-keys --cap-add --cap-drop --seccomp --privileged --nest --memory --cpus --cpuset-cpus --pids-limit --io-weight --name --rm --policy --force --label --pidfile --cgroup-parent' operands=commands ;;
    'create') options='--help --userns --mnt --pid --net --ipc --uts --cgroupns --time --uid-map --gid-map --time-offset --hostname --domainname --rootfs --bundle --volume --tmpfs --read-only --overlay --overlay-size --shm-size --device --interactive --tty --env --env-file --workdir --user --ulimit --stop-signal --no-init --cap-add --cap-drop --seccomp --privileged --nest --memory --cpus --cpuset-cpus --pids-limit --io-weight --name --rm --policy --force --label --pidfile --cgroup-parent' operands=commands ;;
    'start') options='--help --attach --interactive --detach-keys' operands=containers ;;
    'stop') options='--help --time' operands=containers ;;
    'restart') options='--help --time' operands=containers ;;
    'kill') options='--help --signal' operands=containers ;;
    'wait') options='--help' operands=containers ;;
    'pause') options='--help' operands=containers ;;
    'resume') options='--help' operands=containers ;;
    'rm') options='--help --force' operands=containers ;;
    'exec') options='--help --interactive --tty --detach --env --env-file --workdir --user --privileged --force' operands=containers ;;
    'attach') options='--help --no-stdin --detach-keys' operands=containers ;;
    'cp') options='--help' operands=places ;;
    'ps') options='--help --all --quiet --filter --no-trunc --json' operands=nothing ;;
    'show') options='--help --json' operands=containers ;;
    'graph') options='--help --json --dot --svg --if-removed' operands=nothing ;;
    'logs') options='--help --follow --tail --since --until --timestamps' operands=containers ;;
    'top') options='--help --json' operands=containers ;;
    'stats') options='--help --groups --no-stream --json' operands=containers ;;
    'diff') options='--help --json' operands=containers ;;
    'checkpoint') options='--help --to --leave-running --compress --external' operands=containers ;;
    'restore') options='--help --name' operands=nothing ;;
    'clone') options='--help --count --name' operands=nothing ;;
    'image') options='--help --json' operands=nothing ;;
    'update') options='--help --memory --cpus --cpuset-cpus --pids-limit --io-weight --userns --mnt --pid --net --ipc --uts --cgroupns --time --force' operands=containers ;;
    'rename') options='--help' operands=containers ;;
    'check') options='--help --policy --external --json' operands=containers ;;
    'policy') options='--help --json --toml' operands=nothing ;;
    'ns create') options='--help --userns --sysctl --hostname --domainname --uid-map --gid-map --time-offset --link --address --route --rootfs --volume --tmpfs --read-only --overlay --overlay-size --shm-size' operands=kinds ;;
    'ns list') options='--help --kind --quiet --json' operands=nothing ;;
    'ns show') options='--help --json' operands=namespaces ;;
    'ns exec') options='--help' operands=namespaces ;;
    'ns adopt') options='--help --name --kind' operands=files ;;
    'ns rm') options='--help --force' operands=namespaces ;;
    'info') options='--help --json' operands=nothing ;;
    'version') options='--help --json' operands=nothing ;;
    'help') options='--help --man --completion' operands=names ;;
  esac
  if value=$(_umbel_value "$command:$before"); then
    _umbel_complete "$value" "$word"
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  else
    _umbel_complete "$operands" "$word"
  fi
}
complete -F _umbel umbel
