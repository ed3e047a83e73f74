// criu's configuration files: options without their dashes, one a line.
#pragma once

#include "cli/criu/options.h"

namespace umbel::cli::criu {

// All options: of the files that apply, then of the command line (`words`, without the program's
// name), which has the last word.
Result<Options> read_options(Words words);
// One more file on top.
Result<void> apply_file(Options& options, const std::string& path);
// The words of a file's text, as a command line would have them.
Result<std::vector<std::string>> words_of(std::string_view text);

}  // namespace umbel::cli::criu
