// By descriptor: the namespace that was looked at is the one that gets the name.
#include <fcntl.h>

#include <algorithm>

#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/names.h"
#include "cli/umbel/output.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> words;
  std::optional<std::string> name;
  std::vector<std::string> kinds;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"",
                    {{"name", 0, "NAME", "the name that it gets; without it there is none",
                      &o.name},
                     {"kind", 0, "KIND",
                      "of a process: only this kind; may be given again. Without it every kind "
                      "that is not the one you are in",
                      &o.kinds}}}},
      .operands = {"PID|PATH", 1, 1, &o.words},
      .about =
          "A process of Docker's, of systemd's or any other, or the file of a namespace. From "
          "then on the namespace lives as long as the name, also when what made it is gone; but "
          "a pid namespace ends with its first process, as the kernel has it.",
      .examples = {{"umbel ns adopt 4711 --name web", "all that pid 4711 does not share with you"},
                   {"umbel ns adopt 4711 --name webnet --kind net", "its network alone"},
                   {"umbel ns adopt /run/docker/netns/5f2 --name bridge", "by its file"}}};
}

struct Found {
  std::string kind;
  Fd ns;
};

Result<std::vector<Found>> of_process(const std::string& pid, const Options& o) {
  std::vector<Found> found;
  const std::string dir = "/proc/" + pid + "/ns/";
  if (!sys::exists(cwd, "/proc/" + pid)) return fail("there is no process " + pid);
  for (const ns::KindInfo& kind : ns::kinds) {
    const std::string file(kind.proc);
    const bool named = std::ranges::any_of(
        o.kinds, [&](const std::string& text) { return ns::kind_named(text) == kind.kind; });
    if (!o.kinds.empty() && !named) continue;
    Fd ns = TRY(advise("only its own user and root may look into it",
                       during("the " + file + " namespace of process " + pid,
                              sys::open(cwd, dir + file, O_RDONLY))));
    const Fd own = TRY(sys::open(cwd, "/proc/self/ns/" + file, O_PATH));
    const bool same = TRY(sys::identity(own)) == TRY(sys::identity(ns));
    if (!same || named) found.push_back({file, std::move(ns)});
  }
  if (found.empty())
    return fail("process " + pid + " is in the same namespaces as you",
                "to name one of these, say which: --kind net");
  return found;
}

Result<std::vector<Found>> find(const Options& o) {
  for (const std::string& text : o.kinds)
    if (!ns::kind_named(text)) return fail("there is no kind of namespace '" + text + "'");
  const std::string& what = o.words.front();
  if (number(what)) return of_process(what, o);
  std::vector<Found> found(1);
  found[0].ns = TRY(sys::open(cwd, what, O_RDONLY));
  const Result<std::uint64_t> flag = sys::namespace_kind(found[0].ns);
  if (!flag) return fail(what + " is no namespace", "give a file like /proc/PID/ns/net, or a pid");
  for (const ns::KindInfo& kind : ns::kinds)
    if (kind.flag == *flag) found[0].kind = kind.proc;
  return found;
}

Result<int> act(const Options& o) {
  if (!o.name) return fail("it needs a name to be known by", "add --name NAME");
  const std::vector<Found> found = TRY(find(o));
  const ns::Names names = TRY(open_names());
  std::vector<ns::Name> made;
  for (const Found& one : found) {
    const Result<ns::Name> adopted = names.adopt(one.ns, *o.name);
    if (adopted) {
      made.push_back(*adopted);
      continue;
    }
    // All or none.
    for (const ns::Name& name : made) (void)TRY(open_names()).remove(name);
    return Failure(adopted.error());
  }
  for (const ns::Name& name : made) TRY(print_line(ns::full_name(name)));
  return 0;
}

}  // namespace

const Verb ns_adopt_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
