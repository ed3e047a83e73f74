#include "cli/umbel/configure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "sys/testing.h"

namespace umbel::cli {

namespace {

using container::Config;
using ns::From;
using ns::Kind;

Caller root_caller() {
  Caller caller{.administrator = true,
                .directory = "/home/me",
                .environment = {"PATH=/opt/bin:/bin", "SECRET=x", "TERM=vt"}};
  caller.own_ids.uid_map = caller.own_ids.gid_map = {{0, 0, 4294967295U}};
  return caller;
}

Caller user_caller() {
  Caller caller = root_caller();
  caller.administrator = false;
  caller.available.uid_map = {{0, 1000, 1}, {1, 100000, 65536}};
  caller.available.gid_map = {{0, 1000, 1}, {1, 100000, 65536}};
  caller.cgroup.cure = "ask for one";
  return caller;
}

RunOptions options(std::vector<std::string> words) {
  words.insert(words.end(), {"--", "true"});
  RunOptions o;
  const Result<Asked> asked = parse(run_syntax(o), words);
  EXPECT_EQ(sys::why_not(asked), "");
  return o;
}

Configured made(std::vector<std::string> words, const Caller& caller = root_caller()) {
  Result<Configured> result = configure(options(std::move(words)), caller);
  EXPECT_EQ(sys::why_not(result), "");
  return result ? std::move(*result) : Configured{};
}

Error refused(std::vector<std::string> words, const Caller& caller = root_caller()) {
  const Result<Configured> result = configure(options(std::move(words)), caller);
  if (result) {
    ADD_FAILURE() << "was not refused";
    return {};
  }
  EXPECT_FALSE(result.error().cure.empty()) << result.error().message();
  return result.error();
}

const rootfs::Mount* mount_at(const Config& config, std::string_view place) {
  const auto found = std::ranges::find(config.files.mounts, place, &rootfs::Mount::destination);
  return found == config.files.mounts.end() ? nullptr : &*found;
}

bool has(const std::vector<std::string>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

TEST(Configure, DefaultsOfACarefulPerson) {
  const Config config = made({}).config;
  for (const ns::KindInfo& kind : ns::kinds) {
    const bool hosts = kind.kind == Kind::user || kind.kind == Kind::time;
    EXPECT_EQ(config.namespaces[kind.kind].from, hosts ? From::host : From::fresh) << kind.option;
  }
  EXPECT_TRUE(config.process.no_new_privileges);
  EXPECT_TRUE(config.process.default_filter);
  EXPECT_EQ(config.process.capabilities.effective & ~security::default_capabilities(), 0U);
  EXPECT_EQ(config.process.capabilities.ambient, 0U);
  EXPECT_EQ(config.process.cwd, "/home/me");
  EXPECT_TRUE(has(config.process.env, "PATH=/opt/bin:/bin"));
  EXPECT_FALSE(has(config.process.env, "SECRET=x"));
  EXPECT_TRUE(has(config.files.masked, "/proc/kcore"));
  EXPECT_TRUE(has(config.files.read_only, "/proc/sys"));
  EXPECT_EQ(config.cgroup, "umbel-");
  EXPECT_FALSE(config.device_rules.empty());
  EXPECT_TRUE(config.init);
}

TEST(Configure, AnOrdinaryUserGetsAUserNamespaceWithWhatMayBeMapped) {
  const Config config = made({}, user_caller()).config;
  EXPECT_EQ(config.namespaces[Kind::user].from, From::fresh);
  EXPECT_EQ(config.settings.uid_map, user_caller().available.uid_map);
  EXPECT_EQ(config.cgroup, "");
  EXPECT_TRUE(config.device_rules.empty());
  const Error error = refused({"--memory", "64m"}, user_caller());
  EXPECT_TRUE(error.detail.starts_with("--memory needs a cgroup")) << error.detail;
  EXPECT_EQ(error.cure, "ask for one");
  Caller delegated = user_caller();
  delegated.cgroup.writable = true;
  EXPECT_EQ(made({"--memory", "64m"}, delegated).config.limits.memory, 64 << 20);
}

TEST(Configure, EveryKindTakesEverySource) {
  for (const ns::KindInfo& kind : ns::kinds) {
    const std::string option = "--" + std::string(kind.option);
    EXPECT_EQ(made({option, "new"}).config.namespaces[kind.kind].from, From::fresh);
    EXPECT_EQ(made({option, "host"}).config.namespaces[kind.kind].from, From::host);
    const ns::Source with = made({option, "with:web"}).config.namespaces[kind.kind];
    EXPECT_EQ(with, (ns::Source{From::with, "web"})) << kind.option;
    const ns::Source path = made({option, "ns:/run/x"}).config.namespaces[kind.kind];
    EXPECT_EQ(path, (ns::Source{From::path, "/run/x"})) << kind.option;
    EXPECT_TRUE(refused({option, "nwe"}).detail.starts_with(option)) << kind.option;
  }
  EXPECT_EQ(made({"--network", "none"}).config.namespaces[Kind::net].from, From::fresh);
}

TEST(Configure, AJoinedMountNamespaceBringsItsProcesses) {
  const Configured together = made({"--mnt", "with:web"});
  EXPECT_EQ(together.config.namespaces[Kind::pid], (ns::Source{From::with, "web"}));
  EXPECT_TRUE(together.notes.empty());
  const Configured apart = made({"--mnt", "with:web", "--pid", "new"});
  EXPECT_EQ(apart.config.namespaces[Kind::pid].from, From::fresh);
  ASSERT_EQ(apart.notes.size(), 1U);
  EXPECT_NE(apart.notes[0].find("/proc"), std::string::npos);
}

TEST(Configure, ContradictionsAreRefusedNamingBoth) {
  struct Pair {
    std::vector<std::string> words;
    const char *one, *other;
  };
  const Pair pairs[] = {
      {{"--uts", "host", "--hostname", "x"}, "--hostname", "--uts"},
      {{"--mnt", "host", "-v", "/a:/b"}, "--volume", "--mnt"},
      {{"--mnt", "with:web", "--rootfs", "/r"}, "--rootfs", "--mnt"},
      {{"--mnt", "host", "--read-only"}, "--read-only", "--mnt"},
      {{"--mnt", "host", "--tmpfs", "/x"}, "--tmpfs", "--mnt"},
      {{"--userns", "host", "--uid-map", "0:1:1"}, "--uid-map", "--userns"},
      {{"--time", "host", "--time-offset", "1d"}, "--time-offset", "--time"},
      {{"--rootfs", "/r", "--overlay", "/o"}, "--overlay", "--rootfs"},
      {{"--overlay-size", "1g", "--overlay", "/o"}, "--overlay-size", "--overlay"},
  };
  for (const Pair& pair : pairs) {
    const std::string message = refused(pair.words).message();
    EXPECT_NE(message.find(pair.one), std::string::npos) << message;
    EXPECT_NE(message.find(pair.other), std::string::npos) << message;
  }
}

TEST(Configure, ClocksThatAreSetOffAreNew) {
  const Config config = made({"--time-offset", "-1h"}).config;
  EXPECT_EQ(config.namespaces[Kind::time].from, From::fresh);
  EXPECT_EQ(config.settings.monotonic_offset, -3'600'000'000'000);
  EXPECT_EQ(config.settings.boottime_offset, -3'600'000'000'000);
}

TEST(Configure, IdMaps) {
  const Config one = made({"--userns", "new", "--uid-map", "0:100000:65536"}).config;
  EXPECT_EQ(one.settings.uid_map, (std::vector<ns::IdRange>{{0, 100000, 65536}}));
  EXPECT_EQ(one.settings.gid_map, one.settings.uid_map);
  EXPECT_FALSE(one.settings.deny_setgroups);
  // Without a map root keeps its ids and loses its rights over the host.
  const Config same = made({"--userns", "new"}).config;
  EXPECT_EQ(same.settings.uid_map, (std::vector<ns::IdRange>{{0, 0, 4294967295U}}));
  EXPECT_TRUE(made({"--uid-map", "0:1000:1"}, user_caller()).config.settings.deny_setgroups);
  refused({"--userns", "new", "--uid-map", "0:x"});
}

TEST(Configure, ABundleDecides) {
  const sys::Scratch scratch;
  scratch.file("config.json", R"({"ociVersion": "1.0.2", "root": {"path": "rootfs"},
    "process": {"args": ["sleep", "9"], "env": ["A=bundle", "B=bundle"], "cwd": "/srv",
                "user": {"uid": 7, "gid": 8}},
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]}})");
  const auto configured = [&](std::vector<std::string> words) {
    RunOptions o;
    words.insert(words.begin(), {"--bundle", scratch.path()});
    EXPECT_EQ(sys::why_not(parse(run_syntax(o), words)), "");
    return configure(o, root_caller());
  };
  const Result<Configured> plain = configured({"--name", "b"});
  ASSERT_EQ(sys::why_not(plain), "");
  EXPECT_EQ(plain->config.name, "b");
  EXPECT_EQ(plain->config.process.args, (std::vector<std::string>{"sleep", "9"}));
  EXPECT_EQ(plain->config.process.cwd, "/srv");
  EXPECT_EQ(plain->config.process.user.uid, 7U);
  EXPECT_EQ(plain->config.namespaces[Kind::pid].from, From::fresh);
  EXPECT_EQ(plain->config.namespaces[Kind::net].from, From::host);
  EXPECT_EQ(plain->config.cgroup, "umbel-");
  const Result<Configured> changed = configured({"-e", "B=option", "-w", "/", "--", "true"});
  ASSERT_EQ(sys::why_not(changed), "");
  EXPECT_EQ(changed->config.process.args, std::vector<std::string>{"true"});
  EXPECT_EQ(changed->config.process.cwd, "/");
  EXPECT_TRUE(has(changed->config.process.env, "A=bundle"));
  EXPECT_TRUE(has(changed->config.process.env, "B=option"));
  for (const char* clash : {"--read-only", "--privileged", "--net=host", "--memory=1m"}) {
    const Result<Configured> refusal = configured({clash});
    ASSERT_FALSE(refusal) << clash;
    EXPECT_TRUE(refusal.error().message().contains("--bundle")) << refusal.error().message();
  }
}

