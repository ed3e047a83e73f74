// A peer that is not checkpointed never notices: it goes on writing to a connection whose other end
// is gone for a while.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "subject.h"
#include "sys/identity.h"
#include "sys/namespace.h"

namespace umbel::checkpoint {

namespace {

class Network : public testing::Test {
 protected:
  void SetUp() override {
    UMBEL_NEEDS_ROOT();
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    static const bool own_network = sys::unshare(CLONE_NEWNET) && sys::set_link_up("lo");
    ASSERT_TRUE(own_network);
  }
};

Fd client() {
  Fd made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(4711);
  EXPECT_EQ(::connect(made.number(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(made.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return made;
}

void say(const Fd& socket, const std::string& text) {
  ASSERT_EQ(::send(socket.number(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}
std::string hear(const Fd& socket, std::size_t size) {
  std::string text(size, '\0');
  const ssize_t count = ::recv(socket.number(), text.data(), size, MSG_WAITALL);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

}  // namespace

TEST_F(Network, APeerOutsideNeverNotices) {
  Subject subject("internet", 0);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  const Fd peer = client();
  ASSERT_EQ(subject.ask(), "right");
  for (int round = 1; round <= 3; ++round) {
    say(peer, "before");
    ASSERT_EQ(subject.dump({}), "") << "round " << round;
    say(peer, " and meanwhile");
    ::usleep(300000);  // long enough for it to be sent again
    ASSERT_EQ(subject.restore(), "") << "round " << round;
    std::string heard;
    for (int i = 0; i < 50 && heard.size() < 20; ++i) {
      ASSERT_EQ(subject.ask(), "right") << "round " << round;
      char buffer[64];
      const ssize_t count = ::recv(peer.number(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (count > 0) heard.append(buffer, static_cast<std::size_t>(count));
      if (heard.size() < 20) ::usleep(100000);
    }
    EXPECT_EQ(heard, "before and meanwhile") << "round " << round;
  }
}

TEST_F(Network, AConnectionIsRefusedUnlessAskedFor) {
  Subject subject("internet", 0);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  const int code = run({from_environment("UMBEL_CRIU"), "dump", "-t", std::to_string(subject.pid()),
                        "-D", subject.images()},
                       subject.log());
  EXPECT_EQ(code, 1);
  const std::string log = content(subject.log());
  EXPECT_NE(log.find("the connection to"), std::string::npos) << log;
  EXPECT_NE(log.find("--tcp-established"), std::string::npos) << log;
  EXPECT_EQ(subject.ask(), "right");
}

// Nothing of the packet filter stays.
TEST_F(Network, FailedDumpLetsConnectionsFlow) {
  Subject subject("internet", 0);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  const Fd peer = client();
  ASSERT_EQ(subject.ask(), "right");
  const Fd images(::open(subject.images().c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(::mkdir((subject.images() + "/tree").c_str(), 0700), 0);  // in the image's way
  EXPECT_NE(subject.dump({}), "");
  say(peer, "hello");
  ASSERT_EQ(subject.ask(), "right");
  EXPECT_EQ(hear(peer, 5), "hello");
  const std::string tables = subject.scratch().path("tables");
  ASSERT_EQ(run({"/usr/sbin/nft", "list", "tables"}, tables), 0);
  EXPECT_EQ(content(tables), "");
}

}  // namespace umbel::checkpoint
