// A table of the options. One that is not there yet is refused by its name: a caller that asks for
// something must not believe that it has got it.
#include "cli/criu/options.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/text.h"

namespace umbel::cli::criu {

namespace {

enum class Takes { nothing, value, optional_value };

struct Option {
  std::string_view name;
  char letter;
  Takes takes;
  // Null: not there yet. `value` is empty where none was given.
  Result<void> (*set)(Options&, const std::string& value);
};

template <bool Options::* flag>
Result<void> set_flag(Options& options, const std::string&) {
  options.*flag = true;
  return {};
}

template <std::string Options::* text>
Result<void> set_text(Options& options, const std::string& value) {
  options.*text = value;
  return {};
}

// Asks for what is so anyway.
Result<void> nothing_to_do(Options&, const std::string&) { return {}; }

Result<void> set_tree(Options& options, const std::string& value) {
  const auto pid = number(value);
  if (!pid || *pid <= 0) return fail("'" + value + "' is no pid");
  options.tree = static_cast<std::int32_t>(*pid);
  return {};
}

Result<void> set_verbosity(Options& options, const std::string& value) {
  // -v, -vvv, -v4
  if (const auto level = number(value))
    options.verbosity = static_cast<int>(*level);
  else
    options.verbosity = static_cast<int>(value.size()) + 1;
  return {};
}

Result<void> set_ghost_limit(Options& options, const std::string& value) {
  options.ghost_limit = TRY(parse_size(value));
  return {};
}

Result<void> set_timeout(Options& options, const std::string& value) {
  const auto seconds = unsigned_number(value);
  if (!seconds) return fail("'" + value + "' is no number of seconds");
  options.timeout = *seconds;
  return {};
}

Result<void> set_status_descriptor(Options& options, const std::string& value) {
  const auto descriptor = number(value);
  if (!descriptor || *descriptor < 0) return fail("'" + value + "' is no descriptor");
  options.status_descriptor = static_cast<int>(*descriptor);
  return {};
}

Result<void> set_execute(Options&, const std::string&) { return {}; }

constexpr std::array all = std::to_array<Option>({
    {"tree", 't', Takes::value, set_tree},
    {"images-dir", 'D', Takes::value, set_text<&Options::images_directory>},
    {"work-dir", 'W', Takes::value, set_text<&Options::work_directory>},
    {"log-file", 'o', Takes::value, set_text<&Options::log_file>},
    {"verbosity", 'v', Takes::optional_value, set_verbosity},
    {"leave-running", 'R', Takes::nothing, set_flag<&Options::leave_running>},
    {"leave-stopped", 's', Takes::nothing, set_flag<&Options::leave_stopped>},
    {"shell-job", 'j', Takes::nothing, set_flag<&Options::shell_job>},
    {"restore-detached", 'd', Takes::nothing, set_flag<&Options::restore_detached>},
    {"restore-sibling", 'S', Takes::nothing, set_flag<&Options::restore_sibling>},
    {"pidfile", '\0', Takes::value, set_text<&Options::pid_file>},
    {"action-script", '\0', Takes::value, set_text<&Options::action_script>},
    {"ghost-limit", '\0', Takes::value, set_ghost_limit},
    {"timeout", '\0', Takes::value, set_timeout},
    {"status-fd", '\0', Takes::value, set_status_descriptor},
    {"exec-cmd", '\0', Takes::nothing, set_execute},
    {"no-default-config", '\0', Takes::nothing, nothing_to_do},
    {"evasive-devices", '\0', Takes::nothing, nullptr},
    {"tcp-established", '\0', Takes::nothing, set_flag<&Options::tcp_established>},
    {"ext-unix-sk", 'x', Takes::nothing, set_flag<&Options::external_unix_sockets>},
    {"file-locks", 'l', Takes::nothing, set_flag<&Options::file_locks>},
    {"tcp-close", '\0', Takes::nothing, nullptr},
    {"link-remap", '\0', Takes::nothing, set_flag<&Options::link_remap>},
    {"manage-cgroups", '\0', Takes::optional_value, nullptr},
    {"external", '\0', Takes::value, nullptr},
    {"inherit-fd", '\0', Takes::value, nullptr},
    {"root", 'r', Takes::value, nullptr},
    {"track-mem", '\0', Takes::nothing, nullptr},
    {"prev-images-dir", '\0', Takes::value, nullptr},
    {"pidfd-store", '\0', Takes::value, nullptr},
    {"feature", '\0', Takes::value, nullptr},
    {"unprivileged", '\0', Takes::nothing, nullptr},
    {"join-ns", 'J', Takes::value, nullptr},
    {"empty-ns", '\0', Takes::value, nullptr},
    {"cgroup-root", '\0', Takes::value, nullptr},
    {"freeze-cgroup", '\0', Takes::value, nullptr},
    {"page-server", '\0', Takes::nothing, nullptr},
    {"lazy-pages", '\0', Takes::nothing, nullptr},
    {"auto-dedup", '\0', Takes::nothing, nullptr},
});

const Option* by_name(std::string_view name) {
  const auto found = std::ranges::find(all, name, &Option::name);
  return found == all.end() ? nullptr : &*found;
}
const Option* by_letter(char letter) {
  const auto found = std::ranges::find(all, letter, &Option::letter);
  return letter == '\0' || found == all.end() ? nullptr : &*found;
}

Failure unknown(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Option& option : all) names.push_back(option.name);
  const auto near = nearest(std::string_view(word).substr(word.find_first_not_of('-')), names);
  return fail("there is no option " + word,
              near ? "did you mean --" + std::string(*near) + "?" : "see criu(8) for the options");
}

class Parser {
 public:
  explicit Parser(Words words) : left_(words) {}

