// What the specification knows and umbel can't do.
#pragma once

#include "base/error.h"
#include "base/value.h"

namespace umbel::oci {

// The first such field that config.json uses, by its path; nothing is ever left out silently.
Result<void> refuse_unsupported(const Value& spec);
// The same for a document that is the specification's `process` alone.
Result<void> refuse_unsupported_process(const Value& process);

}  // namespace umbel::oci
