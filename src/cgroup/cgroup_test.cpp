#include "cgroup/cgroup.h"

#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "cgroup/testing.h"
#include "proc/cgroup.h"

namespace umbel::cgroup {
namespace {

using std::chrono::milliseconds;

class Life : public OnHost {
 protected:
  static std::string path(const std::string& name) { return unique_name + "/" + name; }

  // Whether the calling process is at that path in every hierarchy of this host.
  static bool inside_all(const std::string& wanted) {
    const auto mine = proc::parse_memberships(sys::read_file(cwd, "/proc/self/cgroup").value());
    return mine && std::ranges::all_of(*mine, [&](const proc::Membership& membership) {
             return membership.path.ends_with("/" + wanted);
           });
  }
};

TEST_F(Life, AChildEntersEveryHierarchy) {
  auto made = Cgroup::create(path("a"));
  ASSERT_OK(made);
  EXPECT_EQ(made->paths().size(), hierarchies()->size());
  sys::Process child = run(*made, [&] { return inside_all(path("a")) ? 7 : 1; });
  EXPECT_EQ(child.wait()->status, 7);
  ASSERT_OK(made->remove());
}

TEST_F(Life, AChildInANewUserNamespaceEnters) {
  auto made = Cgroup::create(path("a"));
  ASSERT_OK(made);
  sys::Clone how{.flags = CLONE_NEWUSER | CLONE_NEWNS};
  how.cgroup = made->directory().value();
  auto child = sys::start(how, [&] {
    if (!made->enter()) return 1;
    return inside_all(path("a")) ? 7 : 2;
  });
  if (!child) GTEST_SKIP() << "no user namespace here: " << child.error().message();
  EXPECT_EQ(child->wait()->code(), 7);
  ASSERT_OK(made->remove());
}

TEST_F(Life, AWholeProcessIsAdded) {
  auto made = Cgroup::create(path("a"));
  ASSERT_OK(made);
  Shared<std::atomic<int>> step;
  sys::Process child = sys::start({}, [&] {
                         while (*step == 0) ::usleep(100);
                         return inside_all(path("a")) ? 7 : 1;
                       }).value();
  ASSERT_OK(made->add(child.pid()));
  EXPECT_EQ(made->processes().value(), std::vector{child.pid()});
  *step = 1;
  EXPECT_EQ(child.wait()->status, 7);
  EXPECT_TRUE(made->processes()->empty());
  ASSERT_OK(made->remove());
}

TEST_F(Life, AChildIsBornWhileTheRestIsMade) {
  auto made = Cgroup::prepare(path("deep/er/a"));
  ASSERT_OK(made);
  Shared<std::atomic<int>> step;
  sys::Clone how;
  how.cgroup = made->directory().value();
  sys::Process child = sys::start(how, [&] {
                         // The root may be another one by now.
                         if (::chroot("/proc") != 0) return 2;
                         while (*step == 0) ::usleep(100);
                         if (!made->enter()) return 3;
                         *step = 2;
                         for (;;) ::pause();
                         return 0;
                       }).value();
  ASSERT_OK(made->complete());
  *step = 1;
  while (*step != 2 && !sys::wait_end(child.pidfd(), milliseconds(0)).value()) ::usleep(100);
  const std::string where = "/proc/" + std::to_string(child.pid().value()) + "/cgroup";
  const auto memberships = proc::parse_memberships(sys::read_file(cwd, where).value());
  ASSERT_OK(memberships);
  for (const proc::Membership& membership : *memberships)
    EXPECT_TRUE(membership.path.ends_with(path("deep/er/a"))) << membership.controllers;
  ASSERT_OK(child.kill(SIGKILL));
  ASSERT_OK(child.wait());
  ASSERT_OK(made->remove());
}

TEST_F(Life, TheDestructorKillsAndRemoves) {
  sys::Process child;
  {
    auto made = Cgroup::create(path("a"));
    ASSERT_OK(made);
    child = run_forever(*made);
  }
  EXPECT_EQ(child.wait()->signal, SIGKILL);
}

TEST_F(Life, WhatIsDetachedStays) {
  Paths paths;
  {
    auto made = Cgroup::create(path("a"));
    ASSERT_OK(made);
    made->detach();
    paths = made->paths();
  }
  ASSERT_EQ(left_behind().size(), paths.size());
  ASSERT_OK(Cgroup::open(paths).remove());
}

TEST_F(Life, OneInUseIsRefusedAndNothingIsLeft) {
  const std::vector<Hierarchy> all = hierarchies().value();
  const std::size_t middle = all.size() / 2;
  auto user = Cgroup::prepare({all[middle]}, path("x"));
  ASSERT_OK(user);
  ASSERT_OK(user->complete());
  sys::Process child = sys::start({}, [] {
                         for (;;) ::pause();
                         return 0;
                       }).value();
  ASSERT_OK(user->add(child.pid()));

  const auto second = Cgroup::create(path("x"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EEXIST);
  EXPECT_NE(second.error().message().find(std::to_string(child.pid().value())), std::string::npos)
      << second.error().message();
  EXPECT_FALSE(second.error().cure.empty());
  EXPECT_EQ(left_behind(), std::vector{all[middle].top + "/" + unique_name});
  EXPECT_FALSE(sys::wait_end(child.pidfd(), milliseconds(0)).value());

  ASSERT_OK(user->kill(SIGKILL));
  ASSERT_OK(child.wait());
  ASSERT_OK(user->remove());
}

TEST_F(Life, AStepThatFailsLeavesNothing) {
  std::vector<Hierarchy> all = hierarchies().value();
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2),
             Hierarchy{.name = "broken", .top = "/proc", .root = "/"});
  auto made = Cgroup::prepare(all, path("x"));
  if (made)
    made = [&]() -> Result<Cgroup> {
      TRY(made->complete());
      return std::move(*made);
    }();
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("/proc/" + unique_name), std::string::npos)
      << made.error().message();
}

