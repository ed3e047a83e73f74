// Nothing lost: a dump and a restore are made to fail at their system calls one after the other,
// with an error and with the death of umbel. After a dump the program runs on as if nothing had
// been; after a restore that failed nothing is left. Every fortieth call or so by default, every
// call with UMBEL_FAULT_STEP=1.
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "injector.h"
#include "subject.h"
#include "sys/system_v.h"

namespace umbel::checkpoint {

namespace {

std::vector<pid_t> tree(pid_t root) {
  std::vector<pid_t> found{root};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string base = "/proc/" + std::to_string(found[i]) + "/task";
    std::error_code error;
    for (const auto& task : fs::directory_iterator(base, error)) {
      std::istringstream children(content(task.path().string() + "/children"));
      for (pid_t child = 0; children >> child;) found.push_back(child);
    }
  }
  return found;
}

std::string line(const std::string& text, const std::string& key) {
  const std::size_t at = text.find("\n" + key);
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at + 1) - at);
}

// What would show a trace of umbel: by thread and by process.
std::map<std::string, std::string> picture(pid_t root) {
  std::map<std::string, std::string> found;
  for (const pid_t pid : tree(root)) {
    const std::string base = "/proc/" + std::to_string(pid);
    std::istringstream maps(content(base + "/maps"));
    for (std::string mapping; std::getline(maps, mapping);) found[base + " maps " + mapping];
    std::error_code error;
    for (const auto& file : fs::directory_iterator(base + "/fd", error))
      found[file.path().string()] = fs::read_symlink(file.path(), error).string();
    for (const auto& task : fs::directory_iterator(base + "/task", error)) {
      const std::string status = content(task.path().string() + "/status");
      std::string& facts = found[task.path().string()];
      for (const char* key : {"Name:", "TracerPid:", "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:",
                              "SigCgt:", "Seccomp:", "VmLck:", "CapEff:"})
        facts += line(status, key);
      const std::string state = line(status, "State:");
      if (state.find("stop") != std::string::npos) facts += state;
    }
  }
  return found;
}

std::string differences(const std::map<std::string, std::string>& were,
                        const std::map<std::string, std::string>& are) {
  std::string all;
  for (const auto& [name, was] : were) {
    const auto now = are.find(name);
    if (now == are.end())
      all += name + " is gone\n";
    else if (now->second != was)
      all += name + " was\n" + was + "\nand is\n" + now->second + "\n";
  }
  for (const auto& [name, is] : are)
    if (!were.contains(name)) all += name + " is new: " + is + "\n";
  return all;
}

// An umbel that was killed in the middle can't take out the memory that its calls were made from;
// nothing uses it any more. All else has to be as it was.
std::string without_scratch(const std::string& traces) {
  constexpr unsigned long most = 17UL * 4096;
  std::istringstream lines(traces);
  std::string left;
  for (std::string one; std::getline(lines, one);) {
    unsigned long start = 0, end = 0;
    char access[8] = {};
    const std::size_t maps = one.find(" maps ");
    const bool mapping =
        maps != std::string::npos && one.find(" 00:00 0  is ") != std::string::npos &&
        std::sscanf(one.c_str() + maps, " maps %lx-%lx %4s", &start, &end, access) == 3;
    // Several of them may lie side by side, and show as one.
    const bool scratch = mapping && (access[2] == 'x' || end - start <= most);
    if (!scratch) left += one + "\n";
  }
  return left;
}

bool alive(pid_t pid) {
  const std::string state = line(content("/proc/" + std::to_string(pid) + "/status"), "State:");
  return !state.empty() && state.find('Z') == std::string::npos;
}

void reap_all() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

// Those of `pids` that still live a moment later.
std::string survivors(const std::vector<pid_t>& pids) {
  std::string left;
  for (int i = 0; i < 500; ++i) {
    left.clear();
    reap_all();
    for (const pid_t pid : pids)
      if (alive(pid)) left += std::to_string(pid) + " ";
    if (left.empty()) return left;
    ::usleep(2000);
  }
  return left;
}

class Faults : public testing::Test {
 protected:
  void SetUp() override {
    UMBEL_NEEDS_ROOT();
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  }
  static std::vector<std::string> dump_words(const Subject& subject) {
    return {from_environment("UMBEL_CRIU"),
            "dump",
            "-t",
            std::to_string(subject.pid()),
            "-D",
            subject.images(),
            "--leave-running"};
  }
  static std::vector<std::string> restore_words(const Subject& subject) {
    return {from_environment("UMBEL_CRIU"), "restore", "-d", "-D", subject.images()};
  }
  // The calls to be tried, of so many.
  static std::vector<long> chosen(long calls, long samples) {
    if (const std::string only = from_environment("UMBEL_FAULT_AT"); !only.empty())
      return {std::stol(only)};
    const std::string wanted = from_environment("UMBEL_FAULT_STEP");
    const long step = wanted.empty() ? std::max(calls / samples, 1L) : std::stol(wanted);
    std::vector<long> all;
    // Not always the same ones, in the long run.
    for (long at = 1 + ::getpid() % step; at <= calls; at += step) all.push_back(at);
    return all;
  }
  static std::string where(const Fault& fault, const Outcome& outcome, long calls) {
    return std::string(fault.kind == Fault::Kind::kill ? "killed" : "failed") + " at call " +
           std::to_string(fault.at) + " of " + std::to_string(calls) + ", number " +
           std::to_string(outcome.number);
  }
};

