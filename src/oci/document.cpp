#include "oci/document.h"

#include "base/fd.h"
#include "sys/file.h"

namespace umbel::oci {

Value without_nulls(const Value& value) {
  if (const auto* object = value.as<Value::Object>()) {
    Value::Object kept;
    for (const auto& [name, member] : *object)
      if (!member.is_null()) kept.emplace_back(name, without_nulls(member));
    return Value(Value::Data(std::move(kept)));
  }
  if (const auto* array = value.as<Value::Array>()) {
    Value::Array kept;
    for (const Value& element : *array) kept.push_back(without_nulls(element));
    return Value(Value::Data(std::move(kept)));
  }
  return value;
}

Result<Value> read_document(const std::string& path) {
  const std::string text = TRY(sys::read_file(cwd, path));
  return during(path, parse_json(text));
}

}  // namespace umbel::oci
