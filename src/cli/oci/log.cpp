// The format is that of logrus, the library which runc and the engines log with: podman takes the
// file's whole content for one JSON object, containerd its last line.
#include "cli/oci/log.h"

#include <fcntl.h>

#include "base/value.h"
#include "console/log.h"
#include "container/process_id.h"
#include "sys/file.h"

namespace umbel::cli::oci {

namespace {

std::string whole(const Error& error) {
  std::string text = error.message();
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

// Opened for each line: there is hardly ever one, and no descriptor is left about.
void Log::line(std::string_view level, std::string_view message) const {
  std::string text;
  const std::string time = time_text(container::now());
  if (json_) {
    Value entry;
    entry["level"] = level;
    entry["msg"] = message;
    entry["time"] = time;
    text = json_text(entry);
  } else {
    text =
        "time=\"" + time + "\" level=" + std::string(level) + " msg=" + json_text(Value(message));
  }
  text += "\n";
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
