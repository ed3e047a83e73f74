#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>

#include "base/record.h"
#include "security/credentials.h"
#include "security/in_child.h"
#include "sys/credentials.h"
#include "sys/file.h"

namespace umbel::security {
namespace {

TEST(Rlimit, IsReadInDockersForm) {
  EXPECT_EQ(*parse_rlimit("nofile=1024:2048"), (Rlimit{"RLIMIT_NOFILE", 1024, 2048}));
  EXPECT_EQ(*parse_rlimit("RLIMIT_NPROC=5"), (Rlimit{"RLIMIT_NPROC", 5, 5}));
  EXPECT_EQ(*parse_rlimit("core=unlimited"), (Rlimit{"RLIMIT_CORE", RLIM_INFINITY, RLIM_INFINITY}));
  EXPECT_EQ(*parse_rlimit("stack=8:-1"), (Rlimit{"RLIMIT_STACK", 8, RLIM_INFINITY}));
  EXPECT_EQ(parse_rlimit("nofiles=1").error().cure, "did you mean RLIMIT_NOFILE?");
  for (const char* wrong : {"nofile", "nofile=", "nofile=a", "nofile=1:2:3", "nofile=1:", "=1"})
    EXPECT_FALSE(parse_rlimit(wrong)) << wrong;
  EXPECT_EQ(parse_rlimit("nofile=1:x").error().cure,
            "write NAME=SOFT[:HARD], like nofile=1024:2048 or core=unlimited");
  EXPECT_EQ(parse_rlimit("nofile=3:2").error().message(),
            "'nofile=3:2': the soft limit is above the hard one");
}

TEST(Rlimit, Holds) {
  EXPECT_EQ(in_child([] {
              if (!apply({{"nofile", 20, 30}, {"RLIMIT_CORE", 0, 0}})) return 255;
              struct rlimit found{};
              if (::getrlimit(RLIMIT_NOFILE, &found) != 0) return 254;
              if (found.rlim_cur != 20 || found.rlim_max != 30) return 1;
              std::vector<Fd> open;
              for (int i = 0; i < 40; ++i) {
                Result<Fd> one = sys::memory_file("one more");
                if (!one) return one.error().code == EMFILE ? 0 : 2;
                open.push_back(std::move(*one));
              }
              return 3;
            }),
            0);
}

TEST(Rlimit, SaysWhatRaisingItTakes) {
  const Result<sys::Pipe> pipe = sys::pipe();
  ASSERT_TRUE(pipe);
  EXPECT_EQ(in_child([&] {
              if (!apply({{"nofile", 20, 30}}) || !become({.uid = 1234, .gid = 1234})) return 255;
              const Result<void> raised = apply({{"nofile", 20, 40}});
              if (raised) return 1;
              (void)sys::write_all(pipe->write,
                                   raised.error().message() + "\n" + raised.error().cure);
              return raised.error().code == EPERM ? 0 : 2;
            }),
            0);
  std::string text(1000, '\0');
  text.resize(*sys::read(pipe->read, text));
  EXPECT_EQ(text,
            "raising the hard limit RLIMIT_NOFILE from 30 to 40: prlimit: Operation not permitted\n"
            "ask for at most 30, or start umbel with CAP_SYS_RESOURCE and a sysctl fs.nr_open of "
            "that size");
  EXPECT_EQ(apply({{"nofile", 3, 2}}).error().code, EINVAL);
  EXPECT_FALSE(apply({{"nothing", 1, 1}}));
}

TEST(Rlimit, SurvivesBeingWrittenAndRead) {
  const Rlimit limit{"RLIMIT_AS", 1, RLIM_INFINITY};
  EXPECT_EQ(*from_value<Rlimit>(to_value(limit)), limit);
}

}  // namespace
}  // namespace umbel::security
