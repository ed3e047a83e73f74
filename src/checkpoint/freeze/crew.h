// The threads that trace. A traced thread obeys only the thread that seized it, so every process is
// given to one of the crew, and what is to be done with it is done there; different processes go on
// at the same time on different processors.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.h"

namespace umbel::checkpoint {

class Crew {
 public:
  // The calling thread is the first member; run() and each() must be called by it.
  explicit Crew(unsigned members);
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew();

  unsigned size() const { return static_cast<unsigned>(workers_.size()) + 1; }

  // Every member runs `work` with its own number, all at the same time; the first error, after all
  // have ended.
  using Work = std::function<Result<void>(unsigned member)>;
  Result<void> each(const Work& work);
  Result<void> run(unsigned member, const Work& work);

 private:
  struct Worker {
    std::mutex mutex;
    std::condition_variable changed;
    const Work* work = nullptr;
    std::optional<Result<void>> outcome;
    bool stop = false;
    std::thread thread;
  };
  static void live(Worker& worker, unsigned member);
  static void give(Worker& worker, const Work& work);
  static Result<void> take(Worker& worker);
  std::vector<std::unique_ptr<Worker>> workers_;
};

// One for each processor that the caller may use, but no more than there is work for.
unsigned crew_size(std::size_t processes);

}  // namespace umbel::checkpoint
