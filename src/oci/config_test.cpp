#include "oci/config.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "oci/document.h"
#include "oci/resources.h"
#include "sys/file.h"

namespace umbel::oci {
namespace {

using ns::From;
using ns::Kind;

// What `runc spec` writes, shortened only in its lists of paths.
constexpr const char* runc_spec = R"({
  "ociVersion": "1.0.2-dev",
  "process": {
    "terminal": true,
    "user": {"uid": 0, "gid": 0},
    "args": ["sh"],
    "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
    "cwd": "/",
    "capabilities": {
      "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "ambient": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    },
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
    "noNewPrivileges": true
  },
  "root": {"path": "rootfs", "readonly": true},
  "hostname": "runc",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
     "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}
  ],
  "linux": {
    "resources": {"devices": [{"allow": false, "access": "rwm"}]},
    "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
                   {"type": "mount"}],
    "maskedPaths": ["/proc/acpi", "/proc/kcore"],
    "readonlyPaths": ["/proc/bus", "/proc/sys"]
  }
})";

Value base() { return *parse_json(runc_spec); }

// The member at a path such as "linux.namespaces", made if missing.
Value& at(Value& document, std::string_view path) {
  const std::size_t dot = path.find('.');
  if (dot == std::string_view::npos) return document[path];
  return at(document[path.substr(0, dot)], path.substr(dot + 1));
}

Result<container::Config> with(std::string_view path, std::string_view json,
                               Warnings* warnings = nullptr) {
  Value document = base();
  at(document, path) = *parse_json(json);
  return from_spec(document, "/bundle", warnings);
}

std::string refusal(std::string_view path, std::string_view json) {
  const Result<container::Config> made = with(path, json);
  return made ? "accepted" : made.error().message();
}

TEST(OciConfig, TakesWhatRuncWrites) {
  Warnings warnings;
  const Result<container::Config> made = from_spec(base(), "/bundle", &warnings);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(made->process.capabilities.ambient, 0U);
  EXPECT_EQ(made->files.root.path, "/bundle/rootfs");
  EXPECT_TRUE(made->files.root.read_only);
  EXPECT_EQ(made->settings.hostname, "runc");
  EXPECT_EQ(made->namespaces[Kind::pid].from, From::fresh);
  EXPECT_EQ(made->namespaces[Kind::net].from, From::fresh);
  EXPECT_EQ(made->namespaces[Kind::user].from, From::host);
  EXPECT_EQ(made->namespaces[Kind::cgroup].from, From::host);
  EXPECT_EQ(made->process.args, std::vector<std::string>{"sh"});
  EXPECT_TRUE(made->process.terminal);
  EXPECT_TRUE(made->process.no_new_privileges);
  EXPECT_FALSE(made->process.default_filter);
  EXPECT_EQ(made->process.capabilities.bounding,
            security::capability(29) | security::capability(5) | security::capability(10));
  EXPECT_EQ(made->process.capabilities.inheritable, 0U);
  EXPECT_EQ(made->process.rlimits.at(0).soft, 1024U);
  EXPECT_FALSE(made->init);
  EXPECT_EQ(made->cgroup, "");
  EXPECT_EQ(made->files.masked.size(), 2U);
  EXPECT_EQ(made->files.mounts.size(), 3U);
  EXPECT_EQ(made->files.devices.size(), 6U);
  EXPECT_FALSE(made->device_rules.front().allow);
  EXPECT_TRUE(made->device_rules.back().allow);
}

