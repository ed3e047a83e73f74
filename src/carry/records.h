// What an image says of the container that its processes were in: the member "container".
#pragma once

#include <optional>
#include <string>

#include "base/record.h"
#include "carry/clocks.h"
#include "container/config.h"

namespace umbel::carry {

// Descriptors that lead to the container's monitor, by what they were linked to; empty: none.
struct Streams {
  std::string in, out, err;
};
void fields(auto& archive, Streams& s) {
  archive("in", s.in);
  archive("out", s.out);
  archive("err", s.err);
}

// Whether the container had made that namespace itself.
inline bool is_fresh(const container::Config& config, ns::Kind kind) {
  return config.namespaces[kind].from == ns::From::fresh;
}

struct Saved {
  container::Config config;  // with what its namespaces had become
  Streams streams;
  std::optional<Clocks> clocks;  // where they are its own
};
void fields(auto& archive, Saved& s) {
  archive("config", s.config);
  archive("streams", s.streams);
  archive("clocks", s.clocks);
}

inline constexpr const char* member = "container";
// Beside it, a list of SavedFile.
inline constexpr const char* files_member = "files";

}  // namespace umbel::carry
