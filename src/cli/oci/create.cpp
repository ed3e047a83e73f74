// create, run and start.
#include "cli/oci/making.h"

namespace umbel::cli::oci {

namespace {

using container::Container;

struct Values {
  BundleOptions bundle;
  Handing handing;
  std::optional<std::uint64_t> preserved;
  bool detach = false, keep = false, ignored = false;
};

void add(std::vector<Option>& options, Values& v) {
  options.push_back({"bundle", 'b', "DIR", "the bundle (the working directory)", &v.bundle.path});
  options.push_back(
      {"console-socket", 0, "PATH", "gets the terminal's master", &v.handing.console_socket});
  options.push_back(
      {"pidfd-socket", 0, "PATH", "gets a pidfd of the first process", &v.handing.pidfd_socket});
  options.push_back({"pid-file", 0, "FILE", "gets the first process's pid", &v.handing.pid_file});
  options.push_back({"no-pivot", 0, "", "for a root on the initramfs", &v.bundle.no_pivot});
  options.push_back(
      {"no-new-keyring", 0, "", "keep the caller's session keyring", &v.bundle.same_keyring});
  options.push_back({"preserve-fds", 0, "N", "pass N more descriptors, from 3 on", &v.preserved});
}

std::vector<Option> create_table(Values& v) {
  std::vector<Option> options;
  add(options, v);
  return options;
}

std::vector<Option> run_table(Values& v) {
  std::vector<Option> options;
  add(options, v);
  options.push_back({"detach", 'd', "", "do not wait for its end", &v.detach});
  options.push_back({"keep", 0, "", "do not delete it after its end", &v.keep});
  options.push_back({"no-subreaper", 0, "", "accepted: umbel waits for its own child", &v.ignored});
  return options;
}

Result<int> create(const Global& global, const Values& v, Words words) {
  const std::string id = TRY(only_id(words));
  Made made = TRY(make(global, v.bundle, v.handing, {.id = id, .preserved = v.preserved}));
  (void)made.launched.init.detach();
  return 0;
}

Result<int> run(const Global& global, const Values& v, Words words) {
  const std::string id = TRY(only_id(words));
  std::optional<container::SignalRelay> signals;
  if (!v.detach) signals = TRY(container::SignalRelay::open());
  Made made =
      TRY(make(global, v.bundle, v.handing,
               {.id = id, .detached = v.detach, .then = Then::run, .preserved = v.preserved}));
  if (v.detach) {
    (void)made.launched.init.detach();
    return 0;
  }
  made.container.unlock();
  const sys::Exit exit = TRY(wait(made, *signals));
  if (!v.keep) TRY(container::remove(made.container, container::Force::yes));
  return exit.code();
}

struct NoValues {};
std::vector<Option> no_table(NoValues&) { return {}; }

Result<int> start(const Global& global, const NoValues&, Words words) {
  Container container = TRY(find(global, TRY(only_id(words))));
  TRY(container.lock());
  for (const std::string& note : TRY(container::release(container))) global.log.warning(note);
  return 0;
}

}  // namespace

const Command create_command{"create", "ID", "make a container that waits to be started",
                             with_options<Values, create_table, create>, Enters::yes};
const Command run_command{"run", "ID", "make and start a container, and wait for its end",
                          with_options<Values, run_table, run>, Enters::yes};
const Command start_command{"start", "ID", "start a container that was made by create",
                            with_options<NoValues, no_table, start>};

}  // namespace umbel::cli::oci
