// What the collection of facts keeps between its steps; for the files of this folder alone.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inspect/descriptors.h"
#include "proc/locks.h"
#include "proc/mountinfo.h"
#include "survey/facts.h"
#include "sys/socket_diag.h"

namespace umbel::survey {

// A file by device and inode, as /proc writes both.
struct FileKey {
  std::uint32_t major = 0, minor = 0;
  std::uint64_t inode = 0;
  friend auto operator<=>(const FileKey&, const FileKey&) = default;
};
FileKey key_of(const struct stat& status);

// The master of a terminal, held by somebody.
struct Master {
  HostPid pid;
  std::uint64_t number = 0;  // N of /dev/pts/N
  std::uint64_t device = 0;  // of its devpts; 0 where it was opened through a node elsewhere
};

struct Mapped {
  HostPid pid;
  bool writable = false;
};

// One process of a container that is looked at.
struct Member {
  std::size_t container = 0;
  const Resident& resident;
  proc::Keyed status;
  std::vector<inspect::Descriptor> descriptors;
  std::vector<proc::Mapping> mappings;

  // Not kept open: there may be more processes than descriptors to be had.
  Result<inspect::Process> open() const { return inspect::Process::open(resident.pid); }
};

struct Mounts {
  std::vector<proc::Mount> all;
  std::set<std::int64_t> ids;
  std::set<std::pair<std::uint32_t, std::uint32_t>> devices;  // of real file systems
};

struct Collector::Work {
  Work(const Host& host_, FactOptions options_) : host(host_), options(options_) {}

  const Host& host;
  const FactOptions options;
  Facts facts;

  // Of everybody, read once: who has a pipe or a socket, by its link.
  std::unordered_map<std::string, std::vector<HostPid>> holders;
  std::set<std::string> read, written;  // the pipes of which somebody has that end
  // The same for what has no number in its link: memory files, named pipes, event counters.
  std::map<FileKey, std::vector<HostPid>> file_holders;
  std::map<std::uint64_t, std::vector<HostPid>> counter_holders;
  bool looked_at_files = false;
  std::vector<Master> masters;
  std::set<HostPid> unreadable;
  bool looked_at_descriptors = false;
  // Read in full before the others were: their links and mappings need not be read again.
  std::set<HostPid> in_full;

  std::map<FileKey, std::vector<Mapped>> shared_memory;
  bool looked_at_memory = false;
  std::vector<proc::Lock> locks;
  bool looked_at_locks = false;

  std::map<std::uint64_t, Mounts> mounts;  // by mount namespace
  std::map<std::uint32_t, sys::UnixSocket> unix_sockets;
  std::map<std::uint32_t, sys::InternetSocket> connections;
  std::map<std::pair<std::uint64_t, std::string>, std::uint32_t> local_ends;  // in a net namespace
  std::set<std::uint64_t> diagnosed;                                          // net namespaces

  // What was said once of a container is not said again of each process that has it.
  std::set<std::pair<std::size_t, std::string>> said;
  bool first_time(std::size_t container, Matter matter, const std::string& object);
  // Those of `pids` that are not in the container; its own monitor counts as being in it.
  std::vector<Holder> others(std::size_t container, const std::vector<HostPid>& pids) const;
  void add(Fact fact) { facts.facts.push_back(std::move(fact)); }
  void doubt(std::size_t container, std::string what);
  bool is_in(std::size_t container, HostPid pid) const;
};
using Work = Collector::Work;

// Each reads what it needs of everybody, the first time.
void look_at_descriptors(Work& work);
// What others would have been asked for, of a process that was read in full.
void register_member(Work& work, const Member& member);
void look_at_files(Work& work);
void look_at_memory(Work& work);
void look_at_locks(Work& work);
void diagnose(Work& work, const Resident& in);
const Mounts& mounts_of(Work& work, const Member& member);

// Each adds the facts of its kind.
void pipes(Work& work, const Member& member);
void sockets(Work& work, const Member& member);
void unnumbered(Work& work, const Member& member);
void terminals(Work& work, const Member& member);
void files(Work& work, const Member& member);
void locks(Work& work, const Member& member);
void memory(Work& work, const Member& member);
void mounts(Work& work, const Member& member);
void kinds(Work& work, const Member& member);
void standing(Work& work, const Member& member);
void rights(Work& work, const Member& member);

}  // namespace umbel::survey
