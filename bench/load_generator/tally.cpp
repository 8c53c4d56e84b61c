#include "load_generator/tally.hpp"

#include <nlohmann/json.hpp>

#include "load_generator/cpu_time.hpp"

namespace notify::bench {
namespace {

nlohmann::json percentiles(const simulator::LatencyHistogram& histogram) {
  const auto ms = [](std::chrono::microseconds latency) {
    return std::chrono::duration<double, std::milli>(latency).count();
  };
  return {{"p50", ms(histogram.at(0.50))},
          {"p95", ms(histogram.at(0.95))},
          {"p99", ms(histogram.at(0.99))},
          {"max", ms(histogram.max())}};
}

}  // namespace

void Tally::accepted(base::SteadyTime intended, base::SteadyTime answered) {
  ++accepted_;
  last_answer_ = answered;
  latency_.add(std::chrono::duration_cast<std::chrono::microseconds>(answered - intended));
}

void Tally::refused(int code, std::uint64_t notifications) { refused_[code] += notifications; }

void Tally::count(const notification::SendNotificationResult& result, base::SteadyTime intended,
                  base::SteadyTime answered) {
  if (result.has_accepted()) {
    accepted(intended, answered);
  } else {
    refused(result.error().code());
  }
}

std::string Tally::to_json() const {
  const double seconds = std::chrono::duration<double>(last_answer_ - begin_).count();
  nlohmann::json refused = nlohmann::json::object();
  for (const auto& [code, count] : refused_) refused[std::to_string(code)] = count;
  return nlohmann::json{{"sent", sent_},
                        {"accepted", accepted_},
                        {"refused", std::move(refused)},
                        {"unexpected", unexpected_},
                        {"seconds", seconds},
                        {"rate", seconds > 0 ? static_cast<double>(accepted_) / seconds : 0},
                        {"accept_ms", percentiles(latency_)},
                        {"late_ms", percentiles(lateness_)},
                        {"cpu_seconds", cpu_seconds()}}
      .dump();
}

}  // namespace notify::bench
