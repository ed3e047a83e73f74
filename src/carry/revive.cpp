// A container is made as `start` makes it, up to the moment when its first process would become the
// command. Then a child enters its namespaces, and restores the processes there: as children of
// that process, which is their reaper from then on, or out of it.
#include "carry/revive.h"

#include "base/text.h"
#include "carry/files.h"
#include "carry/lost.h"
#include "container/lifecycle.h"
#include "ns/aside.h"

namespace umbel::carry {

namespace {

using checkpoint::Bearer;
using container::Config;
using container::Container;
using container::Home;
using container::Revival;
using container::Status;

Revival::Role revival_role(Bearer::Role role) {
  return role == Bearer::Role::reaper ? Revival::Role::reaper : Revival::Role::first;
}

// The config completes the name of a cgroup that ends with '/' or '-' by the container's.
std::string cgroup_stem(const Config& config) {
  const std::size_t at = config.cgroup.rfind(config.name);
  if (at == std::string::npos || at == 0) return config.cgroup;
  const char before = config.cgroup[at - 1];
  return before == '/' || before == '-' ? config.cgroup.substr(0, at) : config.cgroup;
}

Result<Container> open(const Home& home, const Saved& saved, const std::string& name) {
  Result<Container> found = home.exactly(name);
  if (!found && found.error().code == ENOENT) {
    Config config = saved.config;
    config.cgroup = cgroup_stem(config);
    config.name = name;
    return home.create(std::move(config));
  }
  Container container = TRY(std::move(found));
  TRY(container.lock());
  if (container.status() == Status::checkpointed) {
    container.config = saved.config;
    container.config.name = name;
    return container;
  }
  return fail_with(EEXIST,
                   "the name " + name + " is taken by a container that is " +
                       std::string(container::status_text(container.status())),
                   "choose another --name, or remove that one: umbel rm " + name);
}

}  // namespace

Result<Saved> saved_in(const checkpoint::image::Reader& reader) {
  if (!reader.has(member))
    return fail("the image is of processes without a container",
                "umbel-criu restore brings them back");
  const Value value = TRY(reader.record(member));
  return from_value<Saved>(value);
}

Filling::Filling(const checkpoint::image::Reader& reader, checkpoint::RestoreOptions how,
                 Saved saved, checkpoint::Cradle cradle)
    : reader_(reader),
      how_(std::move(how)),
      saved_(std::move(saved)),
      cradle_(std::move(cradle)),
      revival_{.role = revival_role(checkpoint::role_of_bearer(cradle_.tree())),
               .fill = [this](const container::Waiting& waiting) { return fill(waiting); }} {}

Result<std::unique_ptr<Filling>> Filling::prepare(const checkpoint::image::Reader& reader,
                                                  checkpoint::RestoreOptions how) {
  Saved saved = TRY(saved_in(reader));
  checkpoint::Cradle cradle = TRY(checkpoint::Cradle::make(reader));
  return std::unique_ptr<Filling>(
      new Filling(reader, std::move(how), std::move(saved), std::move(cradle)));
}

Result<InnerPid> Filling::fill(const container::Waiting& waiting) const {
  checkpoint::RestoreOptions how = how_;
  const auto give = [&](const std::string& link, FdRef stream) {
    if (!link.empty()) how.inherited.emplace(link, stream.number());
  };
  give(saved_.streams.in, waiting.stdio.in);
  give(saved_.streams.out, waiting.stdio.out);
  give(saved_.streams.err, waiting.stdio.err);
  how.console = waiting.terminal.number();
  const Result<ns::Brought> done = ns::aside([&]() -> Result<ns::Brought> {
    TRY(checkpoint::enter_namespaces(waiting.init));
    if (reader_.has(files_member)) {
      const Value value = TRY(reader_.record(files_member));
      const auto files = TRY(from_value<std::vector<SavedFile>>(value));
      TRY(apply_files(files));
    }
    const Bearer bearer{.pid = waiting.init, .role = checkpoint::role_of_bearer(cradle_.tree())};
    TRY(checkpoint::restore(how, reader_, cradle_, bearer));
    return ns::Brought();
  });
  if (!done) return Failure(done.error());
  return cradle_.tree().root;
}

Result<Container> revive(const Home& home, const checkpoint::image::Reader& reader,
                         const ReviveOptions& options) {
  const Saved saved = TRY(saved_in(reader));
  const auto filling = TRY(Filling::prepare(reader, options.engine));
  const std::string name = options.name.value_or(saved.config.name);
  const bool was_there = static_cast<bool>(home.exactly(name));
  Container container = TRY(open(home, saved, name));
  if (saved.clocks) TRY(apply_clocks(*saved.clocks, container.config.settings));
  const Result<void> started = container::start_detached(container, &filling->revival());
  if (started) return container;
  if (!was_there) (void)container.erase();
  return Failure(started.error());
}

}  // namespace umbel::carry
