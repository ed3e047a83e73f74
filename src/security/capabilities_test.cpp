#include "security/capabilities.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include <bit>
#include <cerrno>

#include "base/record.h"
#include "base/text.h"
#include "security/credentials.h"
#include "security/in_child.h"
#include "sys/capability.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace umbel::security {
namespace {

// What /proc says of the process that asks: "CapBnd" and so on.
CapSet status(std::string_view field) {
  const std::string text = sys::read_file(cwd, "/proc/self/status").value_or("");
  for (const std::string_view line : split(text, '\n'))
    if (line.starts_with(field))
      return unsigned_number(trimmed(line.substr(field.size() + 1)), 16).value_or(0);
  return 0;
}

bool is_root() { return (status("CapEff") & capability(CAP_SETPCAP)) != 0; }

TEST(Capabilities, AreReadInEverySpelling) {
  for (const char* name :
       {"CAP_NET_ADMIN", "cap_net_admin", "net_admin", "Net_Admin", " NET_ADMIN "})
    EXPECT_EQ(parse_capability(name).value_or(0), capability(CAP_NET_ADMIN)) << name;
  EXPECT_EQ(*parse_capability("all"), own_bounding());
  EXPECT_EQ(*parse_capability("CAP_CHECKPOINT_RESTORE"), capability(CAP_CHECKPOINT_RESTORE));
}

TEST(Capabilities, WrongNamesGetASuggestion) {
  const Result<CapSet> wrong = parse_capability("sys_admn");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message(), "'sys_admn' is not a capability");
  EXPECT_EQ(wrong.error().cure, "did you mean CAP_SYS_ADMIN?");
  EXPECT_EQ(parse_capability("flying_to_the_moon").error().cure, "see capabilities(7)");
  EXPECT_FALSE(parse_capability(""));
}

TEST(Capabilities, NamesGoThereAndBack) {
  for (const std::string& name : capability_names(all_capabilities()))
    EXPECT_EQ(capability_names(*parse_capability(name)), std::vector<std::string>{name});
  EXPECT_EQ(capability_names(capability(0) | capability(40) | capability(63)),
            (std::vector<std::string>{"CAP_CHOWN", "CAP_CHECKPOINT_RESTORE", "CAP_63"}));
  EXPECT_TRUE(capability_names(0).empty());
}

TEST(Capabilities, TheDefaultsAreDockers) {
  EXPECT_EQ(std::popcount(default_capabilities()), 14);
  EXPECT_NE(default_capabilities() & capability(CAP_MKNOD), 0U);
  EXPECT_EQ(default_capabilities() & capability(CAP_SYS_ADMIN), 0U);
}

TEST(Capabilities, TheKernelKnowsWhatItSaysItKnows) {
  const Result<std::string> last = sys::read_file(cwd, "/proc/sys/kernel/cap_last_cap");
  ASSERT_TRUE(last);
  EXPECT_EQ(64 - std::countl_zero(all_capabilities()) - 1, *number(trimmed(*last)));
  EXPECT_EQ(own_bounding(), status("CapBnd"));
  const Result<Capabilities> own = own_capabilities();
  ASSERT_TRUE(own);
  EXPECT_EQ(own->effective, status("CapEff"));
  EXPECT_EQ(own->permitted, status("CapPrm"));
  EXPECT_EQ(own->inheritable, status("CapInh"));
  EXPECT_EQ(own->ambient, status("CapAmb"));
}

TEST(Capabilities, RestrictingTellsWhatIsTaken) {
  Capabilities sets{.bounding = 7, .effective = 6, .inheritable = 1, .permitted = 3, .ambient = 8};
  EXPECT_EQ(restrict_to(5, sets), CapSet{2 | 8});
  EXPECT_EQ(sets,
            (Capabilities{
                .bounding = 5, .effective = 4, .inheritable = 1, .permitted = 1, .ambient = 0}));
  EXPECT_EQ(restrict_to(5, sets), 0U);
}

TEST(Capabilities, SurviveBeingWrittenAndRead) {
  const Capabilities sets{.bounding = ~CapSet{0}, .effective = 1, .ambient = 1ULL << 40};
  EXPECT_EQ(*from_value<Capabilities>(to_value(sets)), sets);
}

TEST(Capabilities, AllFiveSetsAreWhatWasAskedFor) {
  if (!is_root()) GTEST_SKIP() << "needs CAP_SETPCAP";
  const Capabilities wanted{.bounding = default_capabilities(),
                            .effective = capability(CAP_NET_RAW),
                            .inheritable = capability(CAP_NET_RAW) | capability(CAP_KILL),
                            .permitted = capability(CAP_NET_RAW) | capability(CAP_CHOWN),
                            .ambient = capability(CAP_NET_RAW)};
  EXPECT_EQ(in_child([&] {
              if (!apply(wanted)) return 255;
              if (status("CapBnd") != wanted.bounding) return 1;
              if (status("CapEff") != wanted.effective) return 2;
              if (status("CapInh") != wanted.inheritable) return 3;
              if (status("CapPrm") != wanted.permitted) return 4;
              if (status("CapAmb") != wanted.ambient) return 5;
              const Result<Capabilities> own = own_capabilities();
              return own && *own == wanted ? 0 : 6;
            }),
            0);
}

