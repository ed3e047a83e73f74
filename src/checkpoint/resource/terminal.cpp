// pty(7). A pair is an object under its number, which both ends know it by: /dev/pts/N must be the
// same again, since programs remember names. Modes and size are of the pair, not of an end. A slave
// whose master nobody in the tree has is the terminal of whoever started the tree; with --shell-job
// it becomes the one of whoever restores it, with orphan_terminals it gets a new master, which that
// one has or is given. What was written and not read yet can't be looked at without taking it away.
#include "checkpoint/resource/terminal.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <cstring>

#include "checkpoint/resource/file_kind.h"
#include "sys/descriptor.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/terminal.h"

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

constexpr std::uint64_t set_controlling = 0x540e, set_foreground_group = 0x5410;  // TIOCSCTTY ...

struct Pty {
  std::uint32_t number = 0;
  std::string multiplexer;  // where its master was opened
  image::Bytes modes;       // struct termios
  std::uint16_t rows = 0, columns = 0;
  std::uint32_t mode = 0, uid = 0, gid = 0;  // of the slave's file
  InnerPid session, foreground;              // that it controls
  bool orphan = false;                       // nobody in the tree has the master
};
void fields(auto& archive, Pty& p) {
  archive("number", p.number);
  archive("multiplexer", p.multiplexer);
  archive("modes", p.modes);
  archive("rows", p.rows);
  archive("columns", p.columns);
  archive("mode", p.mode);
  archive("uid", p.uid);
  archive("gid", p.gid);
  archive("session", p.session);
  archive("foreground", p.foreground);
  archive("orphan", p.orphan);
}

enum class Role : std::uint8_t { master, slave, outer };
constexpr auto name_table(Role) {
  return std::array<Named<Role>, 3>{
      {{Role::master, "master"}, {Role::slave, "slave"}, {Role::outer, "outer"}}};
}

struct Terminal {
  Role role = Role::outer;
  std::string pty;      // key of the object
  image::Bytes modes;   // of the outer one
  InnerPid foreground;  // group of the tree that has the outer one
};
void fields(auto& archive, Terminal& t) {
  archive("role", t.role);
  archive("pty", t.pty);
  archive("modes", t.modes);
  archive("foreground", t.foreground);
}

std::string key_of(unsigned number) { return "pty:" + std::to_string(number); }
std::string slave_key(const std::string& pty) { return pty + ":slave"; }

image::Bytes bytes_of(const termios& modes) {
  const auto* start = reinterpret_cast<const std::uint8_t*>(&modes);
  return {start, start + sizeof modes};
}
termios modes_of(const image::Bytes& bytes) {
  termios modes{};
  std::memcpy(&modes, bytes.data(), std::min(bytes.size(), sizeof modes));
  return modes;
}

bool is_multiplexer(dev_t device) { return major(device) == 5 && minor(device) == 2; }
bool is_slave(dev_t device) { return major(device) >= 136 && major(device) < 144; }

// ---- dump ----

// A descriptor of the pair's master, and its path.
struct Master {
  const ProcessDump* process = nullptr;
  const inspect::Descriptor* descriptor = nullptr;
};
std::optional<Master> master_of(const Dump& dump, unsigned number) {
  for (const auto& process : dump.processes)
    for (const inspect::Descriptor& descriptor : process->descriptors) {
      if (descriptor.kind != inspect::Kind::terminal) continue;
      const auto index = descriptor.info.number("tty-index");
      if (is_multiplexer(descriptor.status.st_rdev) && index && *index == number)
        return Master{process.get(), &descriptor};
    }
  return std::nullopt;
}

// Which process of the tree leads the session that a terminal controls.
void find_session(const Dump& dump, dev_t device, Pty& pty) {
  for (const auto& process : dump.processes) {
    const proc::Stat& stat = process->process->stat;
    if (static_cast<dev_t>(static_cast<std::uint32_t>(stat.terminal)) != device ||
        stat.session != process->process->pid().value())
      continue;
    pty.session = process->process->inner;
    pty.foreground = dump.inner(HostPid(stat.foreground)).value_or(InnerPid());
  }
}

