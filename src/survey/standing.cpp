// How the processes stand: whose children they are, who leads and traces them, what they may do,
// and what of theirs a checkpoint can't carry. The last is asked of the table that the dump asks.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "inspect/descriptors.h"
#include "inspect/mapping.h"
#include "security/capabilities.h"
#include "survey/work.h"
#include "sys/process.h"

namespace umbel::survey {

namespace {

Fact fact(const Member& member, Matter matter, std::string object) {
  return {.container = member.container,
          .pid = member.resident.pid,
          .matter = matter,
          .object = std::move(object)};
}

bool descends(const Work& work, const Resident& resident, HostPid init) {
  const Resident* at = &resident;
  while (at != nullptr && at->pid != init) at = work.host.everybody.find(at->parent);
  return at != nullptr;
}

void tracer(Work& work, const Member& member) {
  const auto pid = member.status.number("TracerPid");
  if (!pid || *pid == 0) return;
  Fact found = fact(member, Matter::tracer, member.resident.name);
  found.detail = "it is traced";
  found.others = work.others(member.container, {HostPid(static_cast<std::int32_t>(*pid))});
  if (found.others.empty()) {
    found.matter = Matter::kind;
    found.detail = "it is traced by a process of its own container, and can't be stopped by umbel";
    found.cure = "end the debugger inside before the checkpoint";
  }
  work.add(std::move(found));
}

void nested(Work& work, const Member& member) {
  const Ids& home = work.host.containers[member.container].namespaces;
  for (const ns::KindInfo& kind : ns::kinds) {
    const std::uint64_t id = member.resident.namespaces.at(ns::index(kind.kind));
    if (id == 0 || id == home.at(ns::index(kind.kind))) continue;
    const std::string object = std::string(kind.proc) + ":[" + std::to_string(id) + "]";
    if (!work.first_time(member.container, Matter::nested, object)) continue;
    Fact found = fact(member, Matter::nested, object);
    found.detail = "not the " + std::string(kind.proc) + " namespace of its container";
    work.add(std::move(found));
  }
}

// Made by the kernel in every new network namespace where those modules are loaded; down.
bool is_fallback(std::string_view link) {
  static constexpr std::array<std::string_view, 9> names{
      "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"};
  return std::ranges::find(names, link) != names.end();
}

void links(Work& work, const Member& member) {
  if (!work.first_time(member.container, Matter::link, "all")) return;
  const auto process = member.open();
  const auto text = process ? process->text("net/dev") : fail("it has ended");
  if (!text) return;
  for (const std::string_view line : split(*text, '\n')) {
    const auto halves = cut(line, ':');
    if (!halves || line.contains('|')) continue;
    const std::string_view name = trimmed(halves->before);
    if (name == "lo" || is_fallback(name)) continue;
    Fact found = fact(member, Matter::link, std::string(name));
    found.detail = "a way out of its network";
    found.outside = true;
    work.add(std::move(found));
  }
}

// Asked of the open file itself, which does not disturb whoever has it.
void unread(Work& work, const Member& member, const inspect::Descriptor& descriptor) {
  if (inspect::info(descriptor.kind).unread.empty()) return;
  const Result<Fd> process = sys::pidfd_open(member.resident.pid);
  if (!process) return;
  const Result<Fd> file = sys::pidfd_getfd(*process, descriptor.number);
  if (!file) return;
  const Result<void> nothing = inspect::unread(descriptor.kind, *file);
  if (nothing) return;
  Fact found = fact(member, Matter::kind, descriptor.target);
  found.fd = descriptor.number;
  found.detail = nothing.error().detail;
  found.cure = nothing.error().cure;
  work.add(std::move(found));
}

}  // namespace

void standing(Work& work, const Member& member) {
  const HostPid init = work.host.containers[member.container].init;
  if (!descends(work, member.resident, init)) {
    Fact found = fact(member, Matter::entrance, member.resident.name);
    found.detail = "it was started from outside";
    found.outside = true;
    work.add(std::move(found));
  }
  if (member.resident.pid == init && member.resident.session != init.value()) {
    Fact found = fact(member, Matter::session, std::to_string(member.resident.session));
    found.detail = "the session that it belongs to is led by somebody outside";
    found.outside = true;
    work.add(std::move(found));
  }
  tracer(work, member);
  nested(work, member);
  links(work, member);
}

void rights(Work& work, const Member& member) {
  const auto effective = member.status.number("CapEff", 16);
  const auto filter = member.status.number("Seccomp");
  const security::CapSet more =
      effective ? *effective & ~security::default_capabilities() : security::CapSet{0};
  if (more != 0 && work.first_time(member.container, Matter::rights, "capabilities")) {
    Fact found = fact(member, Matter::rights, security::capability_names(more).front());
    found.detail = "a capability beyond the usual ones";
    work.add(std::move(found));
  }
  // The small init of umbel has none: it makes no call that one would forbid.
  const bool is_reaper = member.resident.name == "umbel-init";
  if (filter && *filter == 0 && !is_reaper &&
      work.first_time(member.container, Matter::rights, "filter")) {
    Fact found = fact(member, Matter::rights, "system calls");
    found.detail = "no filter of system calls";
    work.add(std::move(found));
  }
}

void kinds(Work& work, const Member& member) {
  for (const inspect::Descriptor& descriptor : member.descriptors) {
    const inspect::KindInfo& known = inspect::info(descriptor.kind);
    if (known.cure.empty()) {
      unread(work, member, descriptor);
      continue;
    }
    Fact found = fact(member, Matter::kind, descriptor.target);
    found.fd = descriptor.number;
    found.detail = "of the kind " + std::string(known.name);
    found.cure = known.cure;
    work.add(std::move(found));
  }
  for (const proc::Mapping& mapping : member.mappings) {
    const auto refused = inspect::refused(mapping);
    if (!refused) continue;
    Fact found = fact(member, Matter::mapping, inspect::range_text(mapping));
    found.detail = refused->what;
    found.cure = refused->cure;
    work.add(std::move(found));
  }
}

}  // namespace umbel::survey
