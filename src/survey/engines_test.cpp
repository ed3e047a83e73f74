#include "survey/engines.h"

#include <gtest/gtest.h>

namespace umbel::survey {

namespace {

const std::string id(64, 'a');

TEST(Engines, AreKnownByTheirCgroups) {
  const std::vector<std::pair<std::string, Foreign>> cases{
      {"/docker/" + id, {"docker", id}},
      {"/system.slice/docker-" + id + ".scope", {"docker", id}},
      {"/libpod_parent/libpod-" + id, {"podman", id}},
      {"/machine.slice/libpod-" + id + ".scope/container", {"podman", id}},
      {"/kubepods.slice/kubepods-besteffort.slice/cri-containerd-" + id + ".scope",
       {"containerd", id}},
      {"/kubepods/besteffort/pod1234/" + id, {"kubernetes", id}},
      {"/lxc.payload.web", {"lxc", "web"}},
      {"/machine.slice/machine-web.scope", {"nspawn", "web"}},
  };
  for (const auto& [path, expected] : cases) EXPECT_EQ(foreign_in(path), expected) << path;
}

TEST(Engines, TheInnermostContainerCounts) {
  const std::string inner(64, 'b');
  EXPECT_EQ(foreign_in("/docker/" + id + "/docker/" + inner), (Foreign{"docker", inner}));
}

TEST(Engines, OtherCgroupsAreNoContainers) {
  for (const std::string path : {"/", "", "/user.slice/user-0.slice", "/docker", "/docker/short",
                                 "/umbel/web", "/machine.slice/libpod-conmon-0123.scope"})
    EXPECT_EQ(foreign_in(path), std::nullopt) << path;
}

}  // namespace

}  // namespace umbel::survey
