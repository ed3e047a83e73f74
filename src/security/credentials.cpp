#include "security/credentials.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/procfs.h"

namespace umbel::security {

namespace {

bool has(const auto& list, const auto& element) {
  return std::ranges::find(list, element) != list.end();
}

// Larger ones are no account files.
constexpr std::size_t largest_file = std::size_t{16} << 20;

// By a path inside the root, whatever its symbolic links say; a file that is not there is empty.
Result<std::string> read_inside(FdRef root, const std::string& path) {
  const Result<Fd> file = sys::open_in_root(root, path, O_RDONLY | O_NONBLOCK);
  if (!file && (file.error().code == ENOENT || file.error().code == ENOTDIR)) return std::string();
  if (!file) return Failure(file.error());
  return during(path, sys::read_all(*file, largest_file));
}

std::optional<std::uint32_t> id(std::string_view text) {
  const auto value = unsigned_number(text);
  // All ones means "unchanged" to the kernel.
  if (!value || *value >= 0xffffffff) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

struct PasswdLine {
  std::string_view name, home;
  std::uint32_t uid = 0, gid = 0;
};

// name:password:uid:gid:comment:home:shell
std::optional<PasswdLine> find_user(std::string_view passwd, std::string_view wanted) {
  const auto number_wanted = id(wanted);
  std::optional<PasswdLine> by_number;
  for (std::string_view line : split(passwd, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() < 6) continue;
    const auto uid = id(parts[2]);
    const auto gid = id(parts[3]);
    if (!uid || !gid) continue;
    const PasswdLine found{parts[0], parts[5], *uid, *gid};
    if (parts[0] == wanted) return found;
    if (number_wanted == uid && !by_number) by_number = found;
  }
  return by_number;
}

// name:password:gid:member,member
std::optional<std::uint32_t> find_group(std::string_view group, std::string_view wanted) {
  for (std::string_view line : split(group, '\n'))
    if (const auto parts = split(line, ':'); parts.size() >= 3 && parts[0] == wanted)
      return id(parts[2]);
  return std::nullopt;
}

std::vector<std::uint32_t> groups_of(std::string_view group, std::string_view user) {
  std::vector<std::uint32_t> found;
  for (std::string_view line : split(group, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() < 4) continue;
    if (const auto gid = id(parts[2]); gid && has(split(parts[3], ','), user))
      found.push_back(*gid);
  }
  return found;
}

struct Resource {
  std::string_view name;  // after RLIMIT_
  int number;
};
constexpr std::array resources = std::to_array<Resource>({{"AS", RLIMIT_AS},
                                                          {"CORE", RLIMIT_CORE},
                                                          {"CPU", RLIMIT_CPU},
                                                          {"DATA", RLIMIT_DATA},
                                                          {"FSIZE", RLIMIT_FSIZE},
                                                          {"LOCKS", RLIMIT_LOCKS},
                                                          {"MEMLOCK", RLIMIT_MEMLOCK},
                                                          {"MSGQUEUE", RLIMIT_MSGQUEUE},
                                                          {"NICE", RLIMIT_NICE},
                                                          {"NOFILE", RLIMIT_NOFILE},
                                                          {"NPROC", RLIMIT_NPROC},
                                                          {"RSS", RLIMIT_RSS},
                                                          {"RTPRIO", RLIMIT_RTPRIO},
                                                          {"RTTIME", RLIMIT_RTTIME},
                                                          {"SIGPENDING", RLIMIT_SIGPENDING},
                                                          {"STACK", RLIMIT_STACK}});

Result<Resource> find_resource(std::string_view type) {
  std::string name(type);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  if (name.starts_with("RLIMIT_")) name.erase(0, 7);
  for (const Resource& known : resources)
    if (known.name == name) return known;
  std::vector<std::string_view> names;
  for (const Resource& known : resources) names.push_back(known.name);
  const auto meant = nearest(name, names);
  return fail("there is no resource limit '" + std::string(type) + "'",
              meant ? "did you mean " + std::string(*meant) + "?" : "getrlimit(2) lists them");
}

std::optional<std::uint64_t> limit_value(std::string_view text) {
  if (text == "unlimited" || text == "-1") return RLIM_INFINITY;
  return unsigned_number(text);
}

// Writes where the answer must be the kernel's own file, not one that a container put there.
Result<void> write_own(const std::string& path, std::string_view text) {
  const Fd proc = TRY(sys::open_procfs());
  const Fd file = TRY(sys::open_in_procfs(proc, path, O_WRONLY));
  return sys::write_all(file, text);
}

}  // namespace

Result<Account> look_up_user(FdRef root, std::string_view name) {
  const auto halves = cut(name, ':');
  const std::string_view user_part = halves ? halves->before : name;
  const std::string passwd = TRY(read_inside(root, "/etc/passwd"));
  const std::string group = TRY(read_inside(root, "/etc/group"));
  Account account{.home = "/"};
  const auto line = find_user(passwd, user_part);
  const auto uid = id(user_part);
  if (!line && !uid)
    return fail("there is no user '" + std::string(user_part) + "' in the container's /etc/passwd",
                "give a number, or a name that is there");
  account.user.uid = line ? line->uid : *uid;
  account.user.gid = line ? line->gid : 0;
  account.name = line ? line->name : user_part;
  if (line && !line->home.empty()) account.home = line->home;
  if (line) account.user.groups = groups_of(group, line->name);
  if (!halves) return account;
  const auto named = find_group(group, halves->after);
  const auto gid = named ? named : id(halves->after);
  if (!gid)
    return fail(
        "there is no group '" + std::string(halves->after) + "' in the container's /etc/group",
        "give a number, or a name that is there");
  account.user.gid = *gid;
  account.user.groups.clear();  // as Docker has it: a named group stands alone
  return account;
}

Result<void> become(const User& user) {
  const Result<void> set = sys::set_groups(user.groups);
  if (!set && !(set.error().code == EPERM && user.groups.empty()))
    return advise("supplementary groups need a user namespace with mapped groups",
                  Result<void>(set));
  TRY(during("group " + std::to_string(user.gid), sys::set_group(user.gid)));
  TRY(advise("map that id with --uid-map",
             during("user " + std::to_string(user.uid), sys::set_user(user.uid))));
  (void)sys::set_umask(user.umask.value_or(022));
  return {};
}

Result<Rlimit> parse_rlimit(std::string_view text) {
  const auto halves = cut(text, '=');
  const auto values = halves ? split(halves->after, ':') : std::vector<std::string_view>();
  const auto soft = values.empty() ? std::nullopt : limit_value(values[0]);
  const auto hard = values.size() < 2 ? soft : limit_value(values[1]);
  if (!soft || !hard || values.size() > 2)
    return fail("'" + std::string(text) + "' is no limit",
                "write NAME=SOFT[:HARD], like nofile=1024:2048");
  const Resource resource = TRY(find_resource(halves->before));
  if (*soft > *hard)
    return fail("'" + std::string(text) + "': the soft limit is above the hard one",
                "write SOFT:HARD");
  return Rlimit{"RLIMIT_" + std::string(resource.name), *soft, *hard};
}

Result<void> apply(const std::vector<Rlimit>& limits) {
  for (const Rlimit& limit : limits) {
    const Resource resource = TRY(find_resource(limit.type));
    const Result<void> set = sys::set_limit(resource.number, {limit.soft, limit.hard});
    if (set) continue;
    if (set.error().code == EPERM)
      return advise(
          "choose at most the present hard limit (ulimit -H), or run umbel with CAP_SYS_RESOURCE",
          during("raising the hard limit of " + limit.type, Result<void>(set)));
    return during(limit.type, Result<void>(set));
  }
  return {};
}

Result<void> forbid_new_privileges() { return sys::set_no_new_privileges(); }

Result<void> set_apparmor_profile(const std::string& profile) {
  Result<void> written = write_own("thread-self/attr/apparmor/exec", "exec " + profile);
  if (!written && written.error().code == ENOENT)
    written = write_own("thread-self/attr/exec", "exec " + profile);
  if (written) return {};
  return advise("this kernel may run without AppArmor: leave the profile out",
                during("setting the AppArmor profile " + profile, std::move(written)));
}

Result<void> set_selinux_label(const std::string& label) {
  return advise(
      "this kernel may run without SELinux: leave the label out",
      during("setting the SELinux label " + label, write_own("thread-self/attr/exec", label)));
}

Result<void> set_oom_score(std::int64_t adjustment) {
  return advise("lowering it needs CAP_SYS_RESOURCE",
                during("setting oom_score_adj to " + std::to_string(adjustment),
                       write_own("self/oom_score_adj", std::to_string(adjustment))));
}

}  // namespace umbel::security
