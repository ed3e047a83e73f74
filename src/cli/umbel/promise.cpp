// The rules themselves are kept with a container, not the name of their file: a promise does not
// change when the file does.
#include "cli/umbel/promise.h"

#include "base/text.h"
#include "cli/umbel/output.h"
#include "ns/named.h"
#include "policy/library.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

using policy::Policy;
using policy::Refusal;

// A container with which something is shared by hand.
std::string partner_of(const RunOptions& options) {
  constexpr std::string_view with = "with:";
  for (const Text& text : options.kinds)
    if (text && text->starts_with(with)) return text->substr(with.size());
  return {};
}

void choose_limits(const Policy& policy, LimitOptions& limits) {
  struct Limit {
    std::string_view name;
    std::optional<std::string> LimitOptions::* text;
  };
  static constexpr std::array known = std::to_array<Limit>({
      {"memory", &LimitOptions::memory},
      {"cpus", &LimitOptions::cpus},
      {"cpuset-cpus", &LimitOptions::cpuset_cpus},
      {"pids-limit", &LimitOptions::pids},
      {"io-weight", &LimitOptions::io_weight},
  });
  for (const Limit& one : known) {
    const auto wanted = policy.limits.find(std::string(one.name));
    if (wanted != policy.limits.end() && !wanted->second.empty() && !(limits.*one.text))
      limits.*one.text = wanted->second;
  }
}

Error refused(const Refusal& refusal) {
  return Error{.code = EPERM, .detail = refusal.what, .cure = refusal.cure};
}

// All of them in one message; the cures too, each once.
Error refused(const std::vector<Refusal>& refusals) {
  Error error{.code = EINVAL};
  for (const Refusal& one : refusals) {
    error.detail += (error.detail.empty() ? "" : "; ") + one.what;
    if (!error.cure.contains(one.cure)) error.cure += (error.cure.empty() ? "" : "; ") + one.cure;
  }
  return error;
}

}  // namespace

Result<std::optional<Policy>> choose_by_policy(RunOptions& options) {
  if (!options.policy) return std::nullopt;
  Policy policy = TRY(during("--policy", policy::Library::usual().composed(*options.policy)));
  if (options.bundle) return policy;
  const std::string partner = partner_of(options);
  for (const ns::KindInfo& kind : ns::kinds)
    if (Text& text = options.kinds.at(ns::index(kind.kind)); !text)
      text = policy::choice(policy, kind.kind, partner);
  choose_limits(policy, options.limits);
  return policy;
}

Result<void> promise(const Policy& policy, const RunOptions& options, container::Config& config) {
  const bool hosts_files = config.namespaces[ns::Kind::mnt].from == ns::From::fresh &&
                           config.files.root.path.empty() && !options.privileged;
  if (hosts_files)
    config.files.masked.insert(config.files.masked.end(), policy.hidden.begin(),
                               policy.hidden.end());
  std::vector<Refusal> found = policy::contradictions(policy, config);
  if (policy.is_closed(policy::Reach::descriptors) && !options.detach && !options.terminal)
    found.push_back({"it would have the caller's input and output, and " + policy.name +
                         " lets it have no descriptors that lead outside",
                     "run it in the background (-d), or at a terminal of its own (-it)"});
  if (!found.empty()) return Failure(refused(found));
  config.promise = {.policy = policy.name, .rules = json_text(to_value(policy))};
  return {};
}

Result<std::optional<Policy>> promise_of(const container::Container& container) {
  const container::Promise& made = container.config.promise;
  if (made.rules.empty()) return std::nullopt;
  const Value value = TRY(during("the policy of " + container.name(), parse_json(made.rules)));
  return TRY(from_value<Policy>(value));
}

Result<void> hold_to(container::Container& container, const std::optional<Refusal>& refusal,
                     Force force) {
  if (!refusal) return {};
  if (force == Force::no) return Failure(refused(*refusal));
  TRY(container.lock());
  container.state.breaches.push_back(refusal->what);
  const Result<void> saved = container.save_state();
  container.unlock();
  if (saved) note("recorded with " + container.name() + ": " + refusal->what);
  return saved;
}

namespace {

Result<Fd> open_namespace_of(const container::Container& container, const ns::KindInfo& kind) {
  return sys::open(
      cwd,
      "/proc/" + std::to_string(container.state.init.pid.value()) + "/ns/" + std::string(kind.proc),
      O_RDONLY);
}

Result<Fd> open_source(const container::Home& home, const ns::KindInfo& kind,
                       const ns::Source& source) {
  switch (source.from) {
    case ns::From::with:
      return open_namespace_of(TRY(home.find(source.what)), kind);
    case ns::From::path:
      return sys::open(cwd, source.what, O_RDONLY);
    case ns::From::named: {
      const ns::Names names = TRY(ns::Names::open(home.path()));
      return names.open(kind.kind, source.what);
    }
    case ns::From::host:
    case ns::From::fresh:
      break;
  }
  return fail("it joins nobody");
}

// The containers that are in the namespace a source leads to. One that can't be joined is refused,
// with more words, when it comes to that.
std::vector<container::Container> others_in(const container::Home& home, const ns::KindInfo& kind,
                                            const ns::Source& source) {
  std::vector<container::Container> found;
  if (source.from == ns::From::host || source.from == ns::From::fresh) return found;
  const Result<Fd> wanted = open_source(home, kind, source);
  Result<std::vector<container::Container>> all = home.all();
  if (!wanted || !all) return found;
  const Result<sys::Identity> identity = sys::identity(*wanted);
  if (!identity) return found;
  for (container::Container& one : *all) {
    if (!one.is_running()) continue;
    const Result<Fd> has = open_namespace_of(one, kind);
    const Result<sys::Identity> its = has ? sys::identity(*has) : Failure(has.error());
    if (its && *its == *identity) found.push_back(std::move(one));
  }
  return found;
}

}  // namespace

Result<void> check_joins(const container::Home& home, const container::Config& config,
                         const std::optional<Policy>& policy, Force force) {
  for (const ns::KindInfo& kind : ns::kinds) {
    for (container::Container& owner : others_in(home, kind, config.namespaces[kind.kind])) {
      const std::optional<Policy> owners = TRY(promise_of(owner));
      if (!owners) continue;
      TRY(hold_to(
          owner,
          policy::against_joining(*owners, owner.name(), kind.kind, policy ? &*policy : nullptr),
          force));
    }
  }
  return {};
}

Result<void> check_limits(container::Container& container, const cgroup::Limits& changes,
                          Force force) {
  const std::optional<Policy> policy = TRY(promise_of(container));
  if (!policy) return {};
  for (const auto& [name, value] : policy->limits) {
    const bool lifted = (name == "memory" && changes.memory && *changes.memory < 0) ||
                        (name == "cpus" && changes.cpu_quota && *changes.cpu_quota < 0) ||
                        (name == "pids-limit" && changes.pids && *changes.pids < 0);
    if (lifted)
      TRY(hold_to(container,
                  Refusal{"no limit for " + name + " would break what " + container.name() +
                              " promised: " + policy->name + " wants one",
                          "give --" + name + " a value; or add --force, which is recorded"},
                  force));
  }
  return {};
}

}  // namespace umbel::cli
