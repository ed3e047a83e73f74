#include "checkpoint/image/records.h"

namespace umbel::checkpoint::image {

Result<Tree> tree_in(const Reader& reader) {
  if (!reader.has("tree"))
    return fail("the image has memory alone: it is of a pre-dump",
                "restore the image of the dump that builds on it");
  const Value value = TRY(reader.record("tree"));
  return from_value<Tree>(value);
}

}  // namespace umbel::checkpoint::image
