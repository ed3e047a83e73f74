// Namespaces with names and lives of their own: each is kept by a bind mount of its file (nsfs), so
// that no process needs to hold it.
//
// Where the names are:
//   net     /run/netns/NAME, which `ip netns` reads and writes too
//   others  HOME/ns/KIND/NAME on a tmpfs of their own, mounted with the first name and unmounted
//           with the last
// For an ordinary user all of them, net too, are in HOME/ns of the keeper's mount namespace
// (keeper.h), where other tools do not see them.
//
// A name is unique within its kind: NAME where that is unambiguous, else KIND/NAME.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "ns/keeper.h"
#include "ns/kind.h"
#include "ns/make.h"

namespace umbel::ns {

// ended: a pid namespace whose first process is gone: no process can be born there any more.
// lost: the file is there and no namespace is bound to it, at least not in this mount namespace.
enum class Life : std::uint8_t { alive, ended, lost };
constexpr auto name_table(Life) {
  struct Entry {
    Life value;
    std::string_view name;
  };
  return std::to_array<Entry>(
      {{Life::alive, "alive"}, {Life::ended, "ended"}, {Life::lost, "lost"}});
}

struct Name {
  Kind kind = Kind::net;
  std::string name;
  std::string file;  // where it can be opened while its keeper, if there is one, lives
  Life life = Life::alive;
  std::uint64_t inode = 0;  // as in "net:[INODE]" of /proc/PID/ns/net; 0: lost
  std::uint64_t owner = 0;  // of the user namespace that owns it; 0: outside of what can be seen
  HostPid first;            // of a pid namespace: its pid 1
  HostPid holder;           // a process of umbel's own without which it would end; 0: needs none
};
// "net/lab"
std::string full_name(const Name& name);

class Names {
 public:
  // Those of the containers in `home` (a directory that exists), and of the host's `ip netns`.
  static Result<Names> open(const std::string& home);

  // By kind, then by name. Nothing is made or changed.
  Result<std::vector<Name>> all() const;
  // NAME or KIND/NAME; the error says what was probably meant (ENOENT), or what it could be.
  Result<Name> find(std::string_view text) const;
  // NAME, or KIND/NAME of that kind. For user also KIND/NAME of another kind: the user namespace
  // that owns that one, as an anonymous Name.
  Result<Name> find(Kind kind, std::string_view text) const;
  Result<Fd> open(const Name& name) const;
  // find and open.
  Result<Fd> open(Kind kind, std::string_view text) const;

  // Makes a namespace and gives it the name (EEXIST); on an error nothing is left of it.
  Result<Name> create(const Recipe& recipe, const std::string& name) const;
  // Gives a name to a namespace that is there already.
  Result<Name> adopt(FdRef ns, const std::string& name) const;
  // Takes the name away. A namespace without name and users ends; one with users lives on without
  // a name, but a pid namespace that umbel holds ends with all its processes. The caller has asked
  // users_of() before.
  Result<void> remove(const Name& name) const;

 private:
  std::string directory(Kind kind) const;  // as it is called where the names are bound
  std::string visible(Kind kind) const;    // the same for this process
  Result<Name> read(const KindInfo& kind, const std::string& name) const;
  Result<Name> bind(Kind kind, const std::string& name, FdRef ns, const std::string& holder) const;
  Result<Name> make_and_bind(const Recipe& recipe, const std::string& name, FdRef owner,
                             std::optional<unsigned> processor) const;
  Result<Names> prepared(Kind kind) const;
  Result<void> check_free(Kind kind, const std::string& name) const;
  Result<void> at_names(const std::function<Result<void>()>& act) const;
  Result<void> tidy() const;

  std::string home_;
  std::optional<Keeper> keeper_;
  bool direct_ = true;  // this process binds itself, without a keeper
};

// Letters, digits and _; after the first also . + -.
Result<void> check_name(std::string_view name);

}  // namespace umbel::ns
