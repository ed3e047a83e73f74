// A configuration to start from: a shell in namespaces of its own, with few rights.
#include "rootfs/spec.h"

#include "base/record.h"
#include "cli/oci/commands.h"
#include "container/hooks.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::cli::oci {

namespace {

constexpr std::uint64_t shm_size = std::uint64_t{64} << 20;

struct Values {
  std::string bundle;
  bool rootless = false;
};
std::vector<Option> table(Values& v) {
  return {{"bundle", 'b', "DIR", "where it is written (the working directory)", &v.bundle},
          {"rootless", 0, "", "for an ordinary user", &v.rootless}};
}

Value list(std::initializer_list<const char*> words) {
  Value made{Value::Data(Value::Array())};
  for (const char* word : words) made.append(word);
  return made;
}

Value process() {
  Value made;
  made["terminal"] = true;
  made["user"]["uid"] = 0;
  made["user"]["gid"] = 0;
  made["args"] = list({"sh"});
  made["env"] =
      list({"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"});
  made["cwd"] = "/";
  for (const char* set : {"bounding", "effective", "permitted"})
    made["capabilities"][set] = list({"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"});
  Value limit;
  limit["type"] = "RLIMIT_NOFILE";
  limit["hard"] = 1024;
  limit["soft"] = 1024;
  made["rlimits"].append(std::move(limit));
  made["noNewPrivileges"] = true;
  return made;
}

Value mapping(std::uint32_t outside) {
  Value made;
  made["containerID"] = 0;
  made["hostID"] = outside;
  made["size"] = 1;
  Value all;
  all.append(std::move(made));
  return all;
}

Value linux_part(bool rootless) {
  Value made;
  if (rootless) {
    made["uidMappings"] = mapping(sys::own_uid());
    made["gidMappings"] = mapping(sys::own_gid());
  } else {
    Value nothing;
    nothing["allow"] = false;
    nothing["access"] = "rwm";
    made["resources"]["devices"].append(std::move(nothing));
  }
  std::vector<const char*> kinds{"pid", "ipc", "uts", "mount", "cgroup"};
  // A new network of an ordinary user's would have no way out.
  kinds.push_back(rootless ? "user" : "network");
  for (const char* kind : kinds) {
    Value one;
    one["type"] = kind;
    made["namespaces"].append(std::move(one));
  }
  made["maskedPaths"] = to_value(rootfs::default_masked());
  made["readonlyPaths"] = to_value(rootfs::default_read_only());
  return made;
}

// The host's /sys can't be mounted anew without the network, and gid 5 is not mapped.
std::vector<rootfs::Mount> mounts(bool rootless) {
  std::vector<rootfs::Mount> all = rootfs::default_mounts(shm_size);
  if (!rootless) return all;
  for (rootfs::Mount& mount : all) {
    std::erase(mount.options, "gid=5");
    if (mount.type != "sysfs") continue;
    mount.type = "none";
    mount.source = "/sys";
    mount.options = {"rbind", "nosuid", "noexec", "nodev", "ro"};
  }
  return all;
}

Value document(bool rootless) {
  Value made;
  made["ociVersion"] = container::specification;
  made["process"] = process();
  made["root"]["path"] = "rootfs";
  made["root"]["readonly"] = true;
  made["hostname"] = "umbel";
  for (const rootfs::Mount& mount : mounts(rootless)) {
    Value one;
    one["destination"] = mount.destination;
    one["type"] = mount.type;
    one["source"] = mount.source;
    one["options"] = to_value(mount.options);
    made["mounts"].append(std::move(one));
  }
  made["linux"] = linux_part(rootless);
  return made;
}

Result<int> spec(const Global&, const Values& v, Words) {
  const std::string directory = v.bundle.empty() ? "." : v.bundle;
  const Fd dir = TRY(during("--bundle", sys::open(cwd, directory, O_PATH | O_DIRECTORY)));
  if (sys::exists(dir, "config.json"))
    return fail("there is a config.json in " + directory + " already", "remove it first");
  TRY(sys::replace_file(dir, "config.json", json_text(document(v.rootless), 2) + "\n"));
  return 0;
}

}  // namespace

const Command spec_command{"spec", "", "write a config.json to start from",
                           with_options<Values, table, spec>};

}  // namespace umbel::cli::oci
