// A running container into an image, and out of the way, as runc does it. If anything fails it runs
// on as before, paused if it was paused.
#include <fcntl.h>

#include "carry/save.h"
#include "cli/criu/stats.h"
#include "cli/oci/carrying.h"
#include "cli/oci/commands.h"
#include "sys/file.h"

namespace umbel::cli::oci {

namespace {

using checkpoint::DumpOptions;
using checkpoint::DumpStatistics;
using checkpoint::image::Reader;
using checkpoint::image::Writer;
using container::Container;
using container::Status;

struct Values {
  CarryValues carry;
  std::string parent_path, page_server;
  std::optional<std::int64_t> status_descriptor;
  bool leave_running = false, pre_dump = false;
};

std::vector<Option> table(Values& v) {
  std::vector<Option> options = carry_table(v.carry);
  options.push_back({"leave-running", 0, "", "let it go on afterwards", &v.leave_running});
  options.push_back({"pre-dump", 0, "", "copy memory ahead, and let it go on", &v.pre_dump});
  options.push_back(
      {"parent-path", 0, "DIR", "the image to build on, as seen from this one", &v.parent_path});
  options.push_back({"page-server", 0, "ADDRESS:PORT", "not there yet", &v.page_server});
  options.push_back(
      {"status-fd", 0, "N", "gets a zero byte when the image is complete", &v.status_descriptor});
  return options;
}

Result<void> check(const Values& v) {
  TRY(check(v.carry));
  if (!v.page_server.empty())
    return fail("--page-server is not there yet", "copy the image when it is complete");
  if (v.parent_path.starts_with('/'))
    return fail("--parent-path: must be relative to the image's directory");
  return {};
}

// The image that this one builds on.
Result<std::optional<Reader>> previous(const Values& v, FdRef images) {
  if (v.parent_path.empty()) return std::nullopt;
  Fd dir = TRY(during("--parent-path", sys::open(images, v.parent_path, O_RDONLY | O_DIRECTORY)));
  return TRY(during("--parent-path", Reader::directory(std::move(dir))));
}

// What is on a tmpfs ends with the container; of /dev it is made anew.
Result<void> check_memory_files(const Container& container) {
  const std::string init = std::to_string(container.state.init.pid.value());
  const Fd root = TRY(sys::open(cwd, "/proc/" + init + "/root", O_PATH | O_DIRECTORY));
  for (const rootfs::Mount& mount : container.config.files.mounts) {
    if (mount.type != "tmpfs" || mount.destination == "/dev") continue;
    const Fd dir = TRY(sys::open_in_root(root, mount.destination, O_RDONLY | O_DIRECTORY));
    if (TRY(sys::list(dir, ".")).empty()) continue;
    return fail_with(EOPNOTSUPP,
                     "the tmpfs at " + mount.destination + " has files, which are not carried yet",
                     "mount a directory there instead, or have the program remove them");
  }
  return {};
}

DumpOptions dump_options(const Values& v, const std::optional<Reader>& parent) {
  return {.after = v.leave_running ? DumpOptions::After::run : DumpOptions::After::kill,
          .file_locks = v.carry.file_locks,
          .link_remap = v.carry.link_remap,
          .tcp_established = v.carry.tcp_established,
          .external_unix_sockets = v.carry.external_sockets,
          .parent = parent ? &*parent : nullptr,
          .track = v.pre_dump};
}

Result<DumpStatistics> save(Container& container, const Values& v) {
  const std::string path = TRY(image_path(v.carry));
  constexpr mode_t own = 0700;
  TRY(during("--image-path", sys::make_directories(path, own)));
  Fd images = TRY(during("--image-path", sys::open(cwd, path, O_RDONLY | O_DIRECTORY)));
  const std::optional<Reader> parent = TRY(previous(v, images));
  Writer::Form form;
  if (parent)
    form.parent =
        checkpoint::image::Parent{.path = v.parent_path, .checksum = parent->manifest_checksum()};
  const std::unique_ptr<Writer> writer = TRY(Writer::directory(std::move(images), form));
  carry::SaveOptions how{.engine = dump_options(v, parent), .place = path};
  if (!v.pre_dump) return carry::save(container, how, *writer);
  how.engine.root = container.state.init.pid;
  return checkpoint::pre_dump(how.engine, *writer);
}

// What stands still can't be looked into: it is let go on for the moment of the dump.
Result<DumpStatistics> save_also_paused(Container& container, const Values& v) {
  const bool paused = container.status() == Status::paused;
  if (paused) TRY(container::resume(container));
  Result<DumpStatistics> done = save(container, v);
  if (paused && container.is_running()) TRY(container::pause(container));
  return done;
}

// Podman takes an image without this file of criu's for one that is not complete.
Result<void> leave_inventory(const Values& v) {
  const Fd dir = TRY(sys::open(cwd, TRY(image_path(v.carry)), O_RDONLY | O_DIRECTORY));
  return sys::replace_file(dir, "inventory.img", "an image of umbel's: umbel image show\n", 0600);
}

Result<void> say_done(const Values& v, const DumpStatistics& done) {
  write_log(v.carry, "dump.log",
            "Dumped " + std::to_string(done.processes) + " processes, " +
                std::to_string(done.pages_written) + " pages; frozen " +
                std::to_string(done.frozen.count()) + " us");
  if (const Result<Fd> dir = work_directory(v.carry)) (void)criu::write_statistics(*dir, done);
  if (!v.status_descriptor) return {};
  return during("--status-fd", sys::write_all(FdRef(static_cast<int>(*v.status_descriptor)),
                                              std::string_view("\0", 1)));
}

Result<int> act(const Global& global, const Values& v, Words words) {
  const std::string id = TRY(only_id(words));
  TRY(check(v));
  Container container = TRY(find(global, id));
  TRY(container.lock());
  const Status now = container.status();
  if (now != Status::running && now != Status::paused)
    return fail("container not running: " + id + " is " + std::string(status_word(now)),
                "only what runs can be checkpointed");
  const auto save = [&]() -> Result<DumpStatistics> {
    TRY(check_memory_files(container));
    return save_also_paused(container, v);
  };
  const Result<DumpStatistics> done = save();
  if (!done) {
    const Error& error = done.error();
    write_log(v.carry, "dump.log",
              "Error: " + error.message() + (error.cure.empty() ? "" : "\n       " + error.cure));
    return Failure(error);
  }
  if (done->chain_broken)
    global.log.warning("nothing is known of what was written since the image in " + v.parent_path +
                       ": all memory was copied");
  TRY(leave_inventory(v));
  TRY(say_done(v, *done));
  if (v.leave_running || v.pre_dump) return 0;
  TRY(container::remove(container, container::Force::yes));
  for (const std::string& note : container.state.notes) global.log.warning(note);
  return 0;
}

}  // namespace

const Command checkpoint_command{"checkpoint", "ID", "save a running container into an image",
                                 with_options<Values, table, act>};

}  // namespace umbel::cli::oci
