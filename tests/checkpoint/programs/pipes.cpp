// Pipes with content, packets with their borders, an eventfd, duplicated and shared descriptors,
// offsets and flags.
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "../program.h"

int main(int, char** words) {
  Program program(words[1]);
  int stream[2], packets[2], empty[2];
  must(pipe(stream) == 0 && pipe2(packets, O_DIRECT | O_NONBLOCK) == 0 &&
           pipe2(empty, O_CLOEXEC) == 0,
       "pipes");
  must(write(stream[1], "hello", 5) == 5 && write(stream[1], " world", 6) == 6, "write");
  must(write(packets[1], "one", 3) == 3 && write(packets[1], "three", 5) == 5, "write");
  must(fcntl(empty[1], F_SETPIPE_SZ, 1 << 18) == 1 << 18, "F_SETPIPE_SZ");
  const int counter = eventfd(7, EFD_SEMAPHORE | EFD_NONBLOCK);
  must(counter >= 0, "eventfd");
  const int file = open(program.path("file").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  must(file >= 0 && write(file, "0123456789", 10) == 10 && lseek(file, 4, SEEK_SET) == 4, "a file");
  const int twin = dup(file), far = dup2(file, 400);
  const int append = open(program.path("file").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  must(twin >= 0 && far == 400 && append >= 0, "descriptors");
  const int gone = open(program.path("gone").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0640);
  must(gone >= 0 && write(gone, "ghost", 5) == 5, "a file");
  must(unlink(program.path("gone").c_str()) == 0, "unlink");
  const int dir = open(words[1], O_RDONLY | O_DIRECTORY);
  must(dir >= 0 && chdir(words[1]) == 0, "a directory");
  const int null = open("/dev/null", O_RDWR);
  must(null >= 0, "/dev/null");
  const int flags_of_null = fcntl(null, F_GETFL);
  umask(027);

  return program.serve([&] {
    char text[64] = {};
    check_equal(read(stream[0], text, sizeof text), 11, "what is in a pipe");
    check(strcmp(text, "hello world") == 0, "what is in a pipe");
    check(write(stream[1], text, 11) == 11, "writing to a pipe");
    check_equal(read(packets[0], text, sizeof text), 3, "a packet's length");
    check_equal(read(packets[0], text, sizeof text), 5, "a packet's length");
    check(read(packets[0], text, sizeof text) < 0 && errno == EAGAIN, "an empty pipe");
    check(write(packets[1], "one", 3) == 3 && write(packets[1], "three", 5) == 5, "writing");
    check_equal(fcntl(empty[1], F_GETPIPE_SZ), 1 << 18, "the size of a pipe");
    check_equal(fcntl(empty[1], F_GETFD), FD_CLOEXEC, "close-on-exec");
    check_equal(fcntl(stream[0], F_GETFD), 0, "close-on-exec");
    check_equal(fcntl(stream[0], F_GETFL), O_RDONLY, "the flags of a pipe");
    eventfd_t value = 0;
    check(eventfd_read(counter, &value) == 0 && value == 1, "a semaphore");
    check(eventfd_write(counter, 1) == 0, "a semaphore");
    for (int i = 0; i < 7; ++i) check(eventfd_read(counter, &value) == 0, "the count");
    check(eventfd_read(counter, &value) < 0, "the count");
    check(eventfd_write(counter, 7) == 0, "a semaphore");
    check_equal(lseek(file, 0, SEEK_CUR), 4, "an offset");
    lseek(twin, 6, SEEK_SET);
    check_equal(lseek(far, 0, SEEK_CUR), 6, "a shared offset");
    lseek(file, 4, SEEK_SET);
    check_equal(lseek(append, 0, SEEK_CUR), 0, "another file's offset");
    check(fcntl(append, F_GETFL) & O_APPEND, "O_APPEND");
    check_equal(pread(gone, text, sizeof text, 0), 5, "a deleted file");
    check(memcmp(text, "ghost", 5) == 0, "a deleted file");
    struct stat status{};
    check(fstat(gone, &status) == 0 && status.st_nlink == 0, "a deleted file is deleted");
    check_equal(status.st_mode & 07777, 0640U, "a deleted file's mode");
    check_equal(lseek(gone, 0, SEEK_CUR), 5, "a deleted file's offset");
    char here[4096];
    check(getcwd(here, sizeof here) != nullptr && std::string(here) == words[1], "the directory");
    check_equal(fcntl(null, F_GETFL), flags_of_null, "the flags of /dev/null");
    check(write(null, "x", 1) == 1 && read(null, text, 1) == 0, "/dev/null");
    const mode_t mask = umask(027);
    check_equal(mask, 027U, "the umask");
    check(close(dup(dir)) == 0, "a directory");
  });
}