TEST(OciConfig, ReadsABundleFromDisk) {
  const std::string dir = ::testing::TempDir() + "umbel-oci-bundle";
  ASSERT_TRUE(sys::make_directories(dir, 0755));
  const Fd opened = *sys::open(cwd, dir, O_PATH | O_DIRECTORY);
  ASSERT_TRUE(sys::replace_file(opened, "config.json", runc_spec));
  const Result<container::Config> made = read_bundle(dir + "/../umbel-oci-bundle/.");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->files.root.path, dir + "/rootfs");
  ASSERT_TRUE(sys::replace_file(opened, "config.json", "{\"ociVersion\":"));
  const Result<container::Config> broken = read_bundle(dir);
  ASSERT_FALSE(broken);
  EXPECT_TRUE(broken.error().message().starts_with(dir + "/config.json: at line 1"))
      << broken.error().message();
  ASSERT_TRUE(sys::remove_tree(cwd, dir));
  EXPECT_FALSE(read_bundle(dir));
}

// What podman adds: shared namespaces by path, limits that are not limits, nulls.
TEST(OciConfig, TakesWhatPodmanWrites) {
  Value document = base();
  at(document, "linux.namespaces") = *parse_json(R"([
    {"type": "pid"}, {"type": "network", "path": "/run/netns/netns-1"}, {"type": "ipc"},
    {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}])");
  at(document, "linux.resources") = *parse_json(R"({
    "devices": [{"allow": false, "access": "rwm"},
                {"allow": true, "type": "c", "major": 10, "minor": -1, "access": "rw"}],
    "memory": {"limit": 33554432, "swap": 67108864, "disableOOMKiller": false},
    "cpu": {"shares": 0, "quota": 50000, "period": 100000, "cpus": "0"},
    "blockIO": {"weight": 0}, "pids": {"limit": 2048}, "hugepageLimits": null})");
  at(document, "linux.cgroupsPath") = "/libpod_parent/../libpod_parent/libpod-17";
  at(document, "process.user") =
      *parse_json(R"({"uid": 7, "gid": 8, "umask": 18, "additionalGids": [9, 10]})");
  at(document, "process.oomScoreAdj") = 100;
  at(document, "annotations") = *parse_json(R"({"io.container.manager": "libpod"})");
  at(document, "hooks") = *parse_json("{\"prestart\": null}");
  const Result<container::Config> made = from_spec(document, "/bundle");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->namespaces[Kind::net].from, From::path);
  EXPECT_EQ(made->namespaces[Kind::net].what, "/run/netns/netns-1");
  EXPECT_EQ(made->limits.memory, 33554432);
  EXPECT_EQ(made->limits.memory_swap, 67108864);
  EXPECT_FALSE(made->limits.disable_oom_killer);
  EXPECT_FALSE(made->limits.cpu_shares);
  EXPECT_EQ(made->limits.cpu_quota, 50000);
  EXPECT_EQ(made->limits.cpus, "0");
  EXPECT_FALSE(made->limits.io_weight);
  EXPECT_EQ(made->limits.pids, 2048);
  EXPECT_EQ(made->device_rules.at(1).major, 10);
  EXPECT_FALSE(made->device_rules.at(1).minor);
  EXPECT_EQ(made->cgroup, "libpod_parent/libpod-17");
  EXPECT_EQ(made->process.user.umask, 18U);
  EXPECT_EQ(made->process.user.groups, (std::vector<std::uint32_t>{9, 10}));
  EXPECT_EQ(made->process.oom_score, 100);
  EXPECT_EQ(made->labels.at("io.container.manager"), "libpod");
}

