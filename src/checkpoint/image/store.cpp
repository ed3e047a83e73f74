// Pages are appended by several threads at once: each takes a place at the end under a lock and
// writes to it without. The checksum is XXH3, which costs less than the copy of the bytes it is of.
#include "checkpoint/image/store.h"

#include <fcntl.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "sys/file.h"
#include "sys/remote_memory.h"
#include "sys/scheduling.h"

namespace umbel::checkpoint::image {

namespace {

constexpr char manifest_name[] = "manifest";
constexpr char pages_name[] = "pages";
constexpr std::string_view magic = "umbel-image-1\n";
constexpr std::string_view broken_image =
    "take the checkpoint again, or use another copy of the image";

std::uint64_t checksum(std::span<const std::uint8_t> bytes) {
  return ::XXH3_64bits(bytes.data(), bytes.size());
}

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<void> write_whole(FdRef dir, const std::string& name, std::string_view data) {
  const Fd file = TRY(sys::open(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  return during("writing " + name, sys::write_all(file, data));
}

Failure damaged(const std::string& what) {
  return fail_with(EBADMSG, "the image is damaged: " + what, std::string(broken_image));
}

// Magic, the manifest's checksum as eight bytes, the manifest.
constexpr std::size_t header = magic.size() + sizeof(std::uint64_t);

}  // namespace

Result<std::unique_ptr<Writer>> Writer::directory(Fd dir) {
  std::unique_ptr<Writer> made(new Writer(std::move(dir)));
  // Without its manifest whatever lies there is no image any more.
  if (sys::exists(made->dir_, manifest_name)) TRY(sys::remove_file(made->dir_, manifest_name));
  made->pages_ = TRY(sys::open(made->dir_, pages_name, O_RDWR | O_CREAT | O_TRUNC, 0600));
  return made;
}

Result<void> Writer::add(const std::string& name, const Value& value) {
  const std::vector<std::uint8_t> bytes = cbor_bytes(value);
  manifest_.members.push_back(
      {.name = name,
       .size = bytes.size(),
       .extents = {{.offset = 0, .size = bytes.size(), .checksum = checksum(bytes)}}});
  return write_whole(dir_, name, as_text(bytes));
}

Result<std::uint64_t> Writer::append_pages(std::span<const std::uint8_t> pages) {
  Extent extent{.size = pages.size(), .checksum = checksum(pages)};
  {
    const std::lock_guard lock(mutex_);
    extent.offset = next_;
    next_ += extent.size;
    extents_.push_back(extent);
  }
  TRY(during("writing pages", sys::write_all_at(pages_, extent.offset, pages)));
  return extent.offset;
}

Result<void> Writer::finish() {
  manifest_.members.push_back({.name = pages_name, .size = next_, .extents = std::move(extents_)});
  const std::vector<std::uint8_t> bytes = cbor_bytes(to_value(manifest_));
  const std::uint64_t sum = checksum(bytes);
  std::string file(magic);
  file.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  file.append(as_text(bytes));
  return sys::replace_file(dir_, manifest_name, file, 0600);
}

Result<Reader> Reader::directory(Fd dir) {
  Reader made(std::move(dir));
  const Result<std::string> file = sys::read_file(made.dir_, manifest_name);
  if (!file)
    return advise(
        "name the directory that a checkpoint was written to; one that failed leaves none",
        during("looking for an image", Result<Reader>(Failure(file.error()))));
  if (file->size() < header || !file->starts_with(magic)) return damaged("it has no manifest");
  std::uint64_t sum = 0;
  std::memcpy(&sum, file->data() + magic.size(), sizeof sum);
  const auto bytes = as_bytes(std::string_view(*file).substr(header));
  if (checksum(bytes) != sum) return damaged("its manifest has another checksum");
  const Value value = TRY(parse_cbor(bytes));
  made.manifest_ = TRY(from_value<Manifest>(value));
  if (made.manifest_.version != format_version)
    return fail("the image has format " + std::to_string(made.manifest_.version) +
                    ", and this umbel reads format " + std::to_string(format_version),
                "restore it with the umbel that took it");
  made.pages_ = TRY(during("opening the image", sys::open(made.dir_, pages_name, O_RDONLY)));
  return made;
}

const Member* Reader::find(const std::string& name) const {
  const auto found = std::ranges::find(manifest_.members, name, &Member::name);
  return found == manifest_.members.end() ? nullptr : &*found;
}

Result<Value> Reader::record(const std::string& name) const {
  const Member* member = find(name);
  if (member == nullptr) return damaged("it has no '" + name + "'");
  const std::string text = TRY(during("reading the image", sys::read_file(dir_, name)));
  const auto bytes = as_bytes(text);
  if (bytes.size() != member->size || member->extents.size() != 1 ||
      checksum(bytes) != member->extents[0].checksum)
    return damaged("'" + name + "' has another checksum");
  return parse_cbor(bytes);
}

Result<void> Reader::verify() const {
  const Member* member = find(pages_name);
  if (member == nullptr) return damaged("it has no pages");
  const struct stat status = TRY(sys::status(pages_));
  if (static_cast<std::uint64_t>(status.st_size) != member->size)
    return damaged("'pages' has another length");
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> good = true;
  const auto work = [&] {
    std::vector<std::uint8_t> buffer;
    for (std::size_t i = next++; i < member->extents.size() && good; i = next++) {
      const Extent& extent = member->extents[i];
      if (extent.size > member->size) good = false;
      if (!good) return;
      buffer.resize(extent.size);
      const Result<void> read = sys::read_all_at(pages_, extent.offset, buffer);
      if (!read || checksum(buffer) != extent.checksum) good = false;
    }
  };
  constexpr std::size_t worth_a_thread = 8;
  const Result<std::vector<unsigned>> processors = sys::get_affinity();
  std::vector<std::thread> helpers;
  if (member->extents.size() > worth_a_thread && processors)
    for (std::size_t i = 1; i < std::min<std::size_t>(processors->size(), 8); ++i)
      helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  if (!good) return damaged("'pages' has another checksum");
  return {};
}

}  // namespace umbel::checkpoint::image
