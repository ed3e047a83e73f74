#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/text.h"
#include "cgroup/testing.h"
#include "sys/testing.h"

namespace umbel::cgroup {
namespace {

constexpr std::int64_t mebibyte = 1 << 20;

class Limiting : public OnHost {
 protected:
  void SetUp() override {
    OnHost::SetUp();
    if (IsSkipped()) return;
    made_ = Cgroup::create(unique_name + "/a");
    ASSERT_OK(made_);
  }
  void TearDown() override {
    made_ = fail("ended");
    OnHost::TearDown();
  }

  std::string content(const std::string& hierarchy, const std::string& file) const {
    const auto text = sys::read_file(cwd, made_->paths().at(hierarchy) + "/" + file);
    return text ? std::string(trimmed(*text)) : text.error().message();
  }

  // Touches that much memory.
  static int use(std::int64_t bytes) {
    const auto size = static_cast<std::size_t>(bytes);
    auto* memory = static_cast<char*>(
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (std::size_t i = 0; i < size; i += 4096) memory[i] = 1;
    return 7;
  }

  Result<Cgroup> made_ = fail("not made");
};

TEST_F(Limiting, NothingAskedIsNothingDone) { ASSERT_OK(made_->limit({})); }

TEST_F(Limiting, ForkFailsAtTheLimitOfProcesses) {
  ASSERT_OK(made_->limit({.pids = 3}));
  sys::Process child = run(*made_, [] {
    int forked = 0;
    for (; forked < 10; ++forked) {
      const pid_t pid = ::fork();
      if (pid < 0) return errno == EAGAIN ? forked : 99;
      if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::pause();
      }
    }
    return forked;
  });
  EXPECT_EQ(child.wait()->status, 2);
  const auto usage = made_->usage();
  ASSERT_OK(usage);
  EXPECT_EQ(usage->pids_limit, 3U);
}

TEST_F(Limiting, TooMuchMemoryKills) {
  ASSERT_OK(made_->limit({.memory = 16 * mebibyte}));
  EXPECT_EQ(run(*made_, [] { return use(8 * mebibyte); }).wait()->status, 7);
  EXPECT_EQ(made_->usage()->oom_kills, 0U);
  // Locked in memory, so that swap is no way out.
  sys::Process child = run(*made_, [] {
    ::mlockall(MCL_FUTURE);
    return use(64 * mebibyte);
  });
  EXPECT_EQ(child.wait()->signal, SIGKILL);
  const auto usage = made_->usage();
  ASSERT_OK(usage);
  EXPECT_EQ(usage->memory_limit, 16U * mebibyte);
  EXPECT_GE(usage->oom_kills, 1U);
  EXPECT_GE(usage->memory_failures, 1U);
  EXPECT_GT(usage->memory_peak, 14U * mebibyte);
}

TEST_F(Limiting, AQuotaOfProcessorTimeIsKept) {
  ASSERT_OK(made_->limit({.cpu_quota = 10000, .cpu_period = 50000}));
  sys::Process child = run(*made_, [] {
    for (;;) {
    }
    return 0;
  });
  ::usleep(400000);
  const auto usage = made_->usage();
  ASSERT_OK(usage);
  EXPECT_GE(usage->throttled_periods, 4U);
  EXPECT_GT(usage->throttled_nanoseconds, 0U);
  EXPECT_LT(usage->cpu_nanoseconds, 200000000U);  // of 400, at a fifth: 80 and what has begun
  EXPECT_GT(usage->cpu_nanoseconds, 10000000U);
}

TEST_F(Limiting, ProcessorsAreTakenAway) {
  ASSERT_OK(made_->limit({.cpus = "0"}));
  sys::Process child = run(*made_, [] {
    cpu_set_t set;
    return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 99;
  });
  EXPECT_EQ(child.wait()->status, 1);
}

TEST_F(Limiting, CanBeRaisedLoweredAndLifted) {
  if (!has("memory") || version_ == Version::v2) GTEST_SKIP() << "no v1 memory controller here";
  if (!sys::exists(cwd, made_->paths().at("memory") + "/memory.memsw.limit_in_bytes"))
    GTEST_SKIP() << "swap is not counted here";
  struct Step {
    std::int64_t memory, both;
  };
  // Up needs the limit of both to go first, down that of memory.
  for (const Step& step : {Step{64 * mebibyte, 64 * mebibyte}, Step{256 * mebibyte, 512 * mebibyte},
                           Step{32 * mebibyte, 32 * mebibyte}, Step{32 * mebibyte, -1}}) {
    ASSERT_OK(made_->limit({.memory = step.memory, .memory_swap = step.both}));
    EXPECT_EQ(content("memory", "memory.limit_in_bytes"), std::to_string(step.memory));
    const std::string both = content("memory", "memory.memsw.limit_in_bytes");
    EXPECT_EQ(both, std::to_string(step.both < 0 ? 9223372036854771712 : step.both));
  }
  ASSERT_OK(made_->limit({.memory = 32 * mebibyte, .memory_swap = 32 * mebibyte}));
  ASSERT_OK(made_->limit({.memory = -1}));
  EXPECT_EQ(content("memory", "memory.limit_in_bytes"), "9223372036854771712");
  EXPECT_EQ(made_->usage()->memory_limit, 0U);
}

TEST_F(Limiting, AQuotaAndItsPeriodCanBothShrink) {
  ASSERT_OK(made_->limit({.cpu_quota = 100000, .cpu_period = 100000}));
  auto nested = Cgroup::create(unique_name + "/a/b");
  ASSERT_OK(nested);
  // Neither order is always right: a child may never have more than its parent.
  ASSERT_OK(nested->limit({.cpu_quota = 100000, .cpu_period = 100000}));
  ASSERT_OK(nested->limit({.cpu_quota = 5000, .cpu_period = 10000}));
  ASSERT_OK(nested->limit({.cpu_quota = 500000, .cpu_period = 1000000}));
  ASSERT_OK(nested->limit({.cpu_quota = -1}));
}

TEST_F(Limiting, HugePagesAreLimitedByCgroup2OfAHybridHost) {
  if (!has("hugetlb")) GTEST_SKIP() << "no hugetlb controller here";
  if (version_ != Version::hybrid) GTEST_SKIP() << "no hybrid host";
  const auto sizes = sys::list(cwd, "/sys/kernel/mm/hugepages");
  if (!sizes || sizes->empty()) GTEST_SKIP() << "no huge pages here";
  ASSERT_OK(made_->limit({.huge_pages = {{.size = "2MB", .limit = 4 * mebibyte}}}));
  EXPECT_EQ(content("", "hugetlb.2MB.max"), "4194304");
  EXPECT_EQ(content("", "hugetlb.2MB.rsvd.max"), "4194304");
  ASSERT_OK(made_->limit({.unified = {{"hugetlb.2MB.max", "2097152"}}}));
  EXPECT_EQ(content("", "hugetlb.2MB.max"), "2097152");
  const auto other = made_->limit({.huge_pages = {{.size = "3MB", .limit = 1}}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, EOPNOTSUPP);
  EXPECT_NE(other.error().message().find("hugetlb.3MB.max"), std::string::npos);
}

TEST_F(Limiting, EverythingThatCgroup2Has) {
  if (version_ != Version::v2) GTEST_SKIP() << "not a host with cgroup2 alone";
  ASSERT_OK(made_->limit({.memory = 64 * mebibyte,
                          .memory_reservation = 32 * mebibyte,
                          .memory_swap = 96 * mebibyte,
                          .cpu_quota = 20000,
                          .cpu_period = 50000,
                          .cpu_burst = 1000,
                          .cpu_shares = 512,
                          .cpus = "0",
                          .mems = "0",
                          .pids = 77}));
  ASSERT_OK(made_->limit({.cpu_period = 40000, .unified = {{"memory.high", "50331648"}}}));
  const std::map<std::string, std::string> kept{
      {"memory.max", "67108864"},  {"memory.low", "33554432"}, {"memory.swap.max", "33554432"},
      {"cpu.max", "20000 40000"},  {"cpu.max.burst", "1000"},  {"cpu.weight", "59"},
      {"cpuset.cpus", "0"},        {"cpuset.mems", "0"},       {"pids.max", "77"},
      {"memory.high", "50331648"},
  };
  for (const auto& [file, text] : kept) EXPECT_EQ(content("", file), text) << file;
  ASSERT_OK(made_->limit({.memory_swap = -1, .cpu_idle = 1}));
  EXPECT_EQ(content("", "memory.swap.max"), "max");
  EXPECT_EQ(content("", "cpu.idle"), "1");
  const auto checked = made_->limit({.memory = 4096, .check_before_update = true});
  EXPECT_TRUE(checked);  // nothing is in use
}

TEST_F(Limiting, WhatTheKernelRefusesNamesTheLimit) {
  const auto refused = made_->limit({.cpus = "4000"});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("cpu.cpus to 4000"), std::string::npos)
      << refused.error().message();
}

TEST_F(Limiting, ARealTimeBudgetComesFromTheParent) {
  const Paths paths = made_->paths();
  if (!paths.contains("cpu")) GTEST_SKIP() << "no v1 cpu controller here";
  if (content("cpu", "cpu.rt_runtime_us") != "0") GTEST_SKIP() << "no real-time budgets here";
  const auto refused = made_->limit({.cpu_realtime_runtime = 1000});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().cure.find("cpu.rt_runtime_us"), std::string::npos);
  ASSERT_OK(sys::write_file(cwd, paths.at("cpu") + "/../cpu.rt_runtime_us", "2000"));
  ASSERT_OK(made_->limit({.cpu_realtime_runtime = 1000}));
  EXPECT_EQ(content("cpu", "cpu.rt_runtime_us"), "1000");
}

// ---- the table, in a directory of ordinary files that stands for a cgroup

struct Kept {
  const char* what;
  Limits limits;
  std::map<std::string, std::string> before, after;
};

class Table : public ::testing::Test {
 protected:
  void put(const std::map<std::string, std::string>& files) const {
    for (const auto& [file, text] : files) directory_.file(file, text);
  }
  void check(const std::string& hierarchy, const Kept& test) const {
    put(test.before);
    // A file that is to be written must be there; what is written over it is what is read.
    for (const auto& [file, text] : test.after) put({{file, ""}});
    put(test.before);
    const auto limited = Cgroup::open({{hierarchy, directory_.path()}}).limit(test.limits);
    EXPECT_TRUE(limited) << test.what << ": " << limited.error().message();
    for (const auto& [file, text] : test.after)
      EXPECT_EQ(sys::read_file(directory_.dir(), file).value(), text) << test.what;
    for (const auto& [file, text] : test.after) (void)sys::remove_file(directory_.dir(), file);
  }
  Result<void> limit(const std::string& hierarchy, const Limits& limits) const {
    return Cgroup::open({{hierarchy, directory_.path()}}).limit(limits);
  }