TEST_F(Life, AnEmptyDirectoryIsTakenOver) {
  auto first = Cgroup::create(path("a"));
  ASSERT_OK(first);
  ASSERT_OK(first->freeze());
  first->detach();
  auto second = Cgroup::create(path("a"));
  ASSERT_OK(second);
  EXPECT_FALSE(second->frozen().value());
  EXPECT_EQ(run(*second, [] { return 7; }).wait()->status, 7);
  ASSERT_OK(second->remove());
}

TEST_F(Life, AParentMadeByOthersIsKept) {
  const std::vector<Hierarchy> all = hierarchies().value();
  for (const Hierarchy& hierarchy : all)
    ASSERT_OK(sys::make_directory(cwd, hierarchy.top + "/" + unique_name, 0755));
  auto made = Cgroup::create(path("mine/a"));
  ASSERT_OK(made);
  ASSERT_OK(made->remove());
  EXPECT_EQ(left_behind().size(), all.size());
  for (const Hierarchy& hierarchy : all) {
    EXPECT_FALSE(sys::exists(cwd, hierarchy.top + "/" + path("mine")));
    ASSERT_OK(sys::remove_directory(cwd, hierarchy.top + "/" + unique_name));
  }
}

TEST_F(Life, EightAtOnceMakeAndRemoveSiblings) {
  std::vector<sys::Process> workers;
  for (int worker = 0; worker < 8; ++worker)
    workers.push_back(sys::start({}, [&] {
                        for (int round = 0; round < 25; ++round) {
                          auto made = Cgroup::create(path("n" + std::to_string(worker)));
                          if (!made) {
                            std::fprintf(stderr, "%s\n", made.error().message().c_str());
                            return 1;
                          }
                          if (run(*made, [] { return 7; }).wait()->status != 7) return 2;
                          if (const auto removed = made->remove(); !removed) {
                            std::fprintf(stderr, "%s\n", removed.error().message().c_str());
                            return 3;
                          }
                        }
                        return 0;
                      }).value());
  for (sys::Process& worker : workers) EXPECT_EQ(worker.wait()->code(), 0);
}

