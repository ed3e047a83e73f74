// Containers of other engines, recognised by what they leave in the kernel: the path of a cgroup,
// the process that watches over them, and their state on disk for the names that people know.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "survey/population.h"

namespace umbel::survey {

struct Foreign {
  std::string engine;  // docker, podman, containerd, cri-o, kubernetes, lxc, nspawn
  std::string id;      // as the engine has it, in full
  friend auto operator<=>(const Foreign&, const Foreign&) = default;
};

// The innermost container that a cgroup path names. Pure.
std::optional<Foreign> foreign_in(std::string_view cgroup);
// The container that a process belongs to: by its cgroups, else by the shim that is its parent.
std::optional<Foreign> foreign_of(const Resident& resident, const Population& all);
// What a person calls it; the first 12 letters of the id where its engine does not say. `first` is
// one of its processes whose parent is none of them.
std::string name_of(const Foreign& foreign, const Resident& first, const Population& all);

}  // namespace umbel::survey
