// Every kind of mapping.
#include <sys/mman.h>
#include <sys/stat.h>

#include <vector>

#include "../program.h"

static constexpr size_t page = 4096, size = 64 * page;

static char* map(size_t length, int protection, int flags, int file = -1, off_t offset = 0) {
  void* const at = mmap(nullptr, length, protection, flags, file, offset);
  must(at != MAP_FAILED, "mmap");
  return static_cast<char*>(at);
}

// Protection and flags of the mapping at an address, as smaps has them.
static std::string facts(const void* at) {
  FILE* file = fopen("/proc/self/smaps", "re");
  char line[4096];
  bool inside = false;
  std::string found;
  while (fgets(line, sizeof line, file) != nullptr) {
    unsigned long start = 0, end = 0;
    char access[8];
    if (sscanf(line, "%lx-%lx %4s", &start, &end, access) == 3) {
      const auto address = reinterpret_cast<unsigned long>(at);
      inside = start <= address && address < end;
      if (inside) found = std::string(access) + " ";
    } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
      found += line + 8;
    }
  }
  fclose(file);
  // Shows between the dumps of a chain, and is no part of the program.
  if (const size_t watched = found.find("uw "); watched != std::string::npos)
    found.erase(watched, 3);
  return found;
}

int main(int, char** words) {
  Program program(words[1]);
  char* const anonymous = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  for (size_t i = 0; i < size; i += 2 * page)
    strcpy(anonymous + i, ("page " + std::to_string(i)).c_str());
  char* const read_only = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  strcpy(read_only + page, "read only");
  mprotect(read_only, size, PROT_READ);
  char* const none = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  strcpy(none + 3 * page, "hidden");
  mprotect(none, size, PROT_NONE);
  const int file = open(program.path("mapped").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  must(file >= 0 && ftruncate(file, static_cast<off_t>(size)) == 0, "a file");
  must(pwrite(file, "from the file", 14, 0) == 14, "a file");
  char* const private_file = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
  strcpy(private_file + 5 * page, "mine alone");
  char* const shared_file = map(size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 8 * page);
  strcpy(shared_file, "everybody's");
  char* const shared = map(size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
  strcpy(shared + 9 * page, "shared");
  char* const down =
      map(16 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN);
  strcpy(down, "grows down");
  char* const advised = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  madvise(advised, size, MADV_DONTFORK);
  madvise(advised, size, MADV_DONTDUMP);
  char* const guarded = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  memset(guarded, 'g', size);
  const bool has_guard = madvise(guarded + 4 * page, 2 * page, 102) == 0;
  char* const locked = map(4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  mlock(locked, 4 * page);
  char* const code = map(page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  memcpy(code, "\xb8\x2a\x00\x00\x00\xc3", 6);  // mov eax, 42; ret
  mprotect(code, page, PROT_READ | PROT_EXEC);
  close(file);

  std::vector<const char*> all{anonymous, read_only, none,    private_file, shared_file, shared,
                               down,      advised,   guarded, locked,       code};
  std::vector<std::string> were;
  for (const char* at : all) were.push_back(facts(at));

  return program.serve([&] {
    for (size_t i = 0; i < size; i += 2 * page) {
      check(anonymous + i == std::string("page ") + std::to_string(i), "an anonymous page");
      check_equal(static_cast<int>(anonymous[i + page]), 0, "an untouched page");
    }
    check(strcmp(read_only + page, "read only") == 0, "a read-only page");
    mprotect(none, size, PROT_READ);
    check(strcmp(none + 3 * page, "hidden") == 0, "a hidden page");
    mprotect(none, size, PROT_NONE);
    check(strcmp(private_file, "from the file") == 0, "a page of a file");
    check(strcmp(private_file + 5 * page, "mine alone") == 0, "a private page of a file");
    check(strcmp(private_file + 8 * page, "everybody's") == 0, "a shared page of a file");
    check(strcmp(shared_file, "everybody's") == 0, "a shared page of a file");
    check(strcmp(shared + 9 * page, "shared") == 0, "shared memory");
    check(strcmp(down, "grows down") == 0, "a stack");
    check_equal(static_cast<int>(guarded[3 * page]), static_cast<int>('g'), "beside a guard");
    check_equal(static_cast<int>(guarded[6 * page]), static_cast<int>('g'), "beside a guard");
    if (has_guard) {
      const int into[2] = {open("/dev/null", O_WRONLY), 0};
      int ends[2];
      check(pipe(ends) == 0 && write(ends[1], guarded + 4 * page, 1) < 0 && errno == EFAULT,
            "a guard");
      close(ends[0]), close(ends[1]), close(into[0]);
    }
    check_equal(reinterpret_cast<int (*)()>(code)(), 42, "code");
    for (size_t i = 0; i < all.size(); ++i)
      check(facts(all[i]) == were[i],
            "mapping " + std::to_string(i) + ": " + facts(all[i]) + " instead of " + were[i]);
  });
}
