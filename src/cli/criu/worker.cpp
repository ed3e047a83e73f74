// A request, the work, an answer. A client that wants notifications is told of each stage and has
// to acknowledge it before the work goes on; while it thinks, what is frozen stays so.
#include "cli/criu/worker.h"

#include <algorithm>
#include <array>

#include "cli/criu/check.h"
#include "cli/criu/cpu.h"
#include "cli/criu/protocol.h"
#include "cli/criu/request_options.h"
#include "cli/criu/work.h"
#include "sys/identity.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace umbel::cli::criu {

namespace {

struct Client {
  FdRef socket;
  HostPid pid;
  const Options& defaults;
  Descriptors descriptors;
};

Result<Asked> options_of(const Client& client, const Rpc__Request& request) {
  Asked asked = TRY(read_request(client.defaults, request.opts, client.pid));
  if (client.descriptors == Descriptors::apart) {
    if (!asked.options.inherited.empty())
      return fail("inherit_fd: the service does not know the client's descriptors",
                  "start umbel-criu swrk as a child, which inherits them");
    if (asked.options.restore_sibling)
      return fail("rst_sibling: the service is no child of the client",
                  "start umbel-criu swrk as a child");
  }
  return asked;
}

// Waits for the client's word on a stage.
Result<void> acknowledged(const Client& client, const std::string& stage) {
  const Request request = TRY(next_request(client.socket));
  if (!request) return fail("the client went away at the stage " + stage);
  if (request->type != RPC__KIND__NOTIFY)
    return fail("the client answered the notification of " + stage + " with another request");
  if (request->notify_success == 0)
    return fail("the client refused to go on at the stage " + stage);
  return {};
}

Notify notify_of(const Client& client, const Asked& asked) {
  if (!asked.notify) return {};
  return [&client](const std::string& stage, HostPid root) -> Result<void> {
    TRY(send_notification(client.socket, stage, root));
    return acknowledged(client, stage);
  };
}

std::function<Result<void>(FdRef)> takes_masters(const Client& client, const Asked& asked) {
  if (!asked.options.orphan_terminals) return {};
  return [&client](FdRef master) -> Result<void> {
    const std::string stage = "orphan-pts-master";
    TRY(send_notification(client.socket, stage, HostPid(), master));
    return acknowledged(client, stage);
  };
}

// ---- what a client can ask for ----

Result<Asked> options_of_dump(const Client& client, const Rpc__Request& request) {
  Asked asked = TRY(options_of(client, request));
  if (asked.options.tree == 0 || asked.options.tree == client.pid.value())
    return fail("a client can't be dumped while it waits for the answer",
                "set pid to another process");
  return asked;
}

template <Result<void> (*work)(const Options&, const Notify&)>
Result<Reply> save(const Client& client, const Rpc__Request& request) {
  const Asked asked = TRY(options_of_dump(client, request));
  const Result<void> done = work(asked.options, notify_of(client, asked));
  if (!done) {
    log_failure(asked.options, done.error());
    return Failure(done.error());
  }
  return Reply{.kind = request.type};
}

Result<Reply> restore_tree(const Client& client, const Rpc__Request& request) {
  const Asked asked = TRY(options_of(client, request));
  Result<checkpoint::Restored> restored =
      restore(asked.options, notify_of(client, asked), takes_masters(client, asked));
  if (!restored) {
    log_failure(asked.options, restored.error());
    return Failure(restored.error());
  }
  const Reply reply{.kind = request.type, .restored = restored->root};
  if (asked.options.execute.empty()) return reply;
  TRY(send_reply(client.socket, reply));
  return execute(asked.options);
}

Result<Reply> version(const Client&, const Rpc__Request& request) {
  return Reply{.kind = request.type};
}

Result<Reply> check_kernel(const Client&, const Rpc__Request& request) {
  TRY(check_needed());
  return Reply{.kind = request.type};
}

Result<Reply> check_features(const Client&, const Rpc__Request& request) {
  if (request.features == nullptr) return fail("FEATURE_CHECK: which? none is named");
  Reply reply{.kind = request.type};
  if (request.features->mem_track != 0) reply.track_memory = can_track_memory();
  if (request.features->lazy_pages != 0) reply.lazy_pages = false;
  // What it is wanted for, chains of dumps that notice a pid used again, there is anyway.
  if (request.features->pidfd_store != 0) reply.pidfd_store = true;
  return reply;
}

template <Result<void> (*work)(const Options&)>
Result<Reply> of_cpu(const Client& client, const Rpc__Request& request) {
  const Asked asked = TRY(options_of(client, request));
  TRY(work(asked.options));
  return Reply{.kind = request.type};
}

// Of a process that was restored on the same connection.
Result<Reply> wait_for(const Client&, const Rpc__Request& request) {
  const HostPid pid(static_cast<std::int32_t>(request.pid));
  const Fd process = TRY(sys::pidfd_open(pid));
  const sys::Exit exit = TRY(sys::reap(process));
  return Reply{.kind = request.type, .status = exit.signal != 0 ? exit.signal : exit.status << 8};
}

struct Service {
  Rpc__Kind kind;
  std::string_view name;
  Result<Reply> (*serve)(const Client&, const Rpc__Request&);  // none: not there
  bool then_more = false;  // the client goes on asking without having said so
};
constexpr std::array services = std::to_array<Service>({
    {RPC__KIND__DUMP, "DUMP", save<dump>},
    {RPC__KIND__PRE_DUMP, "PRE_DUMP", save<pre_dump>, true},
    {RPC__KIND__SINGLE_PRE_DUMP, "SINGLE_PRE_DUMP", save<pre_dump>},
    {RPC__KIND__RESTORE, "RESTORE", restore_tree},
    {RPC__KIND__CHECK, "CHECK", check_kernel},
    {RPC__KIND__FEATURE_CHECK, "FEATURE_CHECK", check_features},
    {RPC__KIND__VERSION, "VERSION", version},
    {RPC__KIND__CPUINFO_DUMP, "CPUINFO_DUMP", of_cpu<dump_cpu>},
    {RPC__KIND__CPUINFO_CHECK, "CPUINFO_CHECK", of_cpu<check_cpu>},
    {RPC__KIND__WAIT_PID, "WAIT_PID", wait_for},
    {RPC__KIND__PAGE_SERVER, "PAGE_SERVER", nullptr},
    {RPC__KIND__PAGE_SERVER_CHLD, "PAGE_SERVER_CHLD", nullptr},
});

struct Served {
  Rpc__Kind kind = RPC__KIND__EMPTY;
  Result<Reply> reply;
  bool then_more = false;
};

Served serve_one(const Client& client, const Rpc__Request& request) {
  const auto found = std::ranges::find(services, request.type, &Service::kind);
  if (found == services.end())
    return {.kind = request.type,
            .reply = fail("a request of type " + std::to_string(request.type) + " is not known")};
  if (found->serve == nullptr)
    return {.kind = request.type, .reply = fail(std::string(found->name) + " is not there yet")};
  return {.kind = request.type,
          .reply = found->serve(client, request),
          .then_more = request.keep_open != 0 || found->then_more};
}

}  // namespace

Result<void> serve(FdRef socket, const Options& defaults, Descriptors descriptors) {
  const sys::Ids ids = TRY(during("the client's socket", sys::peer_ids(socket)));
  const Client client{socket, HostPid(ids.pid), defaults, descriptors};
  for (;;) {
    const Result<Request> request = next_request(socket);
    if (!request && request.error().code != EBADMSG) return Failure(request.error());
    if (!request) return send_error(socket, RPC__KIND__EMPTY, request.error());
    if (!*request) return {};
    const Served served = serve_one(client, **request);
    if (!served.reply) return send_error(socket, served.kind, served.reply.error());
    TRY(send_reply(socket, *served.reply));
    if (!served.then_more) return {};
  }
}

}  // namespace umbel::cli::criu
