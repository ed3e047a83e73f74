// The system calls that umbel asks targets to make, with the names that errors show.
#pragma once

#include <sys/syscall.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

namespace umbel::checkpoint::remote {

struct SystemCall {
  long number = 0;
  const char* name = "";
};

namespace call {
inline constexpr SystemCall read{SYS_read, "read"};
inline constexpr SystemCall write{SYS_write, "write"};
inline constexpr SystemCall open{SYS_open, "open"};
inline constexpr SystemCall close{SYS_close, "close"};
inline constexpr SystemCall fstat{SYS_fstat, "fstat"};
inline constexpr SystemCall lseek{SYS_lseek, "lseek"};
inline constexpr SystemCall mmap{SYS_mmap, "mmap"};
inline constexpr SystemCall mprotect{SYS_mprotect, "mprotect"};
inline constexpr SystemCall munmap{SYS_munmap, "munmap"};
inline constexpr SystemCall brk{SYS_brk, "brk"};
inline constexpr SystemCall rt_sigaction{SYS_rt_sigaction, "rt_sigaction"};
inline constexpr SystemCall rt_sigprocmask{SYS_rt_sigprocmask, "rt_sigprocmask"};
inline constexpr SystemCall rt_sigqueueinfo{SYS_rt_sigqueueinfo, "rt_sigqueueinfo"};
inline constexpr SystemCall rt_tgsigqueueinfo{SYS_rt_tgsigqueueinfo, "rt_tgsigqueueinfo"};
inline constexpr SystemCall rt_sigreturn{SYS_rt_sigreturn, "rt_sigreturn"};
inline constexpr SystemCall pread64{SYS_pread64, "pread64"};
inline constexpr SystemCall pwrite64{SYS_pwrite64, "pwrite64"};
inline constexpr SystemCall mremap{SYS_mremap, "mremap"};
inline constexpr SystemCall madvise{SYS_madvise, "madvise"};
inline constexpr SystemCall shmget{SYS_shmget, "shmget"};
inline constexpr SystemCall shmat{SYS_shmat, "shmat"};
inline constexpr SystemCall shmctl{SYS_shmctl, "shmctl"};
inline constexpr SystemCall shmdt{SYS_shmdt, "shmdt"};
inline constexpr SystemCall dup{SYS_dup, "dup"};
inline constexpr SystemCall dup2{SYS_dup2, "dup2"};
inline constexpr SystemCall dup3{SYS_dup3, "dup3"};
inline constexpr SystemCall pause{SYS_pause, "pause"};
inline constexpr SystemCall nanosleep{SYS_nanosleep, "nanosleep"};
inline constexpr SystemCall getitimer{SYS_getitimer, "getitimer"};
inline constexpr SystemCall setitimer{SYS_setitimer, "setitimer"};
inline constexpr SystemCall getpid{SYS_getpid, "getpid"};
inline constexpr SystemCall exit{SYS_exit, "exit"};
inline constexpr SystemCall exit_group{SYS_exit_group, "exit_group"};
inline constexpr SystemCall wait4{SYS_wait4, "wait4"};
inline constexpr SystemCall kill{SYS_kill, "kill"};
inline constexpr SystemCall tgkill{SYS_tgkill, "tgkill"};
inline constexpr SystemCall fcntl{SYS_fcntl, "fcntl"};
inline constexpr SystemCall flock{SYS_flock, "flock"};
inline constexpr SystemCall fchdir{SYS_fchdir, "fchdir"};
inline constexpr SystemCall umask{SYS_umask, "umask"};
inline constexpr SystemCall getrlimit{SYS_getrlimit, "getrlimit"};
inline constexpr SystemCall setuid{SYS_setuid, "setuid"};
inline constexpr SystemCall setgid{SYS_setgid, "setgid"};
inline constexpr SystemCall setpgid{SYS_setpgid, "setpgid"};
inline constexpr SystemCall setsid{SYS_setsid, "setsid"};
inline constexpr SystemCall setgroups{SYS_setgroups, "setgroups"};
inline constexpr SystemCall setresuid{SYS_setresuid, "setresuid"};
inline constexpr SystemCall setresgid{SYS_setresgid, "setresgid"};
inline constexpr SystemCall setfsuid{SYS_setfsuid, "setfsuid"};
inline constexpr SystemCall setfsgid{SYS_setfsgid, "setfsgid"};
inline constexpr SystemCall capget{SYS_capget, "capget"};
inline constexpr SystemCall capset{SYS_capset, "capset"};
inline constexpr SystemCall sigaltstack{SYS_sigaltstack, "sigaltstack"};
inline constexpr SystemCall personality{SYS_personality, "personality"};
inline constexpr SystemCall prctl{SYS_prctl, "prctl"};
inline constexpr SystemCall arch_prctl{SYS_arch_prctl, "arch_prctl"};
inline constexpr SystemCall setpriority{SYS_setpriority, "setpriority"};
inline constexpr SystemCall sched_setattr{SYS_sched_setattr, "sched_setattr"};
inline constexpr SystemCall sched_setaffinity{SYS_sched_setaffinity, "sched_setaffinity"};
inline constexpr SystemCall mlock2{SYS_mlock2, "mlock2"};
inline constexpr SystemCall mlockall{SYS_mlockall, "mlockall"};
inline constexpr SystemCall chroot{SYS_chroot, "chroot"};
inline constexpr SystemCall gettid{SYS_gettid, "gettid"};
inline constexpr SystemCall set_tid_address{SYS_set_tid_address, "set_tid_address"};
inline constexpr SystemCall timer_create{SYS_timer_create, "timer_create"};
inline constexpr SystemCall timer_settime{SYS_timer_settime, "timer_settime"};
inline constexpr SystemCall timer_gettime{SYS_timer_gettime, "timer_gettime"};
inline constexpr SystemCall timer_getoverrun{SYS_timer_getoverrun, "timer_getoverrun"};
inline constexpr SystemCall timer_delete{SYS_timer_delete, "timer_delete"};
inline constexpr SystemCall clock_gettime{SYS_clock_gettime, "clock_gettime"};
inline constexpr SystemCall epoll_ctl{SYS_epoll_ctl, "epoll_ctl"};
inline constexpr SystemCall epoll_create1{SYS_epoll_create1, "epoll_create1"};
inline constexpr SystemCall waitid{SYS_waitid, "waitid"};
inline constexpr SystemCall ioprio_set{SYS_ioprio_set, "ioprio_set"};
inline constexpr SystemCall ioprio_get{SYS_ioprio_get, "ioprio_get"};
inline constexpr SystemCall inotify_add_watch{SYS_inotify_add_watch, "inotify_add_watch"};
inline constexpr SystemCall inotify_init1{SYS_inotify_init1, "inotify_init1"};
inline constexpr SystemCall openat{SYS_openat, "openat"};
inline constexpr SystemCall set_robust_list{SYS_set_robust_list, "set_robust_list"};
inline constexpr SystemCall signalfd4{SYS_signalfd4, "signalfd4"};
inline constexpr SystemCall timerfd_create{SYS_timerfd_create, "timerfd_create"};
inline constexpr SystemCall timerfd_settime{SYS_timerfd_settime, "timerfd_settime"};
inline constexpr SystemCall eventfd2{SYS_eventfd2, "eventfd2"};
inline constexpr SystemCall pipe2{SYS_pipe2, "pipe2"};
inline constexpr SystemCall prlimit64{SYS_prlimit64, "prlimit64"};
inline constexpr SystemCall socket{SYS_socket, "socket"};
inline constexpr SystemCall bind{SYS_bind, "bind"};
inline constexpr SystemCall listen{SYS_listen, "listen"};
inline constexpr SystemCall connect{SYS_connect, "connect"};
inline constexpr SystemCall accept4{SYS_accept4, "accept4"};
inline constexpr SystemCall sendmsg{SYS_sendmsg, "sendmsg"};
inline constexpr SystemCall recvmsg{SYS_recvmsg, "recvmsg"};
inline constexpr SystemCall sendto{SYS_sendto, "sendto"};
inline constexpr SystemCall setsockopt{SYS_setsockopt, "setsockopt"};
inline constexpr SystemCall getsockopt{SYS_getsockopt, "getsockopt"};
inline constexpr SystemCall socketpair{SYS_socketpair, "socketpair"};
inline constexpr SystemCall seccomp{SYS_seccomp, "seccomp"};
inline constexpr SystemCall memfd_create{SYS_memfd_create, "memfd_create"};
inline constexpr SystemCall membarrier{SYS_membarrier, "membarrier"};
inline constexpr SystemCall rseq{SYS_rseq, "rseq"};
inline constexpr SystemCall clone3{SYS_clone3, "clone3"};
inline constexpr SystemCall close_range{SYS_close_range, "close_range"};
inline constexpr SystemCall ppoll{SYS_ppoll, "ppoll"};
inline constexpr SystemCall userfaultfd{SYS_userfaultfd, "userfaultfd"};
inline constexpr SystemCall ioctl{SYS_ioctl, "ioctl"};
inline constexpr SystemCall unshare{SYS_unshare, "unshare"};
inline constexpr SystemCall setns{SYS_setns, "setns"};
inline constexpr SystemCall mseal{SYS_mseal, "mseal"};
inline constexpr SystemCall process_madvise{SYS_process_madvise, "process_madvise"};
inline constexpr SystemCall set_mempolicy{SYS_set_mempolicy, "set_mempolicy"};
inline constexpr SystemCall mbind{SYS_mbind, "mbind"};
inline constexpr SystemCall get_mempolicy{SYS_get_mempolicy, "get_mempolicy"};
inline constexpr SystemCall get_robust_list{SYS_get_robust_list, "get_robust_list"};
inline constexpr SystemCall sched_getattr{SYS_sched_getattr, "sched_getattr"};
inline constexpr SystemCall sched_getaffinity{SYS_sched_getaffinity, "sched_getaffinity"};
inline constexpr SystemCall io_setup{SYS_io_setup, "io_setup"};
inline constexpr SystemCall io_destroy{SYS_io_destroy, "io_destroy"};
}  // namespace call

}  // namespace umbel::checkpoint::remote
