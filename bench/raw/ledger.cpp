#include "raw/ledger.hpp"

#include <libpq-fe.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "load_generator/cpu_time.hpp"
#include "stores/pg_ledger_sql.hpp"

namespace notify::bench {
namespace {

using base::Uuid;
using base::WallTime;

struct Close {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Close>;
using Result = std::unique_ptr<PGresult, Close>;

constexpr std::size_t kInPipeline = 2;  // batches, as in the service
constexpr std::int64_t kRowsPerMs = 8;

[[noreturn]] void give_up(PGconn* connection, const PGresult* result) {
  const char* message = result == nullptr ? "" : PQresultErrorMessage(result);
  throw std::runtime_error(*message != '\0' ? message : PQerrorMessage(connection));
}

/// The settings of the service's connections that decide how a statement is planned.
Connection connect(const std::string& url) {
  Connection connection(PQconnectdb(url.c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) give_up(connection.get(), nullptr);
  const Result set(PQexec(connection.get(),
                          "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; "
                          "SET plan_cache_mode = 'force_custom_plan'"));
  if (PQresultStatus(set.get()) != PGRES_COMMAND_OK) give_up(connection.get(), set.get());
  return connection;
}

/// The rows of a run, by number.
class Rows {
 public:
  explicit Rows(const LedgerOptions& options) : options_(options) {}

  [[nodiscard]] WallTime instant(std::size_t row) const {
    return WallTime(
        std::chrono::milliseconds(options_.first_ms + static_cast<std::int64_t>(row) / kRowsPerMs));
  }
  [[nodiscard]] Uuid id(std::size_t row) const {
    return base::uuid_v7_from(instant(row), bits(row));
  }
  [[nodiscard]] Uuid other_id(std::size_t row, std::uint8_t kind) const {
    Uuid::Bytes bytes{};
    const auto tail = bits(row);
    std::copy(tail.begin(), tail.end(), bytes.begin() + 6);
    bytes[0] = kind;
    return Uuid(bytes);
  }
  /// A digest as bytea's text form: random enough to fall anywhere in its index.
  [[nodiscard]] std::string digest(std::size_t row) const {
    base::SeededRng rng(row * 0x9E3779B97F4A7C15ULL + options_.seed);
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text = "\\x";
    for (int word = 0; word < 4; ++word) {
      for (std::uint64_t rest = rng.next(), i = 0; i < 16; ++i, rest >>= 4) {
        text += kHex[rest & 15];
      }
    }
    return text;
  }

 private:
  [[nodiscard]] std::array<std::uint8_t, 10> bits(std::size_t row) const {
    // The row's number spread over the bits, so that neighbours in time are scattered as in life.
    const std::uint64_t mixed = (row + 1) * 0x9E3779B97F4A7C15ULL;
    std::array<std::uint8_t, 10> bits{};
    for (unsigned i = 0; i < 8; ++i) bits[i] = static_cast<std::uint8_t>(mixed >> (8 * i));
    bits[8] = static_cast<std::uint8_t>(options_.seed);
    bits[9] = static_cast<std::uint8_t>(options_.seed >> 8);
    return bits;
  }

  const LedgerOptions& options_;
};

struct Range {
  std::size_t begin;
  std::size_t end;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

void add_all(pg::Params& params, std::initializer_list<const pg::Array*> columns) {
  for (const pg::Array* column : columns) params.array(*column);
}

pg::Params append_params(const Rows& rows, Range range) {
  const std::size_t n = range.size();
  pg::Array ids(n), users(n), conversations(n), messages(n), types(n), titles(n), bodies(n),
      payloads(n), metadata(n), statuses(n), created(n), priorities(n), expires(n), callers(n),
      keys(n), requests(n), explicit_keys(n);
  for (std::size_t i = range.begin; i < range.end; ++i) {
    const std::string digest = rows.digest(i);
    ids.uuid(rows.id(i));
    users.uuid(rows.other_id(i % 100'000, 1));
    conversations.uuid(rows.other_id(i, 2));
    messages.uuid(rows.other_id(i, 3));
    types.text("message");
    titles.text("Dora Maar");
    bodies.text(
        "Are you coming tonight? We start at eight, and Paul brings the records that he promised.");
    payloads.text("{}");
    metadata.text("{}");
    statuses.text("pending");
    created.timestamp(rows.instant(i));
    priorities.text("medium");
    expires.timestamp(rows.instant(i) + std::chrono::hours(4));
    callers.text("bench");
    keys.text(digest);
    requests.text(digest);
    explicit_keys.boolean(false);
  }
  pg::Params params;
  add_all(params,
          {&ids, &users, &conversations, &messages, &types, &titles, &bodies, &payloads, &metadata,
           &statuses, &created, &priorities, &expires, &callers, &keys, &requests, &explicit_keys});
  params.timestamp(rows.instant(range.begin) - std::chrono::hours(24))
      .timestamp(rows.instant(range.end - 1) + std::chrono::minutes(5));
  return params;
}

pg::Params attempt_params(const Rows& rows, Range range) {
  pg::Array ids, notifications, devices, statuses, codes, messages, retries, attempted, next,
      providers;
  for (std::size_t i = range.begin; i < range.end; ++i) {
    ids.uuid(rows.id(i));
    notifications.uuid(rows.id(i));
    devices.uuid(rows.other_id(i % 100'000, 4));
    statuses.text("delivered");
    codes.null();
    messages.null();
    retries.int64(0);
    attempted.timestamp(rows.instant(i));
    next.null();
    providers.text("apns");
  }
  pg::Params params;
  add_all(params, {&ids, &notifications, &devices, &statuses, &codes, &messages, &retries,
                   &attempted, &next, &providers});
  return params;
}

pg::Params status_params(const Rows& rows, Range range) {
  pg::Array ids, created, statuses, sent, delivered, expired;
  for (std::size_t i = range.begin; i < range.end; ++i) {
    ids.uuid(rows.id(i));
    created.timestamp(rows.instant(i));
    statuses.text("delivered");
    sent.timestamp(rows.instant(i));
    delivered.timestamp(rows.instant(i));
    expired.null();
  }
  pg::Params params;
  add_all(params, {&ids, &created, &statuses, &sent, &delivered, &expired});
  params.timestamp(rows.instant(range.begin)).timestamp(rows.instant(range.end - 1));
  return params;
}

/// Statements in libpq's pipeline mode; each sync() is one transaction.
class Pipeline {
 public:
  explicit Pipeline(Connection connection) : connection_(std::move(connection)) {
    if (PQenterPipelineMode(connection_.get()) != 1) give_up(connection_.get(), nullptr);
  }

  void prepare(const pg::Statement& statement) {
    if (PQsendPrepare(connection_.get(), statement.name.data(), statement.sql.data(), 0, nullptr) !=
        1) {
      give_up(connection_.get(), nullptr);
    }
  }
  void run(const pg::Statement& statement, const pg::Params& params) {
    const std::vector<const char*> values = params.values();
    if (PQsendQueryPrepared(connection_.get(), statement.name.data(),
                            static_cast<int>(values.size()), values.data(), nullptr, nullptr,
                            0) != 1) {
      give_up(connection_.get(), nullptr);
    }
  }
  void sync() {
    if (PQpipelineSync(connection_.get()) != 1) give_up(connection_.get(), nullptr);
    ++unread_;
    while (unread_ > kInPipeline) read();
  }
  void finish() {
    while (unread_ > 0) read();
  }

 private:
  /// Up to the end of the oldest transaction.
  void read() {
    for (;;) {
      const Result result(PQgetResult(connection_.get()));
      if (!result) continue;  // the end of one statement
      switch (PQresultStatus(result.get())) {
        case PGRES_PIPELINE_SYNC: --unread_; return;
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
          if (PQntuples(result.get()) > 0) throw std::runtime_error("rows were not written");
          break;
        default: give_up(connection_.get(), result.get());
      }
    }
  }

  Connection connection_;
  std::size_t unread_ = 0;
};

}  // namespace

std::string write_ledger(const LedgerOptions& options, const base::Clock& clock) {
  const Rows rows(options);
  Pipeline pipeline(connect(options.url));
  const bool append = options.phase == LedgerPhase::append;
  if (append) {
    pipeline.prepare(stores::sql::kAppend);
  } else {
    pipeline.prepare(stores::sql::kInsertAttempts);
    pipeline.prepare(stores::sql::kUpdateStatus);
  }
  pipeline.sync();
  pipeline.finish();

  const base::SteadyTime began = clock.steady_now();
  const double cpu_before = cpu_seconds();
  for (std::size_t begin = 0; begin < options.rows; begin += options.batch) {
    const Range range{begin, std::min(begin + options.batch, options.rows)};
    if (append) {
      pipeline.run(stores::sql::kAppend, append_params(rows, range));
    } else {
      pipeline.run(stores::sql::kInsertAttempts, attempt_params(rows, range));
      pipeline.run(stores::sql::kUpdateStatus, status_params(rows, range));
    }
    pipeline.sync();
  }
  pipeline.finish();
  const double seconds = std::chrono::duration<double>(clock.steady_now() - began).count();
  return nlohmann::json{{"rows", options.rows},
                        {"batch", options.batch},
                        {"seconds", seconds},
                        {"cpu_seconds", cpu_seconds() - cpu_before}}
      .dump();
}

}  // namespace notify::bench
