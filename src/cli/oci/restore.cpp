// A container is made of the bundle as create makes it, network and mounts as the configuration has
// them now, and gets the processes of an image instead of its command.
#include "carry/revive.h"
#include "cli/criu/stats.h"
#include "cli/oci/carrying.h"
#include "cli/oci/making.h"

namespace umbel::cli::oci {

namespace {

using checkpoint::image::Reader;

struct Values {
  CarryValues carry;
  BundleOptions bundle;
  Handing handing;
  std::optional<std::uint64_t> preserved;
  bool detach = false, ignored = false;
};

std::vector<Option> table(Values& v) {
  std::vector<Option> options = carry_table(v.carry);
  options.push_back({"bundle", 'b', "DIR", "the bundle (the working directory)", &v.bundle.path});
  options.push_back({"detach", 'd', "", "do not wait for its end", &v.detach});
  options.push_back(
      {"console-socket", 0, "PATH", "gets the terminal's master", &v.handing.console_socket});
  options.push_back({"pid-file", 0, "FILE", "gets the first process's pid", &v.handing.pid_file});
  options.push_back({"no-pivot", 0, "", "for a root on the initramfs", &v.bundle.no_pivot});
  options.push_back({"no-subreaper", 0, "", "accepted: umbel waits for its own child", &v.ignored});
  options.push_back({"preserve-fds", 0, "N", "accepted: the image has its own", &v.preserved});
  return options;
}

Result<Made> revive(const Global& global, const Values& v, const std::string& id) {
  const Reader image = TRY(Reader::open(TRY(image_path(v.carry))));
  const auto filling = TRY(carry::Filling::prepare(image, {.shell_job = v.carry.shell_job}));
  return make(global, v.bundle, v.handing,
              {.id = id, .detached = v.detach, .then = Then::run, .revival = &filling->revival()});
}

Result<int> act(const Global& global, const Values& v, Words words) {
  const std::string id = TRY(only_id(words));
  TRY(check(v.carry));
  std::optional<container::SignalRelay> signals;
  if (!v.detach) signals = TRY(container::SignalRelay::open());
  Result<Made> made = revive(global, v, id);
  if (!made) {
    const Error& error = made.error();
    write_log(v.carry, "restore.log",
              "Error: " + error.message() + (error.cure.empty() ? "" : "\n       " + error.cure));
    return Failure(error);
  }
  write_log(v.carry, "restore.log", "Restored " + id);
  if (v.detach) {
    (void)made->launched.init.detach();
    return 0;
  }
  made->container.unlock();
  const sys::Exit exit = TRY(wait(*made, *signals));
  TRY(container::remove(made->container, container::Force::yes));
  return exit.code();
}

}  // namespace

const Command restore_command{"restore", "ID", "make a container go on from an image",
                              with_options<Values, table, act>, Enters::yes};

}  // namespace umbel::cli::oci
