// Every field that is set is met, by the table of options or by the one below, or refused by its
// name: protobuf-c describes a message's fields, so that none is overlooked. Descriptors are opened
// as /proc/CLIENT/fd/N, which only works for who may look into the client.
#include "cli/criu/request_options.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

#include "cli/criu/configuration.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::cli::criu {

namespace {

using Field = ProtobufCFieldDescriptor;

template <class T>
const T& at(const Rpc__Options& request, unsigned offset) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(&request) + offset);
}

std::size_t count_of(const Rpc__Options& request, const Field& field) {
  if (field.label == PROTOBUF_C_LABEL_REPEATED)
    return at<std::size_t>(request, field.quantifier_offset);
  if (field.type == PROTOBUF_C_TYPE_STRING || field.type == PROTOBUF_C_TYPE_MESSAGE)
    return at<const void*>(request, field.offset) != nullptr ? 1 : 0;
  if (field.label == PROTOBUF_C_LABEL_REQUIRED) return 1;
  return at<protobuf_c_boolean>(request, field.quantifier_offset) != 0 ? 1 : 0;
}

std::string enum_text(const Field& field, int value) {
  const auto* known = ::protobuf_c_enum_descriptor_get_value(
      static_cast<const ProtobufCEnumDescriptor*>(field.descriptor), value);
  if (known == nullptr) return std::to_string(value);
  std::string name = known->name;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name == "cg_none" ? "none" : name;
}

std::string scalar_text(const Rpc__Options& request, const Field& field) {
  switch (field.type) {
    case PROTOBUF_C_TYPE_BOOL:
      return at<protobuf_c_boolean>(request, field.offset) != 0 ? "true" : "false";
    case PROTOBUF_C_TYPE_ENUM:
      return enum_text(field, at<int>(request, field.offset));
    case PROTOBUF_C_TYPE_UINT32:
      return std::to_string(at<std::uint32_t>(request, field.offset));
    case PROTOBUF_C_TYPE_INT32:
      return std::to_string(at<std::int32_t>(request, field.offset));
    default:
      return "";
  }
}

std::vector<std::string> texts(const Rpc__Options& request, const Field& field) {
  if (field.type == PROTOBUF_C_TYPE_MESSAGE) return {""};  // no plain field of the table
  if (field.type != PROTOBUF_C_TYPE_STRING) return {scalar_text(request, field)};
  if (field.label != PROTOBUF_C_LABEL_REPEATED) return {at<const char*>(request, field.offset)};
  const char* const* first = at<const char* const*>(request, field.offset);
  return {first, first + count_of(request, field)};
}

// ---- fields that the command line has not, or has in another form ----

struct Reading {
  const Rpc__Options& request;
  HostPid client;
  Asked& asked;
};

// Opened anew, and kept open under a path that holds in umbel's children too.
Result<int> from_client(Reading& in, int number, int flags) {
  Fd file = TRY(during(
      "descriptor " + std::to_string(number) + " of the client",
      sys::open(cwd, "/proc/" + std::to_string(in.client.value()) + "/fd/" + std::to_string(number),
                flags)));
  in.asked.files.push_back(std::move(file));
  return in.asked.files.back().number();
}
Result<std::string> directory_of_client(Reading& in, int number) {
  const int own = TRY(from_client(in, number, O_RDONLY | O_DIRECTORY));
  return "/proc/" + std::to_string(sys::own_pid().value()) + "/fd/" + std::to_string(own);
}

