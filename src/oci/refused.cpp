// A table of the specification's fields that umbel has no word for yet. A field goes from here to
// spec.h when the container library can do it.
#include "oci/refused.h"

#include <array>
#include <string>

#include "base/text.h"

namespace umbel::oci {

namespace {

struct Refused {
  std::string_view path, why;
};
constexpr std::array refused = std::to_array<Refused>({
    {"linux.intelRdt", "Intel's resource director is not supported"},
});

bool is_empty(const Value& value) {
  const auto* text = value.as<std::string>();
  const auto* list = value.as<Value::Array>();
  const auto* object = value.as<Value::Object>();
  return value.is_null() || (text && text->empty()) || (list && list->empty()) ||
         (object && object->empty());
}

Result<void> refuse(const Value& document, std::string_view below, const Refused& entry) {
  const Value* found = &document;
  for (std::string_view step : split(entry.path.substr(below.size()), '.'))
    if (found = found->find(step); found == nullptr) return {};
  if (is_empty(*found)) return {};
  std::string path(entry.path);
  // The field itself, where the whole of a record is refused.
  if (const auto* object = found->as<Value::Object>()) path += "." + object->front().first;
  return fail(path + ": " + std::string(entry.why), "take it out of the configuration");
}

}  // namespace

Result<void> refuse_unsupported(const Value& spec) {
  for (const Refused& entry : refused) TRY(refuse(spec, "", entry));
  return {};
}

Result<void> refuse_unsupported_process(const Value& process) {
  for (const Refused& entry : refused)
    if (entry.path.starts_with("process.")) TRY(refuse(process, "process.", entry));
  return {};
}

}  // namespace umbel::oci
