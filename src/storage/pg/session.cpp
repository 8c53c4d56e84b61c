#include "storage/pg/session.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <utility>
#include <vector>

#include "storage/pg/conninfo.hpp"

// The one thing libpq does not offer: how much decrypted input OpenSSL still holds. Declared here
// because OpenSSL's headers belong to other folders.
struct ssl_st;
extern "C" int SSL_pending(const ssl_st* ssl);  // NOLINT: its name

namespace notify::pg {

namespace {

namespace asio = boost::asio;
using Wait = asio::posix::stream_descriptor::wait_type;

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};

void receive_notice(void* on_notice, const PGresult* result) {
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  (*static_cast<Session::OnNotice*>(on_notice))(sqlstate != nullptr ? sqlstate : "");
}

/// Defaults of ours, then the URL, then what the URL must not change.
Keywords keywords_of(const base::Secret& url, const PoolOptions& options, Keywords resolved) {
  Keywords all{{"keepalives_idle", "30"},
               {"keepalives_interval", "10"},
               {"keepalives_count", "3"},
               {"tcp_user_timeout", "20000"},
               {"gssencmode", "disable"},  // negotiating it can block
               {"application_name", options.application_name},
               {"dbname", std::string(url.reveal())}};
  all.insert(all.end(), std::make_move_iterator(resolved.begin()),
             std::make_move_iterator(resolved.end()));
  all.emplace_back("client_encoding", "UTF8");
  return all;
}

PGconn* begin_connect(const Keywords& keywords) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : keywords) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectStartParams(names.data(), values.data(), 1);
}

bool send_settings(PGconn* connection, const PoolOptions& options) {
  const auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()); };
  const std::string statement_timeout = ms(options.statement_timeout);
  const std::string lock_timeout = ms(options.lock_timeout);
  const bool custom = options.plans == Plans::custom;
  const std::array<const char*, 4> values{statement_timeout.c_str(), lock_timeout.c_str(),
                                          custom ? "force_custom_plan" : "force_generic_plan",
                                          custom ? "off" : "on"};
  // Not start-up options: a pooler between refuses those. client_connection_check_interval makes
  // the server end the statements of a connection that was given up here. No jit: without
  // enable_sort a plan that has to sort is estimated so dear that the server would compile it,
  // which takes a second.
  constexpr const char* kSettings =
      "SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, YMD', false), "
      "set_config('plan_cache_mode', $3, false), set_config('enable_sort', $4, false), "
      "set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false), "
      "set_config('idle_in_transaction_session_timeout', '30s', false), "
      "set_config('idle_session_timeout', '0', false), "
      "set_config('client_connection_check_interval', '5s', false), "
      "set_config('jit', 'off', false)";
  return PQsendQueryParams(connection, kSettings, static_cast<int>(values.size()), nullptr,
                           values.data(), nullptr, nullptr, 0) == 1 &&
         PQpipelineSync(connection) == 1;
}

enum class Settled { not_yet, yes, failed };

/// Reads the answer to the settings, as far as it has arrived.
Settled read_settings(PGconn* connection, std::string& why) {
  bool after_null = false;
  while (PQisBusy(connection) == 0) {
    const std::unique_ptr<PGresult, ClearResult> result(PQgetResult(connection));
    if (!result) {
      if (after_null || PQstatus(connection) == CONNECTION_BAD) return Settled::not_yet;
      after_null = true;
      continue;
    }
    after_null = false;
    switch (PQresultStatus(result.get())) {
      case PGRES_PIPELINE_SYNC: return why.empty() ? Settled::yes : Settled::failed;
      case PGRES_TUPLES_OK: break;
      default: why = error_of(result.get()).error.detail;
    }
  }
  return Settled::not_yet;
}

base::Unexpected<base::Error> cannot_connect(const Session& session) {
  const std::string why = session.last_error();
  // libpq gives no SQLSTATE for a failed connect; this distinction is for logs only.
  const bool refused = PQconnectionNeedsPassword(session.raw()) != 0 ||
                       why.find("authentication failed") != std::string::npos;
  return base::fail(refused ? base::Errc::unauthenticated : base::Errc::unavailable, why);
}

}  // namespace

