// One message comes back over a channel: "+" and the text, or "-" and the packed error.
#include "ns/aside.h"

#include "base/packed.h"
#include "sys/channel.h"
#include "sys/process.h"

namespace umbel::ns {

Result<Brought> aside(const std::function<Result<Brought>()>& body) {
  sys::Channel channel = TRY(sys::channel());
  sys::Process child = TRY(sys::start({}, [&] {
    channel.ours.close();
    const Result<Brought> done = body();
    if (!done) {
      (void)sys::send(channel.theirs, "-" + packed(done.error()));
      return 1;
    }
    std::vector<FdRef> fds(done->fds.begin(), done->fds.end());
    const Result<void> sent = sys::send(channel.theirs, "+" + done->text, fds);
    return sent ? 0 : 1;
  }));
  channel.theirs.close();
  sys::Message message = TRY(sys::receive(channel.ours));
  TRY(child.wait());
  if (message.closed || message.data.empty())
    return fail("a process that was to work in another namespace was killed");
  if (message.data[0] == '-') return Failure(unpacked(std::string_view(message.data).substr(1)));
  return Brought{message.data.substr(1), std::move(message.fds)};
}

}  // namespace umbel::ns
