// Hosts with cgroup2 alone and with v1 alone, as a mount namespace of its own can show them on this
// one: the kernel behind is the same, and real.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "cgroup/testing.h"
#include "sys/bpf.h"

namespace umbel::cgroup {
namespace {

class View : public OnHost {
 protected:
  void SetUp() override {
    OnHost::SetUp();
    if (IsSkipped()) return;
    if (version_ != Version::hybrid) GTEST_SKIP() << "no hybrid host, which has both";
    if (::geteuid() != 0) GTEST_SKIP() << "only root mounts";
  }

  static bool private_mounts() {
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  }
  static int said(const char* what, const Error& error) {
    std::fprintf(stderr, "%s: %s\n", what, error.message().c_str());
    return 1;
  }

  // The life of a container's cgroup; 7 if all of it went well.
  static int whole_life(std::size_t number_of_hierarchies) {
    auto made = Cgroup::create(unique_name + "/view/a");
    if (!made) return said("create", made.error());
    if (made->paths().size() != number_of_hierarchies) return 2;
    sys::Process child = run_forever(*made);
    if (made->processes().value() != std::vector{child.pid()}) return 3;
    if (const auto done = made->restrict_devices(default_device_rules()); !done)
      return said("devices", done.error());
    if (const auto done = made->freeze(); !done) return said("freeze", done.error());
    if (!made->frozen().value()) return 4;
    if (const auto done = made->thaw(); !done) return said("thaw", done.error());
    if (!made->usage()) return 5;
    if (const auto done = made->kill(SIGKILL); !done) return said("kill", done.error());
    if (child.wait()->signal != SIGKILL) return 6;
    if (const auto done = made->remove(); !done) return said("remove", done.error());
    return 7;
  }
};

TEST_F(View, OfCgroup2Alone) {
  sys::Process child = sys::start({}, [] {
                         if (!private_mounts()) return 20;
                         if (::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr) != 0)
                           return 21;
                         if (host()->version != Version::v2 || !host()->writable) return 22;
                         const int lived = whole_life(1);
                         if (lived != 7) return lived;
                         // What cgroup2 does not have here is refused, not passed over.
                         auto made = Cgroup::create(unique_name + "/view/b");
                         if (!made) return said("create", made.error());
                         const auto limited = made->limit({.memory = 1 << 20});
                         return !limited && limited.error().code == EOPNOTSUPP ? 7 : 23;
                       }).value();
  EXPECT_EQ(child.wait()->code(), 7);
}

TEST_F(View, OfV1Alone) {
  const auto all = hierarchies();
  sys::Process child = sys::start({}, [&] {
                         if (!private_mounts()) return 20;
                         if (::umount2(all->back().top.c_str(), MNT_DETACH) != 0) return 21;
                         if (host()->version != Version::v1) return 22;
                         return whole_life(all->size() - 1);
                       }).value();
  EXPECT_EQ(child.wait()->code(), 7);
}

TEST_F(View, OfNoCgroupAtAll) {
  sys::Process child =
      sys::start({}, [] {
        if (!private_mounts()) return 20;
        if (::mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, nullptr) != 0) return 21;
        const auto found = host();
        if (!found || found->version != Version::none || found->writable) return 22;
        const auto made = Cgroup::create(unique_name + "/a");
        return !made && made.error().code == EOPNOTSUPP && !made.error().cure.empty() ? 7 : 23;
      }).value();
  EXPECT_EQ(child.wait()->code(), 7);
}

TEST_F(View, ReadOnlyHierarchiesAreLeftOut) {
  const auto all = hierarchies();
  const std::string first = all->front().top;
  sys::Process child =
      sys::start({}, [&] {
        if (!private_mounts()) return 20;
        const auto seal = [](const std::string& top) {
          return ::mount(top.c_str(), top.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
                 ::mount(nullptr, top.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY,
                         nullptr) == 0;
        };
        if (!seal(first)) return 21;
        const int lived = whole_life(all->size() - 1);
        if (lived != 7) return lived;
        if (host()->writable || host()->cure.empty()) return 22;
        for (const Hierarchy& hierarchy : *all)
          if (hierarchy.top != first && !seal(hierarchy.top)) return 23;
        const auto made = Cgroup::create(unique_name + "/a");
        return !made && made.error().code == EROFS && !made.error().cure.empty() ? 7 : 24;
      }).value();
  EXPECT_EQ(child.wait()->code(), 7);
}

// As in a container with cgroup2 and a cgroup namespace: the root that is seen is one's own cgroup,
// and has processes.
TEST_F(View, OfANamespaceRootWithProcesses) {
  auto container = Cgroup::prepare(unified_only(), unique_name + "/box");
  ASSERT_OK(container);
  ASSERT_OK(sys::write_file(cwd, root_control(), "+hugetlb"));
  const std::string above = unified_only().front().top + "/" + unique_name;
  ASSERT_OK(sys::write_file(cwd, above + "/cgroup.subtree_control", "+hugetlb"));
  sys::Clone how;
  how.cgroup = container->directory().value();
  sys::Process child = sys::start(how, [] {
                         if (::unshare(CLONE_NEWCGROUP) != 0 || !private_mounts()) return 20;
                         if (::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr) != 0)
                           return 21;
                         // Only where no systemd divides the tree may the processes be moved aside.
                         if (::mount("tmpfs", "/run", "tmpfs", 0, nullptr) != 0) return 22;
                         auto made = Cgroup::create("umbel/a");
                         if (!made) return said("create", made.error());
                         if (!sys::exists(cwd, made->paths().at("") + "/hugetlb.2MB.max"))
                           return 23;
                         const auto limited =
                             made->limit({.huge_pages = {{.size = "2MB", .limit = 0}}});
                         if (!limited) return said("limit", limited.error());
                         return run(*made, [] { return 7; }).wait()->code();
                       }).value();
  EXPECT_EQ(child.wait()->code(), 7);
  ASSERT_OK(container->remove());
}

}  // namespace
}  // namespace umbel::cgroup
