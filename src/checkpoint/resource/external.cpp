// The names are those of criu(8): devices and mounts as their numbers are, in hexadecimal.
#include "checkpoint/resource/external.h"

#include "checkpoint/outside.h"
#include "sys/file.h"

namespace umbel::checkpoint {

namespace {

constexpr std::string_view kind = "external";

std::string pair(const char* what, std::uint64_t first, std::uint64_t second) {
  char text[64];
  std::snprintf(text, sizeof text, "%s[%lx:%lx]", what, first, second);
  return text;
}

// Where the options give one: its number.
std::optional<int> given(const RestoreOptions& options, const image::File& file) {
  const std::string* name = file.kind == kind ? file.state.as<std::string>() : nullptr;
  for (const std::string* candidate : {&file.target, name}) {
    if (candidate == nullptr) continue;
    const auto found = options.inherited.find(*candidate);
    if (found != options.inherited.end()) return found->second;
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> name_of(FdRef own) {
  const std::string number = std::to_string(own.number());
  const auto link = sys::readlink(cwd, "/proc/self/fd/" + number);
  if (!link) return std::string();  // closed
  if (!link->starts_with('/')) return *link;
  const struct stat status = TRY(sys::status(own));
  const std::string info = TRY(sys::read_file(cwd, "/proc/self/fdinfo/" + number));
  const std::uint64_t mount = TRY(proc::Keyed::parse(info).number("mnt_id"));
  return pair("file", mount, status.st_ino);
}

std::optional<std::string> external_name(const DumpOptions& options,
                                         const inspect::Descriptor& descriptor) {
  const struct stat& status = descriptor.status;
  std::vector<std::string> names{descriptor.target};
  if (descriptor.kind == inspect::Kind::terminal)
    names.push_back(pair("tty", status.st_rdev, status.st_dev));
  if (descriptor.kind == inspect::Kind::unix_socket)
    names.push_back("unix[" + std::to_string(status.st_ino) + "]");
  if (const auto mount = descriptor.info.number("mnt_id"))
    names.push_back(pair("file", *mount, status.st_ino));
  for (std::string& name : names)
    if (options.external.contains(name)) return std::move(name);
  return std::nullopt;
}

image::File dump_external(const inspect::Descriptor& descriptor, const std::string& name) {
  return {.kind = std::string(kind),
          .target = descriptor.target,
          .flags = descriptor.flags,
          .state = Value(name)};
}

bool is_inherited(const RestoreOptions& options, const image::File& file) {
  return given(options, file).has_value();
}

Result<std::optional<Fd>> inherited(const RestoreOptions& options, const image::File& file) {
  if (const auto number = given(options, file)) {
    Fd copy = TRY(during("the inherited descriptor " + std::to_string(*number),
                         sys::duplicate(FdRef(*number))));
    return std::optional<Fd>(std::move(copy));
  }
  if (file.kind != kind) return std::optional<Fd>();
  return fail(file.target + " was left to the restore when it was dumped",
              "give it with --inherit-fd fd[NUMBER]:" +
                  (file.state.as<std::string>() ? *file.state.as<std::string>() : file.target));
}

}  // namespace umbel::checkpoint
