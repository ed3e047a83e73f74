// v1 (security/device_cgroup.c) keeps one answer for everything and a list of exceptions, each
// named by its exact numbers or wildcards: taking away a part of an exception is not possible, and
// the kernel passes over such a request without a word, so it is refused here. Its devices.list
// shows no exceptions while the answer is "allowed".
//
// cgroup2 asks a program at each access. It goes through the rules from the last to the first and
// keeps the kinds of access that none has decided yet; all programs from the root down must agree.
#include "cgroup/devices.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "cgroup/cgroup.h"
#include "sys/bpf.h"
#include "sys/file.h"

namespace umbel::cgroup {

namespace {

constexpr unsigned any_access = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

struct AccessLetter {
  char letter;
  unsigned bit;
};
constexpr std::array<AccessLetter, 3> letters{
    {{'r', BPF_DEVCG_ACC_READ}, {'w', BPF_DEVCG_ACC_WRITE}, {'m', BPF_DEVCG_ACC_MKNOD}}};

// A rule as numbers. type 0: both kinds.
struct Step {
  bool allow = false;
  DeviceAccess device;
  bool whole() const {
    return device == DeviceAccess{.type = '\0', .major = -1, .minor = -1, .access = any_access};
  }
};

std::optional<unsigned> access_bits(std::string_view text) {
  unsigned bits = 0;
  for (const char c : text) {
    const auto* known = std::ranges::find(letters, c, &AccessLetter::letter);
    if (known == letters.end()) return std::nullopt;
    bits |= known->bit;
  }
  return text.empty() ? any_access : bits;
}

Result<Step> step_of(const DeviceRule& rule) {
  const auto access = access_bits(rule.access);
  const bool known = rule.type.empty() || rule.type == "a" || rule.type == "b" || rule.type == "c";
  if (!known)
    return fail_with(EINVAL, "'" + rule.type + "' is no type of device", "give a (all), b or c");
  if (!access)
    return fail_with(EINVAL, "'" + rule.access + "' is no access to a device",
                     "give some of r (read), w (write) and m (make the node)");
  Step step{.allow = rule.allow};
  step.device.type = rule.type.empty() || rule.type == "a" ? '\0' : rule.type.front();
  // -1 is how OCI configurations write "any" beside leaving it out.
  step.device.major = std::max<std::int64_t>(rule.major.value_or(-1), -1);
  step.device.minor = std::max<std::int64_t>(rule.minor.value_or(-1), -1);
  step.device.access = *access;
  return step;
}

bool covers(std::int64_t wide, std::int64_t narrow) { return wide == -1 || wide == narrow; }
bool meet(std::int64_t one, std::int64_t other) { return covers(one, other) || other == -1; }

bool covers(const DeviceAccess& wide, const DeviceAccess& narrow) {
  return wide.type == narrow.type && covers(wide.major, narrow.major) &&
         covers(wide.minor, narrow.minor);
}

bool meet(const DeviceAccess& one, const DeviceAccess& other) {
  return one.type == other.type && meet(one.major, other.major) && meet(one.minor, other.minor);
}

// v1 wants one exception that gives all of what an open asks for, reading and writing together.
void add(std::vector<DeviceAccess>& exceptions, DeviceAccess added) {
  constexpr unsigned together = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;
  bool found = false;
  for (DeviceAccess& known : exceptions) {
    if (covers(known, added)) added.access |= known.access & together;
    if (covers(added, known)) known.access |= added.access & together;
    if (!covers(known, added) || !covers(added, known)) continue;
    known.access |= added.access;
    found = true;
  }
  if (!found) exceptions.push_back(added);
}

Result<void> take(std::vector<DeviceAccess>& exceptions, const DeviceAccess& taken) {
  for (DeviceAccess& known : exceptions) {
    if (!meet(known, taken) || (known.access & taken.access) == 0) continue;
    if (!covers(taken, known))
      return fail_with(EINVAL,
                       "the device rule for " + text(taken) + " takes a part out of the one for " +
                           text(known) + ", which cgroup v1 can't express",
                       "name the devices one by one in the rules that come first");
    known.access &= ~taken.access;
  }
  std::erase_if(exceptions, [](const DeviceAccess& known) { return known.access == 0; });
  return {};
}

Result<void> apply(const Step& step, DeviceList& list) {
  if (step.whole()) {
    list = DeviceList{.allowed = step.allow, .exceptions = {}};
    return {};
  }
  for (const char type : {'b', 'c'}) {
    if (step.device.type != 0 && step.device.type != type) continue;
    DeviceAccess device = step.device;
    device.type = type;
    if (step.allow == list.allowed)
      TRY(take(list.exceptions, device));
    else
      add(list.exceptions, device);
  }
  return {};
}

Result<DeviceList> current(const Directory& directory) {
  DeviceList list{.allowed = false, .exceptions = {}};
  const std::string text = TRY(directory.read("devices.list"));
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("a ")) return DeviceList();
    if (line.empty()) continue;
    const DeviceAccess exception = TRY(parse_device_access(line));
    list.exceptions.push_back(exception);
  }
  return list;
}

