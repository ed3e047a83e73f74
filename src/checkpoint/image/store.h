// Where the members of an image lie: a record member "tree", and "pages", cut into extents that
// each have a checksum. A manifest, itself checksummed, lists them all; it is written last, so that
// an image that was not finished is none. docs/IMAGE_FORMAT.md describes it for readers.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/record.h"

namespace umbel::checkpoint::image {

constexpr std::uint32_t format_version = 1;

struct Extent {
  std::uint64_t offset = 0, size = 0;  // in the member
  std::uint64_t at = 0, stored = 0;    // in the file; fewer bytes than `size`: compressed
  std::uint64_t checksum = 0;          // of the stored bytes
};
void fields(auto& archive, Extent& e) {
  archive("offset", e.offset);
  archive("size", e.size);
  archive("at", e.at);
  archive("stored", e.stored);
  archive("checksum", e.checksum);
}

struct Member {
  std::string name;
  std::uint64_t size = 0;
  std::vector<Extent> extents;  // in the order of their offsets
};
void fields(auto& archive, Member& m) {
  archive("name", m.name);
  archive("size", m.size);
  archive("extents", m.extents);
}

// The image that this one builds on: pages that have not changed since are there alone.
struct Parent {
  std::string path;            // of its directory, as seen from this one's
  std::uint64_t checksum = 0;  // of its manifest
};
void fields(auto& archive, Parent& p) {
  archive("path", p.path);
  archive("checksum", p.checksum);
}

struct Manifest {
  std::uint32_t version = format_version;
  std::string engine = "umbel";
  std::vector<Member> members;
  std::optional<Parent> parent;
};
void fields(auto& archive, Manifest& m) {
  archive("version", m.version);
  archive("engine", m.engine);
  archive("members", m.members);
  archive("parent", m.parent);
}

class Writer {
 public:
  struct Form {
    int compression = 0;                          // a level of zstd; 0 is none
    std::optional<Parent> parent = std::nullopt;  // of a directory only
  };
  // Files of an existing directory; those of an earlier image there are replaced.
  static Result<std::unique_ptr<Writer>> directory(Fd dir, Form form);
  // One file, written from its beginning to its end: a pipe will do.
  static Result<std::unique_ptr<Writer>> file(Fd file, Form form);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Result<void> add(const std::string& name, const Value& value);
  // Whole pages; their offset in "pages". Any thread may call it.
  Result<std::uint64_t> append_pages(std::span<const std::uint8_t> pages);
  // The image is complete only after this.
  Result<void> finish();
  std::uint64_t page_bytes() const { return next_; }

 private:
  Writer(Fd dir, Fd out, Form form)
      : dir_(std::move(dir)), out_(std::move(out)), form_(std::move(form)) {}
  Result<void> put(std::span<const std::uint8_t> bytes);
  Fd dir_;  // none: all goes into `out_`
  Fd out_;  // the pages, or everything
  Form form_;
  std::mutex mutex_;        // of what follows
  std::uint64_t next_ = 0;  // in the member "pages"
  std::uint64_t end_ = 0;   // of what was written to out_
  std::vector<Extent> extents_;
  Manifest manifest_;
};

class Reader {
 public:
  static Result<Reader> directory(Fd dir);
  // What Writer::file() wrote. One that can't be sought in is read into memory first.
  static Result<Reader> file(Fd file);
  // Whichever of the two it is.
  static Result<Reader> open(const std::string& path);

  Result<Value> record(const std::string& name) const;
  bool has(const std::string& name) const { return find(name) != nullptr; }
  // Reads everything, of the images that it builds on too, and compares checksums.
  Result<void> verify() const;
  const Manifest& manifest() const { return manifest_; }
  std::uint64_t manifest_checksum() const { return checksum_; }
  const Member& pages() const { return *pages_member_; }
  // That many images back in the chain; 0 is this one. Null beyond the last.
  const Reader* back(std::uint32_t images) const;
  // One extent of "pages", compared with its checksum and unpacked.
  Result<void> load(const Extent& extent, std::vector<std::uint8_t>& into) const;

 private:
  static Result<Reader> directory(Fd dir, unsigned depth);
  Reader(Fd dir, Fd file) : dir_(std::move(dir)), file_(std::move(file)) {}
  Result<void> take_manifest(std::span<const std::uint8_t> bytes, std::uint64_t sum);
  Result<void> check_extents() const;
  Result<void> open_parent(unsigned depth);
  Result<void> verify_pages() const;
  const Member* find(const std::string& name) const;
  Fd dir_;   // none: a single file
  Fd file_;  // the pages, or everything
  Manifest manifest_;
  std::uint64_t checksum_ = 0;
  const Member* pages_member_ = nullptr;
  std::unique_ptr<Reader> parent_;
};

// Reads pages in passing, an extent at a time. For one thread.
class PageSource {
 public:
  explicit PageSource(const Reader& reader) : reader_(&reader) {}
  // Bytes of "pages" from `offset` on, of that many images back: at most as many as asked for and
  // at least one. They are there until the next call.
  Result<std::span<const std::uint8_t>> at(std::uint32_t image, std::uint64_t offset,
                                           std::uint64_t most);

 private:
  const Reader* reader_;
  const Extent* extent_ = nullptr;  // the one in the buffer
  std::vector<std::uint8_t> buffer_;
};

}  // namespace umbel::checkpoint::image
