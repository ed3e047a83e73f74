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
  std::string_view help;
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

Result<void> set_compression(Options& options, const std::string& value) {
  constexpr std::int64_t most = 19;
  const auto level = value.empty() ? std::optional<std::int64_t>(1) : number(value);
  if (!level || *level < 1 || *level > most)
    return fail("'" + value + "' is no level of compression", "levels are 1 to 19");
  options.compression = static_cast<int>(*level);
  return {};
}

Result<void> add_feature(Options& options, const std::string& value) {
  options.features.push_back(value);
  return {};
}

// Namespaces, mounts and devices have such names too, and are no descriptors.
Result<void> add_external(Options& options, const std::string& value) {
  static constexpr std::array known{"tty[", "file[", "unix[", "pipe:[", "socket:[", "/"};
  if (std::ranges::none_of(known, [&](const char* start) { return value.starts_with(start); }))
    return fail("'" + value + "' is not there yet",
                "what is understood: tty[RDEV:DEV], file[MOUNT:INODE], unix[INODE], pipe:[INODE], "
                "socket:[INODE], a path");
  options.external.insert(value);
  return {};
}

// fd[3]:pipe:[12345]
Result<void> add_inherited(Options& options, const std::string& value) {
  const auto halves = cut(value, ':');
  const std::string_view first = halves ? halves->before : "";
  const auto descriptor = first.starts_with("fd[") && first.ends_with("]")
                              ? number(first.substr(3, first.size() - 4))
                              : std::nullopt;
  if (!descriptor || *descriptor < 0 || halves->after.empty())
    return fail("'" + value + "' is not of the form fd[NUMBER]:WHAT",
                "WHAT is what the descriptor was at the dump: pipe:[12345], socket:[12345], or a "
                "path");
  options.inherited[std::string(halves->after)] = static_cast<int>(*descriptor);
  return {};
}

Result<void> set_cgroup_mode(Options&, const std::string& value) {
  if (value == "none" || value == "ignore") return {};
  return fail("the mode '" + (value.empty() ? "soft" : value) + "' is not there yet",
              "with --manage-cgroups=ignore the restored processes stay in the cgroup of whoever "
              "restores them");
}

