// console::attach and relay as a person meets them: with a terminal, or with pipes.
#include "console/attach.h"

#include "console/person.h"
#include "console/testing.h"
#include "sys/terminal.h"

namespace umbel::console {

namespace {

// In raw mode, so that what is shown is what was typed.
Program raw_cat() {
  return {.args = {"sh", "-c", "stty raw -echo; echo ready; exec cat"}, .terminal = true};
}

tcflag_t local_modes(FdRef slave) { return sys::terminal_modes(slave)->c_lflag; }

}  // namespace

TEST(DetachKeys, AreRead) {
  EXPECT_EQ(*parse_detach_keys("ctrl-p,ctrl-q"), "\x10\x11");
  EXPECT_EQ(*parse_detach_keys("ctrl-],q,ctrl-@"), std::string("\x1dq\0", 3));
  for (const char* wrong : {"ctrl-", "ctrl-pp", "pq", ",", "ctrl-1"})
    EXPECT_FALSE(parse_detach_keys(wrong)) << wrong;
}

TEST(DetachKeys, AreFoundWhereverReadsEnd) {
  Keys keys("\x10\x11");
  EXPECT_EQ(keys.pass("ab\x10").text, "ab");
  const auto second = keys.pass("\x10z\x10");
  EXPECT_EQ(second.text, "\x10\x10z");
  const auto third = keys.pass("\x11rest");
  EXPECT_TRUE(third.complete);
  EXPECT_EQ(third.text, "");
  Keys repeating("aab");
  EXPECT_EQ(repeating.pass("aaa").text, "a");
  EXPECT_TRUE(repeating.pass("b").complete);
  Keys none("");
  EXPECT_EQ(none.pass("\x10\x11").text, "\x10\x11");
}

TEST(Attach, HandsOnInputAndItsEnd) {
  Monitored box({.args = {"sh", "-c", "cat; echo end >&2; exit 5"}, .interactive = true});
  Client client(box.path("socket"), {});
  client.type("hello\n");
  EXPECT_EQ(client.until("hello\n"), "hello\n");
  client.keys.close();
  EXPECT_EQ(client.code(), 5);
  EXPECT_EQ(*sys::read_all(client.errors), "end\n");
}

TEST(Attach, ManyBytesBothWaysAtOnceDoNotLockUp) {
  Monitored box({.args = {"cat"}, .interactive = true});
  Client client(box.path("socket"), {});
  std::string sent;
  for (int i = 0; sent.size() < 20'000'000; ++i) sent += std::to_string(i) + "\n";
  Result<sys::Process> typist = sys::start({}, [&] {
    client.shown.close();
    (void)sys::write_all(client.keys, sent);
    return 0;
  });
  client.keys.close();
  ::poll(nullptr, 0, 500);  // everything on the way fills up meanwhile
  EXPECT_TRUE(client.rest() == sent);
  EXPECT_EQ(client.code(), 0);
  EXPECT_EQ(typist->wait()->code(), 0);
}

TEST(Attach, ShowsRecentLinesOnceAndThenWhatFollows) {
  Monitored box({.args = {"sh", "-c", "echo 1; echo 2; echo 3; cat"}, .interactive = true});
  box.says("3\n");
  Client client(box.path("socket"), {.options = {.log = box.path("log"), .recent = 2}});
  client.type("4\n");
  client.keys.close();
  EXPECT_EQ(client.rest(), "2\n3\n4\n");
}

TEST(Attach, DetachesByKeysThatComeOneByOneAndRestoresTheTerminal) {
  Monitored box(raw_cat());
  box.says("ready");
  Client client(box.path("socket"), {.terminal = true});
  client.settle();
  const tcflag_t before = local_modes(host_pty().slave);
  client.type("hello");
  EXPECT_EQ(client.until("hello"), "hello");
  EXPECT_EQ(local_modes(client.slave) & (ICANON | ECHO), 0U);
  client.type("\x10");
  ::poll(nullptr, 0, 100);
  client.type("x\x10");  // no detaching
  EXPECT_EQ(client.until("x"), "\x10x");
  ::poll(nullptr, 0, 100);
  client.type("\x11");
  EXPECT_EQ(client.code(), detached_code);
  EXPECT_EQ(local_modes(client.slave), before);

  Client again(box.path("socket"), {.terminal = true});
  again.settle();
  again.type("still there");
  (void)again.until("still there");
  EXPECT_EQ(::kill(box.pid().value(), SIGKILL), 0);
  EXPECT_EQ(again.code(), 128 + SIGKILL);
}

TEST(Attach, AClosedTerminalLeavesTheProgramRunning) {
  Monitored box(raw_cat());
  box.says("ready");
  Client client(box.path("socket"), {.terminal = true});
  client.settle();
  client.type("one");
  (void)client.until("one");
  client.slave.close();
  client.keys.close();  // the window is closed
  const auto ended = sys::wait_end(client.process.pidfd(), 10s);
  ASSERT_TRUE(ended && *ended);
  Client again(box.path("socket"), {.terminal = true});
  again.settle();
  again.type("two");
  (void)again.until("two");
  ::kill(box.pid().value(), SIGKILL);
}

TEST(Attach, SizeFollowsTheTerminal) {
  Monitored box({.args = {"sh", "-c",
                          "while sleep 0.02; do new=$(stty size); "
                          "[ \"$new\" = \"$old\" ] || echo \"$new\"; old=$new; done"},
                 .terminal = true});
  Client client(box.path("socket"), {.terminal = true});
  client.settle();
  (void)client.until("40 100");
  ASSERT_EQ(why_not(set_window_size(client.keys, {41, 101})), "");
  (void)client.until("41 101");
  ::kill(box.pid().value(), SIGKILL);
}

TEST(Attach, TellsThatTheMonitorIsLost) {
  Monitored box({.args = {"sleep", "30"}});
  Client client(box.path("socket"), {});
  const HostPid program = box.pid();
  ::poll(nullptr, 0, 200);
  ASSERT_EQ(why_not(box.monitor().kill(SIGKILL)), "");
  EXPECT_EQ(client.code(), lost_code);
  ::kill(program.value(), SIGKILL);
}

TEST(Attach, SignalsThatEndItRestoreTheTerminal) {
  Monitored box(raw_cat());
  box.says("ready");
  const tcflag_t before = local_modes(host_pty().slave);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT}) {
    Client client(box.path("socket"), {.terminal = true});
    client.settle();
    client.type("x");
    (void)client.until("x");
    ASSERT_EQ(why_not(client.process.kill(signal)), "");
    EXPECT_EQ(client.process.wait()->signal, signal);
    EXPECT_EQ(local_modes(client.slave), before);
  }
  ::kill(box.pid().value(), SIGKILL);
}