TEST_F(Life, PathsThatCanNotBe) {
  for (const char* wrong : {"", "/", "..", "a/../b", "./a", "a/umbel-callers", "a\nb"}) {
    const auto made = Cgroup::create(wrong);
    ASSERT_FALSE(made) << wrong;
    EXPECT_EQ(made.error().code, EINVAL);
    EXPECT_FALSE(made.error().cure.empty());
  }
  // As an OCI configuration writes it.
  auto made = Cgroup::create("/" + unique_name + "//a/");
  ASSERT_OK(made);
  for (const auto& [hierarchy, at] : made->paths()) EXPECT_TRUE(at.ends_with("/" + path("a")));
}

TEST_F(Life, NoHierarchyAtAllIsSaid) {
  const auto made = Cgroup::prepare({}, "a");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, EOPNOTSUPP);
  EXPECT_FALSE(made.error().cure.empty());
}

TEST_F(Life, NestedCgroupsBelongToIt) {
  auto made = Cgroup::create(path("a"));
  ASSERT_OK(made);
  // First: where controllers are handed on to children, cgroup2 lets no process be.
  sys::Process outer = run_forever(*made);
  auto nested = Cgroup::create(path("a/b/c"));
  ASSERT_OK(nested);
  sys::Process inner = run_forever(*nested);
  nested->detach();
  std::vector<HostPid> both{outer.pid(), inner.pid()};
  std::ranges::sort(both);
  EXPECT_EQ(made->processes().value(), both);
  if (version_ != Version::v2) {
    EXPECT_EQ(v1_of(*made).processes().value(), both);
  }
  ASSERT_OK(made->kill(SIGKILL));
  EXPECT_EQ(outer.wait()->signal, SIGKILL);
  EXPECT_EQ(inner.wait()->signal, SIGKILL);
  ASSERT_OK(made->remove());
}

// As systemd does it in a container: whoever enters later must go to where processes may be.
TEST_F(Life, OneThatWasDividedTakesProcessesBelow) {
  const std::vector<Hierarchy> only = unified_only();
  if (only.empty()) GTEST_SKIP() << "no cgroup2 here";
  auto made = Cgroup::prepare(only, path("a"));
  auto empty = Cgroup::prepare(only, path("a/a"));
  auto nested = Cgroup::prepare(only, path("a/b"));
  ASSERT_OK(made);
  ASSERT_OK(empty);
  ASSERT_OK(nested);
  const auto handed_on = sys::read_file(cwd, made->paths().at("") + "/cgroup.subtree_control");
  ASSERT_NE(handed_on.value(), "");
  sys::Process first = run_forever(*nested);
  sys::Process later = sys::start({}, [] {
                         ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                         for (;;) ::pause();
                         return 0;
                       }).value();
  ASSERT_OK(made->add(later.pid()));
  std::vector<HostPid> both{first.pid(), later.pid()};
  std::ranges::sort(both);
  EXPECT_EQ(nested->processes().value(), both);
  ASSERT_OK(made->kill(SIGKILL));
  EXPECT_EQ(later.wait()->signal, SIGKILL);
  EXPECT_EQ(first.wait()->signal, SIGKILL);
}

TEST_F(Life, WhatForksAllTheTimeIsKilled) {
  for (const bool without_v2 : {false, true}) {
    if (without_v2 && version_ == Version::v2) continue;
    auto made = Cgroup::create(path("a"));
    ASSERT_OK(made);
    ASSERT_OK(made->limit({.pids = 200}));
    sys::Process child = run(*made, [] {
      ::signal(SIGCHLD, SIG_IGN);
      for (;;)
        if (::fork() == 0 && ::fork() == 0) ::usleep(200);
      return 0;
    });
    while (made->processes()->size() < 50) ::usleep(1000);
    const Cgroup killed = without_v2 ? v1_of(*made) : Cgroup::open(made->paths());
    ASSERT_OK(killed.kill(SIGKILL));
    EXPECT_EQ(child.wait()->signal, SIGKILL);
    ASSERT_OK(made->remove(std::chrono::seconds(20)));
  }
}

