// As criu(8) describes the files: '#' begins a comment, the value follows after blanks and may be
// in double quotes, in which \" is one.
#include "cli/criu/configuration.h"

#include <stdlib.h>

#include "base/text.h"
#include "sys/file.h"

namespace umbel::cli::criu {

namespace {

// Cuts a comment off, but not inside of quotes.
std::string_view without_comment(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && (i == 0 || line[i - 1] != '\\')) quoted = !quoted;
    if (line[i] == '#' && !quoted) return line.substr(0, i);
  }
  return line;
}

Result<std::string> unquoted(std::string_view value) {
  if (!value.starts_with('"')) return std::string(value);
  if (value.size() < 2 || !value.ends_with('"')) return fail("a quote is never closed");
  std::string plain;
  const std::string_view inside = value.substr(1, value.size() - 2);
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\' && i + 1 < inside.size() && inside[i + 1] == '"') continue;
    plain += inside[i];
  }
  return plain;
}

std::vector<std::string> usual_files() {
  std::vector<std::string> files{"/etc/criu/default.conf"};
  if (const char* home = ::secure_getenv("HOME"))
    files.push_back(std::string(home) + "/.criu/default.conf");
  return files;
}

Result<void> apply_if_there(Options& options, const std::string& path) {
  return sys::exists(cwd, path) ? apply_file(options, path) : Result<void>();
}

}  // namespace

Result<std::vector<std::string>> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::size_t number = 0;
  for (const std::string_view whole : split(text, '\n')) {
    ++number;
    const std::string_view line = trimmed(without_comment(whole));
    if (line.empty()) continue;
    const std::size_t end = line.find_first_of(" \t");
    words.push_back("--" + std::string(line.substr(0, end)));
    if (end == std::string_view::npos) continue;
    const std::string value =
        TRY(during("line " + std::to_string(number), unquoted(trimmed(line.substr(end)))));
    // Together, so that it is a value whatever it begins with.
    words.back() += "=" + value;
  }
  return words;
}

Result<void> apply_file(Options& options, const std::string& path) {
  const auto applied = [&]() -> Result<void> {
    const std::string text = TRY(sys::read_file(cwd, path));
    const std::vector<std::string> words = TRY(words_of(text));
    return apply(options, words, From::file);
  };
  return during("the configuration file " + path, applied());
}

Result<Options> read_options(Words words) {
  Options asked;
  TRY(apply(asked, words, From::command_line));
  Options options;
  if (!asked.no_default_config && asked.config_file.empty())
    for (const std::string& path : usual_files()) TRY(apply_if_there(options, path));
  if (const char* path = ::secure_getenv("CRIU_CONFIG_FILE"); path != nullptr && *path != '\0')
    TRY(apply_if_there(options, path));
  if (!asked.config_file.empty()) TRY(apply_file(options, asked.config_file));
  TRY(apply(options, words, From::command_line));
  return options;
}

}  // namespace umbel::cli::criu
