#include "container/talk.h"

#include <array>

#include "base/text.h"
#include "sys/channel.h"

namespace umbel::container {

namespace {

constexpr std::string_view separator{"\0", 1};

Error decode(std::string_view text) {
  const auto parts = split(text, '\0');
  Error error;
  if (!parts.empty()) error.code = static_cast<int>(number(parts[0]).value_or(0));
  const std::array<std::string*, 3> into{&error.call, &error.detail, &error.cure};
  for (std::size_t i = 0; i < into.size() && i + 1 < parts.size(); ++i) *into.at(i) = parts[i + 1];
  return error;
}

}  // namespace

Result<void> say(FdRef channel, Word word, std::string_view text, std::span<const FdRef> fds) {
  return sys::send(channel, std::string(1, static_cast<char>(word)) + std::string(text), fds);
}

Result<void> say_error(FdRef channel, const Error& error) {
  const std::array<std::string, 4> parts{std::to_string(error.code), error.call, error.detail,
                                         error.cure};
  return say(channel, Word::error, join(parts, separator));
}

Result<Heard> hear(FdRef channel) {
  sys::Message message = TRY(sys::receive(channel));
  Heard heard{.fds = std::move(message.fds), .closed = message.closed || message.data.empty()};
  if (heard.closed) return heard;
  heard.word = static_cast<Word>(message.data[0]);
  heard.text = message.data.substr(1);
  if (heard.word == Word::error) return Failure(decode(heard.text));
  return heard;
}

Result<Heard> expect(FdRef channel, Word word) {
  Heard heard = TRY(hear(channel));
  if (heard.closed) return fail("a process that was setting the container up ended without a word");
  if (heard.word != word)
    return fail("a process that was setting the container up said the wrong thing");
  return heard;
}

}  // namespace umbel::container
