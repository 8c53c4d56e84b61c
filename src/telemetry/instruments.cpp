#include "telemetry/instruments.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <algorithm>
#include <map>
#include <mutex>

namespace notify::telemetry {
namespace {

constexpr std::array<double, 18> kLatencyBuckets = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                    0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                    1,      2.5,     5,      10,    30,     60};
constexpr std::array<double, 12> kSizeBuckets = {1,   2,   5,   10,   20,   50,
                                                 100, 200, 500, 1000, 2000, 5000};

prometheus::Labels to_native(const Labels& labels) { return {labels.begin(), labels.end()}; }

}  // namespace

std::span<const double> latency_buckets() { return kLatencyBuckets; }
std::span<const double> size_buckets() { return kSizeBuckets; }

void Counter::add(double amount) const { native_->Increment(amount); }
double Counter::value() const { return native_->Value(); }
void Gauge::set(double value) const { native_->Set(value); }
void Gauge::add(double amount) const { native_->Increment(amount); }
double Gauge::value() const { return native_->Value(); }
void Histogram::observe(double value) const { native_->Observe(value); }
void Histogram::observe(std::chrono::nanoseconds duration) const {
  native_->Observe(std::chrono::duration<double>(duration).count());
}

const Counter& CounterBy::of(std::string_view value) const {
  const auto found = std::find(values_.begin(), values_.end(), value);
  if (found == values_.end()) return counters_.back();
  return counters_[static_cast<std::size_t>(found - values_.begin())];
}

struct MetricRegistry::State {
  prometheus::Registry registry;
  struct Sample {
    prometheus::Gauge* gauge;
    std::function<double()> take;
  };
  std::mutex mutex;
  std::map<std::uint64_t, Sample> samples;
  std::uint64_t last_id = 0;
};

MetricRegistry::MetricRegistry() : state_(std::make_unique<State>()) {}
MetricRegistry::~MetricRegistry() = default;

Counter MetricRegistry::counter(const MetricName& name) {
  auto& family = prometheus::BuildCounter()
                     .Name(std::string(name.name))
                     .Help(std::string(name.help))
                     .Register(state_->registry);
  return Counter(family.Add(to_native(name.labels)));
}

Gauge MetricRegistry::gauge(const MetricName& name) {
  auto& family = prometheus::BuildGauge()
                     .Name(std::string(name.name))
                     .Help(std::string(name.help))
                     .Register(state_->registry);
  return Gauge(family.Add(to_native(name.labels)));
}

Histogram MetricRegistry::histogram(const MetricName& name, std::span<const double> buckets) {
  auto& family = prometheus::BuildHistogram()
                     .Name(std::string(name.name))
                     .Help(std::string(name.help))
                     .Register(state_->registry);
  return Histogram(family.Add(to_native(name.labels), prometheus::Histogram::BucketBoundaries(
                                                          buckets.begin(), buckets.end())));
}

CounterBy MetricRegistry::counter_by(const MetricName& name, const std::string& label,
                                     std::vector<std::string> values) {
  values.emplace_back("other");
  std::vector<Counter> counters;
  for (const std::string& value : values) {
    MetricName one = name;
    one.labels.emplace_back(label, value);
    counters.push_back(counter(one));
  }
  return {std::move(values), std::move(counters)};
}

ErrorCounter MetricRegistry::error_counter(const MetricName& name) {
  std::vector<std::string> codes;
  for (auto code = static_cast<int>(base::Errc::invalid);
       code <= static_cast<int>(base::Errc::internal); ++code) {
    codes.emplace_back(base::name(static_cast<base::Errc>(code)));
  }
  return ErrorCounter(counter_by(name, "code", std::move(codes)));
}

MetricRegistry::Sampled MetricRegistry::sampled_gauge(const MetricName& name,
                                                      std::function<double()> sample) {
  auto& family = prometheus::BuildGauge()
                     .Name(std::string(name.name))
                     .Help(std::string(name.help))
                     .Register(state_->registry);
  auto& native = family.Add(to_native(name.labels));
  const std::lock_guard lock(state_->mutex);
  state_->samples.emplace(++state_->last_id, State::Sample{&native, std::move(sample)});
  return {*this, state_->last_id};
}

MetricRegistry::Sampled::Sampled(Sampled&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), id_(other.id_) {}

MetricRegistry::Sampled::~Sampled() {
  if (registry_ == nullptr) return;
  const std::lock_guard lock(registry_->state_->mutex);
  registry_->state_->samples.erase(id_);
}

std::string MetricRegistry::render() {
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [id, sample] : state_->samples) sample.gauge->Set(sample.take());
  }
  std::vector<prometheus::MetricFamily> families = state_->registry.Collect();
  std::sort(families.begin(), families.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace notify::telemetry
