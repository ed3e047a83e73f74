#include <gtest/gtest.h>

#include "checkpoint/resource/file_kind.h"

namespace umbel::checkpoint {

// The verdict before a checkpoint must promise exactly what the dump can do.
TEST(Kinds, AreCarriedAsTheVerdictSays) {
  for (const inspect::KindInfo& info : inspect::kinds()) {
    const FileKind* kind = find_kind(info.kind);
    EXPECT_EQ(kind != nullptr, info.cure.empty()) << info.name;
    if (kind == nullptr) continue;
    EXPECT_NE(kind->dump, nullptr) << info.name;
    EXPECT_NE(kind->restore, nullptr) << info.name;
    EXPECT_EQ(find_kind(std::string(info.name)), kind) << info.name;
  }
}

}  // namespace umbel::checkpoint
