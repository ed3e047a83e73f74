// Records grow in one half of the scratch, data in the other. Every argument is loaded through a
// pointer: to its own slot in the record, or to the answer of an earlier record, so that the stub
// needs no branch for it.
#include "checkpoint/remote/batch.h"

#include <cstddef>
#include <cstring>

namespace umbel::checkpoint::remote {

namespace {

constexpr std::uint64_t must_succeed = 1, take_way_back = 2;
// No system call answers this: errors reach down to -4095 only.
constexpr std::uint64_t not_made = 0x8000'0000'dead'beef;
// The two records that the session adds to end a batch.
constexpr std::size_t epilogue = 2;
constexpr std::size_t alignment = 16;

bool is_error(std::uint64_t answer) { return answer > static_cast<std::uint64_t>(-4096); }

Error error_of(std::uint64_t answer, const char* name) {
  return Error{.code = static_cast<int>(-static_cast<std::int64_t>(answer)), .call = name};
}

}  // namespace

Call Batch::add(SystemCall what, bool must, std::initializer_list<Argument> arguments) {
  ensure(fits(1), "a remote batch took more calls than it has room for");
  const std::size_t index = records_.size();
  const std::uint64_t here = place_.records.value() + index * sizeof(Record);
  Record record{.number = static_cast<std::uint64_t>(what.number),
                .flags = must ? must_succeed : 0,
                .answer = not_made};
  std::size_t i = 0;
  for (const Argument& argument : arguments) {
    record.arguments[i] = argument.value();
    if (argument.is_answer()) {
      ensure(argument.value() < index, "a remote call wants the answer of a later one");
      record.sources[i] =
          place_.records.value() + argument.value() * sizeof(Record) + offsetof(Record, answer);
    }
    ++i;
  }
  for (i = 0; i < std::size(record.sources); ++i)
    if (record.sources[i] == 0)
      record.sources[i] = here + offsetof(Record, arguments) + i * sizeof(std::uint64_t);
  records_.push_back(record);
  names_.push_back(what.name);
  return {index};
}

void Batch::go_back() {
  records_.push_back({.flags = take_way_back});
  names_.push_back("");
}

Pointer Batch::bytes(std::span<const std::uint8_t> data) {
  const std::size_t at = (data_.size() + alignment - 1) / alignment * alignment;
  ensure(at + data.size() <= place_.data_bytes,
         "a remote batch took more data than it has room for");
  data_.resize(at + data.size());
  // An empty span may hold a null pointer, which memcpy must not get.
  if (!data.empty()) std::memcpy(data_.data() + at, data.data(), data.size());
  return Pointer(place_.data.value() + at);
}

Pointer Batch::text(const std::string& text) {
  return bytes({reinterpret_cast<const std::uint8_t*>(text.c_str()), text.size() + 1});
}

Pointer Batch::room(std::size_t size) {
  has_rooms_ = true;
  return bytes(std::vector<std::uint8_t>(size));
}

bool Batch::fits(std::size_t calls, std::size_t data) const {
  return (records_.size() + calls + epilogue) * sizeof(Record) <= place_.record_bytes &&
         (data == 0 || data_.size() + data + alignment <= place_.data_bytes);
}

void Batch::clear() {
  records_.clear();
  names_.clear();
  data_.clear();
  has_rooms_ = false;
}

bool Batch::was_made(Call call) const { return records_[call.index].answer != not_made; }

Result<std::uint64_t> Batch::answer(Call call) const {
  const std::uint64_t answer = records_[call.index].answer;
  if (is_error(answer)) return Failure(error_of(answer, names_[call.index]));
  ensure(answer != not_made, "the answer of a remote call that was not made");
  return answer;
}

Result<void> Batch::outcome() const {
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const Record& record = records_[i];
    if (record.answer == not_made) return fail(std::string(names_[i]) + " was not made");
    if ((record.flags & must_succeed) != 0 && is_error(record.answer))
      return Failure(error_of(record.answer, names_[i]));
  }
  return {};
}

void Batch::copy_out(Pointer from, std::span<std::uint8_t> into) const {
  const std::size_t at = from.value() - place_.data.value();
  ensure(at + into.size() <= data_.size(), "a remote room is read beyond its end");
  std::memcpy(into.data(), data_.data() + at, into.size());
}

std::vector<std::uint8_t> Batch::get_bytes(Pointer room, std::size_t size) const {
  std::vector<std::uint8_t> bytes(size);
  copy_out(room, bytes);
  return bytes;
}

}  // namespace umbel::checkpoint::remote
