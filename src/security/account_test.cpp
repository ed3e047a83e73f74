#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "security/credentials.h"
#include "sys/file.h"

namespace umbel::security {
namespace {

// A root directory of our own.
class Accounts : public testing::Test {
 protected:
  void SetUp() override {
    std::array<char, 32> name{"/tmp/umbel-account-XXXXXX"};
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    top_ = name.data();
    ASSERT_TRUE(sys::make_directories(top_ + "/root/etc", 0755));
    root_ = *sys::open(cwd, top_ + "/root", O_PATH | O_DIRECTORY);
    write("root/etc/passwd",
          "root:x:0:0:root:/root:/bin/sh\n"
          "# a comment\n"
          "www-data:x:33:33:www:/var/www:/usr/sbin/nologin\n"
          "broken:x:no:33::/:/bin/sh\n"
          "short:x:44:45\n"
          "1000:x:77:77:a name of digits:/seven:/bin/sh\n"
          "app:x:1000:1001::relative:/bin/sh\n"
          "last:x:50:50::/last:/bin/sh");  // no newline at the end
    write("root/etc/group",
          "root:x:0:\nadm:x:4:www-data,app\nwww-data:x:33:\ndocker:x:999:app\nbroken:x:\n"
          "4294967295:x:5:\ntail:x:60:www-data");
  }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree(cwd, top_)); }

  void write(const std::string& path, const std::string& text) const {
    const Fd file = *sys::open(cwd, top_ + "/" + path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ASSERT_TRUE(sys::write_all(file, text));
  }
  void replace_passwd(auto make) const {
    const std::string path = top_ + "/root/etc/passwd";
    ASSERT_EQ(::unlink(path.c_str()), 0);
    ASSERT_EQ(make(path), 0);
  }
  // "uid:gid name home groups", or the message.
  std::string found(std::string_view name) const {
    const Result<Account> account = look_up_user(root_, name);
    if (!account) return account.error().message();
    std::string text = std::to_string(account->user.uid) + ":" + std::to_string(account->user.gid) +
                       " " + account->name + " " + account->home;
    for (const std::uint32_t group : account->user.groups) text += " " + std::to_string(group);
    return text;
  }

  std::string top_;
  Fd root_;
};

TEST_F(Accounts, NamesAndNumbers) {
  EXPECT_EQ(found("www-data"), "33:33 www-data /var/www 4 60");
  EXPECT_EQ(found("33"), "33:33 www-data /var/www 4 60");
  EXPECT_EQ(found("root"), "0:0 root /root");
  EXPECT_EQ(found(""), "0:0 root /root");
  EXPECT_EQ(found("last"), "50:50 last /last");
  EXPECT_EQ(found("short"), "44:45 short /");
  EXPECT_EQ(found("app"), "1000:1001 app / 4 999");
  // Digits are a number, even if a name is spelled so.
  EXPECT_EQ(found("1000"), "1000:1001 app / 4 999");
  EXPECT_EQ(found("77"), "77:77 1000 /seven");
  EXPECT_EQ(found("2000"), "2000:0 2000 /");
}

TEST_F(Accounts, AGroupStandsAlone) {
  EXPECT_EQ(found("www-data:adm"), "33:4 www-data /var/www");
  EXPECT_EQ(found("33:100"), "33:100 www-data /var/www");
  EXPECT_EQ(found("2000:docker"), "2000:999 2000 /");
  EXPECT_EQ(found(":docker"), "0:999 root /root");
  EXPECT_EQ(found("app:"), "1000:1001 app /");
}

TEST_F(Accounts, WhatIsNotThereIsSaid) {
  EXPECT_EQ(found("nobody"), "there is no user 'nobody' in the container's /etc/passwd");
  EXPECT_EQ(found("broken"), "there is no user 'broken' in the container's /etc/passwd");
  EXPECT_EQ(found("www-data:nogroup"), "there is no group 'nogroup' in the container's /etc/group");
  EXPECT_EQ(found("root:broken"), "there is no group 'broken' in the container's /etc/group");
  EXPECT_EQ(found("-1"), "there is no user '-1' in the container's /etc/passwd");
  EXPECT_EQ(found("4294967294"), "4294967294:0 4294967294 /");
  // That number would mean "leave it as it is": root.
  EXPECT_EQ(found("4294967295"), "4294967295 is no user number");
  EXPECT_EQ(found("0:4294967295"), "4294967295 is no group number");
  EXPECT_EQ(found("18446744073709551616"), "18446744073709551616 is no user number");
}

TEST_F(Accounts, NumbersNeedNoFiles) {
  ASSERT_TRUE(sys::remove_tree(cwd, top_ + "/root/etc"));
  EXPECT_EQ(found("1000:100"), "1000:100 1000 /");
  EXPECT_EQ(found("www-data"), "there is no user 'www-data' in the container's /etc/passwd");
}

TEST_F(Accounts, LinksStayInside) {
  write("outside", "evil:x:0:0::/:/bin/sh\n");
  write("root/inside", "good:x:7:8::/good:/bin/sh\n");
  // As the container sees it, /outside does not exist, and ".." at the top is the top.
  replace_passwd([](const std::string& path) { return ::symlink("../../outside", path.c_str()); });
  EXPECT_EQ(found("evil"), "there is no user 'evil' in the container's /etc/passwd");
  replace_passwd([&](const std::string& path) {
    return ::symlink((top_ + "/outside").c_str(), path.c_str());
  });
  EXPECT_EQ(found("evil"), "there is no user 'evil' in the container's /etc/passwd");
  replace_passwd([](const std::string& path) { return ::symlink("/inside", path.c_str()); });
  EXPECT_EQ(found("good"), "7:8 good /good");
  replace_passwd([](const std::string& path) { return ::symlink("passwd", path.c_str()); });
  EXPECT_TRUE(found("good").contains("Too many levels of symbolic links"));
}

TEST_F(Accounts, OnlyRegularFilesOfSomeSizeAreRead) {
  const std::string refused = "the container's /etc/passwd: not a regular file";
  replace_passwd([](const std::string& path) { return ::mkfifo(path.c_str(), 0644); });
  EXPECT_EQ(found("root"), refused);
  ASSERT_EQ(::unlink((top_ + "/root/etc/passwd").c_str()), 0);
  ASSERT_EQ(::mkdir((top_ + "/root/etc/passwd").c_str(), 0755), 0);
  EXPECT_EQ(found("root"), refused);
  ASSERT_EQ(::rmdir((top_ + "/root/etc/passwd").c_str()), 0);
  write("root/etc/passwd", "big:x:9:9::/:/bin/sh\n");
  ASSERT_EQ(::truncate((top_ + "/root/etc/passwd").c_str(), (16 << 20) + 1), 0);
  EXPECT_EQ(found("big"), "the container's /etc/passwd: larger than 16 MiB");
  ASSERT_EQ(::truncate((top_ + "/root/etc/passwd").c_str(), 16 << 20), 0);
  EXPECT_EQ(found("big"), "9:9 big /");
}

}  // namespace
}  // namespace umbel::security
