// One message comes back over a channel: "+" and the text, or "-" and the packed error. A child
// that stays must not keep the caller's pipes and sockets open, whose other ends would wait for it.
#include "library/apart.h"

#include "base/packed.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/fork.h"
#include "sys/identity.h"
#include "sys/signal.h"

namespace umbel::library {

namespace {

Result<void> report(FdRef channel, const ns::Brought& brought) {
  const std::vector<FdRef> fds(brought.fds.begin(), brought.fds.end());
  return sys::send(channel, "+" + brought.text, fds);
}

Result<ns::Brought> hear(FdRef channel) {
  sys::Message message = TRY(sys::receive(channel));
  if (message.closed || message.data.empty())
    return fail("the process that was to do this was killed");
  if (message.data[0] == '-') return Failure(unpacked(std::string_view(message.data).substr(1)));
  return ns::Brought{message.data.substr(1), std::move(message.fds)};
}

}  // namespace

Result<ns::Brought> apart(const std::function<Result<ns::Brought>()>& body) {
  sys::Channel channel = TRY(sys::channel());
  sys::Process child = TRY(sys::start_by_fork([&] {
    channel.ours.close();
    const Result<ns::Brought> done = body();
    if (done && report(channel.theirs, *done)) return 0;
    if (!done) (void)sys::send(channel.theirs, "-" + packed(done.error()));
    return 1;
  }));
  channel.theirs.close();
  Result<ns::Brought> heard = hear(channel.ours);
  (void)child.wait();  // whoever waits for all children may have had it
  return heard;
}

Result<Staying> stay(const std::function<Result<int>(const Ready& ready)>& body) {
  sys::Channel channel = TRY(sys::channel());
  sys::Process child = TRY(sys::start_by_fork([&] {
    channel.ours.close();
    // The terminal's signals are meant for the caller.
    (void)sys::new_session();
    sys::block_all_signals();
    const Result<int> code = body([&](const ns::Brought& brought) -> Result<void> {
      TRY(report(channel.theirs, brought));
      channel.theirs.close();
      return {};
    });
    if (code) return *code;
    if (channel.theirs) (void)sys::send(channel.theirs, "-" + packed(code.error()));
    return 125;
  }));
  channel.theirs.close();
  Result<ns::Brought> heard = hear(channel.ours);
  if (heard) return Staying{std::move(child), std::move(*heard)};
  (void)child.wait();
  return Failure(std::move(heard).error());
}

}  // namespace umbel::library
