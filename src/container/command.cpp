// Order matters: the terminal and the limits need rights that are given up next; the directory is
// entered as the user, who may not be able to, and it is checked afterwards, since a descriptor of
// the host left open would make "/proc/self/fd/N" a way out (CVE-2024-21626). The filter comes last
// of all, so that it need not allow what happened before; installed without no_new_privs it needs
// CAP_SYS_ADMIN, and then the rights are kept in reserve until it is there.
#include "container/command.h"

#include <algorithm>

#include "base/text.h"
#include "console/terminal.h"
#include "container/gate.h"
#include "container/listener.h"
#include "container/talk.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/mount.h"
#include "sys/process.h"

namespace umbel::container {

namespace {

constexpr std::string_view default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const std::string* variable(const std::vector<std::string>& env, std::string_view name) {
  const auto found = std::ranges::find_if(env, [&](const std::string& entry) {
    return entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=';
  });
  return found == env.end() ? nullptr : &*found;
}

// Where this kernel has keyrings.
Result<void> new_keyring() {
  const Result<std::int32_t> made = security::new_session_keyring();
  if (!made && made.error().code != ENOSYS) return Failure(made.error());
  return {};
}

Result<void> connect(const Command& command) {
  TRY(sys::new_session());
  if (command.terminal) {
    TRY(console::make_controlling(command.terminal));
    for (int number = 0; number < 3; ++number) TRY(sys::install(command.terminal, number));
    return {};
  }
  // Copies first: one of them may have a number that is about to be replaced.
  const Fd in = TRY(sys::duplicate(command.stdio.in));
  const Fd out = TRY(sys::duplicate(command.stdio.out));
  const Fd err = TRY(sys::duplicate(command.stdio.err));
  TRY(sys::install(in, 0));
  TRY(sys::install(out, 1));
  return sys::install(err, 2);
}

Result<void> enter_directory(const std::string& path) {
  const Fd dir = TRY(
      advise("choose another with --workdir",
             during("the working directory " + path, sys::open(cwd, path, O_PATH | O_DIRECTORY))));
  TRY(during("the working directory " + path, sys::change_directory(dir)));
  const std::string here = TRY(sys::working_directory());
  if (!here.starts_with('/'))
    return fail("the working directory " + path + " lies outside of the container's root");
  return {};
}

Result<void> schedule(const Process& process, Asked asked) {
  const auto apply = [&](std::string_view field, const auto& wanted) -> Result<void> {
    if (!wanted) return {};
    return of_field(asked, field, security::apply(*wanted));
  };
  TRY(apply("process.scheduler", process.scheduler));
  TRY(apply("process.ioPriority", process.io_priority));
  TRY(apply("linux.personality", process.personality));
  return apply("linux.memoryPolicy", process.memory_policy);
}

Result<void> label(const Process& process, Asked asked) {
  if (!process.apparmor.empty())
    TRY(of_field(asked, "process.apparmorProfile",
                 security::set_apparmor_profile(process.apparmor)));
  if (process.selinux.empty()) return {};
  return of_field(asked, "process.selinuxLabel", security::set_selinux_label(process.selinux));
}

// As the user and with the rights that the program will have, so that what it could not do fails
// here; but not irrevocably yet where the filter needs more.
Result<void> step_down(const Process& process, const security::User& user) {
  TRY(security::drop_bounding(process.capabilities.bounding));
  TRY(security::keep_across_user_change());
  TRY(security::become(user));
  if (process.no_new_privileges) return security::apply(process.capabilities);
  return security::rehearse(process.capabilities);
}

Result<std::string> prepare(const Command& command) {
  const Process& process = command.process;
  TRY(connect(command));
  TRY(of_field(command.asked, "process.rlimits", security::apply(process.rlimits)));
  TRY(schedule(process, command.asked));
  if (process.no_new_privileges) TRY(security::forbid_new_privileges());
  TRY(label(process, command.asked));
  TRY(step_down(process, command.person.user));
  const Result<void> entered = enter_directory(process.cwd);
  if (!entered) TRY(process.cwd_is_wish ? enter_directory("/") : Result<void>(entered));
  TRY(sys::close_from_on_exec(3 + command.preserved));
  for (unsigned number = 3; number < 3 + command.preserved; ++number)
    TRY(sys::set_close_on_exec(FdRef(static_cast<int>(number)), false));
  return find_program(process.args.front(), command.person.env);
}

// Nothing that it was started with stays open meanwhile but what the program shall have.
Result<void> wait_until_started(const Command& command) {
  if (!command.gate) return {};
  command.channel.close();
  TRY(sys::close_all_but(3 + command.preserved, std::span(&command.gate, 1)));
  command.channel = TRY(wait_at_gate(command.gate));
  return say(command.channel, Word::ready);
}

Result<void> install(const security::Filter& filter, FdRef channel) {
  if (filter.listener) return install_notifying(filter, channel);
  TRY(security::install(filter));
  return {};
}

Result<void> filter(const Command& command) {
  if (!command.process.no_new_privileges) TRY(security::use_all_permitted());
  if (command.filter)
    TRY(during("installing the seccomp filter", install(*command.filter, command.channel)));
  if (command.process.no_new_privileges) return {};
  return security::apply(command.process.capabilities);
}

Result<void> become_program(const Command& command) {
  const std::string program = TRY(prepare(command));
  TRY(say(command.channel, Word::ready));
  TRY(wait_until_started(command));
  if (command.last) TRY(command.last());
  TRY(filter(command));
  sys::reset_signals();
  return Failure(sys::execute(program, command.process.args, command.person.env));
}

}  // namespace

Result<std::string> find_program(const std::string& name, const std::vector<std::string>& env) {
  if (name.contains('/')) {
    TRY(sys::check_executable(name));
    return name;
  }
  const std::string* path = variable(env, "PATH");
  const std::string_view dirs = path ? std::string_view(*path).substr(5) : default_path;
  Error failed{
      .code = ENOENT, .call = "execve " + name, .detail = "executable file not found in $PATH"};
  for (std::string_view dir : split(dirs, ':')) {
    std::string candidate = std::string(dir.empty() ? "." : dir) + "/" + name;
    Result<void> good = sys::check_executable(candidate);
    if (good) return candidate;
    if (good.error().code == EACCES) failed = std::move(good.error());
  }
  return Failure(std::move(failed));
}

Result<Person> settle(const Process& process, FdRef root) {
  Person person{.user = process.user, .env = process.env};
  const std::string name =
      process.user_name.empty() ? std::to_string(process.user.uid) : process.user_name;
  const bool home_is_set = variable(person.env, "HOME") != nullptr;
  if (!process.user_name.empty() || !home_is_set) {
    Result<security::Account> account = security::look_up_user(root, name);
    if (!account && !process.user_name.empty())
      return Failure(during("--user " + name, std::move(account)).error());
    if (account && !process.user_name.empty()) person.user = account->user;
    if (!home_is_set) person.env.push_back("HOME=" + (account ? account->home : "/"));
  }
  if (variable(person.env, "PATH") == nullptr)
    person.env.push_back("PATH=" + std::string(default_path));
  if (process.terminal && variable(person.env, "TERM") == nullptr)
    person.env.emplace_back("TERM=xterm");
  return person;
}

Result<void> settle_outside(const Process& process, const cgroup::Cgroup* group, Asked asked) {
  if (group != nullptr) TRY(during("entering the cgroup", group->enter()));
  if (process.new_keyring) TRY(new_keyring());
  if (process.oom_score)
    TRY(of_field(asked, "process.oomScoreAdj", security::set_oom_score(*process.oom_score)));
  return sys::set_dumpable(false);
}

Result<void> drop_privileges(const Process& process, const security::User& user) {
  TRY(security::drop_bounding(process.capabilities.bounding));
  TRY(security::keep_across_user_change());
  TRY(security::become(user));
  return security::apply(process.capabilities);
}

Error run(const Command& command) {
  const Result<void> failed = become_program(command);
  return during("starting " + command.process.args.front(), Result<void>(failed)).error();
}

}  // namespace umbel::container
