// Programs attached to a cgroup: bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE. The calls are made directly:
// libbpf would bring libelf and zlib for the sake of four.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// The verifier's reasons are in the error's detail.
Result<Fd> load_device_program(std::span<const bpf_insn> program);
// Ids of the device programs attached to this very cgroup2 directory.
Result<std::vector<std::uint32_t>> device_programs(FdRef cgroup);
// Beside those that are attached already: all must agree to an access.
Result<void> attach_device_program(FdRef cgroup, FdRef program);
Result<void> detach_device_program(FdRef cgroup, FdRef program);
Result<Fd> open_program(std::uint32_t id);

}  // namespace umbel::sys
