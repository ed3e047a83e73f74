// From the moment that the filter is there, any system call of this process may have to wait for an
// answer, which nobody can give who has no listener yet: also the one that would send it away. So a
// second thread, which the filter does not bind, sends it, while this one waits without making a
// single call. The thread is gone when the process executes.
//
// When the last descriptor of a listener is closed, waiting calls answer ENOSYS (seccomp(2)), so a
// failure here can still be told.
#include "container/listener.h"

#include <linux/seccomp.h>

#include <atomic>
#include <thread>

#include "base/record.h"
#include "container/hooks.h"
#include "sys/channel.h"

namespace umbel::container {

namespace {

constexpr int not_yet = -1, never = -2;

struct Handover {
  FdRef channel;
  std::atomic<int> listener = not_yet;
  std::atomic<bool> over = false;
  Result<void> outcome = {};
};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

Result<void> hand_over(FdRef channel, Fd listener) {
  const FdRef sent = listener;
  TRY(say(channel, Word::listener, {}, std::span(&sent, 1)));
  listener.close();
  TRY(expect(channel, Word::go));
  return {};
}

// The frame that it works on is gone as soon as it says that it is over.
void carry(Handover* handover) {
  while (handover->listener == not_yet) std::this_thread::yield();
  if (handover->listener != never)
    handover->outcome = hand_over(handover->channel, Fd(handover->listener));
  handover->over = true;
}

}  // namespace

Result<void> install_notifying(const security::Filter& filter, FdRef channel) {
  security::Filter alone = filter;
  alone.flags &= ~(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
  Handover handover{.channel = channel};
  std::thread(carry, &handover).detach();
  Result<std::optional<Fd>> installed = security::install(alone);
  handover.listener = installed && *installed ? (*installed)->release() : never;
  while (!handover.over) relax();
  if (!installed) return Failure(installed.error());
  return std::move(handover.outcome);
}

Result<void> hand_on_listener(FdRef channel, const Heard& heard, const Config& config,
                              std::string_view status, HostPid pid) {
  if (heard.fds.size() != 1 || !config.process.seccomp)
    return fail("the container sent a listener that it has no filter for");
  const security::Seccomp& profile = *config.process.seccomp;
  Value message;
  message["ociVersion"] = specification;
  message["fds"].append("seccompFd");
  message["pid"] = pid.value();
  message["metadata"] = profile.listener_metadata;
  message["state"] = state_of(config, status, pid);
  TRY(advise("who is to answer the filter's notifications must listen there already",
             during("linux.seccomp.listenerPath " + profile.listener_path,
                    sys::send_to(profile.listener_path, json_text(message), heard.fds[0]))));
  return say(channel, Word::go);
}

}  // namespace umbel::container
