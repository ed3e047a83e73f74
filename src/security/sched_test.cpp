#include "security/sched.h"

#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstring>

#include "base/record.h"
#include "security/credentials.h"
#include "security/in_child.h"
#include "sys/memory_policy.h"
#include "sys/scheduling.h"

namespace umbel::security {
namespace {

// Applies it in a child and answers what the kernel then has: 0 if it is as wanted.
int scheduled(const Scheduler& wanted, auto is_right) {
  return in_child([&] {
    const Result<void> applied = apply(wanted);
    if (!applied) return applied.error().code == EPERM ? 99 : 255;
    const Result<sys::SchedulingAttributes> found = sys::get_scheduling();
    return found && is_right(*found) ? 0 : 1;
  });
}

TEST(Scheduler, OrdinaryPolicies) {
  for (const auto& [name, policy] :
       {std::pair{"SCHED_BATCH", SCHED_BATCH}, {"SCHED_OTHER", SCHED_NORMAL}})
    EXPECT_EQ(scheduled({.policy = name, .nice = 7},
                        [&](const sys::SchedulingAttributes& found) {
                          return found.policy == static_cast<std::uint32_t>(policy) &&
                                 found.nice == 7 && ::getpriority(PRIO_PROCESS, 0) == 7;
                        }),
              0)
        << name;
  EXPECT_EQ(scheduled({.policy = "SCHED_IDLE"},
                      [](const auto& found) { return found.policy == SCHED_IDLE; }),
            0);
}

TEST(Scheduler, RealTimePolicies) {
  for (const auto& [name, policy] : {std::pair{"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR}}) {
    const int code =
        scheduled({.policy = name, .priority = 3, .flags = {"SCHED_FLAG_RESET_ON_FORK"}},
                  [&](const sys::SchedulingAttributes& found) {
                    return found.policy == static_cast<std::uint32_t>(policy) &&
                           found.priority == 3 && (found.flags & SCHED_FLAG_RESET_ON_FORK) != 0;
                  });
    if (code == 99) GTEST_SKIP() << "no real-time policy may be set here";
    EXPECT_EQ(code, 0) << name;
  }
}

TEST(Scheduler, Deadline) {
  const int code = scheduled({.policy = "SCHED_DEADLINE",
                              .flags = {"SCHED_FLAG_RESET_ON_FORK"},
                              .runtime = 1'000'000,
                              .deadline = 10'000'000,
                              .period = 20'000'000},
                             [](const sys::SchedulingAttributes& found) {
                               return found.policy == SCHED_DEADLINE &&
                                      found.runtime == 1'000'000 && found.deadline == 10'000'000 &&
                                      found.period == 20'000'000;
                             });
  if (code == 99) GTEST_SKIP() << "no deadline policy may be set here";
  EXPECT_EQ(code, 0);
}

TEST(Scheduler, ErrorsSayWhatWouldDo) {
  const auto cure = [](const Scheduler& scheduler) {
    const Result<void> applied = apply(scheduler);
    return applied ? "" : applied.error().message() + " | " + applied.error().cure;
  };
  EXPECT_EQ(cure({.policy = "SCHED_FIFA"}),
            "'SCHED_FIFA' is no scheduling policy | did you mean SCHED_FIFO?");
  EXPECT_TRUE(cure({.policy = "SCHED_FIFO"}).contains("choose from 1 to 99"));
  EXPECT_TRUE(
      cure({.policy = "SCHED_BATCH", .priority = 1}).contains("SCHED_BATCH has no priority"));
  EXPECT_TRUE(cure({.nice = 20}).contains("choose from -20 to 19"));
  EXPECT_TRUE(cure({.runtime = 1}).contains("has no runtime"));
  EXPECT_TRUE(cure({.flags = {"SCHED_FLAG_RECLAIN"}}).contains("did you mean SCHED_FLAG_RECLAIM?"));
  EXPECT_EQ(
      in_child([&] {
        if (!become({.uid = 1234, .gid = 1234})) return 255;
        return cure({.policy = "SCHED_FIFO", .priority = 1}).contains("needs CAP_SYS_NICE") ? 0 : 1;
      }),
      0);
}

TEST(IoPriority, IsSet) {
  const auto set = [](const IoPriority& wanted, int io_class) {
    return in_child([&] {
      if (!apply(wanted)) return 255;
      const Result<int> found = sys::get_io_priority();
      return found && *found == (io_class << sys::io_class_shift | wanted.priority) ? 0 : 1;
    });
  };
  EXPECT_EQ(set({"IOPRIO_CLASS_BE", 6}, sys::io_class_best_effort), 0);
  EXPECT_EQ(set({"IOPRIO_CLASS_IDLE", 0}, sys::io_class_idle), 0);
  EXPECT_EQ(set({"IOPRIO_CLASS_RT", 2}, sys::io_class_realtime), 0);
  EXPECT_EQ(apply(IoPriority{"IOPRIO_CLASS_BE", 8}).error().cure,
            "choose from 0, the highest, to 7");
  EXPECT_FALSE(apply(IoPriority{"IOPRIO_CLASS_NONE", 0}));
}

TEST(Affinity, IsReadAndSet) {
  EXPECT_EQ(*parse_list("2,0-1,1"), (std::vector<unsigned>{0, 1, 2}));
  EXPECT_EQ(*parse_list("7\n"), (std::vector<unsigned>{7}));
  EXPECT_TRUE(parse_list("")->empty());
  for (const char* wrong : {"a", "3-1", "1,", "-1", "0-8192", "1--2"})
    EXPECT_FALSE(parse_list(wrong)) << wrong;
  const unsigned first = sys::get_affinity()->front();
  EXPECT_EQ(in_child([&] {
              if (!set_affinity(std::to_string(first))) return 255;
              return *sys::get_affinity() == std::vector<unsigned>{first} ? 0 : 1;
            }),
            0);
  EXPECT_TRUE(set_affinity("8191").error().cure.contains("online"));
}

TEST(Personality, ChangesWhatTheProgramSees) {
  EXPECT_EQ(in_child([] {
              if (!apply(Personality{.domain = "LINUX32"})) return 255;
              struct utsname names{};
              ::uname(&names);
              return std::strcmp(&names.machine[0], "x86_64") != 0 ? 0 : 1;
            }),
            0);
  EXPECT_EQ(apply(Personality{.domain = "LINUX23"}).error().cure, "did you mean LINUX32?");
  EXPECT_FALSE(apply(Personality{.flags = {"NO_RANDOMIZE"}}));
}

TEST(MemoryPolicy, IsSet) {
  const auto set = [](const MemoryPolicy& wanted, int mode, std::vector<unsigned> nodes) {
    return in_child([&] {
      const Result<void> applied = apply(wanted);
      if (!applied) return applied.error().code == ENOSYS ? 99 : 255;
      const Result<sys::MemoryPolicy> found = sys::get_memory_policy();
      return found && found->mode == mode && found->nodes == nodes ? 0 : 1;
    });
  };
  const int bound = set({"MPOL_BIND", "0", {}}, MPOL_BIND, {0});
  if (bound == 99) GTEST_SKIP() << "this kernel has no NUMA";
  EXPECT_EQ(bound, 0);
  EXPECT_EQ(set({"MPOL_DEFAULT", "", {}}, MPOL_DEFAULT, {}), 0);
  EXPECT_EQ(set({"MPOL_INTERLEAVE", "0-0", {"MPOL_F_STATIC_NODES"}},
                MPOL_INTERLEAVE | MPOL_F_STATIC_NODES, {0}),
            0);
  EXPECT_EQ(apply(MemoryPolicy{.mode = "MPOL_BINDE"}).error().cure, "did you mean MPOL_BIND?");
  EXPECT_TRUE(apply(MemoryPolicy{"MPOL_BIND", "0-", {}}).error().detail.contains("memory nodes"));
  EXPECT_TRUE(apply(MemoryPolicy{"MPOL_BIND", "1023", {}}).error().cure.contains("online"));
}

TEST(Sched, RecordsSurviveBeingWrittenAndRead) {
  const Scheduler scheduler{.policy = "SCHED_DEADLINE",
                            .nice = -3,
                            .priority = 9,
                            .flags = {"SCHED_FLAG_RECLAIM"},
                            .runtime = 1,
                            .deadline = 2,
                            .period = 3};
  EXPECT_EQ(*from_value<Scheduler>(to_value(scheduler)), scheduler);
  const IoPriority priority{"IOPRIO_CLASS_RT", 1};
  EXPECT_EQ(*from_value<IoPriority>(to_value(priority)), priority);
  const CpuAffinity affinity{"0-1", "1"};
  EXPECT_EQ(*from_value<CpuAffinity>(to_value(affinity)), affinity);
  const Personality personality{.domain = "LINUX32"};
  EXPECT_EQ(*from_value<Personality>(to_value(personality)), personality);
  const MemoryPolicy policy{"MPOL_BIND", "0-1", {"MPOL_F_STATIC_NODES"}};
  EXPECT_EQ(*from_value<MemoryPolicy>(to_value(policy)), policy);
}

}  // namespace
}  // namespace umbel::security
