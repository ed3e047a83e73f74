// One directory of a cgroup: its files are read and written relative to a descriptor that is opened
// once. Names no version: an empty hierarchy is cgroup2.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

namespace umbel::cgroup {

class Directory {
 public:
  Directory(std::string hierarchy, std::string path)
      : hierarchy_(std::move(hierarchy)), path_(std::move(path)) {}

  const std::string& hierarchy() const { return hierarchy_; }
  const std::string& path() const { return path_; }
  bool unified() const { return hierarchy_.empty(); }
  // Whether this is the v1 hierarchy of the controller ("cpu" of "cpu,cpuacct").
  bool controls(std::string_view controller) const;
  std::string name() const;         // of the directory in its parent
  std::string parent_path() const;  // absolute

  // Each is opened when it is first asked for. `fd` is O_PATH.
  Result<FdRef> fd() const;
  Result<FdRef> parent() const;
  void hold_parent(Fd parent) { parent_ = std::move(parent); }

  // Errors name the directory and the file.
  Result<void> write(const std::string& file, std::string_view value) const;
  Result<std::string> read(const std::string& file) const;
  bool has(const std::string& file) const;
  // The directories in it.
  Result<std::vector<Directory>> nested() const;
  // Of this directory alone, in no order; those outside this pid namespace are left out.
  Result<std::vector<HostPid>> processes() const;

  // Single-threaded callers only: moves the caller itself, by the cheapest way (see the .cpp). With
  // open_door() before a child is cloned, the child can do so with the rights of its parent.
  Result<void> open_door() const;
  Result<void> enter() const;

 private:
  std::string hierarchy_, path_;
  mutable Fd parent_, fd_, door_;
};

}  // namespace umbel::cgroup
