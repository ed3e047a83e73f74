// Makes one namespace with all its settings, held by a descriptor only.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "ns/kind.h"
#include "ns/settings.h"
#include "rootfs/spec.h"
#include "sys/process.h"

namespace umbel::ns {

struct Recipe {
  Kind kind = Kind::net;
  Settings settings = {};
  std::optional<rootfs::Spec> files = {};  // mnt: what it shows; it needs one
  std::string owner = {};  // name of a user namespace that shall own it; else the caller's
};

// `holder` is there for a pid namespace only, whose first process it is. It waits: keep() lets it
// go on; without that it ends with this object, and the namespace with it.
struct Made {
  Fd ns;
  sys::Process holder = {};
  Fd channel = {};
};
// `owner`: a user namespace, or none. `processor`: the one that its maker runs on; else any.
// Refuses settings that are another kind's.
Result<Made> make(const Recipe& recipe, FdRef owner,
                  std::optional<unsigned> processor = std::nullopt);
Result<void> keep(Made& made);

}  // namespace umbel::ns
