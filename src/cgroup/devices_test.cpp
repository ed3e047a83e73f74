#include "cgroup/devices.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>

#include "cgroup/testing.h"
#include "sys/bpf.h"
#include "sys/testing.h"

namespace umbel::cgroup {
namespace {

constexpr int null_major = 1;

DeviceRule deny(std::string type = "a", std::optional<std::int64_t> major = {},
                std::optional<std::int64_t> minor = {}, std::string access = "rwm") {
  return {.allow = false,
          .type = std::move(type),
          .major = major,
          .minor = minor,
          .access = std::move(access)};
}
DeviceRule allow(std::string type = "a", std::optional<std::int64_t> major = {},
                 std::optional<std::int64_t> minor = {}, std::string access = "rwm") {
  DeviceRule rule = deny(std::move(type), major, minor, std::move(access));
  rule.allow = true;
  return rule;
}

// What is tried, and on what: null (1:3), zero (1:5), and a block device that may not exist.
enum Try { read_null, write_null, both_null, make_null, read_zero, make_block, tries };
constexpr std::array<const char*, tries> try_names{"read null",  "write null", "read/write null",
                                                   "mknod null", "read zero",  "mknod block"};

bool opens(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}
bool makes(const std::string& path, mode_t mode, dev_t device) {
  const bool made = ::mknod(path.c_str(), mode | 0600, device) == 0;
  if (made) ::unlink(path.c_str());
  return made;
}

// Each as a bit.
unsigned attempt(const std::string& directory) {
  unsigned done = 0;
  const auto note = [&done](Try what, bool success) { done |= success ? 1U << what : 0U; };
  const std::string null = directory + "/null";
  note(read_null, opens(null, O_RDONLY));
  note(write_null, opens(null, O_WRONLY));
  note(both_null, opens(null, O_RDWR));
  note(read_zero, opens(directory + "/zero", O_RDONLY));
  note(make_null, makes(directory + "/new", S_IFCHR, makedev(null_major, 3)));
  note(make_block, makes(directory + "/new", S_IFBLK, makedev(7, 200)));
  return done;
}

std::string said(unsigned done) {
  std::string text;
  for (unsigned i = 0; i < tries; ++i)
    if ((done >> i & 1) != 0) text.append(text.empty() ? "" : ", ").append(try_names.at(i));
  return text;
}

struct Case {
  const char* what;
  std::vector<DeviceRule> rules;
  std::vector<Try> allowed;
};

std::vector<Case> cases() {
  const std::vector<Try> all{read_null, write_null, both_null, make_null, read_zero, make_block};
  return {
      {"no rule", {}, all},
      {"nothing", {deny()}, {}},
      {"everything", {deny(), allow()}, all},
      {"the defaults", default_device_rules(), all},
      {"all but one", {deny("c", 1, 3)}, {read_zero, make_block}},
      {"only reading", {deny(), allow("c", 1, 3, "r")}, {read_null}},
      {"reading and writing by two rules",
       {deny(), allow("c", 1, 3, "r"), allow("c", 1, 3, "w")},
       {read_null, write_null, both_null}},
      {"reading by one and writing by a wider one",
       {deny(), allow("c", 1, 3, "r"), allow("c", 1, {}, "w")},
       {read_null, write_null, both_null}},
      {"a part taken back",
       {deny(), allow("c", 1, 3), deny("c", 1, 3, "w")},
       {read_null, make_null}},
      {"given again", {deny("c", 1, 3), allow("c", 1, 3, "m")}, {make_null, read_zero, make_block}},
      {"any minor", {deny(), allow("c", 1, {}, "r")}, {read_null, read_zero}},
      {"block devices alone", {deny(), allow("b", {}, {}, "m")}, {make_block}},
      {"both kinds", {deny(), allow("a", {}, {}, "m")}, {make_null, make_block}},
      {"the last of two for all", {allow(), deny()}, {}},
      {"OCI's -1 is any", {deny(), allow("c", 1, -1, "r")}, {read_null, read_zero}},
  };
}

class Devices : public OnHost {
 protected:
  void SetUp() override {
    OnHost::SetUp();
    if (IsSkipped()) return;
    if (::geteuid() != 0) GTEST_SKIP() << "only root makes device nodes";
    ASSERT_EQ(::mknod(nodes_.path("null").c_str(), S_IFCHR | 0600, makedev(1, 3)), 0);
    ASSERT_EQ(::mknod(nodes_.path("zero").c_str(), S_IFCHR | 0600, makedev(1, 5)), 0);
    if (!makes(nodes_.path("new"), S_IFBLK, makedev(7, 200)) || !opens(nodes_.path("null"), O_RDWR))
      GTEST_SKIP() << "device nodes can't be used here";
  }
  unsigned tried_in(const Cgroup& cgroup) {
    *result_ = 0;
    EXPECT_EQ(run(cgroup,
                  [&] {
                    *result_ = attempt(nodes_.path());
                    return 0;
                  })
                  .wait()
                  ->code(),
              0);
    return *result_;
  }

