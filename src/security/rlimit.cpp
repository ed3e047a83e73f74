// Anyone may lower a limit, and raise the soft one up to the hard one; raising the hard one is
// CAP_SYS_RESOURCE's alone, and for open files ends at fs.nr_open even then.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "security/credentials.h"
#include "sys/credentials.h"

namespace umbel::security {

namespace {

constexpr std::string_view rlimit_prefix = "RLIMIT_";

struct Resource {
  std::string_view name;  // after RLIMIT_
  int number;
};
constexpr std::array resources = std::to_array<Resource>({
    {"AS", RLIMIT_AS},
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
    {"STACK", RLIMIT_STACK},
});

Result<Resource> find_resource(std::string_view type) {
  std::string name(type);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  if (name.starts_with(rlimit_prefix)) name.erase(0, rlimit_prefix.size());
  const auto* known = std::ranges::find(resources, name, &Resource::name);
  if (known != resources.end()) return *known;
  std::array<std::string_view, resources.size()> names{};
  std::ranges::transform(resources, names.begin(), &Resource::name);
  const std::optional<std::string_view> meant = nearest(name, names);
  return fail("there is no resource limit '" + std::string(type) + "'",
              meant ? "did you mean " + std::string(rlimit_prefix) + std::string(*meant) + "?"
                    : "see setrlimit(2)");
}

std::optional<std::uint64_t> limit_value(std::string_view text) {
  if (text == "unlimited" || text == "-1") return RLIM_INFINITY;
  return unsigned_number(text);
}

std::string limit_text(std::uint64_t value) {
  return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
}

Result<void> apply_one(const Rlimit& limit) {
  const Resource resource = TRY(find_resource(limit.type));
  const std::string name = std::string(rlimit_prefix) + std::string(resource.name);
  if (limit.soft > limit.hard)
    return fail_with(EINVAL, name + ": the soft limit " + limit_text(limit.soft) +
                                 " is above the hard one, " + limit_text(limit.hard));
  Result<void> set = sys::set_limit(resource.number, {limit.soft, limit.hard});
  if (set || set.error().code != EPERM)
    return during(name + "=" + limit_text(limit.soft) + ":" + limit_text(limit.hard),
                  std::move(set));
  const sys::Limit now = TRY(sys::get_limit(resource.number));
  std::string cure = "ask for at most " + limit_text(now.hard) + ", or start umbel with ";
  cure += resource.number == RLIMIT_NOFILE ? "CAP_SYS_RESOURCE and a sysctl fs.nr_open of that size"
                                           : "CAP_SYS_RESOURCE";
  return advise(cure, during("raising the hard limit " + name + " from " + limit_text(now.hard) +
                                 " to " + limit_text(limit.hard),
                             std::move(set)));
}

}  // namespace

Result<Rlimit> parse_rlimit(std::string_view text) {
  const Failure wrong = fail("'" + std::string(text) + "' is not a limit",
                             "write NAME=SOFT[:HARD], like nofile=1024:2048 or core=unlimited");
  const std::optional<Halves> halves = cut(text, '=');
  if (!halves) return wrong;
  const Resource resource = TRY(find_resource(halves->before));
  const std::vector<std::string_view> values = split(halves->after, ':');
  if (values.empty() || values.size() > 2) return wrong;
  const std::optional<std::uint64_t> soft = limit_value(values.front());
  const std::optional<std::uint64_t> hard = limit_value(values.back());
  if (!soft || !hard) return wrong;
  if (*soft > *hard)
    return fail("'" + std::string(text) + "': the soft limit is above the hard one",
                "write NAME=SOFT:HARD");
  return Rlimit{std::string(rlimit_prefix) + std::string(resource.name), *soft, *hard};
}

Result<void> apply(const std::vector<Rlimit>& limits) {
  for (const Rlimit& limit : limits) TRY(apply_one(limit));
  return {};
}

}  // namespace umbel::security
