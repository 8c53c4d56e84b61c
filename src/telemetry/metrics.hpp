#pragma once
// The list of all metrics, by stage: traffic, errors, latency and saturation of each. A metric is
// here only if something moves it. Names and explanations: metrics.cpp.

#include <map>
#include <string_view>
#include <vector>

#include "telemetry/instruments.hpp"

namespace notify::telemetry {

/// One operation: one SendNotification.
struct AcceptMetrics {
  Counter operations;
  ErrorCounter errors;
  Histogram latency;
  CounterBy results;   ///< accepted, refused
  Counter not_queued;  ///< accepted while Redis was away: recover queues them
};

struct CancelMetrics {
  CounterBy results;        ///< what the caller was told
  CounterBy step_failures;  ///< by step
};

struct DecisionMetrics {
  CounterBy verdicts;
  CounterBy rules;             ///< that decided
  CounterBy settings_lookups;  ///< by who answered
  CounterBy step_failures;     ///< by step
  CounterBy user_lookups;      ///< by who answered
  Counter user_failures;       ///< questions to user-service without an answer
};

/// Rate limits.
struct LimitMetrics {
  CounterBy reached;        ///< by limit
  Counter counted_locally;  ///< Redis being away
  CounterBy step_failures;  ///< by step
};

struct QueueMetrics {
  CounterBy step_failures;  ///< by step of a flow, of those that use the queue
  Gauge high;               ///< items in the queue, due or waiting for their time
  Gauge medium;
  Gauge low;
  Gauge unreadable;  ///< items that no version which runs can read
};

/// One operation: one round of tries for a notification.
struct DeliverMetrics {
  CounterBy results;         ///< by the status it came to
  CounterBy step_failures;   ///< by step
  CounterBy device_lookups;  ///< by who answered
  CounterBy left_out;        ///< devices that nothing was sent to, by why
  Gauge in_flight;
  Histogram end_to_end;  ///< from acceptance, or deliver_at, to the provider's yes
};

/// One operation: one request to a provider.
struct ProviderMetrics {
  Counter operations;
  CounterBy outcomes;
  Histogram latency;
  Gauge brakes;
  Gauge breakers;
};

/// A client of something on the network: operations and errors grow, the rest is now.
struct ClientMetrics {
  Counter operations;
  Counter errors;
  Gauge connections;
  Counter reconnects;
  Gauge in_flight;
};

struct RecoverMetrics {
  Counter taken_over;
  Counter readmitted;
  Counter rebuilds;
  Counter unreadable;
  Counter elections;
  CounterBy step_failures;  ///< by step
};

/// One operation: one request of an end user.
struct RestMetrics {
  CounterBy results;      ///< by HTTP status
  CounterBy key_fetches;  ///< of the keys of tokens: done, failed
  Histogram latency;
};

/// Threading: any. Lifetime: `registry` outlives this.
struct Metrics {
  /// `providers`: the names of the push services.
  Metrics(MetricRegistry& registry, const std::vector<std::string_view>& providers);

  AcceptMetrics accept;
  CancelMetrics cancel;
  DecisionMetrics decision;
  LimitMetrics limits;
  QueueMetrics queue;
  DeliverMetrics deliver;
  std::map<std::string_view, ProviderMetrics> providers;  ///< by name
  ClientMetrics pg;
  ClientMetrics redis;
  ClientMetrics http2;
  RecoverMetrics recover;
  RestMetrics rest;
};

/// notification_build_info{version,revision}: 1.
void register_build_info(MetricRegistry& registry, std::string version, std::string revision);

}  // namespace notify::telemetry
