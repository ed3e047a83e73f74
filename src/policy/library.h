// Where policies are found: a person's own, this host's, and the built-in ones.
#pragma once

#include <string>
#include <vector>

#include "policy/policy.h"

namespace umbel::policy {

struct Entry {
  std::string name, text;  // the TOML
  std::string from;        // its file; empty: built in
};
const std::vector<Entry>& built_in();

class Library {
 public:
  // `folders` are searched in this order, before the built-in ones.
  explicit Library(std::vector<std::string> folders) : folders_(std::move(folders)) {}
  // $XDG_CONFIG_HOME/umbel/policies or ~/.config/umbel/policies, then /etc/umbel/policies.
  static Library usual();

  Result<Entry> find(const std::string& name) const;
  // Each name once, as find() would give it, by name.
  Result<std::vector<Entry>> all() const;
  // "migratable,sandbox": both.
  Result<Policy> composed(std::string_view names) const;

 private:
  std::vector<std::string> folders_;
};

}  // namespace umbel::policy
