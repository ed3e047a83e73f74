// Every program of programs/ is checkpointed and restored five rounds in a row, and asked after
// each whether all is as it was: as root's and as an ordinary user's process; and with
// --leave-running, where the one asked is the original. All through the command line, as a person
// would.
#include <sys/prctl.h>

#include <algorithm>

#include "subject.h"
#include "sys/identity.h"
#include "sys/namespace.h"

namespace umbel::checkpoint {

namespace {

constexpr int rounds = 5;

std::vector<std::string> programs() {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator(from_environment("UMBEL_PROGRAMS") + "/checkpoint", error))
    found.push_back(entry.path().filename());
  std::ranges::sort(found);
  return found;
}

class Rounds : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    UMBEL_NEEDS_ROOT();
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    // Connections and packet filters are to be this test's alone.
    static const bool own_network = sys::unshare(CLONE_NEWNET) && sys::set_link_up("lo");
    ASSERT_TRUE(own_network);
  }
};

void go(const std::string& program, uid_t uid) {
  Subject subject(program, uid);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  ASSERT_EQ(subject.ask(), "right") << "before any checkpoint";
  for (int round = 1; round <= rounds; ++round) {
    ASSERT_EQ(subject.dump({}), "") << "round " << round;
    ASSERT_EQ(subject.restore(), "") << "round " << round;
    ASSERT_EQ(subject.ask(), "right") << "round " << round;
  }
}

TEST_P(Rounds, AsRoot) { go(GetParam(), 0); }
TEST_P(Rounds, AsAnOrdinaryUser) { go(GetParam(), somebody); }

TEST_P(Rounds, LeftRunning) {
  Subject subject(GetParam(), 0);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  for (int round = 1; round <= rounds; ++round) {
    ASSERT_EQ(subject.dump({"--leave-running"}), "") << "round " << round;
    ASSERT_EQ(subject.ask(), "right") << "round " << round;
  }
}

// The state changes between the dumps of a chain: each is asked for, and counts, in between.
TEST_P(Rounds, InAPreDumpChain) {
  Subject subject(GetParam(), 0);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  for (int round = 1; round <= 2; ++round) {
    const std::string first = subject.more_images("first"), second = subject.more_images("second");
    ASSERT_EQ(subject.pre_dump({"-D", first}), "") << "round " << round;
    ASSERT_EQ(subject.ask(), "right") << "round " << round;
    ASSERT_EQ(subject.pre_dump({"-D", second, "--prev-images-dir", "../first"}), "");
    ASSERT_EQ(subject.ask(), "right") << "round " << round;
    ASSERT_EQ(subject.dump({"--prev-images-dir", "../second"}), "") << "round " << round;
    EXPECT_EQ(content(subject.log()).find("Warning"), std::string::npos) << content(subject.log());
    ASSERT_EQ(subject.restore(), "") << "round " << round;
    ASSERT_EQ(subject.ask(), "right") << "round " << round;
  }
}

std::string name_of(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Programs, Rounds, testing::ValuesIn(programs()), name_of);

}  // namespace

}  // namespace umbel::checkpoint
