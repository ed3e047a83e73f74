#include "cli/umbel/run_options.h"

namespace umbel::cli {

namespace {

Section namespaces(RunOptions& o) {
  Section section{"Namespaces: SOURCE is new, host, with:CONTAINER, ns:NAME or ns:/PATH", {}};
  for (const ns::KindInfo& kind : ns::kinds)
    section.options.push_back({kind.option, 0, "SOURCE", kind.what,
                               &o.kinds.at(ns::index(kind.kind)),
                               kind.kind == ns::Kind::net ? "network" : ""});
  const std::vector<Option> settings{
      {"uid-map", 0, "INSIDE:OUTSIDE:COUNT",
       "user ids of a new user namespace; again for more ranges", &o.uid_map},
      {"gid-map", 0, "INSIDE:OUTSIDE:COUNT", "its group ids; without it as --uid-map", &o.gid_map},
      {"time-offset", 0, "DURATION",
       "how far the clocks since boot are ahead of the host's: 10d, -1h; a new time namespace",
       &o.time_offset},
      {"hostname", 'h', "NAME", "its host name; without it the container's name", &o.hostname},
      {"domainname", 0, "NAME", "its NIS domain name", &o.domainname}};
  section.options.insert(section.options.end(), settings.begin(), settings.end());
  return section;
}

Section files(RunOptions& o) {
  return {"Files",
          {{"rootfs", 0, "DIR", "its root directory; without it the host's, see above", &o.rootfs},
           {"bundle", 0, "DIR",
            "take everything from DIR/config.json, an OCI bundle; only the options under Command "
            "and Container go with it, and COMMAND may be left out",
            &o.bundle},
           {"volume", 'v', "SOURCE:PATH[:OPTIONS]",
            "show a file or directory of the host at PATH; options: ro, idmap, noexec, ...",
            &o.volumes},
           {"tmpfs", 0, "PATH[:OPTIONS]", "an empty directory in memory; options: size=64m, exec",
            &o.tmpfs},
           {"read-only", 0, "", "nothing in its root can be changed", &o.read_only},
           {"overlay", 0, "DIR", "keep its changes to the host's files in DIR", &o.overlay},
           {"overlay-size", 0, "SIZE", "how much may be changed; without it half of the memory",
            &o.overlay_size},
           {"shm-size", 0, "SIZE", "size of /dev/shm; without it 64m", &o.shm_size},
           {"device", 0, "DEVICE[:PATH[:rwm]]", "let it use a device of the host", &o.devices}}};
}

Section command(RunOptions& o) {
  return {
      "Command",
      {{"detach", 'd', "", "run it in the background and print the container's name", &o.detach},
       {"interactive", 'i', "", "give it standard input; without this it reads nothing",
        &o.interactive},
       {"tty", 't', "", "give it a terminal", &o.terminal},
       {"env", 'e', "NAME[=VALUE]", "set a variable, or pass one on", &o.env},
       {"env-file", 0, "FILE", "set the variables of a file, a NAME=VALUE a line", &o.env_files},
       {"workdir", 'w', "DIR", "where it starts; without it where you are, or / with --rootfs",
        &o.workdir},
       {"user", 'u', "USER[:GROUP]", "as whom it runs, by the names or numbers inside", &o.user},
       {"ulimit", 0, "NAME=SOFT[:HARD]", "a limit of setrlimit(2): nofile=1024", &o.ulimits},
       {"stop-signal", 0, "SIGNAL", "what umbel stop sends first; without it TERM", &o.stop_signal},
       {"no-init", 0, "", "make the command pid 1, without the small init above it", &o.no_init},
       {"detach-keys", 0, "KEYS", "leave a terminal with these; without it ctrl-p,ctrl-q",
        &o.detach_keys}}};
}

Section rights(RunOptions& o) {
  return {
      "Rights",
      {{"cap-add", 0, "CAPABILITY", "give it a capability more: net_admin, all", &o.cap_add},
       {"cap-drop", 0, "CAPABILITY", "take one away", &o.cap_drop},
       {"seccomp", 0, "FILE|off", "its system-call filter; without it Docker's rules", &o.seccomp},
       {"privileged", 0, "",
        "every capability and device, no filter, nothing masked: no protection of the host",
        &o.privileged},
       {"nest", 0, "", "give it what umbel inside it needs, which is much", &o.nest}}};
}

Section container(RunOptions& o) {
  return {"Container",
          {{"name", 0, "NAME", "its name; without it umbel invents one", &o.name},
           {"rm", 0, "", "remove it when it ends", &o.remove},
           {"policy", 0, "POLICY[,POLICY]...",
            "keep it to a policy for life, which chooses what you don't; umbel policy list shows "
            "them",
            &o.policy},
           {"force", 0, "", "break the policy of a container that it joins; it is recorded there",
            &o.force},
           {"label", 'l', "NAME=VALUE", "a note for ps --filter and show", &o.labels},
           {"pidfile", 0, "FILE", "write the host's pid of its first process to FILE", &o.pid_file},
           {"cgroup-parent", 0, "PATH",
            "where its cgroup is made; without it umbel-NAME at the top", &o.cgroup_parent}}};
}

Syntax syntax(RunOptions& o) {
  return {
      .sections = {namespaces(o), files(o), command(o), rights(o), limit_section(o.limits),
                   container(o)},
      .operands = {"[--] COMMAND [ARG]...", 0, any_number, &o.command, Rest::command},
      .about =
          "The container has new pid, ipc, uts, mnt, cgroup and net namespaces and the host's user "
          "ids and clocks, unless the options below say otherwise. As an ordinary user it has a "
          "new user namespace too.\n\n"
          "A new network has a loopback device and no way out: --net host uses the host's.\n\n"
          "Without --rootfs the command sees the host's files, and what it changes is thrown away "
          "when it ends. umbel runs commands, not images.\n\n"
          "It cannot gain privileges, has Docker's default capabilities and system-call filter, "
          "its own /dev, and no descriptors but standard input, output and error.",
  };
}

}  // namespace

Syntax run_syntax(RunOptions& o) {
  Syntax run = syntax(o);
  run.examples = {
      {"umbel run -it bash", "a shell; what it changes is thrown away"},
      {"umbel run -d --name db -- redis-server", "in the background"},
      {"umbel run --net with:db -- redis-cli ping", "a second one that shares db's network alone"},
      {"umbel run --pid new --mnt host --net host --ipc host --uts host -- make",
       "nothing but processes of its own: all of them end with it"},
      {"umbel run -v ./src:/src:ro -w /src --memory 512m --cpus 1 -- make test",
       "with a directory of yours, and limits"},
      {"umbel run -d --policy migratable -- redis-server", "such that it can be checkpointed"},
      {"umbel run --rootfs ./alpine -it -- /bin/sh", "in another root file system"}};
  return run;
}

Syntax create_syntax(RunOptions& o) {
  Syntax create = syntax(o);
  for (Section& section : create.sections)
    std::erase_if(section.options, [](const Option& option) {
      return option.name == "detach" || option.name == "detach-keys";
    });
  create.examples = {{"umbel create --name web -- nginx -g 'daemon off;'",
                      "made now, started by umbel start web"}};
  return create;
}

}  // namespace umbel::cli
