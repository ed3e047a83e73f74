#include "cli/umbel/containers.h"

#include <algorithm>

#include "base/text.h"
#include "cli/umbel/output.h"
#include "console/attach.h"

namespace umbel::cli {

using container::Container;
using container::Home;

namespace {

// "alpine", "debian:12", "docker.io/library/nginx": what stands for an image elsewhere.
bool looks_like_image(const std::vector<std::string>& args) {
  const std::string& name = args.front();
  if (name.starts_with('/') || name.starts_with('.')) return false;
  const bool plain =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-/:@") == std::string::npos;
  return plain && (args.size() > 1 || name.contains(':') || name.contains('/'));
}

}  // namespace

Result<int> for_each(const std::vector<std::string>& names, std::string_view command,
                     const std::function<Result<void>(Container&)>& act) {
  const Home home = TRY(Home::open());
  int code = 0;
  for (const std::string& name : names) {
    const auto done = [&]() -> Result<void> {
      Container container = TRY(home.find(name));
      TRY(act(container));
      return print_line(container.name());
    }();
    if (done) continue;
    report(command, done.error());
    code = 125;
  }
  return code;
}

Result<std::vector<Container>> chosen(const Home& home, const std::vector<std::string>& names) {
  std::vector<Container> found;
  if (names.empty()) {
    found = TRY(home.all());
    std::erase_if(found, [](const Container& container) { return !container.is_running(); });
    return found;
  }
  for (const std::string& name : names) found.push_back(TRY(home.find(name)));
  return found;
}

Result<std::string> detach_keys(const std::string& text) {
  if (text.empty()) return console::AttachOptions{}.detach_keys;
  return during("--detach-keys", console::parse_detach_keys(text));
}

Result<int> serve_attached(Container& container, FdRef socket, Input input,
                           const std::string& keys) {
  const console::AttachOptions options{.input = input == Input::passed,
                                       .terminal = container.config.process.terminal,
                                       .detach_keys = keys};
  const console::Outcome outcome = TRY(console::attach(socket, options));
  switch (outcome.how) {
    case console::Outcome::How::exited:
      // Until its monitor has recorded the end, which the caller may look for next.
      (void)container::wait(container);
      return outcome.exit.code();
    case console::Outcome::How::detached:
      note("detached; umbel attach " + container.name() + " goes back");
      return 0;
    case console::Outcome::How::lost:
      break;
  }
  // Its monitor was killed; the container may go on, without anybody to read its output.
  if (container.is_running())
    return fail("the monitor of " + container.name() + " has ended; the container runs on",
                "stop and start it again: umbel restart " + container.name());
  return container::wait(container);
}

Error explain_command(Error error, const container::Config& config) {
  if (!error.call.starts_with("execve") || !error.cure.empty()) return error;
  const bool on_host = config.files.root.path.empty();
  if (error.code == ENOENT && on_host && looks_like_image(config.process.args))
    error.cure =
        "umbel runs commands of this host, not images; for another root file system name its "
        "directory: umbel run --rootfs DIR COMMAND";
  else if (error.code == ENOENT)
    error.cure = on_host ? "is it spelt as on this host, and installed? umbel runs its commands"
                         : "is it in the root file system " + config.files.root.path + "?";
  else if (error.code == EACCES)
    error.cure = "it must be a file that the container's user may execute";
  else if (error.code == ENOEXEC)
    error.cure =
        "it must be a program of this machine's kind, or begin with #! and its interpreter";
  return error;
}

Result<int> parse_seconds(const std::string& text) {
  const auto seconds = number(text);
  if (!seconds || *seconds < 0 || *seconds > 86400)
    return fail("'" + text + "' is no number of seconds", "give 0 to 86400");
  return static_cast<int>(*seconds);
}

}  // namespace umbel::cli
