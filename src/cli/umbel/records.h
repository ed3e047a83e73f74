// What umbel prints as JSON. The keys are stable: members are added, never renamed. docs/json holds
// a schema of each, made from these lists.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cgroup/limits.h"
#include "container/config.h"
#include "container/lifecycle.h"
#include "ns/named.h"

namespace umbel::cli {

// Times are RFC 3339 in UTC with nanoseconds.
struct ListedRecord {
  std::string name, status;
  std::optional<std::int32_t> pid, exit_code;  // pid: of its first process, as the host counts
  std::vector<std::string> command;
  std::optional<std::string> created, started, finished;
  std::map<std::string, std::string> namespaces;  // option to source: "net": "with:web"
  std::map<std::string, std::string> labels;
};
void fields(auto& archive, ListedRecord& r) {
  archive("name", r.name);
  archive("status", r.status);
  archive("pid", r.pid);
  archive("exitCode", r.exit_code);
  archive("command", r.command);
  archive("created", r.created);
  archive("started", r.started);
  archive("finished", r.finished);
  archive("namespaces", r.namespaces);
  archive("labels", r.labels);
}
ListedRecord listed(const container::Container& container);

struct NamespaceRecord {
  std::string kind, source;
  std::optional<std::uint64_t> id;  // its inode; absent while nothing runs in it
  std::optional<std::string> next;  // where its next processes are, if not there
  bool host = false;                // it is the one that umbel itself runs in
  std::vector<std::string> shared_with;
};
void fields(auto& archive, NamespaceRecord& r) {
  archive("kind", r.kind);
  archive("source", r.source);
  archive("id", r.id);
  archive("next", r.next);
  archive("host", r.host);
  archive("sharedWith", r.shared_with);
}

struct ShownRecord {
  ListedRecord listed;
  std::vector<NamespaceRecord> namespaces;
  std::optional<std::int32_t> monitor;
  bool out_of_memory = false;
  std::vector<std::string> notes, capabilities;
  std::string policy;  // empty: it promised none
  std::vector<std::string> breaches;
  std::map<std::string, std::string> cgroup;  // hierarchy to directory
  cgroup::Limits limits;
  container::Config config;  // all that it was made with
};
void fields(auto& archive, ShownRecord& r) {
  archive("name", r.listed.name);
  archive("status", r.listed.status);
  archive("pid", r.listed.pid);
  archive("exitCode", r.listed.exit_code);
  archive("command", r.listed.command);
  archive("created", r.listed.created);
  archive("started", r.listed.started);
  archive("finished", r.listed.finished);
  archive("monitorPid", r.monitor);
  archive("outOfMemory", r.out_of_memory);
  archive("notes", r.notes);
  archive("policy", r.policy);
  archive("breaches", r.breaches);
  archive("labels", r.listed.labels);
  archive("namespaces", r.namespaces);
  archive("capabilities", r.capabilities);
  archive("cgroup", r.cgroup);
  archive("limits", r.limits);
  archive("config", r.config);
}

struct ChangeRecord {
  std::string kind, path;  // A, C or D
};
void fields(auto& archive, ChangeRecord& r) {
  archive("kind", r.kind);
  archive("path", r.path);
}

struct ProcessRecord {
  std::optional<std::int32_t> pid;  // inside; absent where it is in another pid namespace
  std::int32_t host_pid = 0;
  std::uint32_t uid = 0;  // as the host counts
  std::string state, name, command;
  std::uint64_t cpu_nanoseconds = 0, memory = 0;
};
void fields(auto& archive, ProcessRecord& r) {
  archive("pid", r.pid);
  archive("hostPid", r.host_pid);
  archive("uid", r.uid);
  archive("state", r.state);
  archive("name", r.name);
  archive("command", r.command);
  archive("cpuNanoseconds", r.cpu_nanoseconds);
  archive("memoryBytes", r.memory);
}

struct StatsRecord {
  std::string name, within;  // within: the container whose cgroup this one's is part of, or empty
  double cpu_percent = 0;    // 100 is one processor
  std::uint64_t cpu_nanoseconds = 0, memory = 0, memory_limit = 0, processes = 0, process_limit = 0,
                read_bytes = 0, written_bytes = 0, received_bytes = 0, sent_bytes = 0;
};
void fields(auto& archive, StatsRecord& r) {
  archive("name", r.name);
  archive("within", r.within);
  archive("cpuPercent", r.cpu_percent);
  archive("cpuNanoseconds", r.cpu_nanoseconds);
  archive("memoryBytes", r.memory);
  archive("memoryLimit", r.memory_limit);
  archive("processes", r.processes);
  archive("processLimit", r.process_limit);
  archive("readBytes", r.read_bytes);
  archive("writtenBytes", r.written_bytes);
  archive("receivedBytes", r.received_bytes);
  archive("sentBytes", r.sent_bytes);
}

struct GroupRecord {
  std::vector<std::string> containers;
  StatsRecord total;  // each process and each packet counted once; it has no name
};
void fields(auto& archive, GroupRecord& r) {
  archive("containers", r.containers);
  archive("total", r.total);
}

struct FindingRecord {
  std::string subject, state;  // ok, limited or missing
  std::string text, cure;
};
void fields(auto& archive, FindingRecord& r) {
  archive("subject", r.subject);
  archive("state", r.state);
  archive("text", r.text);
  archive("cure", r.cure);
}
struct InfoRecord {
  std::string version, kernel, machine, home, user, cgroup;
  std::int64_t containers = 0, running = 0;
  std::vector<std::string> controllers, capabilities;
  std::vector<FindingRecord> findings;
};
void fields(auto& archive, InfoRecord& r) {
  archive("version", r.version);
  archive("kernel", r.kernel);
  archive("machine", r.machine);
  archive("home", r.home);
  archive("user", r.user);
  archive("cgroup", r.cgroup);
  archive("controllers", r.controllers);
  archive("capabilities", r.capabilities);
  archive("containers", r.containers);
  archive("running", r.running);
  archive("findings", r.findings);
}

struct NameRecord {
  std::string kind, name;
  ns::Life life = ns::Life::alive;
  std::optional<std::uint64_t> id, owner;  // inodes; of the user namespace that owns it
  std::string owner_name;                  // "host", "user/NAME", or empty
  std::uint64_t users = 0;                 // processes in it, without the holder
  std::optional<std::int32_t> holder;      // umbel's own process without which it would end
  std::string file;
};
void fields(auto& archive, NameRecord& r) {
  archive("kind", r.kind);
  archive("name", r.name);
  archive("life", r.life);
  archive("id", r.id);
  archive("owner", r.owner);
  archive("ownerName", r.owner_name);
  archive("users", r.users);
  archive("holder", r.holder);
  archive("file", r.file);
}
struct UserRecord {
  std::int32_t pid = 0;
  std::string name, container;  // container: of umbel's, in whose cgroup it is; or empty
};
void fields(auto& archive, UserRecord& r) {
  archive("pid", r.pid);
  archive("name", r.name);
  archive("container", r.container);
}
struct ShownNameRecord {
  NameRecord name;
  ns::Settings settings;  // as they are now
  std::vector<UserRecord> processes;
  std::vector<std::string> containers;  // whose config names it, running or not
  std::vector<std::string> owns;        // user: the names of the namespaces that it owns
};
void fields(auto& archive, ShownNameRecord& r) {
  fields(archive, r.name);
  archive("settings", r.settings);
  archive("processes", r.processes);
  archive("containers", r.containers);
  archive("owns", r.owns);
}

struct VersionRecord {
  std::string version;
};
void fields(auto& archive, VersionRecord& r) { archive("version", r.version); }

}  // namespace umbel::cli
