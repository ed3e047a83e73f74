#include "console/log.h"

#include <sys/resource.h>

#include "console/testing.h"

namespace umbel::console {

namespace {

class Log : public testing::Test {
 protected:
  LogWriter writer(std::uint64_t largest = 10U << 20U) const {
    Result<LogWriter> made = LogWriter::open(path(), largest);
    EXPECT_EQ(why_not(made), "");
    return std::move(*made);
  }
  std::string path() const { return scratch_.path("log"); }
  struct Shown {
    std::string out, err;
    std::vector<std::string> times;
  };
  Shown read(const LogQuery& query = {}) const {
    Shown shown;
    EXPECT_EQ(why_not(read_log(path(), query, show(shown))), "");
    return shown;
  }
  static std::function<Result<void>(const LogRecord&)> show(Shown& shown) {
    return [&shown](const LogRecord& record) -> Result<void> {
      std::string& text = record.stream == Stream::err ? shown.err : shown.out;
      text.append(record.text).append(record.whole ? "\n" : "");
      shown.times.emplace_back(record.time);
      return {};
    };
  }
  sys::Scratch scratch_;
};

}  // namespace

TEST_F(Log, IsWrittenAsKubernetesReadsIt) {
  LogWriter log = writer();
  ASSERT_EQ(why_not(log.write(Stream::out, "one\ntwo")), "");
  ASSERT_EQ(why_not(log.write(Stream::err, "\n")), "");
  std::string text = *sys::read_file(cwd, path());
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    EXPECT_EQ(text[at + 10], 'T');
    EXPECT_EQ(text[at + 29], 'Z');
    text.replace(at, log_time_size, "TIME");
  }
  EXPECT_EQ(text, "TIME stdout F one\nTIME stdout P two\nTIME stderr F \n");
}

TEST_F(Log, GivesEveryByteBack) {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 7 % 256);
  bytes += std::string(300, '\n') + std::string(40'000, 'x') + "\r\n" + std::string(1, '\0') +
           "no end of line";
  LogWriter log = writer();
  for (std::size_t at = 0, step = 1; at < bytes.size(); at += step, step = step * 3 % 5000 + 1)
    ASSERT_EQ(why_not(log.write(Stream::out, std::string_view(bytes).substr(at, step))), "");
  EXPECT_EQ(read().out, bytes);
}

TEST_F(Log, AnAbsentLogIsEmpty) { EXPECT_EQ(read().out, ""); }

TEST_F(Log, TailCountsLinesNotRecords) {
  LogWriter log = writer();
  for (const char* text : {"a\n", "b", "b", "b\n"}) (void)log.write(Stream::out, text);
  (void)log.write(Stream::out, "c");  // begun before the line on stderr, ended after it
  (void)log.write(Stream::err, "e\n");
  (void)log.write(Stream::out, "c\n");
  (void)log.write(Stream::out, "unfinished");
  EXPECT_EQ(read({.tail = 0}).out, "");
  EXPECT_EQ(read({.tail = 1}).out, "unfinished");
  EXPECT_EQ(read({.tail = 1}).err, "");
  EXPECT_EQ(read({.tail = 2}).err, "e\n");
  EXPECT_EQ(read({.tail = 2}).out, "unfinished");
  EXPECT_EQ(read({.tail = 3}).out, "cc\nunfinished");
  EXPECT_EQ(read({.tail = 4}).out, "bbb\ncc\nunfinished");
  EXPECT_EQ(read({.tail = 400}).out, "a\nbbb\ncc\nunfinished");
}

TEST_F(Log, ChoosesByTime) {
  LogWriter log = writer();
  (void)log.write(Stream::out, "1\n");
  ::poll(nullptr, 0, 2);
  const std::int64_t middle = std::chrono::system_clock::now().time_since_epoch() / 1ns;
  ::poll(nullptr, 0, 2);
  (void)log.write(Stream::out, "2\n");
  EXPECT_EQ(read({.since = middle}).out, "2\n");
  EXPECT_EQ(read({.until = middle}).out, "1\n");
  EXPECT_EQ(read({.tail = 1, .until = middle}).out, "1\n");
}

TEST_F(Log, KeepsOneOldFile) {
  LogWriter log = writer(1000);
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const std::string line = std::to_string(i) + "\n";
    ASSERT_EQ(why_not(log.write(Stream::out, line)), "");
    all += line;
  }
  EXPECT_EQ(sys::list(scratch_.dir(), ".")->size(), 2U);
  EXPECT_LE(sys::status_at(scratch_.dir(), "log.1")->st_size, 1100);
  const std::string shown = read().out;
  EXPECT_GT(shown.size(), 60U);
  EXPECT_TRUE(all.ends_with(shown)) << shown;
}

