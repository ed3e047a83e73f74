#pragma once

#include <string_view>

namespace umbel::cli {

constexpr std::string_view version = UMBEL_VERSION;

}  // namespace umbel::cli
