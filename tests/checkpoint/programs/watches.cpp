// inotify: watches on a directory, on a file, on one that is to be reported once.
#include <sys/inotify.h>
#include <sys/stat.h>

#include "../program.h"

namespace {

struct Seen {
  int watch = 0;
  unsigned events = 0;
  std::string name;
};

Seen next(int watches) {
  alignas(inotify_event) char buffer[sizeof(inotify_event) + 256];
  if (read(watches, buffer, sizeof buffer) <= 0) return {};
  const auto* event = reinterpret_cast<const inotify_event*>(buffer);
  return {event->wd, event->mask, event->len > 0 ? event->name : ""};
}

}  // namespace

int main(int, char** words) {
  Program program(words[1]);
  const int watches = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), empty = inotify_init1(0);
  must(watches >= 0 && empty >= 0, "inotify_init");
  const std::string dir = program.path("watched"), file = program.path("watched file");
  must(mkdir(dir.c_str(), 0700) == 0, "mkdir");
  must(close(open(file.c_str(), O_WRONLY | O_CREAT, 0600)) == 0, "a file");
  const int skipped = inotify_add_watch(watches, "/proc", IN_ATTRIB);
  const int on_dir = inotify_add_watch(watches, dir.c_str(), IN_CREATE | IN_DELETE);
  must(inotify_rm_watch(watches, skipped) == 0, "inotify_rm_watch");
  next(watches);  // IN_IGNORED
  const int on_file = inotify_add_watch(watches, file.c_str(), IN_MODIFY);
  must(on_dir > skipped && on_file > on_dir, "watches");
  const std::string renamed = program.path("other name");
  must(rename(file.c_str(), renamed.c_str()) == 0, "rename");

  return program.serve([&] {
    Seen seen = next(watches);
    check(seen.watch == 0, "no news from the checkpoint");
    must(close(open((dir + "/new").c_str(), O_WRONLY | O_CREAT, 0600)) == 0, "a file");
    seen = next(watches);
    check(seen.watch == on_dir && seen.events == IN_CREATE && seen.name == "new",
          "a watched directory");
    unlink((dir + "/new").c_str());
    seen = next(watches);
    check(seen.watch == on_dir && seen.events == IN_DELETE, "a watched directory");
    const int writing = open(renamed.c_str(), O_WRONLY);
    check(write(writing, "x", 1) == 1, "writing");
    close(writing);
    seen = next(watches);
    check(seen.watch == on_file && seen.events == IN_MODIFY, "a watched file");
    check(next(watches).watch == 0, "no more news");
  });
}
