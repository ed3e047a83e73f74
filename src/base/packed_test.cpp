#include "base/packed.h"

#include <gtest/gtest.h>

namespace umbel {

namespace {

TEST(Packed, ComesBackWhole) {
  const Error error{.code = 13, .call = "open /x", .detail = "a: b", .cure = "ask, then try again"};
  const Error back = unpacked(packed(error));
  EXPECT_EQ(back.code, error.code);
  EXPECT_EQ(back.message(), error.message());
  EXPECT_EQ(back.cure, error.cure);
}

TEST(Packed, EmptyPartsStayEmpty) {
  const Error back = unpacked(packed(Error{.detail = "only this"}));
  EXPECT_EQ(back.code, 0);
  EXPECT_EQ(back.call, "");
  EXPECT_EQ(back.message(), "only this");
  EXPECT_EQ(back.cure, "");
}

}  // namespace

}  // namespace umbel
