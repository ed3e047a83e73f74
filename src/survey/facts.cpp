// Each process of the container in full, then one pass over everybody else's descriptors (readlink
// of /proc/PID/fd/N says which pipe or socket it is), and only then what the table below makes of
// it: by then everybody who has a thing is known.
// Whoever ends meanwhile is left out; who may not be looked at leaves a doubt.
#include "survey/facts.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <array>

#include "inspect/mapping.h"
#include "survey/work.h"
#include "sys/file.h"

namespace umbel::survey {

namespace {

constexpr std::array names = std::to_array<MatterInfo>({
    {Matter::pipe, "pipe"},
    {Matter::socket, "socket"},
    {Matter::connection, "connection"},
    {Matter::memory, "memory"},
    {Matter::lock, "lock"},
    {Matter::terminal, "terminal"},
    {Matter::tracer, "tracer"},
    {Matter::mount, "mount"},
    {Matter::file, "file"},
    {Matter::device, "device"},
    {Matter::entrance, "process"},
    {Matter::session, "session"},
    {Matter::nested, "namespace"},
    {Matter::kind, "descriptor"},
    {Matter::mapping, "mapping"},
    {Matter::rights, "rights"},
    {Matter::link, "link"},
});

constexpr std::array looks{unnumbered, pipes,  sockets, terminals, files, locks,
                           memory,     mounts, kinds,   standing,  rights};

bool gone(const Error& error) { return error.code == ENOENT || error.code == ESRCH; }

Result<Member> member_of(const Work& work, std::size_t container, const Resident& resident) {
  const auto detail =
      work.options.memory_kinds ? inspect::Process::Detail::smaps : inspect::Process::Detail::maps;
  const inspect::Process process = TRY(inspect::Process::open(resident.pid));
  Member member{.container = container, .resident = resident};
  member.status = TRY(process.status());
  member.descriptors = TRY(inspect::descriptors(process));
  member.mappings = TRY(process.mappings(detail));
  // The rest is nobody's business, and much of it.
  std::erase_if(member.mappings, [](const proc::Mapping& mapping) {
    return !mapping.shared && !inspect::refused(mapping);
  });
  member.mappings.shrink_to_fit();
  return member;
}

void read_members(Work& work, std::size_t container, std::vector<Member>& members) {
  for (const HostPid pid : work.host.containers.at(container).processes) {
    const Resident* resident = work.host.everybody.find(pid);
    if (resident == nullptr || resident->zombie) continue;
    Result<Member> member = member_of(work, container, *resident);
    if (member)
      members.push_back(std::move(*member));
    else if (!gone(member.error()))
      work.doubt(container, inspect::named(pid, resident->name) + ": " + member.error().message());
  }
}

}  // namespace

std::string_view matter_name(Matter matter) {
  for (const MatterInfo& known : names)
    if (known.matter == matter) return known.name;
  return "?";
}

FileKey key_of(const struct stat& status) {
  return {major(status.st_dev), minor(status.st_dev), status.st_ino};
}

bool Work::first_time(std::size_t container, Matter matter, const std::string& object) {
  return said.insert({container, std::string(matter_name(matter)) + " " + object}).second;
}

bool Work::is_in(std::size_t container, HostPid pid) const {
  const auto home = host.home.find(pid);
  return (home != host.home.end() && home->second == container) ||
         host.containers[container].monitor == pid;
}

std::vector<Holder> Work::others(std::size_t container, const std::vector<HostPid>& pids) const {
  std::vector<Holder> found;
  for (const HostPid pid : pids) {
    const bool known = std::ranges::find(found, pid, &Holder::pid) != found.end();
    if (known || is_in(container, pid)) continue;
    Holder holder{.pid = pid};
    if (const Resident* resident = host.everybody.find(pid)) holder.name = resident->name;
    if (const auto home = host.home.find(pid); home != host.home.end())
      holder.container = home->second;
    found.push_back(std::move(holder));
  }
  return found;
}

void Work::doubt(std::size_t container, std::string what) {
  facts.doubts.push_back({container, std::move(what)});
}

Collector::Collector(const Host& host, FactOptions options)
    : work_(std::make_unique<Work>(host, options)) {}
Collector::~Collector() = default;

const Facts& Collector::facts() const { return work_->facts; }

Result<void> Collector::add(const std::vector<std::size_t>& containers) {
  std::vector<Member> members;
  for (const std::size_t container : containers) {
    if (std::ranges::find(work_->facts.of, container) != work_->facts.of.end()) continue;
    work_->facts.of.push_back(container);
    read_members(*work_, container, members);
  }
  if (!work_->looked_at_descriptors)
    for (const Member& member : members) register_member(*work_, member);
  look_at_descriptors(*work_);
  for (const Member& member : members) {
    ++work_->facts.processes;
    work_->facts.descriptors += member.descriptors.size();
    for (const auto look : looks) look(*work_, member);
  }
  return {};
}

}  // namespace umbel::survey
