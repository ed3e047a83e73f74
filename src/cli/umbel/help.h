// Help, manual pages and shell completion, made from the tables of commands and options.
#pragma once

#include <string>

#include "cli/umbel/commands.h"

namespace umbel::cli {

// All commands by group.
std::string overview();
std::string help_text(const Command& command, const Syntax& syntax);
// troff of umbel(1): name "umbel"; or of a group's page umbel-NAME(1).
std::string manual();
std::string manual(const GroupInfo& group);
std::string bash_completion();

}  // namespace umbel::cli
