// What is read of everybody else, once and only when somebody asks.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"
#include "survey/work.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace umbel::survey {

namespace {

bool is_master(std::string_view target) {
  return target == "/dev/ptmx" || target.ends_with("/pts/ptmx") || target.ends_with("/ptmx");
}

void add_master(Work& work, const inspect::Process& process, const std::string& number,
                std::string_view target) {
  const auto text = sys::read_file(process.dir(), "fdinfo/" + number);
  if (!text) return;
  const auto index = proc::Keyed::parse(*text).number("tty-index");
  if (!index) return;
  Master master{.pid = process.pid(), .number = *index};
  const auto status = sys::status_behind(process.dir(), "fd/" + number);
  // /dev/ptmx may be a node on any file system, whose terminals are those of the devpts beside it.
  if (status && target.ends_with("pts/ptmx")) master.device = status->st_dev;
  if (const auto devpts = sys::status_behind(process.dir(), "root/dev/pts");
      devpts && master.device == 0)
    master.device = devpts->st_dev;
  work.masters.push_back(master);
}

// The permissions of the link are the access that the descriptor gives.
void add_ends(Work& work, const inspect::Process& process, const std::string& number,
              const std::string& target) {
  const auto link = sys::status_at(process.dir(), "fd/" + number);
  if (!link) return;
  if ((link->st_mode & S_IRUSR) != 0) work.read.insert(target);
  if ((link->st_mode & S_IWUSR) != 0) work.written.insert(target);
}

void add_file(Work& work, const inspect::Process& process, const std::string& number) {
  const auto target = sys::readlink(process.dir(), "fd/" + number);
  if (!target) return;
  if (*target == "anon_inode:[eventfd]") {
    const auto text = sys::read_file(process.dir(), "fdinfo/" + number);
    if (!text) return;
    if (const auto id = proc::Keyed::parse(*text).number("eventfd-id"))
      work.counter_holders[*id].push_back(process.pid());
    return;
  }
  if (!target->starts_with('/')) return;
  const auto status = sys::status_behind(process.dir(), "fd/" + number);
  if (status && (S_ISFIFO(status->st_mode) || target->starts_with("/memfd:")))
    work.file_holders[key_of(*status)].push_back(process.pid());
}

void add_descriptors(Work& work, const Resident& resident) {
  const auto process = inspect::Process::open(resident.pid);
  if (!process) return;
  const auto numbers = sys::list(process->dir(), "fd");
  if (!numbers) {
    if (numbers.error().code == EACCES) work.unreadable.insert(resident.pid);
    return;
  }
  for (const std::string& number : *numbers) {
    const auto target = sys::readlink(process->dir(), "fd/" + number);
    if (!target) continue;
    const bool pipe = target->starts_with("pipe:[");
    if (pipe || target->starts_with("socket:[")) work.holders[*target].push_back(resident.pid);
    if (pipe) add_ends(work, *process, number, *target);
    if (is_master(*target)) add_master(work, *process, number, *target);
  }
}

// The lines of /proc/PID/maps whose access ends with s; all others are passed over unread.
void add_shared(Work& work, HostPid pid, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t access = line.find(' ');
    if (access == std::string_view::npos || line.size() < access + 5 || line[access + 4] != 's')
      continue;
    const auto mappings = proc::parse_mappings(std::string(line) + "\n");
    if (!mappings) continue;
    for (const proc::Mapping& mapping : *mappings)
      work.shared_memory[{mapping.major, mapping.minor, mapping.inode}].push_back(
          {pid, mapping.write});
  }
}

// A socket of sock_diag in the network namespace of a process: made by a child that goes there,
// since this process might not be let back.
Result<Fd> diagnosis_in(const Resident& resident) {
  const inspect::Process process = TRY(inspect::Process::open(resident.pid));
  const Fd net = TRY(sys::open(process.dir(), "ns/net", O_RDONLY));
  const Fd user = TRY(sys::open(process.dir(), "ns/user", O_RDONLY));
  sys::Channel channel = TRY(sys::channel());
  sys::Process child = TRY(sys::start({}, [&] {
    if (!sys::setns(net, CLONE_NEWNET) &&
        (!sys::setns(user, CLONE_NEWUSER) || !sys::setns(net, CLONE_NEWNET)))
      return 1;
    const Result<Fd> socket = sys::diagnosis_socket();
    if (!socket) return 1;
    const FdRef sent = *socket;
    return sys::send(channel.theirs, "s", std::span(&sent, 1)) ? 0 : 1;
  }));
  channel.theirs.close();
  sys::Message message = TRY(sys::receive(channel.ours));
  TRY(child.wait());
  if (message.fds.size() != 1)
    return fail("the network namespace of process " + std::to_string(resident.pid.value()) +
                " can't be entered");
  return std::move(message.fds.front());
}

}  // namespace

