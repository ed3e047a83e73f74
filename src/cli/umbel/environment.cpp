#include "cli/umbel/environment.h"

#include <unistd.h>

#include "base/text.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

}  // namespace

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    all.emplace_back(*entry);
  return all;
}

void Variables::set(std::string entry) {
  std::erase_if(entries_,
                [&](const std::string& known) { return name_of(known) == name_of(entry); });
  entries_.push_back(std::move(entry));
}

void Variables::pass_on(std::string_view name) {
  for (const std::string& entry : own_)
    if (name_of(entry) == name) return set(entry);
}

Result<void> Variables::add(std::string_view text, std::string_view option) {
  if (name_of(text).empty())
    return fail(std::string(option) + ": '" + std::string(text) + "' has no name",
                "write it like NAME=VALUE");
  if (text.contains('='))
    set(std::string(text));
  else
    pass_on(text);
  return {};
}

Result<void> Variables::add_file(const std::string& path) {
  const std::string text = TRY(during("--env-file", sys::read_file(cwd, path)));
  for (std::string_view line : split(text, '\n')) {
    // Blanks before the name only: those at the end belong to the value.
    while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
    if (!line.empty() && line[0] != '#') TRY(add(line, "--env-file " + path));
  }
  return {};
}

}  // namespace umbel::cli
