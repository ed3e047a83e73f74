// The message is put together only when somebody reads it: most errors are answers that choose the
// next step (ESRCH, ENOSYS) and are never shown.
#include "base/error.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace umbel {

std::string Error::message() const {
  std::string text;
  auto add = [&text](std::string_view part) {
    if (part.empty()) return;
    if (!text.empty()) text += ": ";
    text += part;
  };
  add(detail);
  add(call);
  // Without a call the code is for callers to test; the detail says it in words.
  if (code != 0 && (!call.empty() || detail.empty()))
    add(::strerrordesc_np(code) ? ::strerrordesc_np(code) : "unknown error");
  return text;
}

void broken(const char* what, const char* file, int line) {
  std::fprintf(stderr, "umbel: broken invariant: %s (%s:%d)\n", what, file, line);
  std::abort();
}

}  // namespace umbel
