// A terminal of the tree's own: its master here, and a session on it with two process groups;
// names, modes, window size, the foreground group, signals from the keyboard.
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../program.h"

namespace {

volatile sig_atomic_t interrupts = 0;

// Upper case of each line, with how often it was interrupted.
[[noreturn]] void shout(int slave) {
  setsid();
  ioctl(slave, TIOCSCTTY, 0);
  for (const int number : {0, 1, 2}) dup2(slave, number);
  if (slave > 2) close(slave);
  struct sigaction action{};
  action.sa_handler = [](int) { interrupts = interrupts + 1; };
  sigaction(SIGINT, &action, nullptr);
  // A job in the background, which is told nothing by the keyboard.
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    for (;;) pause();
  }
  char line[256];
  for (;;) {
    const ssize_t count = read(0, line, sizeof line);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(0);
    for (ssize_t i = 0; i < count; ++i) line[i] = static_cast<char>(toupper(line[i]));
    const int own = open("/dev/tty", O_RDWR | O_CLOEXEC);
    std::string answer = std::string(line, static_cast<size_t>(count - 1)) + " " +
                         std::to_string(interrupts) + " " + ttyname(0) +
                         (own >= 0 ? " own" : " none") +
                         (tcgetpgrp(0) == getpgrp() ? " front\n" : " back\n");
    close(own);
    if (write(1, answer.data(), answer.size()) < 0) _exit(1);
  }
}

std::string line_of(int master) {
  std::string text;
  for (char byte = 0; text.size() < 200;) {
    if (read(master, &byte, 1) != 1) break;
    if (byte == '\n') break;
    if (byte != '\r') text += byte;
  }
  return text;
}

}  // namespace

int main(int, char** words) {
  Program program(words[1]);
  int master = -1, slave = -1;
  winsize size{.ws_row = 33, .ws_col = 101, .ws_xpixel = 0, .ws_ypixel = 0};
  termios modes{};
  char name[64];
  must(openpty(&master, &slave, name, nullptr, &size) == 0 && tcgetattr(slave, &modes) == 0,
       "openpty");
  modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  modes.c_cc[VERASE] = 'q';
  must(tcsetattr(slave, TCSANOW, &modes) == 0 && fchmod(slave, 0622) == 0, "tcsetattr");
  const pid_t child = fork();
  must(child >= 0, "fork");
  if (child == 0) {
    close(master);
    shout(slave);
  }
  close(slave);
  fcntl(master, F_SETFD, FD_CLOEXEC);
  int expected = 0;

  return program.serve([&] {
    check(write(master, "hellxqo\n", 8) == 8, "typing");
    const std::string answer = line_of(master);
    check(answer == "HELLO " + std::to_string(expected) + " " + name + " own front",
          "a terminal: " + answer);
    check(write(master, "\003", 1) == 1, "interrupting");
    usleep(20000);
    ++expected;
    check(write(master, "x\n", 2) == 2, "typing");
    const std::string second = line_of(master);
    check(second == "X " + std::to_string(expected) + " " + name + " own front",
          "a signal: " + second);
    winsize now{};
    check(ioctl(master, TIOCGWINSZ, &now) == 0 && now.ws_row == 33 && now.ws_col == 101,
          "a window's size");
    check_equal(tcgetpgrp(master), child, "the foreground group");
    check_equal(tcgetsid(master), child, "the session");
    struct stat status{};
    check(stat(name, &status) == 0 && (status.st_mode & 0777) == 0622,
          "the mode of a terminal's file");
    check_equal(fcntl(master, F_GETFD), FD_CLOEXEC, "close-on-exec");
    termios modes_now{};
    check(tcgetattr(master, &modes_now) == 0 && modes_now.c_cc[VERASE] == 'q', "the modes");
  });
}
