// A rule is broken by a thing that leads out of the group. Where everybody else who has it is in
// containers, a larger group may mend it; where a process of no container has it, or nobody in
// sight, nothing does. A larger group never breaks less of what no container can mend, and each
// thing names all who must come along: so the smallest group is found by adding those until nothing
// more is asked for, and there is none if an obstacle shows on the way.
#include "policy/verdict.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"

namespace umbel::policy {

namespace {

using survey::Fact;
using survey::Holder;
using survey::Matter;

// What makes a matter count.
bool when_closed(const Policy& policy, Reach reach) { return policy.is_closed(reach); }
bool when_checkpointed(const Policy& policy, Reach) { return policy.checkpoint; }
bool when_usual(const Policy& policy, Reach) { return policy.usual_rights; }
bool when_unlinked(const Policy& policy, Reach) { return policy.no_links; }

struct Rule {
  Matter matter;
  bool (*counts)(const Policy&, Reach);
  Reach reach;
  std::string_view cure;  // @ stands for the object
};
constexpr std::array rules = std::to_array<Rule>({
    {Matter::pipe, when_closed, Reach::descriptors,
     "start it without: umbel run -d gives it an output of its own; or declare it external: "
     "--external '@'"},
    {Matter::socket, when_closed, Reach::descriptors,
     "close it, or run the other end in a container and check both; or declare it external: "
     "--external '@'"},
    {Matter::connection, when_closed, Reach::descriptors,
     "close the connection, or declare it external: --external '@'"},
    {Matter::file, when_closed, Reach::descriptors,
     "close it, or start the container with an output of its own (umbel run -d); or declare it "
     "external: --external '@'"},
    {Matter::memory, when_closed, Reach::memory,
     "end the other process, or run it in a container and check both"},
    {Matter::lock, when_closed, Reach::locks, "wait until the lock is released"},
    {Matter::terminal, when_closed, Reach::terminals,
     "run it in the background: umbel run -d; or declare it external: --external '@'"},
    {Matter::tracer, when_closed, Reach::tracers, "detach the debugger"},
    {Matter::mount, when_closed, Reach::mounts,
     "copy the files into it (umbel cp) and leave the volume out; or declare it external: "
     "--external '@'"},
    {Matter::device, when_closed, Reach::devices, "close the device, or run it without"},
    {Matter::entrance, when_closed, Reach::processes, "end it, or wait until it has ended"},
    {Matter::session, when_checkpointed, Reach::processes,
     "start it by umbel run -d, or with setsid"},
    {Matter::nested, when_checkpointed, Reach::processes,
     "end what made it: namespaces inside a container can't be carried yet"},
    {Matter::kind, when_checkpointed, Reach::descriptors, ""},
    {Matter::mapping, when_checkpointed, Reach::memory, ""},
    {Matter::rights, when_usual, Reach::processes,
     "run it without --privileged, --nest, --cap-add and --seccomp off"},
    {Matter::link, when_unlinked, Reach::processes, "remove the link: ip link del @"},
});

const Rule* rule_for(Matter matter) {
  const auto found = std::ranges::find(rules, matter, &Rule::matter);
  return found == rules.end() ? nullptr : &*found;
}

std::string process_text(HostPid pid, const std::string& name) {
  return "process " + std::to_string(pid.value()) + (name.empty() ? "" : " (" + name + ")");
}

std::string filled(std::string_view text, const std::string& object) {
  std::string made(text);
  if (const std::size_t at = made.find('@'); at != std::string::npos) made.replace(at, 1, object);
  return made;
}

class Judge {
 public:
  Judge(const Question& question, const Group& group)
      : q_(question), policy_(question.policy), group_(group) {}

  Verdict run() {
    index_residents();
    for (const std::size_t container : group_)
      for (const ns::KindInfo& kind : ns::kinds) judge_namespace(container, kind.kind);
    for (const Fact& fact : q_.facts.facts)
      if (group_.contains(fact.container)) judge_fact(fact);
    return std::move(verdict_);
  }

 private:
  struct Users {
    std::set<std::size_t> containers;
    std::vector<Holder> strangers;
  };

  const std::string& name(std::size_t container) const {
    return q_.host.containers.at(container).name;
  }

  void index_residents() {
    for (const survey::Resident& resident : q_.host.everybody.residents) {
      if (resident.zombie) continue;
      const auto home = q_.host.home.find(resident.pid);
      for (const ns::KindInfo& kind : ns::kinds) {
        const std::uint64_t id = resident.namespaces.at(ns::index(kind.kind));
        if (id == 0 || id == q_.host.own.at(ns::index(kind.kind))) continue;
        Users& users = users_[{kind.kind, id}];
        if (home == q_.host.home.end())
          users.strangers.push_back({.pid = resident.pid, .name = resident.name});
        else
          users.containers.insert(home->second);
      }
    }
  }

  void judge_namespace(std::size_t container, ns::Kind kind) {
    const std::uint64_t id = q_.host.containers.at(container).namespaces.at(ns::index(kind));
    if (id == 0 || policy_.accepts(kind, {Need::any, {}})) return;
    const bool host = id == q_.host.own.at(ns::index(kind));
    const bool own = policy_.accepts(kind, {Need::own, {}});
    const bool group = policy_.accepts(kind, {Need::group, {}});
    if (host ? policy_.accepts(kind, {Need::host, {}}) : is_named(container, kind)) return;
    const std::string what(ns::info(kind).option);
    Offender offender{
        .container = container, .kind = what, .object = what + ":[" + std::to_string(id) + "]"};
    if (host || !(own || group)) {
      offender.why = "its " + what + " is " + (host ? "the host's" : "not the host's") + ", and " +
                     policy_.name + " wants it to be " + needs_text(policy_.of(kind));
      offender.cure = "run " + name(container) + " with --" + what + (host ? " new" : " host");
      return add(std::move(offender));
    }
    Users users = users_[{kind, id}];
    users.containers.erase(container);
    judge_users(offender, kind, users, group);
    if (group && !own) judge_togetherness(offender, kind, users);
  }

