#include "base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <type_traits>

#include "base/id.h"

namespace umbel {

namespace {

Fd null_device() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }
bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

static_assert(!std::is_convertible_v<Fd, int> && !std::is_convertible_v<FdRef, int>);
static_assert(!std::is_convertible_v<int, Fd> && !std::is_convertible_v<int, FdRef>);
static_assert(!std::is_copy_constructible_v<Fd>);
static_assert(!std::is_convertible_v<HostPid, InnerPid> && !std::is_convertible_v<HostPid, int>);

TEST(Fd, ClosesAtTheEndOfItsScope) {
  int number = -1;
  {
    const Fd fd = null_device();
    ASSERT_TRUE(fd);
    number = fd.number();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovesItsOwnership) {
  Fd first = null_device();
  const int number = first.number();
  Fd second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): a moved-from Fd is empty by contract
  EXPECT_EQ(second.number(), number);
  Fd third = null_device();
  const int replaced = third.number();
  third = std::move(second);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, SurvivesAMoveToItself) {
  Fd fd = null_device();
  Fd& same = fd;
  fd = std::move(same);
  EXPECT_TRUE(fd);
  EXPECT_TRUE(is_open(fd.number()));
}

TEST(Fd, IsGivenUpByRelease) {
  Fd fd = null_device();
  const Fd owner(fd.release());
  EXPECT_FALSE(fd);
  EXPECT_TRUE(is_open(owner.number()));
}

TEST(Fd, MayBeClosedTwice) {
  Fd fd = null_device();
  fd.close();
  const Fd other = null_device();  // takes the number that became free
  fd.close();
  EXPECT_TRUE(is_open(other.number()));
}

TEST(Id, ComparesAndKnowsWhetherItIsSet) {
  EXPECT_FALSE(HostPid());
  EXPECT_TRUE(HostPid(1));
  EXPECT_LT(HostPid(1), HostPid(2));
  EXPECT_EQ(InnerPid(7).value(), 7);
}

}  // namespace

}  // namespace umbel