// The kernel takes one a write.
Result<void> write_each(const Directory& directory, const char* file,
                        const std::vector<DeviceAccess>& lines,
                        const std::vector<DeviceAccess>& known) {
  const FdRef here = TRY(directory.fd());
  const Fd fd = TRY(during(directory.path(), sys::open(here, file, O_WRONLY)));
  for (const DeviceAccess& line : lines)
    if (std::ranges::find(known, line) == known.end())
      TRY(during(directory.path() + "/" + file + ": " + text(line),
                 sys::write_all(fd, text(line))));
  return {};
}

Result<bool> all_are_told(const std::vector<DeviceRule>& rules) {
  for (const DeviceRule& rule : rules) {
    const Step step = TRY(step_of(rule));
    if (step.whole()) return true;
  }
  return false;
}

Result<void> restrict_v1(const Directory& directory, const std::vector<DeviceRule>& rules) {
  DeviceList above;
  // What the parent has matters only where no rule is for everything.
  const bool told = TRY(all_are_told(rules));
  if (!told) above = TRY(current(Directory(directory.hierarchy(), directory.parent_path())));
  const DeviceList wanted = TRY(device_list(rules, std::move(above)));
  DeviceList now = TRY(current(directory));
  if (wanted.allowed) {
    TRY(directory.write("devices.allow", "a"));  // what exceptions there are can't be seen
    return write_each(directory, "devices.deny", wanted.exceptions, {});
  }
  if (now.allowed) {
    TRY(directory.write("devices.deny", "a"));
    now.exceptions.clear();
  }
  // Takes away before it gives: an exception with less access than before is both.
  TRY(write_each(directory, "devices.deny", now.exceptions, wanted.exceptions));
  return write_each(directory, "devices.allow", wanted.exceptions, now.exceptions);
}

Result<void> restrict_v2(const Directory& directory, const std::vector<DeviceRule>& rules) {
  const FdRef here = TRY(directory.fd());
  // The calls want a directory that was opened to be read.
  const Fd cgroup = TRY(sys::open(here, ".", O_RDONLY | O_DIRECTORY));
  const std::vector<std::uint32_t> old = TRY(sys::device_programs(cgroup));
  if (!rules.empty()) {
    const std::vector<bpf_insn> code = TRY(device_program(rules));
    const Fd program = TRY(sys::load_device_program(code));
    TRY(sys::attach_device_program(cgroup, program));
  }
  // Afterwards, so that there is no moment without rules.
  for (const std::uint32_t id : old) {
    const Fd program = TRY(sys::open_program(id));
    TRY(sys::detach_device_program(cgroup, program));
  }
  return {};
}

// ---- the program

bpf_insn instruction(int code, int target, int source, int offset, std::int64_t value) {
  bpf_insn made{};
  made.code = static_cast<std::uint8_t>(code);
  made.dst_reg = static_cast<std::uint8_t>(target & 15);
  made.src_reg = static_cast<std::uint8_t>(source & 15);
  made.off = static_cast<std::int16_t>(offset);
  made.imm = static_cast<std::int32_t>(value);
  return made;
}

// The fields are loaded again for each comparison: the verifier would otherwise follow every way
// through the rules with what it knows of them, and give up after some hundred.
enum Register { answer = 0, context = 1, field = 2, access = 3 };

class Program {
 public:
  Program() {
    load(access, offsetof(bpf_cgroup_dev_ctx, access_type));
    code_.push_back(instruction(BPF_ALU | BPF_RSH | BPF_K, access, 0, 0, 16));
  }

