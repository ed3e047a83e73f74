// The system calls that another process is to make in one go, in the order in which they were
// added. An argument may be the answer of an earlier call of the same batch.
//
//   Batch batch = session.batch();
//   const Call fd = batch.call(call::openat, AT_FDCWD, batch.text("/etc/hosts"), O_RDONLY);
//   const Call map = batch.call(call::mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
//   batch.call(call::close, fd);
//   TRY(session.run(batch));
//   const std::uint64_t address = TRY(batch.answer(map));
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "checkpoint/remote/calls.h"
#include "checkpoint/remote/pointer.h"

namespace umbel::checkpoint::remote {

// What the stub reads and writes in the target; stub.cpp knows the offsets.
struct Record {
  std::uint64_t number = 0;
  std::uint64_t flags = 0;  // bit 0: a failure ends the batch; bit 1: no call but the way back
  std::uint64_t answer = 0;
  std::uint64_t arguments[6] = {};
  std::uint64_t sources[6] = {};  // where the stub loads each argument from
};

// A call of a batch, to name its answer.
struct Call {
  std::size_t index = 0;
};

class Argument {
 public:
  template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  // Sign-extended, as the kernel expects -1 and AT_FDCWD.
  constexpr Argument(T number)  // NOLINT(google-explicit-constructor)
      : value_(static_cast<std::uint64_t>(number)) {}
  constexpr Argument(Pointer pointer) : value_(pointer.value()) {}  // NOLINT
  constexpr Argument(Descriptor fd)                                 // NOLINT
      : value_(static_cast<std::uint64_t>(std::int64_t{fd.value()})) {}
  constexpr Argument(Call call) : value_(call.index), is_answer_(true) {}  // NOLINT

  constexpr std::uint64_t value() const { return value_; }
  constexpr bool is_answer() const { return is_answer_; }

 private:
  std::uint64_t value_;
  bool is_answer_ = false;
};

// Where a batch lies in its target.
struct Place {
  Pointer records;
  std::size_t record_bytes = 0;
  Pointer data;
  std::size_t data_bytes = 0;
};

class Batch {
 public:
  explicit Batch(Place place) : place_(place) {}

  // A failure of this call ends the batch and is run()'s error.
  template <class... Arguments>
  Call call(SystemCall what, Arguments... arguments) {
    return add(what, true, {Argument(arguments)...});
  }
  // A failure of this one is an answer as good as any other.
  template <class... Arguments>
  Call attempt(SystemCall what, Arguments... arguments) {
    return add(what, false, {Argument(arguments)...});
  }

  // Copies in, and the address where the target will find it.
  Pointer bytes(std::span<const std::uint8_t> data);
  Pointer text(const std::string& text);  // with its terminating zero
  template <class T>
    requires std::is_trivially_copyable_v<T>
  Pointer value(const T& value) {
    return bytes({reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  Pointer values(const std::vector<T>& list) {
    return bytes({reinterpret_cast<const std::uint8_t*>(list.data()), list.size() * sizeof(T)});
  }
  // Zeroes, for calls that answer in memory.
  Pointer room(std::size_t size);

  // Whether so much more fits. A batch that would not be able to take what is added aborts.
  bool fits(std::size_t calls, std::size_t data = 0) const;
  bool empty() const { return records_.empty(); }
  void clear();

  // After it was run. An error names the call.
  Result<std::uint64_t> answer(Call call) const;
  bool was_made(Call call) const;
  template <class T>
    requires std::is_trivially_copyable_v<T>
  T get(Pointer room) const {
    T value;
    copy_out(room, {reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    return value;
  }
  std::vector<std::uint8_t> get_bytes(Pointer room, std::size_t size) const;

  // The first call that had to succeed and did not.
  Result<void> outcome() const;

 private:
  friend class Session;
  void go_back();
  Call add(SystemCall what, bool must, std::initializer_list<Argument> arguments);
  void copy_out(Pointer from, std::span<std::uint8_t> into) const;
  Place place_;
  std::vector<Record> records_;
  std::vector<const char*> names_;
  std::vector<std::uint8_t> data_;
  bool has_rooms_ = false;
};

}  // namespace umbel::checkpoint::remote