Result<Value> dump_pty(const FileDump& from, unsigned number, const std::optional<Master>& master) {
  constexpr unsigned slaves = 136;
  Pty pty{.number = number,
          .multiplexer = master ? master->descriptor->target : "/dev/ptmx",
          .orphan = !master};
  const termios modes = TRY(sys::terminal_modes(from.file));
  pty.modes = bytes_of(modes);
  const sys::WindowSize size = TRY(sys::window_size(from.file));
  pty.rows = size.rows;
  pty.columns = size.columns;
  const auto slave = sys::status_behind(cwd, "/dev/pts/" + std::to_string(number));
  constexpr mode_t usual = 0620;
  pty.mode = slave ? slave->st_mode & 07777 : usual;
  if (slave) pty.uid = slave->st_uid;
  if (slave) pty.gid = slave->st_gid;
  find_session(from.dump, makedev(slaves, number), pty);
  return to_value(pty);
}

Result<Terminal> dump_outer(const FileDump& from) {
  if (!from.dump.options.shell_job)
    return fail_with(EOPNOTSUPP,
                     from.descriptor.target + " is the terminal of somebody outside of the tree",
                     "start the program without a terminal, or use --shell-job to have it take the "
                     "terminal of whoever restores it");
  Terminal state{.role = Role::outer};
  const termios modes = TRY(sys::terminal_modes(from.file));
  state.modes = bytes_of(modes);
  for (const auto& process : from.dump.processes)
    if (const auto group = from.dump.inner(HostPid(process->process->stat.foreground)))
      state.foreground = *group;
  return state;
}

Result<Terminal> dump(const FileDump& from) {
  dev_t device = from.descriptor.status.st_rdev;
  const bool masters = is_multiplexer(device);
  if (!masters) device = TRY(sys::terminal_device(from.file));
  if (!masters && !is_slave(device)) return dump_outer(from);
  const unsigned number = masters ? TRY(sys::pty_number(from.file)) : minor(device);
  const auto master = master_of(from.dump, number);
  if (!master && !from.dump.options.orphan_terminals) return dump_outer(from);
  if (const int unread = TRY(sys::readable_bytes(from.file)); unread > 0)
    return fail_with(
        EAGAIN, "the terminal has " + std::to_string(unread) + " bytes that nobody has read yet",
        "let the program read them, and checkpoint it again");
  Terminal state{.role = masters ? Role::master : Role::slave, .pty = key_of(number)};
  TRY(from.dump.object(state.pty, [&] { return dump_pty(from, number, master); }));
  return state;
}

// ---- restore ----

// Numbers are given from below: the ones before are held until the right one comes.
Result<Fd> open_master(const Pty& pty) {
  constexpr int at_most = 4096;
  std::vector<Fd> before;
  for (int i = 0; i < at_most; ++i) {
    Fd master = TRY(sys::open(cwd, pty.multiplexer, O_RDWR | O_NOCTTY));
    const unsigned number = TRY(sys::pty_number(master));
    if (number == pty.number) return master;
    if (number > pty.number) break;
    before.push_back(std::move(master));
  }
  return fail_with(EBUSY, "/dev/pts/" + std::to_string(pty.number) + " is in use",
                   "close the terminal that has it now, or restore in a container, which has "
                   "terminals of its own");
}

Result<Fd> adopt(const RestoreOptions& options, const Pty& pty) {
  if (options.console >= 0) {
    Fd master = TRY(sys::duplicate(FdRef(options.console)));
    const unsigned number = TRY(sys::pty_number(master));
    if (number == pty.number) return master;
    return fail("the tree was on /dev/pts/" + std::to_string(pty.number) +
                ", and is given /dev/pts/" + std::to_string(number));
  }
  if (!options.new_master)
    return fail("the tree was on a terminal whose master was outside of it",
                "whoever restores it must take a new one");
  return open_master(pty);
}

