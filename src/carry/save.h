// A running container into an image.
#pragma once

#include <string>

#include "base/error.h"
#include "checkpoint/dump.h"
#include "checkpoint/image/store.h"
#include "container/store.h"

namespace umbel::carry {

struct SaveOptions {
  // How the processes are dumped; what follows from the container (root, external descriptors) is
  // filled in.
  checkpoint::DumpOptions engine = {};
  // Kept as State::checkpoint where the processes end: how `umbel restore` is told of the image.
  std::string place;
};

// The container's lock must be held, and is meanwhile. It runs on as before when this fails. Who
// wants to know whether the container can be restored at all asks the verdict first.
Result<checkpoint::DumpStatistics> save(container::Container& container, const SaveOptions& options,
                                        checkpoint::image::Writer& to);

}  // namespace umbel::carry
