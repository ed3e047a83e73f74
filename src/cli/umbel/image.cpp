// What an image holds, and whether it is whole. FROM is a directory, a file, or - for standard
// input.
#include <time.h>

#include "base/text.h"
#include "checkpoint/image/records.h"
#include "checkpoint/image/store.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/image_records.h"
#include "cli/umbel/output.h"
#include "cli/umbel/places.h"

namespace umbel::cli {

namespace {

namespace image = checkpoint::image;

struct Options {
  bool json = false;
  std::vector<std::string> words;
};

Syntax syntax(Options& o) {
  return {.sections = {{"", {{"json", 0, "", "as JSON", &o.json}}}},
          .operands = {"show|verify FROM", 2, 2, &o.words},
          .about =
              "FROM is the name of a checkpoint, the directory or file of one if there is a / in "
              "it, or - for standard input. "
              "show lists what it holds; verify reads all of it, and of the images that it "
              "builds on, and compares checksums.",
          .examples = {{"umbel image show web", "processes, files, sizes"},
                       {"umbel image verify - <backup.img", "exit 0 when nothing is damaged"}}};
}

SavedProcessRecord process_record(const image::Process& process) {
  SavedProcessRecord record{.pid = process.pid.value(),
                            .parent = process.parent.value(),
                            .name = process.name,
                            .zombie = process.zombie,
                            .threads = process.threads.size(),
                            .mappings = process.memory.mappings.size(),
                            .descriptors = process.descriptors.size()};
  for (const image::PageRun& run : process.memory.pages) record.memory += run.size;
  return record;
}

Result<ImageRecord> describe(const image::Reader& reader) {
  ImageRecord record{.format = reader.manifest().version,
                     .engine = reader.manifest().engine,
                     .memory_only = !reader.has("tree"),
                     .watched = reader.has("tracking"),
                     .pages = reader.pages().size};
  while (reader.back(static_cast<std::uint32_t>(record.builds_on) + 1) != nullptr)
    ++record.builds_on;
  for (const image::Extent& extent : reader.pages().extents) record.stored += extent.stored;
  if (record.memory_only) return record;
  const Value value = TRY(reader.record("tree"));
  const image::Tree tree = TRY(from_value<image::Tree>(value));
  record.host = tree.host;
  record.kernel = tree.kernel;
  record.machine = tree.machine;
  record.taken = tree.taken;
  for (const image::Process& process : tree.processes)
    record.processes.push_back(process_record(process));
  for (const image::File& file : tree.files) record.files.push_back({file.kind, file.target});
  return record;
}

std::string date(std::int64_t seconds) {
  const time_t when = seconds;
  tm parts{};
  ::localtime_r(&when, &parts);
  char text[64];
  const std::size_t size = ::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return {text, size};
}

std::string text_of(const ImageRecord& record) {
  std::string text;
  if (record.memory_only)
    text = "memory of a pre-dump; it can't be restored by itself\n";
  else
    text = "taken " + date(record.taken) + " on " + record.host + ", Linux " + record.kernel +
           ", " + record.machine + "\n";
  text += "memory " + size_text(record.pages);
  if (record.stored != record.pages) text += ", compressed to " + size_text(record.stored);
  if (record.builds_on != 0)
    text += "; builds on " + std::to_string(record.builds_on) +
            (record.builds_on == 1 ? " earlier image" : " earlier images");
  text += "\n";
  if (record.processes.empty()) return text;
  Table table({"PID", "PARENT", "NAME", "THREADS", "DESCRIPTORS", "MEMORY"});
  for (const SavedProcessRecord& process : record.processes)
    table.add({std::to_string(process.pid), std::to_string(process.parent),
               shortened(process.name, 30) + (process.zombie ? " (has ended)" : ""),
               std::to_string(process.threads), std::to_string(process.descriptors),
               size_text(process.memory)});
  return text + "\n" + table.text();
}

Result<int> act(const Options& o) {
  const std::string& what = o.words[0];
  if (what != "show" && what != "verify")
    return fail("'" + what + "' is nothing that can be done to an image", "say show or verify");
  const image::Reader reader = TRY(open_image(o.words[1]));
  const ImageRecord record = TRY(describe(reader));
  if (what == "verify") {
    TRY(reader.verify());
    TRY(print_line(o.words[1] + ": every byte is as it was written"));
    return 0;
  }
  if (o.json)
    TRY(print_json(record));
  else
    TRY(print(text_of(record)));
  return 0;
}

}  // namespace

const Verb image_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
