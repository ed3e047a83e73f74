// A value of the JSON and CBOR data model, as plain data. Objects keep the order of their members.
// Only value.cpp knows the library behind parse_json.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace umbel {

class Value {
 public:
  using Array = std::vector<Value>;
  using Object = std::vector<std::pair<std::string, Value>>;
  using Bytes = std::vector<std::uint8_t>;  // CBOR only; base64 text in JSON
  using Data = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string,
                            Bytes, Array, Object>;

  Value() = default;
  Value(Data data) : data_(std::move(data)) {}                // NOLINT(google-explicit-constructor)
  Value(std::string text) : data_(std::move(text)) {}         // NOLINT(google-explicit-constructor)
  Value(std::string_view text) : data_(std::string(text)) {}  // NOLINT(google-explicit-constructor)
  Value(const char* text) : data_(std::string(text)) {}       // NOLINT(google-explicit-constructor)
  // Without this a literal 0 would be taken for a null text.
  template <class T>
    requires std::is_arithmetic_v<T>
  Value(T number) : data_(widest(number)) {}  // NOLINT(google-explicit-constructor)

  const Data& data() const { return data_; }
  template <class T>
  const T* as() const {
    return std::get_if<T>(&data_);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&data_);
  }
  bool is_null() const { return as<std::nullptr_t>() != nullptr; }
  // "a string", "an object" ...: for messages about a wrong type.
  std::string_view type_name() const;

  // The member of that name; nullptr when there is none or this is no object.
  const Value* find(std::string_view name) const;
  // The same member for writing. Makes this an object if it is null, and the member null if it is
  // new.
  Value& operator[](std::string_view name);
  // Makes this an array if it is null.
  Value& append(Value element);

  friend bool operator==(const Value&, const Value&) = default;

 private:
  template <class T>
  static auto widest(T number) {
    if constexpr (std::is_same_v<T, bool>)
      return number;
    else if constexpr (std::is_floating_point_v<T>)
      return static_cast<double>(number);
    else if constexpr (std::is_signed_v<T>)
      return static_cast<std::int64_t>(number);
    else
      return static_cast<std::uint64_t>(number);
  }
  Data data_;
};

// Errors give line and column.
Result<Value> parse_json(std::string_view text);
std::string json_text(const Value& value, int indent = -1);
Result<Value> parse_cbor(std::span<const std::uint8_t> bytes);
std::vector<std::uint8_t> cbor_bytes(const Value& value);

}  // namespace umbel