  bool is_named(std::size_t container, ns::Kind kind) const {
    const auto& config = q_.host.containers.at(container).config;
    return config &&
           policy_.accepts(kind, {Need::named, ns::source_text(config->namespaces[kind])});
  }

  void judge_users(const Offender& base, ns::Kind kind, const Users& users, bool group) {
    const std::string what(ns::info(kind).option);
    if (!users.strangers.empty()) {
      Offender offender = base;
      const Holder& first = users.strangers.front();
      offender.why = process_text(first.pid, first.name) + ", of no container, is in its " + what +
                     more_text(users.strangers.size());
      offender.cure = "end that process, or run it in a container and check both";
      add(std::move(offender));
    }
    std::vector<std::size_t> others;
    for (const std::size_t other : users.containers)
      if (!group || !group_.contains(other)) others.push_back(other);
    if (others.empty()) {
      verdict_.along += users.containers.empty() ? 0 : 1;
      return;
    }
    Offender offender = base;
    offender.why = "it shares its " + what + " with " + names(others);
    offender.cure =
        group ? together(base.container, others)
              : "give " + name(base.container) + " a " + what + " of its own: --" + what + " new";
    if (group) offender.with = others;
    add(std::move(offender));
  }

  // All of the group must be in the same one.
  void judge_togetherness(const Offender& base, ns::Kind kind, const Users& users) {
    const std::string what(ns::info(kind).option);
    for (const std::size_t other : group_) {
      if (other == base.container || users.containers.contains(other)) continue;
      Offender offender = base;
      offender.why = "its " + what + " is not that of " + name(other) + ", and " + policy_.name +
                     " wants one for all of the group";
      offender.cure = "run it with --" + what + " with:" + name(other) + ", or check " +
                      name(base.container) + " by itself";
      add(std::move(offender));
    }
  }

  void judge_fact(const Fact& fact) {
    const Rule* rule = rule_for(fact.matter);
    if (rule == nullptr || !rule->counts(policy_, rule->reach)) return;
    Offender offender{.container = fact.container,
                      .pid = fact.pid,
                      .fd = fact.fd,
                      .kind = std::string(survey::matter_name(fact.matter)),
                      .object = fact.object,
                      .why = fact.detail,
                      .cure = fact.cure.empty() ? filled(rule->cure, fact.object) : fact.cure};
    std::vector<Holder> strangers;
    std::vector<std::size_t> missing;
    for (const Holder& other : fact.others) {
      if (!other.container) strangers.push_back(other);
      const bool outside = other.container && !group_.contains(*other.container);
      if (outside && std::ranges::find(missing, *other.container) == missing.end())
        missing.push_back(*other.container);
    }
    if (!strangers.empty()) {
      offender.why += " is with " + process_text(strangers.front().pid, strangers.front().name) +
                      ", of no container" + more_text(strangers.size());
      return add(std::move(offender));
    }
    if (fact.outside || fact.others.empty()) return add(std::move(offender));
    if (missing.empty()) {
      ++verdict_.along;
      return;
    }
    offender.why += " is with " + names(missing);
    offender.cure = together(fact.container, missing);
    offender.with = missing;
    add(std::move(offender));
  }

  void add(Offender offender) {
    const bool external = q_.external.contains(offender.object);
    (external ? verdict_.external : verdict_.offenders).push_back(std::move(offender));
  }

  static std::string more_text(std::size_t count) {
    return count > 1 ? ", and " + std::to_string(count - 1) + " more" : std::string();
  }

  std::string names(const std::vector<std::size_t>& containers) const {
    std::string list;
    for (const std::size_t one : containers) list += (list.empty() ? "" : ", ") + name(one);
    return list;
  }

  std::string together(std::size_t container, const std::vector<std::size_t>& others) const {
    Group all = group_;
    all.insert(others.begin(), others.end());
    std::string list;
    for (const std::size_t one : all) list += " " + name(one);
    return "move " + names(others) + " with " + name(container) + ": umbel check" + list +
           " --policy " + policy_.name;
  }

  const Question& q_;
  const Policy& policy_;
  const Group& group_;
  std::map<std::pair<ns::Kind, std::uint64_t>, Users> users_;
  Verdict verdict_;
};

}  // namespace

Verdict judge(const Question& question, const Group& group) { return Judge(question, group).run(); }

Closure closure(const Question& question, const Group& group) {
  Group now = group;
  for (;;) {
    const Verdict verdict = judge(question, now);
    Closure found;
    Group wanted = now;
    for (const Offender& offender : verdict.offenders) {
      if (offender.with.empty()) found.obstacles.push_back(offender);
      wanted.insert(offender.with.begin(), offender.with.end());
    }
    if (!found.obstacles.empty()) return found;
    for (const std::size_t container : wanted)
      if (std::ranges::find(question.facts.of, container) == question.facts.of.end())
        found.unknown.insert(container);
    if (!found.unknown.empty()) return found;
    if (wanted == now) {
      found.group = now;
      return found;
    }
    now = std::move(wanted);
  }
}

}  // namespace umbel::policy
