// Help, manual pages and shell completion, made from the tables of commands and options.
#pragma once

#include <string>
#include <string_view>

#include "cli/umbel/commands.h"

namespace umbel::cli {

// All commands by group; or of a family, those whose names begin with that word.
std::string overview();
std::string overview(std::string_view family);
std::string help_text(const Command& command, const Syntax& syntax);
// troff of umbel(1): name "umbel"; or of a group's page umbel-NAME(1).
std::string manual();
std::string manual(const GroupInfo& group);
std::string bash_completion();

}  // namespace umbel::cli
