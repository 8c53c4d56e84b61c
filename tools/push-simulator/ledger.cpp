#include "push-simulator/ledger.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/uuid.hpp"

namespace notify::simulator {

using nlohmann::json;

namespace {

double in_ms(LatencyHistogram::Duration latency) {
  return std::chrono::duration<double, std::milli>(latency).count();
}

}  // namespace

void Ledger::count(const RequestRecord& record) {
  ++requests_;
  ++by_status_[record.status];
  if (!record.reason.empty()) {
    auto found = by_reason_.find(record.reason);
    if (found == by_reason_.end()) found = by_reason_.emplace(record.reason, 0).first;
    ++found->second;
  }
  if (record.accepted) count_accepted(record);
  if (detail_ == Detail::full) count_token(record);
}

void Ledger::count_accepted(const RequestRecord& record) {
  ++accepted_;
  if (!accepted_ids_.insert(pair_of(record.id, record.token)).second) ++duplicates_;
  if (record.notification_id.empty()) return;
  if (!accepted_notifications_.insert(pair_of(record.notification_id, record.token)).second) {
    ++notification_duplicates_;
  }
  const auto id = base::Uuid::parse(record.notification_id);
  if (id && id->is_v7()) ages_.add(record.at - id->instant());
}

void Ledger::count_token(const RequestRecord& record) {
  auto found = tokens_.find(record.token);
  if (found == tokens_.end()) found = tokens_.emplace(record.token, PerToken{}).first;
  PerToken& token = found->second;
  if (!record.accepted) {
    ++token.refused;
    return;
  }
  ++token.accepted;
  token.ids.emplace_back(record.id);
  if (token.ids.size() > kKeptIds) token.ids.pop_front();
  token.last_payload.assign(record.payload);
}

Ledger::Pair Ledger::pair_of(std::string_view id, std::string_view token) {
  Pair pair;
  pair.token = std::hash<std::string_view>{}(token);
  if (const auto uuid = base::Uuid::parse(id)) {
    std::memcpy(&pair.id_high, uuid->bytes().data(), 8);
    std::memcpy(&pair.id_low, uuid->bytes().data() + 8, 8);
  } else {
    pair.id_high = std::hash<std::string_view>{}(id);
    pair.id_low = id.size();
  }
  return pair;
}

void Ledger::clear() {
  const std::uint64_t open = connections_open_;
  *this = Ledger(detail_);
  connections_open_ = open;
}

json Ledger::stats() const {
  json by_status = json::object();
  for (const auto& [status, count] : by_status_) by_status[std::to_string(status)] = count;
  json by_reason = json::object();
  for (const auto& [reason, count] : by_reason_) by_reason[reason] = count;
  return {
      {"requests", requests_},
      {"accepted", accepted_},
      {"refused", requests_ - accepted_},
      {"distinct", accepted_ids_.size()},
      {"duplicates", duplicates_},
      {"notifications_distinct", accepted_notifications_.size()},
      {"notification_duplicates", notification_duplicates_},
      {"age_ms",
       {{"count", ages_.count()},
        {"p50", in_ms(ages_.at(0.50))},
        {"p95", in_ms(ages_.at(0.95))},
        {"p99", in_ms(ages_.at(0.99))},
        {"max", in_ms(ages_.max())}}},
      {"by_status", std::move(by_status)},
      {"by_reason", std::move(by_reason)},
      {"connections_opened", connections_opened_},
      {"connections_open", connections_open_},
      {"goaways_sent", goaways_sent_},
      {"streams_refused", streams_refused_},
      {"max_concurrent_streams", max_concurrent_streams_},
  };
}

std::optional<json> Ledger::token_stats(std::string_view token) const {
  const auto found = tokens_.find(token);
  if (found == tokens_.end()) return std::nullopt;
  const PerToken& known = found->second;
  json payload = json::parse(known.last_payload, nullptr, false);
  if (payload.is_discarded()) payload = nullptr;
  return json{{"accepted", known.accepted},
              {"refused", known.refused},
              {"ids", known.ids},
              {"last_payload", std::move(payload)}};
}

}  // namespace notify::simulator