  void add(const Step& step) {
    std::vector<std::size_t> to_next;
    const auto differs = [&](Register what, std::int64_t value) {
      to_next.push_back(code_.size());
      code_.push_back(instruction(BPF_JMP32 | BPF_JNE | BPF_K, what, 0, 0, value));
    };
    const DeviceAccess& device = step.device;
    if (device.type != '\0') {
      load(field, offsetof(bpf_cgroup_dev_ctx, access_type));
      code_.push_back(instruction(BPF_ALU | BPF_AND | BPF_K, field, 0, 0, 0xffff));
      differs(field, device.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    }
    if (device.major != -1) {
      load(field, offsetof(bpf_cgroup_dev_ctx, major));
      differs(field, device.major);
    }
    if (device.minor != -1) {
      load(field, offsetof(bpf_cgroup_dev_ctx, minor));
      differs(field, device.minor);
    }
    if (step.allow) {
      // Of what is asked for, this is granted; if that was all, so is the request.
      code_.push_back(instruction(BPF_ALU | BPF_AND | BPF_K, access, 0, 0, ~device.access));
      differs(access, 0);
    } else {
      code_.push_back(instruction(BPF_JMP32 | BPF_JSET | BPF_K, access, 0, 1, device.access));
      to_next.push_back(code_.size());
      code_.push_back(instruction(BPF_JMP | BPF_JA, 0, 0, 0, 0));
    }
    leave(step.allow);
    for (const std::size_t jump : to_next)
      code_[jump].off = static_cast<std::int16_t>(code_.size() - jump - 1);
  }

  void leave(bool allow) {
    code_.push_back(instruction(BPF_ALU | BPF_MOV | BPF_K, answer, 0, 0, allow ? 1 : 0));
    code_.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
  }

  std::vector<bpf_insn> code() && { return std::move(code_); }

 private:
  void load(Register into, std::size_t offset) {
    code_.push_back(
        instruction(BPF_LDX | BPF_MEM | BPF_W, into, context, static_cast<int>(offset), 0));
  }

  std::vector<bpf_insn> code_;
};

}  // namespace

std::vector<DeviceRule> default_device_rules() {
  struct Node {
    std::int64_t major, minor;
  };
  constexpr std::int64_t any = -1;
  // null zero full random urandom; tty console ptmx; pts/*; net/tun. As runc and Docker have it.
  static constexpr std::array<Node, 10> nodes{
      {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}, {136, any}, {10, 200}}};
  std::vector<DeviceRule> rules{{.allow = false},
                                {.allow = true, .type = "c", .access = "m"},
                                {.allow = true, .type = "b", .access = "m"}};
  for (const Node& node : nodes) {
    DeviceRule rule{.allow = true, .type = "c", .major = node.major};
    if (node.minor != any) rule.minor = node.minor;
    rules.push_back(std::move(rule));
  }
  return rules;
}

std::string text(const DeviceAccess& device) {
  const auto number = [](std::int64_t n) { return n == -1 ? "*" : std::to_string(n); };
  std::string line(1, device.type == 0 ? 'a' : device.type);
  line += " " + number(device.major) + ":" + number(device.minor) + " ";
  for (const AccessLetter& letter : letters)
    if ((device.access & letter.bit) != 0) line += letter.letter;
  return line;
}

Result<DeviceAccess> parse_device_access(std::string_view line) {
  const Failure wrong = fail("'" + std::string(line) + "' is no line of devices.list");
  const auto parts = words(line);
  if (parts.size() != 3 || (parts[0] != "b" && parts[0] != "c")) return wrong;
  const auto numbers = cut(parts[1], ':');
  const auto bits = access_bits(parts[2]);
  if (!numbers || !bits) return wrong;
  DeviceAccess device{.type = parts[0].front(), .access = *bits};
  for (auto [part, into] :
       {std::pair(numbers->before, &device.major), std::pair(numbers->after, &device.minor)}) {
    if (part == "*") continue;
    const auto value = number(part);
    if (!value) return wrong;
    *into = *value;
  }
  return device;
}

Result<DeviceList> device_list(const std::vector<DeviceRule>& rules, DeviceList start) {
  for (const DeviceRule& rule : rules) {
    const Step step = TRY(step_of(rule));
    TRY(apply(step, start));
  }
  return start;
}

Result<std::vector<bpf_insn>> device_program(const std::vector<DeviceRule>& rules) {
  Program program;
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    const Step step = TRY(step_of(*rule));
    if (step.whole()) {
      program.leave(step.allow);  // no rule before it counts
      return std::move(program).code();
    }
    program.add(step);
  }
  program.leave(true);
  return std::move(program).code();
}

Result<void> Cgroup::restrict_devices(const std::vector<DeviceRule>& rules) const {
  const Directory* v1 = controlled("devices");
  if (v1 != nullptr) return during("restricting devices", restrict_v1(*v1, rules));
  if (unified() != nullptr) return during("restricting devices", restrict_v2(*unified(), rules));
  if (rules.empty()) return {};
  return fail_with(EOPNOTSUPP, "devices can't be restricted here: there is no devices cgroup",
                   "mount cgroup2, or the v1 controller: mount -t cgroup -o devices devices "
                   "/sys/fs/cgroup/devices");
}

}  // namespace umbel::cgroup
