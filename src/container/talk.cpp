#include "container/talk.h"

#include "base/packed.h"
#include "sys/channel.h"

namespace umbel::container {

Result<void> say(FdRef channel, Word word, std::string_view text, std::span<const FdRef> fds) {
  return sys::send(channel, std::string(1, static_cast<char>(word)) + std::string(text), fds);
}

Result<void> say_error(FdRef channel, const Error& error) {
  return say(channel, Word::error, packed(error));
}

Result<Heard> hear(FdRef channel) {
  sys::Message message = TRY(sys::receive(channel));
  Heard heard{.fds = std::move(message.fds), .closed = message.closed || message.data.empty()};
  if (heard.closed) return heard;
  heard.word = static_cast<Word>(message.data[0]);
  heard.text = message.data.substr(1);
  if (heard.word == Word::error) return Failure(unpacked(heard.text));
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
