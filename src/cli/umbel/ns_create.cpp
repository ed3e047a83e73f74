#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/configure.h"
#include "cli/umbel/files.h"
#include "cli/umbel/names.h"
#include "cli/umbel/output.h"
#include "ns/net.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> words;
  Text owner, hostname, domainname, time_offset;
  Texts uid_map, gid_map, sysctls, links, addresses, routes;
  Text rootfs, overlay, overlay_size, shm_size;
  Texts volumes, tmpfs;
  bool read_only = false;
};

Section network(Options& o) {
  return {"Of a net namespace",
          {{"link", 0, "NAME=TYPE[:OUTSIDE]",
            "a link more: veth:OUTSIDE (OUTSIDE is its other end, here), macvlan:PARENT, "
            "host:LINK (which moves in), bridge",
            &o.links},
           {"address", 0, "LINK=ADDRESS/LENGTH", "an address of a link", &o.addresses},
           {"route", 0, "PREFIX=GATEWAY", "a route; PREFIX may be default", &o.routes}}};
}

Section files(Options& o) {
  return {"Of a mnt namespace",
          {{"rootfs", 0, "DIR",
            "its root directory; without it the host's, under a copy-on-write overlay", &o.rootfs},
           {"volume", 'v', "SOURCE:PATH[:OPTIONS]", "as of umbel run", &o.volumes},
           {"tmpfs", 0, "PATH[:OPTIONS]", "as of umbel run", &o.tmpfs},
           {"read-only", 0, "", "nothing in its root can be changed", &o.read_only},
           {"overlay", 0, "DIR", "keep changes to the host's files in DIR", &o.overlay},
           {"overlay-size", 0, "SIZE", "how much may be changed", &o.overlay_size},
           {"shm-size", 0, "SIZE", "size of /dev/shm; without it 64m", &o.shm_size}}};
}

Syntax syntax(Options& o) {
  return {
      .sections =
          {{"",
            {{"userns", 0, "USERNS", "the named user namespace that shall own it; without it yours",
              &o.owner},
             {"sysctl", 0, "NAME=VALUE", "ipc, net, uts: a kernel parameter of it", &o.sysctls}}},
           {"Of a uts namespace",
            {{"hostname", 'h', "NAME", "its host name", &o.hostname},
             {"domainname", 0, "NAME", "its NIS domain name", &o.domainname}}},
           {"Of a user namespace",
            {{"uid-map", 0, "INSIDE:OUTSIDE:COUNT", "user ids; again for more ranges", &o.uid_map},
             {"gid-map", 0, "INSIDE:OUTSIDE:COUNT", "group ids; without it as --uid-map",
              &o.gid_map}}},
           {"Of a time namespace",
            {{"time-offset", 0, "DURATION", "how far its clocks since boot are ahead: 10d, -1h",
              &o.time_offset}}},
           network(o),
           files(o)},
      .operands = {"KIND NAME", 2, 2, &o.words},
      .about =
          "KIND is user, mnt, pid, net, ipc, uts, cgroup or time. The namespace stays until umbel "
          "ns "
          "rm or the next boot, with no process in it; only a pid namespace, which the kernel ends "
          "with its first process, gets one that does nothing and takes less than 80 KB.\n\n"
          "Containers use it by --KIND ns:NAME; a name of kind net is also one of ip netns. A name "
          "is unique within its kind: where NAME alone could mean several, write KIND/NAME.\n\n"
          "As an ordinary user your names need a process too, the keeper, which starts with the "
          "first of them and ends with the last; its user namespace owns them.\n\n"
          "A cgroup namespace has as its root the cgroup that you are in. The /proc of a mnt "
          "namespace is that of the pid namespace that you are in.",
      .examples = {
          {"umbel ns create net lab --link eth0=veth:lab0 --address eth0=10.9.0.2/24",
           "a network with one end of a cable; the other is lab0 on the host"},
          {"umbel run --net ns:lab -- ip addr", "use it"},
          {"umbel ns create uts studio --hostname studio", "a host name with a life of its own"},
          {"umbel ns create mnt alpine --rootfs ./alpine", "a file system to come back to"}}};
}

Result<void> add_sysctls(const Options& o, ns::Settings& settings) {
  for (const std::string& text : o.sysctls) {
    const auto halves = cut(text, '=');
    if (!halves) return fail("--sysctl: '" + text + "' has no value", "write NAME=VALUE");
    settings.sysctls[std::string(halves->before)] = halves->after;
  }
  return {};
}

