// A cache must never lend a filter that compiling would not give. Entries are marked here with
// another filter's content, so that a use of them shows.
#include "security/seccomp_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "security/capabilities.h"
#include "security/in_child.h"
#include "sys/credentials.h"
#include "sys/file.h"

namespace umbel::security {
namespace {

class Cache : public testing::Test {
 protected:
  void SetUp() override {
    std::array<char, 32> name{"/tmp/umbel-cache-XXXXXX"};
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    top_ = name.data();
    path_ = top_ + "/cache";
  }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree(cwd, top_)); }

  std::vector<std::string> entries() const {
    const auto names = sys::list(cwd, path_);
    return names ? *names : std::vector<std::string>();
  }
  std::string only_entry() const {
    const auto names = entries();
    EXPECT_EQ(names.size(), 1U);
    return names.empty() ? "" : path_ + "/" + names[0];
  }
  // Puts another program under the entry of `profile`, as if that had been compiled.
  void poison(const Seccomp& other) const {
    const std::string content = *sys::read_file(cwd, only_entry());
    std::uint32_t key_size = 0;
    std::memcpy(&key_size, &content[16], sizeof key_size);
    const std::string key = content.substr(32, key_size);
    const Filter filter = *compile(other, "");
    ASSERT_TRUE(FilterCache::open(path_)->store(key, filter));
  }
  bool serves_the_poison() const {
    return compile(profile_, path_)->program != compile(profile_, "")->program;
  }

  const Seccomp profile_ = default_seccomp(default_capabilities());
  const Seccomp other_ = default_seccomp(~CapSet{0});
  std::string top_, path_;
};

TEST_F(Cache, GivesTheSameFilterAgain) {
  const Filter fresh = *compile(profile_, "");
  const Filter stored = *compile(profile_, path_);
  const Filter found = *compile(profile_, path_);
  for (const Filter* filter : {&stored, &found}) {
    EXPECT_EQ(filter->program, fresh.program);
    EXPECT_EQ(filter->flags, fresh.flags);
    EXPECT_EQ(filter->listener, fresh.listener);
  }
  EXPECT_EQ(entries().size(), 1U);
  struct stat dir{};
  ASSERT_EQ(::stat(path_.c_str(), &dir), 0);
  EXPECT_EQ(dir.st_mode & 07777, 0700U);
}

TEST_F(Cache, KnowsTheBuiltInProfileByItsCapabilities) {
  const std::vector<CapSet> sets{0, default_capabilities(), ~CapSet{0},
                                 default_capabilities() | capability(CAP_SYS_ADMIN)};
  for (int round = 0; round < 2; ++round) {
    for (const CapSet set : sets)
      EXPECT_EQ(default_filter(set, path_)->program, compile(default_seccomp(set), "")->program);
    EXPECT_EQ(entries().size(), sets.size());
  }
  // One that no rule asks about makes no other filter.
  (void)*default_filter(default_capabilities() | capability(CAP_LEASE), path_);
  EXPECT_EQ(entries().size(), sets.size());
}

TEST_F(Cache, IsWhatTheSecondCompileReads) {
  (void)*compile(profile_, path_);
  poison(other_);
  EXPECT_TRUE(serves_the_poison());  // and so the tests below can tell
}

TEST_F(Cache, KeepsEverythingThatMakesAnotherFilterApart) {
  std::vector<Seccomp> variants(
      8, {.default_action = "SCMP_ACT_ALLOW", .rules = {{{"tee"}, "SCMP_ACT_ERRNO", 1, {}}}});
  variants[1].rules[0].errno_value = 2;
  variants[2].rules[0].names = {"te", "e"};
  variants[3].rules[0].args = {{0, 0, 0, "SCMP_CMP_EQ"}};
  variants[4].rules[0].args = {{0, 0, 1, "SCMP_CMP_MASKED_EQ"}};
  variants[5].architectures = {"SCMP_ARCH_X86"};
  variants[6].flags = std::vector<std::string>();
  variants[7].default_action = "SCMP_ACT_LOG";
  for (int round = 0; round < 2; ++round)
    for (const Seccomp& variant : variants)
      EXPECT_EQ(compile(variant, path_)->program, compile(variant, "")->program);
  EXPECT_EQ(entries().size(), variants.size());
  // Who listens makes no other filter.
  variants[0].listener_path = "/run/listener";
  (void)*compile(variants[0], path_);
  EXPECT_EQ(entries().size(), variants.size());
}

TEST_F(Cache, DamagedEntriesAreNotUsedAndAreMended) {
  (void)*compile(profile_, path_);
  poison(other_);
  const std::string name = only_entry();
  const std::string good = *sys::read_file(cwd, name);
  const auto damage = [&](std::string content) {
    const Fd file = *sys::open(cwd, name, O_WRONLY | O_TRUNC);
    ASSERT_TRUE(sys::write_all(file, content));
  };
  for (const std::size_t at : {std::size_t{0}, std::size_t{9}, std::size_t{16}, std::size_t{24},
                               std::size_t{40}, good.size() / 2, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    damage(bad);
    EXPECT_FALSE(serves_the_poison()) << at;
    EXPECT_NE(*sys::read_file(cwd, name), bad) << "not mended";
    damage(good);
    EXPECT_TRUE(serves_the_poison());
  }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{31}, std::size_t{32}, good.size() - 8}) {
    damage(good.substr(0, size));
    EXPECT_FALSE(serves_the_poison()) << size;
    damage(good);
  }
  damage(good + "12345678");
  EXPECT_FALSE(serves_the_poison());
}

