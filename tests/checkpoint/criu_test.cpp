// The command line of umbel-criu: stages and scripts, files that it writes, the forms of an image,
// what it refuses.
#include <sys/prctl.h>

#include "subject.h"

namespace umbel::checkpoint {

namespace {

class Criu : public testing::Test {
 protected:
  void SetUp() override {
    UMBEL_NEEDS_ROOT();
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    ASSERT_TRUE(subject_.ready()) << subject_.errors();
    ASSERT_EQ(subject_.ask(), "right");
  }
  int shell(const std::string& script) {
    fs::remove(subject_.log());
    return run({"/bin/sh", "-c",
                "PID=" + std::to_string(subject_.pid()) + "; CRIU=" +
                    from_environment("UMBEL_CRIU") + "; cd " + subject_.images() + "; " + script},
               subject_.log());
  }
  std::string said() { return content(subject_.log()); }
  std::string file(const std::string& name) { return content(subject_.images() + "/" + name); }
  Subject subject_{"plain", 0};
};

// The number of pages that a dump says it has written.
long pages_of(const std::string& log) {
  const std::size_t at = log.rfind(" pages;");
  if (at == std::string::npos) return -1;
  const std::size_t start = log.rfind(' ', at - 1);
  return std::stol(log.substr(start));
}

TEST_F(Criu, RunsTheActionScriptAtEachStage) {
  std::ofstream(subject_.images() + "/script")
      << "echo $CRTOOLS_SCRIPT_ACTION $CRTOOLS_INIT_PID >> " + subject_.images() + "/stages\n";
  ASSERT_EQ(shell("$CRIU dump -t $PID --action-script 'sh ./script' -D ."), 0) << said();
  EXPECT_EQ(file("stages"), "pre-dump\npost-dump\n");
  fs::remove(subject_.images() + "/stages");
  subject_.is_gone();
  ASSERT_EQ(shell("$CRIU restore -d --action-script 'sh ./script' -D ."), 0) << said();
  subject_.is_back();
  const std::string pid = " " + std::to_string(subject_.pid()) + "\n";
  EXPECT_EQ(file("stages"),
            "pre-restore\npost-restore" + pid + "pre-resume" + pid + "post-resume" + pid);
  EXPECT_EQ(subject_.ask(), "right");
}

TEST_F(Criu, AScriptThatFailsEndsTheDump) {
  for (const std::string stage : {"pre-dump", "post-dump"}) {
    EXPECT_EQ(shell("$CRIU dump -t $PID -D . --action-script '[ $CRTOOLS_SCRIPT_ACTION != " +
                    stage + " ]'"),
              1);
    EXPECT_NE(said().find(stage), std::string::npos) << said();
    EXPECT_EQ(subject_.ask(), "right") << stage;
  }
  ASSERT_EQ(shell("$CRIU dump -t $PID -D ."), 0) << said();
  subject_.is_gone();
  for (const std::string stage : {"pre-restore", "post-restore", "pre-resume"}) {
    EXPECT_EQ(shell("$CRIU restore -d -D . --action-script '[ $CRTOOLS_SCRIPT_ACTION != " + stage +
                    " ]'"),
              1);
    EXPECT_FALSE(fs::exists("/proc/" + std::to_string(subject_.pid()))) << stage;
  }
  ASSERT_EQ(
      shell("$CRIU restore -d -D . --action-script '[ $CRTOOLS_SCRIPT_ACTION != post-resume ]'"),
      0);
  subject_.is_back();
  EXPECT_EQ(subject_.ask(), "right");
}

TEST_F(Criu, WritesStatisticsPidAndStatus) {
  ASSERT_EQ(shell("mkdir work; $CRIU dump -t $PID -D . -W work --status-fd 5 5>status"), 0)
      << said();
  subject_.is_gone();
  EXPECT_EQ(file("status"), std::string(1, '\0'));
  const std::string dumped = file("work/stats-dump");
  ASSERT_GT(dumped.size(), 12U);
  EXPECT_EQ(dumped.substr(0, 8), std::string("\x40\x59\x10\x55\x06\x33\x09\x57"));
  EXPECT_EQ(static_cast<std::uint8_t>(dumped[8]), dumped.size() - 12);
  EXPECT_EQ(dumped[12], 0x0a);  // field 1, a message
  ASSERT_EQ(shell("$CRIU restore -d -D . --pidfile pid"), 0) << said();
  subject_.is_back();
  EXPECT_EQ(file("pid"), std::to_string(subject_.pid()));
  EXPECT_EQ(file("stats-restore")[12], 0x12);  // field 2
  EXPECT_EQ(subject_.ask(), "right");
}

TEST_F(Criu, ExecutesACommandWhenRestored) {
  ASSERT_EQ(shell("$CRIU dump -t $PID -D ."), 0) << said();
  subject_.is_gone();
  EXPECT_EQ(shell("$CRIU restore --exec-cmd -D . -- /bin/sh -c 'exit 7'"), 7) << said();
  subject_.is_back();
  EXPECT_EQ(subject_.ask(), "right");
}

TEST_F(Criu, PassesAnImageThroughAPipe) {
  for (const std::string more : {"", " --compress", " --compress=9"}) {
    ASSERT_EQ(shell("$CRIU dump -t $PID --image-file -" + more + " > whole"), 0) << said();
    subject_.is_gone();
    EXPECT_FALSE(fs::exists(subject_.images() + "/manifest"));
    ASSERT_EQ(shell("cat whole | $CRIU restore -d --image-file -"), 0) << said();
    subject_.is_back();
    ASSERT_EQ(subject_.ask(), "right") << more;
  }
}

TEST_F(Criu, AnImageIsShownAndVerified) {
  ASSERT_EQ(shell("mkdir a; $CRIU dump -t $PID -D a --leave-running --compress"), 0) << said();
  const std::string umbel = from_environment("UMBEL");
  EXPECT_EQ(shell(umbel + " image show ./a"), 0) << said();
  EXPECT_NE(said().find("plain"), std::string::npos) << said();
  EXPECT_NE(said().find("compressed"), std::string::npos) << said();
  EXPECT_EQ(shell(umbel + " image verify ./a"), 0) << said();
  EXPECT_EQ(shell("$CRIU dump -t $PID --image-file - --leave-running >whole; " + umbel +
                  " image verify - <whole"),
            0)
      << said();
  const std::string pages = file("a/pages");
  std::string changed = pages;
  changed[pages.size() / 2] ^= 1;
  std::ofstream(subject_.images() + "/a/pages") << changed;
  EXPECT_EQ(shell(umbel + " image verify ./a"), 125);
  EXPECT_NE(said().find("damaged"), std::string::npos) << said();
}

TEST_F(Criu, AChainCopiesOnlyWhatWasWritten) {
  const auto dump = [&](const std::string& words) {
    EXPECT_EQ(shell("mkdir -p a b c; $CRIU " + words + " -t $PID"), 0) << said();
    return pages_of(said());
  };
  const long first = dump("pre-dump -D a");
  const long second = dump("pre-dump -D b --prev-images-dir ../a");
  const long last = dump("dump -D c --prev-images-dir ../b --leave-running");
  EXPECT_GT(first, 50);
  EXPECT_LT(second, first / 2);
  EXPECT_LT(last, first / 2);
  // Nothing of it is left in the program.
  EXPECT_EQ(content("/proc/" + std::to_string(subject_.pid()) + "/smaps").find(" uw "),
            std::string::npos);
  EXPECT_EQ(subject_.ask(), "right");
  // A broken chain costs time and no data.
  const long again = dump("dump -D c --prev-images-dir ../b --leave-running");
  EXPECT_GE(again, first - 5);
  EXPECT_NE(said().find("Warning"), std::string::npos);
  EXPECT_EQ(shell("$CRIU restore -d -D b"), 1);
  EXPECT_NE(said().find("pre-dump"), std::string::npos) << said();
}

TEST_F(Criu, ADumpCanGoOnWatching) {
  ASSERT_EQ(shell("mkdir a b; $CRIU dump -t $PID -D a --track-mem --leave-running"), 0) << said();
  const long first = pages_of(said());
  ASSERT_EQ(shell("$CRIU dump -t $PID -D b --prev-images-dir ../a"), 0) << said();
  EXPECT_LT(pages_of(said()), first / 2);
  subject_.is_gone();
  ASSERT_EQ(shell("$CRIU restore -d -D b"), 0) << said();
  subject_.is_back();
  EXPECT_EQ(subject_.ask(), "right");
}

TEST_F(Criu, RefusesByNameWhatIsNotThere) {
  for (const std::string option : {"lazy-pages", "page-server", "root /"}) {
    EXPECT_EQ(shell("$CRIU dump -t $PID -D . --" + option), 1);
    const std::string name = option.substr(0, option.find(' '));
    EXPECT_NE(said().find("--" + name + " is not there yet"), std::string::npos) << said();
  }
  EXPECT_EQ(shell("$CRIU dump -t $PID -D . --leave-runing"), 1);
  EXPECT_NE(said().find("--leave-running"), std::string::npos) << said();
  EXPECT_EQ(shell("$CRIU dump -t $PID -D . --manage-cgroups=strict"), 1);
  EXPECT_EQ(subject_.ask(), "right");
}

// What is refused, and that it runs on.
TEST(CriuRefuses, ASessionWithoutItsLeader) {
  UMBEL_NEEDS_ROOT();
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const sys::Scratch scratch;
  const pid_t root = ::fork();
  if (root == 0) {
    ::setsid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const pid_t leader = ::fork();
    if (leader == 0) {
      ::setsid();
      if (::fork() == 0)
        for (;;) ::pause();
      ::_exit(0);
    }
    ::waitpid(leader, nullptr, 0);
    const std::ofstream ready(scratch.path("ready"));
    for (;;) ::pause();
  }
  ASSERT_TRUE(wait_for(scratch.path("ready")));
  EXPECT_EQ(run({from_environment("UMBEL_CRIU"), "dump", "-t", std::to_string(root), "-D",
                 scratch.path()},
                scratch.path("log")),
            1);
  EXPECT_NE(content(scratch.path("log")).find("whose leader has ended"), std::string::npos)
      << content(scratch.path("log"));
  EXPECT_EQ(::kill(root, 0), 0);
  std::ifstream children("/proc/" + std::to_string(root) + "/task/" + std::to_string(root) +
                         "/children");
  pid_t left = 0;
  EXPECT_TRUE(children >> left);
  if (left > 0) ::kill(left, SIGKILL);
  ::kill(root, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
}

TEST_F(Criu, ChecksTheKernel) {
  EXPECT_EQ(shell("$CRIU check"), 0) << said();
  EXPECT_NE(said().find("Looks good."), std::string::npos) << said();
  EXPECT_EQ(shell("$CRIU check --feature clone3_set_tid"), 0) << said();
  EXPECT_EQ(shell("$CRIU check --feature no_such_thing"), 1);
  EXPECT_EQ(shell("$CRIU --version"), 0);
  EXPECT_EQ(shell("$CRIU --help"), 0);
  EXPECT_NE(said().find("--leave-running"), std::string::npos);
}

// What held a descriptor of the dump is given another one by the caller.
TEST(CriuInherit, PutsADescriptorInThePlaceOfAPipe) {
  UMBEL_NEEDS_ROOT();
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const sys::Scratch scratch;
  const std::string script =
      "cd " + scratch.path() + "; CRIU=" + from_environment("UMBEL_CRIU") +
      "; mkfifo in; setsid sh -c 'while read line; do echo got $line; done; sleep 1000' <in "
      "2>/dev/null | cat >first & exec 9>in; echo one >&9; sleep 0.3; "
      "PID=$(pgrep -n -f 'while read line'); KEY=$(readlink /proc/$PID/fd/1); "
      "mkdir images; $CRIU dump -t $PID -D images; code=$?; "
      "[ $code = 0 ] || exit 1; "
      "$CRIU restore -d -D images --inherit-fd \"fd[7]:$KEY\" 7>second || exit 2; "
      "echo two >&9; sleep 0.3; kill -9 $PID; exec 9>&-; wait; exit 0";
  std::ofstream(scratch.path("script")) << script;
  const int code = run({"/bin/sh", scratch.path("script")}, scratch.path("log"));
  EXPECT_EQ(code, 0) << content(scratch.path("log"));
  EXPECT_EQ(content(scratch.path("first")), "got one\n");
  EXPECT_EQ(content(scratch.path("second")), "got two\n");
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace

}  // namespace umbel::checkpoint