TEST_F(Log, ATornRecordIsTakenBackByTheNextWriter) {
  (void)writer().write(Stream::out, "whole\n");
  const std::string whole = *sys::read_file(cwd, path());
  for (const std::size_t cut : {1U, 20U, 35U, 42U}) {
    scratch_.file("log", whole + whole.substr(0, cut));
    EXPECT_EQ(read().out, "whole\n") << cut;
    ASSERT_EQ(why_not(writer().write(Stream::out, "next\n")), "");
    EXPECT_EQ(read().out, "whole\nnext\n") << cut;
  }
}

TEST_F(Log, IsWholeAfterWritesThatFailed) {
  sys::in_child(0, [&] {
    ::signal(SIGXFSZ, SIG_IGN);
    LogWriter log = writer();
    ASSERT_EQ(why_not(log.write(Stream::out, "before\n")), "");
    const rlimit limit{.rlim_cur = 100, .rlim_max = RLIM_INFINITY};
    rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    const std::string lines = "1\n2\n3\n4\n5\n6\n";
    EXPECT_FALSE(log.write(Stream::out, lines));
    EXPECT_EQ(log.lost(), lines.size());
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
    ASSERT_EQ(why_not(log.write(Stream::out, "after\n")), "");
    EXPECT_EQ(read().out, "before\nafter\n");
  });
}

TEST_F(Log, IsFollowedOverRotationsUntilTheWriterEnds) {
  Result<sys::Process> child = sys::start({}, [&] {
    LogWriter log = writer(20'000);
    for (int i = 0; i < 20'000; ++i) {
      if (!log.write(Stream::out, std::to_string(i) + "\n")) return 1;
      if (i % 50 == 0) ::poll(nullptr, 0, 1);
    }
    return 0;
  });
  Shown shown;
  const Fd writing = *sys::duplicate(child->pidfd());
  EXPECT_EQ(why_not(read_log(path(), {.follow = true, .writer = writing}, show(shown))), "");
  EXPECT_EQ(child->wait()->code(), 0);
  // It may have begun late, but from there on nothing is missing.
  const int first = std::stoi(shown.out);
  std::string expected;
  for (int i = first; i < 20'000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_LT(first, 2000);
  EXPECT_EQ(shown.out, expected);
}

TEST_F(Log, FollowingGoesOnWhenTheDirectoryIsRenamed) {
  ASSERT_EQ(why_not(sys::make_directory(scratch_.dir(), "old", 0700)), "");
  Result<LogWriter> log = LogWriter::open(scratch_.path("old/log"), 100);
  ASSERT_EQ(why_not(log), "");
  ASSERT_EQ(why_not(sys::rename(scratch_.dir(), "old", scratch_.dir(), "new")), "");
  for (const char* line : {"1\n", "2\n", "3\n", "4\n"})
    ASSERT_EQ(why_not(log->write(Stream::out, line)), "");
  EXPECT_TRUE(sys::exists(scratch_.dir(), "new/log.1"));
}

TEST_F(Log, ReadsUpToAPosition) {
  LogWriter log = writer(100);
  (void)log.write(Stream::out, "1\n");
  const LogPosition here = log.position();
  for (const char* line : {"2\n", "3\n", "4\n"}) (void)log.write(Stream::out, line);
  EXPECT_TRUE(sys::exists(scratch_.dir(), "log.1"));
  EXPECT_EQ(read({.upto = here}).out, "1\n");
}

TEST(LogTime, IsReadAsItIsWritten) {
  for (const std::int64_t time :
       {0LL, 1'700'000'000'123'456'789LL, 951'782'399'999'999'999LL, 4'102'444'800'000'000'001LL})
    EXPECT_EQ(*parse_log_time(log_time(time)), time) << log_time(time);
  EXPECT_EQ(log_time(1'709'164'800'000'000'000), "2024-02-29T00:00:00.000000000Z");
}

TEST(LogTime, UnderstandsWhatPeopleWrite) {
  constexpr std::int64_t noon = 1'769'860'800'000'000'000;
  EXPECT_EQ(*parse_log_time("2026-01-31T12:00:00Z"), noon);
  EXPECT_EQ(*parse_log_time("2026-01-31 14:00+02:00"), noon);
  EXPECT_EQ(*parse_log_time("2026-01-31T04:30:00-0730"), noon);
  EXPECT_EQ(*parse_log_time("2026-01-31T12:00:00.5"), noon + 500'000'000);
  EXPECT_EQ(*parse_log_time("1769860800.25"), noon + 250'000'000);
  EXPECT_EQ(*parse_log_time("2026-01-31"), noon - 43'200'000'000'000);
  for (const char* wrong : {"", "10m", "2026-02-30", "2026-01-31T25:00", "2026-01-31T12:00:00.",
                            "2026-01-31T12:00:00Zz", "600", "yesterday", "1769860800."})
    EXPECT_FALSE(parse_log_time(wrong)) << wrong;
}

}  // namespace umbel::console
