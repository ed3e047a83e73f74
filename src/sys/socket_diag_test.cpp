#include "sys/socket_diag.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>

#include "sys/file.h"

namespace umbel::sys {

namespace {

std::uint32_t inode(const Fd& fd) { return static_cast<std::uint32_t>(status(fd)->st_ino); }

TEST(SocketDiagnosis, BothEndsOfAPairNameEachOther) {
  std::array<int, 2> numbers{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, numbers.data()), 0);
  const Fd one(numbers[0]);
  const Fd other(numbers[1]);
  const Result<Fd> diagnosis = diagnosis_socket();
  ASSERT_TRUE(diagnosis) << diagnosis.error().message();
  const auto all = unix_sockets(*diagnosis);
  ASSERT_TRUE(all) << all.error().message();
  const auto found = std::ranges::find(*all, inode(one), &UnixSocket::inode);
  ASSERT_NE(found, all->end());
  EXPECT_EQ(found->peer, inode(other));
  const auto back = std::ranges::find(*all, inode(other), &UnixSocket::inode);
  ASSERT_NE(back, all->end());
  EXPECT_EQ(back->peer, inode(one));
}

TEST(SocketDiagnosis, AListenerHasItsName) {
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX};
  const std::string name = "umbel-diagnosis-" + std::to_string(::getpid());
  std::ranges::copy(name, address.sun_path + 1);
  ASSERT_EQ(::bind(listener.number(), reinterpret_cast<sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
            0);
  ASSERT_EQ(::listen(listener.number(), 1), 0);
  const Result<Fd> diagnosis = diagnosis_socket();
  ASSERT_TRUE(diagnosis);
  const auto all = unix_sockets(*diagnosis);
  ASSERT_TRUE(all);
  const auto found = std::ranges::find(*all, inode(listener), &UnixSocket::inode);
  ASSERT_NE(found, all->end());
  EXPECT_TRUE(found->listening);
  EXPECT_EQ(found->peer, 0U);
  EXPECT_EQ(found->name, "@" + name);
}

TEST(SocketDiagnosis, EndsOfAConnectionMatch) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.number(), any, size), 0);
  ASSERT_EQ(::listen(listener.number(), 1), 0);
  ASSERT_EQ(::getsockname(listener.number(), any, &size), 0);
  const Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.number(), any, size), 0);
  const Fd server(::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC));
  const Result<Fd> diagnosis = diagnosis_socket();
  ASSERT_TRUE(diagnosis);
  const auto all = tcp_connections(*diagnosis);
  ASSERT_TRUE(all) << all.error().message();
  const auto ours = std::ranges::find(*all, inode(client), &InternetSocket::inode);
  const auto theirs = std::ranges::find(*all, inode(server), &InternetSocket::inode);
  ASSERT_NE(ours, all->end());
  ASSERT_NE(theirs, all->end());
  EXPECT_EQ(ours->local, theirs->remote);
  EXPECT_EQ(ours->remote, theirs->local);
}

}  // namespace

}  // namespace umbel::sys