constexpr long samples = 40;

void try_dumps(const std::vector<std::string>& words, Subject& subject, Fault::Kind kind,
               const std::vector<long>& all, long calls,
               std::string (*where)(const Fault&, const Outcome&, long)) {
  for (const long at : all) {
    const auto before = picture(subject.pid());
    const Fault fault{.kind = kind, .at = at};
    fs::remove(subject.log());
    const Outcome outcome = Injector(words, subject.log(), fault).run();
    EXPECT_FALSE(outcome.hangs) << where(fault, outcome, calls);
    std::string traces;
    for (int i = 0; i < 50; ++i) {
      traces = differences(before, picture(subject.pid()));
      if (kind == Fault::Kind::kill) traces = without_scratch(traces);
      if (traces.empty()) break;
      ::usleep(2000);
    }
    EXPECT_EQ(traces, "") << where(fault, outcome, calls) << ": " << content(subject.log());
    ASSERT_EQ(subject.ask(), "right") << where(fault, outcome, calls) << subject.errors();
  }
}

TEST_F(Faults, LeaveNoTraceOfADump) {
  for (const Fault::Kind kind : {Fault::Kind::error, Fault::Kind::kill}) {
    Subject subject("steady", 0);
    ASSERT_TRUE(subject.ready()) << subject.errors();
    ASSERT_EQ(subject.ask(), "right");
    const auto words = dump_words(subject);
    const Outcome whole = Injector(words, subject.log(), {}).run();
    ASSERT_EQ(whole.code, 0) << content(subject.log());
    try_dumps(words, subject, kind, chosen(whole.calls, samples), whole.calls, where);
  }
}

// A program that a dump is to end is there afterwards, in the image or alive.
TEST_F(Faults, EndNothingThatIsNotSaved) {
  Subject subject("steady", 0);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  const std::vector<pid_t> pids = tree(subject.pid());
  auto words = dump_words(subject);
  const Outcome whole = Injector(words, subject.log(), {}).run();
  ASSERT_EQ(whole.code, 0) << content(subject.log());
  words.pop_back();  // --leave-running
  for (const Fault::Kind kind : {Fault::Kind::error, Fault::Kind::kill})
    for (const long at : chosen(whole.calls, samples / 2)) {
      const Fault fault{.kind = kind, .at = at};
      fs::remove(subject.log());
      const Outcome outcome = Injector(words, subject.log(), fault).run();
      ::usleep(2000);
      if (std::ranges::all_of(pids, alive) && outcome.code != 0) {
        ASSERT_EQ(subject.ask(), "right") << where(fault, outcome, whole.calls) << subject.errors();
        continue;
      }
      for (const pid_t pid : pids) ::kill(pid, SIGKILL);
      subject.is_gone();
      ASSERT_EQ(survivors(pids), "");
      ASSERT_EQ(subject.restore(), "") << where(fault, outcome, whole.calls);
      ASSERT_EQ(subject.ask(), "right") << where(fault, outcome, whole.calls) << subject.errors();
    }
}

TEST_F(Faults, LeaveNothingOfARestore) {
  Subject subject("steady", 0);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  const std::vector<pid_t> pids = tree(subject.pid());
  ASSERT_EQ(subject.dump({}), "");
  EXPECT_EQ(survivors(pids), "");
  const auto words = restore_words(subject);
  const Outcome whole = Injector(words, subject.log(), {}).run();
  ASSERT_EQ(whole.code, 0) << content(subject.log());
  subject.is_back();
  ASSERT_EQ(subject.ask(), "right");
  for (const Fault::Kind kind : {Fault::Kind::error, Fault::Kind::kill})
    for (const long at : chosen(whole.calls, samples)) {
      for (const pid_t pid : pids) ::kill(pid, SIGKILL);
      subject.is_gone();
      ASSERT_EQ(survivors(pids), "");
      const Fault fault{.kind = kind, .at = at};
      fs::remove(subject.log());
      const Outcome outcome = Injector(words, subject.log(), fault).run();
      EXPECT_FALSE(outcome.hangs) << where(fault, outcome, whole.calls);
      // Whoever was killed after its work was done has restored; all are there then or none is.
      if (kind == Fault::Kind::kill) ::usleep(20000);
      const bool there = alive(pids.front());
      if (outcome.code == 0 || (there && kind == Fault::Kind::kill)) {
        subject.is_back();
        ASSERT_EQ(subject.ask(), "right") << where(fault, outcome, whole.calls) << subject.errors();
      } else {
        EXPECT_EQ(survivors(pids), "")
            << where(fault, outcome, whole.calls) << ": " << content(subject.log());
      }
    }
  for (const pid_t pid : pids) ::kill(pid, SIGKILL);
  subject.is_gone();
  EXPECT_EQ(survivors(pids), "");
  ASSERT_EQ(subject.restore(), "") << "the image suffered";
  ASSERT_EQ(subject.ask(), "right");
}

