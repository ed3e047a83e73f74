// Where the members of an image lie: a record member "tree", and "pages", cut into extents that
// each have a checksum. A manifest, itself checksummed, lists them all; it is written last, so that
// an image that was not finished is none.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/record.h"

namespace umbel::checkpoint::image {

constexpr std::uint32_t format_version = 1;

struct Extent {
  std::uint64_t offset = 0, size = 0, checksum = 0;
};
void fields(auto& archive, Extent& e) {
  archive("offset", e.offset);
  archive("size", e.size);
  archive("checksum", e.checksum);
}

struct Member {
  std::string name;
  std::uint64_t size = 0;
  std::vector<Extent> extents;
};
void fields(auto& archive, Member& m) {
  archive("name", m.name);
  archive("size", m.size);
  archive("extents", m.extents);
}

struct Manifest {
  std::uint32_t version = format_version;
  std::string engine = "umbel";
  std::vector<Member> members;
};
void fields(auto& archive, Manifest& m) {
  archive("version", m.version);
  archive("engine", m.engine);
  archive("members", m.members);
}

class Writer {
 public:
  // Files of an existing directory; those of an earlier image there are replaced.
  static Result<std::unique_ptr<Writer>> directory(Fd dir);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Result<void> add(const std::string& name, const Value& value);
  // Whole pages; their offset in "pages". Any thread may call it.
  Result<std::uint64_t> append_pages(std::span<const std::uint8_t> pages);
  // The image is complete only after this.
  Result<void> finish();
  std::uint64_t page_bytes() const { return next_; }

 private:
  explicit Writer(Fd dir) : dir_(std::move(dir)) {}
  Fd dir_, pages_;
  std::mutex mutex_;  // of next_ and extents_
  std::uint64_t next_ = 0;
  std::vector<Extent> extents_;
  Manifest manifest_;
};

class Reader {
 public:
  static Result<Reader> directory(Fd dir);

  Result<Value> record(const std::string& name) const;
  // Offsets of PageRun lie in this file.
  FdRef pages() const { return pages_; }
  // Reads everything and compares checksums.
  Result<void> verify() const;
  const Manifest& manifest() const { return manifest_; }

 private:
  explicit Reader(Fd dir) : dir_(std::move(dir)) {}
  const Member* find(const std::string& name) const;
  Fd dir_, pages_;
  Manifest manifest_;
};

}  // namespace umbel::checkpoint::image
