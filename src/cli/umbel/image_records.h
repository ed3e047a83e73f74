// What `umbel image show --json` says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace umbel::cli {

struct SavedProcessRecord {
  std::int32_t pid = 0, parent = 0;
  std::string name;
  bool zombie = false;
  std::uint64_t threads = 0, mappings = 0, descriptors = 0;
  std::uint64_t memory = 0;  // bytes of its own pages
};
void fields(auto& archive, SavedProcessRecord& r) {
  archive("pid", r.pid);
  archive("parent", r.parent);
  archive("name", r.name);
  archive("zombie", r.zombie);
  archive("threads", r.threads);
  archive("mappings", r.mappings);
  archive("descriptors", r.descriptors);
  archive("memory", r.memory);
}

struct SavedFileRecord {
  std::string kind, target;
};
void fields(auto& archive, SavedFileRecord& r) {
  archive("kind", r.kind);
  archive("target", r.target);
}

struct ImageRecord {
  std::uint32_t format = 0;
  std::string engine, host, kernel, machine;
  std::int64_t taken = 0;       // seconds since 1970
  bool memory_only = false;     // of a pre-dump: it can't be restored by itself
  bool watched = false;         // another one can build on it
  std::uint64_t builds_on = 0;  // so many earlier images
  std::uint64_t pages = 0;      // bytes of memory in this image
  std::uint64_t stored = 0;     // what they take, compressed or not
  std::vector<SavedProcessRecord> processes;
  std::vector<SavedFileRecord> files;
};
void fields(auto& archive, ImageRecord& r) {
  archive("format", r.format);
  archive("engine", r.engine);
  archive("host", r.host);
  archive("kernel", r.kernel);
  archive("machine", r.machine);
  archive("taken", r.taken);
  archive("memory_only", r.memory_only);
  archive("watched", r.watched);
  archive("builds_on", r.builds_on);
  archive("pages", r.pages);
  archive("stored", r.stored);
  archive("processes", r.processes);
  archive("files", r.files);
}

}  // namespace umbel::cli