Result<void> make_pty(Restore& restore, const std::string& key) {
  if (restore.has_shared(key)) return {};
  const Value value = TRY(restore.object(key));
  const Pty pty = TRY(from_value<Pty>(value));
  Fd master = TRY(pty.orphan ? adopt(restore.options, pty) : open_master(pty));
  TRY(sys::unlock_pty(master));
  Fd slave = TRY(sys::open_pty_slave(master));
  TRY(sys::set_terminal_modes(slave, modes_of(pty.modes)));
  TRY(sys::set_window_size(master, {.rows = pty.rows, .columns = pty.columns}));
  TRY(sys::change_owner(slave, pty.uid, pty.gid));
  TRY(sys::change_mode(slave, pty.mode));
  if (pty.orphan && restore.options.console < 0) TRY(restore.options.new_master(master));
  TRY(restore.shared(key, [&]() -> Result<Fd> { return std::move(master); }));
  TRY(restore.shared(slave_key(key), [&]() -> Result<Fd> { return std::move(slave); }));
  return {};
}

Result<Fd> own_terminal() {
  for (const FdRef candidate : {standard_in, standard_out, standard_error})
    if (sys::is_terminal(candidate)) return sys::duplicate(candidate);
  return fail("the tree was on a terminal, and there is none here",
              "restore it from a terminal: standard input, output or error must be one");
}

Result<Fd> restore(const FileRestore& to, const Terminal& state) {
  const int flags = (to.file.flags & (O_ACCMODE | O_NONBLOCK)) | O_NOCTTY;
  const auto missing = []() -> Result<Fd> { return fail("a terminal is missing"); };
  if (state.role == Role::outer) {
    const FdRef terminal = TRY(to.restore.shared("outer-terminal", own_terminal));
    return sys::reopen(terminal, flags);
  }
  TRY(make_pty(to.restore, state.pty));
  if (state.role == Role::master) {
    const FdRef master = TRY(to.restore.shared(state.pty, missing));
    return sys::duplicate(master);
  }
  const FdRef slave = TRY(to.restore.shared(slave_key(state.pty), missing));
  return sys::reopen(slave, flags);
}

// So that what umbel still has to say is not shown in the program's modes.
Result<void> settle(Restore& restore, const Terminal& state, FdRef file) {
  if (state.role != Role::outer || !restore.first_time("take the terminal")) return {};
  const int number = file.number();
  restore.at_the_end([state, number]() -> Result<void> {
    const FdRef terminal{number};
    TRY(sys::set_terminal_modes_now(terminal, modes_of(state.modes)));
    if (!state.foreground) return {};
    return sys::set_foreground(terminal, HostPid(state.foreground.value()));
  });
  return {};
}

template <class Visit>
Result<void> each_pty_of(const Restore& restore, InnerPid session, Visit visit) {
  for (const auto& [key, value] : restore.tree.objects) {
    if (!key.starts_with("pty:")) continue;
    const Pty pty = TRY(from_value<Pty>(value));
    const auto number = restore.number_of(slave_key(key));
    if (pty.session == session && number) visit(pty, *number);
  }
  return {};
}

}  // namespace

Result<void> restore_controlling(Inside& in) {
  return each_pty_of(in.restore, in.process.pid, [&](const Pty&, int slave) {
    in.batch.call(call::ioctl, slave, set_controlling, 0);
  });
}

Result<void> restore_foreground(Inside& in) {
  return each_pty_of(in.restore, in.process.pid, [&](const Pty& pty, int slave) {
    if (pty.foreground)
      in.batch.call(call::ioctl, slave, set_foreground_group,
                    in.batch.value(pty.foreground.value()));
  });
}

extern const FileKind terminal =
    with_settle<Terminal, settle>(file_kind<Terminal, dump, restore>(inspect::Kind::terminal));

}  // namespace umbel::checkpoint
