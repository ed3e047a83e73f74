// The format is that of logrus, the library which runc and the engines log with: podman takes the
// file's whole content for one JSON object, containerd its last line.
#include "cli/oci/log.h"

#include <fcntl.h>
#include <string.h>

#include <cctype>

#include "base/value.h"
#include "console/log.h"
#include "container/process_id.h"
#include "sys/file.h"

namespace umbel::cli::oci {

namespace {

// Engines look for the kernel's reasons as Go spells them: "permission denied" makes Docker exit
// with 126.
std::string whole(const Error& error) {
  std::string text = error.message();
  const char* reason = error.code != 0 ? ::strerrordesc_np(error.code) : nullptr;
  if (reason != nullptr && text.ends_with(reason)) {
    char& first = text[text.size() - std::string_view(reason).size()];
    first = static_cast<char>(std::tolower(static_cast<unsigned char>(first)));
  }
  if (!error.cure.empty()) text += " (" + error.cure + ")";
  return text;
}

}  // namespace

std::string time_text(std::int64_t nanoseconds) { return console::log_time(nanoseconds); }

Result<Log> Log::open(const std::string& path, const std::string& format) {
  Log log;
  if (format != "text" && format != "json")
    return fail("--log-format: must be text or json, not '" + format + "'");
  log.json_ = format == "json";
  log.path_ = path;
  if (!path.empty())
    TRY(during("--log", sys::open(cwd, path, O_WRONLY | O_CREAT | O_APPEND, 0644)));
  return log;
}

std::string Log::entry(std::string_view level, std::string_view message) const {
  const std::string time = time_text(container::now());
  if (json_) {
    Value entry;
    entry["level"] = level;
    entry["msg"] = message;
    entry["time"] = time;
    return json_text(entry) + "\n";
  }
  // For people, who know what time it is.
  if (path_.empty())
    return "umbel-oci: " + (level == "error" ? "" : std::string(level) + ": ") +
           std::string(message) + "\n";
  return "time=\"" + time + "\" level=" + std::string(level) + " msg=" + json_text(Value(message)) +
         "\n";
}

// Opened for each line: there is hardly ever one, and no descriptor is left about.
void Log::line(std::string_view level, std::string_view message) const {
  const std::string text = entry(level, message);
  if (path_.empty()) {
    (void)sys::write_all(standard_error, text);
    return;
  }
  const Result<Fd> file = sys::open(cwd, path_, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (file) (void)sys::write_all(*file, text);
}

void Log::error(const Error& error) const {
  line("error", whole(error));
  if (!path_.empty()) (void)sys::write_all(standard_error, whole(error) + "\n");
}

}  // namespace umbel::cli::oci
