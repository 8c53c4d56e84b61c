#pragma once
// PostgreSQL and Redis of one's own, for integration tests: started in a fresh directory under
// /tmp on unix sockets, gone with the object, and killed if the test dies.
//
// Threading: make and use them on one thread; the servers die with the thread that started them.
// Errors:    std::runtime_error with the server's log, if it does not start.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace notify::fakes {

/// A directory that is removed with everything in it.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A child process that does not outlive its parent.
class ChildProcess {
 public:
  struct Options {
    std::vector<std::string> command;
    std::string log;           ///< file for stdout and stderr
    bool as_postgres = false;  ///< run as the user `postgres` if this is root
  };
  ChildProcess() = default;
  ~ChildProcess() { end(9); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void start(const Options& options);
  /// Sends the signal, if it still runs, and waits for the end. Returns the exit status, or -1.
  int end(int signal);
  int wait() { return end(0); }
  [[nodiscard]] bool running();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

/// PostgreSQL 15 without fsync, user `postgres`, trust on its unix socket and on 127.0.0.1.
class PrivatePostgres {
 public:
  PrivatePostgres();
  ~PrivatePostgres();

  /// postgresql://postgres@/postgres?host=<directory>&port=<port>
  [[nodiscard]] std::string url(const std::string& database = "postgres") const;
  [[nodiscard]] std::string tcp_url(const std::string& host = "localhost") const;
  [[nodiscard]] const std::string& socket_directory() const { return directory_.path(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  void start();  ///< returns when it accepts connections; the constructor has done it once
  void stop();   ///< immediately, as a crash
  /// Terminates all client backends but psql's own; returns how many there were.
  int kill_backends();
  /// Runs SQL by psql and returns its unaligned output, without the last newline.
  std::string sql(const std::string& text) const;
  /// Freezes and thaws one backend (SIGSTOP, SIGCONT).
  void freeze(int backend_pid);
  void thaw(int backend_pid);

 private:
  TempDirectory directory_;
  std::uint16_t port_;
  ChildProcess server_;
};

/// A certificate authority and a server certificate for `localhost` and 127.0.0.1.
struct TestCertificates {
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
};
[[nodiscard]] TestCertificates make_test_certificates(const std::string& directory);

/// Redis without persistence, on a unix socket, TCP and TLS.
class PrivateRedis {
 public:
  struct Options {
    std::string password;
    bool tls = false;
    std::vector<std::string> extra;  ///< further arguments of redis-server
  };
  PrivateRedis() : PrivateRedis(Options()) {}
  explicit PrivateRedis(Options options);
  ~PrivateRedis();

  [[nodiscard]] std::string url() const;      ///< unix://...
  [[nodiscard]] std::string tcp_url() const;  ///< redis://...
  [[nodiscard]] std::string tls_url() const;  ///< rediss://localhost:...
  [[nodiscard]] const std::string& ca_file() const { return certificates_.ca_file; }
  [[nodiscard]] const std::string& socket() const { return socket_; }

  void start();
  void stop();    ///< as a crash; nothing is kept
  void freeze();  ///< SIGSTOP
  void thaw();
  /// Runs a command by redis-cli and returns its output.
  std::string cli(const std::vector<std::string>& arguments) const;

 private:
  TempDirectory directory_;
  Options options_;
  std::string socket_;
  std::uint16_t port_;
  std::uint16_t tls_port_;
  TestCertificates certificates_;
  ChildProcess server_;
};

}  // namespace notify::fakes
