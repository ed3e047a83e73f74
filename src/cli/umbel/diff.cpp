#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "cli/umbel/records.h"
#include "container/lifecycle.h"
#include "rootfs/rootfs.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool json = false;
};

Syntax syntax(Options& o) {
  return {.sections = {{"", {{"json", 0, "", "as JSON", &o.json}}}},
          .operands = {"CONTAINER", 1, 1, &o.names},
          .about =
              "Of a running container whose root is the host's under an overlay: A is added, C "
              "changed, D deleted. A directory is changed where something in it is.",
          .examples = {{"umbel diff build", "what the build has written"}}};
}

Result<int> act(const Options& o) {
  const container::Home home = TRY(container::Home::open());
  const container::Container container = TRY(home.find(o.names.front()));
  TRY(container.init());
  if (!container.config.files.root.path.empty() ||
      container.config.namespaces[ns::Kind::mnt].from != ns::From::fresh)
    return fail(container.name() + " has no overlay whose changes could be told",
                "only a container with a new mnt namespace and without --rootfs has one");
  const std::string pid = std::to_string(container.state.init.pid.value());
  const Fd mounts = TRY(sys::open(cwd, "/proc/" + pid + "/ns/mnt", O_RDONLY));
  std::vector<ChangeRecord> records;
  const std::vector<rootfs::Change> changes =
      TRY(advise("without root, an overlay cannot be seen from outside of its user namespace",
                 during("the changes of " + container.name(),
                        rootfs::changes(mounts, container.config.files.root))));
  for (const rootfs::Change& change : changes)
    records.push_back({std::string(1, change.kind), change.path});
  if (o.json) {
    TRY(print_json(records));
    return 0;
  }
  std::string text;
  for (const ChangeRecord& record : records) text += record.kind + " " + record.path + "\n";
  TRY(print(text));
  return 0;
}

}  // namespace

const Verb diff_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
