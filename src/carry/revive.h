// A container out of an image.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "carry/records.h"
#include "checkpoint/cradle.h"
#include "checkpoint/image/store.h"
#include "checkpoint/restore.h"
#include "container/launch.h"
#include "container/store.h"

namespace umbel::carry {

// What the image says of its container.
Result<Saved> saved_in(const checkpoint::image::Reader& reader);

// For container::start(): brings the processes of an image into a container that is made as its
// config says. Must outlive the start; `reader` must outlive it.
class Filling {
 public:
  static Result<std::unique_ptr<Filling>> prepare(const checkpoint::image::Reader& reader,
                                                  checkpoint::RestoreOptions how = {});
  const container::Revival& revival() const { return revival_; }

 private:
  Filling(const checkpoint::image::Reader& reader, checkpoint::RestoreOptions how, Saved saved,
          checkpoint::Cradle cradle);
  Result<InnerPid> fill(const container::Waiting& waiting) const;
  const checkpoint::image::Reader& reader_;
  checkpoint::RestoreOptions how_;
  Saved saved_;
  checkpoint::Cradle cradle_;
  container::Revival revival_;
};

struct ReviveOptions {
  std::optional<std::string> name;  // else the one that it had
  checkpoint::RestoreOptions engine = {};
};
// Detached, with a monitor of its own. A container of that name must not be there, or be the one
// that was checkpointed. Nothing is left when this fails.
Result<container::Container> revive(const container::Home& home,
                                    const checkpoint::image::Reader& reader,
                                    const ReviveOptions& options = {});

}  // namespace umbel::carry
