// Compiled filters, a file each, in a directory that nobody else can write to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "security/seccomp.h"

namespace umbel::security {

class FilterCache {
 public:
  // Makes the directory if only it is missing. Refused unless it is a directory (no link to one) of
  // the caller's own that gives others no access.
  static Result<FilterCache> open(const std::string& path);

  // The filter that was stored under exactly this key; whatever is damaged, or not the caller's own
  // regular file, reads as absent.
  std::optional<Filter> find(std::string_view key) const;
  // Readers find the whole entry or none. Throws all others out when there are too many.
  Result<void> store(std::string_view key, const Filter& filter) const;

 private:
  explicit FilterCache(Fd dir) : dir_(std::move(dir)) {}
  Fd dir_;
};

}  // namespace umbel::security