  Result<Options> parse() {
    while (!left_.empty()) {
      const std::string word = left_.front();
      left_ = left_.subspan(1);
      if (word == "--") {
        made_.execute.assign(left_.begin(), left_.end());
        break;
      }
      if (word.starts_with("--"))
        TRY(take_long(word));
      else if (word.starts_with("-") && word.size() > 1)
        TRY(take_short(word));
      else if (made_.command.empty())
        made_.command = word;
      else
        return fail("'" + word + "' is one word too many");
    }
    return std::move(made_);
  }

 private:
  Result<void> take_long(const std::string& word) {
    const auto halves = cut(std::string_view(word).substr(2), '=');
    const Option* option = by_name(halves ? halves->before : std::string_view(word).substr(2));
    if (option == nullptr) return unknown(word);
    std::optional<std::string> value;
    if (halves) value = halves->after;
    return take(*option, word, value);
  }
  Result<void> take_short(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const Option* option = by_letter(word[i]);
      if (option == nullptr) return unknown(word);
      if (option->takes == Takes::nothing) {
        TRY(take(*option, word, std::nullopt));
        continue;
      }
      const std::string rest = word.substr(i + 1);
      std::optional<std::string> value;
      if (!rest.empty()) value = rest;
      return take(*option, word, value);
    }
    return {};
  }
  Result<void> take(const Option& option, const std::string& word,
                    std::optional<std::string> value) {
    if (option.set == nullptr) return fail("--" + std::string(option.name) + " is not there yet");
    if (option.takes == Takes::nothing && value) return fail(word + ": it takes no value");
    if (option.takes == Takes::value && !value) {
      if (left_.empty()) return fail("--" + std::string(option.name) + " needs a value");
      value = left_.front();
      left_ = left_.subspan(1);
    }
    return during("--" + std::string(option.name), option.set(made_, value.value_or("")));
  }
  Words left_;
  Options made_;
};

}  // namespace

Result<Options> parse_options(Words words) { return Parser(words).parse(); }

}  // namespace umbel::cli::criu