Session::Session(pg_conn* connection, const async::Executor& executor, OnNotice on_notice)
    : connection_(connection), on_notice_(std::move(on_notice)), socket_(executor) {
  PQsetNoticeReceiver(connection_, &receive_notice, &on_notice_);
}

Session::~Session() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  PQfinish(connection_);
}

bool Session::watch_socket() {
  boost::system::error_code error;
  socket_.close(error);
  const int duplicate = ::fcntl(PQsocket(connection_), F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return false;
  socket_.assign(duplicate, error);
  if (error) ::close(duplicate);
  return !error;
}

bool Session::consume_input() {
  do {
    if (PQconsumeInput(connection_) == 0) return false;
    // Input that TLS has decrypted and libpq has not taken yet makes no socket readable.
  } while (PQsslInUse(connection_) != 0 &&
           SSL_pending(static_cast<const ssl_st*>(PQgetssl(connection_))) > 0);
  return true;
}

std::string Session::last_error() const {
  std::string text = PQerrorMessage(connection_);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

QueryError error_of(const pg_result* result) {
  const auto field = [result](int code) -> std::string_view {
    const char* text = PQresultErrorField(result, code);
    return text != nullptr ? text : "";
  };
  const std::string_view sqlstate = field(PG_DIAG_SQLSTATE);
  if (sqlstate.empty()) {
    // Made by libpq itself: the connection broke while the result was awaited.
    return classify({.sqlstate = "08006", .message = "the connection was lost"});
  }
  return classify({.sqlstate = sqlstate,
                   .message = field(PG_DIAG_MESSAGE_PRIMARY),
                   .table = field(PG_DIAG_TABLE_NAME),
                   .constraint = field(PG_DIAG_CONSTRAINT_NAME)});
}

async::Task<base::Expected<std::shared_ptr<Session>>> open_session(async::Timers& timers,
                                                                   const base::Secret& url,
                                                                   const PoolOptions& options,
                                                                   Session::OnNotice on_notice) {
  auto resolved = co_await resolve_hosts(timers, url, timers.after(options.connect_timeout / 2));
  if (!resolved) co_return base::fail(std::move(resolved.error()));
  PGconn* const raw = begin_connect(keywords_of(url, options, std::move(*resolved)));
  if (raw == nullptr) co_return base::fail(base::Errc::overloaded, "out of memory");
  auto session = std::make_shared<Session>(raw, timers.executor(), std::move(on_notice));
  if (PQstatus(raw) == CONNECTION_BAD) co_return cannot_connect(*session);

  boost::system::error_code error;
  const auto ready = [&session, &error](Wait what) {
    return session->socket().async_wait(what, asio::redirect_error(async::kUseAwaitable, error));
  };
  for (PostgresPollingStatusType step = PGRES_POLLING_WRITING; step != PGRES_POLLING_OK;) {
    if (step == PGRES_POLLING_FAILED || !session->watch_socket())
      co_return cannot_connect(*session);
    const Wait what = step == PGRES_POLLING_READING ? Wait::wait_read : Wait::wait_write;
    co_await ready(what);
    step = PQconnectPoll(raw);
  }
  if (!session->watch_socket() || PQsetnonblocking(raw, 1) != 0 || PQenterPipelineMode(raw) != 1 ||
      !send_settings(raw, options)) {
    co_return cannot_connect(*session);
  }
  std::string refused;
  for (Settled settled = Settled::not_yet; settled != Settled::yes;) {
    // The settings fit into any socket buffer, so flushing them does not wait.
    if (PQflush(raw) < 0) co_return cannot_connect(*session);
    co_await ready(Wait::wait_read);
    if (!session->consume_input()) co_return cannot_connect(*session);
    settled = read_settings(raw, refused);
    if (settled == Settled::failed) co_return base::fail(base::Errc::unavailable, refused);
    if (PQstatus(raw) == CONNECTION_BAD) co_return cannot_connect(*session);
  }
  co_return session;
}

}  // namespace notify::pg
