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

}  // namespace umbel::cli
