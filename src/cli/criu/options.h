// criu's options, as its manual describes them: criu(8).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/faces.h"

namespace umbel::cli::criu {

struct Options {
  std::string command;
  std::vector<std::string> words;  // after the command
  std::int32_t tree = 0;
  std::string images_directory = ".", work_directory;
  std::string log_file;
  int verbosity = 2;
  bool leave_running = false, leave_stopped = false, shell_job = false;
  bool restore_detached = false, restore_sibling = false;
  bool tcp_established = false, tcp_close = false, external_unix_sockets = false,
       file_locks = false, link_remap = false;
  bool track_memory = false, version = false, help = false;
  std::string pid_file, action_script;
  std::string previous_directory;  // as seen from the images directory
  // Umbel's own: the image as one file, or through a pipe; a level of zstd.
  std::string image_file;
  int compression = 0;
  std::vector<std::string> features;
  std::set<std::string> external;
  std::map<std::string, int> inherited;  // descriptors here, by what their like was linked to
  std::uint64_t ghost_limit = std::uint64_t{1} << 20;
  std::uint64_t timeout = 10;  // seconds
  int status_descriptor = -1;
  bool orphan_terminals = false;     // of a request: the client has their masters
  std::vector<std::string> execute;  // --exec-cmd -- COMMAND
  std::string address;               // where the service listens
  std::string config_file;
  bool no_default_config = false;
};

enum class From { command_line, file };
// Sets what the words say, without the program's name; what they don't speak of stays.
Result<void> apply(Options& options, Words words, From from);
// The same for one field of a request, called as rpc.proto calls it. Fields of type bool have
// "true" and "false".
Result<void> apply_field(Options& options, const std::string& field, const std::string& value);
std::string options_help();

}  // namespace umbel::cli::criu