Result<void> images_directory(Reading& in) {
  if (in.request.images_dir_fd < 0) {
    if (in.request.images_dir == nullptr)
      return fail("no images directory: images_dir_fd is -1, and images_dir is not set");
    return {};
  }
  in.asked.options.images_directory = TRY(directory_of_client(in, in.request.images_dir_fd));
  return {};
}
Result<void> images_path(Reading& in) {
  if (in.request.images_dir_fd < 0) in.asked.options.images_directory = in.request.images_dir;
  return {};
}
Result<void> work_directory(Reading& in) {
  if (in.request.work_dir_fd < 0) return {};
  in.asked.options.work_directory = TRY(directory_of_client(in, in.request.work_dir_fd));
  return {};
}
Result<void> status_descriptor(Reading& in) {
  in.asked.options.status_descriptor = TRY(from_client(in, in.request.status_fd, O_WRONLY));
  return {};
}
Result<void> notifications(Reading& in) {
  in.asked.notify = in.request.notify_scripts != 0;
  return {};
}
Result<void> orphan_terminals(Reading& in) {
  in.asked.options.orphan_terminals = in.request.orphan_pts_master != 0;
  return {};
}
// These were inherited: the numbers are umbel's own.
Result<void> inherited(Reading& in) {
  for (std::size_t i = 0; i < in.request.n_inherit_fd; ++i)
    in.asked.options.inherited[in.request.inherit_fd[i]->key] = in.request.inherit_fd[i]->fd;
  return {};
}
Result<void> command(Reading& in) {
  in.asked.options.execute.assign(in.request.exec_cmd, in.request.exec_cmd + in.request.n_exec_cmd);
  return {};
}
Result<void> old_external_sockets(Reading& in) {
  for (std::size_t i = 0; i < in.request.n_unix_sk_ino; ++i)
    TRY(apply_field(in.asked.options, "external",
                    "unix[" + std::to_string(in.request.unix_sk_ino[i]->inode) + "]"));
  return {};
}
// As it was before there were modes.
Result<void> cgroups(Reading& in) {
  if (in.request.manage_cgroups == 0 || in.request.has_manage_cgroups_mode != 0) return {};
  return apply_field(in.asked.options, "manage_cgroups_mode", "soft");
}
Result<void> nothing(Reading&) { return {}; }

struct Special {
  std::string_view field;
  Result<void> (*read)(Reading&);
};
constexpr std::array special = std::to_array<Special>({
    {"images_dir_fd", images_directory},
    {"images_dir", images_path},
    {"work_dir_fd", work_directory},
    {"status_fd", status_descriptor},
    {"notify_scripts", notifications},
    {"orphan_pts_master", orphan_terminals},
    {"inherit_fd", inherited},
    {"exec_cmd", command},
    {"unix_sk_ino", old_external_sockets},
    {"manage_cgroups", cgroups},
    {"config_file", nothing},     // comes last
    {"pidfd_store_sk", nothing},  // against pids that are used again; the keeper knows start times
    {"display_stats", nothing},   // nobody reads that output of a service
});

Result<void> read_field(Reading& in, const Field& field) {
  const auto found = std::ranges::find(special, std::string_view(field.name), &Special::field);
  if (found != special.end())
    return during("the option " + std::string(field.name), found->read(in));
  for (const std::string& text : texts(in.request, field))
    TRY(apply_field(in.asked.options, field.name, text));
  return {};
}

}  // namespace

Result<Asked> read_request(const Options& defaults, const Rpc__Options* request, HostPid client) {
  if (request == nullptr) return fail("the request has no options");
  Asked asked;
  asked.options = defaults;
  Reading in{*request, client, asked};
  if (request->base.n_unknown_fields > 0)
    return fail("field " + std::to_string(request->base.unknown_fields[0].tag) +
                    " of the options is not known here",
                "it is newer than what umbel knows of criu's protocol");
  for (unsigned i = 0; i < ::rpc__options__descriptor.n_fields; ++i) {
    const Field& field = ::rpc__options__descriptor.fields[i];
    if (count_of(*request, field) > 0) TRY(read_field(in, field));
  }
  // Clients name one that need not exist.
  if (request->config_file != nullptr && sys::exists(cwd, request->config_file))
    TRY(apply_file(asked.options, request->config_file));
  return asked;
}

}  // namespace umbel::cli::criu
