// The kernel lists in /proc/cpuinfo what programs may use: vendor_id and flags. A program that was
// started on one processor has chosen its code by that list, and needs all of it again.
#include "cli/criu/cpu.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "base/record.h"
#include "base/text.h"
#include "sys/file.h"

namespace umbel::cli::criu {

namespace {

constexpr const char* file_name = "cpuinfo.img";

struct Cpu {
  std::string vendor, model;
  std::vector<std::string> flags;
};
void fields(auto& archive, Cpu& c) {
  archive("vendor", c.vendor);
  archive("model", c.model);
  archive("flags", c.flags);
}

// Of the first processor: the kernel makes all of them look alike to programs.
Result<Cpu> own_cpu() {
  Cpu cpu;
  const std::string text = TRY(sys::read_file(cwd, "/proc/cpuinfo"));
  for (const std::string_view line : split(text, '\n')) {
    const auto halves = cut(line, ':');
    if (!halves) break;
    const std::string_view name = trimmed(halves->before), value = trimmed(halves->after);
    if (name == "vendor_id") cpu.vendor = value;
    if (name == "model name") cpu.model = value;
    if (name != "flags") continue;
    for (const std::string_view flag : words(value)) cpu.flags.emplace_back(flag);
  }
  return cpu;
}

Result<Fd> images(const Options& options) {
  return during("the images directory",
                sys::open(cwd, options.images_directory, O_RDONLY | O_DIRECTORY));
}

}  // namespace

Result<void> dump_cpu(const Options& options) {
  const Cpu cpu = TRY(own_cpu());
  const Fd dir = TRY(images(options));
  return sys::replace_file(dir, file_name, json_text(to_value(cpu)) + "\n", 0600);
}

Result<void> check_cpu(const Options& options) {
  const Cpu own = TRY(own_cpu());
  const Fd dir = TRY(images(options));
  const std::string text = TRY(sys::read_file(dir, file_name));
  const Value value = TRY(during(file_name, parse_json(text)));
  const Cpu there = TRY(during(file_name, from_value<Cpu>(value)));
  if (own.vendor != there.vendor)
    return fail(
        "the image is of a processor of " + there.vendor + ", and this one is of " + own.vendor,
        "restore it on a machine with such a processor");
  const std::set<std::string> here(own.flags.begin(), own.flags.end());
  std::vector<std::string> missing;
  std::ranges::copy_if(there.flags, std::back_inserter(missing),
                       [&](const std::string& flag) { return !here.contains(flag); });
  if (missing.empty()) return {};
  return fail("this processor lacks what that of the image has: " + join(missing, " "),
              "restore it on a machine like that one (" + there.model + ")");
}

Result<int> cpuinfo(const Options& options) {
  const std::string& what = options.words.front();
  if (what != "dump" && what != "check")
    return fail("cpuinfo " + what + ": there are cpuinfo dump and cpuinfo check");
  TRY(what == "dump" ? dump_cpu(options) : check_cpu(options));
  return 0;
}

}  // namespace umbel::cli::criu
