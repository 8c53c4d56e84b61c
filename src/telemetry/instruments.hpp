#pragma once
// Counters, gauges and histograms, and the registry that writes them for Prometheus. A handle is
// made once, at start; using it is an atomic addition (a histogram: a short lock of its own).

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace notify::telemetry {

// Threading of all handles: any. Lifetime: the registry outlives them.

class Counter {
 public:
  explicit Counter(prometheus::Counter& native) : native_(&native) {}
  void add(double amount = 1) const;
  [[nodiscard]] double value() const;

 private:
  prometheus::Counter* native_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& native) : native_(&native) {}
  void set(double value) const;
  void add(double amount) const;
  [[nodiscard]] double value() const;

 private:
  prometheus::Gauge* native_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& native) : native_(&native) {}
  void observe(double value) const;
  /// Units: recorded in seconds.
  void observe(std::chrono::nanoseconds duration) const;

 private:
  prometheus::Histogram* native_;
};

/// One counter for each value of a label. The values are fixed, so that nothing from outside can
/// make new time series; what is not among them counts as "other".
class CounterBy {
 public:
  CounterBy(std::vector<std::string> values, std::vector<Counter> counters)
      : values_(std::move(values)), counters_(std::move(counters)) {}
  void add(std::string_view value, double amount = 1) const { of(value).add(amount); }
  [[nodiscard]] const Counter& of(std::string_view value) const;

 private:
  std::vector<std::string> values_;  // the last one is "other"
  std::vector<Counter> counters_;
};

/// Errors by what they mean.
class ErrorCounter {
 public:
  explicit ErrorCounter(CounterBy by_code) : by_code_(std::move(by_code)) {}
  void add(base::Errc code) const { by_code_.add(base::name(code)); }
  [[nodiscard]] const Counter& of(base::Errc code) const { return by_code_.of(base::name(code)); }

 private:
  CounterBy by_code_;
};

using Labels = std::vector<std::pair<std::string, std::string>>;

struct MetricName {
  std::string_view name;  ///< with the unit, as Prometheus wants it: ..._total, ..._seconds
  std::string_view help;
  Labels labels = {};
};

/// Upper bounds in seconds: 100 µs to 60 s, for everything from a local hop to a provider's
/// timeout.
[[nodiscard]] std::span<const double> latency_buckets();
/// 1 to 5000 in steps of about two: sizes of batches.
[[nodiscard]] std::span<const double> size_buckets();

/// Threading: any.
/// Lifetime:  outlives all handles and registrations.
/// Errors:    making a metric throws std::exception if its name is invalid or of another type: a
///            programmer's mistake, found at start.
class MetricRegistry {
 public:
  MetricRegistry();
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;
  ~MetricRegistry();

  [[nodiscard]] Counter counter(const MetricName& name);
  [[nodiscard]] Gauge gauge(const MetricName& name);
  [[nodiscard]] Histogram histogram(const MetricName& name, std::span<const double> buckets);
  [[nodiscard]] CounterBy counter_by(const MetricName& name, const std::string& label,
                                     std::vector<std::string> values);
  [[nodiscard]] ErrorCounter error_counter(const MetricName& name);

  /// Ends the sampling when destroyed; no call is under way afterwards.
  class Sampled {
   public:
    Sampled(Sampled&& other) noexcept;
    Sampled& operator=(Sampled&&) = delete;
    ~Sampled();

   private:
    friend class MetricRegistry;
    Sampled(MetricRegistry& registry, std::uint64_t id) : registry_(&registry), id_(id) {}
    MetricRegistry* registry_;
    std::uint64_t id_;
  };
  /// A gauge whose value is asked for at each scrape.
  /// Threading: `sample` is called on the thread of the scrape, under the registry's lock: it reads
  ///            atomics that the owner publishes, and calls nothing of this registry.
  [[nodiscard]] Sampled sampled_gauge(const MetricName& name, std::function<double()> sample);

  /// All metrics in Prometheus' text format, version 0.0.4.
  [[nodiscard]] std::string render();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace notify::telemetry
