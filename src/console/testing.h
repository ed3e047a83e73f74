// For the tests of this folder: real programs behind real monitors, and real clients of them.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "console/attach.h"
#include "console/log.h"
#include "console/monitor.h"
#include "console/protocol.h"
#include "console/terminal.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/process.h"
#include "sys/stream.h"
#include "sys/testing.h"

namespace umbel::console {

using namespace std::chrono_literals;
using sys::why_not;

struct Program {
  std::vector<std::string> args;
  bool terminal = false, interactive = false;
  Serving how = {};
  std::uint64_t largest_log = 10U << 20U;
};

inline Pty host_pty() {
  const Result<Fd> devpts = sys::open(cwd, "/dev/pts", O_PATH | O_DIRECTORY);
  EXPECT_EQ(why_not(devpts), "");
  Result<Pty> pty = open_pty(*devpts);
  EXPECT_EQ(why_not(pty), "");
  return std::move(*pty);
}

// A program, started by a monitor that serves it. How it has ended is written to a file, too, by
// Serving::ended.
class Monitored {
 public:
  explicit Monitored(Program program) {
    Result<Fd> listener = sys::listen_at(path("socket"));
    EXPECT_EQ(why_not(listener), "");
    Result<sys::Process> started =
        sys::start({}, [&] { return serve_it(std::move(program), std::move(*listener)); });
    EXPECT_EQ(why_not(started), "");
    monitor_ = std::move(*started);
  }

  std::string path(const std::string& name) const { return scratch_.path(name); }
  sys::Process& monitor() { return monitor_; }
  Fd connect() const {
    Result<Fd> socket = sys::connect_to(path("socket"));
    EXPECT_EQ(why_not(socket), "");
    return std::move(*socket);
  }
  HostPid pid() const {
    for (int tries = 0; tries < 500; ++tries) {
      const auto text = sys::read_file(cwd, path("pid"));
      if (text && !text->empty()) return HostPid(std::stoi(*text));
      sys_sleep();
    }
    ADD_FAILURE() << "the program was not started";
    return HostPid(0);
  }
  // As `logs` shows it.
  std::string log(Stream stream, const LogQuery& query = {}) const {
    std::string text;
    const auto read = read_log(path("log"), query, [&](const LogRecord& r) -> Result<void> {
      if (r.stream == stream) text.append(r.text).append(r.whole ? "\n" : "");
      return {};
    });
    EXPECT_EQ(why_not(read), "");
    return text;
  }
  bool exists(const std::string& name) const { return sys::exists(scratch_.dir(), name); }
  // Until the log contains `text`.
  void says(std::string_view text) const {
    for (int tries = 0; tries < 500; ++tries) {
      if (log(Stream::out).contains(text)) return;
      sys_sleep();
    }
    ADD_FAILURE() << "the program does not say " << text;
  }
  static void sys_sleep() { ::poll(nullptr, 0, 10); }

