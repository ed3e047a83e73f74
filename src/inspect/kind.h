// The kinds of open files, and whether a checkpoint can carry them: the one table that the verdict
// before a checkpoint and the dump both ask.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/record.h"
#include "proc/keyed.h"

namespace umbel::inspect {

enum class Kind {
  regular,
  directory,
  memory_device,
  pipe,
  fifo,
  eventfd,
  epoll,
  timerfd,
  signalfd,
  inotify,
  memory_file,
  unix_socket,
  tcp_socket,
  udp_socket,
  netlink_socket,
  packet_socket,
  socket,  // any other
  terminal,
  path,
  procfs,
  pidfd,
  fanotify,
  userfaultfd,
  io_uring,
  bpf,
  perf_event,
  namespace_file,
  mount_file,
  secret_memory,
  kvm,
  device,
  other,
};

// One descriptor of a process.
struct Descriptor {
  int number = -1;
  std::string target;    // what /proc/PID/fd/N links to
  std::string protocol;  // of a socket, as the kernel names it: UNIX-STREAM, TCPv6
  struct stat status{};
  proc::Keyed info;  // /proc/PID/fdinfo/N
  Kind kind = Kind::other;
  int flags = 0;  // open(2) flags, without O_CLOEXEC
  bool close_on_exec = false;
};

struct KindInfo {
  Kind kind;
  std::string_view name;  // in images and messages
  std::string_view cure;  // why and what to do where it can't be carried; empty: it is carried
  // What may have been sent to the program that can't be carried until it has read it.
  std::string_view unread = {};
};
std::span<const KindInfo> kinds();
const KindInfo& info(Kind kind);

Kind kind_of(const Descriptor& descriptor);

}  // namespace umbel::inspect
