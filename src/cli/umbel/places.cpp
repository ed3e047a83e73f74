#include "cli/umbel/places.h"

#include <fcntl.h>

#include "sys/file.h"

namespace umbel::cli {

namespace {

using checkpoint::image::Reader;
using checkpoint::image::Writer;

constexpr std::string_view unfinished = ".unfinished";

std::string store(const container::Home& home) { return home.path() + "/checkpoints"; }

bool is_directory(const std::string& path) {
  const auto found = sys::status_behind(cwd, path);
  return path.ends_with('/') || (found && S_ISDIR(found->st_mode));
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

Result<void> clear(const std::string& path) {
  if (!sys::exists(cwd, path)) return {};
  return sys::remove_tree(cwd, path);
}

Result<std::string> absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  return TRY(sys::working_directory()) + "/" + path;
}

}  // namespace

Result<Destination> Destination::open(const container::Home& home, const std::string& name,
                                      const std::string& to, int compression) {
  Destination made;
  const Writer::Form form{.compression = compression};
  if (to == "-") {
    made.place_ = "-";
    Fd out = TRY(sys::duplicate(standard_out));
    made.writer_ = TRY(Writer::file(std::move(out), form));
    return made;
  }
  if (to.empty()) TRY(sys::make_directories(store(home), 0700));
  made.path_ = to.empty() ? store(home) + "/" + name : without_slash(TRY(absolute(to)));
  made.place_ = to.empty() ? name : made.path_;
  const std::string temporary = made.path_ + std::string(unfinished);
  TRY(clear(temporary));
  if (to.empty() || is_directory(to)) {
    TRY(during("--to", sys::make_directory(cwd, temporary, 0700)));
    made.temporary_ = temporary;
    Fd dir = TRY(sys::open(cwd, temporary, O_RDONLY | O_DIRECTORY));
    made.writer_ = TRY(Writer::directory(std::move(dir), form));
    return made;
  }
  Fd file = TRY(during("--to", sys::open(cwd, temporary, O_RDWR | O_CREAT | O_EXCL, 0600)));
  made.temporary_ = temporary;
  made.writer_ = TRY(Writer::file(std::move(file), form));
  return made;
}

Destination::~Destination() {
  if (!temporary_.empty()) (void)clear(temporary_);
}

Result<void> Destination::keep() {
  if (temporary_.empty()) return {};
  TRY(clear(path_));
  TRY(sys::rename(cwd, temporary_, cwd, path_));
  temporary_.clear();
  return {};
}

Result<Reader> open_image(const std::string& from) {
  if (from == "-") {
    Fd in = TRY(sys::duplicate(standard_in));
    return Reader::file(std::move(in));
  }
  if (from.contains('/')) return Reader::open(from);
  const container::Home home = TRY(container::Home::open());
  const std::string path = store(home) + "/" + from;
  if (!sys::exists(cwd, path))
    return fail_with(ENOENT, "there is no checkpoint " + from,
                     "one in the current directory is ./" + from);
  return Reader::open(path);
}

}  // namespace umbel::cli
