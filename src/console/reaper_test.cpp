#include "console/reaper.h"

#include <sched.h>
#include <sys/wait.h>

#include "base/text.h"
#include "console/testing.h"

namespace umbel::console {

namespace {

// `command` under the reaper, in a pid namespace of its own.
sys::Process init_of(const std::function<int()>& command) {
  Result<sys::Process> init = sys::start({.flags = CLONE_NEWPID}, [&] {
    (void)sys::set_parent_death_signal(SIGKILL);
    Result<sys::Process> child = sys::start({}, [&] {
      sys::reset_signals();
      return command();
    });
    reap_until_end(InnerPid(child->pid().value()));
    return 1;
  });
  EXPECT_EQ(why_not(init), "");
  return std::move(*init);
}

sys::Process init_of_shell(const std::string& script, FdRef out = standard_out) {
  return init_of([&] {
    (void)sys::install(out, 1);
    ::execlp("sh", "sh", "-c", script.c_str(), nullptr);
    return 127;
  });
}

std::string proc(const sys::Process& process, const std::string& name) {
  const auto text =
      sys::read_file(cwd, "/proc/" + std::to_string(process.pid().value()) + "/" + name);
  return text ? *text : "";
}

// A field of /proc/PID/status.
std::string field(const std::string& status, std::string_view name) {
  for (const std::string_view line : split(status, '\n'))
    if (line.starts_with(name)) return std::string(trimmed(line.substr(name.size() + 1)));
  return {};
}

HostPid child_of(const sys::Process& init) {
  const std::string pid = std::to_string(init.pid().value());
  return HostPid(std::stoi(proc(init, "task/" + pid + "/children")));
}

void settle(const sys::Process& init) {
  for (int tries = 0; tries < 500 && field(proc(init, "status"), "Name") != "umbel-init"; ++tries)
    ::poll(nullptr, 0, 5);
  ::poll(nullptr, 0, 50);
}

class Reaper : public testing::Test {
 protected:
  void SetUp() override { UMBEL_NEEDS_ROOT(); }
};

}  // namespace

TEST_F(Reaper, EndsAsTheCommandEnds) {
  EXPECT_EQ(init_of([] { return 42; }).wait()->status, 42);
  const sys::Exit killed = *init_of_shell("kill -SEGV $$").wait();
  EXPECT_EQ(killed.signal, 0);
  EXPECT_EQ(killed.status, 128 + SIGSEGV);
}

TEST_F(Reaper, HandsSignalsOn) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGWINCH, SIGRTMIN + 3}) {
    sys::Pipe pipe = *sys::pipe();
    sys::Process init = init_of_shell(
        "trap 'exit 7' " + std::to_string(signal) + "; echo ready; while :; do sleep 0.01; done",
        pipe.write);
    std::array<char, 8> ready{};
    ASSERT_EQ(*sys::read(pipe.read, ready), 6U);
    settle(init);
    ASSERT_EQ(why_not(init.kill(signal)), "");
    EXPECT_EQ(init.wait()->status, 7) << signal;
  }
}

// One that the C library keeps for itself, so that nothing here can handle it.
TEST_F(Reaper, HandsOnTheSignalsOfThreadsToo) {
  sys::Process init = init_of_shell("sleep 30");
  settle(init);
  ASSERT_EQ(why_not(init.kill(33)), "");
  EXPECT_EQ(init.wait()->status, 128 + 33);
}

TEST_F(Reaper, StopsAndContinuesTheCommand) {
  const sys::Process init = init_of_shell("while :; do sleep 0.01; done");
  settle(init);
  const HostPid command = child_of(init);
  const auto state = [&] {
    ::poll(nullptr, 0, 100);
    const auto text = sys::read_file(cwd, "/proc/" + std::to_string(command.value()) + "/status");
    return field(*text, "State").substr(0, 1);
  };
  ASSERT_EQ(why_not(init.kill(SIGTSTP)), "");
  EXPECT_EQ(state(), "T");
  ASSERT_EQ(why_not(init.kill(SIGCONT)), "");
  EXPECT_NE(state(), "T");
}

TEST_F(Reaper, ReapsOrphans) {
  sys::Pipe pipe = *sys::pipe();
  const sys::Process init = init_of_shell(
      "for i in 1 2 3 4 5; do (sh -c 'exit 1' & ) ; done; sleep 0.3; echo ready; sleep 30",
      pipe.write);
  std::array<char, 8> ready{};
  ASSERT_EQ(*sys::read(pipe.read, ready), 6U);
  const std::string pid = std::to_string(init.pid().value());
  EXPECT_EQ(words(proc(init, "task/" + pid + "/children")).size(), 1U) << "the command alone";
}

TEST_F(Reaper, HoldsNothingOfTheHost) {
  ASSERT_EQ(::setenv("UMBEL_TEST_SECRET", "secret", 1), 0);
  const sys::Process init = init_of_shell("sleep 30");
  settle(init);
  const std::string pid = std::to_string(init.pid().value());
  EXPECT_EQ(sys::list(cwd, "/proc/" + pid + "/fd")->size(), 0U);
  EXPECT_EQ(proc(init, "environ"), "");
  EXPECT_EQ(proc(init, "cmdline"), "");
  std::vector<std::string> writable;
  const std::string maps = proc(init, "maps");
  for (const std::string_view line : split(maps, '\n'))
    if (line.contains(" rw")) writable.emplace_back(line);
  EXPECT_LE(writable.size(), 1U) << "its stack";
  const std::string rollup = proc(init, "smaps_rollup");
  const auto kib = [&](std::string_view name) {
    return std::stol(std::string(words(field(rollup, name))[0]));
  };
  RecordProperty("rss_kib", static_cast<int>(kib("Rss")));
  EXPECT_LE(kib("Private_Dirty"), 8);
  EXPECT_LE(kib("Rss"), 64);
  ::unsetenv("UMBEL_TEST_SECRET");
}

TEST_F(Reaper, WithoutACommandItEnds) {
  sys::Process init = *sys::start({.flags = CLONE_NEWPID}, [] {
    reap_until_end(InnerPid(77));
    return 1;
  });
  EXPECT_EQ(init.wait()->status, 125);
}

}  // namespace umbel::console
