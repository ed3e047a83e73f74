// What went wrong, in the four parts that a person needs: what was tried (detail, outermost step
// first), on which call (call), why (code, an errno), and what to do about it (cure).
// A function that can fail returns Result<T>; nothing here throws.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace umbel {

struct Error {
  int code = 0;        // an errno; 0 where the kernel was not asked
  std::string call;    // the system call, filled by sys; empty where there was none
  std::string detail;  // the steps that led here, outermost first, joined by ": "
  std::string cure;    // what the person can do, a sentence without its full stop

  // "mounting /proc: fsopen proc: Operation not permitted"; the cure is not part of it.
  std::string message() const;
};

template <class T>
struct [[nodiscard]] Result : std::expected<T, Error> {
  using std::expected<T, Error>::expected;
};

using Failure = std::unexpected<Error>;

// An error of our own making, when no system call failed.
inline Failure fail(std::string detail, std::string cure = {}) {
  return Failure(Error{.detail = std::move(detail), .cure = std::move(cure)});
}

// The same with an errno that callers may test for.
inline Failure fail_with(int code, std::string detail, std::string cure = {}) {
  return Failure(Error{.code = code, .detail = std::move(detail), .cure = std::move(cure)});
}

// Adds the step that only the caller knows: during("mounting /proc", mount_proc(...)).
template <class T>
Result<T> during(std::string_view step, Result<T> result) {
  if (!result) {
    std::string& detail = result.error().detail;
    detail = detail.empty() ? std::string(step) : std::string(step) + ": " + detail;
  }
  return result;
}

// Adds what the person can do, unless a deeper layer knew better.
template <class T>
Result<T> advise(std::string_view cure, Result<T> result) {
  if (!result && result.error().cure.empty()) result.error().cure = cure;
  return result;
}

// Aborts with a message when an invariant is broken, also in release builds.
[[noreturn]] void broken(const char* what, const char* file, int line);
inline void ensure(bool holds, const char* what, const char* file = __builtin_FILE(),
                   int line = __builtin_LINE()) {
  if (!holds) [[unlikely]]
    broken(what, file, line);
}

}  // namespace umbel

// Yields the value, or returns the error to the caller. Not in the braces of an initialiser and not
// in a lambda's capture: g++ 12 leaks what those have built already when they are left early.
#define UMBEL_TRY_(name, ...)                           \
  ({                                                    \
    auto name = (__VA_ARGS__);                          \
    if (!name) [[unlikely]]                             \
      return ::umbel::Failure(std::move(name).error()); \
    std::move(name).value();                            \
  })
#define UMBEL_TRY_NAMED_(counter, ...) UMBEL_TRY_(try_##counter##_, __VA_ARGS__)
#define UMBEL_TRY_COUNTED_(counter, ...) UMBEL_TRY_NAMED_(counter, __VA_ARGS__)
#define TRY(...) UMBEL_TRY_COUNTED_(__COUNTER__, __VA_ARGS__)
