// Descriptors. Fd owns and closes; FdRef borrows for the length of a call. Neither converts to int:
// sys, which makes the system calls, asks for number().
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace umbel {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }

  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }
  // Gives the descriptor up without closing it.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  void close() {
    // close(2) on Linux frees the number whatever it answers, so there is nothing to retry.
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

class FdRef {
 public:
  FdRef(const Fd& fd) : number_(fd.number()) {}  // NOLINT(google-explicit-constructor)
  explicit FdRef(int number) : number_(number) {}
  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

// The directory argument of the *at calls for a path that starts at the working directory.
inline const FdRef cwd{AT_FDCWD};
inline const FdRef standard_in{0};
inline const FdRef standard_out{1};
inline const FdRef standard_error{2};

}  // namespace umbel
