// One kind of open file: how it is dumped and restored. A kind is one .cpp in this folder with a
// state struct, its fields(), a dump and a restore, and a FileKind at its end; kinds.cpp lists them
// all, and inspect/kind.cpp says that the kind is carried.
#pragma once

#include <span>

#include "base/record.h"
#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

struct FileDump {
  Dump& dump;
  const Process& process;  // one that has it open
  const inspect::Descriptor& descriptor;
  FdRef file;  // the same open file, as a descriptor of umbel's
};

struct FileRestore {
  Restore& restore;
  const image::File& file;
};

struct FileKind {
  inspect::Kind kind = inspect::Kind::other;
  Result<Value> (*dump)(const FileDump&) = nullptr;
  // Opens it in umbel, from which processes inherit it. Flags that F_SETFL sets, the position and
  // the owner are put back by the caller.
  Result<Fd> (*restore)(const FileRestore&, const Value&) = nullptr;
  // Optional: what only a process that has it can do, at its descriptor number there. Called for
  // one process alone.
  Result<void> (*inside)(Inside&, const Value&, int number) = nullptr;
  // Optional: what umbel itself does to it when all processes exist and have their memory.
  Result<void> (*settle)(Restore&, const Value&, FdRef file) = nullptr;
  // Optional: the highest descriptor number that inside() needs for a while, or -1.
  Result<int> (*highest)(const Value&) = nullptr;
};

// Makes the functions of a kind from ones that take and give its state:
//   const FileKind eventfd = file_kind<EventFd, dump, restore>(inspect::Kind::eventfd);
template <class State, Result<State> (*dump)(const FileDump&),
          Result<Fd> (*restore)(const FileRestore&, const State&)>
constexpr FileKind file_kind(inspect::Kind kind) {
  return {.kind = kind,
          .dump = [](const FileDump& from) -> Result<Value> {
            const State state = TRY(dump(from));
            return to_value(state);
          },
          .restore = [](const FileRestore& to, const Value& value) -> Result<Fd> {
            const State state = TRY(from_value<State>(value));
            return restore(to, state);
          }};
}
template <class State, Result<State> (*dump)(const FileDump&),
          Result<Fd> (*restore)(const FileRestore&, const State&),
          Result<void> (*inside)(Inside&, const State&, int)>
constexpr FileKind file_kind(inspect::Kind kind) {
  FileKind made = file_kind<State, dump, restore>(kind);
  made.inside = [](Inside& in, const Value& value, int number) -> Result<void> {
    const State state = TRY(from_value<State>(value));
    return inside(in, state, number);
  };
  return made;
}

template <class State, Result<void> (*settle)(Restore&, const State&, FdRef)>
constexpr FileKind with_settle(FileKind kind) {
  kind.settle = [](Restore& restore, const Value& value, FdRef file) -> Result<void> {
    const State state = TRY(from_value<State>(value));
    return settle(restore, state, file);
  };
  return kind;
}
template <class State, Result<int> (*highest)(const State&)>
constexpr FileKind with_highest(FileKind kind) {
  kind.highest = [](const Value& value) -> Result<int> {
    const State state = TRY(from_value<State>(value));
    return highest(state);
  };
  return kind;
}

std::span<const FileKind> file_kinds();
const FileKind* find_kind(inspect::Kind kind);
const FileKind* find_kind(const std::string& name);

}  // namespace umbel::checkpoint
