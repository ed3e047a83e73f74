// Work in a process of its own: entering a namespace can't be undone by the one that did it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::ns {

// What comes back from there: at most 64 KiB of text and 8 descriptors.
struct Brought {
  std::string text = {};
  std::vector<Fd> fds = {};
};
// Runs `body` in a child, which has copies of all that the caller has, and ends; the error of the
// body is the caller's.
Result<Brought> aside(const std::function<Result<Brought>()>& body);

}  // namespace umbel::ns
