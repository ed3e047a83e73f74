// JSON Schema (2020-12) of a record, from the same field list that writes it.
#pragma once

#include "base/record.h"

namespace umbel::cli {

template <class T>
Value schema_of();

namespace schema {

inline Value typed(std::string_view name) {
  Value value;
  value["type"] = name;
  return value;
}

struct Describer {
  Value& properties;
  Value& required;
  template <class T>
  void operator()(std::string_view name, T&) {
    if constexpr (requires(T& value) { value.has_value(); }) {
      properties[name] = schema_of<typename T::value_type>();
    } else {
      properties[name] = schema_of<T>();
      required.append(Value(name));
    }
  }
};

template <class T>
struct Schema;
template <>
struct Schema<bool> {
  static Value make() { return typed("boolean"); }
};
template <>
struct Schema<double> {
  static Value make() { return typed("number"); }
};
template <>
struct Schema<std::string> {
  static Value make() { return typed("string"); }
};
template <class T>
  requires std::is_integral_v<T>
struct Schema<T> {
  static Value make() {
    Value value = typed("integer");
    if (std::is_unsigned_v<T>) value["minimum"] = 0;
    return value;
  }
};
template <record::NamedEnum T>
struct Schema<T> {
  static Value make() {
    Value value = typed("string");
    for (const auto& [known, name] : name_table(T{})) value["enum"].append(Value(name));
    return value;
  }
};
template <class T>
struct Schema<std::vector<T>> {
  static Value make() {
    Value value = typed("array");
    value["items"] = schema_of<T>();
    return value;
  }
};
template <class T>
struct Schema<std::map<std::string, T>> {
  static Value make() {
    Value value = typed("object");
    value["additionalProperties"] = schema_of<T>();
    return value;
  }
};
template <record::Struct T>
struct Schema<T> {
  static Value make() {
    T record{};
    Value properties;
    Value required;
    Describer describer{properties, required};
    fields(describer, record);
    Value value = typed("object");
    value["properties"] = properties;
    if (!required.is_null()) value["required"] = required;
    return value;
  }
};

}  // namespace schema

template <class T>
Value schema_of() {
  return schema::Schema<T>::make();
}

}  // namespace umbel::cli