TEST(Configure, CapabilitiesAddUpAsDockerHasIt) {
  using security::capability;
  const auto set = [](std::vector<std::string> words) {
    return made(std::move(words)).config.process.capabilities.effective;
  };
  const security::CapSet plain = set({});
  const security::CapSet admin = *security::parse_capability("sys_admin");
  const security::CapSet chown = *security::parse_capability("chown");
  EXPECT_EQ(set({"--cap-add", "SYS_ADMIN"}), plain | admin);
  EXPECT_EQ(set({"--cap-drop", "chown"}), plain & ~chown);
  EXPECT_EQ(set({"--cap-drop", "all"}), 0U);
  EXPECT_EQ(set({"--cap-drop", "all", "--cap-add", "chown"}), chown);
  EXPECT_EQ(set({"--cap-add", "all"}), *security::parse_capability("all"));
  EXPECT_EQ(set({"--cap-add", "all", "--cap-drop", "chown"}),
            *security::parse_capability("all") & ~chown);
  EXPECT_NE(refused({"--cap-add", "sys_admim"}).message().find("--cap-add"), std::string::npos);
}

TEST(Configure, PrivilegedAndNested) {
  const Config all = made({"--privileged"}).config;
  EXPECT_EQ(all.process.capabilities.effective, *security::parse_capability("all"));
  EXPECT_FALSE(all.process.default_filter);
  EXPECT_FALSE(all.process.no_new_privileges);
  EXPECT_TRUE(all.files.masked.empty());
  EXPECT_FALSE(has(mount_at(all, "/sys")->options, "ro"));
  ASSERT_EQ(all.device_rules.size(), 1U);
  EXPECT_TRUE(all.device_rules[0].allow);
  const Configured nest = made({"--nest"});
  EXPECT_TRUE(nest.config.files.root.nest);
  EXPECT_TRUE(nest.config.files.masked.empty());
  ASSERT_TRUE(nest.config.process.seccomp);
  EXPECT_EQ(nest.config.process.seccomp->rules.back().names,
            std::vector<std::string>{"pivot_root"});
  EXPECT_FALSE(has(mount_at(nest.config, "/sys/fs/cgroup")->options, "ro"));
  ASSERT_EQ(nest.notes.size(), 1U);
  EXPECT_NE(nest.notes[0].find("--nest"), std::string::npos);
}

