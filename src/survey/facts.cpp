// One pass over everybody's descriptors (readlink of /proc/PID/fd/N says which pipe or socket it
// is), then each process of the container in full. The order within a process is the table below.
// Whoever ends meanwhile is left out; who may not be looked at leaves a doubt.
#include "survey/facts.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <array>

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
  inspect::Process process = TRY(inspect::Process::open(resident.pid));
  Member member{.container = container, .resident = resident, .process = std::move(process)};
  member.status = TRY(member.process.status());
  member.descriptors = TRY(inspect::descriptors(member.process));
  member.mappings = TRY(member.process.mappings(detail));
  return member;
}

void add_process(Work& work, std::size_t container, HostPid pid) {
  const Resident* resident = work.host.everybody.find(pid);
  if (resident == nullptr || resident->zombie) return;
  const Result<Member> member = member_of(work, container, *resident);
  if (!member) {
    if (!gone(member.error()))
      work.doubt(container, inspect::named(pid, resident->name) + ": " + member.error().message());
    return;
  }
  ++work.facts.processes;
  work.facts.descriptors += member->descriptors.size();
  for (const auto look : looks) look(work, *member);
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
  look_at_descriptors(*work_);
  for (const std::size_t container : containers) {
    if (std::ranges::find(work_->facts.of, container) != work_->facts.of.end()) continue;
    work_->facts.of.push_back(container);
    for (const HostPid pid : work_->host.containers.at(container).processes)
      add_process(*work_, container, pid);
  }
  return {};
}

}  // namespace umbel::survey
