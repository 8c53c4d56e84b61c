#include "fakes/private_servers.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace notify::fakes {

namespace {

constexpr std::string_view kPostgresBin = "/usr/lib/postgresql/15/bin/";

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void wait_until(const std::function<bool()>& ready, ChildProcess& server, const std::string& log) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!ready()) {
    if (!server.running() || std::chrono::steady_clock::now() > limit) {
      throw std::runtime_error("the private server did not start: " + read_file(log));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void run_or_throw(const std::vector<std::string>& command, const std::string& log,
                  bool as_postgres) {
  ChildProcess child;
  child.start({.command = command, .log = log, .as_postgres = as_postgres});
  if (child.wait() != 0) throw std::runtime_error(command.front() + ": " + read_file(log));
}

/// A port nobody listens on now. Another process could take it before the server does: unlikely,
/// and then the server does not start.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0) {
    throw std::runtime_error("no free port");
  }
  ::close(fd);
  return ntohs(address.sin_port);
}

bool accepts(const std::string& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof(address.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return connected;
}

}  // namespace

TempDirectory::TempDirectory() {
  std::string pattern = "/tmp/nsXXXXXX";  // short: a socket's path has at most 107 characters
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void ChildProcess::start(const Options& options) {
  std::vector<char*> arguments;
  for (const std::string& word : options.command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  const passwd* const user =
      options.as_postgres && ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ > 0) return;

  // In the child: only system calls until exec.
  const int log = ::open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  if (::chdir("/") != 0) ::_exit(126);
  if (user != nullptr && (::setgroups(1, &user->pw_gid) != 0 || ::setgid(user->pw_gid) != 0 ||
                          ::setuid(user->pw_uid) != 0)) {
    ::_exit(126);
  }
  // After the change of user, which clears it. SIGQUIT: PostgreSQL then takes its backends along,
  // Redis and the tools just end.
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (::getppid() != parent) ::_exit(126);
  ::execvp(arguments.front(), arguments.data());
  ::_exit(127);
}

int ChildProcess::end(int signal) {
  if (pid_ < 0) return -1;
  if (signal != 0) {
    ::kill(pid_, signal);
    ::kill(pid_, SIGCONT);
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool ChildProcess::running() {
  if (pid_ < 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  pid_ = -1;
  return false;
}

PrivatePostgres::PrivatePostgres() : port_(free_port()) {
  const std::string& base = directory_.path();
  if (const passwd* user = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr; user != nullptr) {
    if (::chown(base.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("chown failed");
    }
  }
  run_or_throw({std::string(kPostgresBin) + "initdb", "-D", base + "/d", "-A", "trust", "-U",
                "postgres", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C.UTF-8"},
               base + "/initdb.log", true);
  start();
}

PrivatePostgres::~PrivatePostgres() { stop(); }

void PrivatePostgres::start() {
  const std::string& base = directory_.path();
  const std::string socket = base + "/.s.PGSQL." + std::to_string(port_);
  const std::string pid_file = base + "/d/postmaster.pid";
  std::filesystem::remove(pid_file);  // an immediate stop leaves it
  server_.start({.command = {std::string(kPostgresBin) + "postgres", "-D", base + "/d", "-k", base,
                             "-p", std::to_string(port_), "-c", "listen_addresses=127.0.0.1", "-c",
                             "fsync=off", "-c", "max_connections=60", "-c", "log_min_messages=log"},
                 .log = base + "/log",
                 .as_postgres = true});
  // As pg_ctl does: the last line of postmaster.pid tells the state.
  wait_until([&] { return read_file(pid_file).find("\nready") != std::string::npos; }, server_,
             base + "/log");
}

void PrivatePostgres::stop() { server_.end(SIGQUIT); }

std::string PrivatePostgres::url(const std::string& database) const {
  return "postgresql://postgres@/" + database + "?host=" + directory_.path() +
         "&port=" + std::to_string(port_);
}

std::string PrivatePostgres::tcp_url(const std::string& host) const {
  return "postgresql://postgres@" + host + ":" + std::to_string(port_) + "/postgres";
}

std::string PrivatePostgres::sql(const std::string& text) const {
  const TempDirectory scratch;
  const std::string out = scratch.path() + "/out";
  run_or_throw({"psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url(), "-c", text}, out, false);
  std::string answer = read_file(out);
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  return answer;
}

int PrivatePostgres::kill_backends() {
  return std::stoi(
      sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
          "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
          "AND application_name <> 'psql'"));  // an earlier one of ours may still be leaving
}

void PrivatePostgres::freeze(int backend_pid) { ::kill(backend_pid, SIGSTOP); }
void PrivatePostgres::thaw(int backend_pid) { ::kill(backend_pid, SIGCONT); }

TestCertificates make_test_certificates(const std::string& directory) {
  const auto file = [&directory](const char* name) { return directory + "/" + name; };
  const std::string log = file("openssl.log");
  std::ofstream(file("ext")) << "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
  run_or_throw({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-keyout", file("ca.key"), "-out", file("ca.pem"), "-days", "2", "-subj",
                "/CN=test authority"},
               log, false);
  run_or_throw(
      {"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
       "-keyout", file("server.key"), "-out", file("server.csr"), "-subj", "/CN=localhost"},
      log, false);
  run_or_throw({"openssl", "x509", "-req", "-in", file("server.csr"), "-CA", file("ca.pem"),
                "-CAkey", file("ca.key"), "-CAcreateserial", "-out", file("server.pem"), "-days",
                "2", "-extfile", file("ext")},
               log, false);
  return {file("ca.pem"), file("server.pem"), file("server.key")};
}

PrivateRedis::PrivateRedis(Options options)
    : options_(std::move(options)),
      socket_(directory_.path() + "/redis.sock"),
      port_(free_port()),
      tls_port_(options_.tls ? free_port() : std::uint16_t{0}) {
  if (options_.tls) certificates_ = make_test_certificates(directory_.path());
  start();
}

PrivateRedis::~PrivateRedis() { stop(); }

void PrivateRedis::start() {
  std::vector<std::string> command{"redis-server",
                                   "--dir",
                                   directory_.path(),
                                   "--unixsocket",
                                   socket_,
                                   "--port",
                                   std::to_string(port_),
                                   "--bind",
                                   "127.0.0.1",
                                   "--save",
                                   "",
                                   "--appendonly",
                                   "no",
                                   "--enable-debug-command",
                                   "yes"};
  if (!options_.password.empty()) {
    command.insert(command.end(), {"--requirepass", options_.password});
  }
  if (options_.tls) {
    command.insert(command.end(),
                   {"--tls-port", std::to_string(tls_port_), "--tls-cert-file",
                    certificates_.certificate_file, "--tls-key-file", certificates_.key_file,
                    "--tls-ca-cert-file", certificates_.ca_file, "--tls-auth-clients", "no"});
  }
  command.insert(command.end(), options_.extra.begin(), options_.extra.end());
  const std::string log = directory_.path() + "/log";
  server_.start({.command = command, .log = log});
  wait_until([&] { return accepts(socket_); }, server_, log);
}

void PrivateRedis::stop() {
  server_.end(SIGKILL);
  std::error_code ignored;
  std::filesystem::remove(socket_, ignored);
}

void PrivateRedis::freeze() { ::kill(server_.pid(), SIGSTOP); }
void PrivateRedis::thaw() { ::kill(server_.pid(), SIGCONT); }

std::string PrivateRedis::url() const {
  return "unix://" + (options_.password.empty() ? "" : ":" + options_.password + "@") + socket_;
}

std::string PrivateRedis::tcp_url() const {
  return "redis://" + (options_.password.empty() ? "" : ":" + options_.password + "@") +
         "127.0.0.1:" + std::to_string(port_);
}

std::string PrivateRedis::tls_url() const {
  return "rediss://" + (options_.password.empty() ? "" : ":" + options_.password + "@") +
         "localhost:" + std::to_string(tls_port_);
}

std::string PrivateRedis::cli(const std::vector<std::string>& arguments) const {
  const TempDirectory scratch;
  const std::string out = scratch.path() + "/out";
  std::vector<std::string> command{"redis-cli", "-s", socket_};
  if (!options_.password.empty()) {
    command.insert(command.end(), {"--no-auth-warning", "-a", options_.password});
  }
  command.insert(command.end(), arguments.begin(), arguments.end());
  run_or_throw(command, out, false);
  std::string answer = read_file(out);
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  return answer;
}

}  // namespace notify::fakes
