#include "checkpoint/image/store.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "sys/remote_memory.h"
#include "sys/testing.h"

namespace umbel::checkpoint::image {

namespace {

using sys::why_not;

Result<Fd> directory(const sys::Scratch& scratch) {
  return sys::open(cwd, scratch.path(), O_RDONLY | O_DIRECTORY);
}

void write_into(Result<std::unique_ptr<Writer>>& writer) {
  ASSERT_EQ(why_not(writer), "");
  for (int i = 0; i < 20; ++i) {
    const std::vector<std::uint8_t> pages(8192, static_cast<std::uint8_t>(i));
    const Result<std::uint64_t> offset = (*writer)->append_pages(pages);
    ASSERT_EQ(why_not(offset), "");
    EXPECT_EQ(*offset, static_cast<std::uint64_t>(i) * 8192);
  }
  Value value;
  value["answer"] = 42;
  ASSERT_EQ(why_not((*writer)->add("tree", value)), "");
  ASSERT_EQ(why_not((*writer)->finish()), "");
}

void write_image(const sys::Scratch& scratch, const Writer::Form& form = {}) {
  auto writer = Writer::directory(*directory(scratch), form);
  write_into(writer);
}

Result<std::unique_ptr<Writer>> file_writer(const sys::Scratch& scratch, const Writer::Form& form) {
  Fd file = TRY(sys::open(scratch.dir(), "file", O_RDWR | O_CREAT | O_TRUNC, 0600));
  return Writer::file(std::move(file), form);
}

// "" or why the image can't be used.
std::string read_image(const sys::Scratch& scratch, const std::string& name = "") {
  const Result<Reader> reader = Reader::open(scratch.path(name));
  if (!reader) return reader.error().message();
  const Result<Value> value = reader->record("tree");
  if (!value) return value.error().message();
  if (const Result<void> verified = reader->verify(); !verified) return verified.error().message();
  const Result<int> answer = from_value<int>(*value->find("answer"));
  EXPECT_TRUE(answer && *answer == 42);
  PageSource source(*reader);
  for (std::uint64_t at = 0; at < 20 * 8192;) {
    const auto bytes = source.at(0, at, 5000);
    if (!bytes) return bytes.error().message();
    for (const std::uint8_t byte : *bytes) EXPECT_EQ(byte, at++ / 8192);
  }
  EXPECT_FALSE(source.at(0, 20 * 8192, 1));
  return "";
}

}  // namespace

TEST(Store, GivesBackWhatWasPutIn) {
  const sys::Scratch scratch;
  write_image(scratch);
  EXPECT_EQ(read_image(scratch), "");
}

TEST(Store, GivesBackWhatWasCompressed) {
  const sys::Scratch scratch;
  write_image(scratch, {.compression = 1});
  EXPECT_EQ(read_image(scratch), "");
  EXPECT_LT(sys::status_at(scratch.dir(), "pages")->st_size, 20 * 8192 / 10);
}

TEST(Store, CanBeOneFile) {
  for (const int level : {0, 1}) {
    const sys::Scratch scratch;
    auto writer = file_writer(scratch, {.compression = level});
    write_into(writer);
    EXPECT_EQ(read_image(scratch, "file"), "");
    const Fd file = std::move(*sys::open(scratch.dir(), "file", O_RDWR));
    const auto size = static_cast<std::uint64_t>(sys::status(file)->st_size);
    for (std::uint64_t at = 4096; at < size; at += std::max<std::uint64_t>(size / 97, 1)) {
      std::uint8_t byte = 0;
      ASSERT_EQ(why_not(sys::read_all_at(file, at, {&byte, 1})), "");
      byte ^= 1;
      ASSERT_EQ(why_not(sys::write_all_at(file, at, {&byte, 1})), "");
      EXPECT_NE(read_image(scratch, "file"), "") << "level " << level << " at " << at;
      byte ^= 1;
      ASSERT_EQ(why_not(sys::write_all_at(file, at, {&byte, 1})), "");
    }
    for (const std::uint64_t left : {size - 1, size / 2, std::uint64_t{5000}, std::uint64_t{0}}) {
      ASSERT_EQ(::truncate(scratch.path("file").c_str(), static_cast<off_t>(left)), 0);
      EXPECT_NE(read_image(scratch, "file"), "");
    }
  }
}

TEST(Store, PassesThroughAPipe) {
  sys::Pipe pipe = std::move(*sys::pipe(O_CLOEXEC));
  auto child = sys::start({}, [&]() -> int {
    pipe.read = Fd();
    auto writer = Writer::file(std::move(pipe.write), {.compression = 1});
    write_into(writer);
    return testing::Test::HasFailure() ? 1 : 0;
  });
  ASSERT_EQ(why_not(child), "");
  pipe.write = Fd();
  const Result<Reader> reader = Reader::file(std::move(pipe.read));
  ASSERT_EQ(why_not(reader), "");
  EXPECT_EQ(why_not(reader->verify()), "");
  EXPECT_EQ(child->wait()->code(), 0);
}

TEST(Store, BuildsOnAnEarlierImage) {
  const sys::Scratch scratch;
  ASSERT_EQ(why_not(sys::make_directory(scratch.dir(), "first", 0700)), "");
  ASSERT_EQ(why_not(sys::make_directory(scratch.dir(), "second", 0700)), "");
  const auto open = [&](const char* name) {
    return std::move(*sys::open(scratch.dir(), name, O_RDONLY | O_DIRECTORY));
  };
  auto first = Writer::directory(open("first"), {});
  write_into(first);
  const std::uint64_t sum = Reader::directory(open("first"))->manifest_checksum();
  auto second = Writer::directory(open("second"), {.parent = Parent{"../first", sum}});
  write_into(second);
  {
    const Result<Reader> reader = Reader::directory(open("second"));
    ASSERT_EQ(why_not(reader), "");
    PageSource source(*reader);
    EXPECT_EQ((*source.at(1, 3 * 8192, 10))[0], 3);
    EXPECT_FALSE(source.at(2, 0, 10));
  }
  // Another image in its place is noticed.
  auto other = Writer::directory(open("first"), {.compression = 1});
  write_into(other);
  EXPECT_NE(read_image(scratch, "second"), "");
}

TEST(Store, IsNothingUntilFinished) {
  const sys::Scratch scratch;
  const auto writer = Writer::directory(*directory(scratch), {});
  ASSERT_EQ(why_not(writer), "");
  ASSERT_EQ(why_not((*writer)->add("tree", Value(1))), "");
  EXPECT_NE(read_image(scratch), "");
}

TEST(Store, NoticesEveryFlippedBit) {
  const sys::Scratch scratch;
  write_image(scratch);
  for (const std::string name : {"manifest", "tree", "pages"}) {
    const Fd file = std::move(*sys::open(scratch.dir(), name, O_RDWR));
    const auto size = static_cast<std::uint64_t>(sys::status(file)->st_size);
    const std::uint64_t step = std::max<std::uint64_t>(size / 64, 1);
    for (std::uint64_t at = 0; at < size; at += step) {
      std::uint8_t byte = 0;
      ASSERT_EQ(why_not(sys::read_all_at(file, at, {&byte, 1})), "");
      byte ^= 0x10;
      ASSERT_EQ(why_not(sys::write_all_at(file, at, {&byte, 1})), "");
      EXPECT_NE(read_image(scratch), "") << name << " at " << at;
      byte ^= 0x10;
      ASSERT_EQ(why_not(sys::write_all_at(file, at, {&byte, 1})), "");
    }
  }
  EXPECT_EQ(read_image(scratch), "");
}

TEST(Store, NoticesEveryTruncation) {
  for (const std::string name : {"manifest", "tree", "pages"}) {
    const sys::Scratch scratch;
    write_image(scratch);
    const std::string path = scratch.path(name);
    const auto size = sys::status_at(cwd, path)->st_size;
    for (const off_t left : {size - 1, size / 2, off_t{0}}) {
      ASSERT_EQ(::truncate(path.c_str(), left), 0);
      EXPECT_NE(read_image(scratch), "") << name << " cut to " << left;
    }
  }
}

}  // namespace umbel::checkpoint::image
