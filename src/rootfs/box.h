// For the tests of this folder: a real container's mount namespace, in a child, with a question
// asked inside.
#pragma once

#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "proc/mountinfo.h"
#include "rootfs/rootfs.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace umbel::rootfs::testing {

// A directory of its own, gone with the test.
class Folder {
 public:
  Folder() {
    std::string name = "/tmp/umbel-rootfs-XXXXXX";
    path_ = ::mkdtemp(name.data());
    ::chmod(path_.c_str(), 0755);
  }
  ~Folder() {
    const Result<Fd> parent = sys::open(cwd, "/tmp", O_PATH);
    EXPECT_TRUE(parent && sys::remove_tree(*parent, path_.substr(5)));
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  // Parents are made too.
  std::string directory(const std::string& name) const {
    std::string at = path_ + "/" + name;
    EXPECT_TRUE(sys::make_directories(at, 0755));
    return at;
  }
  std::string file(const std::string& name, const std::string& content) const {
    const std::size_t slash = name.find_last_of('/');
    if (slash != std::string::npos) directory(name.substr(0, slash));
    std::string at = path_ + "/" + name;
    const Result<Fd> made = sys::open(cwd, at, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    EXPECT_TRUE(made && sys::write_all(*made, content));
    return at;
  }

 private:
  std::string path_;
};

constexpr std::uint64_t all_but_user =
    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;

struct Box {
  Spec spec;
  std::uint64_t flags = all_but_user;
  Rights rights = {};
  // Of the user namespace, where flags has CLONE_NEWUSER.
  Mappings mappings = {{{0, 100000, 65536}}, {{0, 100000, 65536}}};
};

inline std::string map_text(const std::vector<IdMapping>& mappings) {
  std::string text;
  for (const IdMapping& m : mappings)
    text += std::to_string(m.inside) + " " + std::to_string(m.outside) + " " +
            std::to_string(m.count) + "\n";
  return text;
}

// Whole words of what went wrong, or the answer.
inline std::string told(const Error& error) {
  return "error: " + error.message() + (error.cure.empty() ? "" : " [" + error.cure + "]");
}

using Question = std::function<std::string(const Built&)>;

// Asked outside, with the first process's pid, after the question and while it still runs.
using Inspection = std::function<std::string(HostPid)>;

// The inspection's answer, where there is one, follows the question's.
inline std::string in_box(const Box& box, const Question& question,
                          const Inspection& inspection = nullptr) {
  Result<Prepared> prepared = prepare(box.spec, box.mappings);
  if (!prepared) return told(prepared.error());
  Result<sys::Channel> channel = sys::channel();
  if (!channel) return told(channel.error());
  Rights rights = box.rights;
  rights.user_new = rights.user_new || (box.flags & CLONE_NEWUSER) != 0;
  rights.cgroup_new = (box.flags & CLONE_NEWCGROUP) != 0;
  Result<sys::Process> child = sys::start({.flags = box.flags}, [&] {
    channel->ours.close();
    (void)sys::receive(channel->theirs);
    if (rights.user_new && (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0)) return 1;
    ::prctl(PR_SET_DUMPABLE, 1);  // or its /proc files would be the host's root's
    const Result<Built> built = build(box.spec, *std::move(prepared), rights);
    const std::string answer = built ? question(*built) : told(built.error());
    if (!sys::send(channel->theirs, "=" + answer.substr(0, 60000))) return 1;
    (void)sys::receive(channel->theirs);
    return 0;
  });
  if (!child) return told(child.error());
  channel->theirs.close();
  if ((box.flags & CLONE_NEWUSER) != 0) {
    const std::string directory = "/proc/" + std::to_string(child->pid().value());
    if (::geteuid() != 0) (void)sys::write_file(cwd, directory + "/setgroups", "deny");
    if (!sys::write_file(cwd, directory + "/uid_map", map_text(box.mappings.uids)) ||
        !sys::write_file(cwd, directory + "/gid_map", map_text(box.mappings.gids)))
      return "error: no id mappings";
  }
  if (!sys::send(channel->ours, "go")) return "error: the child is gone";
  Result<sys::Message> answer = sys::receive(channel->ours);
  if (answer && !answer->closed && inspection) answer->data += inspection(child->pid());
  (void)sys::send(channel->ours, "end");
  const Result<sys::Exit> end = child->wait();
  if (!answer || answer->closed)
    return "error: the child ended with " + (end ? std::to_string(end->code()) : "?");
  return answer->data.substr(1);
}

// Answers as that user, from a process with no rights.
inline std::string as_user(uid_t user, const std::function<std::string()>& body) {
  Result<sys::Channel> channel = sys::channel();
  if (!channel) return told(channel.error());
  Result<sys::Process> child = sys::start({}, [&] {
    if (::setresgid(user, user, user) != 0 || ::setresuid(user, user, user) != 0) return 1;
    ::prctl(PR_SET_DUMPABLE, 1);  // or its /proc files would be root's
    return sys::send(channel->theirs, "=" + body()) ? 0 : 1;
  });
  channel->theirs.close();
  const Result<sys::Message> answer = sys::receive(channel->ours);
  if (child) (void)child->wait();
  return answer && !answer->closed ? answer->data.substr(1) : "error: no answer";
}

// Facts that a question can be made of.
inline std::string content(const std::string& path) {
  const Result<std::string> text = sys::read_file(cwd, path);
  return text ? *text : told(text.error());
}
inline std::string names(const std::string& path) {
  Result<std::vector<std::string>> found = sys::list(cwd, path);
  if (!found) return told(found.error());
  std::ranges::sort(*found);
  std::string text;
  for (const std::string& name : *found) text += (text.empty() ? "" : " ") + name;
  return text;
}
inline std::string write_to(const std::string& path, const std::string& text) {
  const Result<Fd> file = sys::open(cwd, path, O_WRONLY | O_CREAT, 0644);
  if (!file) return ::strerrorname_np(file.error().code);
  return sys::write_all(*file, text) ? "written" : "not written";
}
// "tmpfs ro,nosuid" of the mount on top at a path, as mountinfo shows it; "none" without one.
inline std::string mount_at(const std::string& path) {
  const auto mounts = proc::parse_mounts(content("/proc/self/mountinfo"));
  if (!mounts) return told(mounts.error());
  for (const proc::Mount& mount : *mounts)
    if (mount.point == path && !proc::hidden(mount, *mounts))
      return mount.type + " " + mount.options;
  return "none";
}

// Why the tests of this folder can't run here; empty when they can.
inline std::string missing() {
  if (::geteuid() != 0) return "needs root, to make mount namespaces and device files";
  const Result<sys::Process> child = sys::start({.flags = CLONE_NEWNS}, [] { return 0; });
  return child ? "" : "needs mount namespaces: " + child.error().message();
}
#define UMBEL_SKIP_WITHOUT_MOUNTS() \
  if (const std::string why = missing(); !why.empty()) GTEST_SKIP() << why

// What must be the same before and after: the host's mounts.
inline std::string host_mounts() { return content("/proc/self/mountinfo"); }

// Runs in a mount namespace of its own, so that what a test mounts "on the host" stays in it.
inline int in_private_namespace(const std::function<void()>& body) {
  Result<sys::Process> child = sys::start({.flags = CLONE_NEWNS}, [&] {
    if (!sys::set_attributes_at(cwd, "/", sys::Depth::recursive, {.propagation = MS_PRIVATE}))
      return 99;
    body();
    return ::testing::Test::HasFailure() ? 1 : 0;
  });
  if (!child) return 98;
  const Result<sys::Exit> end = child->wait();
  return end ? end->code() : 97;
}

}  // namespace umbel::rootfs::testing