TEST(Configure, Volumes) {
  const Config config =
      made({"-v", "./data:/srv/data:ro", "-v", "/x:/srv", "--tmpfs", "/scratch:size=1m,exec"})
          .config;
  const rootfs::Mount* data = mount_at(config, "/srv/data");
  ASSERT_NE(data, nullptr);
  EXPECT_EQ(data->source, "/home/me/./data");
  EXPECT_TRUE(has(data->options, "rro"));
  // What lies deeper is mounted later, whatever the order it was given in.
  EXPECT_LT(mount_at(config, "/srv"), data);
  EXPECT_TRUE(has(mount_at(config, "/scratch")->options, "size=1m"));
  const Config shm = made({"--tmpfs", "/dev/shm:size=1g"}).config;
  EXPECT_EQ(std::ranges::count(shm.files.mounts, "/dev/shm", &rootfs::Mount::destination), 1);
  refused({"-v", "name:/data"});
  refused({"-v", "/data"});
  refused({"-v", "/data:data"});
  refused({"--tmpfs", "data"});
}

TEST(Configure, Devices) {
  const Config config = made({"--device", "/dev/null:/dev/nothing:r"}).config;
  const auto device =
      std::ranges::find(config.files.devices, "/dev/nothing", &rootfs::Device::path);
  ASSERT_NE(device, config.files.devices.end());
  EXPECT_EQ(device->major, 1);
  EXPECT_EQ(device->minor, 3);
  EXPECT_EQ(config.device_rules.back().access, "r");
  EXPECT_TRUE(config.device_rules.back().allow);
  EXPECT_NE(refused({"--device", "null"}).message().find("--device"), std::string::npos);
  const Result<Configured> file = configure(options({"--device", "/etc/passwd"}), root_caller());
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message().find("/etc/passwd is no device"), std::string::npos);
}

