// stat(2) through the links of /proc/PID/fd reaches the open file itself, not what its path names
// now. Flags and positions are in fdinfo.
#include "inspect/descriptors.h"

#include <fcntl.h>
#include <sys/statfs.h>

#include <algorithm>

#include "base/text.h"
#include "sys/descriptor.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/procfs.h"

namespace umbel::inspect {

namespace {

bool gone(const Error& error) { return error.code == ENOENT || error.code == ESRCH; }

}  // namespace

Result<Descriptor> descriptor(const Process& process, int number) {
  const std::string name = std::to_string(number);
  Descriptor found{.number = number};
  found.target = TRY(sys::readlink(process.dir(), "fd/" + name));
  found.status = TRY(sys::status_behind(process.dir(), "fd/" + name));
  const std::string text = TRY(sys::read_file(process.dir(), "fdinfo/" + name));
  found.info = proc::Keyed::parse(text);
  const auto flags = TRY(found.info.number("flags", 8));
  found.flags = static_cast<int>(flags) & ~O_CLOEXEC;
  found.close_on_exec = (flags & O_CLOEXEC) != 0;
  if (S_ISSOCK(found.status.st_mode)) {
    const std::string file = sys::proc_path(std::to_string(process.pid().value()) + "/fd/" + name);
    found.protocol = TRY(sys::socket_protocol(file));
  }
  found.kind = kind_of(found);
  return found;
}

Result<std::vector<Descriptor>> descriptors(const Process& process) {
  std::vector<int> numbers;
  for (const std::string& name : TRY(sys::list(process.dir(), "fd")))
    if (const auto value = number(name)) numbers.push_back(static_cast<int>(*value));
  std::ranges::sort(numbers);
  std::vector<Descriptor> found;
  for (const int number : numbers) {
    Result<Descriptor> one = descriptor(process, number);
    if (!one && gone(one.error())) continue;
    if (!one)
      return during("descriptor " + std::to_string(number) + " of process " +
                        std::to_string(process.pid().value()),
                    Result<std::vector<Descriptor>>(Failure(one.error())));
    found.push_back(std::move(*one));
  }
  return found;
}

Result<void> verdict(const Process& process, const Descriptor& descriptor) {
  const KindInfo& known = info(descriptor.kind);
  if (known.cure.empty()) return {};
  return fail_with(EOPNOTSUPP,
                   "descriptor " + std::to_string(descriptor.number) + " of process " +
                       std::to_string(process.pid().value()) + " is of the kind " +
                       std::string(known.name) + " (" + descriptor.target +
                       "), which a checkpoint can't carry",
                   std::string(known.cure));
}

Result<void> unread(Kind kind, FdRef file) {
  const KindInfo& known = info(kind);
  if (known.unread.empty()) return {};
  const int bytes = TRY(sys::readable_bytes(file));
  if (bytes == 0) return {};
  return fail_with(EAGAIN,
                   std::to_string(bytes) + " bytes of " + std::string(known.unread) +
                       " that the program has not read yet",
                   "let the program read them, and checkpoint it again");
}

}  // namespace umbel::inspect
