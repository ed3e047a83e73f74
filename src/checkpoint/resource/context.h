// What the functions of a resource get: the dump or the restore that they are part of.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "checkpoint/dump.h"
#include "checkpoint/freeze/tree.h"
#include "checkpoint/image/records.h"
#include "checkpoint/image/store.h"
#include "checkpoint/memory/segments.h"
#include "checkpoint/remote/session.h"
#include "checkpoint/restore.h"
#include "inspect/kind.h"
#include "proc/maps.h"

namespace umbel::checkpoint {

// An open file of the tree: what a process has under a number, or one that only lies in a queue.
struct FileReference {
  InnerPid process;
  std::int32_t number = 0;
  std::optional<std::uint32_t> file;  // its index, where no process has it
};
void fields(auto& archive, FileReference& r) {
  archive("process", r.process);
  archive("number", r.number);
  archive("file", r.file);
}

// ---- dump ----

// One process of a dump: the frozen one and what is said of it.
struct ProcessDump {
  Process* process = nullptr;  // the frozen one
  image::Process record;
  std::vector<proc::Mapping> mappings;
  std::vector<inspect::Descriptor> descriptors;
  std::vector<remote::Cpu> cpus;  // of each thread
  std::vector<proc::Keyed> statuses;
  Fd pidfd;
  bool earlier = false;  // a dump before this one watches it
};

class Dump {
 public:
  Dump(const DumpOptions& options_, Tree& frozen_, image::Writer& writer_)
      : options(options_), frozen(frozen_), writer(writer_) {}
  const DumpOptions& options;
  Tree& frozen;
  image::Writer& writer;
  Dump(const Dump&) = delete;
  Dump& operator=(const Dump&) = delete;
  ~Dump();
  image::Tree tree;
  std::vector<std::unique_ptr<ProcessDump>> processes;  // in the order of `frozen`

  // What several open files have in common (a pipe, a deleted file), said once under a key such as
  // "pipe:123". `make` is called the first time only.
  Result<void> object(const std::string& key, const std::function<Result<Value>()>& make);
  // The file that a process has by a path: its executable, a mapping, its working directory. `file`
  // may be opened with O_PATH.
  Result<std::uint32_t> file_at(const std::string& path, FdRef file, int flags);
  // The open file behind a descriptor that umbel was given from the queue of a socket of `process`;
  // one that is new is dumped.
  Result<FileReference> in_flight(const Process& process, Fd file);
  // Gives an open file a name of its own beside `path`. It goes away with this, unless the image
  // that tells of it is complete.
  Result<std::string> link_beside(const std::string& path, FdRef file);
  void keep_links() { links_.clear(); }
  // The packet-filter table that holds off the peers of connections, and sockets that keep still
  // now: both last if the processes have ended, and not otherwise.
  std::string held;
  std::vector<Fd> in_repair;
  void processes_have_ended() { ended_ = true; }
  // Whether a process of the frozen tree is one that is saved.
  bool carries(HostPid pid) const { return !options.root_is_reaper || pid != frozen.root().pid(); }
  // Whether a process of this pid is in the tree.
  bool has(HostPid pid) const;
  std::optional<InnerPid> inner(HostPid pid) const;

 private:
  std::map<std::string, std::uint32_t> paths_;
  std::vector<std::string> links_;
  bool ended_ = false;
  struct InFlight {
    Fd file;
    std::uint32_t index = 0;
  };
  std::vector<InFlight> in_flight_;
};

// ---- restore ----

class Restore;

// A process being restored, at the moment when its descriptors are in place and nothing of it runs
// yet: calls added to the batch are made by it.
struct Inside {
  Restore& restore;
  const image::Process& process;
  remote::Session& session;
  remote::Batch& batch;
};

class Restore {
 public:
  Restore(const RestoreOptions& options_, const image::Reader& reader_, image::Tree tree_)
      : options(options_), reader(reader_), tree(std::move(tree_)) {}
  const RestoreOptions& options;
  const image::Reader& reader;
  const image::Tree tree;

  // The open file of that index, opened now if it was not before.
  Result<FdRef> file(std::uint32_t index);
  Result<std::uint32_t> index_of(const FileReference& reference) const;
  // What dump() said under the key.
  Result<Value> object(const std::string& key) const;
  // A descriptor that several open files need while they are made; closed when all have settled.
  Result<FdRef> shared(const std::string& key, const std::function<Result<Fd>()>& make);
  // A name in the file system for as long.
  void remove_later(const std::string& path) { temporary_names_.push_back(path); }
  void drop_shared();
  // What the world outside can see is done when nothing else is left to do, and this after it.
  void at_the_end(std::function<Result<void>()> work) { last_.push_back(std::move(work)); }
  void after_the_end(std::function<Result<void>()> work) { very_last_.push_back(std::move(work)); }
  Result<void> do_last();
  // Its number in umbel, and in every process until that has closed what is umbel's.
  std::optional<int> number_of(const std::string& key) const;
  bool has_shared(const std::string& key) const { return shared_.contains(key); }
  Segments segments;
  std::atomic<std::uint64_t> pages = 0;  // put into memory
  // Names that the dump has made; they are removed when the restore has succeeded.
  std::vector<std::string> links;
  // Keeps every descriptor of the restore at numbers from here on, out of the way of the targets'.
  int first_number = 3;
  std::uint64_t descriptor_limit = 0;  // that umbel has raised its own to
  // The pid namespace of the tree, where that is not umbel's; and a pid or tid of it as umbel knows
  // it.
  Fd pids;
  Result<HostPid> outside(std::int32_t pid) const;
  // Every descriptor that processes inherit.
  std::vector<int> numbers() const;
  Result<Fd> moved_up(Fd fd) const;
  // True the first time that it is asked for a file.
  bool first_use(std::uint32_t file) { return used_.insert(file).second; }
  // The same for what is done once for all files of a kind.
  bool first_time(const std::string& what) { return done_.insert(what).second; }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;
  ~Restore() { drop_shared(); }

 private:
  std::map<std::uint32_t, Fd> files_;
  std::map<std::string, Fd> shared_;
  std::vector<std::uint32_t> being_made_;
  std::set<std::uint32_t> used_;
  std::set<std::string> done_;
  std::vector<std::string> temporary_names_;
  std::vector<std::function<Result<void>()>> last_, very_last_;
};

}  // namespace umbel::checkpoint
