#pragma once
// Other programs, started without a shell.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <vector>

namespace notify::simulator::testing {

/// A running program whose standard output is a pipe. Ends it with SIGTERM when destroyed.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    std::array<int, 2> pipe{-1, -1};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    output_ = pipe[0];
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    stop();
    ::close(output_);
  }

  /// Up to and with the first line break, or all there is.
  std::string read_line() {
    std::string line;
    for (char c = 0; c != '\n' && ::read(output_, &c, 1) == 1;) line += c;
    return line;
  }
  std::string read_all() {
    std::string all;
    std::array<char, 4096> chunk{};
    for (::ssize_t size = 0; (size = ::read(output_, chunk.data(), chunk.size())) > 0;) {
      all.append(chunk.data(), static_cast<std::size_t>(size));
    }
    return all;
  }
  /// The exit code; -1 if a signal ended it or it never started.
  int wait() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, 0) != pid_) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int stop() {
    if (pid_ > 0) ::kill(pid_, SIGTERM);
    return wait();
  }

 private:
  ::pid_t pid_ = -1;
  int output_ = -1;
};

}  // namespace notify::simulator::testing
