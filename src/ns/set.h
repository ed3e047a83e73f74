// The eight choices of a container, and what they come to on this host.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "ns/kind.h"

namespace umbel::ns {

enum class From : std::uint8_t { host, fresh, with, path, named };
constexpr auto name_table(From) {
  struct Entry {
    From value;
    std::string_view name;
  };
  return std::to_array<Entry>({{From::host, "host"},
                               {From::fresh, "new"},
                               {From::with, "with"},
                               {From::path, "path"},
                               {From::named, "named"}});
}

struct Source {
  From from = From::host;
  std::string what;  // with: the container; path: the namespace's file; named: NAME or KIND/NAME
  friend bool operator==(const Source&, const Source&) = default;
};
void fields(auto& archive, Source& s) {
  archive("from", s.from);
  archive("what", s.what);
}

struct Choices {
  std::array<Source, kind_count> of;
  Source& operator[](Kind kind) { return of.at(index(kind)); }
  const Source& operator[](Kind kind) const { return of.at(index(kind)); }
};
void fields(auto& archive, Choices& c) {
  for (const KindInfo& known : kinds) archive(known.option, c[known.kind]);
}

// new | host | with:CONTAINER | ns:NAME | ns:/PATH, and the spellings of other tools: private, none
// (net), container:X. Errors name the kind and suggest.
Result<Source> parse_source(const KindInfo& kind, std::string_view text);
std::string source_text(const Source& source);

// The choices, opened and checked.
struct Plan {
  std::array<Fd, kind_count> joined;  // absent where the kind is new or the caller's own
  std::uint64_t fresh = 0;            // CLONE_NEW* of the new ones

  bool is_fresh(Kind kind) const { return (fresh & info(kind).flag) != 0; }
  bool is_joined(Kind kind) const { return static_cast<bool>(joined.at(index(kind))); }
  // Something must happen before the first process exists, in a process that is given up for it.
  bool needs_stage() const;
};

// Opens a source that is another container's namespace or one with a name.
using Open = std::function<Result<Fd>(const KindInfo& kind, const Source& source)>;

// Refuses what the kernel would refuse, naming its rule. A source that is the caller's own
// namespace counts as host.
Result<Plan> plan(const Choices& choices, const Open& open);

// In the stage, a process of its own: enters what is joined, in the order in which the kernel
// allows it. `enter_user` makes or joins the user namespace at its place in that order.
Result<void> join_all(const Plan& plan, const std::function<Result<void>()>& enter_user);

}  // namespace umbel::ns
