// The built-in profile against the one that Podman and Buildah use (containers/common), which grew
// out of the same list: every system call that libseccomp knows, for each ABI and several sets of
// capabilities, gets the same answer, except for the differences listed here with their reason.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <set>

#include "base/text.h"
#include "security/run_filter.h"
#include "security/seccomp.h"
#include "security/seccomp_newer.h"
#include "sys/namespace.h"

namespace umbel::security {
namespace {

constexpr std::uint32_t allowed = SECCOMP_RET_ALLOW;
constexpr std::uint32_t refused(std::uint32_t code) { return SECCOMP_RET_ERRNO | code; }

std::uint32_t answer(const Filter& filter, std::uint32_t arch, int number,
                     std::initializer_list<std::uint64_t> arguments = {}) {
  seccomp_data call{.nr = number, .arch = arch};
  std::copy(arguments.begin(), arguments.end(), std::begin(call.args));
  return run_filter(filter.program, call);
}

std::uint32_t native(const Filter& filter, std::string_view name,
                     std::initializer_list<std::uint64_t> arguments = {}) {
  const int number = ::seccomp_syscall_resolve_name(std::string(name).c_str());
  EXPECT_GE(number, 0) << name;
  return answer(filter, AUDIT_ARCH_X86_64, number, arguments);
}

Filter made(const Seccomp& profile) {
  Result<Filter> filter = compile(profile, "");
  EXPECT_TRUE(filter) << filter.error().message();
  return filter ? std::move(*filter) : Filter{};
}

struct Difference {
  std::string_view names, reason;
};

// Refused by Docker, allowed by Podman.
const Difference podman_only[] = {
    {"mount umount umount2 unshare setns open_tree move_mount fsopen fsconfig fsmount fspick "
     "mount_setattr clone",
     "Podman trusts the kernel with user namespaces inside, which Buildah in Podman needs; here "
     "CAP_SYS_ADMIN is asked for, and clone's flags are looked at"},
    {"pivot_root",
     "the same; Docker refuses it even with CAP_SYS_ADMIN, since chroot and "
     "move_mount do as well"},
    {"clone3", "its flags can't be looked at, so it is ENOSYS here"},
    {"keyctl", "keyrings are not part of any namespace"},
    {"get_mempolicy mbind set_mempolicy", "CAP_SYS_NICE is asked for here"},
    {"pidfd_getfd", "CAP_SYS_PTRACE is asked for here, as for kcmp"},
    {"reboot", "CAP_SYS_BOOT is asked for here; the kernel asks for it too"},
    {"syslog", "CAP_SYSLOG is asked for here; the kernel may be set not to"},
    {"query_module", "with CAP_SYS_MODULE; gone since Linux 2.6"},
    {"readdir sigaction signal sigpending sigsuspend", "of the 32-bit ABI, before Linux 2.2"},
    {"socket", "Podman looks for audit sockets only; here the families are listed"},
};
// Allowed by Docker, refused by Podman.
const Difference docker_only[] = {
    {"cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue futex_waitv "
     "io_pgetevents_time64 quotactl_fd set_mempolicy_home_node",
     "newer than the compared file"},
    {"io_pgetevents vmsplice", "Podman refuses them with others that are seldom used"},
    {"socket",
     "an audit socket, which Podman wants CAP_AUDIT_WRITE for; the kernel asks for it when "
     "something is sent"},
};

std::set<std::string> names_of(std::span<const Difference> differences) {
  std::set<std::string> all;
  for (const Difference& difference : differences)
    for (const std::string_view name : words(difference.names)) all.emplace(name);
  return all;
}

struct Ours {
  std::uint32_t arch, token;
};
constexpr Ours abis[] = {{AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64},
                         {AUDIT_ARCH_I386, SCMP_ARCH_X86},
                         {AUDIT_ARCH_X86_64, SCMP_ARCH_X32}};

// Every name that libseccomp knows in this ABI.
std::map<std::string, int> system_calls(std::uint32_t token) {
  std::map<std::string, int> all;
  const int base = token == SCMP_ARCH_X32 ? 0x40000000 : 0;
  for (int number = base; number < base + 600; ++number) {
    char* name = ::seccomp_syscall_resolve_num_arch(token, number);
    if (name != nullptr) all.emplace(name, number);
    ::free(name);  // NOLINT: libseccomp gives it away
  }
  return all;
}

const std::vector<CapSet> capability_sets{
    default_capabilities(),
    0,
    ~CapSet{0},
    default_capabilities() | capability(CAP_SYS_ADMIN),
    default_capabilities() | capability(CAP_SYS_PTRACE) | capability(CAP_SYS_MODULE),
    capability(CAP_SYS_NICE) | capability(CAP_SYS_TIME) | capability(CAP_SYS_TTY_CONFIG)};

// Arguments that make a difference to one of the two.
std::vector<std::array<std::uint64_t, 3>> arguments_of(const std::string& name) {
  if (name == "clone") return {{0}, {CLONE_NEWUSER}, {CLONE_NEWNET}, {CLONE_VM | CLONE_FS}};
  if (name == "personality") return {{0}, {PER_LINUX32}, {UNAME26}, {0xffffffff}, {1}};
  if (name == "socket")
    return {{AF_UNIX}, {AF_INET6}, {AF_VSOCK}, {AF_ALG}, {AF_NETLINK, SOCK_RAW, 9}, {AF_NETLINK}};
  return {{0}};
}

// A later libseccomp knows more names, none of which the compared file can have.
constexpr std::uint32_t newest_in_debian_12 = 456;

struct Found {
  std::set<std::string> podman_only, docker_only;
};

void compare(const Filter& docker, const Filter& podman, Found& found) {
  for (const Ours& abi : abis) {
    const std::map<std::string, int> calls = system_calls(abi.token);
    ASSERT_GT(calls.size(), 300U);
    for (const auto& [name, number] : calls) {
      if (newer_system_call(name).value_or(0) > newest_in_debian_12) continue;
      for (const auto& [a, b, c] : arguments_of(name)) {
        const std::uint32_t ours = answer(docker, abi.arch, number, {a, b, c});
        const std::uint32_t other = answer(podman, abi.arch, number, {a, b, c});
        if (ours == other) continue;
        if (other == allowed) found.podman_only.insert(name);
        if (ours == allowed) found.docker_only.insert(name);
        // What Podman does not list is ENOSYS there and EPERM in Docker's; besides it may be that
        // an audit socket is EINVAL.
        if (ours == allowed || other == allowed) continue;
        EXPECT_TRUE(ours == refused(EPERM) || ours == refused(ENOSYS)) << name;
        EXPECT_TRUE(other == refused(EPERM) || other == refused(ENOSYS) || name == "socket")
            << name;
      }
    }
  }
}

TEST(DefaultSeccomp, DiffersFromPodmansOnlyAsListed) {
  const char* file = "/usr/share/containers/seccomp.json";
  if (::access(file, R_OK) != 0) GTEST_SKIP() << file << " is not installed";
  Found found;
  for (const CapSet capabilities : capability_sets) {
    const Result<Seccomp> theirs = read_seccomp(file, capabilities);
    ASSERT_TRUE(theirs) << theirs.error().message();
    compare(made(default_seccomp(capabilities)), made(*theirs), found);
  }
  EXPECT_EQ(found.podman_only, names_of(podman_only));
  EXPECT_EQ(found.docker_only, names_of(docker_only));
}

TEST(DefaultSeccomp, FollowsTheCapabilities) {
  struct Case {
    int capability;
    std::string_view names;
  };
  const Case cases[] = {
      {CAP_SYS_ADMIN, "mount umount2 unshare setns clone3 bpf sethostname quotactl fsopen"},
      {CAP_DAC_READ_SEARCH, "open_by_handle_at"},
      {CAP_SYS_BOOT, "reboot"},
      {CAP_SYS_CHROOT, "chroot"},
      {CAP_SYS_MODULE, "init_module finit_module delete_module"},
      {CAP_SYS_PACCT, "acct"},
      {CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise"},
      {CAP_SYS_RAWIO, "iopl ioperm"},
      {CAP_SYS_TIME, "settimeofday clock_settime"},
      {CAP_SYS_TTY_CONFIG, "vhangup"},
      {CAP_SYS_NICE, "mbind get_mempolicy set_mempolicy"},
      {CAP_SYSLOG, "syslog"},
      {CAP_BPF, "bpf"},
      {CAP_PERFMON, "perf_event_open"},
  };
  const Filter without = made(default_seccomp(0));
  for (const Case& one : cases) {
    const Filter with = made(default_seccomp(capability(one.capability)));
    for (const std::string_view name : words(one.names)) {
      EXPECT_EQ(native(with, name), allowed) << name;
      EXPECT_EQ(native(without, name), refused(name == "clone3" ? ENOSYS : EPERM)) << name;
    }
  }
}

TEST(DefaultSeccomp, LooksAtArguments) {
  const Filter filter = made(default_seccomp(default_capabilities()));
  for (const std::uint64_t flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                   CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET})
    EXPECT_EQ(native(filter, "clone", {flag | CLONE_VM}), refused(EPERM)) << flag;
  EXPECT_EQ(native(filter, "clone", {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}), allowed);
  for (const std::uint64_t persona : {0x0ULL, 0x8ULL, 0x20000ULL, 0x20008ULL, 0xffffffffULL})
    EXPECT_EQ(native(filter, "personality", {persona}), allowed) << persona;
  EXPECT_EQ(native(filter, "personality", {ADDR_NO_RANDOMIZE}), refused(EPERM));
  for (const std::uint64_t family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_XDP})
    EXPECT_EQ(native(filter, "socket", {family}), allowed) << family;
  for (const std::uint64_t family : {AF_VSOCK, AF_ALG, AF_DECnet, AF_IRDA, 46})
    EXPECT_EQ(native(filter, "socket", {family}), refused(EPERM)) << family;
  // The kernel looks at the lower half only; the filter must not be fooled by the upper.
  EXPECT_EQ(native(filter, "socket", {AF_VSOCK | 1ULL << 32}), refused(EPERM));
}

TEST(DefaultSeccomp, CallsNewerThanTheProfileAreUnknownNotForbidden) {
  const Filter filter = made(default_seccomp(default_capabilities()));
  constexpr int x32 = 0x40000000;
  for (const auto& [arch, mark] :
       {std::pair{AUDIT_ARCH_X86_64, 0}, {AUDIT_ARCH_I386, 0}, {AUDIT_ARCH_X86_64, x32}}) {
    EXPECT_EQ(answer(filter, arch, mark + 452), allowed);          // fchmodat2
    EXPECT_EQ(answer(filter, arch, mark + 457), allowed);          // statmount
    EXPECT_EQ(answer(filter, arch, mark + 466), allowed);          // removexattrat
    EXPECT_EQ(answer(filter, arch, mark + 459), refused(EPERM));   // lsm_get_self_attr
    EXPECT_EQ(answer(filter, arch, mark + 900), refused(ENOSYS));  // not invented yet
  }
  // With its capability the same call is allowed.
  const Filter admin = made(default_seccomp(capability(CAP_SYS_ADMIN)));
  EXPECT_EQ(answer(admin, AUDIT_ARCH_X86_64, 459), allowed);
}

TEST(DefaultSeccomp, AnotherMachinesCallsEndTheProgram) {
  const Filter filter = made(default_seccomp(default_capabilities()));
  EXPECT_EQ(answer(filter, AUDIT_ARCH_AARCH64, 63), SECCOMP_RET_KILL_THREAD);
}

}  // namespace
}  // namespace umbel::security
