// What nearly every file includes of the standard library, compiled once: reading it costs more
// time than all of a small file itself. Files still include what they use: a build with
// -DUMBEL_PRECOMPILE=OFF shows one that does not.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