constexpr std::array all = std::to_array<Option>({
    {"tree", 't', Takes::value, "the process at the top of what is dumped", set_tree},
    {"images-dir", 'D', Takes::value, "where the image is", set_text<&Options::images_directory>},
    {"work-dir", 'W', Takes::value, "where log and statistics go",
     set_text<&Options::work_directory>},
    {"log-file", 'o', Takes::value, "instead of standard error", set_text<&Options::log_file>},
    {"verbosity", 'v', Takes::optional_value, "-v0 to -v4", set_verbosity},
    {"leave-running", 'R', Takes::nothing, "the program goes on after the dump",
     set_flag<&Options::leave_running>},
    {"leave-stopped", 's', Takes::nothing, "it is left stopped, as by SIGSTOP",
     set_flag<&Options::leave_stopped>},
    {"shell-job", 'j', Takes::nothing, "session and terminal belong to somebody outside",
     set_flag<&Options::shell_job>},
    {"restore-detached", 'd', Takes::nothing, "don't wait for the restored program",
     set_flag<&Options::restore_detached>},
    {"restore-sibling", 'S', Takes::nothing, "as a child of umbel-criu's parent",
     set_flag<&Options::restore_sibling>},
    {"pidfile", '\0', Takes::value, "file for the pid of the restored program",
     set_text<&Options::pid_file>},
    {"action-script", '\0', Takes::value, "command to be run at each stage",
     set_text<&Options::action_script>},
    {"ghost-limit", '\0', Takes::value, "deleted files up to this size are carried",
     set_ghost_limit},
    {"timeout", '\0', Takes::value, "seconds that stopping the program may take", set_timeout},
    {"status-fd", '\0', Takes::value, "descriptor that gets a zero byte when all is done",
     set_status_descriptor},
    {"exec-cmd", '\0', Takes::nothing, "execute the command after -- when restored", set_execute},
    {"no-default-config", '\0', Takes::nothing, "there are no configuration files anyway",
     nothing_to_do},
    {"track-mem", '\0', Takes::nothing, "watch what is written, for the next dump",
     set_flag<&Options::track_memory>},
    {"prev-images-dir", '\0', Takes::value, "image to build on, as seen from the images directory",
     set_text<&Options::previous_directory>},
    {"tcp-established", '\0', Takes::nothing, "carry connections",
     set_flag<&Options::tcp_established>},
    {"tcp-close", '\0', Takes::nothing, "connections come back closed",
     set_flag<&Options::tcp_close>},
    {"ext-unix-sk", 'x', Takes::nothing, "unix sockets may have their peer outside",
     set_flag<&Options::external_unix_sockets>},
    {"file-locks", 'l', Takes::nothing, "carry file locks", set_flag<&Options::file_locks>},
    {"link-remap", '\0', Takes::nothing, "a file that has lost its name gets another beside it",
     set_flag<&Options::link_remap>},
    {"external", '\0', Takes::value, "a descriptor that the restore gives anew", add_external},
    {"inherit-fd", '\0', Takes::value, "fd[N]:WHAT puts a descriptor of the caller in its place",
     add_inherited},
    {"manage-cgroups", '\0', Takes::optional_value, "none or ignore", set_cgroup_mode},
    {"freeze-cgroup", '\0', Takes::value, "not needed: all are stopped one by one", nothing_to_do},
    {"feature", '\0', Takes::value, "check for this alone", add_feature},
    {"unprivileged", '\0', Takes::nothing, "what privileges there are are used anyway",
     nothing_to_do},
    {"image-file", '\0', Takes::value, "the image as one file, - for standard output or input",
     set_text<&Options::image_file>},
    {"compress", '\0', Takes::optional_value, "with zstd, at this level", set_compression},
    {"version", 'V', Takes::nothing, "print the version", set_flag<&Options::version>},
    {"help", 'h', Takes::nothing, "print this", set_flag<&Options::help>},
    {"evasive-devices", '\0', Takes::nothing, "", nullptr},
    {"root", 'r', Takes::value, "", nullptr},
    {"pidfd-store", '\0', Takes::value, "", nullptr},
    {"join-ns", 'J', Takes::value, "", nullptr},
    {"empty-ns", '\0', Takes::value, "", nullptr},
    {"cgroup-root", '\0', Takes::value, "", nullptr},
    {"cgroup-yard", '\0', Takes::value, "", nullptr},
    {"cgroup-props", '\0', Takes::value, "", nullptr},
    {"lsm-profile", '\0', Takes::value, "", nullptr},
    {"page-server", '\0', Takes::nothing, "", nullptr},
    {"lazy-pages", '\0', Takes::nothing, "", nullptr},
    {"auto-dedup", '\0', Takes::nothing, "", nullptr},
    {"skip-in-flight", '\0', Takes::nothing, "", nullptr},
    {"skip-mnt", '\0', Takes::value, "", nullptr},
    {"enable-fs", '\0', Takes::value, "", nullptr},
    {"force-irmap", '\0', Takes::nothing, "", nullptr},
    {"cpu-cap", '\0', Takes::optional_value, "", nullptr},
    {"config", '\0', Takes::value, "", nullptr},
    {"weak-sysctls", '\0', Takes::nothing, "", nullptr},
    {"stream", '\0', Takes::nothing, "", nullptr},
    {"mntns-compat-mode", '\0', Takes::nothing, "", nullptr},
    {"network-lock", '\0', Takes::value, "", nullptr},
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

std::string options_help() {
  std::string text;
  for (const Option& option : all) {
    if (option.set == nullptr) continue;
    std::string line =
        option.letter != '\0' ? "  -" + std::string(1, option.letter) + ", --" : "      --";
    line += option.name;
    if (option.takes == Takes::value) line += " VALUE";
    if (option.takes == Takes::optional_value) line += "[=VALUE]";
    constexpr std::size_t column = 34;
    line.resize(std::max(line.size() + 1, column), ' ');
    text += line + std::string(option.help) + "\n";
  }
  return text;
}

Result<Options> parse_options(Words words) { return Parser(words).parse(); }

}  // namespace umbel::cli::criu
