#include "raw/ledger.hpp"

#include <libpq-fe.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "load_generator/cpu_time.hpp"
#include "stores/pg_ledger_queries.hpp"

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

/// The settings of the service's connections that decide how a statement is planned: once what is
/// accepted, for each run what is recorded.
Connection connect(const std::string& url, LedgerPhase phase) {
  Connection connection(PQconnectdb(url.c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) give_up(connection.get(), nullptr);
  const std::string settings =
      std::string("SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET plan_cache_mode = ") +
      (phase == LedgerPhase::append ? "force_generic_plan"
                                    : "force_custom_plan; SET enable_sort = off");
  const Result set(PQexec(connection.get(), settings.c_str()));
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
  /// Random enough to fall anywhere in its index.
  [[nodiscard]] base::Digest digest(std::size_t row) const {
    base::SeededRng rng(row * 0x9E3779B97F4A7C15ULL + options_.seed);
    base::Digest digest;
    for (std::uint8_t& byte : digest) byte = static_cast<std::uint8_t>(rng.next());
    return digest;
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

stores::Submission submission(const Rows& rows, std::size_t row) {
  stores::Submission submission;
  rules::Notification& n = submission.notification;
  n.id = base::NotificationId(rows.id(row));
  n.user = base::UserId(rows.other_id(row % 100'000, 1));
  n.conversation = base::ConversationId(rows.other_id(row, 2));
  n.message = base::MessageId(rows.other_id(row, 3));
  n.type = "message";
  n.title = "Dora Maar";
  n.body =
      "Are you coming tonight? We start at eight, and Paul brings the records that he promised.";
  n.expires_at = rows.instant(row) + std::chrono::hours(4);
  const base::Digest digest = rows.digest(row);
  submission.idempotency = {.caller = "bench", .key = digest, .request = digest};
  return submission;
}

stores::DeliveryRecord outcome(const Rows& rows, std::size_t row) {
  rules::Attempt attempt;
  attempt.id = base::AttemptId(rows.id(row));
  attempt.device = base::DeviceId(rows.other_id(row % 100'000, 4));
  attempt.status = rules::AttemptStatus::delivered;
  attempt.attempted_at = rows.instant(row);
  attempt.provider = "apns";
  stores::DeliveryRecord record;
  record.notification = base::NotificationId(rows.id(row));
  record.attempts.push_back(std::move(attempt));
  record.status = rules::Status::delivered;
  record.at = rows.instant(row);
  return record;
}

template <class Item>
std::vector<Item> batch_of(Item (*make)(const Rows&, std::size_t), const Rows& rows, Range range) {
  std::vector<Item> batch;
  batch.reserve(range.size());
  for (std::size_t row = range.begin; row < range.end; ++row) batch.push_back(make(rows, row));
  return batch;
}

/// Statements in libpq's pipeline mode; each sync() is one transaction.
class Pipeline {
 public:
  explicit Pipeline(Connection connection) : connection_(std::move(connection)) {
    if (PQenterPipelineMode(connection_.get()) != 1) give_up(connection_.get(), nullptr);
  }

  /// Prepares the statement if it is its first time.
  void run(const pg::Query& query) {
    if (prepared_.insert(query.statement.name).second) prepare(query.statement);
    const pg::Params::View params = query.params.view();
    if (PQsendQueryPrepared(connection_.get(), query.statement.name.data(),
                            static_cast<int>(params.values.size()), params.values.data(),
                            params.lengths.data(), params.formats.data(), 0) != 1) {
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
  void prepare(const pg::Statement& statement) {
    if (PQsendPrepare(connection_.get(), statement.name.data(), statement.sql.data(), 0, nullptr) !=
        1) {
      give_up(connection_.get(), nullptr);
    }
  }
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
  std::set<std::string_view> prepared_;
  std::size_t unread_ = 0;
};

}  // namespace

std::string write_ledger(const LedgerOptions& options, const base::Clock& clock) {
  const Rows rows(options);
  Pipeline pipeline(connect(options.url, options.phase));
  const bool append = options.phase == LedgerPhase::append;
  const base::SteadyTime began = clock.steady_now();
  const double cpu_before = cpu_seconds();
  for (std::size_t begin = 0; begin < options.rows; begin += options.batch) {
    const Range range{begin, std::min(begin + options.batch, options.rows)};
    if (append) {
      pipeline.run(stores::append_query(batch_of(submission, rows, range)));
    } else {
      for (const pg::Query& query : stores::record_queries(batch_of(outcome, rows, range))) {
        pipeline.run(query);
      }
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
