// Source: the kernel's documents on /proc/sys/{kernel,fs,net}. A parameter is set by its
// namespace's first process through /proc/sys, whose view follows the process that opens the file.
#include "ns/sysctl.h"

#include <fcntl.h>
#include <linux/magic.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "ns/kind.h"
#include "sys/file.h"

namespace umbel::ns {

namespace {

struct Owner {
  std::string_view prefix;
  Kind kind;
};

constexpr std::array owners = std::to_array<Owner>({
    {"kernel.msgmax", Kind::ipc},
    {"kernel.msgmnb", Kind::ipc},
    {"kernel.msgmni", Kind::ipc},
    {"kernel.msg_next_id", Kind::ipc},
    {"kernel.sem", Kind::ipc},
    {"kernel.sem_next_id", Kind::ipc},
    {"kernel.shmall", Kind::ipc},
    {"kernel.shmmax", Kind::ipc},
    {"kernel.shmmni", Kind::ipc},
    {"kernel.shm_next_id", Kind::ipc},
    {"kernel.shm_rmid_forced", Kind::ipc},
    {"fs.mqueue.", Kind::ipc},
    {"kernel.hostname", Kind::uts},
    {"kernel.domainname", Kind::uts},
    {"net.", Kind::net},
});

// "net.ipv4.conf.eth0/1.forwarding" -> "net/ipv4/conf/eth0.1/forwarding", as sysctl(8) has it; a
// name whose first separator is a slash is a path already.
std::string path_of(std::string_view name) {
  std::string path(name);
  const std::size_t first = path.find_first_of("./");
  if (first != std::string::npos && path[first] == '/') return path;
  for (char& c : path) {
    if (c == '.')
      c = '/';
    else if (c == '/')
      c = '.';
  }
  return path;
}

// Nothing may stand in the way of the real /proc: a container's own tree could have a file there.
Result<Fd> open_proc_sys() {
  Fd proc = TRY(sys::open(cwd, "/proc/sys", O_PATH | O_DIRECTORY));
  if (TRY(sys::file_system(proc)).f_type != PROC_SUPER_MAGIC)
    return fail("/proc/sys is not the kernel's");
  return proc;
}

Result<void> for_each(const Settings& settings, std::string_view prefix, auto&& act) {
  const bool any = std::ranges::any_of(
      settings.sysctls, [&](const auto& entry) { return entry.first.starts_with(prefix); });
  if (!any) return {};
  const Fd proc = TRY(open_proc_sys());
  for (const auto& [name, value] : settings.sysctls)
    if (name.starts_with(prefix)) TRY(during("sysctl " + name, act(proc, name, value)));
  return {};
}

}  // namespace

std::optional<Kind> sysctl_owner(std::string_view name) {
  std::string dotted = path_of(name);
  std::ranges::replace(dotted, '/', '.');
  for (const Owner& owner : owners)
    if (dotted == owner.prefix || (owner.prefix.ends_with('.') && dotted.starts_with(owner.prefix)))
      return owner.kind;
  return std::nullopt;
}

Result<void> write_sysctls(const Settings& settings, std::string_view prefix) {
  return for_each(
      settings, prefix,
      [](FdRef proc, const std::string& name, const std::string& value) -> Result<void> {
        const Fd file = TRY(sys::open_beneath(proc, path_of(name), O_WRONLY));
        return sys::write_all(file, value);
      });
}

Result<void> read_sysctls(Settings& settings, std::string_view prefix) {
  std::map<std::string, std::string> found;
  TRY(for_each(settings, prefix,
               [&](FdRef proc, const std::string& name, const std::string&) -> Result<void> {
                 const Fd file = TRY(sys::open_beneath(proc, path_of(name), O_RDONLY));
                 found[name] = trimmed(TRY(sys::read_all(file)));
                 return {};
               }));
  for (auto& [name, value] : found) settings.sysctls[name] = std::move(value);
  return {};
}

namespace ipc {

Result<void> apply(const Settings& settings) {
  TRY(write_sysctls(settings, "kernel"));
  return write_sysctls(settings, "fs");
}

Result<void> capture(Settings& settings) {
  TRY(read_sysctls(settings, "kernel"));
  return read_sysctls(settings, "fs");
}

}  // namespace ipc

}  // namespace umbel::ns
