// Reading JSON documents of engines.
#pragma once

#include <string>

#include "base/error.h"
#include "base/value.h"

namespace umbel::oci {

// Go, in which the engines are written, writes an empty list as null and reads null as "leave it
// as it is", for every type; so a null is the same as no member.
Value without_nulls(const Value& value);

Result<Value> read_document(const std::string& path);

}  // namespace umbel::oci
