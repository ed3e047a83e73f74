// What the launcher and the processes that set a container up say to each other, over a channel
// that closes when the command executes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::container {

enum class Word : char {
  map = 'm',       // stage: write my id maps
  mapped = 'M',    // launcher: they are written
  born = 'b',      // stage: the first process, by pidfd
  go = 'g',        // launcher: id maps, cgroup and record are in place; the pid outside
  filled = 'f',    // child: the root is complete and not entered yet; the launcher answers go
  terminal = 't',  // child: the master of its terminal
  note = 'n',      // child: something a person should know
  error = 'e',     // anyone inside: an Error, whole
  listener = 'l',  // child: its filter's listener; the other side answers go when it is handed on
  empty = 'E',     // child: all is there but the command; answered by go and whom to reap for
  ready = 'r',     // child: the next step is exec
};

struct Heard {
  Word word = Word::error;
  std::string text;
  std::vector<Fd> fds;
  bool closed = false;
};

Result<void> say(FdRef channel, Word word, std::string_view text = {},
                 std::span<const FdRef> fds = {});
Result<void> say_error(FdRef channel, const Error& error);
// The other side's Error becomes one's own.
Result<Heard> hear(FdRef channel);
// Anything else than that word, also silence, is an error.
Result<Heard> expect(FdRef channel, Word word);

}  // namespace umbel::container
