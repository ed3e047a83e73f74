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

void write_image(const sys::Scratch& scratch) {
  auto writer = Writer::directory(*directory(scratch));
  ASSERT_EQ(why_not(writer), "");
  Value value;
  value["answer"] = 42;
  ASSERT_EQ(why_not((*writer)->add("tree", value)), "");
  for (int i = 0; i < 20; ++i) {
    const std::vector<std::uint8_t> pages(8192, static_cast<std::uint8_t>(i));
    const Result<std::uint64_t> offset = (*writer)->append_pages(pages);
    ASSERT_EQ(why_not(offset), "");
    EXPECT_EQ(*offset, static_cast<std::uint64_t>(i) * 8192);
  }
  ASSERT_EQ(why_not((*writer)->finish()), "");
}

// "" or why the image can't be used.
std::string read_image(const sys::Scratch& scratch) {
  const Result<Reader> reader = Reader::directory(*directory(scratch));
  if (!reader) return reader.error().message();
  const Result<Value> value = reader->record("tree");
  if (!value) return value.error().message();
  if (const Result<void> verified = reader->verify(); !verified) return verified.error().message();
  const Result<int> answer = from_value<int>(*value->find("answer"));
  EXPECT_TRUE(answer && *answer == 42);
  return "";
}

}  // namespace

TEST(Store, GivesBackWhatWasPutIn) {
  const sys::Scratch scratch;
  write_image(scratch);
  EXPECT_EQ(read_image(scratch), "");
}

TEST(Store, IsNothingUntilFinished) {
  const sys::Scratch scratch;
  const auto writer = Writer::directory(*directory(scratch));
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
