// Policies compose by demanding both: of two lists of what is accepted, what both accept is left;
// a limit that one demands is demanded; what one closes is closed.
#include "policy/policy.h"

#include <algorithm>

#include "base/text.h"

namespace umbel::policy {

const std::array<std::string_view, 5> limit_names{"memory", "cpus", "cpuset-cpus", "pids-limit",
                                                  "io-weight"};

namespace {

bool accepts_any(const std::vector<Accepted>& list) {
  return list.empty() || std::ranges::find(list, Need::any, &Accepted::need) != list.end();
}

bool accepts(const std::vector<Accepted>& list, const Accepted& what) {
  return accepts_any(list) || std::ranges::find(list, what) != list.end();
}

std::vector<Accepted> both(const std::vector<Accepted>& a, const std::vector<Accepted>& b) {
  std::vector<Accepted> left;
  const auto take = [&](const std::vector<Accepted>& from, const std::vector<Accepted>& other) {
    for (const Accepted& one : from)
      if (one.need != Need::any && accepts(other, one) &&
          std::ranges::find(left, one) == left.end())
        left.push_back(one);
  };
  take(a, b);
  take(b, a);
  if (accepts_any(a) && accepts_any(b) && !left.empty()) left.push_back({Need::any, {}});
  return left;
}

Result<void> add(Policy& made, const Policy& more) {
  for (const ns::KindInfo& kind : ns::kinds) {
    std::vector<Accepted>& now = made.namespaces.at(ns::index(kind.kind));
    const std::vector<Accepted>& wanted = more.of(kind.kind);
    std::vector<Accepted> left = both(now, wanted);
    if (left.empty() && !(accepts_any(now) && accepts_any(wanted)))
      return fail("the policies " + made.name + " and " + more.name +
                      " contradict each other: " + std::string(kind.option) + " would have to be " +
                      needs_text(now) + " and " + needs_text(wanted),
                  "leave one of them out");
    now = std::move(left);
  }
  for (const auto& [name, value] : more.limits) {
    std::string& chosen = made.limits[name];
    if (chosen.empty()) chosen = value;
  }
  for (std::size_t i = 0; i < reach_count; ++i) made.closed.at(i) |= more.closed.at(i);
  for (const std::string& path : more.hidden)
    if (std::ranges::find(made.hidden, path) == made.hidden.end()) made.hidden.push_back(path);
  made.name += "," + more.name;
  made.summary += "; " + more.summary;
  made.use += "\n\n" + more.use;
  made.checkpoint |= more.checkpoint;
  made.no_links |= more.no_links;
  made.usual_rights |= more.usual_rights;
  return {};
}

}  // namespace

bool Policy::accepts(ns::Kind kind, const Accepted& what) const {
  return policy::accepts(of(kind), what);
}

std::string accepted_text(const Accepted& accepted) {
  if (accepted.need == Need::named) return accepted.source;
  for (const auto& [need, name] : name_table(Need{}))
    if (need == accepted.need) return std::string(name);
  return "?";
}

std::string needs_text(const std::vector<Accepted>& accepted) {
  if (accepts_any(accepted)) return "anything";
  std::string text;
  for (const Accepted& one : accepted) text += (text.empty() ? "" : " or ") + accepted_text(one);
  return text;
}

Result<Policy> compose(const std::vector<Policy>& policies) {
  ensure(!policies.empty(), "no policy to compose");
  Policy made = policies.front();
  for (std::size_t i = 1; i < policies.size(); ++i) TRY(add(made, policies[i]));
  return made;
}

}  // namespace umbel::policy
