#include "telemetry/metrics.hpp"

namespace notify::telemetry {
namespace {

AcceptMetrics accept(MetricRegistry& r) {
  return {
      r.counter({"notification_accept_operations_total",
                 "Calls and messages of streams that send, finished."}),
      r.error_counter({"notification_accept_errors_total", "Calls refused, by code."}),
      r.histogram({"notification_accept_duration_seconds", "Calls that send: time taken."},
                  latency_buckets()),
      r.counter_by({"notification_accept_results_total", "Notifications asked for, by result."},
                   "result", {"accepted", "repeated", "refused"}),
      r.counter({"notification_accept_not_queued_total",
                 "Notifications accepted while Redis was away; recovery queues them."}),
  };
}

CancelMetrics cancel(MetricRegistry& r) {
  return {
      r.counter_by({"notification_cancel_results_total", "Cancellations, by what was answered."},
                   "result", {"cancelled", "too_late", "partly_sent"}),
      r.counter_by({"notification_cancel_failures_total", "Steps of cancelling failed."}, "step",
                   {"mark", "withdraw", "progress", "append", "enqueue", "mark_retracted"}),
  };
}

DecisionMetrics decision(MetricRegistry& r) {
  return {
      r.counter_by({"notification_decisions_total",
                    "Decisions, by verdict; each notification has one when it is accepted and one "
                    "before each try."},
                   "verdict", {"deliver", "deliver silently", "defer", "suppress"}),
      r.counter_by(
          {"notification_decision_rules_total", "Decisions other than by default, by rule."},
          "rule",
          {"lifetime", "known_user", "user_enabled", "type_enabled", "conversation_enabled", "mute",
           "level", "rate_limit", "quiet_hours", "burst"}),
      r.counter_by({"notification_settings_lookups_total",
                    "Questions for a user's settings, by who answered."},
                   "from", {"cache", "redis", "postgres"}),
      r.counter_by({"notification_settings_failures_total", "Steps with settings failed."}, "step",
                   {"look", "share", "release_deferred"}),
      r.counter_by({"notification_user_lookups_total",
                    "Questions whether a user exists, by who answered: stale_cache and policy "
                    "while user-service does not."},
                   "from", {"cache", "user_service", "stale_cache", "policy"}),
      r.counter({"notification_user_failures_total",
                 "Questions to user-service that got no answer, each try."}),
  };
}

LimitMetrics limits(MetricRegistry& r) {
  std::vector<std::string> names;
  for (const char* subject :
       {"user", "conversation", "device", "caller", "ip", "rest_user", "rest_ip"}) {
    for (const char* window : {"1m", "1h", "1d"}) {
      names.push_back(std::string(subject) + "." + window);
    }
  }
  return {
      r.counter_by({"notification_limits_reached_total",
                    "Notifications refused or suppressed, and requests of end users refused, "
                    "because a rate limit was reached, by limit; those of a type count with the "
                    "others."},
                   "limit", std::move(names)),
      r.counter({"notification_limits_counted_locally_total",
                 "Notifications that a worker counted for itself, Redis being away."}),
      r.counter_by({"notification_limits_failures_total", "Steps of limiting failed."}, "step",
                   {"take", "give_back", "join"}),
  };
}

Gauge queue_depth(MetricRegistry& r, const std::string& priority) {
  return r.gauge({"notification_queue_items",
                  "Notifications in the queue, due or waiting for their time.",
                  {{"priority", priority}}});
}

QueueMetrics queue(MetricRegistry& r) {
  return {
      r.counter_by({"notification_queue_failures_total", "Queue operations failed, by step."},
                   "step", {"decode", "depths"}),
      queue_depth(r, "high"),
      queue_depth(r, "medium"),
      queue_depth(r, "low"),
      r.gauge({"notification_queue_unreadable",
               "Items in the queue that no version which runs can read."}),
  };
}

DeliverMetrics deliver(MetricRegistry& r) {
  return {
      r.counter_by(
          {"notification_deliver_results_total", "Notifications, by the status reached."}, "status",
          {"delivered", "sent", "failed", "expired", "deferred", "suppressed", "superseded"}),
      r.counter_by({"notification_deliver_failures_total", "Steps of delivering failed."}, "step",
                   {"lease", "progress", "settings", "devices", "record", "postpone", "ack",
                    "release", "report_invalid_token"}),
      r.counter_by({"notification_deliver_device_lookups_total",
                    "Questions for a user's devices, by who answered."},
                   "from", {"cache", "auth_service"}),
      r.counter_by({"notification_deliver_devices_left_out_total",
                    "Devices that a notification was not sent to, by why."},
                   "why",
                   {"not understood", "no provider", "no token", "other environment", "same token",
                    "rate limit", "no answer", "not asked"}),
      r.gauge({"notification_deliver_in_flight", "Notifications being delivered by this node."}),
      r.histogram({"notification_deliver_end_to_end_seconds",
                   "Time from acceptance, or from deliver_at, to a provider's first yes."},
                  latency_buckets()),
  };
}

ProviderMetrics provider(MetricRegistry& r, const std::string& name) {
  const Labels labels = {{"provider", name}};
  return {
      r.counter({"notification_provider_operations_total", "Requests to a provider.", labels}),
      r.counter_by({"notification_provider_outcomes_total", "Answers, by their meaning.", labels},
                   "outcome",
                   {"accepted", "token_gone", "rejected", "retry_later", "bad_credentials",
                    "unknown", "not_processed"}),
      r.histogram({"notification_provider_duration_seconds", "Requests: time taken.", labels},
                  latency_buckets()),
      r.gauge({"notification_provider_brakes",
               "Servers of this provider that a worker does not believe: they call too many tokens "
               "dead.",
               labels}),
      r.gauge({"notification_provider_breakers",
               "Servers of this provider that a worker does not ask: they are down or hang.",
               labels}),
  };
}

ClientMetrics client(MetricRegistry& r, const std::string& stage, const std::string& operation) {
  const std::string prefix = "notification_" + stage + "_";
  return {
      r.counter({prefix + "operations_total", operation + " sent."}),
      r.counter({prefix + "errors_total", operation + " failed in any way."}),
      r.gauge({prefix + "connections", "Open connections."}),
      r.counter({prefix + "reconnects_total", "Connections opened anew."}),
      r.gauge({prefix + "in_flight", operation + " without an answer yet."}),
  };
}

RecoverMetrics recover(MetricRegistry& r) {
  return {
      r.counter({"notification_recover_taken_over_total", "Leases taken over from dead nodes."}),
      r.counter({"notification_recover_readmitted_total",
                 "Unfinished notifications put back into the queue from PostgreSQL."}),
      r.counter({"notification_recover_rebuilds_total",
                 "Queues rebuilt from PostgreSQL after Redis had lost data."}),
      r.counter({"notification_recover_unreadable_total",
                 "Rows of the ledger that a sweep skipped because they cannot be read. Each sweep "
                 "counts them again."}),
      r.counter({"notification_recover_elections_total",
                 "Workers that were elected to recover for all."}),
      r.counter_by({"notification_recover_failures_total", "Steps of recovering failed."}, "step",
                   {"heartbeat", "claim", "take_over", "reclaim", "horizon", "salvage", "sweep",
                    "rebuild", "readmit", "promote", "recheck", "take_office", "make_partitions",
                    "retire", "sign_off"}),
  };
}

RestMetrics rest(MetricRegistry& r) {
  return {
      r.counter_by({"notification_rest_results_total", "Requests of end users, by HTTP status."},
                   "status",
                   {"200", "204", "400", "401", "403", "404", "405", "408", "409", "413", "415",
                    "429", "431", "500", "503", "504"}),
      r.counter_by({"notification_rest_key_fetches_total",
                    "Fetches of the keys of users' tokens, by result."},
                   "result", {"done", "failed"}),
      r.histogram({"notification_rest_duration_seconds", "Requests of end users: time taken."},
                  latency_buckets()),
  };
}

}  // namespace

Metrics::Metrics(MetricRegistry& r, const std::vector<std::string_view>& names)
    : accept(telemetry::accept(r)),
      cancel(telemetry::cancel(r)),
      decision(telemetry::decision(r)),
      limits(telemetry::limits(r)),
      queue(telemetry::queue(r)),
      deliver(telemetry::deliver(r)),
      pg(client(r, "pg", "Statements")),
      redis(client(r, "redis", "Commands")),
      http2(client(r, "http2", "Writes to providers")),
      recover(telemetry::recover(r)),
      rest(telemetry::rest(r)) {
  for (const std::string_view name : names) {
    providers.emplace(name, provider(r, std::string(name)));
  }
}

void register_build_info(MetricRegistry& registry, std::string version, std::string revision) {
  registry
      .gauge({"notification_build_info",
              "Always 1; the labels tell what is running.",
              {{"version", std::move(version)}, {"revision", std::move(revision)}}})
      .set(1);
}

}  // namespace notify::telemetry