// The program that is executed has them, also as another user, which is what all this is for.
TEST(Capabilities, AmbientOnesReachTheProgramOfAnotherUser) {
  if (!is_root()) GTEST_SKIP() << "needs CAP_SETPCAP";
  const CapSet one = capability(CAP_NET_BIND_SERVICE);
  const Capabilities wanted{
      .bounding = one, .effective = one, .inheritable = one, .permitted = one, .ambient = one};
  const auto grep = [](const std::string& line) {
    return std::vector<std::string>{"grep", "-q", "-i", "^" + line + "$", "/proc/self/status"};
  };
  for (const std::string line :
       {"CapEff:.0000000000000400", "CapBnd:.0000000000000400", "Uid:.12345.12345.12345.12345"})
    EXPECT_EQ(in_child([&] {
                if (!drop_bounding(wanted.bounding) || !keep_across_user_change()) return 255;
                if (!become({.uid = 12345, .gid = 12345}) || !apply(wanted)) return 254;
                (void)sys::execute("/bin/grep", grep(line), std::vector<std::string>{});
                return 253;
              }),
              0)
        << line;
}

TEST(Capabilities, TheBoundingSetShrinksAfterTheChangeOfUserToo) {
  if (!is_root()) GTEST_SKIP() << "needs CAP_SETPCAP";
  EXPECT_EQ(in_child([&] {
              if (!keep_across_user_change() || !become({.uid = 12345, .gid = 12345})) return 255;
              if (!apply(Capabilities{.bounding = capability(CAP_KILL)})) return 254;
              if (status("CapBnd") != capability(CAP_KILL)) return 1;
              return status("CapPrm") == 0 && status("CapEff") == 0 ? 0 : 2;
            }),
            0);
}

// Runs apply() in a child that has the default set only, and compares the error.
std::string refusal(const Capabilities& wanted) {
  const Result<sys::Pipe> pipe = sys::pipe();
  if (!pipe) return "no pipe";
  const int code = in_child([&] {
    const CapSet set = default_capabilities();
    if (!apply({.bounding = set, .effective = set, .permitted = set})) return 255;
    const Capabilities before = *own_capabilities();
    const Result<void> applied = apply(wanted);
    if (applied) return 254;
    (void)sys::write_all(pipe->write, applied.error().message());
    return *own_capabilities() == before ? 0 : 253;  // a refusal changes nothing
  });
  EXPECT_EQ(code, 0);
  std::string buffer(4096, '\0');
  const Result<std::size_t> count = sys::read(pipe->read, buffer);
  buffer.resize(count ? *count : 0);
  return buffer;
}

TEST(Capabilities, WhatCantBeHadIsRefusedByName) {
  if (!is_root()) GTEST_SKIP() << "needs CAP_SETPCAP";
  const CapSet kill = capability(CAP_KILL), admin = capability(CAP_SYS_ADMIN);
  const CapSet time = capability(CAP_SYS_TIME);
  EXPECT_EQ(refusal({.bounding = admin | time}),
            "setting capabilities: CAP_SYS_ADMIN and CAP_SYS_TIME can't be given: this process's "
            "bounding set has it not");
  EXPECT_EQ(refusal({.permitted = admin}),
            "setting capabilities: CAP_SYS_ADMIN can't be given: this process is not permitted to "
            "have it");
  EXPECT_TRUE(refusal({.effective = kill}).contains("CAP_KILL is to be effective without"));
  EXPECT_TRUE(refusal({.inheritable = kill}).contains("CAP_KILL is to be inheritable outside"));
  EXPECT_TRUE(refusal({.bounding = kill, .permitted = kill, .ambient = kill})
                  .contains("CAP_KILL is to be ambient without"));
}

// Where everything begins anew, what the host's bounding set lacks can be had.
TEST(Capabilities, AUserNamespaceHasThemAll) {
  const int code = in_child([&] {
    if (!sys::unshare(CLONE_NEWUSER)) return 99;
    const CapSet all = all_capabilities();
    if (own_bounding() != all) return 1;
    if (!apply({.bounding = all, .effective = all, .permitted = all})) return 2;
    return status("CapEff") == all ? 0 : 3;
  });
  if (code == 99) GTEST_SKIP() << "no user namespace can be made here";
  EXPECT_EQ(code, 0);
}

TEST(Capabilities, DroppingNeedsARight) {
  if (!is_root()) GTEST_SKIP() << "needs CAP_SETPCAP";
  EXPECT_EQ(in_child([&] {
              if (!become({.uid = 12345, .gid = 12345})) return 255;
              const Result<void> dropped = drop_bounding(0);
              const bool reads_well = !dropped && dropped.error().cure == "this needs CAP_SETPCAP";
              return reads_well && dropped.error().code == EPERM ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace umbel::security
