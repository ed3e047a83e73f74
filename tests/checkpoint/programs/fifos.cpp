// Named pipes: both ends, with content, one whose name is gone, packets; deleted and renamed files.
#include <sys/stat.h>

#include "../program.h"

int main(int, char** words) {
  Program program(words[1]);
  const std::string path = program.path("fifo"), lost = program.path("lost"),
                    packets = program.path("packets");
  must(mkfifo(path.c_str(), 0600) == 0 && mkfifo(lost.c_str(), 0640) == 0 &&
           mkfifo(packets.c_str(), 0600) == 0,
       "mkfifo");
  const int both = open(path.c_str(), O_RDWR | O_CLOEXEC),
            reading = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  const int gone = open(lost.c_str(), O_RDWR), gone_writing = open(lost.c_str(), O_WRONLY);
  const int in = open(packets.c_str(), O_RDONLY | O_NONBLOCK),
            out = open(packets.c_str(), O_WRONLY);
  must(both >= 0 && reading >= 0 && gone >= 0 && gone_writing >= 0 && in >= 0 && out >= 0,
       "opening");
  must(fcntl(out, F_SETFL, O_DIRECT) == 0 && unlink(lost.c_str()) == 0, "unlink");
  must(write(both, "through a name", 14) == 14 && write(gone_writing, "lost", 4) == 4, "write");
  must(write(out, "one", 3) == 3 && write(out, "three", 5) == 5, "write");
  const int moved = open(program.path("old-name").c_str(), O_RDWR | O_CREAT, 0600);
  must(moved >= 0 && write(moved, "moved", 5) == 5, "a file");
  must(rename(program.path("old-name").c_str(), program.path("new-name").c_str()) == 0, "rename");
  // Two open files on one inode without a name.
  const int first = open(program.path("twice").c_str(), O_RDWR | O_CREAT, 0600);
  const int second = open(program.path("twice").c_str(), O_RDONLY);
  must(first >= 0 && second >= 0 && write(first, "ghost", 5) == 5, "a file");
  must(unlink(program.path("twice").c_str()) == 0, "unlink");

  const int linked = open(program.path("one name").c_str(), O_RDWR | O_CREAT, 0600);
  must(linked >= 0 && write(linked, "linked", 6) == 6, "a file");
  must(link(program.path("one name").c_str(), program.path("two names").c_str()) == 0, "link");
  must(unlink(program.path("one name").c_str()) == 0, "unlink");

  return program.serve([&] {
    char text[64] = {};
    check(read(reading, text, sizeof text) == 14 && memcmp(text, "through a name", 14) == 0,
          "content");
    check(read(reading, text, sizeof text) < 0 && errno == EAGAIN, "an empty pipe");
    check(write(both, text, 14) == 14, "writing");
    check(read(gone, text, sizeof text) == 4 && memcmp(text, "lost", 4) == 0,
          "a pipe without a name");
    check(write(gone_writing, "lost", 4) == 4, "writing");
    struct stat status{};
    check(fstat(gone, &status) == 0 && S_ISFIFO(status.st_mode) && status.st_nlink == 0,
          "a lost name");
    check_equal(status.st_mode & 07777, 0640U, "a mode");
    check_equal(fcntl(gone_writing, F_GETFL) & O_ACCMODE, O_WRONLY, "an access mode");
    check_equal(read(in, text, sizeof text), 3, "a packet");
    check_equal(read(in, text, sizeof text), 5, "a packet");
    check(write(out, "one", 3) == 3 && write(out, "three", 5) == 5, "writing packets");
    check(pread(moved, text, sizeof text, 0) == 5 && memcmp(text, "moved", 5) == 0,
          "a renamed file");
    check(access(program.path("new-name").c_str(), F_OK) == 0, "its new name");
    check(access(program.path("old-name").c_str(), F_OK) != 0, "its old name");
    check(pwrite(first, "G", 1, 0) == 1 && pread(second, text, 5, 0) == 5 && text[0] == 'G',
          "one file, open twice");
    check(pwrite(first, "g", 1, 0) == 1, "writing");
    struct stat other{};
    check(fstat(linked, &status) == 0 && stat(program.path("two names").c_str(), &other) == 0,
          "stat");
    check(status.st_ino == other.st_ino && status.st_nlink >= 1, "a file with another name");
    check(access(program.path("one name").c_str(), F_OK) != 0, "the name that it has lost");
  });
}
