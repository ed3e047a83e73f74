// What a process with threads can't do itself, done in a child that has one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "ns/aside.h"
#include "sys/process.h"

namespace umbel::library {

// Runs `body` in a forked child and waits for it; what it brings comes back.
Result<ns::Brought> apart(const std::function<Result<ns::Brought>()>& body);

// A child that reports once, by `ready`, and lives on with nothing of the caller's open but `keep`;
// what `body` answers is its exit status.
using Ready = std::function<Result<void>(const ns::Brought&)>;
struct Staying {
  sys::Process process;
  ns::Brought brought;
};
Result<Staying> stay(const std::function<Result<int>(const Ready& ready)>& body);

}  // namespace umbel::library