  sys::Scratch directory_;
};

TEST_F(Table, OfV2) {
  const std::vector<Kept> cases{
      {"memory", {.memory = 4096}, {}, {{"memory.max", "4096"}}},
      {"memory without limit", {.memory = -1}, {}, {{"memory.max", "max"}}},
      {"swap is the difference",
       {.memory = 4096, .memory_swap = 12288},
       {},
       {{"memory.max", "4096"}, {"memory.swap.max", "8192"}}},
      {"no swap",
       {.memory = 4096, .memory_swap = 4096},
       {},
       {{"memory.max", "4096"}, {"memory.swap.max", "0"}}},
      {"swap without limit", {.memory_swap = -1}, {}, {{"memory.swap.max", "max"}}},
      {"swap alone, from the memory limit that is set",
       {.memory_swap = 12288},
       {{"memory.max", "4096\n"}},
       {{"memory.swap.max", "8192"}}},
      {"reservation", {.memory_reservation = 4096}, {}, {{"memory.low", "4096"}}},
      {"shares", {.cpu_shares = 1024}, {}, {{"cpu.weight", "100"}}},
      {"quota and period",
       {.cpu_quota = 5000, .cpu_period = 10000},
       {},
       {{"cpu.max", "5000 10000"}}},
      {"quota alone", {.cpu_quota = 5000}, {}, {{"cpu.max", "5000"}}},
      {"period alone keeps the quota",
       {.cpu_period = 20000},
       {{"cpu.max", "max 10"}},
       {{"cpu.max", "max 20000"}}},
      {"quota lifted", {.cpu_quota = -1, .cpu_period = 10000}, {}, {{"cpu.max", "max 10000"}}},
      {"burst", {.cpu_burst = 700}, {}, {{"cpu.max.burst", "700"}}},
      {"idle", {.cpu_idle = 1}, {}, {{"cpu.idle", "1"}}},
      {"processors",
       {.cpus = "0-3,7", .mems = "0"},
       {},
       {{"cpuset.cpus", "0-3,7"}, {"cpuset.mems", "0"}}},
      {"processes", {.pids = 12}, {}, {{"pids.max", "12"}}},
      {"processes without limit", {.pids = -1}, {}, {{"pids.max", "max"}}},
      {"no further process", {.pids = 0}, {}, {{"pids.max", "0"}}},
      {"weight, by both who schedule",
       {.io_weight = 1000},
       {},
       {{"io.weight", "default 10000"}, {"io.bfq.weight", "1000"}}},
      {"weight, by bfq alone", {.io_weight = 10}, {}, {{"io.bfq.weight", "10"}}},
      {"weight, by iocost alone", {.io_weight = 10}, {}, {{"io.weight", "default 1"}}},
      {"weight of a device",
       {.io_device_weights = {{.major = 8, .minor = 16, .weight = 100}}},
       {},
       {{"io.bfq.weight", "8:16 100"}}},
      {"read rate", {.read_bytes = {{8, 0, 512}}}, {}, {{"io.max", "8:0 rbps=512"}}},
      {"write rate", {.write_bytes = {{8, 0, 512}}}, {}, {{"io.max", "8:0 wbps=512"}}},
      {"reads", {.read_operations = {{8, 0, 5}}}, {}, {{"io.max", "8:0 riops=5"}}},
      {"writes without limit",
       {.write_operations = {{8, 0, 0}}},
       {},
       {{"io.max", "8:0 wiops=max"}}},
      {"huge pages",
       {.huge_pages = {{"2MB", 4096}}},
       {},
       {{"hugetlb.2MB.max", "4096"}, {"hugetlb.2MB.rsvd.max", "4096"}}},
      {"huge pages of a kernel without reservations",
       {.huge_pages = {{"1GB", 0}}},
       {},
       {{"hugetlb.1GB.max", "0"}}},
      {"rdma",
       {.rdma = {{.device = "mlx5_1", .handles = 3, .objects = 10000}}},
       {},
       {{"rdma.max", "mlx5_1 hca_handle=3 hca_object=10000"}}},
      {"unified", {.unified = {{"memory.high", "77"}}}, {}, {{"memory.high", "77"}}},
      {"what is always so there", {.disable_oom_killer = false, .use_hierarchy = true}, {}, {}},
      {"no limit of what it does not count",
       {.kernel_memory = -1, .cpu_realtime_runtime = -1},
       {},
       {}},
      {"below what is used is fine",
       {.memory = 4096, .check_before_update = true},
       {{"memory.current", "4096\n"}},
       {{"memory.max", "4096"}}},
  };
  for (const Kept& test : cases) check("", test);
}

TEST_F(Table, OfV1) {
  const std::vector<std::pair<std::string, Kept>> cases{
      {"memory",
       {"all of memory",
        {.memory = 4096,
         .memory_reservation = 1,
         .memory_swap = 8192,
         .kernel_memory = 2,
         .kernel_memory_tcp = 3,
         .swappiness = 0,
         .disable_oom_killer = true,
         .use_hierarchy = true},
        {},
        {{"memory.limit_in_bytes", "4096"},
         {"memory.soft_limit_in_bytes", "1"},
         {"memory.memsw.limit_in_bytes", "8192"},
         {"memory.kmem.limit_in_bytes", "2"},
         {"memory.kmem.tcp.limit_in_bytes", "3"},
         {"memory.swappiness", "0"},
         {"memory.oom_control", "1"},
         {"memory.use_hierarchy", "1"}}}},
      {"memory",
       {"lifted where swap is not counted",
        {.memory = -1, .memory_swap = -1},
        {},
        {{"memory.limit_in_bytes", "-1"}}}},
      {"cpu,cpuacct",
       {"all of cpu",
        {.cpu_quota = 5000,
         .cpu_realtime_runtime = 900,
         .cpu_idle = 0,
         .cpu_period = 10000,
         .cpu_burst = 7,
         .cpu_realtime_period = 1000,
         .cpu_shares = 512},
        {},
        {{"cpu.cfs_quota_us", "5000"},
         {"cpu.rt_runtime_us", "900"},
         {"cpu.idle", "0"},
         {"cpu.cfs_period_us", "10000"},
         {"cpu.cfs_burst_us", "7"},
         {"cpu.rt_period_us", "1000"},
         {"cpu.shares", "512"}}}},
      {"blkio",
       {"cfq",
        {.io_weight = 300,
         .io_leaf_weight = 200,
         .io_device_weights = {{.major = 8, .minor = 0, .weight = 10, .leaf_weight = 20}},
         .read_bytes = {{8, 0, 1}},
         .write_bytes = {{8, 0, 2}},
         .read_operations = {{8, 0, 3}},
         .write_operations = {{8, 0, 0}}},
        {},
        {{"blkio.weight", "300"},
         {"blkio.leaf_weight", "200"},
         {"blkio.weight_device", "8:0 10"},
         {"blkio.leaf_weight_device", "8:0 20"},
         {"blkio.throttle.read_bps_device", "8:0 1"},
         {"blkio.throttle.write_bps_device", "8:0 2"},
         {"blkio.throttle.read_iops_device", "8:0 3"},
         {"blkio.throttle.write_iops_device", "8:0 0"}}}},
      {"blkio", {"bfq", {.io_weight = 300}, {}, {{"blkio.bfq.weight", "300"}}}},
      {"hugetlb",
       {"huge pages", {.huge_pages = {{"2MB", 9}}}, {}, {{"hugetlb.2MB.limit_in_bytes", "9"}}}},
      {"net_cls,net_prio",
       {"network",
        {.network_class = 1048577, .network_priorities = {{"eth0", 5}}},
        {},
        {{"net_cls.classid", "1048577"}, {"net_prio.ifpriomap", "eth0 5"}}}},
  };
  for (const auto& [hierarchy, test] : cases) check(hierarchy, test);
}

TEST_F(Table, WhatIsLackingIsRefusedByNameWithACure) {
  struct Refused {
    std::string hierarchy, name;
    Limits limits;
  };
  const std::vector<Refused> cases{
      {"", "memory.limit", {.memory = 1}},
      {"", "memory.swappiness", {.swappiness = 10}},
      {"", "memory.kernel", {.kernel_memory = 10}},
      {"", "memory.kernelTCP", {.kernel_memory_tcp = 10}},
      {"", "memory.disableOOMKiller", {.disable_oom_killer = true}},
      {"", "memory.useHierarchy", {.use_hierarchy = false}},
      {"", "cpu.realtimePeriod", {.cpu_realtime_period = 10}},
      {"", "cpu.realtimeRuntime", {.cpu_realtime_runtime = 10}},
      {"", "blockIO.weight", {.io_weight = 10}},
      {"", "blockIO.leafWeight", {.io_leaf_weight = 10}},
      {"", "network.classID", {.network_class = 10}},
      {"", "network.priorities", {.network_priorities = {{"lo", 1}}}},
      {"memory", "memory.swap", {.memory_swap = 1}},
      {"memory", "pids.limit", {.pids = 1}},
      {"memory", "cpu.cpus", {.cpus = "0"}},
      {"memory", "cpu.quota", {.cpu_quota = 1}},
      {"memory", "hugepageLimits", {.huge_pages = {{"2MB", 9}}}},
      {"memory", "rdma", {.rdma = {{.device = "x"}}}},
      {"memory", "unified", {.unified = {{"memory.high", "1"}}}},
      {"memory", "blockIO.throttleReadBpsDevice", {.read_bytes = {{8, 0, 512}}}},
  };
  for (const Refused& test : cases) {
    const auto refused = limit(test.hierarchy, test.limits);
    ASSERT_FALSE(refused) << test.name;
    EXPECT_EQ(refused.error().code, EOPNOTSUPP) << test.name;
    EXPECT_NE(refused.error().message().find("the limit " + test.name + " can't"),
              std::string::npos)
        << refused.error().message();
    EXPECT_FALSE(refused.error().cure.empty()) << test.name;
  }
}

TEST_F(Table, WhatContradictsItselfIsRefused) {
  put({{"memory.max", "max\n"}, {"memory.current", "8192\n"}, {"memory.swap.max", ""}});
  EXPECT_EQ(limit("", {.memory = 8192, .memory_swap = 4096}).error().code, EINVAL);
  EXPECT_EQ(limit("", {.memory_swap = 4096}).error().code, EINVAL);
  EXPECT_EQ(limit("", {.memory = 4096, .check_before_update = true}).error().code, EBUSY);
  EXPECT_EQ(limit("", {.huge_pages = {{"../2MB", 1}}}).error().code, EINVAL);
  for (const char* file : {"../memory.max", "memory/max", "tasks", "cgroup.kill"})
    EXPECT_EQ(limit("", {.unified = {{file, "1"}}}).error().code, EINVAL) << file;
}

TEST_F(Table, UsageOfV2) {
  put({{"memory.current", "100\n"},
       {"memory.peak", "200\n"},
       {"memory.max", "max\n"},
       {"memory.swap.current", "5\n"},
       {"memory.swap.max", "50\n"},
       {"memory.stat", "anon 1\nfile 30\ninactive_file 20\nactive_file 10\n"},
       {"memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n"},
       {"cpu.stat",
        "usage_usec 10\nuser_usec 6\nsystem_usec 4\nnr_periods 9\nnr_throttled 8\n"
        "throttled_usec 7\n"},
       {"pids.current", "2\n"},
       {"pids.max", "10\n"},
       {"io.stat",
        "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n"
        "8:16 rbytes=10 wbytes=20 rios=30 wios=40 dbytes=0 dios=0\n"}});
  const auto usage = Cgroup::open({{"", directory_.path()}}).usage();
  ASSERT_OK(usage);
  EXPECT_EQ(usage->memory, 100U);
  EXPECT_EQ(usage->memory_peak, 200U);
  EXPECT_EQ(usage->memory_limit, 0U);
  EXPECT_EQ(usage->memory_cache, 30U);
  EXPECT_EQ(usage->memory_inactive_file, 20U);
  EXPECT_EQ(usage->memory_failures, 3U);
  EXPECT_EQ(usage->oom_kills, 1U);
  EXPECT_EQ(usage->swap, 5U);
  EXPECT_EQ(usage->swap_limit, 50U);
  EXPECT_EQ(usage->cpu_nanoseconds, 10000U);
  EXPECT_EQ(usage->cpu_user, 6000U);
  EXPECT_EQ(usage->cpu_system, 4000U);
  EXPECT_EQ(usage->periods, 9U);
  EXPECT_EQ(usage->throttled_periods, 8U);
  EXPECT_EQ(usage->throttled_nanoseconds, 7000U);
  EXPECT_EQ(usage->pids, 2U);
  EXPECT_EQ(usage->pids_limit, 10U);
  EXPECT_EQ(usage->read_bytes, 11U);
  EXPECT_EQ(usage->written_bytes, 22U);
  EXPECT_EQ(usage->read_operations, 33U);
  EXPECT_EQ(usage->write_operations, 44U);
}

}  // namespace
}  // namespace umbel::cgroup