Result<void> add_network(const Options& o, ns::Settings& settings) {
  for (const std::string& text : o.links)
    settings.links.push_back(TRY(during("--link", ns::net::parse_link(text))));
  for (const std::string& text : o.addresses)
    settings.addresses.push_back(TRY(during("--address", ns::net::parse_address(text))));
  for (const std::string& text : o.routes)
    settings.routes.push_back(TRY(during("--route", ns::net::parse_route(text))));
  return {};
}

Result<void> add_ids(const Options& o, const Caller& who, ns::Settings& settings) {
  for (const std::string& text : o.uid_map)
    settings.uid_map.push_back(TRY(during("--uid-map", ns::user::parse_range(text))));
  for (const std::string& text : o.gid_map)
    settings.gid_map.push_back(TRY(during("--gid-map", ns::user::parse_range(text))));
  if (settings.uid_map.empty()) settings.uid_map = settings.gid_map;
  if (settings.gid_map.empty()) settings.gid_map = settings.uid_map;
  if (settings.uid_map.empty()) {
    set_default_ids(who, settings);
    return {};
  }
  settings.deny_setgroups =
      !who.administrator && settings.gid_map.size() == 1 && settings.gid_map.front().count == 1;
  return {};
}

// The first option that says something about files.
std::string_view any_files(const Options& o) {
  if (o.rootfs) return "--rootfs";
  if (o.overlay) return "--overlay";
  if (o.overlay_size) return "--overlay-size";
  if (o.shm_size) return "--shm-size";
  if (!o.volumes.empty()) return "--volume";
  if (!o.tmpfs.empty()) return "--tmpfs";
  return o.read_only ? "--read-only" : "";
}

Result<void> add_files(const Options& o, const Caller& who, ns::Recipe& recipe) {
  if (recipe.kind != ns::Kind::mnt) {
    if (any_files(o).empty()) return {};
    return fail(std::string(any_files(o)) + " is about files, which a namespace of kind " +
                    std::string(ns::info(recipe.kind).proc) + " has not",
                "make one of kind mnt for it");
  }
  if (o.rootfs && (o.overlay || o.overlay_size))
    return fail("--overlay is about changes to the host's root, and --rootfs replaces it",
                "leave one of them out");
  Files made = TRY(make_files({.rootfs = o.rootfs,
                               .overlay = o.overlay,
                               .overlay_size = o.overlay_size,
                               .shm_size = o.shm_size,
                               .volumes = o.volumes,
                               .tmpfs = o.tmpfs,
                               .directory = who.directory,
                               .read_only = o.read_only}));
  recipe.files = std::move(made.spec);
  return {};
}

Result<ns::Recipe> recipe_of(const Options& o) {
  const std::optional<ns::Kind> kind = ns::kind_named(o.words[0]);
  if (!kind) {
    std::vector<std::string_view> kinds;
    for (const ns::KindInfo& known : ns::kinds) kinds.push_back(known.proc);
    const auto meant = nearest(o.words[0], kinds);
    return fail("there is no kind of namespace '" + o.words[0] + "'",
                meant ? "did you mean " + std::string(*meant) + "?"
                      : "one of user, mnt, pid, net, ipc, uts, cgroup, time");
  }
  ns::Recipe recipe{.kind = *kind, .owner = o.owner.value_or("")};
  if (recipe.owner.starts_with("ns:")) recipe.owner.erase(0, 3);
  ns::Settings& settings = recipe.settings;
  settings.hostname = o.hostname;
  settings.domainname = o.domainname;
  if (o.time_offset)
    settings.monotonic_offset = settings.boottime_offset =
        TRY(during("--time-offset", parse_duration(*o.time_offset)));
  const Caller who = TRY(caller());
  TRY(add_sysctls(o, settings));
  TRY(add_network(o, settings));
  if (*kind == ns::Kind::user || !o.uid_map.empty() || !o.gid_map.empty())
    TRY(add_ids(o, who, settings));
  TRY(add_files(o, who, recipe));
  return recipe;
}

Result<int> act(const Options& o) {
  const ns::Recipe recipe = TRY(recipe_of(o));
  const ns::Names names = TRY(open_names());
  const ns::Name made = TRY(names.create(recipe, o.words[1]));
  TRY(print_line(ns::full_name(made)));
  return 0;
}

}  // namespace

const Verb ns_create_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
