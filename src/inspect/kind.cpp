// A socket's protocol is an attribute of its file. A descriptor's kind otherwise shows in the text
// of its link for what has no path (anon_inode:[eventfd], pipe:[1], socket:[2]), otherwise in the
// file's type and device number (Linux's devices.txt).
#include "inspect/kind.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <array>

namespace umbel::inspect {

namespace {

constexpr std::string_view engine_lacks =
    "close it before the checkpoint: this kind is not carried yet";
constexpr std::string_view hardware =
    "close it before the checkpoint: what is behind it can't be moved or made again";

constexpr std::array table = std::to_array<KindInfo>({
    {Kind::regular, "regular", ""},
    {Kind::directory, "directory", ""},
    {Kind::memory_device, "memory-device", ""},
    {Kind::pipe, "pipe", ""},
    {Kind::fifo, "fifo", ""},
    {Kind::eventfd, "eventfd", ""},
    {Kind::epoll, "epoll", ""},
    {Kind::timerfd, "timerfd", ""},
    {Kind::signalfd, "signalfd", ""},
    {Kind::inotify, "inotify", "", "events"},
    {Kind::memory_file, "memory-file", ""},
    {Kind::unix_socket, "unix-socket", ""},
    {Kind::tcp_socket, "tcp-socket", ""},
    {Kind::udp_socket, "udp-socket", "", "datagrams"},
    {Kind::netlink_socket, "netlink-socket",
     "close it before the checkpoint: what it has been told by the kernel can't be asked for "
     "again"},
    {Kind::packet_socket, "packet-socket",
     "close it before the checkpoint: it belongs to the network devices of this machine"},
    {Kind::socket, "socket", engine_lacks},
    {Kind::terminal, "terminal", ""},
    {Kind::path, "path", engine_lacks},
    {Kind::procfs, "proc-file", engine_lacks},
    {Kind::pidfd, "pidfd", engine_lacks},
    {Kind::fanotify, "fanotify", engine_lacks},
    {Kind::userfaultfd, "userfaultfd", engine_lacks},
    {Kind::io_uring, "io_uring", "use epoll instead: the state of a ring can't be read"},
    {Kind::bpf, "bpf", hardware},
    {Kind::perf_event, "perf-event", hardware},
    {Kind::namespace_file, "namespace", engine_lacks},
    {Kind::mount_file, "mount", engine_lacks},
    {Kind::secret_memory, "secret-memory", "its content can't be read by anyone else"},
    {Kind::kvm, "kvm", hardware},
    {Kind::device, "device", hardware},
    {Kind::other, "other", hardware},
});

struct Anonymous {
  std::string_view start;
  Kind kind;
};
constexpr std::array anonymous = std::to_array<Anonymous>({
    {"pipe:[", Kind::pipe},
    {"socket:[", Kind::socket},
    {"anon_inode:[eventfd]", Kind::eventfd},
    {"anon_inode:[eventpoll]", Kind::epoll},
    {"anon_inode:[timerfd]", Kind::timerfd},
    {"anon_inode:[signalfd]", Kind::signalfd},
    {"anon_inode:inotify", Kind::inotify},
    {"anon_inode:[fanotify]", Kind::fanotify},
    {"anon_inode:[userfaultfd]", Kind::userfaultfd},
    {"anon_inode:[io_uring]", Kind::io_uring},
    {"anon_inode:[pidfd]", Kind::pidfd},
    {"anon_inode:[perf_event]", Kind::perf_event},
    {"anon_inode:bpf", Kind::bpf},
    {"anon_inode:kvm", Kind::kvm},
    {"/memfd:", Kind::memory_file},
    {"/secretmem", Kind::secret_memory},
    {"pidfd:[", Kind::pidfd},
    {"mnt:[", Kind::namespace_file},
    {"net:[", Kind::namespace_file},
    {"pid:[", Kind::namespace_file},
    {"uts:[", Kind::namespace_file},
    {"ipc:[", Kind::namespace_file},
    {"user:[", Kind::namespace_file},
    {"time:[", Kind::namespace_file},
    {"cgroup:[", Kind::namespace_file},
    {"anon_inode:", Kind::other},
});

struct Protocol {
  std::string_view name;
  Kind kind;
};
constexpr std::array protocols = std::to_array<Protocol>({
    {"UNIX", Kind::unix_socket},
    {"UNIX-STREAM", Kind::unix_socket},
    {"TCP", Kind::tcp_socket},
    {"TCPv6", Kind::tcp_socket},
    {"UDP", Kind::udp_socket},
    {"UDPv6", Kind::udp_socket},
    {"NETLINK", Kind::netlink_socket},
    {"PACKET", Kind::packet_socket},
});

Kind socket_kind(std::string_view protocol) {
  for (const auto& [name, kind] : protocols)
    if (name == protocol) return kind;
  return Kind::socket;
}

Kind device_kind(dev_t device) {
  const unsigned major_number = major(device), minor_number = minor(device);
  constexpr unsigned memory = 1, terminals = 5, first_pseudo = 136, last_pseudo = 143;
  constexpr unsigned consoles = 4;
  // null, zero, full, random, urandom; not /dev/mem and its like.
  if (major_number == memory &&
      (minor_number == 3 || minor_number == 5 || (minor_number >= 7 && minor_number <= 9)))
    return Kind::memory_device;
  if (major_number == terminals || major_number == consoles ||
      (major_number >= first_pseudo && major_number <= last_pseudo))
    return Kind::terminal;
  return Kind::device;
}

}  // namespace

std::span<const KindInfo> kinds() { return table; }

const KindInfo& info(Kind kind) {
  for (const KindInfo& known : table)
    if (known.kind == kind) return known;
  broken("a kind of descriptor without a line in the table", __FILE__, __LINE__);
}

Kind kind_of(const Descriptor& descriptor) {
  for (const auto& [start, kind] : anonymous)
    if (descriptor.target.starts_with(start))
      return kind == Kind::socket ? socket_kind(descriptor.protocol) : kind;
  if ((descriptor.flags & O_PATH) != 0) return Kind::path;
  switch (descriptor.status.st_mode & S_IFMT) {
    case S_IFREG:
      return Kind::regular;
    case S_IFDIR:
      return Kind::directory;
    case S_IFIFO:
      return Kind::fifo;
    case S_IFSOCK:
      return socket_kind(descriptor.protocol);
    case S_IFCHR:
      return device_kind(descriptor.status.st_rdev);
    default:
      return Kind::other;
  }
}

}  // namespace umbel::inspect
