// The options that criu(8) and its RPC know. One that is not there yet is refused by its name: a
// caller that asks for something must not believe that it has got it.
#include "cli/criu/option_table.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace umbel::cli::criu {

namespace {

template <bool Options::* flag>
Result<void> set_flag(Options& options, const std::string& value) {
  if (value == negative) {
    options.*flag = false;
    return {};
  }
  if (!value.empty()) return fail("it takes no value");
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

// By whichever of the two; not at all would break connections.
Result<void> set_network_lock(Options&, const std::string& value) {
  if (value == "iptables" || value == "nftables") return {};
  return fail("'" + value + "' is not there yet", "peers are held off by nftables");
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
  const Halves halves = cut(value, ':').value_or(Halves{});
  const std::string_view first = halves.before;
  const auto descriptor = first.starts_with("fd[") && first.ends_with("]")
                              ? number(first.substr(3, first.size() - 4))
                              : std::nullopt;
  if (!descriptor || *descriptor < 0 || halves.after.empty())
    return fail("'" + value + "' is not of the form fd[NUMBER]:WHAT",
                "WHAT is what the descriptor was at the dump: pipe:[12345], socket:[12345], or a "
                "path");
  options.inherited[std::string(halves.after)] = static_cast<int>(*descriptor);
  return {};
}

Result<void> set_cgroup_mode(Options&, const std::string& value) {
  if (value == "none" || value == "ignore") return {};
  return fail("the mode '" + (value.empty() ? "soft" : value) + "' is not there yet",
              "with --manage-cgroups=ignore the restored processes stay in the cgroup of whoever "
              "restores them");
}

constexpr std::array all = std::to_array<Option>({
    {"tree", 't', Takes::value, "the process at the top of what is dumped", set_tree, "pid"},
    {"images-dir", 'D', Takes::value, "where the image is", set_text<&Options::images_directory>},
    {"work-dir", 'W', Takes::value, "where log and statistics go",
     set_text<&Options::work_directory>},
    {"log-file", 'o', Takes::value, "instead of standard error", set_text<&Options::log_file>},
    {"verbosity", 'v', Takes::optional_value, "-v0 to -v4", set_verbosity, "log_level"},
    {"leave-running", 'R', Takes::nothing, "the program goes on after the dump",
     set_flag<&Options::leave_running>},
    {"leave-stopped", 's', Takes::nothing, "it is left stopped, as by SIGSTOP",
     set_flag<&Options::leave_stopped>},
    {"shell-job", 'j', Takes::nothing, "session and terminal belong to somebody outside",
     set_flag<&Options::shell_job>},
    {"restore-detached", 'd', Takes::nothing, "don't wait for the restored program",
     set_flag<&Options::restore_detached>},
    {"restore-sibling", 'S', Takes::nothing, "as a child of umbel-criu's parent",
     set_flag<&Options::restore_sibling>, "rst_sibling"},
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
    {"config", '\0', Takes::value, "configuration file, instead of the usual ones",
     set_text<&Options::config_file>},
    {"no-default-config", '\0', Takes::nothing, "read no configuration files",
     set_flag<&Options::no_default_config>},
    {"address", '\0', Takes::value, "where the service listens", set_text<&Options::address>},
    {"daemon", '\0', Takes::nothing, "the service goes on in the background",
     set_flag<&Options::restore_detached>},
    {"track-mem", '\0', Takes::nothing, "watch what is written, for the next dump",
     set_flag<&Options::track_memory>},
    {"prev-images-dir", '\0', Takes::value, "image to build on, as seen from the images directory",
     set_text<&Options::previous_directory>, "parent_img"},
    {"pre-dump-mode", '\0', Takes::value, "not needed: there is one way", nothing_to_do},
    {"tcp-established", '\0', Takes::nothing, "carry connections",
     set_flag<&Options::tcp_established>},
    {"network-lock", '\0', Takes::value, "how peers are held off: nftables", set_network_lock},
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
    {"manage-cgroups", '\0', Takes::optional_value, "none or ignore", set_cgroup_mode,
     "manage_cgroups_mode"},
    {"freeze-cgroup", '\0', Takes::value, "not needed: all are stopped one by one", nothing_to_do},
    {"extra", '\0', Takes::nothing, "check is always complete", nothing_to_do},
    {"all", '\0', Takes::nothing, "check is always complete", nothing_to_do},
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
    {"cgroup-root", '\0', Takes::value, "", nullptr, "cg_root"},
    {"cgroup-yard", '\0', Takes::value, "", nullptr},
    {"cgroup-props", '\0', Takes::value, "", nullptr},
    {"lsm-profile", '\0', Takes::value, "", nullptr},
    {"page-server", '\0', Takes::nothing, "", nullptr},
    {"lazy-pages", '\0', Takes::nothing, "", nullptr},
    {"auto-dedup", '\0', Takes::nothing, "", nullptr},
    {"skip-in-flight", '\0', Takes::nothing, "", nullptr, "tcp_skip_in_flight"},
    {"skip-mnt", '\0', Takes::value, "", nullptr},
    {"enable-fs", '\0', Takes::value, "", nullptr},
    {"force-irmap", '\0', Takes::nothing, "", nullptr},
    {"cpu-cap", '\0', Takes::optional_value, "", nullptr},
    {"weak-sysctls", '\0', Takes::nothing, "", nullptr},
    {"stream", '\0', Takes::nothing, "", nullptr},
    {"mntns-compat-mode", '\0', Takes::nothing, "", nullptr},
});

}  // namespace

std::span<const Option> option_table() { return all; }

}  // namespace umbel::cli::criu