std::set<int> segments() {
  std::set<int> found;
  const auto all = sys::all_segments();
  if (all) found.insert(all->begin(), all->end());
  return found;
}
// No more than before, a moment later.
bool left_alone(const std::set<int>& before) {
  for (int i = 0; i < 500 && segments() != before; ++i) ::usleep(10000);
  return segments() == before;
}

// System V segments outlive everyone who uses them.
TEST_F(Faults, LeaveNoSegmentOfARestore) {
  ASSERT_EQ(::unshare(CLONE_NEWIPC), 0);
  const std::set<int> before = segments();
  Subject subject("system_v", 0);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  const std::vector<pid_t> pids = tree(subject.pid());
  ASSERT_EQ(segments().size(), 3U);
  const auto end = [&] {
    EXPECT_EQ(subject.dump({}), "");
    EXPECT_EQ(survivors(pids), "");
    EXPECT_TRUE(left_alone(before)) << "after a dump";
  };
  end();
  const auto words = restore_words(subject);
  const Outcome whole = Injector(words, subject.log(), {}).run();
  ASSERT_EQ(whole.code, 0) << content(subject.log());
  subject.is_back();
  ASSERT_EQ(subject.ask(), "right");
  // Those that exist are in the way, and stay.
  for (const pid_t pid : pids) ::kill(pid, SIGKILL);
  subject.is_gone();
  EXPECT_EQ(survivors(pids), "");
  const std::set<int> left = segments();
  EXPECT_EQ(left.size(), 2U);
  fs::remove(subject.log());
  EXPECT_NE(run(words, subject.log()), 0);
  EXPECT_NE(content(subject.log()).find("ipcrm -m"), std::string::npos) << content(subject.log());
  EXPECT_EQ(segments(), left);
  for (const int id : left) ::shmctl(id, IPC_RMID, nullptr);
  for (const Fault::Kind kind : {Fault::Kind::error, Fault::Kind::kill})
    for (const long at : chosen(whole.calls, samples / 2)) {
      const Fault fault{.kind = kind, .at = at};
      fs::remove(subject.log());
      const Outcome outcome = Injector(words, subject.log(), fault).run();
      if (kind == Fault::Kind::kill) ::usleep(20000);
      if (outcome.code == 0 || (alive(pids.front()) && kind == Fault::Kind::kill)) {
        subject.is_back();
        ASSERT_EQ(subject.ask(), "right") << where(fault, outcome, whole.calls) << subject.errors();
        end();
        continue;
      }
      EXPECT_EQ(survivors(pids), "") << where(fault, outcome, whole.calls);
      ASSERT_TRUE(left_alone(before))
          << where(fault, outcome, whole.calls) << ": " << content(subject.log());
    }
}

// Nothing is started from an image that is not as it was written.
TEST_F(Faults, RefuseADamagedImage) {
  Subject subject("plain", 0);
  ASSERT_TRUE(subject.ready()) << subject.errors();
  ASSERT_EQ(subject.dump({}), "");
  const auto words = restore_words(subject);
  const auto refused = [&](const std::string& how) {
    fs::remove(subject.log());
    const int code = run(words, subject.log());
    EXPECT_NE(code, 0) << how;
    EXPECT_EQ(survivors({subject.pid()}), "") << how;
    EXPECT_NE(content(subject.log()).find("image"), std::string::npos)
        << how << ": " << content(subject.log());
  };
  for (const char* member : {"manifest", "tree", "pages"}) {
    const std::string name = subject.images() + "/" + member;
    const std::string whole = content(name);
    for (const std::size_t share : {0, 1, 3, 7, 10}) {
      const std::size_t at = std::min(whole.size() * share / 10, whole.size() - 1);
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ 1 << share % 8);
      std::ofstream(name, std::ios::trunc) << changed;
      refused(name + ", bit flipped at " + std::to_string(at));
      std::ofstream(name, std::ios::trunc) << whole.substr(0, at);
      refused(name + ", cut to " + std::to_string(at));
    }
    fs::remove(name);
    refused(name + ", missing");
    std::ofstream(name, std::ios::trunc) << whole;
  }
  ASSERT_EQ(subject.restore(), "");
  ASSERT_EQ(subject.ask(), "right");
}

}  // namespace

}  // namespace umbel::checkpoint
