// The cache's key is the whole profile (of the built-in one: a hash of its table, and the
// capabilities), so a filter from it can only be the one that compiling the profile now would give.
// That costs 27 us for Docker's profile (building the key, seven system
// calls on the file, comparing), compiling 9 ms: on the way through the cache libseccomp's tables
// and its probing of the kernel are not touched.
#include "security/seccomp.h"

#include <cerrno>
#include <type_traits>

#include "security/seccomp_cache.h"
#include "security/seccomp_compile.h"
#include "security/seccomp_default.h"
#include "sys/seccomp.h"

namespace umbel::security {

namespace {

// Turns records into bytes, by their field lists. Every text and list is preceded by its length, so
// that no two profiles give the same bytes.
struct KeyWriter {
  std::string& key;

  void operator()(const char*, const std::string& text) const {
    number(text.size());
    key += text;
  }
  template <class T>
    requires std::is_integral_v<T>
  void operator()(const char*, T value) const {
    number(value);
  }
  template <class T>
  void operator()(const char* name, const std::optional<T>& value) const {
    key += value ? '+' : '-';
    if (value) (*this)(name, *value);
  }
  template <class T>
  void operator()(const char* name, const std::vector<T>& list) const {
    number(list.size());
    for (const T& element : list) {
      if constexpr (requires { fields(*this, const_cast<T&>(element)); })
        fields(*this, const_cast<T&>(element));  // NOLINT: a field list also reads
      else
        (*this)(name, element);
    }
  }

 private:
  void number(std::uint64_t value) const {
    do {
      key += static_cast<char>((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
      value >>= 7;
    } while (value != 0);
  }
};

// Who listens makes no other filter.
std::string key_of(const Seccomp& profile) {
  std::string key = compiler_identity();
  key.reserve(16 << 10);
  const KeyWriter write{key};
  write("defaultAction", profile.default_action);
  write("defaultErrnoRet", profile.default_errno);
  write("architectures", profile.architectures);
  write("flags", profile.flags);
  write("syscalls", profile.rules);
  return key;
}

Result<Filter> cached(const std::string& cache, auto key_of_it, auto compile_it) {
  if (cache.empty()) return compile_it();
  const Result<FilterCache> kept = FilterCache::open(cache);
  if (!kept) return compile_it();
  const std::string key = key_of_it();
  if (std::optional<Filter> found = kept->find(key)) return std::move(*found);
  Filter made = TRY(compile_it());
  // A full disk only costs the next start some milliseconds.
  (void)kept->store(key, made);
  return made;
}

}  // namespace

Result<Filter> compile(const Seccomp& profile, const std::string& cache) {
  return cached(cache, [&] { return key_of(profile); }, [&] { return compile_profile(profile); });
}

Result<Filter> default_filter(CapSet capabilities, const std::string& cache) {
  return cached(
      cache, [&] { return compiler_identity() + default_seccomp_key(capabilities); },
      [&] { return compile_profile(default_seccomp(capabilities)); });
}

Result<void> check_cache(const std::string& cache) {
  TRY(FilterCache::open(cache));
  return {};
}

Result<std::optional<Fd>> install(const Filter& filter) {
  Result<std::optional<Fd>> installed = sys::set_seccomp_filter(filter.program, filter.flags);
  if (installed) return installed;
  const int code = installed.error().code;
  if (code == EACCES)
    return advise("set no_new_privileges, or install it while CAP_SYS_ADMIN is still there",
                  std::move(installed));
  if (code == EINVAL)
    return advise("this kernel may lack one of the profile's flags; see `umbel info`",
                  std::move(installed));
  if (code == EBUSY)
    return advise("another filter of this process has a listener already, and one is the most",
                  std::move(installed));
  return installed;
}

}  // namespace umbel::security
