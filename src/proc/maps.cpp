// A mapping starts with a line such as
//   7f00-7f10 r-xp 00001000 fd:01 1234                       /usr/lib/libc.so.6
// and smaps follows it by "Key: value" lines. In the path only newlines are escaped, as \012.
#include "proc/maps.h"

#include <algorithm>

#include "base/text.h"

namespace umbel::proc {

namespace {

std::string with_newlines(std::string_view path) {
  std::string plain;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path.substr(i, 4) == "\\012") {
      plain += '\n';
      i += 3;
    } else {
      plain += path[i];
    }
  }
  return plain;
}

std::string_view next_word(std::string_view& rest) {
  const std::size_t from = std::min(rest.find_first_not_of(' '), rest.size());
  rest.remove_prefix(from);
  const std::size_t to = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, to);
  rest.remove_prefix(to);
  return word;
}

Result<Mapping> parse_mapping(std::string_view line) {
  std::string_view rest = line;
  const auto range = cut(next_word(rest), '-');
  const std::string_view access = next_word(rest);
  const auto offset = unsigned_number(next_word(rest), 16);
  const auto device = cut(next_word(rest), ':');
  const auto inode = unsigned_number(next_word(rest));
  const auto start = range ? unsigned_number(range->before, 16) : std::nullopt;
  const auto end = range ? unsigned_number(range->after, 16) : std::nullopt;
  const auto major = device ? unsigned_number(device->before, 16) : std::nullopt;
  const auto minor = device ? unsigned_number(device->after, 16) : std::nullopt;
  if (!start || !end || !offset || !major || !minor || !inode || access.size() != 4)
    return fail("'" + std::string(line) + "' is no line of /proc/PID/maps");
  return Mapping{.start = *start,
                 .end = *end,
                 .read = access[0] == 'r',
                 .write = access[1] == 'w',
                 .execute = access[2] == 'x',
                 .shared = access[3] == 's',
                 .offset = *offset,
                 .major = static_cast<std::uint32_t>(*major),
                 .minor = static_cast<std::uint32_t>(*minor),
                 .inode = *inode,
                 .path = with_newlines(trimmed(rest))};
}

void add_detail(Mapping& mapping, std::string_view key, std::string_view value) {
  if (key == "VmFlags") {
    for (const std::string_view flag : words(value)) mapping.flags.emplace_back(flag);
  } else if (key == "KernelPageSize") {
    const auto kib = words(value);
    if (!kib.empty()) mapping.page_size = unsigned_number(kib[0]).value_or(4) * 1024;
  } else if (key == "ProtectionKey") {
    mapping.protection_key = static_cast<int>(number(trimmed(value)).value_or(0));
  }
}

}  // namespace

bool Mapping::has(std::string_view flag) const {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

Result<std::vector<Mapping>> parse_mappings(std::string_view text) {
  std::vector<Mapping> mappings;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (line.empty()) continue;
    // Only details start with a capital letter: addresses are printed in small hexadecimals.
    if (line[0] < 'A' || line[0] > 'Z') {
      Mapping mapping = TRY(parse_mapping(line));
      mappings.push_back(std::move(mapping));
    } else if (const auto detail = cut(line, ':'); detail && !mappings.empty()) {
      add_detail(mappings.back(), detail->before, detail->after);
    }
  }
  return mappings;
}

}  // namespace umbel::proc
