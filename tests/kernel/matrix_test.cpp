// Every kind of namespace with every source, generated from the table of kinds: what the container
// got is read from outside, as the inode of /proc/HOSTPID/ns/KIND, and compared with what was asked
// for.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "container/store.h"
#include "ns/kind.h"
#include "ns/named.h"
#include "sys/file.h"
#include "sys/process.h"

namespace {

using namespace umbel;

std::string binary() {
  const char* path = ::getenv("UMBEL");
  return path == nullptr ? "umbel" : path;
}

std::uint64_t inode(HostPid pid, const ns::KindInfo& kind) {
  struct stat found{};
  const std::string path = "/proc/" + std::to_string(pid.value()) + "/ns/" + std::string(kind.proc);
  EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
  return found.st_ino;
}

class Matrix : public testing::TestWithParam<std::tuple<std::size_t, ns::From>> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    char pattern[] = "/tmp/umbel-test.XXXXXX";
    scratch_ = ::mkdtemp(pattern);
    ::setenv("UMBEL_HOME", (scratch_ + "/home").c_str(), 1);
  }
  void TearDown() override {
    if (scratch_.empty()) return;
    for (const std::string& name : started_) call({"rm", "--force", name});
    if (!named_.empty()) call({"ns", "rm", "--force", named_});
    std::filesystem::remove_all(scratch_);
    // The directory of `ip netns` stays once it is made; it was not there before.
    if (netns_is_new_ && ::umount("/run/netns") == 0) std::filesystem::remove("/run/netns");
  }

  static int call(std::vector<std::string> args) {
    args.insert(args.begin(), binary());
    std::vector<std::string> env{"PATH=/usr/bin:/bin:/usr/sbin:/sbin",
                                 std::string("UMBEL_HOME=") + ::getenv("UMBEL_HOME")};
    auto child = sys::start({}, [&] {
      (void)sys::execute(binary(), args, env);
      return 127;
    });
    return child ? child->wait()->code() : 127;
  }

  HostPid start(const std::string& name, std::vector<std::string> options) {
    std::vector<std::string> args{"run", "-d", "--name", name};
    args.insert(args.end(), options.begin(), options.end());
    args.insert(args.end(), {"--", "sleep", "1000"});
    EXPECT_EQ(call(args), 0) << name;
    started_.push_back(name);
    const auto home = container::Home::open();
    const auto found = home->find(name);
    EXPECT_TRUE(found) << name;
    return found ? found->state.init.pid : HostPid();
  }

  // Its inode.
  std::uint64_t make_named(const ns::KindInfo& kind) {
    EXPECT_EQ(call({"ns", "create", std::string(kind.proc), "umbel-matrix"}), 0);
    named_ = std::string(kind.proc) + "/umbel-matrix";
    const auto names = ns::Names::open(std::getenv("UMBEL_HOME"));
    const auto found = names ? names->find(named_) : Result<ns::Name>(fail("no names"));
    EXPECT_TRUE(found);
    return found ? found->inode : 0;
  }

 private:
  std::string scratch_, named_;
  bool netns_is_new_ = !std::filesystem::exists("/run/netns");
  std::vector<std::string> started_;
};

TEST_P(Matrix, GivesWhatWasAsked) {
  const auto [which, from] = GetParam();
  const ns::KindInfo& kind = ns::kinds.at(which);
  const HostPid own(::getpid());
  const std::string option = "--" + std::string(kind.option);
  const std::vector<std::string> maps = {"--uid-map", "0:100000:65536", "--gid-map",
                                         "0:100000:65536"};

  // The other container has everything of its own, so that joining it shows in any kind.
  HostPid other;
  if (from == ns::From::with || from == ns::From::path) {
    std::vector<std::string> all;
    for (const ns::KindInfo& each : ns::kinds)
      if (each.kind != ns::Kind::user || kind.kind == ns::Kind::user)
        all.insert(all.end(), {"--" + std::string(each.option), "new"});
    if (kind.kind == ns::Kind::user) all.insert(all.end(), maps.begin(), maps.end());
    other = start("other", all);
    ASSERT_TRUE(other);
  }
  std::vector<std::string> options;
  std::uint64_t expected = 0;
  switch (from) {
    case ns::From::fresh:
      options = {option, "new"};
      break;
    case ns::From::host:
      options = {option, "host"};
      break;
    case ns::From::with:
      options = {option, "with:other"};
      break;
    case ns::From::path:
      options = {option,
                 "ns:/proc/" + std::to_string(other.value()) + "/ns/" + std::string(kind.proc)};
      break;
    case ns::From::named:
      expected = make_named(kind);
      options = {option, "ns:umbel-matrix"};
      break;
  }
  if (from == ns::From::host) expected = inode(own, kind);
  if (other) expected = inode(other, kind);
  if (kind.kind == ns::Kind::user && from == ns::From::fresh)
    options.insert(options.end(), maps.begin(), maps.end());
  const HostPid pid = start("asked", options);
  ASSERT_TRUE(pid);
  if (from == ns::From::fresh) {
    EXPECT_NE(inode(pid, kind), inode(own, kind));
  } else {
    EXPECT_EQ(inode(pid, kind), expected);
    if (from != ns::From::host) {
      EXPECT_NE(inode(pid, kind), inode(own, kind));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Matrix,
                         testing::Combine(testing::Range(std::size_t{0}, ns::kind_count),
                                          testing::Values(ns::From::fresh, ns::From::host,
                                                          ns::From::with, ns::From::path,
                                                          ns::From::named)),
                         [](const auto& test) {
                           std::string name(ns::kinds.at(std::get<0>(test.param)).option);
                           for (const auto& [value, text] : ns::name_table(ns::From{}))
                             if (value == std::get<1>(test.param)) name += "_" + std::string(text);
                           return name;
                         });

}  // namespace
