#include "base/text.h"

#include <gtest/gtest.h>

#include <array>

namespace umbel {

namespace {

using Parts = std::vector<std::string_view>;

TEST(Text, TrimsBlanksAtBothEnds) {
  EXPECT_EQ(trimmed("  a b\t\n"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Text, SplitsAndKeepsEmptyParts) {
  EXPECT_EQ(split("a,b,,c", ','), (Parts{"a", "b", "", "c"}));
  EXPECT_EQ(split(",", ','), (Parts{"", ""}));
  EXPECT_EQ(split("a", ','), (Parts{"a"}));
  EXPECT_EQ(split("", ','), Parts{});
}

TEST(Text, FindsWords) {
  EXPECT_EQ(words("  a\t b\n"), (Parts{"a", "b"}));
  EXPECT_EQ(words("one"), (Parts{"one"}));
  EXPECT_EQ(words(" \t"), Parts{});
}

TEST(Text, CutsAtTheFirstSeparator) {
  const auto halves = cut("a=b=c", '=');
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->before, "a");
  EXPECT_EQ(halves->after, "b=c");
  EXPECT_FALSE(cut("abc", '='));
}

TEST(Text, Joins) {
  EXPECT_EQ(join(std::array<std::string, 3>{"a", "", "c"}, ", "), "a, , c");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Text, ANumberIsTheWholeText) {
  EXPECT_EQ(number("-42"), -42);
  EXPECT_EQ(number("755", 8), 0755);
  EXPECT_EQ(number("9223372036854775807"), INT64_MAX);
  for (const char* wrong : {"", " 1", "1 ", "+1", "0x10", "1.5", "9223372036854775808", "a"})
    EXPECT_FALSE(number(wrong)) << wrong;
  EXPECT_EQ(unsigned_number("18446744073709551615"), UINT64_MAX);
  EXPECT_FALSE(unsigned_number("-1"));
  EXPECT_EQ(decimal("1.5"), 1.5);
  EXPECT_EQ(decimal("-0.25"), -0.25);
  EXPECT_EQ(decimal("0.1"), 0.1);
  EXPECT_EQ(decimal("3."), 3.0);
  EXPECT_EQ(decimal(".5"), 0.5);
  EXPECT_EQ(decimal("9007199254740993"), 9007199254740993.0);
  for (const char* wrong : {"", "-", ".", "1.5x", "1.2.3", "1.-5", "--1", "inf", "nan", "1e9"})
    EXPECT_FALSE(decimal(wrong));
}

struct SizeCase {
  std::string_view text;
  std::uint64_t bytes;
};

TEST(Text, ReadsSizes) {
  for (const auto& [text, bytes] : std::to_array<SizeCase>({{"4096", 4096},
                                                            {"0", 0},
                                                            {"1b", 1},
                                                            {"1k", 1024},
                                                            {"512m", 512ULL << 20},
                                                            {"1.5GiB", 3ULL << 29},
                                                            {"2gb", 2ULL << 30},
                                                            {"1T", 1ULL << 40},
                                                            {"1p", 1ULL << 50}})) {
    const Result<std::uint64_t> size = parse_size(text);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(*size, bytes) << text;
  }
}

TEST(Text, RefusesWhatIsNoSize) {
  for (const char* wrong : {"", "m", "1x", "-1", "1 m", "1bb", "1ib", "1kk", "1.2.3", "9000p", "."})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  EXPECT_EQ(parse_size("12 apples").error().message(), "'12 apples' is not a size");
  EXPECT_NE(parse_size("x").error().cure, "");
}

TEST(Text, WritesSizes) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1.0 KiB");
  EXPECT_EQ(size_text(3ULL << 29), "1.5 GiB");
  EXPECT_EQ(size_text(200ULL << 20), "200 MiB");
  // Never "1024 KiB", which is what rounding would make of it.
  EXPECT_EQ(size_text((1ULL << 20) - 1), "1.0 MiB");
  EXPECT_EQ(size_text(UINT64_MAX), "16384 PiB");
}

struct DurationCase {
  std::string_view text;
  std::int64_t nanoseconds;
};

TEST(Text, ReadsDurations) {
  for (const auto& [text, nanoseconds] :
       std::to_array<DurationCase>({{"10", 10'000'000'000},
                                    {"10s", 10'000'000'000},
                                    {"1m30s", 90'000'000'000},
                                    {"250ms", 250'000'000},
                                    {"1.5us", 1'500},
                                    {"7ns", 7},
                                    {"2h", 7'200'000'000'000},
                                    {"-1d", -86'400'000'000'000}})) {
    const Result<std::int64_t> duration = parse_duration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_EQ(*duration, nanoseconds) << text;
  }
  for (const char* wrong : {"", "-", "s", "1x", "1 s", "1s-1s", "999999999d"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(Text, GuessesWhatWasMeant) {
  constexpr std::array<std::string_view, 4> commands{"run", "restore", "restart", "checkpoint"};
  EXPECT_EQ(nearest("restor", commands), "restore");
  EXPECT_EQ(nearest("chekpiont", commands), "checkpoint");
  EXPECT_EQ(nearest("rnu", commands), "run");
  EXPECT_EQ(nearest("rxu", commands), std::nullopt);
  EXPECT_EQ(nearest("migrate", commands), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
}

}  // namespace

}  // namespace umbel