void look_at_descriptors(Work& work) {
  if (std::exchange(work.looked_at_descriptors, true)) return;
  for (const Resident& resident : work.host.everybody.residents)
    if (!resident.zombie && !work.in_full.contains(resident.pid)) add_descriptors(work, resident);
}

void register_member(Work& work, const Member& member) {
  const HostPid pid = member.resident.pid;
  work.in_full.insert(pid);
  for (const inspect::Descriptor& descriptor : member.descriptors) {
    const std::string& target = descriptor.target;
    const bool pipe = target.starts_with("pipe:[");
    if (pipe || target.starts_with("socket:[")) work.holders[target].push_back(pid);
    const int access = descriptor.flags & O_ACCMODE;
    if (pipe && access != O_WRONLY) work.read.insert(target);
    if (pipe && access != O_RDONLY) work.written.insert(target);
    if (is_master(target))
      if (const auto process = member.open())
        add_master(work, *process, std::to_string(descriptor.number), target);
  }
  for (const proc::Mapping& mapping : member.mappings)
    if (mapping.shared)
      work.shared_memory[{mapping.major, mapping.minor, mapping.inode}].push_back(
          {pid, mapping.write});
}

void look_at_files(Work& work) {
  if (std::exchange(work.looked_at_files, true)) return;
  for (const Resident& resident : work.host.everybody.residents) {
    const auto process = inspect::Process::open(resident.pid);
    const auto numbers = process ? sys::list(process->dir(), "fd") : fail("it has ended");
    if (!numbers) continue;
    for (const std::string& number : *numbers) add_file(work, *process, number);
  }
}

void look_at_memory(Work& work) {
  if (std::exchange(work.looked_at_memory, true)) return;
  for (const Resident& resident : work.host.everybody.residents) {
    if (resident.zombie || work.in_full.contains(resident.pid)) continue;
    const auto text =
        sys::read_file(cwd, "/proc/" + std::to_string(resident.pid.value()) + "/maps");
    if (text)
      add_shared(work, resident.pid, *text);
    else if (text.error().code == EACCES || text.error().code == EPERM)
      work.unreadable.insert(resident.pid);
  }
}

void look_at_locks(Work& work) {
  if (std::exchange(work.looked_at_locks, true)) return;
  const auto text = sys::read_file(cwd, "/proc/locks");
  if (!text) return;
  if (auto all = proc::parse_locks(*text)) work.locks = std::move(*all);
}

void diagnose(Work& work, const Resident& in) {
  const std::uint64_t net = in.namespaces.at(ns::index(ns::Kind::net));
  if (net == 0 || !work.diagnosed.insert(net).second) return;
  const bool own = net == work.host.own.at(ns::index(ns::Kind::net));
  const Result<Fd> diagnosis = own ? sys::diagnosis_socket() : diagnosis_in(in);
  const auto local = diagnosis ? sys::unix_sockets(*diagnosis) : fail("not asked");
  if (local)
    for (const sys::UnixSocket& socket : *local) work.unix_sockets[socket.inode] = socket;
  const auto connections = diagnosis ? sys::tcp_connections(*diagnosis) : fail("not asked");
  if (!connections) return;
  for (const sys::InternetSocket& socket : *connections) {
    work.connections[socket.inode] = socket;
    work.local_ends[{net, socket.local + " " + socket.remote}] = socket.inode;
  }
}

const Mounts& mounts_of(Work& work, const Member& member) {
  const std::uint64_t id = member.resident.namespaces.at(ns::index(ns::Kind::mnt));
  const auto [found, added] = work.mounts.try_emplace(id);
  if (!added) return found->second;
  const auto process = member.open();
  const auto text = process ? process->text("mountinfo") : fail("it has ended");
  auto all = text ? proc::parse_mounts(*text) : fail("it has ended");
  if (all) found->second.all = std::move(*all);
  for (const proc::Mount& mount : found->second.all) {
    found->second.ids.insert(mount.id);
    found->second.devices.insert({mount.major, mount.minor});
  }
  return found->second;
}

}  // namespace umbel::survey
