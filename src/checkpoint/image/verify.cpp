// Whether every byte of an image is as it was written, by all processors at once.
#include <atomic>
#include <mutex>
#include <thread>

#include "checkpoint/image/store.h"
#include "sys/scheduling.h"

namespace umbel::checkpoint::image {

Result<void> Reader::verify_pages() const {
  const std::vector<Extent>& extents = pages().extents;
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  Result<void> outcome;
  const auto work = [&] {
    std::vector<std::uint8_t> buffer;
    for (std::size_t i = next++; i < extents.size(); i = next++) {
      Result<void> loaded = load(extents[i], buffer);
      if (loaded) continue;
      const std::lock_guard lock(mutex);
      outcome = std::move(loaded);
      next = extents.size();
    }
  };
  constexpr std::size_t worth_a_thread = 8, most = 8;
  const Result<std::vector<unsigned>> processors = sys::get_affinity();
  std::vector<std::thread> helpers;
  if (extents.size() > worth_a_thread && processors)
    for (std::size_t i = 1; i < std::min(processors->size(), most); ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  return outcome;
}

Result<void> Reader::verify() const {
  for (const Reader* image = this; image != nullptr; image = image->parent_.get()) {
    for (const Member& member : image->manifest_.members)
      if (&member != image->pages_member_) TRY(image->record(member.name));
    TRY(image->verify_pages());
  }
  return {};
}

}  // namespace umbel::checkpoint::image
