// Two-letter flags of /proc/PID/smaps (proc_pid_smaps(5)).
#include "inspect/mapping.h"

#include <array>
#include <cinttypes>
#include <cstdio>

namespace umbel::inspect {

namespace {

constexpr std::string_view unregister = "unregister it before the checkpoint";

constexpr std::array refusals = std::to_array<RefusedMapping>({
    {"io", "a mapping of a device", "close the device before the checkpoint"},
    {"pf", "a mapping of memory that the kernel manages", "close the device before the checkpoint"},
    {"um", "a mapping that a userfaultfd watches", unregister},
    {"uw", "a mapping that a userfaultfd watches", unregister},
    {"ui", "a mapping that a userfaultfd watches", unregister},
    {"ss", "a shadow stack", "start the program without it (GLIBC_TUNABLES)"},
    {"ht", "huge pages of hugetlbfs", "use transparent huge pages, which are carried"},
});

constexpr RefusedMapping protection_key{"", "memory with a protection key",
                                        "give the key back (pkey_mprotect with -1)"};

// There for everyone: no mapping of the process's own.
bool is_kernels(const proc::Mapping& mapping) {
  return mapping.path == "[vdso]" || mapping.path.starts_with("[vvar") ||
         mapping.path == "[vsyscall]";
}

}  // namespace

std::optional<RefusedMapping> refused(const proc::Mapping& mapping) {
  if (is_kernels(mapping)) return std::nullopt;
  if (mapping.protection_key != 0) return protection_key;
  for (const RefusedMapping& known : refusals)
    if (mapping.has(known.flag)) return known;
  return std::nullopt;
}

std::string range_text(const proc::Mapping& mapping) {
  std::array<char, 64> range{};
  (void)std::snprintf(range.data(), range.size(), "%" PRIx64 "-%" PRIx64, mapping.start,
                      mapping.end);
  return std::string(range.data()) + (mapping.path.empty() ? "" : " (" + mapping.path + ")");
}

}  // namespace umbel::inspect
