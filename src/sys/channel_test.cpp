#include "sys/channel.h"

#include <sys/resource.h>

#include <algorithm>

#include "sys/testing.h"

namespace umbel::sys {

namespace {

TEST(Channel, KeepsMessageBorders) {
  const Channel pair = *channel();
  ASSERT_TRUE(send(pair.ours, "one"));
  ASSERT_TRUE(send(pair.ours, std::string_view("t\0o", 3)));
  EXPECT_EQ(receive(pair.theirs)->data, "one");
  EXPECT_EQ(receive(pair.theirs)->data, std::string_view("t\0o", 3));
  ASSERT_TRUE(send(pair.theirs, "back"));
  EXPECT_EQ(receive(pair.ours)->data, "back");
}

TEST(Channel, CarriesDescriptors) {
  const Channel pair = *channel();
  {
    const Pipe ends = *pipe();
    ASSERT_TRUE(write_all(ends.write, "through"));
    const std::vector<FdRef> fds{ends.read, standard_error};
    ASSERT_TRUE(send(pair.ours, "take", fds));
  }
  const Message message = *receive(pair.theirs);
  EXPECT_EQ(message.data, "take");
  ASSERT_EQ(message.fds.size(), 2U);
  EXPECT_EQ(*read_all(message.fds[0]), "through");
  EXPECT_EQ(*identity(message.fds[1]), *identity(standard_error));
  EXPECT_EQ(::fcntl(message.fds[0].number(), F_GETFD), FD_CLOEXEC);
}

TEST(Channel, CarriesEightDescriptorsAndNoMore) {
  const Channel pair = *channel();
  const std::vector<FdRef> eight(8, standard_error);
  ASSERT_TRUE(send(pair.ours, "x", eight));
  EXPECT_EQ(receive(pair.theirs)->fds.size(), 8U);
}

TEST(Channel, TellsWhenTheOtherEndIsGone) {
  Channel pair = *channel();
  ASSERT_TRUE(send(pair.theirs, "last words"));
  pair.theirs.close();
  EXPECT_EQ(receive(pair.ours)->data, "last words");
  const Message message = *receive(pair.ours);
  EXPECT_TRUE(message.closed);
  EXPECT_TRUE(message.data.empty());
  EXPECT_EQ(send(pair.ours, "x").error().code, EPIPE);
}

TEST(Channel, ADeadPeerWithUnreadMessagesIsAnEndToo) {
  Channel pair = *channel();
  ASSERT_TRUE(send(pair.ours, "never read"));
  pair.theirs.close();
  EXPECT_TRUE(receive(pair.ours)->closed);
}

TEST(Channel, WhatADeadPeerHasSaidIsHeardThoughItLeftMessagesUnread) {
  Channel channel = *sys::channel();
  ASSERT_TRUE(send(channel.ours, "never read"));
  ASSERT_TRUE(send(channel.theirs, "why it ended"));
  channel.theirs.close();
  EXPECT_EQ(receive(channel.ours)->data, "why it ended");
  EXPECT_TRUE(receive(channel.ours)->closed);
}

TEST(Channel, RefusesWhatWouldBeMisread) {
  const Channel pair = *channel();
  EXPECT_EQ(send(pair.ours, "").error().code, EINVAL);
  const std::string largest(std::size_t{64} << 10, 'x');
  ASSERT_TRUE(send(pair.ours, largest));
  EXPECT_EQ(receive(pair.theirs)->data, largest);
  EXPECT_EQ(send(pair.ours, largest + "x").error().code, EMSGSIZE);
}

TEST(Channel, SaysWhenDescriptorsCouldNotBeTakenIn) {
  const Channel pair = *channel();
  const std::vector<FdRef> fds(4, standard_error);
  ASSERT_TRUE(send(pair.ours, "x", fds));
  in_child(0, [&] {
    const int next = duplicate(standard_error)->number();
    const rlimit few{.rlim_cur = static_cast<rlim_t>(next) + 1,
                     .rlim_max = static_cast<rlim_t>(next) + 1};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    EXPECT_EQ(receive(pair.theirs).error().code, EMFILE);
    EXPECT_EQ(duplicate(standard_error)->number(), next) << "what did arrive was not closed";
  });
}

TEST(Server, ConnectsTwoProcesses) {
  const Scratch scratch;
  const std::string path = scratch.path("socket");
  const Fd listener = *listen_at(path);
  Process child = *start({}, [&] {
    const Result<Fd> client = connect_to(path);
    return client && send(*client, "hello") && receive(*client)->data == "well met" ? 0 : 1;
  });
  const Fd server = *accept(listener);
  EXPECT_EQ(receive(server)->data, "hello");
  EXPECT_TRUE(send(server, "well met"));
  EXPECT_EQ(child.wait()->code(), 0);
}

TEST(Server, ReplacesTheSocketOfADeadOne) {
  const Scratch scratch;
  const std::string path = scratch.path("socket");
  {
    const Fd dead = *listen_at(path);
  }
  EXPECT_EQ(connect_to(path).error().code, ECONNREFUSED);
  const Fd alive = *listen_at(path);
  EXPECT_TRUE(connect_to(path));
}

TEST(Server, SaysThatAPathIsTooLong) {
  EXPECT_NE(why_not(listen_at(std::string(200, 'x'))).find("longer than"), std::string::npos);
  EXPECT_EQ(connect_to("/nonexistent/socket").error().code, ENOENT);
}

}  // namespace

}  // namespace umbel::sys
