// The monitor towards clients that speak the protocol themselves.
#include "console/monitor.h"

#include <fcntl.h>

#include "base/text.h"
#include "console/testing.h"
#include "sys/wait.h"

namespace umbel::console {

namespace {

// All output until the end, or until `enough`.
struct Output {
  std::string out, err;
  std::uint64_t missed = 0;
  std::optional<sys::Exit> exit;
};
Output hear_all(const Peer& peer, std::string_view enough = {}) {
  Output heard;
  for (;;) {
    const Peer::Heard message = peer.hear();
    if (message.closed) return heard;
    if (message.tag == Tag::out) heard.out += message.content;
    if (message.tag == Tag::err) heard.err += message.content;
    if (message.tag == Tag::missed) heard.missed += *unpacked<std::uint64_t>(message.content);
    if (message.tag == Tag::exit) heard.exit = *unpacked<sys::Exit>(message.content);
    if (heard.exit || (!enough.empty() && heard.out.contains(enough))) return heard;
  }
}

Program with_first(Program program, Fd& ours) {
  sys::Channel channel = *sys::channel();
  ours = std::move(channel.ours);
  program.how.first = std::move(channel.theirs);
  return program;
}

std::string input(std::string_view text) {
  return static_cast<char>(Tag::input) + std::string(text);
}

}  // namespace

TEST(Monitor, FirstClientGetsEverythingAndTheEnd) {
  Fd ours;
  Monitored box(with_first({.args = {"sh", "-c", "echo out; echo err >&2; exit 3"}}, ours));
  const Peer peer(std::move(ours));
  const Output heard = hear_all(peer);
  EXPECT_EQ(heard.out, "out\n");
  EXPECT_EQ(heard.err, "err\n");
  ASSERT_TRUE(heard.exit);
  EXPECT_EQ(heard.exit->status, 3);
  EXPECT_TRUE(box.exists("ended")) << "recorded before clients are told";
  EXPECT_EQ(box.monitor().wait()->code(), 3);
  EXPECT_EQ(box.log(Stream::out), "out\n");
  EXPECT_EQ(box.log(Stream::err), "err\n");
}

TEST(Monitor, TellsTheSignalThatKilled) {
  Fd ours;
  Monitored box(with_first({.args = {"sh", "-c", "kill -KILL $$"}}, ours));
  const Output heard = hear_all(Peer(std::move(ours)));
  ASSERT_TRUE(heard.exit);
  EXPECT_EQ(heard.exit->signal, SIGKILL);
}

TEST(Monitor, LastWordsArriveThoughInputIsLeftUnread) {
  Fd ours;
  Monitored box(with_first(
      {.args = {"sh", "-c", "sleep 0.3; echo last; exit 4"}, .interactive = true}, ours));
  const Peer peer(std::move(ours));
  for (int i = 0; i < 9; ++i) peer.say(input(std::string(most_bytes, 'i')));
  const Output heard = hear_all(peer);
  EXPECT_EQ(heard.out, "last\n");
  ASSERT_TRUE(heard.exit);
  EXPECT_EQ(heard.exit->status, 4);
}

TEST(Monitor, WritesTheLogExactly) {
  Monitored box({.args = {"sh", "-c",
                          "printf 'a\\000b\\r\\n\\n'; head -c 300000 /dev/urandom | tee copy; "
                          "printf tail"}});
  EXPECT_EQ(box.monitor().wait()->code(), 0);
  const std::string copy = *sys::read_file(cwd, box.path("copy"));
  EXPECT_EQ(copy.size(), 300'000U);
  EXPECT_TRUE(box.log(Stream::out) == std::string("a\0b\r\n\n", 6) + copy + "tail");
}

TEST(Monitor, DoesNotWaitForGrandchildrenThatKeepThePipes) {
  const auto begin = std::chrono::steady_clock::now();
  Monitored box(
      {.args = {"sh", "-c", "sleep 20 & echo $! > child; (sleep 0.03; echo late) & echo done"}});
  EXPECT_EQ(box.monitor().wait()->code(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_EQ(box.log(Stream::out), "done\nlate\n");
  ::kill(std::stoi(*sys::read_file(cwd, box.path("child"))), SIGKILL);
}

TEST(Monitor, EndsThoughAGrandchildWritesWithoutEnd) {
  Monitored box({.args = {"sh", "-c", "(echo $BASHPID; exec yes) & echo $! > child; sleep 0.1"}});
  const auto ended = sys::wait_end(box.monitor().pidfd(), 10s);
  EXPECT_TRUE(ended && *ended);
  ::kill(std::stoi(*sys::read_file(cwd, box.path("child"))), SIGKILL);
}

TEST(Monitor, IgnoresWhatWouldEndIt) {
  Monitored box({.args = {"cat"}, .interactive = true});
  const Peer peer(box.connect());
  EXPECT_EQ(peer.hear().tag, Tag::welcome);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGUSR1})
    ASSERT_EQ(why_not(box.monitor().kill(signal)), "");
  peer.say(input("still there\n"));
  EXPECT_EQ(peer.hear().content, "still there\n");
}

TEST(Monitor, ServesSeveralClientsThatComeAndGo) {
  Monitored box({.args = {"cat"}, .interactive = true});
  const Peer one(box.connect());
  EXPECT_EQ(one.hear().tag, Tag::welcome);
  {
    const Peer two(box.connect());
    EXPECT_EQ(two.hear().tag, Tag::welcome);
    two.say(input("from two\n"));
    EXPECT_EQ(hear_all(two, "two\n").out, "from two\n");
  }
  EXPECT_EQ(hear_all(one, "two\n").out, "from two\n");
  one.say(input("from one\n"));
  EXPECT_EQ(hear_all(one, "one\n").out, "from one\n");
  const Peer three(box.connect());
  EXPECT_EQ(three.hear().tag, Tag::welcome);
  three.say("e");
  EXPECT_TRUE(hear_all(three).exit);
  EXPECT_TRUE(hear_all(one).exit);
  EXPECT_EQ(box.monitor().wait()->code(), 0);
}

TEST(Monitor, RefusesMoreClientsThanItHasRoomFor) {
  Monitored box({.args = {"cat"}, .interactive = true});
  std::vector<Peer> peers;
  for (std::size_t i = 0; i < most_clients; ++i) {
    peers.emplace_back(box.connect());
    ASSERT_EQ(peers.back().hear().tag, Tag::welcome);
  }
  const Peer more(box.connect());
  EXPECT_EQ(more.hear().tag, Tag::refused);
  peers.pop_back();
  bool welcome = false;
  for (int tries = 0; tries < 100 && !welcome; ++tries)
    welcome = Peer(box.connect()).hear().tag == Tag::welcome;
  EXPECT_TRUE(welcome);
}

TEST(Monitor, SurvivesNonsense) {
  Monitored box({.args = {"cat"}, .interactive = true});
  const Fd socket = box.connect();
  for (const std::string& message : {std::string("h"), std::string("w"), std::string("?"),
                                     std::string("i"), std::string(60'000, 'i')})
    (void)sys::send(socket, message);
  const Peer peer(box.connect());
  EXPECT_EQ(peer.hear().tag, Tag::welcome);
  peer.say(input("fine\n"));
  EXPECT_EQ(peer.hear().content, "fine\n");
}

TEST(Monitor, AnotherVersionIsToldSoAndNoMore) {
  Monitored box({.args = {"cat"}, .interactive = true});
  const Fd socket = box.connect();
  ASSERT_EQ(why_not(sys::send(socket, Packed(Tag::hello, Hello{.version = 99}).text())), "");
  const Peer peer(box.connect());
  EXPECT_EQ(peer.hear().tag, Tag::welcome);
  peer.say(input("x\n"));
  EXPECT_EQ(peer.hear().content, "x\n");
  EXPECT_EQ(sys::receive(socket)->data[0], static_cast<char>(Tag::welcome));
  const auto more = sys::wait_ready(socket, POLLIN, 100ms);
  EXPECT_TRUE(more && !*more);
}

TEST(Monitor, InputThatNobodyReadsHoldsUpNobodyElse) {
  Monitored box(
      {.args = {"sh", "-c", "while [ ! -e go ]; do sleep 0.02; done; wc -c"}, .interactive = true});
  const Peer typist(box.connect());
  // As much as the socket takes: far more than the pipe and the monitor do.
  std::size_t sent = 0;
  while (sys::offer(typist.socket(), input(std::string(most_bytes, 'x'))).value_or(false))
    sent += most_bytes;
  EXPECT_GT(sent, 150'000U);
  const Peer other(box.connect());
  EXPECT_EQ(other.hear().tag, Tag::welcome);
  const Fd go = *sys::open(cwd, box.path("go"), O_CREAT | O_WRONLY, 0600);
  typist.say("e");
  EXPECT_EQ(trimmed(hear_all(other).out), std::to_string(sent));
}

TEST(Monitor, InputThatIsNotWantedAnyMoreIsDropped) {
  Monitored box(
      {.args = {"sh", "-c", "exec <&-; echo closed; sleep 0.5; echo end"}, .interactive = true});
  const Peer peer(box.connect());
  for (int i = 0; i < 20; ++i) peer.say(input(std::string(most_bytes, 'x')));
  EXPECT_TRUE(hear_all(peer).out.ends_with("end\n"));
}

TEST(Monitor, ASlowClientLosesNothing) {
  constexpr std::size_t total = 100'000'000;
  Fd ours;
  Monitored box(
      with_first({.args = {"sh", "-c", "yes $(printf %0999d 7) | head -c 100000000"}}, ours));
  const Peer peer(std::move(ours));
  std::size_t count = 0;
  bool right = true;
  std::uint64_t missed = 0;
  std::optional<sys::Exit> exit;
  for (int i = 0; !exit; ++i) {
    const Peer::Heard message = peer.hear();
    ASSERT_FALSE(message.closed);
    if (message.tag == Tag::exit) exit = *unpacked<sys::Exit>(message.content);
    if (message.tag == Tag::missed) ++missed;
    if (message.tag != Tag::out) continue;
    for (const char c : message.content) {
      const std::size_t place = count++ % 1000;
      right = right && c == (place == 999 ? '\n' : place == 998 ? '7' : '0');
    }
    if (i % 500 == 0) ::poll(nullptr, 0, 20);
  }
  EXPECT_EQ(count, total);
  EXPECT_TRUE(right);
  EXPECT_EQ(missed, 0U);
  EXPECT_LE(sys::status_at(cwd, box.path("log"))->st_size, 11 << 20);
}

TEST(Monitor, WithoutATerminalAStuckClientIsPassedByAndToldSo) {
  constexpr std::size_t total = 3'000'000;
  Fd ours;
  Monitored box(with_first({.args = {"sh", "-c", "head -c 3000000 /dev/zero; read line; echo end"},
                            .interactive = true,
                            .how = {.patience = 100ms}},
                           ours));
  const Peer stuck(std::move(ours));
  const Peer reader(box.connect());
  EXPECT_EQ(reader.hear().tag, Tag::welcome);
  // The program comes to its end of writing although one client reads nothing at all.
  std::uint64_t logged = 0;
  for (int tries = 0; tries < 500 && logged < total; ++tries) {
    logged = box.log(Stream::out).size();
    Monitored::sys_sleep();
  }
  ASSERT_EQ(logged, total);
  reader.say(input("\n"));
  const Output heard = hear_all(stuck);
  EXPECT_GT(heard.missed, 1'000'000U);
  EXPECT_EQ(heard.out.size() + heard.missed, total + 4);
  EXPECT_TRUE(heard.exit);
}

TEST(Monitor, AStuckClientDelaysTheEndOnlySoLong) {
  Fd ours;
  // How much the client's socket takes depends on the sizes of what is sent: it may be full before
  // the program has ended.
  Monitored box(with_first({.args = {"head", "-c", "250000", "/dev/zero"},
                            .how = {.patience = 500ms, .last_patience = 100ms}},
                           ours));
  const auto ended = sys::wait_end(box.monitor().pidfd(), 20s);
  EXPECT_TRUE(ended && *ended);
  EXPECT_EQ(box.log(Stream::out).size(), 250'000U);
}

TEST(Monitor, AProgramOnATerminalWaitsForItsOnlyClient) {
  Fd ours;
  Monitored box(
      with_first({.args = {"sh", "-c", "stty raw; head -c 2000000 /dev/zero; touch written"},
                  .terminal = true,
                  .how = {.patience = 50ms}},
                 ours));
  const Peer peer(std::move(ours));
  ::poll(nullptr, 0, 1000);
  EXPECT_FALSE(box.exists("written"));
  const Output heard = hear_all(peer);
  EXPECT_EQ(heard.out.size(), 2'000'000U);
  EXPECT_EQ(heard.missed, 0U);
  EXPECT_TRUE(box.exists("written"));
}

TEST(Monitor, SizesReachTheProgram) {
  Monitored box(
      {.args = {"sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"},
       .terminal = true});
  box.says("ready");
  const Peer peer(box.connect(), {.size = {24, 80}, .redraw = 1});
  Output heard = hear_all(peer, "24 80");
  peer.say(Packed(Tag::window, Window{.size = {50, 132}}).text());
  heard = hear_all(peer, "50 132");
  // One who comes with the size that it has already: the program redraws all the same.
  const Peer other(box.connect(), {.size = {50, 132}, .redraw = 1});
  heard = hear_all(other, "50 132");
  // The same size again without that wish is nothing new.
  peer.say(Packed(Tag::window, Window{.size = {50, 132}}).text());
  peer.say(Packed(Tag::window, Window{.size = {51, 132}}).text());
  heard = hear_all(other, "132\r\n");
  EXPECT_FALSE(heard.out.contains("50 132"));
  ::kill(box.pid().value(), SIGKILL);
}

TEST(Monitor, ATerminalMayBeLeftAndOpenedAgain) {
  Monitored box(
      {.args = {"sh", "-c", "name=$(tty); exec <&- >&- 2>&-; sleep 0.3; echo back >$name"},
       .terminal = true});
  EXPECT_EQ(box.monitor().wait()->code(), 0);
  EXPECT_EQ(box.log(Stream::out), "back\r\n");
}

TEST(Monitor, ATerminalSurvivesAHangup) {
  UMBEL_NEEDS_ROOT();
  Monitored box({.args = {"python3", "-c",
                          "import ctypes, os, signal, sys, time\n"
                          "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
                          "name = os.ttyname(0)\n"
                          "print('before', flush=True)\n"
                          "time.sleep(0.2)\n"  // a hangup throws away what nobody has read
                          "if ctypes.CDLL(None).vhangup() != 0: sys.exit(77)\n"
                          "time.sleep(0.2)\n"
                          "again = os.open(name, os.O_RDWR)\n"
                          "os.write(again, b'after\\n')\n"},
                 .terminal = true});
  const int code = box.monitor().wait()->code();
  if (code == 77) GTEST_SKIP() << "vhangup is not permitted here";
  EXPECT_EQ(box.log(Stream::out), "before\r\nafter\r\n");
}

TEST(Monitor, MemoryDoesNotGrowWithWhatItHandsOn) {
  const auto memory = [](HostPid pid) -> long {
    const std::string text =
        sys::read_file(cwd, "/proc/" + std::to_string(pid.value()) + "/status").value_or("");
    for (const std::string_view line : split(text, '\n'))
      if (line.starts_with("RssAnon:")) return std::stol(std::string(words(line)[1]));
    return 0;
  };
  Monitored box(
      {.args = {"sh", "-c",
                "yes | head -c 100000; echo ready; read l; yes | head -c 5000000; echo done; "
                "read l"},
       .interactive = true});
  const Peer peer(box.connect());
  EXPECT_EQ(peer.hear().tag, Tag::welcome);
  box.says("ready");
  const long before = memory(box.monitor().pid());
  peer.say(input("\n"));
  (void)hear_all(peer, "done");
  const long after = memory(box.monitor().pid());
  ASSERT_GT(before, 0);
  EXPECT_LT(after - before, 64) << "KiB";
}

}  // namespace umbel::console
