// The programs that this binary is, by the names that it is called by.
#pragma once

#include <span>
#include <string>

namespace umbel::cli {

using Words = std::span<const std::string>;

// `args` begins with the name that it was called by; the exit code.
int umbel_main(Words args);
int oci_main(Words args);
int criu_main(Words args);

}  // namespace umbel::cli
