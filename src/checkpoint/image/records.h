// What an image says about a tree of processes. docs/IMAGE_FORMAT.md describes it for readers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/record.h"
#include "checkpoint/image/store.h"

namespace umbel::checkpoint::image {

using Bytes = Value::Bytes;

// ---- threads ----

struct AlternateStack {
  std::uint64_t address = 0, size = 0;
  std::uint32_t flags = 0;
};
void fields(auto& archive, AlternateStack& s) {
  archive("address", s.address);
  archive("size", s.size);
  archive("flags", s.flags);
}

struct RestartableSequence {
  std::uint64_t address = 0;  // 0: none is registered
  std::uint32_t size = 0, signature = 0, flags = 0;
};
void fields(auto& archive, RestartableSequence& r) {
  archive("address", r.address);
  archive("size", r.size);
  archive("signature", r.signature);
  archive("flags", r.flags);
}

struct Credentials {
  std::uint32_t uid = 0, effective_uid = 0, saved_uid = 0, file_uid = 0;
  std::uint32_t gid = 0, effective_gid = 0, saved_gid = 0, file_gid = 0;
  std::vector<std::uint32_t> groups;
  std::uint64_t inheritable = 0, permitted = 0, effective = 0, bounding = 0, ambient = 0;
  std::uint32_t secure_bits = 0;
  bool no_new_privileges = false;
  friend bool operator==(const Credentials&, const Credentials&) = default;
};
void fields(auto& archive, Credentials& c) {
  archive("uid", c.uid);
  archive("effective_uid", c.effective_uid);
  archive("saved_uid", c.saved_uid);
  archive("file_uid", c.file_uid);
  archive("gid", c.gid);
  archive("effective_gid", c.effective_gid);
  archive("saved_gid", c.saved_gid);
  archive("file_gid", c.file_gid);
  archive("groups", c.groups);
  archive("inheritable", c.inheritable);
  archive("permitted", c.permitted);
  archive("effective", c.effective);
  archive("bounding", c.bounding);
  archive("ambient", c.ambient);
  archive("secure_bits", c.secure_bits);
  archive("no_new_privileges", c.no_new_privileges);
}

struct Scheduling {
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0, deadline = 0, period = 0;
  std::uint32_t util_min = 0, util_max = 0;
  std::vector<std::uint32_t> processors;
  std::int32_t io_priority = 0;
  std::uint64_t timer_slack = 0;  // nanoseconds
};
void fields(auto& archive, Scheduling& s) {
  archive("policy", s.policy);
  archive("flags", s.flags);
  archive("nice", s.nice);
  archive("priority", s.priority);
  archive("runtime", s.runtime);
  archive("deadline", s.deadline);
  archive("period", s.period);
  archive("util_min", s.util_min);
  archive("util_max", s.util_max);
  archive("processors", s.processors);
  archive("io_priority", s.io_priority);
  archive("timer_slack", s.timer_slack);
}

struct SeccompFilter {
  Bytes program;  // array of struct sock_filter
  std::uint64_t flags = 0;
};
void fields(auto& archive, SeccompFilter& f) {
  archive("program", f.program);
  archive("flags", f.flags);
}

struct Seccomp {
  std::uint32_t mode = 0;              // as /proc/PID/status has it
  std::vector<SeccompFilter> filters;  // oldest first
};
void fields(auto& archive, Seccomp& s) {
  archive("mode", s.mode);
  archive("filters", s.filters);
}

struct Thread {
  InnerPid tid;
  std::string name;
  Bytes registers;  // struct user_regs_struct
  Bytes extended;   // NT_X86_XSTATE
  std::uint64_t blocked = 0;
  std::vector<Bytes> pending;  // siginfo_t, oldest first
  AlternateStack alternate_stack;
  RestartableSequence rseq;
  std::uint64_t robust_list = 0, robust_list_size = 0;
  std::uint64_t clear_tid = 0;
  Credentials credentials;
  Scheduling scheduling;
  Seccomp seccomp;
  std::int32_t parent_death_signal = 0;
  std::uint32_t personality = 0;
};
void fields(auto& archive, Thread& t) {
  archive("tid", t.tid);
  archive("name", t.name);
  archive("registers", t.registers);
  archive("extended", t.extended);
  archive("blocked", t.blocked);
  archive("pending", t.pending);
  archive("alternate_stack", t.alternate_stack);
  archive("rseq", t.rseq);
  archive("robust_list", t.robust_list);
  archive("robust_list_size", t.robust_list_size);
  archive("clear_tid", t.clear_tid);
  archive("credentials", t.credentials);
  archive("scheduling", t.scheduling);
  archive("seccomp", t.seccomp);
  archive("parent_death_signal", t.parent_death_signal);
  archive("personality", t.personality);
}

// ---- memory ----

enum class Backing : std::uint8_t { anonymous, file, shared, kernel, segment };
constexpr auto name_table(Backing) {
  return std::array<Named<Backing>, 5>{{{Backing::anonymous, "anonymous"},
                                        {Backing::file, "file"},
                                        {Backing::shared, "shared"},
                                        {Backing::kernel, "kernel"},
                                        {Backing::segment, "system-v"}}};
}

struct Mapping {
  std::uint64_t start = 0, end = 0;
  std::uint32_t protection = 0;  // PROT_*
  std::uint32_t flags = 0;       // MAP_SHARED or MAP_PRIVATE, MAP_GROWSDOWN, MAP_HUGETLB ...
  Backing backing = Backing::anonymous;
  std::uint64_t offset = 0;             // in the file or the shared memory
  std::optional<std::uint32_t> object;  // index: of the file, of the shared memory
  std::vector<std::int32_t> advice;     // MADV_*
  std::int32_t protection_key = 0;
  bool locked = false, locked_on_fault = false, sealed = false;
  bool accounted = false;       // it was writable once: counted as memory that may be needed
  bool never_writable = false;  // a System V segment attached with SHM_RDONLY
  std::string name;             // [vdso], [vvar], or as prctl(PR_SET_VMA_ANON_NAME) gave it
  std::uint64_t size() const { return end - start; }
};
void fields(auto& archive, Mapping& m) {
  archive("start", m.start);
  archive("end", m.end);
  archive("protection", m.protection);
  archive("flags", m.flags);
  archive("backing", m.backing);
  archive("offset", m.offset);
  archive("object", m.object);
  archive("advice", m.advice);
  archive("protection_key", m.protection_key);
  archive("locked", m.locked);
  archive("locked_on_fault", m.locked_on_fault);
  archive("sealed", m.sealed);
  archive("accounted", m.accounted);
  archive("never_writable", m.never_writable);
  archive("name", m.name);
}

// Pages that are in the image; what is in no run is as the backing has it.
struct PageRun {
  std::uint64_t address = 0, size = 0, offset = 0;
  // 0: of this image; N: of the Nth image back in a chain of pre-dumps.
  std::uint32_t image = 0;
};
void fields(auto& archive, PageRun& r) {
  archive("at", r.address);
  archive("size", r.size);
  archive("from", r.offset);
  archive("image", r.image);
}

// A process that is watched for writes since this image, for the next one that builds on it.
struct Tracked {
  std::int32_t pid = 0;  // as the host counts
  std::uint64_t start_time = 0;
  std::int32_t descriptor = 0;  // the number of its userfaultfd in the keeper
  std::vector<PageRun> pages;
};
void fields(auto& archive, Tracked& t) {
  archive("pid", t.pid);
  archive("start_time", t.start_time);
  archive("descriptor", t.descriptor);
  archive("pages", t.pages);
}

struct Tracking {
  std::int32_t keeper = 0;
  std::uint64_t keeper_start = 0;
  std::vector<Tracked> processes;
};
void fields(auto& archive, Tracking& t) {
  archive("keeper", t.keeper);
  archive("keeper_start", t.keeper_start);
  archive("processes", t.processes);
}

struct GuardRange {
  std::uint64_t start = 0, end = 0;
};
void fields(auto& archive, GuardRange& g) {
  archive("start", g.start);
  archive("end", g.end);
}

struct Layout {
  std::uint64_t start_code = 0, end_code = 0, start_data = 0, end_data = 0;
  std::uint64_t start_brk = 0, brk = 0, start_stack = 0;
  std::uint64_t arg_start = 0, arg_end = 0, env_start = 0, env_end = 0;
  Bytes auxiliary;
};
void fields(auto& archive, Layout& l) {
  archive("start_code", l.start_code);
  archive("end_code", l.end_code);
  archive("start_data", l.start_data);
  archive("end_data", l.end_data);
  archive("start_brk", l.start_brk);
  archive("brk", l.brk);
  archive("start_stack", l.start_stack);
  archive("arg_start", l.arg_start);
  archive("arg_end", l.arg_end);
  archive("env_start", l.env_start);
  archive("env_end", l.env_end);
  archive("auxiliary", l.auxiliary);
}

struct Memory {
  Layout layout;
  std::uint32_t executable = 0;  // index of the file
  std::vector<Mapping> mappings;
  std::vector<PageRun> pages;
  std::vector<GuardRange> guards;
  // Pages that are the very ones of the parent process, not yet copied since a fork.
  std::vector<GuardRange> with_parent;
};
void fields(auto& archive, Memory& m) {
  archive("layout", m.layout);
  archive("executable", m.executable);
  archive("mappings", m.mappings);
  archive("pages", m.pages);
  archive("guards", m.guards);
  archive("with_parent", m.with_parent);
}

// ---- processes ----

struct Action {
  std::uint64_t handler = 0, flags = 0, restorer = 0, mask = 0;
};
void fields(auto& archive, Action& a) {
  archive("handler", a.handler);
  archive("flags", a.flags);
  archive("restorer", a.restorer);
  archive("mask", a.mask);
}

struct Interval {
  std::int64_t interval_seconds = 0, interval_fraction = 0;  // microseconds or nanoseconds
  std::int64_t seconds = 0, fraction = 0;
};
void fields(auto& archive, Interval& i) {
  archive("interval_seconds", i.interval_seconds);
  archive("interval_fraction", i.interval_fraction);
  archive("seconds", i.seconds);
  archive("fraction", i.fraction);
}

struct PosixTimer {
  std::int32_t id = 0;
  std::int32_t clock = 0;
  std::int32_t notify = 0, signal = 0;
  InnerPid thread;  // of SIGEV_THREAD_ID
  std::uint64_t value = 0;
  Interval setting;
  std::int32_t overrun = 0;
};
void fields(auto& archive, PosixTimer& t) {
  archive("id", t.id);
  archive("clock", t.clock);
  archive("notify", t.notify);
  archive("signal", t.signal);
  archive("thread", t.thread);
  archive("value", t.value);
  archive("setting", t.setting);
  archive("overrun", t.overrun);
}

// A lock on a part of a file.
enum class LockKind : std::uint8_t { posix, whole, open_file };
constexpr auto name_table(LockKind) {
  return std::array<Named<LockKind>, 3>{
      {{LockKind::posix, "posix"}, {LockKind::whole, "flock"}, {LockKind::open_file, "ofd"}}};
}
struct Lock {
  LockKind kind = LockKind::posix;
  bool exclusive = false;
  std::int64_t start = 0, length = 0;  // 0: to the end
};
void fields(auto& archive, Lock& l) {
  archive("kind", l.kind);
  archive("exclusive", l.exclusive);
  archive("start", l.start);
  archive("length", l.length);
}

struct Descriptor {
  std::int32_t number = 0;
  std::uint32_t file = 0;  // index of the open file
  bool close_on_exec = false;
  std::vector<Lock> locks;  // of the process (POSIX)
};
void fields(auto& archive, Descriptor& d) {
  archive("locks", d.locks);
  archive("number", d.number);
  archive("file", d.file);
  archive("close_on_exec", d.close_on_exec);
}

struct Limit {
  std::uint64_t soft = 0, hard = 0;
};
void fields(auto& archive, Limit& l) {
  archive("soft", l.soft);
  archive("hard", l.hard);
}

struct Process {
  InnerPid pid, parent, group, session;
  bool zombie = false;
  bool leader_ended = false;   // the first of `threads` is another then
  std::int32_t exit_code = 0;  // of a zombie, or a leader that has ended, as wait(2) gives it
  std::int32_t exit_signal = 0;
  std::string name;
  std::int32_t stopped_by = 0;  // the signal of job control that stopped it
  std::vector<Thread> threads;  // the first is the leader
  Memory memory;
  std::vector<Descriptor> descriptors;
  std::uint32_t working_directory = 0, root = 0;  // indices of files
  std::uint32_t umask = 0;
  std::vector<Action> actions;  // of signal index + 1
  std::vector<Bytes> pending;
  std::vector<Interval> interval_timers;  // real, virtual, profiling
  std::vector<PosixTimer> timers;
  std::vector<Limit> limits;
  std::int32_t oom_score_adjustment = 0;
  bool child_subreaper = false, thp_disabled = false;
  std::uint32_t dumpable = 1;
  std::uint32_t memory_deny_write_execute = 0;
};
void fields(auto& archive, Process& p) {
  archive("pid", p.pid);
  archive("parent", p.parent);
  archive("group", p.group);
  archive("session", p.session);
  archive("zombie", p.zombie);
  archive("leader_ended", p.leader_ended);
  archive("exit_code", p.exit_code);
  archive("exit_signal", p.exit_signal);
  archive("name", p.name);
  archive("stopped_by", p.stopped_by);
  archive("threads", p.threads);
  archive("memory", p.memory);
  archive("descriptors", p.descriptors);
  archive("working_directory", p.working_directory);
  archive("root", p.root);
  archive("umask", p.umask);
  archive("actions", p.actions);
  archive("pending", p.pending);
  archive("interval_timers", p.interval_timers);
  archive("timers", p.timers);
  archive("limits", p.limits);
  archive("oom_score_adjustment", p.oom_score_adjustment);
  archive("child_subreaper", p.child_subreaper);
  archive("thp_disabled", p.thp_disabled);
  archive("dumpable", p.dumpable);
  archive("memory_deny_write_execute", p.memory_deny_write_execute);
}

// ---- files ----

struct FileOwner {
  std::int32_t kind = 1, id = 0, signal = 0;
};
void fields(auto& archive, FileOwner& o) {
  archive("kind", o.kind);
  archive("id", o.id);
  archive("signal", o.signal);
}

// An open file: what descriptors of one or more processes refer to.
struct File {
  std::string kind;    // as inspect::KindInfo names it
  std::string target;  // what /proc/PID/fd linked to
  std::int32_t flags = 0;
  std::int64_t position = 0;
  std::optional<FileOwner> owner;
  std::vector<Lock> locks;  // of the open file (flock, OFD)
  Value state;              // of the kind's own
};
void fields(auto& archive, File& f) {
  archive("kind", f.kind);
  archive("target", f.target);
  archive("flags", f.flags);
  archive("position", f.position);
  archive("owner", f.owner);
  archive("locks", f.locks);
  archive("state", f.state);
}

// Memory that several mappings share, made anew at restore.
struct SharedMemory {
  std::uint64_t size = 0;
  std::string kind;  // anonymous, memory-file, system-v
  std::string name;
  std::int32_t seals = 0;
  std::vector<PageRun> pages;  // addresses are offsets
  Value state;
};
void fields(auto& archive, SharedMemory& s) {
  archive("size", s.size);
  archive("kind", s.kind);
  archive("name", s.name);
  archive("seals", s.seals);
  archive("pages", s.pages);
  archive("state", s.state);
}

// The state of one that is a System V segment.
struct Segment {
  std::int32_t id = 0, key = 0;
  std::uint32_t uid = 0, gid = 0, creator_uid = 0, creator_gid = 0, mode = 0;
  bool removed = false;  // it goes with its last mapping
  bool locked = false;
};
void fields(auto& archive, Segment& s) {
  archive("id", s.id);
  archive("key", s.key);
  archive("uid", s.uid);
  archive("gid", s.gid);
  archive("creator_uid", s.creator_uid);
  archive("creator_gid", s.creator_gid);
  archive("mode", s.mode);
  archive("removed", s.removed);
  archive("locked", s.locked);
}

struct Tree {
  InnerPid root;
  InnerPid reaper;  // the init whose children the first ones are, which is not in here; 0: none
  std::string machine, kernel, host;
  std::int64_t taken = 0;          // seconds since 1970
  std::vector<Process> processes;  // parents before children
  std::vector<File> files;
  std::vector<SharedMemory> shared;
  std::map<std::string, Value> objects;  // what several files have in common, by the kind's own key
};
void fields(auto& archive, Tree& t) {
  archive("root", t.root);
  archive("reaper", t.reaper);
  archive("machine", t.machine);
  archive("kernel", t.kernel);
  archive("host", t.host);
  archive("taken", t.taken);
  archive("processes", t.processes);
  archive("files", t.files);
  archive("shared", t.shared);
  archive("objects", t.objects);
}

// The tree of an image that has one.
Result<Tree> tree_in(const Reader& reader);

}  // namespace umbel::checkpoint::image