TEST(OciConfig, TakesUserAndTimeNamespaces) {
  Value document = base();
  at(document, "linux.namespaces") =
      *parse_json(R"([{"type": "mount"}, {"type": "uts"}, {"type": "user"}, {"type": "time"}])");
  at(document, "linux.uidMappings") =
      *parse_json(R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
  at(document, "linux.gidMappings") = at(document, "linux.uidMappings");
  at(document, "linux.timeOffsets") =
      *parse_json(R"({"monotonic": {"secs": -2, "nanosecs": 500}, "boottime": {"secs": 5}})");
  const Result<container::Config> made = from_spec(document, "/bundle");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->settings.uid_map.at(0), (ns::IdRange{0, 100000, 65536}));
  EXPECT_EQ(made->settings.monotonic_offset, -1'999'999'500);
  EXPECT_EQ(made->settings.boottime_offset, 5'000'000'000);
}

TEST(OciConfig, BindSourcesAreRelativeToTheBundle) {
  const Result<container::Config> made =
      with("mounts", R"([{"destination": "data", "source": "here", "options": ["rbind", "ro"]},
                         {"destination": "/x", "type": "tmpfs", "source": "here"}])");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->files.mounts.at(0).source, "/bundle/here");
  EXPECT_EQ(made->files.mounts.at(0).destination, "/data");
  EXPECT_EQ(made->files.mounts.at(1).source, "here");
}

TEST(OciConfig, ListedDevicesReplaceTheDefaultOnes) {
  const Result<container::Config> made =
      with("linux.devices", R"([{"path": "/dev/null", "type": "c", "major": 1, "minor": 3,
                                 "fileMode": 384, "uid": 5}])");
  ASSERT_TRUE(made) << made.error().message();
  const auto& devices = made->files.devices;
  EXPECT_EQ(std::ranges::count(devices, "/dev/null", &rootfs::Device::path), 1);
  EXPECT_EQ(devices.back().mode, 0600U);
  EXPECT_EQ(devices.back().uid, 5U);
}

TEST(OciConfig, UnknownCapabilitiesAreWarnedOf) {
  Warnings warnings;
  const Result<container::Config> made =
      with("process.capabilities.bounding", R"(["CAP_KILL", "CAP_TO_FLY"])", &warnings);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->process.capabilities.bounding & security::capability(5), security::capability(5));
  ASSERT_FALSE(warnings.empty());
  EXPECT_NE(warnings[0].find("CAP_TO_FLY"), std::string::npos);
}

TEST(OciConfig, UnknownMembersArePassedOver) {
  EXPECT_TRUE(with("linux.newThing", "{\"a\": 1}"));
  EXPECT_TRUE(with("process.user.username", "\"ContainerUser\""));
  EXPECT_TRUE(with("windows", "{}"));
}

struct Wrong {
  const char *path, *json, *message;
};
class OciConfigRefuses : public ::testing::TestWithParam<Wrong> {};
TEST_P(OciConfigRefuses, NamingTheField) {
  const Wrong& wrong = GetParam();
  EXPECT_TRUE(refusal(wrong.path, wrong.json).starts_with(wrong.message))
      << refusal(wrong.path, wrong.json);
}
INSTANTIATE_TEST_SUITE_P(
    Types, OciConfigRefuses,
    ::testing::Values(
        Wrong{"process.args", "[1]", "process.args[0]: must be a string, not a number"},
        Wrong{"process.user.uid", "-1", "process.user.uid: is out of range"},
        Wrong{"process.env", "\"A=b\"", "process.env: must be an array, not a string"},
        Wrong{"root.readonly", "\"yes\"", "root.readonly: must be true or false"},
        Wrong{"linux.resources.memory.limit", "1.5", "linux.resources.memory.limit: must be"},
        Wrong{"linux.uidMappings", "[{\"size\": \"x\"}]", "linux.uidMappings[0].size: must be"},
        Wrong{"annotations", "{\"a\": 1}", "annotations.a: must be a string"},
        Wrong{"mounts", "[{\"destination\": \"/x\", \"options\": [3]}]",
              "mounts[0].options[0]: must be a string"}));
INSTANTIATE_TEST_SUITE_P(Unsupported, OciConfigRefuses,
                         ::testing::Values(Wrong{"linux.intelRdt", "{\"closID\": \"a\"}",
                                                 "linux.intelRdt.closID: "},
                                           Wrong{"linux.memoryPolicy", "{\"mode\": \"MPOL_BAND\"}",
                                                 "linux.memoryPolicy: 'MPOL_BAND'"}));
