// The table of all settings. A default is what a new Config holds (config.hpp); everything else
// about a setting is its row.

#include <chrono>

#include "config/field.hpp"

namespace notify::config {
namespace {

Rules within(std::int64_t min, std::int64_t max) { return Rules{min, max, {}}; }
Rules within(Duration min, Duration max) { return Rules{min.count(), max.count(), {}}; }
Rules schemes(std::vector<std::string_view> names) {
  Rules rules;
  rules.schemes = std::move(names);
  return rules;
}
Rules none_or(Rules rules) {
  rules.may_be_empty = true;
  return rules;
}
Rules any() { return {}; }
Rules any_port() { return {}; }
Rules named_port() { return within(1, 65'535); }

template <class Section, class T>
Field row(std::string_view key, Section Config::*section, T Section::*member, const Rules& rules,
          std::string_view help) {
  return Field{
      .key = key,
      .description = describe(T{}, rules),
      .help = help,
      .parse = [=](const Raw& raw, Config& c) { return parse(raw, rules, c.*section.*member); },
      .to_yaml = [=](const Config& c) { return to_yaml(c.*section.*member); },
  };
}

using C = Config;

std::vector<Field> make_fields() {
  return {
      row("service.workers", &C::service, &Service::workers, within(1, 64),
          "Worker threads; each has its own connections."),
      row("service.node_name", &C::service, &Service::node_name, any(),
          "Name of this node, unique in the cluster. Empty: the name of the host."),

      row("grpc.listen", &C::grpc, &Grpc::listen, any_port(), "Where the gRPC API listens."),
      row("grpc.request_max_bytes", &C::grpc, &Grpc::request_max_bytes, within(1 << 10, 64 << 20),
          "Largest request accepted."),
      row("grpc.in_flight_max", &C::grpc, &Grpc::in_flight_max, within(1, 1'000'000),
          "Calls, open streams, and notifications in batches and streams, at once in each worker. "
          "One counts until its answer is written. Callers share them fairly; more get "
          "RESOURCE_EXHAUSTED."),
      row("grpc.streams_max", &C::grpc, &Grpc::streams_max, within(1, 100'000),
          "Calls and streams at once on one connection. Clients keep more waiting until one ends."),
      row("grpc.idle_timeout", &C::grpc, &Grpc::idle_timeout, within(1s, 24h),
          "A connection without a call or stream is closed after this time. Clients connect again "
          "by themselves."),
      row("grpc.ping_interval", &C::grpc, &Grpc::ping_interval, within(1s, 1h),
          "A connection that was silent for this time is asked for a sign of life (HTTP/2 PING). "
          "Without an answer within 20 seconds it is closed."),
      row("grpc.reflection", &C::grpc, &Grpc::reflection, any(),
          "Lets tools such as grpcurl ask for the API's description."),
      row("grpc.cert_file", &C::grpc, &Grpc::cert_file, any(),
          "This service's certificate (PEM) and those that lead to its root. With it callers need "
          "one too, whose SPIFFE id says who they are. Empty: no TLS. The three files may be "
          "replaced at any time."),
      row("grpc.key_file", &C::grpc, &Grpc::key_file, any(), "The private key to it (PEM)."),
      row("grpc.ca_file", &C::grpc, &Grpc::ca_file, any(),
          "Who must have signed a caller's certificate (PEM)."),
      row("grpc.forwarded_identity", &C::grpc, &Grpc::forwarded_identity, any(),
          "Callers are who x-forwarded-client-cert says, of a proxy (Istio's, say) that ends their "
          "TLS. Only if nobody but that proxy can reach the port, and it adds its own element."),

      row("http.listen", &C::http, &Http::listen, any_port(),
          "Where the REST API for end users listens."),
      row("http.jwks_url", &C::http, &Http::jwks_url, none_or(schemes({"https", "http"})),
          "The public keys (JWK Set) of users' tokens; http only within a mesh that encrypts."),
      row("http.jwks_ca_file", &C::http, &Http::jwks_ca_file, any(),
          "Certificates (PEM) trusted for it. Empty: the system's."),
      row("http.jwks_file", &C::http, &Http::jwks_file, any(),
          "The same keys from a file, instead. Neither: no user is let in."),
      row("http.jwt_issuer", &C::http, &Http::jwt_issuer, any(),
          "Who must have issued a token (iss)."),
      row("http.jwt_audience", &C::http, &Http::jwt_audience, any(),
          "For whom a token must be (aud)."),
      row("http.jwt_leeway", &C::http, &Http::jwt_leeway, within(0s, 1min),
          "How far the issuer's clock may be from ours."),
      row("http.cors_origins", &C::http, &Http::cors_origins, any(),
          "Origins whose pages may use the API in a browser, like https://app.example.com."),
      row("http.request_max_bytes", &C::http, &Http::request_max_bytes, within(1 << 10, 1 << 20),
          "Largest body accepted."),
      row("http.request_timeout", &C::http, &Http::request_timeout, within(100ms, 2min),
          "Longest time for a request to arrive, and again for its answer."),
      row("http.connections_max", &C::http, &Http::connections_max, within(1, 100'000),
          "Connections of each worker."),
      row("http.proxies", &C::http, &Http::proxies, within(0, 10),
          "Proxies in front that each append their peer to X-Forwarded-For; 0: the header is not "
          "believed."),

      row("admin.listen", &C::admin, &Admin::listen, any_port(),
          "Where /metrics, /healthz, /readyz and /version are served."),

      row("postgres.url", &C::postgres, &Postgres::url, schemes({"postgresql", "postgres"}),
          "The database, in libpq's form; the password is better kept in ~/.pgpass."),
      row("postgres.connections", &C::postgres, &Postgres::connections, within(2, 64),
          "Connections of each worker: half of them for accepting, half for all else that callers "
          "wait for."),
      row("postgres.background_connections", &C::postgres, &Postgres::background_connections,
          within(1, 16),
          "Further connections of each worker, for what may take seconds: sweeps, lists, dead "
          "letters, replays, upkeep. Each does one thing at a time."),

      row("redis.url", &C::redis, &Redis::url, schemes({"redis", "rediss", "unix"}),
          "The queue's server; rediss is TLS, unix a socket (unix:///path)."),
      row("redis.cache_url", &C::redis, &Redis::cache_url,
          none_or(schemes({"redis", "rediss", "unix"})),
          "A server of its own for users' settings and for rate limits. It may evict keys. Empty: "
          "that of redis.url."),
      row("redis.ca_file", &C::redis, &Redis::ca_file, any(),
          "Certificates (PEM) trusted for rediss, by both. Empty: the system's."),

      row("auth_service.address", &C::auth_service, &AuthService::address, named_port(),
          "The source of truth for devices."),
      row("auth_service.timeout", &C::auth_service, &AuthService::timeout, within(10ms, 1min),
          "Longest wait for one answer."),

      row("user_service.address", &C::user_service, &UserService::address, none_or(named_port()),
          "The source of truth for users. Empty: it is not asked, and every user is known."),
      row("user_service.timeout", &C::user_service, &UserService::timeout, within(10ms, 1min),
          "Longest wait for an answer about a user, with up to three tries."),
      row("user_service.when_down", &C::user_service, &UserService::when_down, any(),
          "What becomes of notifications to users who are not remembered while it does not "
          "answer."),
      row("user_service.cache_ttl", &C::user_service, &UserService::cache_ttl, within(1s, 24h),
          "How long a user counts as known before it is asked again."),
      row("user_service.cache_unknown_ttl", &C::user_service, &UserService::cache_unknown_ttl,
          within(1s, 1h), "How long a user counts as unknown before it is asked again."),
      row("user_service.cache_users", &C::user_service, &UserService::cache_users,
          within(1'000, 10'000'000), "Users whom each worker remembers."),

      row("devices.cache_ttl", &C::devices, &Devices::cache_ttl, within(0s, 30min),
          "How long a user's devices are remembered before auth-service is asked again; 0: not."),
      row("devices.cache_users", &C::devices, &Devices::cache_users, within(0, 10'000'000),
          "Users whose devices each worker remembers."),

      row("apns.endpoint", &C::apns, &Apns::endpoint, schemes({"https"}),
          "Apple's server; https://api.sandbox.push.apple.com for development builds."),
      row("apns.environment", &C::apns, &Apns::environment, any(),
          "The environment of that server. Devices whose tokens are of the other one are sent "
          "nothing. by_endpoint: sandbox for Apple's server of that name, else production."),
      row("apns.ca_file", &C::apns, &Apns::ca_file, any(),
          "Certificates (PEM) trusted for it. Empty: the system's."),
      row("apns.key_file", &C::apns, &Apns::key_file, any(),
          "Signing key (.p8) from Apple's developer account. Empty: no APNs."),
      row("apns.key_id", &C::apns, &Apns::key_id, any(), "Id of that key, 10 characters."),
      row("apns.team_id", &C::apns, &Apns::team_id, any(), "Id of the team, 10 characters."),
      row("apns.topic", &C::apns, &Apns::topic, any(), "Bundle id of the app."),
      row("apns.connections", &C::apns, &Apns::connections, within(1, 64),
          "Connections of each worker."),
      row("apns.streams", &C::apns, &Apns::streams, within(1, 10'000),
          "Most requests at once on one connection, if the peer allows as many."),
      row("apns.request_timeout", &C::apns, &Apns::request_timeout, within(100ms, 2min),
          "Longest wait for one answer."),

      row("fcm.endpoint", &C::fcm, &Fcm::endpoint, schemes({"https"}), "Google's server."),
      row("fcm.ca_file", &C::fcm, &Fcm::ca_file, any(),
          "Certificates (PEM) trusted for it and for the token server. Empty: the system's."),
      row("fcm.credentials_file", &C::fcm, &Fcm::credentials_file, any(),
          "JSON key file of a service account that may send with FCM. It names the token server. "
          "Empty, and no metadata server: no FCM."),
      row("fcm.metadata_server", &C::fcm, &Fcm::metadata_server, any(),
          "Takes access tokens from the metadata server of Google Cloud's machines, instead of a "
          "credentials file."),
      row("fcm.project_id", &C::fcm, &Fcm::project_id, any(),
          "The Firebase project. Empty: that of the credentials file."),
      row("fcm.connections", &C::fcm, &Fcm::connections, within(1, 64),
          "Connections of each worker."),
      row("fcm.streams", &C::fcm, &Fcm::streams, within(1, 10'000),
          "Most requests at once on one connection, if the peer allows as many."),
      row("fcm.request_timeout", &C::fcm, &Fcm::request_timeout, within(100ms, 2min),
          "Longest wait for one answer."),
      row("fcm.messages_per_minute", &C::fcm, &Fcm::messages_per_minute, within(64, 1'000'000'000),
          "Most messages that this node sends in a minute; its workers share them evenly. Google "
          "counts those of the whole project, so give each node its part."),

      row("webpush.key_file", &C::webpush, &WebPush::key_file, any(),
          "VAPID key (P-256 private key in PEM). Browsers subscribe with its public part. Empty: "
          "no "
          "Web Push."),
      row("webpush.subject", &C::webpush, &WebPush::subject, any(),
          "Contact for push services: mailto:address, or a page (https://)."),
      row("webpush.app_url", &C::webpush, &WebPush::app_url, any(),
          "Page that a click on a notification opens (https://), at most 200 bytes."),
      row("webpush.allowed_hosts", &C::webpush, &WebPush::allowed_hosts, any(),
          "Hosts of push services that may be asked; *.host is every name below it. Port 443, "
          "unless an entry ends with another, like host:8443."),
      row("webpush.private_hosts", &C::webpush, &WebPush::private_hosts, any(),
          "Names or addresses among them that may have private addresses: self-hosted push "
          "services."),
      row("webpush.ca_file", &C::webpush, &WebPush::ca_file, any(),
          "Certificates (PEM) trusted for them. Empty: the system's."),
      row("webpush.origins_max", &C::webpush, &WebPush::origins_max, within(1, 1'000),
          "Push services to which each worker has connections at once; the idlest gives way."),
      row("webpush.connections", &C::webpush, &WebPush::connections, within(1, 64),
          "Connections of each worker to one push service."),
      row("webpush.streams", &C::webpush, &WebPush::streams, within(1, 10'000),
          "Most requests at once on one connection, if the peer allows as many."),
      row("webpush.request_timeout", &C::webpush, &WebPush::request_timeout, within(100ms, 2min),
          "Longest wait for one answer."),

      row("queue.shards", &C::queue, &Queue::shards, within(1, 16),
          "Keys over which each priority's queue is divided, by user; the same on all nodes."),
      row("queue.age_bound", &C::queue, &Queue::age_bound, within(1s, 1h),
          "Wait after which a priority is served like the highest."),

      row("accept.batch_max", &C::accept, &Accept::batch_max, within(1, 5'000),
          "Most notifications in one transaction."),
      row("accept.waiting_max", &C::accept, &Accept::waiting_max, within(1, 1'000'000),
          "Notifications of each worker that may wait for a transaction; more are refused."),
      row("accept.unqueued_max", &C::accept, &Accept::unqueued_max, within(1, 100'000'000),
          "Notifications of each worker that may wait in PostgreSQL for Redis to be back; more are "
          "refused."),

      row("decision.critical_types", &C::decision, &Decision::critical_types, any(),
          "Types that no setting of a user can stop."),
      row("decision.critical_callers", &C::decision, &Decision::critical_callers, any(),
          "SPIFFE ids of the services that may send these. Empty: all may."),
      row("decision.release_jitter", &C::decision, &Decision::release_jitter, within(0ms, 1h),
          "What waits for the end of quiet hours comes within so long after it, not all at once."),
      row("decision.grouped_types", &C::decision, &Decision::grouped_types, any(),
          "Types of which one stands for a burst in a conversation, for users who want that."),
      row("decision.burst_window", &C::decision, &Decision::burst_window, within(10s, 10min),
          "For so long after one of a conversation those that follow wait, to come as one."),

      row("limits.user", &C::limits, &Limits::user, within(1, 1'000'000'000),
          "Notifications that a user may get. Empty: as many as there are."),
      row("limits.conversation", &C::limits, &Limits::conversation, within(1, 1'000'000'000),
          "Notifications of one conversation to one user."),
      row("limits.device", &C::limits, &Limits::device, within(1, 1'000'000'000),
          "Tries to deliver to one device; one that is over it is tried again when its window "
          "ends."),
      row("limits.caller", &C::limits, &Limits::caller, within(1, 1'000'000'000),
          "Notifications from a calling service that has proved who it is."),
      row("limits.ip", &C::limits, &Limits::ip, within(1, 1'000'000'000),
          "Notifications from callers at one address."),
      row("limits.rest_user", &C::limits, &Limits::rest_user, within(1, 1'000'000'000),
          "Requests of an end user over REST."),
      row("limits.rest_ip", &C::limits, &Limits::rest_ip, within(1, 1'000'000'000),
          "Requests over REST from one address, also of who is not let in; see http.proxies."),
      row("limits.types", &C::limits, &Limits::types, within(1, 1'000'000'000),
          "Further limits of one notification type by itself: the type, of whom (user, "
          "conversation, device, caller, ip), and the rate."),
      row("limits.over", &C::limits, &Limits::over, any(),
          "What is over its user's or its conversation's limit: the call is refused with the time "
          "to come back, or the notification is on record as suppressed."),

      row("preview.hidden_title", &C::preview, &Preview::hidden_title, within(1, 64),
          "Title for who wants nothing readable on a locked screen."),
      row("preview.hidden_body", &C::preview, &Preview::hidden_body, within(1, 64),
          "Body for who wants no message readable on a locked screen."),
      row("preview.summary_body", &C::preview, &Preview::summary_body, within(1, 56),
          "Body of one that stands for a burst; {count} is how many they are."),

      row("settings.cache_users", &C::settings, &Settings::cache_users, within(1'000, 10'000'000),
          "Users whose settings each worker remembers."),

      row("deliver.lease_max", &C::deliver, &Deliver::lease_max, within(1, 256),
          "Notifications leased from the queue at a time."),
      row("deliver.in_flight_max", &C::deliver, &Deliver::in_flight_max, within(1, 100'000),
          "Deliveries of each worker under way at once."),
      row("deliver.retry_delays", &C::deliver, &Deliver::retry_delays, within(100ms, 24h),
          "Waits before each retry; the last one repeats."),
      row("deliver.retry_max", &C::deliver, &Deliver::retry_max, within(0, 20),
          "Retries after the first attempt."),
      row("deliver.brake_share", &C::deliver, &Deliver::brake_share, within(1, 100),
          "Percent of a server's answers in ten minutes, and at least ten, that may call a token "
          "dead. With more of them the configuration is suspected and no token is dropped. 100: no "
          "limit."),
      row("deliver.report_delay", &C::deliver, &Deliver::report_delay, within(0ms, 10min),
          "How long a dead token waits before auth-service hears of it. It never does if many "
          "follow."),
      row("deliver.server_share", &C::deliver, &Deliver::server_share, within(1, 100),
          "Percent of deliver.in_flight_max that one server of a push service may take."),

      row("recover.heartbeat_interval", &C::recover, &Recover::heartbeat_interval,
          within(100ms, 1min), "How often a node says that it is alive."),
      row("recover.heartbeat_timeout", &C::recover, &Recover::heartbeat_timeout,
          within(300ms, 5min), "Silence after which a node's work is taken over."),
      row("recover.sweep_interval", &C::recover, &Recover::sweep_interval, within(100ms, 1h),
          "How often the database is searched for due and forgotten work."),

      row("retention.history", &C::retention, &Retention::history, within(24h * 7, 24h * 3650),
          "How long notifications are kept. Each time here counts from the end of the partition, "
          "which holds a month."),
      row("retention.attempts", &C::retention, &Retention::attempts, within(24h * 7, 24h * 3650),
          "How long the attempts to deliver them are kept."),
      row("retention.interactions", &C::retention, &Retention::interactions,
          within(24h, 24h * 3650), "How long it is kept what users did with them."),
      row("retention.audit", &C::retention, &Retention::audit, within(24h, 24h * 3650),
          "How long the audit of changes and administrative acts is kept."),
      row("retention.replays", &C::retention, &Retention::replays, within(24h * 7, 24h * 3650),
          "How long it is kept which notifications were replayed, counted from the replay."),
      row("retention.idempotency_keys", &C::retention, &Retention::idempotency_keys,
          within(24h * 2, 24h * 30),
          "How long keys of requests are kept; they are used for 24 hours. Their partitions hold a "
          "day."),

      row("cancel.wait", &C::cancel, &Cancel::wait, within(100ms, 30s),
          "How long CancelNotification waits for a worker that has it."),

      row("expiry.call", &C::expiry, &Expiry::call, within(1s, 24h * 30),
          "How long a call is worth delivering."),
      row("expiry.message", &C::expiry, &Expiry::message, within(1s, 24h * 30),
          "How long a message is worth delivering."),
      row("expiry.other", &C::expiry, &Expiry::other, within(1s, 24h * 30),
          "How long anything else is worth delivering."),
      row("expiry.kept_min", &C::expiry, &Expiry::kept_min, within(0s, 24h * 30),
          "A type that is worth less is not kept for the end of quiet hours or of a burst: its "
          "time "
          "counts from when it was made."),

      row("log.level", &C::log, &Logging::level, any(), "The least important lines written."),
      row("log.format", &C::log, &Logging::format, any(), "JSON for machines, text for people."),
      row("log.user_key", &C::log, &Logging::user_key, within(16, 256),
          "Key of the hash that stands for a user in the logs; the same on all nodes. Empty: a "
          "random one for each run."),

      row("shutdown.timeout", &C::shutdown, &Shutdown::timeout, within(1s, 10min),
          "Longest wait, when stopping, for what is under way."),
      row("shutdown.linger", &C::shutdown, &Shutdown::linger, within(0ms, 1min),
          "Wait between saying that it stops and refusing calls, for balancers to notice."),
  };
}

}  // namespace

std::span<const Field> fields() {
  static const std::vector<Field> kFields = make_fields();
  return kFields;
}

const Field* find_field(std::string_view key) {
  for (const Field& field : fields()) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

std::string Field::environment_name() const {
  std::string result = "NOTIFY_";
  for (const char c : key) {
    const bool letter = c >= 'a' && c <= 'z';
    result += letter ? static_cast<char>(c - 'a' + 'A') : (c == '.' ? '_' : c);
  }
  return result;
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> above(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = above[0];
    above[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = above[j];
      above[j] = std::min({replaced, above[j] + 1, above[j - 1] + 1});
    }
  }
  return above[b.size()];
}

}  // namespace

std::string nearest(std::string_view name, std::span<const std::string> names) {
  constexpr std::size_t kLongestCompared = 200;
  if (name.size() > kLongestCompared) return "";
  std::string best;
  std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : names) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace notify::config
