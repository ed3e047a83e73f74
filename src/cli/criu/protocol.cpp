#include "cli/criu/protocol.h"

#include <vector>

#include "cli/criu/work.h"
#include "sys/channel.h"

namespace umbel::cli::criu {

namespace {

// What go-criu makes room for is 8 KiB a message.
constexpr std::size_t longest_text = 4096;

Rpc__Answer answer(Rpc__Kind kind, bool success) {
  Rpc__Answer made = RPC__ANSWER__INIT;
  made.type = kind;
  made.success = success ? 1 : 0;
  return made;
}

Result<void> send(FdRef socket, const Rpc__Answer& what, std::span<const FdRef> files = {}) {
  std::string bytes(::rpc__answer__get_packed_size(&what), '\0');
  ::rpc__answer__pack(&what, reinterpret_cast<std::uint8_t*>(bytes.data()));
  return during("answering the client", sys::send(socket, bytes, files));
}

void set(const std::optional<bool>& from, protobuf_c_boolean& has, protobuf_c_boolean& into) {
  has = from ? 1 : 0;
  into = from.value_or(false) ? 1 : 0;
}

}  // namespace

Result<Request> next_request(FdRef socket) {
  const sys::Message message = TRY(sys::receive(socket));
  if (message.closed) return Request();
  Request request(::rpc__request__unpack(
      nullptr, message.data.size(), reinterpret_cast<const std::uint8_t*>(message.data.data())));
  if (!request)
    return fail_with(
        EBADMSG, "a message of " + std::to_string(message.data.size()) + " bytes is no request");
  return request;
}

Result<void> send_reply(FdRef socket, const Reply& reply) {
  Rpc__Answer made = answer(reply.kind, true);
  Rpc__RestoreAnswer restored = RPC__RESTORE_ANSWER__INIT;
  if (reply.restored) {
    restored.pid = reply.restored->value();
    made.restore = &restored;
  }
  Rpc__DumpAnswer dumped = RPC__DUMP_ANSWER__INIT;
  if (reply.kind == RPC__KIND__DUMP) made.dump = &dumped;
  Rpc__Version version = RPC__VERSION__INIT;
  version.major_number = major_version;
  version.minor_number = minor_version;
  if (reply.kind == RPC__KIND__VERSION) made.version = &version;
  Rpc__Features features = RPC__FEATURES__INIT;
  set(reply.track_memory, features.has_mem_track, features.mem_track);
  set(reply.lazy_pages, features.has_lazy_pages, features.lazy_pages);
  set(reply.pidfd_store, features.has_pidfd_store, features.pidfd_store);
  if (reply.kind == RPC__KIND__FEATURE_CHECK) made.features = &features;
  if (reply.status) {
    made.has_status = 1;
    made.status = *reply.status;
  }
  return send(socket, made);
}

Result<void> send_error(FdRef socket, Rpc__Kind kind, const Error& error) {
  Rpc__Answer made = answer(kind, false);
  std::string text = whole(error).substr(0, longest_text);
  made.cr_errmsg = text.data();
  made.has_cr_errno = error.code != 0 ? 1 : 0;
  made.cr_errno = error.code;
  return send(socket, made);
}

Result<void> send_notification(FdRef socket, const std::string& stage, HostPid root, FdRef passed) {
  Rpc__Answer made = answer(RPC__KIND__NOTIFY, true);
  Rpc__Notification notification = RPC__NOTIFICATION__INIT;
  std::string script = stage;
  notification.script = script.data();
  notification.has_pid = root ? 1 : 0;
  notification.pid = root.value();
  made.notify = &notification;
  return send(socket, made, std::span(&passed, passed ? 1 : 0));
}

}  // namespace umbel::cli::criu
