// Memory files: content with holes, mapped and unmapped, opened twice, sealed in every way.
#include <sys/mman.h>
#include <sys/stat.h>

#include "../program.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

int main(int, char** words) {
  Program program(words[1]);
  constexpr off_t far = 1 << 22;
  const int holes = memfd_create("with holes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  must(holes >= 0 && pwrite(holes, "far", 3, far) == 3 && fchmod(holes, 0640) == 0,
       "a memory file");
  must(lseek(holes, 5, SEEK_SET) == 5, "lseek");
  char name[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", holes);
  const int second = open(name, O_RDONLY | O_CLOEXEC);
  must(second >= 0, "a second open file");
  const int plain = memfd_create("", 0);
  must(plain >= 0 && ftruncate(plain, 8192) == 0, "a memory file");
  auto* shared =
      static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, plain, 0));
  must(shared != MAP_FAILED, "mmap");
  strcpy(shared + 4096, "through memory");
  const int gone = memfd_create("closed", 0);
  must(gone >= 0 && pwrite(gone, "kept", 4, 0) == 4, "a memory file");
  auto* kept = static_cast<char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, gone, 0));
  must(kept != MAP_FAILED && close(gone) == 0, "mmap");
  const int sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
  must(sealed >= 0 && write(sealed, "fixed", 5) == 5, "a memory file");
  constexpr int all = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  must(fcntl(sealed, F_ADD_SEALS, all) == 0, "F_ADD_SEALS");
  const int future = memfd_create("future", MFD_ALLOW_SEALING);
  must(future >= 0 && ftruncate(future, 4096) == 0, "a memory file");
  auto* writable =
      static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, future, 0));
  must(writable != MAP_FAILED && fcntl(future, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0, "a seal");
  writable[0] = 'a';
  auto* own =
      static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, sealed, 0));
  must(own != MAP_FAILED, "mmap");
  own[0] = 'F';

  return program.serve([&] {
    char text[64] = {};
    struct stat status{};
    check(fstat(holes, &status) == 0 && status.st_size == far + 3, "a size");
    check_equal(status.st_mode & 07777, 0640U, "a mode");
    check(status.st_blocks < 32, "holes");
    check(pread(second, text, sizeof text, far) == 3 && memcmp(text, "far", 3) == 0, "content");
    check_equal(lseek(holes, 0, SEEK_CUR), 5, "an offset");
    check_equal(lseek(second, 0, SEEK_CUR), 0, "another offset");
    check(write(second, "x", 1) < 0, "an open file for reading");
    char target[128] = {};
    check(readlink(name, target, sizeof target) > 0 &&
              strcmp(target, "/memfd:with holes (deleted)") == 0,
          "a name");
    check_equal(fcntl(holes, F_GET_SEALS), 0, "no seals");
    check(pread(plain, text, sizeof text, 4096) > 0 && strcmp(text, "through memory") == 0,
          "content");
    check(pwrite(plain, "T", 1, 4096) == 1 && shared[4096] == 'T', "a mapping");
    shared[4096] = 't';
    check(memcmp(kept, "kept", 4) == 0, "a mapping of a closed file");
    check_equal(fcntl(sealed, F_GET_SEALS), all, "seals");
    check(pwrite(sealed, "x", 1, 0) < 0 && errno == EPERM, "a seal");
    check(pread(sealed, text, 5, 0) == 5 && memcmp(text, "fixed", 5) == 0, "sealed content");
    check(own[0] == 'F' && own[1] == 'i', "a private mapping");
    check_equal(fcntl(future, F_GET_SEALS), F_SEAL_FUTURE_WRITE, "a seal on the future");
    check(writable[0] == 'a', "a mapping from before the seal");
    writable[1] = 'b';
    check(pwrite(future, "x", 1, 0) < 0, "a seal on the future");
  });
}