TEST_F(Life, OtherSignalsReachAll) {
  auto made = Cgroup::create(path("a"));
  ASSERT_OK(made);
  sys::Process one = run_forever(*made);
  sys::Process other = run_forever(*made);
  ASSERT_OK(made->kill(SIGTERM));
  EXPECT_EQ(one.wait()->signal, SIGTERM);
  EXPECT_EQ(other.wait()->signal, SIGTERM);
  ASSERT_OK(made->remove());
}

TEST_F(Life, OneStillInUseIsNotRemovedAndSaidSo) {
  auto made = Cgroup::create(path("a"));
  ASSERT_OK(made);
  sys::Process child = run_forever(*made);
  const auto removed = made->remove(milliseconds(20));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, EBUSY);
  EXPECT_NE(removed.error().message().find(std::to_string(child.pid().value()) + " (cgroup_test"),
            std::string::npos)
      << removed.error().message();
  ASSERT_OK(child.kill(SIGKILL));
  ASSERT_OK(child.wait());
  ASSERT_OK(made->remove());
}

TEST_F(Life, RemovalWaitsForTheDying) {
  auto made = Cgroup::create(path("a"));
  ASSERT_OK(made);
  sys::Process child = run_forever(*made);
  sys::Process killer = sys::start({}, [&] {
                          ::usleep(50000);
                          return ::kill(child.pid().value(), SIGKILL);
                        }).value();
  ASSERT_OK(made->remove());
  EXPECT_EQ(child.wait()->signal, SIGKILL);
  EXPECT_EQ(killer.wait()->code(), 0);
}

// An ordinary user, who has nothing: the answer says what to do. With a directory that was handed
// over, and being in it, all goes on there.
class Ordinary : public Life {
 protected:
  static constexpr uid_t nobody = 65534;
  static bool become_nobody() { return ::setgid(nobody) == 0 && ::setuid(nobody) == 0; }
  void SetUp() override {
    Life::SetUp();
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become an ordinary user";
  }
};

TEST_F(Ordinary, IsToldHowToBeAllowed) {
  sys::Process child = sys::start({}, [&] {
                         if (!become_nobody()) return 1;
                         const auto found = host();
                         if (!found || found->writable || found->cure.empty()) return 2;
                         const auto made = Cgroup::create(path("a"));
                         if (made || made.error().cure.empty()) return 3;
                         return made.error().code == EACCES ? 7 : 4;
                       }).value();
  EXPECT_EQ(child.wait()->code(), 7);
}

TEST_F(Ordinary, WorksInWhatWasHandedOver) {
  auto delegated = Cgroup::create(path("user"));
  ASSERT_OK(delegated);
  for (const auto& [hierarchy, directory] : delegated->paths()) {
    for (const char* file :
         {"", "/cgroup.procs", "/tasks", "/cgroup.threads", "/cgroup.subtree_control"}) {
      if (!sys::exists(cwd, directory + file)) continue;
      ASSERT_EQ(::chown((directory + file).c_str(), nobody, nobody), 0);
    }
  }
  sys::Process child = run(*delegated, [&] {
    if (!become_nobody() || !host()->writable) return 1;
    auto made = Cgroup::create("umbel/a");
    if (!made) {
      std::fprintf(stderr, "%s\n", made.error().message().c_str());
      return 2;
    }
    if (made->paths().size() != delegated->paths().size()) return 3;
    if (!made->limit({.pids = 5})) return 4;
    sys::Process inner = run(*made, [&] { return inside_all(path("user/umbel/a")) ? 7 : 8; });
    if (inner.wait()->code() != 7) return 5;
    return made->remove() ? 7 : 6;
  });
  EXPECT_EQ(child.wait()->code(), 7);
  ASSERT_OK(delegated->remove());
}

}  // namespace
}  // namespace umbel::cgroup