INSTANTIATE_TEST_SUITE_P(
    Meaningless, OciConfigRefuses,
    ::testing::Values(
        Wrong{"ociVersion", "\"2.0.0\"", "ociVersion: '2.0.0'"},
        Wrong{"ociVersion", "null", "ociVersion: ''"}, Wrong{"process", "null", "process: is"},
        Wrong{"process.args", "[]", "process.args: needs"},
        Wrong{"process.cwd", "\"tmp\"", "process.cwd: must be an absolute path"},
        Wrong{"process.rlimits",
              R"([{"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
                  {"type": "RLIMIT_CORE", "soft": 1, "hard": 1}])",
              "process.rlimits[1].type: RLIMIT_CORE is limited twice"},
        Wrong{"root", "null", "root.path: is missing"},
        Wrong{"linux.namespaces", "[{\"type\": \"mount\"}, {\"type\": \"nett\"}]",
              "linux.namespaces[1].type: 'nett'"},
        Wrong{"linux.namespaces", "[{\"type\": \"pid\"}, {\"type\": \"pid\"}]",
              "linux.namespaces[1].type: there is more than one"},
        Wrong{"linux.namespaces", "[{\"type\": \"pid\", \"path\": \"x\"}]",
              "linux.namespaces[0].path: must be an absolute path"},
        Wrong{"linux.namespaces", "[{\"type\": \"mount\"}]",
              "hostname: would change the host's uts namespace"},
        Wrong{"linux.namespaces", "[]", "root.path: would change the host's mount"},
        Wrong{"linux.sysctl", "{\"vm.swappiness\": \"1\"}",
              "linux.sysctl.vm.swappiness: belongs to the whole host"},
        Wrong{"linux.sysctl", "{\"fs.mqueue.msg_max\": 5}",
              "linux.sysctl.fs.mqueue.msg_max: must be a string"},
        Wrong{"linux.uidMappings", "[{\"size\": 1}]", "linux.uidMappings: would change"},
        Wrong{"linux.timeOffsets", "{\"monotonic\": {\"secs\": 1}}",
              "linux.timeOffsets.monotonic: would change the host's time"},
        Wrong{"linux.rootfsPropagation", "\"everywhere\"", "linux.rootfsPropagation: 'everywhere'"},
        Wrong{"mounts", "[{\"type\": \"tmpfs\"}]", "mounts[0].destination: is missing"},
        Wrong{"mounts", R"([{"destination": "/x"}])", "mounts[0]: the mount has no type"}));

TEST(OciResources, AreReadAlone) {
  const Result<Resources> made = read_resources(*parse_json(
      R"({"memory": {"swappiness": 0}, "cpu": {"burst": 0, "idle": 1}, "unified": {"a.b": "1"},
          "rdma": {"mlx5_1": {"hcaHandles": 3}}, "network": {"classID": 4},
          "hugepageLimits": [{"pageSize": "2MB", "limit": 5}]})"));
  ASSERT_TRUE(made) << made.error().message();
  const cgroup::Limits limits = limits_of(*made);
  EXPECT_EQ(limits.swappiness, 0U);
  EXPECT_EQ(limits.cpu_burst, 0U);
  EXPECT_EQ(limits.cpu_idle, 1);
  EXPECT_EQ(limits.unified.at("a.b"), "1");
  EXPECT_EQ(limits.rdma.at(0).handles, 3U);
  EXPECT_EQ(limits.network_class, 4U);
  EXPECT_EQ(limits.huge_pages.at(0).limit, 5U);
  EXPECT_FALSE(limits.memory);
}

TEST(OciProcess, IsReadAlone) {
  const Result<container::Process> made = from_process(*parse_json(
      R"({"args": ["id"], "cwd": "/", "user": {"uid": 1}, "terminal": true,
          "consoleSize": {"height": 24, "width": 80}})"));
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->console_size->rows, 24);
  EXPECT_EQ(made->user.uid, 1U);
  EXPECT_FALSE(from_process(*parse_json(R"({"args": ["id"], "cwd": 7})")));
}

}  // namespace
}  // namespace umbel::oci
