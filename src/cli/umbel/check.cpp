// The verdict: running containers against a policy, with nobody stopped to find out. Exit 0
// satisfied, 1 not, 2 could not tell.
#include <malloc.h>

#include <algorithm>

#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "cli/umbel/policy_records.h"
#include "cli/umbel/promise.h"
#include "cli/umbel/verdict.h"
#include "policy/library.h"
#include "policy/verdict.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

using policy::Group;
using policy::Offender;
using policy::Policy;

enum Answer { satisfied = 0, not_satisfied = 1, unknown = 2 };

struct Options {
  std::vector<std::string> names, external;
  std::optional<std::string> policy;
  bool json = false;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"",
                    {{"policy", 0, "POLICY[,POLICY]...",
                      "the policy; without it the one that the first container promised",
                      &o.policy},
                     {"external", 0, "OBJECT",
                      "what leads outside but is no matter, as a check names it; again for more",
                      &o.external},
                     {"json", 0, "", "as JSON", &o.json}}}},
      .operands = {"CONTAINER...", 1, any_number, &o.names},
      .about =
          "Several containers are judged as one group: what they share among themselves does not "
          "lead outside. Containers of other engines are named as umbel graph shows them.\n\n"
          "Each offender is named with why it is one and with its cure. Where more containers "
          "would "
          "have to be in the group, the smallest such group is told. Nothing is stopped or changed "
          "to find out.\n\n"
          "Exit status: 0 satisfied, 1 not satisfied, 2 could not tell.",
      .examples = {{"umbel check web --policy migratable", "could it be checkpointed now?"},
                   {"umbel check web db --policy migratable", "the two of them together?"},
                   {"umbel check docker:web --policy isolated", "somebody else's"},
                   {"umbel check web", "does it keep what it promised?"}}};
}

// What is asked, with everything that is needed to answer.
struct Case {
  Policy policy;
  survey::Host host;
  Group group;
  std::set<std::string> external;
};

Result<Policy> policy_of(const Options& o, const container::Home& home) {
  if (o.policy) return during("--policy", policy::Library::usual().composed(*o.policy));
  const container::Container first = TRY(home.find(o.names.front()));
  const std::optional<Policy> promised = TRY(promise_of(first));
  if (promised) return *promised;
  return fail(first.name() + " promised no policy",
              "name one: umbel check " + first.name() + " --policy migratable");
}

Result<Case> open(const Options& o) {
  const container::Home home = TRY(container::Home::open());
  Case made;
  made.policy = TRY(policy_of(o, home));
  made.host = TRY(survey::look(home));
  for (const std::string& name : o.names) made.group.insert(TRY(made.host.find(name)));
  made.external.insert(o.external.begin(), o.external.end());
  return made;
}

struct Answered {
  policy::Verdict verdict;
  policy::Closure closure;
  std::vector<std::string> doubts;
  Answer answer = unknown;
};

// What the policy asks and this host does not tell of these containers.
void doubt_limits(const Case& asked, std::vector<std::string>& doubts, policy::Verdict& verdict) {
  for (const std::size_t at : asked.group) {
    const survey::Container& container = asked.host.containers[at];
    for (const auto& [name, value] : asked.policy.limits) {
      if (!container.config)
        doubts.push_back(container.name + ": whether " + container.engine + " set a limit for " +
                         name);
      else if (!policy::has_limit(container.config->limits, name))
        verdict.offenders.push_back(
            {.container = at,
             .kind = "limit",
             .object = name,
             .why = asked.policy.name + " wants a limit for " + name,
             .cure = "umbel update --" + name + " VALUE " + container.name});
    }
    if (!container.config) continue;
    for (const policy::Refusal& refusal : policy::contradictions(asked.policy, *container.config))
      for (const std::string& path : asked.policy.hidden)
        if (refusal.what.starts_with(path + " "))
          verdict.offenders.push_back({.container = at,
                                       .kind = "hidden",
                                       .object = path,
                                       .why = refusal.what,
                                       .cure = refusal.cure});
  }
}

Result<Answered> answer(const Case& asked) {
  survey::Collector collector(asked.host, {.memory_kinds = asked.policy.checkpoint});
  const policy::Question question{asked.policy, asked.host, collector.facts(), asked.external};
  TRY(collector.add({asked.group.begin(), asked.group.end()}));
  Answered made{.verdict = policy::judge(question, asked.group)};
  for (made.closure = policy::closure(question, asked.group); !made.closure.unknown.empty();
       made.closure = policy::closure(question, asked.group))
    TRY(collector.add({made.closure.unknown.begin(), made.closure.unknown.end()}));
  doubt_limits(asked, made.doubts, made.verdict);
  for (const survey::Doubt& doubt : collector.facts().doubts)
    if (asked.group.contains(doubt.container)) made.doubts.push_back(doubt.what);
  for (const std::size_t at : asked.group)
    for (const ns::KindInfo& kind : ns::kinds)
      if (asked.host.containers[at].namespaces.at(ns::index(kind.kind)) == 0)
        made.doubts.push_back(asked.host.containers[at].name + ": which " +
                              std::string(kind.option) + " it has");
  made.answer = !made.verdict.satisfied() ? not_satisfied
                : made.doubts.empty()     ? satisfied
                                          : unknown;
  return made;
}

