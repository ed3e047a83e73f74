// The verdict first, which names what stands in the way; then the dump, which asks the same again
// under the freeze.
#include "base/text.h"
#include "carry/save.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "cli/umbel/places.h"
#include "cli/umbel/verdict.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names, external;
  std::string to;
  bool leave_running = false, compress = false;
};

Syntax syntax(Options& o) {
  return {
      .sections =
          {{"",
            {{"to", 0, "DIR|FILE|-",
              "where the image goes; without it into umbel's store, under the container's name",
              &o.to},
             {"leave-running", 0, "", "let the container go on afterwards", &o.leave_running},
             {"compress", 0, "", "compress the memory in the image", &o.compress},
             {"external", 0, "OBJECT",
              "what leads outside but is no matter, as umbel check names it; again for more",
              &o.external}}}},
      .operands = {"CONTAINER", 1, 1, &o.names},
      .about =
          "The container must satisfy the policy migratable: umbel check says what stands in the "
          "way. It ends when the image is complete, keeps its name, and umbel restore brings it "
          "back; if anything fails it runs on as if nothing had happened.\n\n"
          "A path that ends with / or is a directory gets the image as files, any other as one "
          "file; - is standard output. What was there is replaced when the image is complete.",
      .examples = {{"umbel checkpoint web", "then umbel restore web"},
                   {"umbel checkpoint web --to /backup/web.img --leave-running", "a copy"},
                   {"umbel checkpoint web --to - | ssh host umbel restore -", "to another host"}}};
}

Result<void> say(const Options& o, const std::string& name,
                 const checkpoint::DumpStatistics& done) {
  if (o.to != "-") return print_line(name);
  constexpr std::uint64_t page = 4096;
  note(name + ": " + std::to_string(done.processes) + " processes, " +
       size_text(done.pages_written * page) + " of memory, stood still for " +
       std::to_string(done.frozen.count() / 1000) + " ms");
  return {};
}

Result<int> act(const Options& o) {
  const container::Home home = TRY(container::Home::open());
  container::Container container = TRY(home.find(o.names.front()));
  TRY(container.lock());
  TRY(container.init());
  TRY(demand({.container = container.name(),
              .policy = "migratable",
              .external = {o.external.begin(), o.external.end()}}));
  constexpr int usual_level = 3;
  Destination to =
      TRY(Destination::open(home, container.name(), o.to, o.compress ? usual_level : 0));
  carry::SaveOptions how{.place = to.place()};
  using After = checkpoint::DumpOptions::After;
  how.engine.after = o.leave_running ? After::run : After::kill;
  // Both ends of what is migratable are in its own network and files.
  how.engine.tcp_established = true;
  how.engine.file_locks = true;
  how.engine.external.insert(o.external.begin(), o.external.end());
  const checkpoint::DumpStatistics done = TRY(carry::save(container, how, to.writer()));
  TRY(to.keep());
  container.unlock();
  TRY(say(o, container.name(), done));
  return 0;
}

}  // namespace

const Verb checkpoint_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
