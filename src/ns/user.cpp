// A user namespace starts without ids: until its maps are written, by a process of the parent
// namespace, everything in it is the overflow id and exec would lose all capabilities.
// Rules (user_namespaces(7)): a map is written once and in one write(2); without CAP_SETUID in the
// parent namespace it may hold one's own id alone, and gid_map only after "deny" to setgroups; more
// needs newuidmap(1) and newgidmap(1), which check /etc/subuid and /etc/subgid.
#include "ns/user.h"

#include <array>
#include <span>

#include "base/text.h"
#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/process.h"

namespace umbel::ns::user {

namespace {

std::string text_of(std::span<const IdRange> map) {
  std::string text;
  for (const IdRange& range : map)
    text += std::to_string(range.inside) + " " + std::to_string(range.outside) + " " +
            std::to_string(range.count) + "\n";
  return text;
}

std::string proc_file(HostPid pid, std::string_view name) {
  return "/proc/" + std::to_string(pid.value()) + "/" + std::string(name);
}

// Where distributions install it; the $PATH of a service may lack it.
std::string find_program(const std::string& name) {
  for (std::string_view dir : {"/usr/bin/", "/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/"})
    if (std::string path = std::string(dir) + name; sys::exists(cwd, path)) return path;
  return {};
}

Result<void> run_map_program(const std::string& name, HostPid pid, std::span<const IdRange> map) {
  const std::string path = find_program(name);
  if (path.empty())
    return fail(name + " is not installed, and without it an ordinary user can map only the own id",
                "install the package uidmap, or map one id only");
  std::vector<std::string> args{name, std::to_string(pid.value())};
  for (const IdRange& range : map)
    for (const std::uint32_t part : {range.inside, range.outside, range.count})
      args.push_back(std::to_string(part));
  const sys::Pipe complaint = TRY(sys::pipe());
  const std::vector<std::string> env{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  sys::Process child = TRY(sys::start({}, [&] {
    (void)sys::install(complaint.write, 2);
    (void)sys::execute(path, args, env);
    return 127;
  }));
  const sys::Exit ended = TRY(child.wait());
  if (ended.code() == 0) return {};
  TRY(sys::set_nonblocking(complaint.read, true));
  std::array<char, 512> text{};
  const Result<std::size_t> length = sys::read(complaint.read, text);
  return fail(join(args, " ") + ": " +
                  std::string(trimmed(std::string_view(text.data(), length ? *length : 0))),
              "give this user ranges in /etc/subuid and /etc/subgid (usermod --add-subuids "
              "100000-165535 --add-subgids 100000-165535 USER)");
}

bool is_own_id_alone(std::span<const IdRange> map, std::uint32_t own) {
  return map.size() == 1 && map[0].count == 1 && map[0].outside == own;
}

Result<void> write_map(HostPid pid, std::string_view file, const std::string& program,
                       std::span<const IdRange> map, std::uint32_t own) {
  if (map.empty()) return {};
  Result<void> written = sys::write_file(cwd, proc_file(pid, file), text_of(map));
  if (written || written.error().code != EPERM || is_own_id_alone(map, own))
    return during("writing the " + std::string(file) + " of the new user namespace",
                  std::move(written));
  return run_map_program(program, pid, map);
}

std::string name_of(std::uint32_t uid) {
  const Result<std::string> passwd = sys::read_file(cwd, "/etc/passwd");
  if (passwd)
    for (std::string_view line : split(*passwd, '\n'))
      if (const auto parts = split(line, ':'); parts.size() > 2 && parts[2] == std::to_string(uid))
        return std::string(parts[0]);
  return {};
}

// The ranges that /etc/subuid or /etc/subgid give this user, mapped from 1 on.
std::vector<IdRange> subordinate(const std::string& file, std::uint32_t uid,
                                 std::string_view name) {
  std::vector<IdRange> ranges;
  const Result<std::string> text = sys::read_file(cwd, file);
  if (!text) return ranges;
  std::uint32_t next = 1;
  for (std::string_view line : split(*text, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() != 3 || (parts[0] != name && parts[0] != std::to_string(uid))) continue;
    const auto first = unsigned_number(parts[1]);
    const auto count = unsigned_number(parts[2]);
    if (!first || !count || *count == 0 || *first + *count > 0xffffffff) continue;
    ranges.push_back(
        {next, static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*count)});
    next += static_cast<std::uint32_t>(*count);
  }
  return ranges;
}

Result<std::vector<IdRange>> read_map(const std::string& file) {
  const std::string text = TRY(sys::read_file(cwd, file));
  std::vector<IdRange> map;
  for (std::string_view line : split(text, '\n')) {
    const auto parts = words(line);
    if (parts.size() != 3) continue;
    IdRange range;
    const std::array<std::uint32_t*, 3> into{&range.inside, &range.outside, &range.count};
    for (std::size_t i = 0; i < 3; ++i)
      *into.at(i) = static_cast<std::uint32_t>(unsigned_number(parts[i]).value_or(0));
    map.push_back(range);
  }
  return map;
}

}  // namespace

Result<void> apply(const Settings& settings) {
  TRY(sys::set_group(0));
  if (!settings.deny_setgroups) TRY(sys::set_groups({}));
  return sys::set_user(0);
}

Result<void> capture(Settings& settings) {
  settings.uid_map = TRY(read_map("/proc/self/uid_map"));
  settings.gid_map = TRY(read_map("/proc/self/gid_map"));
  settings.deny_setgroups = trimmed(TRY(sys::read_file(cwd, "/proc/self/setgroups"))) == "deny";
  return {};
}

Result<void> write_maps(HostPid pid, const Settings& settings) {
  TRY(write_map(pid, "uid_map", "newuidmap", settings.uid_map, sys::own_uid()));
  if (settings.deny_setgroups) TRY(sys::write_file(cwd, proc_file(pid, "setgroups"), "deny"));
  return write_map(pid, "gid_map", "newgidmap", settings.gid_map, sys::own_gid());
}

Result<Available> available_maps() {
  const std::uint32_t uid = sys::own_uid();
  const std::uint32_t gid = sys::own_gid();
  Available maps{.uid_map = {{0, uid, 1}}, .gid_map = {{0, gid, 1}}};
  const std::string name = name_of(uid);
  const std::vector<IdRange> uids = subordinate("/etc/subuid", uid, name);
  const std::vector<IdRange> gids = subordinate("/etc/subgid", uid, name);
  const bool programs = !find_program("newuidmap").empty() && !find_program("newgidmap").empty();
  if (programs && !uids.empty() && !gids.empty()) {
    maps.uid_map.insert(maps.uid_map.end(), uids.begin(), uids.end());
    maps.gid_map.insert(maps.gid_map.end(), gids.begin(), gids.end());
    return maps;
  }
  maps.deny_setgroups = true;
  maps.note = programs
                  ? "only your own id is mapped: /etc/subuid and /etc/subgid have no range for you"
                  : "only your own id is mapped: newuidmap is not installed (package uidmap)";
  return maps;
}

Result<IdRange> parse_range(std::string_view text) {
  const auto parts = split(text, ':');
  IdRange range;
  const std::array<std::uint32_t*, 3> into{&range.inside, &range.outside, &range.count};
  bool good = parts.size() == 3;
  for (std::size_t i = 0; good && i < 3; ++i) {
    const auto value = unsigned_number(parts[i]);
    good = value && *value <= 0xffffffff;
    if (good) *into.at(i) = static_cast<std::uint32_t>(*value);
  }
  if (!good || range.count == 0)
    return fail("'" + std::string(text) + "' is not an id mapping",
                "write INSIDE:OUTSIDE:COUNT, like 0:100000:65536");
  return range;
}

}  // namespace umbel::ns::user
