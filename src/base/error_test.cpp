#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace umbel {

namespace {

TEST(Error, MessageTellsStepsThenCallThenReason) {
  EXPECT_EQ((Error{.code = EPERM, .call = "fsopen proc", .detail = "mounting /proc"}.message()),
            "mounting /proc: fsopen proc: Operation not permitted");
  EXPECT_EQ((Error{.detail = "no such container"}.message()), "no such container");
  EXPECT_EQ((Error{.code = ENOENT}.message()), "No such file or directory");
  EXPECT_EQ((Error{.code = 99999}.message()), "unknown error");
}

Result<int> failing() { return fail_with(ENOENT, "inner", "inner cure"); }

TEST(Error, DuringPutsOuterStepsFirst) {
  const Result<int> result = during("outermost", during("outer", failing()));
  EXPECT_EQ(result.error().detail, "outermost: outer: inner");
  EXPECT_EQ(result.error().code, ENOENT);
  EXPECT_EQ(during("step", Result<int>(7)).value(), 7);
  const Result<void> silent =
      during("step", Result<void>(Failure(Error{.code = EIO, .call = "read"})));
  EXPECT_EQ(silent.error().message(), "step: read: Input/output error");
}

TEST(Error, TheDeepestAdviceWins) {
  EXPECT_EQ(advise("outer cure", failing()).error().cure, "inner cure");
  EXPECT_EQ(advise("outer cure", Result<int>(fail("x"))).error().cure, "outer cure");
  EXPECT_TRUE(advise("outer cure", Result<int>(7)));
}

Result<int> doubled(Result<int> number) {
  const int value = TRY(number);
  return 2 * value;
}
Result<std::unique_ptr<int>> only_moves() { return std::make_unique<int>(3); }
Result<std::unique_ptr<int>> moved() {
  std::unique_ptr<int> made = TRY(only_moves());
  return made;
}
Result<std::string> other_type(Result<int> number) {
  TRY(number);
  return "reached";
}

TEST(Try, YieldsTheValueOrReturnsTheError) {
  EXPECT_EQ(doubled(21).value(), 42);
  EXPECT_EQ(doubled(failing()).error().detail, "inner");
  EXPECT_EQ(doubled(failing()).error().cure, "inner cure");
  EXPECT_EQ(**moved(), 3);
  EXPECT_EQ(other_type(1).value(), "reached");
  EXPECT_EQ(other_type(failing()).error().code, ENOENT);
}

Result<int> nested(const Result<int>& number) { return TRY(doubled(TRY(doubled(number)))); }

TEST(Try, MayStandInsideItself) {
  EXPECT_EQ(nested(3).value(), 12);
  EXPECT_FALSE(nested(failing()));
}

TEST(Try, EvaluatesItsExpressionOnce) {
  int calls = 0;
  const auto count = [&]() -> Result<int> { return ++calls; };
  const auto once = [&]() -> Result<int> {
    const int value = TRY(count());
    return value;
  };
  EXPECT_EQ(once().value(), 1);
  EXPECT_EQ(calls, 1);
}

// Counts what was built and not destroyed when TRY left the expression early.
int alive = 0;
struct Counted {
  Counted() { ++alive; }
  Counted(const Counted& /*other*/) { ++alive; }
  Counted(Counted&& /*other*/) noexcept { ++alive; }
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) = default;
  ~Counted() { --alive; }
};
struct Pair {
  Pair(Counted counted, int number) : counted_(std::move(counted)), number_(number) {}
  Counted counted_;
  int number_;
};
int both(const Counted& /*counted*/, int number) { return number; }
Result<int> as_argument() { return both(Counted(), TRY(failing())); }
Result<int> as_condition() {
  if (both(Counted(), 1) == 1 && TRY(failing()) == 1) return 1;
  return 2;
}
Result<int> as_constructor_argument() {
  const Pair pair(Counted(), TRY(failing()));
  return pair.number_;
}
Result<int> within_an_assignment() {
  int sum = 0;
  sum = both(Counted(), 1) + TRY(failing());
  return sum;
}

TEST(Try, LeavesNothingBehindWhereItMayStand) {
  for (const auto place :
       {as_argument, as_condition, as_constructor_argument, within_an_assignment}) {
    EXPECT_EQ(place().error().code, ENOENT);
    EXPECT_EQ(alive, 0);
  }
}

TEST(EnsureDeathTest, AbortsWithPlaceAndReason) {
  ensure(true, "not this one");
  EXPECT_DEATH(ensure(false, "one and one is two"), "one and one is two.*error_test.cpp:");
}

}  // namespace

}  // namespace umbel
