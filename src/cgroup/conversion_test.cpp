#include "cgroup/conversion.h"

#include <gtest/gtest.h>

namespace umbel::cgroup {
namespace {

TEST(Conversion, SharesKeepTheirEndsAndTheirDefault) {
  EXPECT_EQ(weight_of_shares(2), 1U);
  EXPECT_EQ(weight_of_shares(1024), 100U);
  EXPECT_EQ(weight_of_shares(262144), 10000U);
  // What lies outside is drawn in, as v1 does it.
  EXPECT_EQ(weight_of_shares(0), 1U);
  EXPECT_EQ(weight_of_shares(1U << 30), 10000U);
}

TEST(Conversion, MoreSharesNeverWeighLess) {
  std::uint64_t last = 0;
  for (std::uint64_t shares = 2; shares <= 262144; shares += 97) {
    const std::uint64_t weight = weight_of_shares(shares);
    EXPECT_GE(weight, last) << shares;
    last = weight;
  }
}

TEST(Conversion, IoWeights) {
  EXPECT_EQ(io_weight_of(10), 1U);
  EXPECT_EQ(io_weight_of(1000), 10000U);
  EXPECT_EQ(io_weight_of(500), 4950U);
}

TEST(Conversion, SwapIsWhatIsMoreThanMemory) {
  EXPECT_EQ(swap_alone(-1, 100).value(), "max");
  EXPECT_EQ(swap_alone(-1, -1).value(), "max");
  EXPECT_EQ(swap_alone(300, 100).value(), "200");
  EXPECT_EQ(swap_alone(100, 100).value(), "0");
  for (const auto& [both, memory] : {std::pair{99, 100}, std::pair{100, -1}}) {
    const auto refused = swap_alone(both, memory);
    ASSERT_FALSE(refused);
    EXPECT_FALSE(refused.error().cure.empty());
  }
}

}  // namespace
}  // namespace umbel::cgroup
