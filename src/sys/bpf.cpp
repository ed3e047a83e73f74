#include "sys/bpf.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "sys/call.h"

namespace umbel::sys {

namespace {

long bpf(int command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

std::uint64_t address(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

// bpf_attr is a union: only a cleared one passes the kernel's check of what a command does not use.
bpf_attr cleared() {
  bpf_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);
  return attributes;
}

}  // namespace

Result<Fd> load_device_program(std::span<const bpf_insn> program) {
  static constexpr const char* license = "Apache-2.0";
  bpf_attr attributes = cleared();
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = address(program.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
  attributes.license = address(license);
  attributes.expected_attach_type = BPF_CGROUP_DEVICE;
  std::strncpy(&attributes.prog_name[0], "umbel_devices", sizeof attributes.prog_name - 1);
  const long fd = retried([&] { return bpf(BPF_PROG_LOAD, attributes); });
  if (fd >= 0) return Fd(static_cast<int>(fd));
  Error error = last_error("bpf", "BPF_PROG_LOAD");
  if (error.code != EINVAL && error.code != EACCES) return Failure(error);
  // Again, to hear why: a log slows down every load, so it is only asked for after a refusal.
  std::string log(std::size_t{64} << 10, '\0');
  attributes.log_buf = address(log.data());
  attributes.log_size = static_cast<std::uint32_t>(log.size());
  attributes.log_level = 1;
  (void)bpf(BPF_PROG_LOAD, attributes);
  log.resize(std::strlen(log.c_str()));
  error.detail = log;
  return Failure(error);
}

Result<std::vector<std::uint32_t>> device_programs(FdRef cgroup) {
  std::array<std::uint32_t, 64> ids{};
  bpf_attr attributes = cleared();
  attributes.query.target_fd = static_cast<std::uint32_t>(cgroup.number());
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = address(ids.data());
  attributes.query.prog_cnt = ids.size();
  TRY(checked(bpf(BPF_PROG_QUERY, attributes), "bpf", "BPF_PROG_QUERY"));
  const std::size_t count = std::min<std::size_t>(attributes.query.prog_cnt, ids.size());
  return std::vector<std::uint32_t>(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count));
}

Result<void> attach_device_program(FdRef cgroup, FdRef program) {
  bpf_attr attributes = cleared();
  attributes.target_fd = static_cast<std::uint32_t>(cgroup.number());
  attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.number());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  return checked(bpf(BPF_PROG_ATTACH, attributes), "bpf", "BPF_PROG_ATTACH");
}

Result<void> detach_device_program(FdRef cgroup, FdRef program) {
  bpf_attr attributes = cleared();
  attributes.target_fd = static_cast<std::uint32_t>(cgroup.number());
  attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.number());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  return checked(bpf(BPF_PROG_DETACH, attributes), "bpf", "BPF_PROG_DETACH");
}

Result<Fd> open_program(std::uint32_t id) {
  bpf_attr attributes = cleared();
  attributes.prog_id = id;
  const long fd = bpf(BPF_PROG_GET_FD_BY_ID, attributes);
  if (fd < 0) return Failure(last_error("bpf", "BPF_PROG_GET_FD_BY_ID"));
  return Fd(static_cast<int>(fd));
}

}  // namespace umbel::sys
