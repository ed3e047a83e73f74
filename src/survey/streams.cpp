// Pipes, sockets and terminals: what has another end.
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "survey/work.h"

namespace umbel::survey {

namespace {

std::vector<HostPid> holders_of(const Work& work, const std::string& target) {
  const auto found = work.holders.find(target);
  return found == work.holders.end() ? std::vector<HostPid>() : found->second;
}

Fact fact(const Member& member, const inspect::Descriptor& descriptor, Matter matter) {
  return {.container = member.container,
          .pid = member.resident.pid,
          .fd = descriptor.number,
          .matter = matter,
          .object = descriptor.target};
}

// Nobody in sight has the other end; it could be somebody who may not be looked at.
void doubt_unseen(Work& work, const Member& member, const inspect::Descriptor& descriptor) {
  if (!work.unreadable.empty())
    work.doubt(member.container, descriptor.target + " of " +
                                     inspect::named(member.resident.pid, member.resident.name) +
                                     ": its other end could be with one of " +
                                     std::to_string(work.unreadable.size()) +
                                     " processes that you may not look at; root may");
}

std::string socket_link(std::uint32_t inode) { return "socket:[" + std::to_string(inode) + "]"; }

void unix_peer(Work& work, const Member& member, const inspect::Descriptor& descriptor,
               const sys::UnixSocket& socket) {
  if (socket.peer == 0) return;
  const std::vector<HostPid> pids = holders_of(work, socket_link(socket.peer));
  const std::vector<Holder> others = work.others(member.container, pids);
  if (pids.empty()) doubt_unseen(work, member, descriptor);
  if (others.empty()) return;
  Fact found = fact(member, descriptor, Matter::socket);
  found.others = others;
  const auto peer = work.unix_sockets.find(socket.peer);
  const std::string name = peer == work.unix_sockets.end() ? "" : peer->second.name;
  found.detail = name.empty() ? "its other end" : "its other end, " + name;
  work.add(std::move(found));
}

void tcp_peer(Work& work, const Member& member, const inspect::Descriptor& descriptor,
              const sys::InternetSocket& socket) {
  const std::uint64_t net = member.resident.namespaces.at(ns::index(ns::Kind::net));
  const auto peer = work.local_ends.find({net, socket.remote + " " + socket.local});
  Fact found = fact(member, descriptor, Matter::connection);
  found.object = socket.remote;
  found.detail = "the other end of " + socket.local;
  if (peer == work.local_ends.end()) {
    found.outside = true;
  } else {
    found.others = work.others(member.container, holders_of(work, socket_link(peer->second)));
    if (found.others.empty()) return;
  }
  work.add(std::move(found));
}

// A slave of the container's own devpts, or of another; the console and its like have no master.
void terminal(Work& work, const Member& member, const inspect::Descriptor& descriptor) {
  constexpr unsigned first_slave = 136, last_slave = 143;
  const unsigned kind = major(descriptor.status.st_rdev);
  Fact found = fact(member, descriptor, Matter::terminal);
  if (kind < first_slave || kind > last_slave) {
    found.outside = !descriptor.target.ends_with("ptmx") && descriptor.target != "/dev/tty";
    found.detail = "a terminal of this machine";
    if (found.outside) work.add(std::move(found));
    return;
  }
  std::vector<HostPid> pids;
  for (const Master& master : work.masters)
    if (master.number == minor(descriptor.status.st_rdev) + (kind - first_slave) * 256 &&
        master.device == descriptor.status.st_dev)
      pids.push_back(master.pid);
  found.others = work.others(member.container, pids);
  found.detail = "its master";
  if (pids.empty() && !work.unreadable.empty()) doubt_unseen(work, member, descriptor);
  if (pids.empty() && work.unreadable.empty()) found.outside = true;
  if (found.outside) found.detail = "its master is out of sight";
  if (found.outside || !found.others.empty()) work.add(std::move(found));
}

}  // namespace

void pipes(Work& work, const Member& member) {
  for (const inspect::Descriptor& descriptor : member.descriptors) {
    if (descriptor.kind != inspect::Kind::pipe ||
        !work.first_time(member.container, Matter::pipe, descriptor.target))
      continue;
    const std::vector<HostPid> pids = holders_of(work, descriptor.target);
    Fact found = fact(member, descriptor, Matter::pipe);
    found.others = work.others(member.container, pids);
    found.detail = "its other end, or the same one";
    if (!found.others.empty()) work.add(std::move(found));
    const bool seen =
        work.read.contains(descriptor.target) && work.written.contains(descriptor.target);
    if (!seen) doubt_unseen(work, member, descriptor);
  }
}

// Open files that several processes can have without a number in their links to tell.
void unnumbered(Work& work, const Member& member) {
  for (const inspect::Descriptor& descriptor : member.descriptors) {
    const inspect::Kind kind = descriptor.kind;
    const bool file = kind == inspect::Kind::memory_file || kind == inspect::Kind::fifo;
    if (!file && kind != inspect::Kind::eventfd) continue;
    look_at_files(work);
    std::vector<HostPid> pids;
    std::string key = descriptor.target;
    if (file) {
      key += std::to_string(descriptor.status.st_ino);
      pids = work.file_holders[key_of(descriptor.status)];
    } else if (const auto id = descriptor.info.number("eventfd-id")) {
      key += std::to_string(*id);
      pids = work.counter_holders[*id];
    }
    Fact found = fact(member, descriptor,
                      kind == inspect::Kind::memory_file ? Matter::memory : Matter::pipe);
    found.detail = "the same one";
    found.others = work.others(member.container, pids);
    if (!found.others.empty() && work.first_time(member.container, Matter::pipe, key))
      work.add(std::move(found));
  }
}

void sockets(Work& work, const Member& member) {
  bool asked = false;
  for (const inspect::Descriptor& descriptor : member.descriptors) {
    if (!descriptor.target.starts_with("socket:[") ||
        !work.first_time(member.container, Matter::socket, descriptor.target))
      continue;
    if (!std::exchange(asked, true)) diagnose(work, member.resident);
    const auto inode = static_cast<std::uint32_t>(descriptor.status.st_ino);
    Fact held = fact(member, descriptor, Matter::socket);
    held.others = work.others(member.container, holders_of(work, descriptor.target));
    held.detail = "the same socket";
    // What was made in another network namespace is listed there: that of the others, or of whoever
    // looks.
    if (!work.unix_sockets.contains(inode) && !work.connections.contains(inode)) {
      for (const Holder& holder : held.others)
        if (const Resident* there = work.host.everybody.find(holder.pid)) diagnose(work, *there);
      for (const Resident& one : work.host.everybody.residents)
        if (one.namespaces.at(ns::index(ns::Kind::net)) ==
            work.host.own.at(ns::index(ns::Kind::net))) {
          diagnose(work, one);
          break;
        }
    }
    if (!held.others.empty()) work.add(std::move(held));
    if (const auto local = work.unix_sockets.find(inode); local != work.unix_sockets.end())
      unix_peer(work, member, descriptor, local->second);
    if (const auto remote = work.connections.find(inode); remote != work.connections.end())
      tcp_peer(work, member, descriptor, remote->second);
  }
}

void terminals(Work& work, const Member& member) {
  for (const inspect::Descriptor& descriptor : member.descriptors)
    if (descriptor.kind == inspect::Kind::terminal &&
        work.first_time(member.container, Matter::terminal, descriptor.target))
      terminal(work, member, descriptor);
}

}  // namespace umbel::survey
