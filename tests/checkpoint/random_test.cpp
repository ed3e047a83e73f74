// Random programs, a seed each: checkpointed and restored twice, in every second case by way of a
// pre-dump. UMBEL_SEEDS=FIRST:COUNT tries others than the few that are tried by default.
#include <sys/prctl.h>

#include "subject.h"

namespace umbel::checkpoint {

namespace {

struct Seeds {
  unsigned long first = 1, count = 12;
};

Seeds seeds() {
  Seeds wanted;
  const std::string text = from_environment("UMBEL_SEEDS");
  if (text.empty()) return wanted;
  wanted.first = std::stoul(text);
  wanted.count = std::stoul(text.substr(text.find(':') + 1));
  return wanted;
}

void go(unsigned long seed) {
  ::setenv("UMBEL_SEED", std::to_string(seed).c_str(), 1);
  Subject subject("random", seed % 3 == 0 ? somebody : 0);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  ASSERT_EQ(subject.ask(), "right") << "before any checkpoint";
  for (int round = 1; round <= 2; ++round) {
    std::vector<std::string> more;
    if (seed % 2 == 0) {
      ASSERT_EQ(subject.pre_dump({"-D", subject.more_images("first")}), "");
      ASSERT_EQ(subject.ask(), "right") << "after a pre-dump";
      more = {"--prev-images-dir", "../first"};
    }
    ASSERT_EQ(subject.dump(more), "") << "round " << round;
    ASSERT_EQ(subject.restore(), "") << "round " << round;
    ASSERT_EQ(subject.ask(), "right") << "round " << round;
  }
}

TEST(Random, ProgramsStayAsTheyWere) {
  UMBEL_NEEDS_ROOT();
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const Seeds wanted = seeds();
  for (unsigned long seed = wanted.first; seed < wanted.first + wanted.count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    go(seed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace

}  // namespace umbel::checkpoint
