// Pages are appended by several threads at once: each packs and sums without a lock, takes a place
// at the end under it and, in a directory, writes there without it. In a single file the bytes come
// one after the other: a page of header, the pages, each extent that is not compressed at a
// multiple of the page size so that it can be mapped, the records, the manifest, and a trailer that
// says where the manifest is.
#include "checkpoint/image/store.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "checkpoint/image/codec.h"
#include "sys/file.h"
#include "sys/remote_memory.h"

namespace umbel::checkpoint::image {

namespace {

constexpr char manifest_name[] = "manifest";
constexpr char pages_name[] = "pages";
constexpr std::string_view magic = "umbel-image-1\n", trailer_magic = "umbel-end-001\n";
constexpr std::string_view broken_image =
    "take the checkpoint again, or use another copy of the image";
constexpr std::uint64_t page = 4096;
// In a directory: magic, the manifest's checksum as eight bytes, the manifest.
constexpr std::size_t header = magic.size() + sizeof(std::uint64_t);
// In a file: magic, then where the manifest is, its size and its checksum.
constexpr std::size_t trailer = trailer_magic.size() + 3 * sizeof(std::uint64_t);
constexpr unsigned longest_chain = 64;

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append_number(std::string& text, std::uint64_t number) {
  text.append(reinterpret_cast<const char*>(&number), sizeof number);
}
std::uint64_t number_at(std::string_view text, std::size_t at) {
  std::uint64_t number = 0;
  std::memcpy(&number, text.data() + at, sizeof number);
  return number;
}

Result<void> write_whole(FdRef dir, const std::string& name, std::string_view data) {
  const Fd file = TRY(sys::open(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  return during("writing " + name, sys::write_all(file, data));
}

Failure damaged(const std::string& what) {
  return fail_with(EBADMSG, "the image is damaged: " + what, std::string(broken_image));
}

// What is to be stored of some bytes: themselves, or packed into `room`.
std::span<const std::uint8_t> pack(std::span<const std::uint8_t> bytes, int level,
                                   std::vector<std::uint8_t>& room, Extent& extent) {
  if (level != 0) room = compressed(bytes, level);
  const std::span<const std::uint8_t> stored =
      room.empty() ? bytes : std::span(std::as_const(room));
  extent.size = bytes.size();
  extent.stored = stored.size();
  extent.checksum = checksum(stored);
  return stored;
}

}  // namespace

// ---- writing ----

Result<std::unique_ptr<Writer>> Writer::directory(Fd dir, Form form) {
  // Without its manifest whatever lies there is no image any more.
  if (sys::exists(dir, manifest_name)) TRY(sys::remove_file(dir, manifest_name));
  Fd pages = TRY(sys::open(dir, pages_name, O_RDWR | O_CREAT | O_TRUNC, 0600));
  return std::unique_ptr<Writer>(new Writer(std::move(dir), std::move(pages), std::move(form)));
}

Result<std::unique_ptr<Writer>> Writer::file(Fd file, Form form) {
  if (form.parent)
    return fail("an image in one file can't build on another one",
                "write it to a directory, or take it without the earlier one");
  std::unique_ptr<Writer> made(new Writer(Fd(), std::move(file), std::move(form)));
  std::string start(magic);
  start.resize(page);
  TRY(made->put(as_bytes(start)));
  return made;
}

// At the end of a single file.
Result<void> Writer::put(std::span<const std::uint8_t> bytes) {
  TRY(during("writing the image", sys::write_all(out_, as_text(bytes))));
  end_ += bytes.size();
  return {};
}

Result<void> Writer::add(const std::string& name, const Value& value) {
  const std::vector<std::uint8_t> bytes = cbor_bytes(value);
  std::vector<std::uint8_t> room;
  Extent extent;
  const auto stored = pack(bytes, form_.compression, room, extent);
  if (dir_) {
    TRY(write_whole(dir_, name, as_text(stored)));
  } else {
    extent.at = end_;
    TRY(put(stored));
  }
  manifest_.members.push_back({.name = name, .size = bytes.size(), .extents = {extent}});
  return {};
}

Result<std::uint64_t> Writer::append_pages(std::span<const std::uint8_t> pages) {
  std::vector<std::uint8_t> room;
  Extent extent;
  const auto stored = pack(pages, form_.compression, room, extent);
  {
    const std::lock_guard lock(mutex_);
    extent.offset = next_;
    next_ += extent.size;
    if (dir_) {
      extent.at = end_;
      end_ += extent.stored;
    } else {
      if (room.empty() && end_ % page != 0) TRY(put(std::vector<std::uint8_t>(page - end_ % page)));
      extent.at = end_;
      TRY(put(stored));
    }
    extents_.push_back(extent);
  }
  if (dir_) TRY(during("writing pages", sys::write_all_at(out_, extent.at, stored)));
  return extent.offset;
}

Result<void> Writer::finish() {
  manifest_.members.push_back({.name = pages_name, .size = next_, .extents = std::move(extents_)});
  manifest_.parent = form_.parent;
  const std::vector<std::uint8_t> bytes = cbor_bytes(to_value(manifest_));
  const std::uint64_t sum = checksum(bytes);
  if (dir_) {
    std::string file(magic);
    append_number(file, sum);
    file.append(as_text(bytes));
    return sys::replace_file(dir_, manifest_name, file, 0600);
  }
  std::string end(trailer_magic);
  append_number(end, end_);
  append_number(end, bytes.size());
  append_number(end, sum);
  TRY(put(bytes));
  return put(as_bytes(end));
}

// ---- reading ----

Result<void> Reader::take_manifest(std::span<const std::uint8_t> bytes, std::uint64_t sum) {
  if (checksum(bytes) != sum) return damaged("its manifest has another checksum");
  const Value value = TRY(parse_cbor(bytes));
  manifest_ = TRY(from_value<Manifest>(value));
  checksum_ = sum;
  if (manifest_.version != format_version)
    return fail("the image has format " + std::to_string(manifest_.version) +
                    ", and this umbel reads format " + std::to_string(format_version),
                "restore it with the umbel that took it");
  pages_member_ = find(pages_name);
  if (pages_member_ == nullptr) return damaged("it has no pages");
  return check_extents();
}

// So that nothing that is computed from them later can overflow or lie outside.
Result<void> Reader::check_extents() const {
  const struct stat status = TRY(sys::status(file_));
  const auto length = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t expected = 0;
  for (const Extent& extent : pages_member_->extents) {
    const bool fits = extent.at <= length && extent.stored <= length - extent.at;
    if (!fits) return damaged("'pages' is cut off");
    if (extent.offset != expected || extent.size == 0 || extent.stored > extent.size)
      return damaged("the parts of 'pages' don't join");
    expected += extent.size;
  }
  if (expected != pages_member_->size) return damaged("'pages' has another length");
  return {};
}

Result<Reader> Reader::directory(Fd dir) { return directory(std::move(dir), 0); }

Result<Reader> Reader::directory(Fd dir, unsigned depth) {
  const Result<std::string> file = sys::read_file(dir, manifest_name);
  if (!file)
    return advise(
        "name the directory that a checkpoint was written to; one that failed leaves none",
        during("looking for an image", Result<Reader>(Failure(file.error()))));
  if (file->size() < header || !file->starts_with(magic)) return damaged("it has no manifest");
  Fd pages = TRY(during("opening the image", sys::open(dir, pages_name, O_RDONLY)));
  Reader made(std::move(dir), std::move(pages));
  TRY(made.take_manifest(as_bytes(std::string_view(*file).substr(header)),
                         number_at(*file, magic.size())));
  TRY(made.open_parent(depth));
  return made;
}

Result<void> Reader::open_parent(unsigned depth) {
  if (!manifest_.parent) return {};
  if (depth >= longest_chain) return damaged("the chain of images that it builds on has no end");
  const std::string what = "the image that it builds on, " + manifest_.parent->path;
  Fd dir = TRY(during(what, sys::open(dir_, manifest_.parent->path, O_RDONLY | O_DIRECTORY)));
  Reader parent = TRY(during(what, directory(std::move(dir), depth + 1)));
  if (parent.checksum_ != manifest_.parent->checksum)
    return damaged(what + ", is not the one that it was taken with");
  parent_ = std::make_unique<Reader>(std::move(parent));
  return {};
}

namespace {

// A copy of what comes through a pipe, to be sought in.
Result<Fd> spooled(FdRef from) {
  Fd memory = TRY(sys::memory_file("umbel-image"));
  std::vector<char> buffer(std::size_t{1} << 20);
  for (;;) {
    const std::size_t got = TRY(during("reading the image", sys::read(from, buffer)));
    if (got == 0) return memory;
    TRY(sys::write_all(memory, {buffer.data(), got}));
  }
}

}  // namespace

Result<Reader> Reader::file(Fd file) {
  struct stat status = TRY(sys::status(file));
  if (!S_ISREG(status.st_mode)) {
    file = TRY(spooled(file));
    status = TRY(sys::status(file));
  }
  const auto length = static_cast<std::uint64_t>(status.st_size);
  if (length < page + trailer) return damaged("it is too short to be one");
  std::string ends(trailer, '\0');
  const auto room = [](std::string& text) {
    return std::span(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
  };
  TRY(during("reading the image", sys::read_all_at(file, length - trailer, room(ends))));
  if (!ends.starts_with(trailer_magic)) return damaged("its end is missing");
  const std::uint64_t at = number_at(ends, trailer_magic.size()),
                      size = number_at(ends, trailer_magic.size() + 8),
                      sum = number_at(ends, trailer_magic.size() + 16);
  if (at > length || size > length - at) return damaged("its manifest is cut off");
  std::string start(magic.size(), '\0');
  TRY(sys::read_all_at(file, 0, room(start)));
  if (start != magic) return damaged("it does not begin as one");
  std::vector<std::uint8_t> bytes(size);
  TRY(during("reading the image", sys::read_all_at(file, at, bytes)));
  Reader made(Fd(), std::move(file));
  TRY(made.take_manifest(bytes, sum));
  return made;
}

Result<Reader> Reader::open(const std::string& path) {
  Fd opened = TRY(during("opening the image", sys::open(cwd, path, O_RDONLY)));
  const struct stat status = TRY(sys::status(opened));
  return S_ISDIR(status.st_mode) ? directory(std::move(opened)) : file(std::move(opened));
}

const Reader* Reader::back(std::uint32_t images) const {
  const Reader* found = this;
  while (found != nullptr && images-- > 0) found = found->parent_.get();
  return found;
}

const Member* Reader::find(const std::string& name) const {
  const auto found = std::ranges::find(manifest_.members, name, &Member::name);
  return found == manifest_.members.end() ? nullptr : &*found;
}

namespace {

Result<void> unpack(std::vector<std::uint8_t>& bytes, const Extent& extent,
                    const std::string& name) {
  if (checksum(bytes) != extent.checksum) return damaged("'" + name + "' has another checksum");
  if (extent.stored == extent.size) return {};
  constexpr std::uint64_t most = std::uint64_t{1} << 30;
  if (extent.size > most) return damaged("a part of '" + name + "' is too large");
  std::vector<std::uint8_t> whole(extent.size);
  TRY(decompress(bytes, whole));
  bytes = std::move(whole);
  return {};
}

}  // namespace

Result<Value> Reader::record(const std::string& name) const {
  const Member* member = find(name);
  if (member == nullptr) return damaged("it has no '" + name + "'");
  if (member->extents.size() != 1) return damaged("'" + name + "' is in pieces");
  const Extent& extent = member->extents.front();
  std::vector<std::uint8_t> bytes;
  if (dir_) {
    const std::string text = TRY(during("reading the image", sys::read_file(dir_, name)));
    bytes.assign(text.begin(), text.end());
  } else {
    const struct stat status = TRY(sys::status(file_));
    const auto length = static_cast<std::uint64_t>(status.st_size);
    if (extent.at > length || extent.stored > length - extent.at)
      return damaged("'" + name + "' is cut off");
    bytes.resize(extent.stored);
    TRY(during("reading the image", sys::read_all_at(file_, extent.at, bytes)));
  }
  if (bytes.size() != extent.stored) return damaged("'" + name + "' has another length");
  TRY(unpack(bytes, extent, name));
  return parse_cbor(bytes);
}

Result<void> Reader::load(const Extent& extent, std::vector<std::uint8_t>& into) const {
  into.resize(extent.stored);
  TRY(during("reading pages of the image", sys::read_all_at(file_, extent.at, into)));
  return unpack(into, extent, pages_name);
}

Result<std::span<const std::uint8_t>> PageSource::at(std::uint32_t image, std::uint64_t offset,
                                                     std::uint64_t most) {
  const Reader* reader = reader_->back(image);
  if (reader == nullptr) return damaged("it names an image that it does not build on");
  const auto& extents = reader->pages().extents;
  auto found = std::ranges::upper_bound(extents, offset, {}, &Extent::offset);
  if (found == extents.begin()) return damaged("it names pages that it does not have");
  --found;
  if (offset - found->offset >= found->size) return damaged("it names pages that it does not have");
  if (extent_ != &*found) {
    extent_ = nullptr;
    TRY(reader->load(*found, buffer_));
    extent_ = &*found;
  }
  const std::uint64_t skipped = offset - found->offset;
  return std::span(std::as_const(buffer_)).subspan(skipped, std::min(most, found->size - skipped));
}

}  // namespace umbel::checkpoint::image
