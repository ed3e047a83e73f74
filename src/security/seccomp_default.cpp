// The profile that Docker has grown over ten years, as one table: what is not in it is refused
// (EPERM). Taken from moby/profiles of summer 2026; seccomp_default_test.cpp compares it with
// Podman's and says why they differ.
//
// A program that may make namespaces can reach far more of the kernel, so clone is allowed for
// flags without CLONE_NEW*; clone3 has its flags behind a pointer that a filter can't follow, and
// answers ENOSYS to send programs back to clone. Sockets are allowed by family: AF_VSOCK reaches
// the hypervisor past every network namespace, AF_ALG opens the kernel's ciphers to anyone, and the
// other ones left out are gone from current kernels.
#include "security/seccomp_default.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "security/seccomp.h"
#include "security/seccomp_machine.h"
#include "sys/namespace.h"

namespace umbel::security {

namespace {

struct Comparison {
  std::uint32_t index = 0;
  std::string_view op;
  std::uint64_t value = 0, value_two = 0;
};

struct Line {
  std::string_view names;    // separated by blanks
  int with = -1;             // a capability: only a container that has it
  int without = -1;          // only one that has it not
  std::uint32_t answer = 0;  // an errno; 0: allowed
  std::optional<Comparison> when = std::nullopt;
  unsigned machines = every_machine;
};

constexpr std::uint64_t new_namespace = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                        CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr std::string_view equal = "SCMP_CMP_EQ", masked_equal = "SCMP_CMP_MASKED_EQ",
                           less = "SCMP_CMP_LT";
// Asking for the persona, and changing nothing.
constexpr std::uint64_t persona_query = 0xffffffff;

constexpr std::array table = std::to_array<Line>({
    // Files and directories.
    {.names =
         "access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 "
         "faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod "
         "fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr "
         "flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 "
         "fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr getxattrat "
         "inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown lchown32 "
         "lgetxattr link linkat listmount listxattr listxattrat llistxattr _llseek lremovexattr "
         "lseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat "
         "open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead "
         "readlink readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir "
         "sendfile sendfile64 setxattr setxattrat splice stat stat64 statfs statfs64 statmount "
         "statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask "
         "unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev"},
    // Waiting for them, and asynchronous input and output.
    {.names =
         "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait "
         "epoll_wait_old eventfd eventfd2 io_cancel io_destroy io_getevents io_pgetevents "
         "io_pgetevents_time64 io_setup io_submit _newselect pipe pipe2 poll ppoll ppoll_time64 "
         "pselect6 pselect6_time64 select signalfd signalfd4 timerfd_create timerfd_gettime "
         "timerfd_gettime64 timerfd_settime timerfd_settime64"},
    // Memory.
    {.names =
         "brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore "
         "mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap "
         "pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages"},
    // Sockets; socket itself is below.
    {.names = "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom "
              "recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown "
              "socketcall socketpair"},
    // System V and POSIX interprocess communication.
    {.names =
         "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 "
         "mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget "
         "semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget"},
    // Users, groups and what a process may.
    {.names = "capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups "
              "getgroups32 getresgid getresgid32 getresuid getresuid32 getuid getuid32 "
              "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp setfsgid "
              "setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid "
              "setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid "
              "setuid32"},
    // Signals.
    {.names = "alarm kill pause pidfd_open pidfd_send_signal restart_syscall rt_sigaction "
              "rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
              "rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask "
              "sigreturn tgkill tkill"},
    // Clocks and timers.
    {.names =
         "adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
         "clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday "
         "nanosleep setitimer time timer_create timer_delete timer_getoverrun timer_gettime "
         "timer_gettime64 timer_settime timer_settime64 times"},
    // Processes and threads; clone itself is below.
    {.names =
         "execve execveat exit exit_group fork futex futex_requeue futex_time64 futex_wait "
         "futex_waitv futex_wake get_robust_list get_thread_area getcpu getpgid getpgrp getpid "
         "getppid getpriority getrandom getrlimit getrusage getsid gettid ioprio_get ioprio_set "
         "prctl prlimit64 riscv_hwprobe rseq sched_get_priority_max sched_get_priority_min "
         "sched_getaffinity sched_getattr sched_getparam sched_getscheduler "
         "sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr "
         "sched_setparam sched_setscheduler sched_yield set_robust_list set_thread_area "
         "set_tid_address setpgid setpriority setrlimit setsid sysinfo ugetrlimit uname "
         "uretprobe vfork wait4 waitid waitpid"},
    // Between the processes of one user. Docker has it so since ptrace no longer gets around
    // filters.
    {.names = "process_vm_readv process_vm_writev ptrace"},

    {.names = "personality", .when = Comparison{0, equal, PER_LINUX}},
    {.names = "personality", .when = Comparison{0, equal, PER_LINUX32}},
    {.names = "personality", .when = Comparison{0, equal, UNAME26}},
    {.names = "personality", .when = Comparison{0, equal, std::uint64_t{UNAME26} | PER_LINUX32}},
    {.names = "personality", .when = Comparison{0, equal, persona_query}},

    {.names = "clone",
     .without = CAP_SYS_ADMIN,
     .when = Comparison{0, masked_equal, new_namespace, 0},
     .machines = every_machine & ~s390},
    {.names = "clone",
     .without = CAP_SYS_ADMIN,
     .when = Comparison{1, masked_equal, new_namespace, 0},
     .machines = s390},  // which has the stack first
    {.names = "clone3", .without = CAP_SYS_ADMIN, .answer = ENOSYS},

    {.names = "socket", .when = Comparison{0, less, AF_DECnet}},  // and `families`

    {.names = "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie "
              "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount "
              "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns "
              "syslog umount umount2 unshare",
     .with = CAP_SYS_ADMIN},
    {.names = "open_by_handle_at", .with = CAP_DAC_READ_SEARCH},
    {.names = "reboot", .with = CAP_SYS_BOOT},
    {.names = "chroot", .with = CAP_SYS_CHROOT},
    {.names = "delete_module finit_module init_module", .with = CAP_SYS_MODULE},
    {.names = "acct", .with = CAP_SYS_PACCT},
    {.names = "kcmp pidfd_getfd process_madvise", .with = CAP_SYS_PTRACE},
    {.names = "ioperm iopl", .with = CAP_SYS_RAWIO},
    {.names = "clock_settime clock_settime64 settimeofday stime", .with = CAP_SYS_TIME},
    {.names = "vhangup", .with = CAP_SYS_TTY_CONFIG},
    {.names = "get_mempolicy mbind set_mempolicy set_mempolicy_home_node", .with = CAP_SYS_NICE},
    {.names = "syslog", .with = CAP_SYSLOG},
    {.names = "bpf", .with = CAP_BPF},
    {.names = "perf_event_open", .with = CAP_PERFMON},

    {.names = "arch_prctl modify_ldt", .machines = x86},
    {.names = "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
     .machines = arm},
    {.names = "swapcontext sync_file_range2", .machines = ppc64},
    {.names = "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", .machines = s390},
    {.names = "riscv_flush_icache", .machines = riscv},
});

// Allowed families above AF_DECnet. The specification can't express a range with two ends.
constexpr std::array families{AF_NETBEUI, AF_SECURITY, AF_KEY,    AF_NETLINK,    AF_PACKET,
                              AF_ASH,     AF_RDS,      AF_SNA,    AF_PPPOX,      AF_LLC,
                              AF_IB,      AF_MPLS,     AF_CAN,    AF_TIPC,       AF_BLUETOOTH,
                              AF_IUCV,    AF_RXRPC,    AF_PHONET, AF_IEEE802154, AF_NFC,
                              AF_KCM,     AF_QIPCRTR,  AF_SMC,    AF_XDP,        AF_MCTP};

constexpr bool applies(const Line& line, CapSet capabilities) {
  const bool has = line.with < 0 || (capabilities & capability(line.with)) != 0;
  const bool lacks = line.without < 0 || (capabilities & capability(line.without)) == 0;
  return has && lacks && (line.machines & native_machine.machine) != 0;
}

SeccompRule rule(const Line& line) {
  SeccompRule made;
  for (const std::string_view name : split(line.names, ' ')) made.names.emplace_back(name);
  made.action = line.answer == 0 ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO";
  if (line.answer != 0) made.errno_value = line.answer;
  if (line.when)
    made.args.push_back({.index = line.when->index,
                         .value = line.when->value,
                         .value_two = line.when->value_two,
                         .op = std::string(line.when->op)});
  return made;
}

// FNV-1a.
constexpr void mix(std::uint64_t& hash, std::uint64_t value) {
  for (int byte = 0; byte < 8; ++byte) {
    hash ^= value >> (8 * byte) & 0xff;
    hash *= 0x100000001b3;
  }
}
constexpr void mix(std::uint64_t& hash, std::string_view text) {
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  mix(hash, text.size());
}

consteval std::uint64_t table_hash() {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const Line& line : table) {
    mix(hash, line.names);
    mix(hash, static_cast<std::uint64_t>(line.with));
    mix(hash, static_cast<std::uint64_t>(line.without));
    mix(hash, line.answer);
    mix(hash, line.machines);
    if (!line.when) continue;
    mix(hash, line.when->op);
    mix(hash, line.when->index);
    mix(hash, line.when->value);
    mix(hash, line.when->value_two);
  }
  for (const int family : families) mix(hash, static_cast<std::uint64_t>(family));
  return hash;
}

consteval CapSet asked_about() {
  CapSet set = 0;
  for (const Line& line : table) {
    if (line.with >= 0) set |= capability(line.with);
    if (line.without >= 0) set |= capability(line.without);
  }
  return set;
}

}  // namespace

Seccomp default_seccomp(CapSet capabilities) {
  Seccomp made{.default_action = "SCMP_ACT_ERRNO", .default_errno = EPERM};
  made.architectures.emplace_back(native_machine.name);
  for (const std::string_view other : native_machine.others)
    if (!other.empty()) made.architectures.emplace_back(other);
  for (const Line& line : table)
    if (applies(line, capabilities)) made.rules.push_back(rule(line));
  for (const int family : families)
    made.rules.push_back(rule(
        {.names = "socket", .when = Comparison{0, equal, static_cast<std::uint64_t>(family)}}));
  return made;
}

std::string default_seccomp_key(CapSet capabilities) {
  constexpr std::uint64_t hash = table_hash();
  constexpr CapSet relevant = asked_about();
  return "umbel's own profile " + std::to_string(hash) + " " +
         std::to_string(capabilities & relevant);
}

}  // namespace umbel::security