 private:
  int serve_it(Program program, Fd listener) {
    (void)sys::set_parent_death_signal(SIGKILL);
    if (::chdir(scratch_.path().c_str()) < 0) return 98;
    Streams ours;
    Fd in, out, err;
    if (program.terminal) {
      Pty pty = host_pty();
      ours.terminal = std::move(pty.master);
      in = std::move(pty.slave);
    } else {
      sys::Pipe stdin_pipe = *sys::pipe();
      sys::Pipe stdout_pipe = *sys::pipe();
      sys::Pipe stderr_pipe = *sys::pipe();
      if (program.interactive) ours.in = std::move(stdin_pipe.write);
      in = std::move(stdin_pipe.read);
      out = std::move(stdout_pipe.write), ours.out = std::move(stdout_pipe.read);
      err = std::move(stderr_pipe.write), ours.err = std::move(stderr_pipe.read);
    }
    sys::Process child = *sys::start({}, [&] {
      (void)sys::new_session();
      if (program.terminal) (void)make_controlling(in);
      (void)sys::install(in, 0);
      (void)sys::install(program.terminal ? in : out, 1);
      (void)sys::install(program.terminal ? in : err, 2);
      (void)sys::close_from(3);
      sys::reset_signals();
      ::execvp(program.args[0].c_str(), arguments(program.args).data());
      return 127;
    });
    in.close(), out.close(), err.close();
    scratch_.file("pid.new", std::to_string(child.pid().value()));
    (void)sys::rename(scratch_.dir(), "pid.new", scratch_.dir(), "pid");
    Result<LogWriter> log = LogWriter::open(path("log"), program.largest_log);
    program.how.ended = [&](const sys::Exit& exit) {
      scratch_.file("ended", std::to_string(exit.code()));
    };
    const Fd init = child.detach();
    const auto exit = serve(std::move(ours), listener, *log, init, std::move(program.how));
    return exit ? exit->code() : 99;
  }
  static std::vector<char*> arguments(std::vector<std::string>& args) {
    std::vector<char*> made;
    for (std::string& arg : args) made.push_back(arg.data());
    made.push_back(nullptr);
    return made;
  }
  sys::Scratch scratch_;
  sys::Process monitor_;
};

constexpr int detached_code = 201, lost_code = 202, failed_code = 203;

// console::attach in a process of its own, with pipes or a terminal of its own.
class Client {
 public:
  struct Setting {
    bool terminal = false;  // both the person and the container have one
    AttachOptions options = {};
  };
  Client(const std::string& socket, Setting setting) {
    sys::Pipe in_pipe = *sys::pipe();
    sys::Pipe out_pipe = *sys::pipe();
    sys::Pipe err_pipe = *sys::pipe();
    Fd in = std::move(in_pipe.read), out = std::move(out_pipe.write);
    if (setting.terminal) {
      Pty pty = host_pty();
      EXPECT_EQ(why_not(set_window_size(pty.master, {40, 100})), "");
      keys = std::move(pty.master);
      slave = std::move(pty.slave);
      setting.options.terminal = true;
    } else {
      keys = std::move(in_pipe.write);
      shown = std::move(out_pipe.read);
    }
    errors = std::move(err_pipe.read);
    process = std::move(*sys::start({}, [&] {
      (void)sys::set_parent_death_signal(SIGKILL);
      keys.close();
      if (setting.terminal) {
        (void)sys::new_session();
        (void)make_controlling(slave);
      }
      setting.options.in = setting.terminal ? slave : in;
      setting.options.out = setting.terminal ? slave : out;
      setting.options.err = err_pipe.write;
      const auto outcome = attach(socket, setting.options);
      if (!outcome) {
        (void)sys::write_all(err_pipe.write, "attach: " + outcome.error().message() + "\n");
        return failed_code;
      }
      if (outcome->how == Outcome::How::detached) return detached_code;
      return outcome->how == Outcome::How::lost ? lost_code : outcome->exit.code();
    }));
  }

  FdRef screen() const { return slave ? FdRef(keys) : FdRef(shown); }
  void type(std::string_view text) const { EXPECT_EQ(why_not(sys::write_all(keys, text)), ""); }
  // What is shown, until it contains `text`; at most 10 s.
  std::string until(std::string_view text) {
    std::array<char, 4096> block{};
    while (!seen.contains(text)) {
      pollfd watched{screen().number(), POLLIN, 0};
      if (::poll(&watched, 1, 10'000) <= 0) break;
      const auto count = sys::read(screen(), block);
      if (!count || *count == 0) break;
      seen.append(block.data(), *count);
    }
    EXPECT_TRUE(seen.contains(text)) << "looking for '" << text << "' in: " << seen;
    return std::exchange(seen, {});
  }
  // All that is left, until the client closes.
  std::string rest() {
    const auto read = sys::read_all(screen());
    return std::exchange(seen, {}) + (read ? *read : "");
  }
  // Until the terminal is in raw mode: what was typed before would be echoed by it.
  void settle() const {
    for (int tries = 0; tries < 500; ++tries) {
      const auto modes = sys::terminal_modes(slave);
      if (modes && (modes->c_lflag & ICANON) == 0) return;
      Monitored::sys_sleep();
    }
    ADD_FAILURE() << "the terminal does not become raw";
  }
  int code() {
    const auto ended = sys::wait_end(process.pidfd(), 20s);
    EXPECT_TRUE(ended && *ended) << "the client does not end";
    return ended && *ended ? process.wait()->code() : -1;
  }

  Fd keys, slave, shown, errors;
  std::string seen;
  sys::Process process;
};

// The protocol by hand.
class Peer {
 public:
  explicit Peer(Fd socket, Window window = {}) : socket_(std::move(socket)) {
    // A monitor that has no room may have refused and hung up already.
    (void)sys::send(socket_, Packed(Tag::hello, Hello{.window = window}).text());
  }
  void say(std::string_view message) const { EXPECT_EQ(why_not(sys::send(socket_, message)), ""); }
  struct Heard {
    Tag tag = Tag::exit;
    std::string content;
    bool closed = false;
  };
  Heard hear() const {
    pollfd watched{socket_.number(), POLLIN, 0};
    EXPECT_EQ(::poll(&watched, 1, 20'000), 1) << "nothing comes";
    std::string message(most_message, '\0');
    const auto count = sys::take(socket_, message);
    EXPECT_EQ(why_not(count), "");
    if (!count || count->bytes == 0) return {.closed = true};
    return {static_cast<Tag>(message[0]), message.substr(1, count->bytes - 1)};
  }
  FdRef socket() const { return socket_; }

 private:
  Fd socket_;
};

}  // namespace umbel::console