  void each_case(const Cgroup& cgroup) {
    // In one cgroup: each must also replace what was before.
    for (const Case& test : cases()) {
      const auto restricted = cgroup.restrict_devices(test.rules);
      ASSERT_TRUE(restricted) << test.what << ": " << restricted.error().message();
      unsigned allowed = 0;
      for (const Try what : test.allowed) allowed |= 1U << what;
      EXPECT_EQ(said(tried_in(cgroup)), said(allowed)) << test.what;
    }
  }

  sys::Scratch nodes_;
  Shared<unsigned> result_;
};

TEST_F(Devices, OfV1) {
  if (!has("devices")) GTEST_SKIP() << "no v1 devices controller here";
  auto made = Cgroup::create(unique_name + "/a");
  ASSERT_OK(made);
  each_case(*made);
}

Result<Cgroup> unified_cgroup(const std::vector<Hierarchy>& only) {
  Cgroup made = TRY(Cgroup::prepare(only, unique_name + "/a"));
  TRY(made.complete());
  return made;
}

TEST_F(Devices, OfV2) {
  const auto only = unified_only();
  if (only.empty()) GTEST_SKIP() << "no cgroup2 here";
  auto made = unified_cgroup(only);
  ASSERT_OK(made);
  each_case(*made);
  // Not one program for each time.
  const Fd directory = sys::open(*made->directory().value(), ".", O_RDONLY).value();
  EXPECT_EQ(sys::device_programs(directory)->size(), 1U);
  ASSERT_OK(made->restrict_devices({}));
  EXPECT_TRUE(sys::device_programs(directory)->empty());
}

TEST_F(Devices, AThousandRulesPassTheVerifier) {
  const auto only = unified_only();
  if (only.empty()) GTEST_SKIP() << "no cgroup2 here";
  auto made = unified_cgroup(only);
  ASSERT_OK(made);
  std::vector<DeviceRule> rules{deny()};
  for (int i = 0; i < 1000; ++i)
    rules.push_back(i % 3 == 0 ? deny("c", 200 + i % 7, i, "w") : allow("c", 200 + i % 5, i, "r"));
  rules.push_back(allow("c", 1, 3, "r"));
  ASSERT_OK(made->restrict_devices(rules));
  EXPECT_EQ(said(tried_in(*made)), said(1U << read_null));
}

TEST_F(Devices, WhatV1CanNotExpressIsRefused) {
  const auto list = device_list({deny(), allow("c"), deny("c", 1, 3)}, {});
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, EINVAL);
  EXPECT_NE(list.error().message().find("c 1:3 rwm"), std::string::npos);
  EXPECT_FALSE(list.error().cure.empty());
  // Other access than was given takes nothing out.
  EXPECT_TRUE(device_list({deny(), allow("c", {}, {}, "m"), deny("c", 1, 3, "rw")}, {}));
}

TEST_F(Devices, WrongRulesAreRefused) {
  for (const DeviceRule& wrong : {allow("x"), allow("c", 1, 3, "rx")}) {
    EXPECT_EQ(device_list({wrong}, {}).error().code, EINVAL);
    EXPECT_FALSE(device_program({wrong}).error().cure.empty());
  }
}

TEST_F(Devices, LinesAreReadAsTheyAreWritten) {
  for (const char* line : {"c 1:3 rwm", "b *:* m", "c 136:* rw", "c *:2 r"})
    EXPECT_EQ(text(parse_device_access(line).value()), line);
  for (const char* line : {"", "c 1:3", "a *:* rwm", "c 1 rwm", "c x:3 rwm", "c 1:3 q"})
    EXPECT_FALSE(parse_device_access(line)) << line;
}

TEST_F(Devices, AParentWithRulesBoundsItsChildren) {
  auto outer = Cgroup::create(unique_name + "/a");
  ASSERT_OK(outer);
  ASSERT_OK(outer->restrict_devices({deny(), allow("c", 1, 3)}));
  auto inner = Cgroup::create(unique_name + "/a/b");
  ASSERT_OK(inner);
  EXPECT_EQ(said(tried_in(*inner)), "read null, write null, read/write null, mknod null");
  ASSERT_OK(inner->restrict_devices({deny(), allow("c", 1, 3, "r")}));
  EXPECT_EQ(said(tried_in(*inner)), "read null");
  // Relative to the parent: nothing but making is taken.
  ASSERT_OK(inner->restrict_devices({deny("c", 1, 3, "m")}));
  EXPECT_EQ(said(tried_in(*inner)), "read null, write null, read/write null");
}

}  // namespace
}  // namespace umbel::cgroup
