// Unix sockets: pairs of every type with what is in their queues, a server with clients, accepted
// and waiting, names in files and without, halves that are shut down, a peer that is gone,
// descriptors in flight, credentials, options.
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <vector>

#include "../program.h"

namespace {

struct Name {
  sockaddr_un address{};
  socklen_t length = 0;
};

// Without a file if it begins with '@'.
Name name(const std::string& text) {
  Name made;
  made.address.sun_family = AF_UNIX;
  memcpy(made.address.sun_path, text.data(), text.size());
  if (text[0] == '@') made.address.sun_path[0] = 0;
  made.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() +
                                       (text[0] == '@' ? 0 : 1));
  return made;
}
int named(const std::string& text, int type) {
  const int made = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  const Name where = name(text);
  must(
      made >= 0 && bind(made, reinterpret_cast<const sockaddr*>(&where.address), where.length) == 0,
      text.c_str());
  return made;
}
void connect_to(int socket, const std::string& text) {
  const Name where = name(text);
  must(connect(socket, reinterpret_cast<const sockaddr*>(&where.address), where.length) == 0,
       "connect");
}
std::string shown(int socket, decltype(getsockname) get) {
  sockaddr_un found{};
  socklen_t length = sizeof found;
  if (get(socket, reinterpret_cast<sockaddr*>(&found), &length) != 0) return "none";
  const std::string text(found.sun_path, length - offsetof(sockaddr_un, sun_path));
  if (text.empty()) return "";
  return text[0] == 0 ? "@" + text.substr(1) : text.substr(0, text.find('\0'));
}

bool says(int socket, const std::string& text) {
  return send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}
std::string hears(int socket) {
  char buffer[512];
  const ssize_t count = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN ? "nothing" : strerror(errno);
  return count == 0 ? "end" : std::string(buffer, static_cast<size_t>(count));
}
// Both ways, in order.
void check_pair(int one, int other, const std::string& what) {
  check(says(one, "ping") && hears(other) == "ping", what);
  check(says(other, "pong") && hears(one) == "pong", what);
}

void send_files(int socket, const std::vector<int>& files) {
  char control[256] = {}, byte = 'f';
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(files.size() * sizeof(int));
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(files.size() * sizeof(int));
  memcpy(CMSG_DATA(part), files.data(), files.size() * sizeof(int));
  must(sendmsg(socket, &message, 0) == 1, "SCM_RIGHTS");
}
struct Received {
  std::vector<int> files;
  ucred ids{};
};
Received receive(int socket) {
  char control[256] = {}, byte = 0;
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  Received received;
  if (recvmsg(socket, &message, MSG_DONTWAIT) != 1) return received;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_type == SCM_RIGHTS) {
      received.files.resize((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
      memcpy(received.files.data(), CMSG_DATA(part), received.files.size() * sizeof(int));
    } else if (part->cmsg_type == SCM_CREDENTIALS) {
      memcpy(&received.ids, CMSG_DATA(part), sizeof received.ids);
    }
  }
  return received;
}

}  // namespace