TEST_F(Cache, AnEntryUnderAnotherKeysNameIsNotUsed) {
  (void)*compile(profile_, path_);
  const std::string name = only_entry();
  (void)*compile(other_, path_);
  for (const std::string& entry : entries()) {
    const std::string path = path_ + "/" + entry;
    if (path == name) continue;
    ASSERT_EQ(::rename(path.c_str(), name.c_str()), 0);
  }
  EXPECT_FALSE(serves_the_poison());
}

TEST_F(Cache, ForeignEntriesAreNotUsed) {
  (void)*compile(profile_, path_);
  poison(other_);
  const std::string name = only_entry();
  ASSERT_EQ(::chmod(name.c_str(), 0666), 0);
  EXPECT_FALSE(serves_the_poison()) << "writable by others";
  poison(other_);
  ASSERT_TRUE(serves_the_poison());
  if (::chown(name.c_str(), 12345, 12345) != 0) GTEST_SKIP() << "needs CAP_CHOWN";
  EXPECT_FALSE(serves_the_poison()) << "somebody else's";
  poison(other_);
  ASSERT_EQ(::rename(name.c_str(), (top_ + "/elsewhere").c_str()), 0);
  ASSERT_EQ(::symlink((top_ + "/elsewhere").c_str(), name.c_str()), 0);
  EXPECT_FALSE(serves_the_poison()) << "a link";
  ASSERT_EQ(::unlink(name.c_str()), 0);
  ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
  EXPECT_FALSE(serves_the_poison()) << "a pipe, which must not block either";
}

TEST_F(Cache, ForeignDirectoriesAreNotUsed) {
  ASSERT_TRUE(check_cache(path_));
  (void)*compile(profile_, path_);
  poison(other_);
  ASSERT_TRUE(serves_the_poison());
  ASSERT_EQ(::chmod(path_.c_str(), 0770), 0);
  EXPECT_FALSE(serves_the_poison());
  EXPECT_EQ(check_cache(path_).error().cure, "chmod 700 " + path_);
  ASSERT_EQ(::chmod(path_.c_str(), 0700), 0);
  ASSERT_EQ(::symlink(path_.c_str(), (top_ + "/link").c_str()), 0);
  EXPECT_EQ(compile(profile_, top_ + "/link")->program, compile(profile_, "")->program);
  EXPECT_FALSE(check_cache(top_ + "/link"));
  if (::chown(path_.c_str(), 12345, 12345) != 0) GTEST_SKIP() << "needs CAP_CHOWN";
  EXPECT_FALSE(serves_the_poison());
  EXPECT_TRUE(check_cache(path_).error().message().contains("belongs to user 12345"));
}

TEST_F(Cache, AUserWhoMayNotMakeItDoesWithout) {
  EXPECT_EQ(in_child([&] {
              if (!sys::set_user(12345)) return 255;
              const bool compiles = static_cast<bool>(compile(profile_, path_));
              const Result<void> problem = check_cache(path_);
              return compiles && problem.error().code == EACCES ? 0 : 1;
            }),
            0);
  EXPECT_TRUE(compile(profile_, top_ + "/no/such/parent"));
}

TEST_F(Cache, DoesNotGrowWithoutEnd) {
  const FilterCache cache = *FilterCache::open(path_);
  const Filter filter{.program = {1, 2, 3, 4, 5, 6, 7, 8}};
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(cache.store("key " + std::to_string(i), filter));
  EXPECT_LE(entries().size(), 128U);
  EXPECT_TRUE(cache.find("key 299"));
  EXPECT_FALSE(cache.find("key 300"));
}

TEST_F(Cache, WritersAtTheSameTimeLeaveAGoodEntry) {
  std::vector<sys::Process> writers;
  for (int i = 0; i < 4; ++i)
    writers.push_back(*sys::start({}, [&] {
      for (int j = 0; j < 50; ++j) {
        for (const std::string& name : entries()) (void)sys::remove_file(cwd, path_ + "/" + name);
        const Result<Filter> filter = compile({.default_action = "SCMP_ACT_ALLOW"}, path_);
        if (!filter || filter->program.size() < 8) return 1;
      }
      return 0;
    }));
  const Filter fresh = *compile({.default_action = "SCMP_ACT_ALLOW"}, "");
  for (int i = 0; i < 500; ++i)
    ASSERT_EQ(compile({.default_action = "SCMP_ACT_ALLOW"}, path_)->program, fresh.program);
  for (sys::Process& writer : writers) EXPECT_EQ(writer.wait()->code(), 0);
}

}  // namespace
}  // namespace umbel::security