OffenderRecord record_of(const Case& asked, const Offender& offender) {
  OffenderRecord record{.container = asked.host.containers[offender.container].name,
                        .kind = offender.kind,
                        .object = offender.object,
                        .why = offender.why,
                        .cure = offender.cure};
  if (offender.pid) record.pid = offender.pid.value();
  if (offender.fd >= 0) record.fd = offender.fd;
  return record;
}

VerdictRecord record_of(const Case& asked, const Answered& answered) {
  VerdictRecord record{.policy = asked.policy.name,
                       .satisfied = answered.answer == satisfied,
                       .doubts = answered.doubts};
  for (const std::size_t at : asked.group)
    record.containers.push_back(asked.host.containers[at].name);
  for (const Offender& offender : answered.verdict.offenders)
    record.offenders.push_back(record_of(asked, offender));
  for (const Offender& offender : answered.verdict.external)
    record.external.push_back(record_of(asked, offender));
  record.along = answered.verdict.along;
  if (!answered.closure.group) return record;
  std::vector<std::string>& names = record.closure.emplace();
  for (const std::size_t at : *answered.closure.group)
    names.push_back(asked.host.containers[at].name);
  return record;
}

std::string offender_text(const OffenderRecord& record, const survey::Host& host) {
  std::string where = record.container;
  if (record.pid) {
    const survey::Resident* resident = host.everybody.find(HostPid(*record.pid));
    where += ", process " + std::to_string(*record.pid);
    if (resident != nullptr) where += " (" + shortened(resident->name, 20) + ")";
  }
  if (record.fd) where += ", descriptor " + std::to_string(*record.fd);
  std::string text = "  " + coloured(Colour::bold, record.kind) + " " +
                     shortened(record.object, 100) + " of " + where + "\n";
  text += "      " + shortened(record.why, 300) + "\n";
  if (!record.cure.empty()) text += "      try: " + record.cure + "\n";
  return text;
}

std::string closure_text(const VerdictRecord& record) {
  if (record.satisfied || record.offenders.empty()) return {};
  if (!record.closure)
    return "No larger group satisfies it either: no container can mend all of that.\n";
  if (record.closure->size() == record.containers.size()) return {};
  return "The smallest group that satisfies it: " + join(*record.closure, " ") + "\n";
}

std::string text_of(const Case& asked, const Answered& answered, const VerdictRecord& record) {
  const std::string what = join(record.containers, ", ") + ": " + record.policy;
  std::string text;
  if (answered.answer == satisfied)
    text = what + " is " + coloured(Colour::green, "satisfied") + "\n";
  if (answered.answer == not_satisfied)
    text = what + " is " + coloured(Colour::red, "not satisfied") + "\n";
  if (answered.answer == unknown)
    text = what + ": " + coloured(Colour::yellow, "could not tell") + "\n";
  for (const OffenderRecord& offender : record.offenders)
    text += offender_text(offender, asked.host);
  for (const OffenderRecord& external : record.external)
    text += "  declared external: " + external.kind + " " + external.object + "\n";
  for (const std::string& doubt : record.doubts) text += "  not known: " + doubt + "\n";
  return text + closure_text(record);
}

Result<int> act(const Options& o) {
  // What is given back to the kernel after each process is asked for again with the next one, and
  // every page of it costs a fault.
  constexpr int keep = 64 << 20;
  (void)::mallopt(M_TRIM_THRESHOLD, keep);
  Result<int> done = [&]() -> Result<int> {
    const Case asked = TRY(open(o));
    const Answered answered = TRY(answer(asked));
    const VerdictRecord record = record_of(asked, answered);
    TRY(o.json ? print_json(record) : print(text_of(asked, answered, record)));
    return answered.answer;
  }();
  if (done) return done;
  report("check", done.error());
  return unknown;
}

}  // namespace

Result<void> demand(const Demand& wanted) {
  const container::Home home = TRY(container::Home::open());
  Case asked;
  asked.policy = TRY(policy::Library::usual().composed(wanted.policy));
  asked.host = TRY(survey::look(home));
  asked.group.insert(TRY(asked.host.find(wanted.container)));
  asked.external = wanted.external;
  const Answered answered = TRY(answer(asked));
  if (answered.answer == satisfied) return {};
  (void)sys::write_all(standard_error, text_of(asked, answered, record_of(asked, answered)));
  return fail(wanted.container + " does not satisfy the policy " + wanted.policy,
              "do what is said above");
}

const Verb check_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
