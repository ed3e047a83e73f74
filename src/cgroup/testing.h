// For this folder's tests: cgroups of this host under a name of their own, and processes in them.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>

#include "cgroup/cgroup.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/process.h"

namespace umbel::cgroup {

#define ASSERT_OK(...)                                                                        \
  do {                                                                                        \
    const auto& outcome_ = (__VA_ARGS__);                                                     \
    ASSERT_TRUE(outcome_.has_value()) << outcome_.error().message() << outcome_.error().cure; \
  } while (false)

// Memory that this process and its children share.
template <class T>
class Shared {
 public:
  Shared()
      : memory_(new(::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                           -1, 0)) T()) {}
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { ::munmap(memory_, sizeof(T)); }
  T& operator*() { return *memory_; }
  T* operator->() { return memory_; }

 private:
  T* memory_;
};

inline const std::string unique_name = "umbel-test-" + std::to_string(::getpid());

// Directories of that name in all hierarchies.
inline std::vector<std::string> left_behind() {
  std::vector<std::string> found;
  const std::vector<Hierarchy> all = hierarchies().value();
  for (const Hierarchy& hierarchy : all)
    if (sys::exists(cwd, hierarchy.top + "/" + unique_name))
      found.push_back(hierarchy.top + "/" + unique_name);
  return found;
}

class OnHost : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto found = host();
    ASSERT_OK(found);
    if (!found->writable) GTEST_SKIP() << "may not make cgroups: " << found->cure;
    version_ = found->version;
    had_hugetlb_ = hands_on_hugetlb();
  }
  // Leaves the host as it was, after a failed test too.
  void TearDown() override {
    const std::vector<std::string> left = left_behind();
    EXPECT_EQ(left, std::vector<std::string>());
    for (const std::string& path : left) {
      Cgroup cgroup = Cgroup::open({{"left", path}});
      (void)cgroup.kill(SIGKILL);
      (void)cgroup.remove();
    }
    if (!had_hugetlb_ && hands_on_hugetlb())
      ASSERT_OK(sys::write_file(cwd, root_control(), "-hugetlb"));
  }

  static bool has(std::string_view controller) {
    const auto found = host()->controllers;
    return std::ranges::find(found, controller) != found.end();
  }

  // A process that is born in the cgroup and ends with what `body` returns; 99: could not enter.
  template <class Body>
  static sys::Process run(const Cgroup& cgroup, Body body) {
    sys::Clone how;
    how.cgroup = cgroup.directory().value();
    return sys::start(how,
                      [&] {
                        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                        return cgroup.enter() ? body() : 99;
                      })
        .value();
  }

  static sys::Process run_forever(const Cgroup& cgroup) {
    Shared<std::atomic<bool>> inside;
    sys::Process process = run(cgroup, [&] {
      *inside = true;
      for (;;) ::pause();
      return 0;
    });
    while (!*inside && !sys::wait_end(process.pidfd(), std::chrono::milliseconds(0)).value()) {
    }
    return process;
  }

  // Some of the hierarchies of a cgroup, as an owner of nothing.
  template <class Keep>
  static Cgroup part(const Cgroup& cgroup, Keep keep) {
    Paths paths = cgroup.paths();
    std::erase_if(paths, [&](const auto& entry) { return !keep(entry.first); });
    return Cgroup::open(paths);
  }
  static Cgroup v1_of(const Cgroup& cgroup) {
    return part(cgroup, [](const std::string& hierarchy) { return !hierarchy.empty(); });
  }

  static std::vector<Hierarchy> unified_only() {
    std::vector<Hierarchy> all = hierarchies().value();
    std::erase_if(all, [](const Hierarchy& hierarchy) { return !hierarchy.unified(); });
    return all;
  }

  static std::string root_control() {
    const std::vector<Hierarchy> only = unified_only();
    return only.empty() ? "" : only.front().top + "/cgroup.subtree_control";
  }
  static bool hands_on_hugetlb() {
    const auto text = sys::read_file(cwd, root_control());
    return text && text->find("hugetlb") != std::string::npos;
  }

  Version version_ = Version::none;
  bool had_hugetlb_ = false;
};

}  // namespace umbel::cgroup
