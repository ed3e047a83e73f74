// An error on its way from one process of umbel to another.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace umbel {

std::string packed(const Error& error);
Error unpacked(std::string_view text);

}  // namespace umbel
