// In umbel's own process, which then becomes the command; only where a pid namespace is among them
// a child is born, since the kernel moves nothing but children into one.
#include <algorithm>

#include "base/packed.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"
#include "cli/umbel/environment.h"
#include "cli/umbel/names.h"
#include "container/command.h"
#include "ns/user.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names, command;
};

Syntax syntax(Options& o) {
  return {
      .operands = {"NAME... -- COMMAND [ARG]...", 2, any_number, &o.names, Rest::command},
      .about =
          "Joins all of them at once, at most one of a kind; all else stays as it is where you "
          "are. As an ordinary user, and where a user namespace is among them, the command runs "
          "as its root. Without -- the first word is the only NAME.\n\n"
          "/proc and /sys stay those that are mounted here, unless a mnt namespace is among "
          "them.",
      .examples = {{"umbel ns exec lab -- ip addr", "in one"},
                   {"umbel ns exec net/lab uts/studio -- bash", "in two"}}};
}

Result<ns::Choices> choices_of(const std::vector<std::string>& texts, const ns::Names& names) {
  ns::Choices choices;
  for (const std::string& text : texts) {
    const ns::Name name = TRY(names.find(text));
    ns::Source& source = choices[name.kind];
    if (source.from != ns::From::host)
      return fail(source.what + " and " + name.name + " are both of kind " +
                      std::string(ns::info(name.kind).proc) + ", and a process is in one of a kind",
                  "leave one of them out");
    source = {ns::From::named, name.name};
  }
  if (ns::may_mount() || choices[ns::Kind::user].from != ns::From::host) return choices;
  const ns::Name first = TRY(names.find(texts.front()));
  choices[ns::Kind::user] = {ns::From::named, ns::full_name(first)};
  return choices;
}

Result<void> enter(const ns::Plan& plan) {
  TRY(ns::join_all(plan, [&]() -> Result<void> {
    if (!plan.is_joined(ns::Kind::user)) return {};
    TRY(during("joining the user namespace",
               sys::setns(plan.joined.at(ns::index(ns::Kind::user)), CLONE_NEWUSER)));
    return ns::user::apply({.deny_setgroups = true});
  }));
  if (!plan.is_joined(ns::Kind::mnt)) return {};
  const Fd root = TRY(sys::open(cwd, "/", O_PATH | O_DIRECTORY));
  return sys::change_directory(root);
}

Result<void> become(const std::vector<std::string>& command) {
  const std::vector<std::string> env = own_environment();
  const std::string program = TRY(container::find_program(command.front(), env));
  return Failure(sys::execute(program, command, env));
}

Result<int> as_child(const std::vector<std::string>& command) {
  const container::SignalRelay signals = TRY(container::SignalRelay::open());
  const sys::Pipe complaint = TRY(sys::pipe());
  sys::Process child = TRY(sys::start({}, [&] {
    sys::reset_signals();
    (void)sys::write_all(complaint.write, packed(become(command).error()));
    return 127;
  }));
  const sys::Exit ended = TRY(signals.wait(child));
  TRY(sys::set_nonblocking(complaint.read, true));
  std::array<char, 4096> text{};
  const Result<std::size_t> length = sys::read(complaint.read, text);
  if (length && *length > 0) return Failure(unpacked(std::string_view(text.data(), *length)));
  return ended.code();
}

Result<int> exec(const std::vector<std::string>& texts, const std::vector<std::string>& command) {
  if (texts.empty() || command.empty())
    return fail("needs a NAME and a COMMAND", "umbel ns exec lab -- ip addr, for example");
  const ns::Names names = TRY(open_names());
  const ns::Choices choices = TRY(choices_of(texts, names));
  const ns::Plan plan =
      TRY(ns::plan(choices, [&](const ns::KindInfo& kind, const ns::Source& source) {
        return names.open(kind.kind, source.what);
      }));
  TRY(enter(plan));
  if (plan.is_joined(ns::Kind::pid)) return as_child(command);
  TRY(become(command));
  return 0;
}

Result<int> run(const Command& self, Words words) {
  Options options;
  Syntax taken = syntax(options);
  const auto dashes = std::ranges::find(words, "--");
  if (dashes == words.end()) {
    if (TRY(parse(taken, words)) == Asked::help) return show_help(self, taken);
    options.command.assign(options.names.begin() + 1, options.names.end());
    options.names.resize(1);
  } else {
    const auto before = static_cast<std::size_t>(dashes - words.begin());
    taken.operands.least = 1;
    taken.operands.rest = Rest::operands;
    if (TRY(parse(taken, words.first(before))) == Asked::help) return show_help(self, taken);
    options.command.assign(dashes + 1, words.end());
  }
  return exec(options.names, options.command);
}

}  // namespace

const Verb ns_exec_verb{.syntax =
                            [] {
                              static Options unused;
                              return syntax(unused);
                            },
                        .run = run};

}  // namespace umbel::cli
