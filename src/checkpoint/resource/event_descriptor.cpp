// eventfd(2). The count and whether it is a semaphore are in fdinfo (Linux 6.5 for the latter;
// before that a semaphore can't be told from a counter and is refused by nobody: its count is 0 or
// it was read as a counter).
#include <sys/eventfd.h>

#include "checkpoint/resource/file_kind.h"
#include "sys/descriptor.h"

namespace umbel::checkpoint {

namespace {

struct EventDescriptor {
  std::uint64_t count = 0;
  bool semaphore = false;
};
void fields(auto& archive, EventDescriptor& e) {
  archive("count", e.count);
  archive("semaphore", e.semaphore);
}

Result<EventDescriptor> dump(const FileDump& from) {
  EventDescriptor state;
  state.count = TRY(from.descriptor.info.number("eventfd-count", 16));
  const auto semaphore = from.descriptor.info.number("eventfd-semaphore");
  state.semaphore = semaphore && *semaphore != 0;
  return state;
}

Result<Fd> restore(const FileRestore&, const EventDescriptor& state) {
  return sys::event_descriptor(state.count, state.semaphore ? EFD_SEMAPHORE : 0);
}

}  // namespace

extern const FileKind event_descriptor =
    file_kind<EventDescriptor, dump, restore>(inspect::Kind::eventfd);

}  // namespace umbel::checkpoint
