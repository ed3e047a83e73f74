// User, groups and capabilities of a thread: credentials(7), capabilities(7).
#pragma once

#include <functional>

#include "checkpoint/image/records.h"
#include "checkpoint/remote/batch.h"
#include "proc/keyed.h"

namespace umbel::checkpoint {

// All but the secure bits, which only the thread itself can tell.
Result<image::Credentials> credentials_of(const proc::Keyed& status);
// Adds the calls that turn `own` into `wanted`. `before_dropping` adds those that need the
// privileges of now.
void restore_credentials(remote::Batch& batch, const image::Credentials& wanted,
                         const image::Credentials& own,
                         const std::function<void()>& before_dropping);

}  // namespace umbel::checkpoint
