#include "console/terminal.h"

#include <sys/ioctl.h>

#include "console/testing.h"
#include "sys/terminal.h"

namespace umbel::console {

TEST(Terminal, PairIsConnected) {
  const Fd devpts = *sys::open(cwd, "/dev/pts", O_PATH | O_DIRECTORY);
  const Result<Pty> pty = open_pty(devpts);
  ASSERT_EQ(why_not(pty), "");
  ASSERT_EQ(why_not(set_window_size(pty->master, {33, 77})), "");
  EXPECT_EQ(*window_size(pty->slave), (WindowSize{33, 77}));
  ASSERT_EQ(why_not(sys::write_all(pty->slave, "word")), "");
  std::array<char, 16> got{};
  EXPECT_EQ(*sys::read(pty->master, got), 4U);
  struct stat named{};
  ASSERT_EQ(::stat(pty->slave_path.c_str(), &named), 0);
  EXPECT_EQ(named.st_ino, sys::status(pty->slave)->st_ino);
}

TEST(Terminal, KnowsTheSlaveOfAPair) {
  const Pty pty = host_pty();
  EXPECT_TRUE(is_pty_slave(pty.slave));
  EXPECT_FALSE(is_pty_slave(pty.master));
  EXPECT_FALSE(is_pty_slave(*sys::open(cwd, "/dev/null", O_RDWR)));
}

TEST(Terminal, RefusesADirectoryThatIsNoDevpts) {
  const sys::Scratch scratch;
  scratch.file("ptmx", "");
  const auto pty = open_pty(scratch.dir());
  ASSERT_FALSE(pty);
  EXPECT_TRUE(pty.error().message().contains("no devpts"));
}

TEST(Terminal, BecomesControlling) {
  const Pty pty = host_pty();
  Result<sys::Process> child = sys::start({}, [&] {
    if (!sys::new_session() || !make_controlling(pty.slave)) return 1;
    return sys::open(cwd, "/dev/tty", O_RDWR) ? 0 : 2;
  });
  EXPECT_EQ(child->wait()->code(), 0);
}

TEST(RawMode, RestoresAtTheEndOfTheScope) {
  const Pty pty = host_pty();
  const termios before = *sys::terminal_modes(pty.slave);
  {
    const Result<RawMode> raw = RawMode::enter(pty.slave);
    ASSERT_EQ(why_not(raw), "");
    EXPECT_EQ(sys::terminal_modes(pty.slave)->c_lflag & (ICANON | ECHO | ISIG), 0U);
  }
  EXPECT_EQ(sys::terminal_modes(pty.slave)->c_lflag, before.c_lflag);
  EXPECT_EQ(sys::terminal_modes(pty.slave)->c_iflag, before.c_iflag);
}

TEST(RawMode, RestoresWhenASignalEndsTheProcess) {
  for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGABRT, SIGUSR1}) {
    const Pty pty = host_pty();
    const termios before = *sys::terminal_modes(pty.slave);
    Result<sys::Process> child = sys::start({}, [&]() -> int {
      sys::reset_signals();
      const Result<RawMode> raw = RawMode::enter(pty.slave);
      (void)sys::write_all(pty.slave, "raw");
      for (;;) ::pause();
    });
    std::array<char, 16> got{};
    ASSERT_EQ(*sys::read(pty.master, got), 3U);
    EXPECT_EQ(sys::terminal_modes(pty.slave)->c_lflag & ICANON, 0U);
    ASSERT_EQ(why_not(child->kill(signal)), "");
    EXPECT_EQ(child->wait()->signal, signal) << "the parent sees what ended it";
    EXPECT_EQ(sys::terminal_modes(pty.slave)->c_lflag, before.c_lflag) << "signal " << signal;
  }
}

TEST(RawMode, LeavesIgnoredSignalsIgnored) {
  const Pty pty = host_pty();
  Result<sys::Process> child = sys::start({}, [&] {
    ::signal(SIGHUP, SIG_IGN);
    const Result<RawMode> raw = RawMode::enter(pty.slave);
    ::raise(SIGHUP);
    return 7;
  });
  EXPECT_EQ(child->wait()->code(), 7);
}

}  // namespace umbel::console