TEST(Attach, HandsSignalsOnWithoutATerminal) {
  Monitored box({.args = {"sh", "-c",
                          "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.02; "
                          "done"}});
  const Fd program = *sys::pidfd_open(box.pid());
  box.says("ready");
  Client client(box.path("socket"),
                {.options = {.log = box.path("log"), .recent = 1, .signals_to = program}});
  (void)client.until("ready");
  ASSERT_EQ(why_not(client.process.kill(SIGTERM)), "");
  EXPECT_EQ(client.rest(), "got\n");
  EXPECT_EQ(client.code(), 9);
}

TEST(Attach, StopsWithTheTerminalAsItWasAndGoesOnRaw) {
  Monitored box(raw_cat());
  box.says("ready");
  Client client(box.path("socket"), {.terminal = true});
  client.settle();
  const tcflag_t before = local_modes(host_pty().slave);
  client.type("x");
  (void)client.until("x");
  // A session's leader is in an orphaned group, where SIGTSTP does not stop; SIGSTOP does, and
  // whoever continues it may have changed the modes.
  ASSERT_EQ(why_not(client.process.kill(SIGSTOP)), "");
  termios cooked = *sys::terminal_modes(client.slave);
  cooked.c_lflag = before;
  ASSERT_EQ(why_not(sys::set_terminal_modes(client.slave, cooked)), "");
  ASSERT_EQ(why_not(client.process.kill(SIGCONT)), "");
  for (int tries = 0; tries < 500 && (local_modes(client.slave) & ICANON) != 0; ++tries)
    Monitored::sys_sleep();
  EXPECT_EQ(local_modes(client.slave) & ICANON, 0U);
  client.type("\x10\x11");
  EXPECT_EQ(client.code(), detached_code);
  ::kill(box.pid().value(), SIGKILL);
}

TEST(Relay, ServesATerminalUntilTheProcessEnds) {
  Pty inner = host_pty();
  Pty person = host_pty();
  ASSERT_EQ(why_not(set_window_size(person.master, {30, 90})), "");
  sys::Process shell = *sys::start({}, [&] {
    (void)sys::new_session();
    (void)make_controlling(inner.slave);
    for (int number = 0; number < 3; ++number) (void)sys::install(inner.slave, number);
    (void)sys::close_from(3);
    sys::reset_signals();
    ::execlp("sh", "sh", "-c", "read line; stty size; echo \"<$line>\"; exit 6", nullptr);
    return 127;
  });
  inner.slave.close();
  ASSERT_EQ(why_not(sys::write_all(person.master, "typed\r")), "");
  const auto exit = relay(std::move(shell), inner.master,
                          {.terminal = true, .in = person.slave, .out = person.slave});
  ASSERT_EQ(why_not(exit), "");
  EXPECT_EQ(exit->code(), 6);
  ASSERT_EQ(why_not(sys::set_nonblocking(person.master, true)), "");
  std::array<char, 4096> shown{};
  std::string text;
  while (const auto count = sys::read(person.master, shown)) text.append(shown.data(), *count);
  EXPECT_TRUE(text.contains("30 90\r\n<typed>\r\n")) << text;
}

TEST(Relay, ManyBytesBothWaysAtOnceDoNotLockUp) {
  Pty inner = host_pty();
  sys::Process cat = *sys::start({}, [&] {
    (void)sys::new_session();
    for (int number = 0; number < 3; ++number) (void)sys::install(inner.slave, number);
    (void)sys::close_from(3);
    sys::reset_signals();
    ::execlp("sh", "sh", "-c", "stty raw -echo; echo; head -c 3000000", nullptr);
    return 127;
  });
  inner.slave.close();
  std::array<char, 2> ready{};
  ASSERT_GT(*sys::read(inner.master, ready), 0U);
  const sys::Scratch scratch;
  scratch.file("in", std::string(3'000'000, 'z'));
  const Fd in = *sys::open(scratch.dir(), "in", O_RDONLY);
  const Fd out = *sys::open(scratch.dir(), "out", O_WRONLY | O_CREAT, 0600);
  const auto exit = relay(std::move(cat), inner.master, {.terminal = true, .in = in, .out = out});
  EXPECT_EQ(exit->code(), 0);
  EXPECT_GE(sys::status_at(scratch.dir(), "out")->st_size, 3'000'000);
}

}  // namespace umbel::console
