// All of it is tmpfs inside the kernel, so it can be opened like a file and says where it has
// holes. Made again, shared anonymous memory is mapped once here and reached through our own
// /proc/self/map_files, so that it has neither another name than before nor another kind.
#include "checkpoint/memory/shared.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "checkpoint/memory/copy.h"
#include "checkpoint/memory/segments.h"
#include "sys/file.h"
#include "sys/memory.h"

namespace umbel::checkpoint {

namespace {

constexpr std::string_view anonymous = "/dev/zero (deleted)",
                           anonymous_named = "[anon_shmem:", memory_file = "/memfd:";

std::string key_of(const struct stat& status) {
  return "shared:" + std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

std::string kind_of(const proc::Mapping& mapping) {
  return mapping.path.starts_with(memory_file) ? "memory-file" : "anonymous";
}

}  // namespace

bool is_shared_memory(const proc::Mapping& mapping) {
  return mapping.path == anonymous || mapping.path.starts_with(anonymous_named);
}

Result<std::uint32_t> dump_shared(Dump& dump, const proc::Mapping& mapping, FdRef file) {
  const struct stat status = TRY(sys::status(file));
  const std::string key = key_of(status);
  TRY(dump.object(key, [&]() -> Result<Value> {
    image::SharedMemory record{.size = static_cast<std::uint64_t>(status.st_size),
                               .kind = kind_of(mapping)};
    const Fd reading = TRY(sys::reopen(file, O_RDONLY));
    record.pages = TRY(copy_file_pages(dump.writer, reading, record.size));
    dump.tree.shared.push_back(std::move(record));
    return Value(static_cast<std::uint64_t>(dump.tree.shared.size() - 1));
  }));
  return from_value<std::uint32_t>(dump.tree.objects.at(key));
}

Result<FdRef> restore_shared(Restore& restore, std::uint32_t index) {
  if (index >= restore.tree.shared.size())
    return fail("the image names shared memory that it does not have");
  return restore.shared("shared-memory:" + std::to_string(index), [&]() -> Result<Fd> {
    const image::SharedMemory& record = restore.tree.shared[index];
    if (is_segment(record)) return fill_segment(restore.reader, record);
    Fd memory = TRY(sys::shared_memory(record.size));
    TRY(fill_file_pages(restore.reader, record.pages, memory));
    return memory;
  });
}

}  // namespace umbel::checkpoint
