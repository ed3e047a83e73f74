// signalfd(2): nothing but a set of signals. The signals that it would give are pending ones of
// whoever reads, and carried with them.
#include "checkpoint/resource/file_kind.h"
#include "sys/readiness.h"

namespace umbel::checkpoint {

namespace {

struct SignalDescriptor {
  std::uint64_t mask = 0;
};
void fields(auto& archive, SignalDescriptor& s) { archive("mask", s.mask); }

Result<SignalDescriptor> dump(const FileDump& from) {
  return SignalDescriptor{.mask = TRY(from.descriptor.info.number("sigmask", 16))};
}

Result<Fd> restore(const FileRestore&, const SignalDescriptor& state) {
  return sys::signal_reader(state.mask);
}

}  // namespace

extern const FileKind signal_descriptor =
    file_kind<SignalDescriptor, dump, restore>(inspect::Kind::signalfd);

}  // namespace umbel::checkpoint
