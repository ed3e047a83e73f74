// What a container's file system is to look like, as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace umbel::rootfs {

struct IdMapping {
  std::uint32_t inside = 0, outside = 0, count = 0;
};
void fields(auto& archive, IdMapping& m) {
  archive("containerID", m.inside);
  archive("hostID", m.outside);
  archive("size", m.count);
}

// One mount, as OCI has it: options are the words of mount(8) and the specification ("ro", "rbind",
// "rro", "tmpcopyup", "idmap", "size=64m", ...). "idmap" without mappings uses those of the
// container's user namespace.
struct Mount {
  std::string destination, type, source;
  std::vector<std::string> options;
  std::vector<IdMapping> uid_mappings, gid_mappings;
};
void fields(auto& archive, Mount& m) {
  archive("destination", m.destination);
  archive("type", m.type);
  archive("source", m.source);
  archive("options", m.options);
  archive("uidMappings", m.uid_mappings);
  archive("gidMappings", m.gid_mappings);
}

struct Device {
  std::string path;        // inside
  std::string type = "c";  // c, u, b or p
  std::int64_t major = 0, minor = 0;
  std::uint32_t mode = 0666, uid = 0, gid = 0;
};
void fields(auto& archive, Device& d) {
  archive("path", d.path);
  archive("type", d.type);
  archive("major", d.major);
  archive("minor", d.minor);
  archive("fileMode", d.mode);
  archive("uid", d.uid);
  archive("gid", d.gid);
}

struct Root {
  // A directory of the host; empty: the host's root under an overlay (overlay.cpp says what of it).
  std::string path;
  // For a root on the kernel's first file system, which pivot_root(2) can't leave: the host's tree
  // stays beneath, where a container that may mount could come at it.
  bool no_pivot = false;
  bool read_only = false;  // of the overlay: the host's other file systems in it too
  std::string propagation = "rslave";
  // Of the overlay: bytes its tmpfs may hold (0: half of memory, the kernel's default), or a
  // directory of the host that keeps the changes; it is made if missing, and must not be given to
  // two containers at a time.
  std::uint64_t overlay_size = 0;
  std::string overlay_dir;
  // Keep what an umbel inside needs to stack a further overlay. What is kept are the overlays that
  // this one lies on, read-only, where only a container with CAP_SYS_ADMIN can get at them.
  bool nest = false;
};
void fields(auto& archive, Root& r) {
  archive("path", r.path);
  archive("noPivot", r.no_pivot);
  archive("readonly", r.read_only);
  archive("propagation", r.propagation);
  archive("overlaySize", r.overlay_size);
  archive("overlayDir", r.overlay_dir);
  archive("nest", r.nest);
}

struct Spec {
  Root root;
  std::vector<Mount> mounts;
  std::vector<Device> devices;
  std::vector<std::string> masked, read_only;
};
void fields(auto& archive, Spec& s) {
  archive("root", s.root);
  archive("mounts", s.mounts);
  archive("devices", s.devices);
  archive("maskedPaths", s.masked);
  archive("readonlyPaths", s.read_only);
}

// Docker's defaults for a careful person, which the human face starts from.
std::vector<Mount> default_mounts(std::uint64_t shm_size);
std::vector<Device> default_devices();
std::vector<std::string> default_masked();
std::vector<std::string> default_read_only();

}  // namespace umbel::rootfs
