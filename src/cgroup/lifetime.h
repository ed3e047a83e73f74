// What the parts of a cgroup's life share: who is in it, whether they run, how it ends.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "cgroup/directory.h"
#include "cgroup/hierarchy.h"

namespace umbel::cgroup {

// The attribute of parents that are removed with the last of their children.
inline constexpr const char* made_here = "user.umbel";

// Of the directory and those in it; sorted.
Result<std::vector<HostPid>> processes_below(const Directory& directory);
// "12 (sleep), 13 (dd, which waits for a device)": for messages.
std::string described(const std::vector<HostPid>& pids);
// Where the directory itself may hold no process: the first nested one that has any.
Result<void> add_below(const Directory& directory, const std::string& pid);

// Whether the directory can freeze: v1 freezer, or cgroup2.
bool freezes(const Directory& directory);
// Asks for it, without waiting; nothing where the directory can't.
enum class Frozen { no, yes };
Result<void> set_frozen(const Directory& directory, Frozen wanted);
Result<bool> is_frozen(const Directory& directory);

// EBUSY while there are processes in it. One that is gone already is fine.
Result<void> remove_once(const Directory& directory);
// The parents that were made here and are empty now.
void remove_parents(const Directory& directory);

// The command that lets this user make cgroups.
std::string cure(const std::vector<Hierarchy>& hierarchies);

}  // namespace umbel::cgroup
