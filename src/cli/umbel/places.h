// Where checkpoints lie: under a name in umbel's own store, at a path, or in a stream.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "checkpoint/image/store.h"
#include "container/store.h"

namespace umbel::cli {

// A place that gets an image; what was there before is replaced when the new one is complete, and
// nothing of that is left if it never is.
class Destination {
 public:
  // `to`: "-", a directory (one that is there, or ends with '/'), a file; empty: the store, under
  // that name.
  static Result<Destination> open(const container::Home& home, const std::string& name,
                                  const std::string& to, int compression);
  Destination(Destination&&) = default;
  Destination& operator=(Destination&&) = delete;
  ~Destination();

  checkpoint::image::Writer& writer() { return *writer_; }
  // As `umbel restore` takes it.
  const std::string& place() const { return place_; }
  Result<void> keep();

 private:
  Destination() = default;
  std::string place_, path_;
  std::string temporary_;  // what becomes `path_`; empty: nothing is renamed
  std::unique_ptr<checkpoint::image::Writer> writer_;
};

// "-" is standard input; with a '/' in it a path; otherwise a name in the store.
Result<checkpoint::image::Reader> open_image(const std::string& from);

}  // namespace umbel::cli
