// What `umbel policy --json` and `umbel check --json` print; see records.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/record.h"

namespace umbel::cli {

struct PolicyRecord {
  std::string name, summary, use, from;  // from: its file; empty: built in
  bool checkpoint = false;
  std::map<std::string, std::vector<std::string>> namespaces;  // the first is what run chooses
  std::map<std::string, std::string> limits, outside;
  std::vector<std::string> hidden;
  bool no_links = false, usual_rights = false;
};
void fields(auto& archive, PolicyRecord& r) {
  archive("name", r.name);
  archive("summary", r.summary);
  archive("use", r.use);
  archive("from", r.from);
  archive("checkpoint", r.checkpoint);
  archive("namespaces", r.namespaces);
  archive("limits", r.limits);
  archive("outside", r.outside);
  archive("hidden", r.hidden);
  archive("noLinks", r.no_links);
  archive("usualRights", r.usual_rights);
}

struct OffenderRecord {
  std::string container;
  std::optional<std::int32_t> pid, fd;  // as the host counts; absent: none in particular
  std::string kind, object, why, cure;
};
void fields(auto& archive, OffenderRecord& r) {
  archive("container", r.container);
  archive("pid", r.pid);
  archive("fd", r.fd);
  archive("kind", r.kind);
  archive("object", r.object);
  archive("why", r.why);
  archive("cure", r.cure);
}

struct VerdictRecord {
  std::string policy;
  std::vector<std::string> containers;
  bool satisfied = false;
  std::vector<OffenderRecord> offenders, external;
  std::uint64_t along = 0;          // things that lead to others of the group, and move with it
  std::vector<std::string> doubts;  // what could not be looked at
  std::optional<std::vector<std::string>> closure;  // absent: there is none
};
void fields(auto& archive, VerdictRecord& r) {
  archive("policy", r.policy);
  archive("containers", r.containers);
  archive("satisfied", r.satisfied);
  archive("offenders", r.offenders);
  archive("external", r.external);
  archive("along", r.along);
  archive("doubts", r.doubts);
  archive("closure", r.closure);
}

}  // namespace umbel::cli
