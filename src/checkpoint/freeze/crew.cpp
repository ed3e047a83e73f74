// Member 0 is the calling thread itself: a single process, the common case, costs no thread.
#include "checkpoint/freeze/crew.h"

#include <algorithm>
#include <memory>

#include "sys/scheduling.h"

namespace umbel::checkpoint {

Crew::Crew(unsigned members) {
  for (unsigned member = 1; member < members; ++member) {
    Worker& worker = *workers_.emplace_back(std::make_unique<Worker>());
    worker.thread = std::thread(live, std::ref(worker), member);
  }
}

Crew::~Crew() {
  for (const auto& worker : workers_) {
    {
      const std::lock_guard lock(worker->mutex);
      worker->stop = true;
    }
    worker->changed.notify_one();
    worker->thread.join();
  }
}

void Crew::live(Worker& worker, unsigned member) {
  std::unique_lock lock(worker.mutex);
  for (;;) {
    worker.changed.wait(lock, [&] { return worker.stop || worker.work != nullptr; });
    if (worker.work == nullptr) return;
    const Work& work = *std::exchange(worker.work, nullptr);
    lock.unlock();
    Result<void> outcome = work(member);
    lock.lock();
    worker.outcome = std::move(outcome);
    worker.changed.notify_one();
  }
}

void Crew::give(Worker& worker, const Work& work) {
  {
    const std::lock_guard lock(worker.mutex);
    worker.work = &work;
  }
  worker.changed.notify_one();
}

Result<void> Crew::take(Worker& worker) {
  std::unique_lock lock(worker.mutex);
  worker.changed.wait(lock, [&] { return worker.outcome.has_value(); });
  Result<void> outcome = std::move(*worker.outcome);
  worker.outcome.reset();
  return outcome;
}

Result<void> Crew::each(const Work& work) {
  for (const auto& worker : workers_) give(*worker, work);
  Result<void> outcome = work(0);
  for (const auto& worker : workers_) {
    Result<void> theirs = take(*worker);
    if (outcome) outcome = std::move(theirs);
  }
  return outcome;
}

Result<void> Crew::run(unsigned member, const Work& work) {
  if (member == 0) return work(0);
  Worker& worker = *workers_[member - 1];
  give(worker, work);
  return take(worker);
}

unsigned crew_size(std::size_t processes) {
  const Result<std::vector<unsigned>> processors = sys::get_affinity();
  const std::size_t usable = processors ? processors->size() : 1;
  return static_cast<unsigned>(
      std::clamp<std::size_t>(processes, 1, std::max<std::size_t>(usable, 1)));
}

}  // namespace umbel::checkpoint
