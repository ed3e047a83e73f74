// The two files are the container's, so nothing about them is trusted: they are found as a process
// inside would find them (a link to /etc/shadow means the container's), they must be regular files
// (opening a device can do things, a pipe would wait), and their size has a limit. A line that
// can't be read is passed over, as the C library does.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "security/credentials.h"
#include "sys/file.h"

namespace umbel::security {

namespace {

// Some 200,000 lines.
constexpr std::size_t largest_file = std::size_t{16} << 20;

Result<void> check_regular(FdRef file) {
  const struct stat found = TRY(sys::status(file));
  if (!S_ISREG(found.st_mode)) return fail("not a regular file");
  return {};
}

// A file that is not there is empty.
Result<std::string> read_inside(FdRef root, const std::string& path) {
  const Result<Fd> place = sys::open_in_root(root, path, O_PATH);
  if (!place && (place.error().code == ENOENT || place.error().code == ENOTDIR))
    return std::string();
  if (!place) return Failure(place.error());
  // Looked at before it is opened, and again since it may have been replaced meanwhile.
  TRY(check_regular(*place));
  const Fd file = TRY(sys::open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  TRY(check_regular(file));
  std::string text = TRY(sys::read_all(file, largest_file + 1));
  if (text.size() > largest_file) return fail("larger than 16 MiB");
  return text;
}

std::optional<std::uint32_t> id(std::string_view text) {
  const std::optional<std::uint64_t> value = unsigned_number(text);
  // All ones means "unchanged" to the kernel.
  if (!value || *value >= 0xffffffff) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Calls `each` with the parts of every line that has at least so many, until it answers true.
void for_lines(std::string_view file, std::size_t least_parts, auto each) {
  while (!file.empty()) {
    const std::string_view line = file.substr(0, file.find('\n'));
    file.remove_prefix(std::min(line.size() + 1, file.size()));
    const std::vector<std::string_view> parts = split(line, ':');
    if (parts.size() >= least_parts && each(parts)) return;
  }
}

struct UserLine {
  std::string_view name, home;
  std::uint32_t uid = 0, gid = 0;
};

// name:password:uid:gid:comment:home:shell
std::optional<UserLine> find_user(std::string_view passwd, std::string_view wanted) {
  const bool by_number = is_number(wanted);
  std::optional<UserLine> found;
  for_lines(passwd, 4, [&](const std::vector<std::string_view>& parts) {
    const std::optional<std::uint32_t> uid = id(parts[2]), gid = id(parts[3]);
    if (!uid || !gid || (by_number ? uid != id(wanted) : parts[0] != wanted)) return false;
    found = {parts[0], parts.size() > 5 ? parts[5] : "", *uid, *gid};
    return true;
  });
  return found;
}

// name:password:gid:member,member
std::optional<std::uint32_t> find_group(std::string_view group, std::string_view wanted) {
  std::optional<std::uint32_t> found;
  for_lines(group, 3, [&](const std::vector<std::string_view>& parts) {
    if (parts[0] == wanted) found = id(parts[2]);
    return found.has_value();
  });
  return found;
}

std::vector<std::uint32_t> groups_of(std::string_view group, std::string_view user) {
  std::vector<std::uint32_t> found;
  for_lines(group, 4, [&](const std::vector<std::string_view>& parts) {
    const std::vector<std::string_view> members = split(parts[3], ',');
    const std::optional<std::uint32_t> gid = id(parts[2]);
    if (gid && std::ranges::find(members, user) != members.end()) found.push_back(*gid);
    return false;
  });
  return found;
}

Failure unknown(std::string_view what, std::string_view name, std::string_view file) {
  if (is_number(name))
    return fail(std::string(name) + " is no " + std::string(what) + " number",
                "the largest is 4294967294");
  return fail("there is no " + std::string(what) + " '" + std::string(name) +
                  "' in the container's " + std::string(file),
              "give a number, or a name that is there");
}

}  // namespace

Result<Account> look_up_user(FdRef root, std::string_view name) {
  const std::optional<Halves> halves = cut(name, ':');
  const std::string_view user = halves ? halves->before : name;
  const std::string_view wanted = user.empty() ? "0" : user;
  const std::string passwd =
      TRY(during("the container's /etc/passwd", read_inside(root, "/etc/passwd")));
  const std::string group =
      TRY(during("the container's /etc/group", read_inside(root, "/etc/group")));

  Account account{.name = std::string(wanted), .home = "/"};
  if (const std::optional<UserLine> line = find_user(passwd, wanted)) {
    account.user = {.uid = line->uid, .gid = line->gid};
    account.name = line->name;
    if (line->home.starts_with('/')) account.home = line->home;
    if (!halves) account.user.groups = groups_of(group, line->name);
  } else if (const std::optional<std::uint32_t> uid = id(wanted)) {
    account.user.uid = *uid;
  } else {
    return unknown("user", wanted, "/etc/passwd");
  }
  if (!halves || halves->after.empty()) return account;
  const std::optional<std::uint32_t> gid =
      is_number(halves->after) ? id(halves->after) : find_group(group, halves->after);
  if (!gid) return unknown("group", halves->after, "/etc/group");
  account.user.gid = *gid;
  return account;
}

}  // namespace umbel::security
