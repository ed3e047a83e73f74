// What every file of sys builds on: turning the answer of a system call into a Result.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

#include "base/error.h"

namespace umbel::sys {

inline Error last_error(std::string_view call, std::string_view on = {}) {
  const int code = errno;
  std::string text(call);
  if (!on.empty()) text.append(" ").append(on);
  return Error{.code = code, .call = std::move(text)};
}

// answer < 0 means that errno says why. `on` is what the call worked on, for the message.
inline Result<void> checked(long answer, std::string_view call, std::string_view on = {}) {
  if (answer < 0) return Failure(last_error(call, on));
  return {};
}

inline Result<int> checked_int(long answer, std::string_view call, std::string_view on = {}) {
  if (answer < 0) return Failure(last_error(call, on));
  return static_cast<int>(answer);
}

// Again while a signal interrupts.
template <class Call>
auto retried(Call call) {
  for (;;) {
    const auto answer = call();
    if (answer >= 0 || errno != EINTR) return answer;
  }
}

}  // namespace umbel::sys
