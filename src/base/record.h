// One field list writes and reads a record, so that the two can't drift:
//
//   struct EventFd { std::uint64_t count = 0; bool semaphore = false; };
//   void fields(auto& archive, EventFd& e) { archive("count", e.count); archive("semaphore",
//   e.semaphore); }
//
//   Value value = to_value(e);     Result<EventFd> e = from_value<EventFd>(value);
//
// Understood are booleans, numbers, enums (as numbers, or by name where name_table(E) lists them),
// strings, bytes, optionals, vectors, arrays, maps with string keys, ids, and structs with
// fields(). Members that the input lacks keep their defaults; unknown ones are passed over; a wrong
// type is an error that gives the path to it.
#pragma once

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/id.h"
#include "base/value.h"

namespace umbel {

// Overload for an enum to have it written by name: constexpr auto name_table(Colour) { return ...;
// }
template <class E>
struct Named {
  E value;
  std::string_view name;
};

namespace record {

template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) { name_table(value); };
struct Probe {
  template <class T>
  void operator()(std::string_view, T&) {}
};
template <class T>
concept Struct = std::is_class_v<T> && requires(Probe& probe, T& value) { fields(probe, value); };

template <class T>
Value write(const T& value);
template <class T>
Result<void> read(const Value& from, T& into);

// Puts one more step before the path in the error: "a" and "[2].c: must be ..." join to
// "a[2].c: must be ...".
inline Result<void> located(std::string_view step, Result<void> outcome) {
  if (outcome) return outcome;
  std::string& detail = outcome.error().detail;
  const bool joined = detail.starts_with('[') || detail.starts_with(':');
  detail = std::string(step) + (joined ? "" : ".") + detail;
  return outcome;
}

struct Writer {
  Value::Object& object;
  template <class T>
  void operator()(std::string_view name, T& value) {
    if constexpr (requires { value.has_value(); }) {
      if (value.has_value()) object.emplace_back(name, write(*value));
    } else {
      object.emplace_back(name, write(value));
    }
  }
};

struct Reader {
  const Value& object;
  Result<void> outcome;
  template <class T>
  void operator()(std::string_view name, T& value) {
    const Value* member = outcome ? object.find(name) : nullptr;
    if (member == nullptr) return;
    outcome = located(name, read(*member, value));
  }
};

inline Result<void> wrong_type(std::string_view wanted, const Value& found) {
  return fail(": must be " + std::string(wanted) + ", not " + std::string(found.type_name()));
}

template <class T>
struct Codec;

template <>
struct Codec<bool> {
  static Value write(bool value) { return Value(Value::Data(value)); }
  static Result<void> read(const Value& from, bool& into) {
    const bool* value = from.as<bool>();
    if (value == nullptr) return wrong_type("true or false", from);
    into = *value;
    return {};
  }
};

template <class T>
  requires std::is_integral_v<T>
struct Codec<T> {
  static Value write(T value) {
    if constexpr (std::is_signed_v<T>) return Value(Value::Data(std::int64_t{value}));
    return Value(Value::Data(static_cast<std::uint64_t>(value)));
  }
  static Result<void> read(const Value& from, T& into) {
    if (const auto* value = from.as<std::int64_t>(); value && std::in_range<T>(*value))
      into = static_cast<T>(*value);
    else if (const auto* natural = from.as<std::uint64_t>(); natural && std::in_range<T>(*natural))
      into = static_cast<T>(*natural);
    else if (value || natural)
      return fail(": is out of range");
    else
      return wrong_type("a whole number", from);
    return {};
  }
};

template <>
struct Codec<double> {
  static Value write(double value) { return Value(Value::Data(value)); }
  static Result<void> read(const Value& from, double& into) {
    if (const auto* value = from.as<double>())
      into = *value;
    else if (const auto* whole = from.as<std::int64_t>())
      into = static_cast<double>(*whole);
    else if (const auto* natural = from.as<std::uint64_t>())
      into = static_cast<double>(*natural);
    else
      return wrong_type("a number", from);
    return {};
  }
};

template <>
struct Codec<std::string> {
  static Value write(const std::string& value) { return Value(std::string_view(value)); }
  static Result<void> read(const Value& from, std::string& into) {
    const auto* value = from.as<std::string>();
    if (value == nullptr) return wrong_type("a string", from);
    into = *value;
    return {};
  }
};

template <>
struct Codec<Value::Bytes> {
  static Value write(const Value::Bytes& value) { return Value(Value::Data(value)); }
  static Result<void> read(const Value& from, Value::Bytes& into) {
    const auto* value = from.as<Value::Bytes>();
    if (value == nullptr) return wrong_type("bytes", from);
    into = *value;
    return {};
  }
};

template <>
struct Codec<Value> {
  static Value write(const Value& value) { return value; }
  static Result<void> read(const Value& from, Value& into) {
    into = from;
    return {};
  }
};

template <NamedEnum T>
struct Codec<T> {
  static Value write(T value) {
    for (const auto& [known, name] : name_table(T{}))
      if (known == value) return Value(name);
    broken("an enum value without a name in its table", __FILE__, __LINE__);
  }
  static Result<void> read(const Value& from, T& into) {
    const auto* text = from.as<std::string>();
    if (text == nullptr) return wrong_type("a string", from);
    for (const auto& [known, name] : name_table(T{})) {
      if (name != *text) continue;
      into = known;
      return {};
    }
    return fail(": '" + *text + "' is not known here");
  }
};

template <class T>
  requires(std::is_enum_v<T> && !NamedEnum<T>)
struct Codec<T> {
  using Number = std::underlying_type_t<T>;
  static Value write(T value) { return Codec<Number>::write(static_cast<Number>(value)); }
  static Result<void> read(const Value& from, T& into) {
    Number number{};
    TRY(Codec<Number>::read(from, number));
    into = static_cast<T>(number);
    return {};
  }
};

template <class Tag, class Number>
struct Codec<Id<Tag, Number>> {
  static Value write(Id<Tag, Number> id) { return Codec<Number>::write(id.value()); }
  static Result<void> read(const Value& from, Id<Tag, Number>& into) {
    Number number{};
    TRY(Codec<Number>::read(from, number));
    into = Id<Tag, Number>(number);
    return {};
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static Value write(const std::optional<T>& value) {
    return value ? record::write(*value) : Value();
  }
  static Result<void> read(const Value& from, std::optional<T>& into) {
    into.reset();
    return from.is_null() ? Result<void>() : record::read(from, into.emplace());
  }
};

template <class List>
Result<void> read_elements(const Value& from, List& into, auto&& next) {
  const auto* array = from.as<Value::Array>();
  if (array == nullptr) return from.is_null() ? Result<void>() : wrong_type("an array", from);
  for (std::size_t i = 0; i < array->size(); ++i) {
    auto* element = next(into, i);
    if (element == nullptr) return fail(": has too many elements");
    TRY(located("[" + std::to_string(i) + "]", record::read((*array)[i], *element)));
  }
  return {};
}

template <class T>
struct Codec<std::vector<T>> {
  static Value write(const std::vector<T>& list) {
    Value::Array made;
    made.reserve(list.size());
    for (const T& element : list) made.push_back(record::write(element));
    return Value(Value::Data(std::move(made)));
  }
  static Result<void> read(const Value& from, std::vector<T>& into) {
    into.clear();
    return read_elements(from, into, [](auto& list, std::size_t) { return &list.emplace_back(); });
  }
};

template <class T, std::size_t N>
struct Codec<std::array<T, N>> {
  static Value write(const std::array<T, N>& list) {
    Value::Array made;
    for (const T& element : list) made.push_back(record::write(element));
    return Value(Value::Data(std::move(made)));
  }
  static Result<void> read(const Value& from, std::array<T, N>& into) {
    return read_elements(from, into,
                         [](auto& list, std::size_t i) { return i < N ? &list[i] : nullptr; });
  }
};

template <class T>
struct Codec<std::map<std::string, T>> {
  static Value write(const std::map<std::string, T>& map) {
    Value::Object made;
    for (const auto& [name, value] : map) made.emplace_back(name, record::write(value));
    return Value(Value::Data(std::move(made)));
  }
  static Result<void> read(const Value& from, std::map<std::string, T>& into) {
    into.clear();
    const auto* object = from.as<Value::Object>();
    if (object == nullptr) return from.is_null() ? Result<void>() : wrong_type("an object", from);
    for (const auto& [name, value] : *object) TRY(located(name, record::read(value, into[name])));
    return {};
  }
};

template <Struct T>
struct Codec<T> {
  static Value write(const T& value) {
    Value::Object made;
    Writer writer{made};
    // fields() takes a mutable reference since it also reads; Writer changes nothing.
    fields(writer, const_cast<T&>(value));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    return Value(Value::Data(std::move(made)));
  }
  static Result<void> read(const Value& from, T& into) {
    if (from.as<Value::Object>() == nullptr) return wrong_type("an object", from);
    Reader reader{from, {}};
    fields(reader, into);
    return std::move(reader.outcome);
  }
};

template <class T>
Value write(const T& value) {
  return Codec<T>::write(value);
}
template <class T>
Result<void> read(const Value& from, T& into) {
  return Codec<T>::read(from, into);
}

}  // namespace record

template <class T>
Value to_value(const T& record) {
  return record::write(record);
}

template <class T>
Result<T> from_value(const Value& value) {
  T made{};
  Result<void> outcome = record::read(value, made);
  if (outcome) return made;
  // At the top there is no path that the colon would follow.
  if (std::string& detail = outcome.error().detail; detail.starts_with(": ")) detail.erase(0, 2);
  return Failure(std::move(outcome).error());
}

}  // namespace umbel