int main(int, char** words) {
  Program program(words[1]);
  int stream[2], packets[2], datagrams[2], half[2], lonely[2], files[2], ids[2];
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, stream) == 0 &&
           socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0 &&
           socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) == 0 &&
           socketpair(AF_UNIX, SOCK_STREAM, 0, half) == 0 &&
           socketpair(AF_UNIX, SOCK_STREAM, 0, lonely) == 0 &&
           socketpair(AF_UNIX, SOCK_STREAM, 0, files) == 0 &&
           socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ids) == 0,
       "socketpair");
  must(says(stream[0], "hello ") && says(stream[0], "world") && says(stream[1], "back"), "send");
  must(says(packets[0], "one") && says(packets[0], "three"), "send");
  must(says(datagrams[1], "x") && says(datagrams[1], "yz"), "send");
  must(says(half[0], "last words") && shutdown(half[0], SHUT_WR) == 0, "shutdown");
  must(says(lonely[0], "left behind") && close(lonely[0]) == 0, "close");

  // A file that only lies in the queue, one that is open too, and the queue's own socket.
  const int hidden = open(program.path("in flight").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const int open_too = dup(stream[0]);
  must(hidden >= 0 && write(hidden, "in flight", 9) == 9, "a file");
  send_files(files[0], {hidden, open_too, files[1]});
  must(close(hidden) == 0 && close(open_too) == 0, "close");

  const int on = 1, small = 16384;
  const timeval patience{.tv_sec = 3, .tv_usec = 500000};
  must(setsockopt(ids[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
           setsockopt(stream[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0 &&
           setsockopt(stream[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0,
       "setsockopt");
  int buffer_size = 0;
  socklen_t length = sizeof buffer_size;
  getsockopt(stream[0], SOL_SOCKET, SO_SNDBUF, &buffer_size, &length);
  must(says(ids[1], "i"), "send");

  const std::string path = program.path("server"),
                    abstract = "@umbel-test-" + std::to_string(getpid());
  const int server = named(path, SOCK_STREAM), hall = named(abstract, SOCK_SEQPACKET);
  must(chmod(path.c_str(), 0751) == 0 && listen(server, 7) == 0 && listen(hall, 3) == 0, "listen");
  const int client = socket(AF_UNIX, SOCK_STREAM, 0),
            guest = named(program.path("guest"), SOCK_SEQPACKET);
  connect_to(client, path);
  connect_to(guest, abstract);
  const int accepted = accept(server, nullptr, nullptr), host = accept(hall, nullptr, nullptr);
  must(accepted >= 0 && host >= 0 && says(client, "to the server") && says(host, "to the guest"),
       "accept");
  const int waiting = socket(AF_UNIX, SOCK_STREAM, 0), second = socket(AF_UNIX, SOCK_STREAM, 0);
  connect_to(waiting, path);
  connect_to(second, path);
  // Its listener has ended, its name is free.
  const std::string former = program.path("former");
  const int former_server = named(former, SOCK_STREAM),
            former_client = socket(AF_UNIX, SOCK_STREAM, 0);
  must(listen(former_server, 1) == 0, "listen");
  connect_to(former_client, former);
  const int orphan = accept(former_server, nullptr, nullptr);
  must(orphan >= 0 && close(former_server) == 0 && unlink(former.c_str()) == 0, "close");

  // A log: many write to a name, one of them has one itself.
  const std::string log_path = program.path("log");
  const int log = named(log_path, SOCK_DGRAM), plain = socket(AF_UNIX, SOCK_DGRAM, 0);
  const int writer = named(program.path("writer"), SOCK_DGRAM);
  connect_to(plain, log_path);
  connect_to(writer, log_path);
  must(says(plain, "nameless") && says(writer, "named"), "send");
  must(chdir(words[1]) == 0, "chdir");
  const int relative = named("relative", SOCK_DGRAM);
  const int idle = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  must(idle >= 0, "socket");

  return program.serve([&] {
    check(hears(stream[1]) == "hello world" && hears(stream[0]) == "back",
          "the queues of a stream");
    check_pair(stream[0], stream[1], "a stream");
    check(says(stream[0], "hello ") && says(stream[0], "world") && says(stream[1], "back"),
          "a stream");
    check(hears(packets[1]) == "one" && hears(packets[1]) == "three" &&
              hears(packets[1]) == "nothing",
          "packets");
    check(says(packets[0], "one") && says(packets[0], "three"), "packets");
    check(hears(datagrams[0]) == "x" && hears(datagrams[0]) == "yz", "datagrams");
    check(says(datagrams[1], "x") && says(datagrams[1], "yz"), "datagrams");
    char text[64];
    check(recv(half[1], text, sizeof text, MSG_PEEK) == 10, "what was sent before a shutdown");
    check(send(half[0], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE, "a half that is shut down");
    check(says(half[1], "y") && hears(half[0]) == "y", "the other half");
    check(recv(lonely[1], text, sizeof text, MSG_PEEK) == 11, "what a peer left behind");
    check(send(lonely[1], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE, "a peer that is gone");

    Received received = receive(files[1]);
    if (check_equal(received.files.size(), 3U, "descriptors in flight")) {
      check(pread(received.files[0], text, sizeof text, 0) == 9, "a file in flight");
      check_equal(lseek(received.files[0], 0, SEEK_CUR), 9, "its offset");
      check(says(received.files[1], "direct") && hears(stream[1]) == "hello worlddirect",
            "a socket in flight");
      check(says(stream[0], "hello ") && says(stream[0], "world"), "a stream");
      check(says(files[0], "z") && hears(received.files[2]) == "z", "a socket in its own queue");
      send_files(files[0], {received.files[0], received.files[1], received.files[2]});
      for (const int file : received.files) close(file);
    }
    received = receive(ids[0]);
    check(received.ids.pid == getpid() && received.ids.uid == getuid(), "credentials");
    check(says(ids[1], "i"), "a message with credentials");
    int value = 0;
    length = sizeof value;
    getsockopt(stream[0], SOL_SOCKET, SO_SNDBUF, &value, &length);
    check_equal(value, buffer_size, "the size of a buffer");
    timeval time{};
    length = sizeof time;
    getsockopt(stream[0], SOL_SOCKET, SO_RCVTIMEO, &time, &length);
    check(time.tv_sec == 3 && time.tv_usec >= 490000, "a timeout");
    ucred peer{};
    length = sizeof peer;
    getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &peer, &length);
    check_equal(peer.uid, getuid(), "who the peer is");
    getsockopt(stream[0], SOL_SOCKET, SO_PEERCRED, &peer, &length);
    check_equal(peer.uid, getuid(), "who the peer is");

    check(shown(server, getsockname) == path && shown(accepted, getsockname) == path, "a name");
    check(shown(client, getpeername) == path && shown(client, getsockname).empty(),
          "a client's names");
    check(shown(hall, getsockname) == abstract && shown(host, getsockname) == abstract,
          "an abstract name");
    check(shown(host, getpeername) == program.path("guest"), "a client's name");
    struct stat status{};
    check(stat(path.c_str(), &status) == 0 && (status.st_mode & 0777) == 0751, "a socket's mode");
    check(status.st_uid == getuid(), "a socket's owner");
    check(hears(accepted) == "to the server" && hears(guest) == "to the guest",
          "accepted connections");
    check_pair(client, accepted, "an accepted connection");
    check_pair(guest, host, "an accepted connection");
    check(says(client, "to the server") && says(host, "to the guest"), "accepted connections");
    // The first in the queue is the first to be accepted; then they wait again.
    const int first = accept4(server, nullptr, nullptr, SOCK_NONBLOCK);
    check(first >= 0 && says(waiting, "me") && hears(first) == "me", "a client that waits");
    const int next = accept4(server, nullptr, nullptr, SOCK_NONBLOCK);
    check(next >= 0 && says(second, "me too") && hears(next) == "me too", "another one that waits");
    close(first);
    close(next);
    for (const int again : {waiting, second}) {
      const int fresh = socket(AF_UNIX, SOCK_STREAM, 0);
      dup2(fresh, again);
      close(fresh);
      connect_to(again, path);
    }
    check(shown(orphan, getsockname) == former && access(former.c_str(), F_OK) != 0,
          "a former name");
    check_pair(orphan, former_client, "a connection that outlives its server");

    sockaddr_un from{};
    length = sizeof from;
    check(recvfrom(log, text, sizeof text, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from),
                   &length) == 8,
          "a log");
    check(length <= sizeof(sa_family_t), "a sender without a name");
    length = sizeof from;
    check(recvfrom(log, text, sizeof text, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from),
                   &length) == 5,
          "a log");
    check(program.path("writer") == from.sun_path, "a sender's name");
    check(shown(plain, getpeername) == log_path, "a datagram socket's peer");
    check(says(plain, "nameless") && says(writer, "named"), "writing to a log");
    check(shown(relative, getsockname) == "relative", "a relative name");
    const Name there = name("relative");
    check(sendto(writer, "r", 1, 0, reinterpret_cast<const sockaddr*>(&there.address),
                 there.length) < 0 ||
              true,
          "");
    check(fcntl(idle, F_GETFL) & O_NONBLOCK, "a socket that does nothing yet");
  });
}