TEST(Configure, TheEnvironmentIsTheOptionsAlone) {
  const sys::Scratch scratch;
  scratch.file("env", "# comment\nA=file\n\n  B=two words \nSECRET\n");
  const Config config =
      made({"--env-file", scratch.path("env"), "-e", "A=option", "-e", "ABSENT", "-t"}).config;
  EXPECT_TRUE(has(config.process.env, "A=option"));
  EXPECT_FALSE(has(config.process.env, "A=file"));
  EXPECT_TRUE(has(config.process.env, "B=two words "));
  EXPECT_TRUE(has(config.process.env, "SECRET=x"));
  EXPECT_TRUE(has(config.process.env, "TERM=vt"));
  EXPECT_EQ(std::ranges::count_if(config.process.env,
                                  [](const std::string& e) { return e.starts_with("ABSENT"); }),
            0);
  refused({"-e", "=x"});
}

TEST(Configure, WhereItStarts) {
  EXPECT_EQ(made({"--rootfs", "root"}).config.process.cwd, "/");
  EXPECT_EQ(made({"--rootfs", "root"}).config.files.root.path, "/home/me/root");
  EXPECT_FALSE(has(made({"--rootfs", "root"}).config.process.env, "PATH=/opt/bin:/bin"));
  EXPECT_EQ(made({"-w", "/usr/../bin"}).config.process.cwd, "/usr/../bin");
  EXPECT_EQ(made({"-w", "sub"}).config.process.cwd, "/home/me/sub");
  EXPECT_EQ(made({"--mnt", "host"}).config.process.cwd, "/home/me");
}

TEST(Configure, TheRest) {
  const Config config =
      made({"--name",          "web",       "--label",  "a=b=c",         "--label", "bare",
            "--pidfile",       "pid",       "--rm",     "--stop-signal", "INT",     "--no-init",
            "--cgroup-parent", "/my/group", "--ulimit", "nofile=10:20",  "-u",      "nobody",
            "--seccomp",       "off"})
          .config;
  EXPECT_EQ(config.name, "web");
  EXPECT_EQ(config.labels.at("a"), "b=c");
  EXPECT_EQ(config.labels.at("bare"), "");
  EXPECT_EQ(config.pid_file, "/home/me/pid");
  EXPECT_TRUE(config.auto_remove);
  EXPECT_EQ(config.stop_signal, "INT");
  EXPECT_FALSE(config.init);
  EXPECT_EQ(config.cgroup, "my/group/");
  ASSERT_EQ(config.process.rlimits.size(), 1U);
  EXPECT_EQ(config.process.rlimits[0].hard, 20U);
  EXPECT_EQ(config.process.user_name, "nobody");
  EXPECT_FALSE(config.process.default_filter);
  EXPECT_FALSE(config.process.seccomp);
  refused({"--stop-signal", "NOPE"});
  refused({"--name", "a/b"});
  refused({"--ulimit", "nofile=x"});
}

}  // namespace

}  // namespace umbel::cli
