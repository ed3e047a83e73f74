#include "policy/library.h"

#include <stdlib.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "sys/file.h"

namespace umbel::policy {

namespace {

constexpr std::string_view ending = ".toml";

std::string variable(const char* name) {
  const char* value = ::secure_getenv(name);
  return value == nullptr ? "" : value;
}

std::string file_of(const std::string& folder, const std::string& name) {
  return folder + "/" + name + std::string(ending);
}

}  // namespace

Library Library::usual() {
  std::vector<std::string> folders;
  if (const std::string config = variable("XDG_CONFIG_HOME"); config.starts_with('/'))
    folders.push_back(config + "/umbel/policies");
  else if (const std::string home = variable("HOME"); home.starts_with('/'))
    folders.push_back(home + "/.config/umbel/policies");
  folders.emplace_back("/etc/umbel/policies");
  return Library(std::move(folders));
}

Result<Entry> Library::find(const std::string& name) const {
  if (!name.empty() && !name.contains('/') && !name.starts_with('.'))
    for (const std::string& folder : folders_) {
      const std::string path = file_of(folder, name);
      Result<std::string> text = sys::read_file(cwd, path);
      if (text) return Entry{name, std::move(*text), path};
      if (text.error().code != ENOENT && text.error().code != ENOTDIR)
        return during("policy " + name, Result<Entry>(Failure(text.error())));
    }
  for (const Entry& known : built_in())
    if (known.name == name) return known;
  const std::vector<Entry> known = TRY(all());
  std::vector<std::string_view> names;
  for (const Entry& one : known) names.push_back(one.name);
  const auto meant = nearest(name, names);
  return fail_with(ENOENT, "there is no policy '" + name + "'",
                   meant ? "did you mean " + std::string(*meant) + "?"
                         : "umbel policy list shows them; your own go to " + folders_.front());
}

Result<std::vector<Entry>> Library::all() const {
  std::map<std::string, Entry> found;
  for (const Entry& known : built_in()) found[known.name] = known;
  for (std::size_t i = folders_.size(); i-- > 0;) {
    const auto names = sys::list(cwd, folders_[i]);
    if (!names) continue;
    for (const std::string& file : *names) {
      if (!file.ends_with(ending) || file.starts_with('.')) continue;
      const std::string path = folders_[i] + "/" + file;
      Entry entry{.name = file.substr(0, file.size() - ending.size()), .from = path};
      entry.text = TRY(sys::read_file(cwd, path));
      found[entry.name] = std::move(entry);
    }
  }
  std::vector<Entry> list;
  for (auto& [name, entry] : found) list.push_back(std::move(entry));
  return list;
}

Result<Policy> Library::composed(std::string_view names) const {
  std::vector<Policy> policies;
  for (const std::string_view name : split(names, ',')) {
    const Entry entry = TRY(find(std::string(trimmed(name))));
    policies.push_back(TRY(entry.from.empty() ? parse(entry.name, entry.text)
                                              : during(entry.from, parse(entry.name, entry.text))));
  }
  if (policies.empty()) return fail("--policy names no policy", "umbel policy list shows them");
  return compose(policies);
}

}  // namespace umbel::policy
