// process_vm_readv moves memory without opening anything and without the target's help, but keeps
// to the mapping's protection; /proc/PID/mem does not.
#include "sys/remote_memory.h"

#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "sys/call.h"

namespace umbel::sys {

namespace {

// struct pm_scan_arg and PAGEMAP_SCAN of linux/fs.h, Linux 6.7.
struct ScanArgument {
  std::uint64_t size = sizeof(ScanArgument), flags = 0, start = 0, end = 0, walk_end = 0;
  std::uint64_t vector = 0, vector_length = 0, at_most = 0;
  std::uint64_t inverted = 0, all_of = 0, any_of = 0, report = 0;
};
static_assert(sizeof(ScanArgument) == 96);
constexpr unsigned long pagemap_scan = _IOWR('f', 16, ScanArgument);

constexpr std::size_t at_once = 512;  // of the 1024 that IOV_MAX allows

using Transfer = ssize_t (*)(pid_t, const iovec*, unsigned long, const iovec*, unsigned long,
                             unsigned long);

Result<std::size_t> move(Transfer transfer, std::string_view call, HostPid pid,
                         std::span<const RemoteRange> ranges, std::uint8_t* buffer) {
  std::size_t done = 0;
  std::array<iovec, at_once> there;
  while (!ranges.empty()) {
    const auto some = ranges.first(std::min(ranges.size(), at_once));
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < some.size(); ++i) {
      there[i] = {.iov_base = reinterpret_cast<void*>(some[i].address), .iov_len = some[i].size};
      wanted += some[i].size;
    }
    const iovec here{.iov_base = buffer + done, .iov_len = wanted};
    const ssize_t moved = transfer(pid.value(), &here, 1, there.data(), some.size(), 0);
    if (moved < 0 && done == 0) return Failure(last_error(call, std::to_string(pid.value())));
    if (moved < 0) return done;
    done += static_cast<std::size_t>(moved);
    if (static_cast<std::size_t>(moved) < wanted) return done;
    ranges = ranges.subspan(some.size());
  }
  return done;
}

Result<void> whole(Result<std::size_t> moved, std::size_t wanted, std::string_view call) {
  if (!moved) return Failure(std::move(moved).error());
  if (*moved < wanted) {
    errno = EFAULT;
    return Failure(last_error(call));
  }
  return {};
}

}  // namespace

Result<std::size_t> read_ranges(HostPid pid, std::span<const RemoteRange> ranges,
                                std::span<std::uint8_t> into) {
  return move(::process_vm_readv, "process_vm_readv", pid, ranges, into.data());
}

Result<std::size_t> write_ranges(HostPid pid, std::span<const RemoteRange> ranges,
                                 std::span<const std::uint8_t> data) {
  // The buffer is only read; iovec knows no const.
  return move(::process_vm_writev, "process_vm_writev", pid, ranges,
              const_cast<std::uint8_t*>(data.data()));  // NOLINT
}

Result<void> read_memory(HostPid pid, std::uint64_t address, std::span<std::uint8_t> into) {
  const RemoteRange range{.address = address, .size = into.size()};
  return whole(read_ranges(pid, std::span(&range, 1), into), into.size(), "process_vm_readv");
}

Result<void> write_memory(HostPid pid, std::uint64_t address, std::span<const std::uint8_t> data) {
  const RemoteRange range{.address = address, .size = data.size()};
  return whole(write_ranges(pid, std::span(&range, 1), data), data.size(), "process_vm_writev");
}

Result<std::size_t> read_at(FdRef file, std::uint64_t offset, std::span<std::uint8_t> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got = retried([&] {
      return ::pread64(file.number(), into.data() + done, into.size() - done,
                       static_cast<off64_t>(offset + done));
    });
    if (got < 0) return Failure(last_error("pread"));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<void> read_all_at(FdRef file, std::uint64_t offset, std::span<std::uint8_t> into) {
  const std::size_t got = TRY(read_at(file, offset, into));
  if (got < into.size()) return fail_with(EIO, "the file ends too early");
  return {};
}

Result<void> write_all_at(FdRef file, std::uint64_t offset, std::span<const std::uint8_t> data) {
  while (!data.empty()) {
    const ssize_t put = retried([&] {
      return ::pwrite64(file.number(), data.data(), data.size(), static_cast<off64_t>(offset));
    });
    if (put < 0) return Failure(last_error("pwrite"));
    data = data.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<std::vector<PageRegion>> scan_pages(FdRef pagemap, const PageScan& scan) {
  std::vector<PageRegion> found;
  std::vector<PageRegion> some(512);
  ScanArgument ask{.flags = scan.flags,
                   .start = scan.start,
                   .end = scan.end,
                   .inverted = scan.inverted,
                   .all_of = scan.all_of,
                   .any_of = scan.any_of,
                   .report = scan.report};
  ask.vector = reinterpret_cast<std::uintptr_t>(some.data());
  ask.vector_length = some.size();
  while (ask.start < scan.end) {
    const long count = ::ioctl(pagemap.number(), pagemap_scan, &ask);
    if (count < 0) return Failure(last_error("PAGEMAP_SCAN"));
    found.insert(found.end(), some.begin(), some.begin() + count);
    ask.start = ask.walk_end;
  }
  return found;
}

}  // namespace umbel::sys
