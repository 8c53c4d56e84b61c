#include <gtest/gtest.h>

#include "config/load.hpp"
#include "unit/config/scratch_file.hpp"

namespace notify::config {
namespace {

/// The keys that check() complains about.
std::vector<std::string> complaints(const Config& config) {
  std::vector<std::string> keys;
  for (const Problem& problem : check(config)) {
    keys.push_back(problem.what.substr(0, problem.what.find(':')));
  }
  return keys;
}

using Keys = std::vector<std::string>;

TEST(Check, WebPushHasAKeyASubjectAndAPage) {
  const ScratchFile key("key");
  Config config;
  config.webpush.key_file = key.path();
  EXPECT_EQ(complaints(config), (Keys{"webpush.subject", "webpush.app_url"}));
  config.webpush.subject = "mailto:push@example.com";
  config.webpush.app_url = "https://app.example.com/";
  EXPECT_EQ(complaints(config), Keys{});
  for (const char* subject : {"push@example.com", "mailto:push", "mailto:<push@example.com>",
                              "mailto: push@example.com", "http://example.com"}) {
    config.webpush.subject = subject;
    EXPECT_EQ(complaints(config), Keys{"webpush.subject"}) << subject;
  }
}

TEST(Check, HostsOfPushServicesAreHosts) {
  Config config;
  config.webpush.allowed_hosts = {"push.example.com", "*.example.com", "push.example.com:8443",
                                  "[::1]:443"};
  config.webpush.private_hosts = {"push.internal", "10.1.2.3"};
  EXPECT_EQ(complaints(config), Keys{});
  for (const char* host : {"https://push.example.com", "*", "*.", ".example.com", "a b", ""}) {
    config.webpush.allowed_hosts = {host};
    EXPECT_EQ(complaints(config), Keys{"webpush.allowed_hosts"}) << host;
  }
  config.webpush.allowed_hosts = {};
  config.webpush.private_hosts = {"*.internal"};
  EXPECT_EQ(complaints(config), Keys{"webpush.private_hosts"});
}

TEST(Check, ApnsCredentialsBelongTogether) {
  const ScratchFile key("key");
  Config config;
  config.apns.key_file = key.path();
  EXPECT_EQ(complaints(config), (Keys{"apns.key_id", "apns.team_id", "apns.topic"}));
  config.apns.key_id = "ABCDE12345";
  config.apns.team_id = "TEAM123456";
  config.apns.topic = "com.example.app";
  EXPECT_EQ(complaints(config), Keys{});
}

TEST(Check, AppleIdsHaveTenCharacters) {
  const ScratchFile key("key");
  Config config;
  config.apns.key_file = key.path();
  config.apns.key_id = "ABCDE1234";
  config.apns.team_id = "team123456";
  config.apns.topic = "com.example.app";
  EXPECT_EQ(complaints(config), (Keys{"apns.key_id", "apns.team_id"}));
}

TEST(Check, TheEnvironmentOfAppleIsThatOfItsServer) {
  Config config;
  config.apns.environment = ApnsEnvironment::sandbox;
  EXPECT_EQ(complaints(config), Keys{"apns.environment"});
  config.apns.endpoint = Url("https://api.sandbox.push.apple.com:2197");
  EXPECT_EQ(complaints(config), Keys{});
  config.apns.environment = ApnsEnvironment::production;
  EXPECT_EQ(complaints(config), Keys{"apns.environment"});
  config.apns.endpoint = Url("https://apple.proxy.example");
  EXPECT_EQ(complaints(config), Keys{});
}

TEST(Check, FilesMustBeThere) {
  Config config;
  config.apns.ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(complaints(config), Keys{"apns.ca_file"});
  config.apns.ca_file = "/";
  EXPECT_EQ(complaints(config), Keys{"apns.ca_file"});
}

TEST(Check, FcmHasOneSourceOfAccessTokensAndAProject) {
  const ScratchFile key("{}");
  Config config;
  config.fcm.project_id = "whispr-test";
  EXPECT_EQ(complaints(config), Keys{"fcm.project_id"});
  config.fcm.credentials_file = key.path();
  EXPECT_EQ(complaints(config), Keys{});
  config.fcm.metadata_server = true;
  EXPECT_EQ(complaints(config), Keys{"fcm.metadata_server"});
  config.fcm.credentials_file = "";
  EXPECT_EQ(complaints(config), Keys{});
  config.fcm.project_id = "";
  EXPECT_EQ(complaints(config), Keys{"fcm.project_id"});
  config.fcm.project_id = "Whispr/Test";
  EXPECT_EQ(complaints(config), Keys{"fcm.project_id"});
  config.fcm.project_id = "123456789012";
  EXPECT_EQ(complaints(config), Keys{});
  config.fcm.request_timeout = 1min;
  EXPECT_EQ(complaints(config), Keys{"shutdown.timeout"});
}

TEST(Check, ACertificateWithoutTlsIsAMistake) {
  const ScratchFile ca("ca");
  Config config;
  config.redis.ca_file = ca.path();
  EXPECT_EQ(complaints(config), Keys{"redis.ca_file"});
  config.redis.url = Url("rediss://cache:6379");
  EXPECT_EQ(complaints(config), Keys{});
}

TEST(Check, CertificatesOfTheServerBelongTogether) {
  const ScratchFile file("pem");
  Config config;
  config.grpc.cert_file = file.path();
  EXPECT_EQ(complaints(config), (Keys{"grpc.key_file", "grpc.ca_file"}));
  config.grpc.key_file = config.grpc.ca_file = file.path();
  EXPECT_EQ(complaints(config), Keys{});
  config.grpc.forwarded_identity = true;
  EXPECT_EQ(complaints(config), Keys{"grpc.forwarded_identity"});
}

TEST(Check, WhatIsSaidOfCallersNeedsCallersThatAreKnown) {
  Config config;
  config.decision.critical_callers = {"spiffe://whispr.example/auth-service"};
  config.limits.caller = {{1'000, std::chrono::minutes(1)}};
  config.limits.types = {{"promotion", "caller", {5, std::chrono::minutes(1)}}};
  EXPECT_EQ(complaints(config),
            (Keys{"decision.critical_callers", "limits.caller", "limits.types"}));
  config.grpc.forwarded_identity = true;
  EXPECT_EQ(complaints(config), Keys{});
  config.limits.ip = {{10, std::chrono::minutes(1)}};
  EXPECT_EQ(complaints(config), Keys{"limits.ip"});
  config.limits.ip.clear();
  config.decision.critical_callers.push_back("auth-service");
  EXPECT_EQ(complaints(config), Keys{"decision.critical_callers"});
}

TEST(Check, AWindowHasOneLimit) {
  Config config;
  config.limits.user.push_back({5, std::chrono::minutes(1)});
  config.limits.types = {{"promotion", "user", {3, std::chrono::hours(24)}},
                         {"promotion", "user", {20, std::chrono::hours(1)}}};
  EXPECT_EQ(complaints(config), Keys{"limits.user"});
  config.limits.user.clear();
  EXPECT_EQ(complaints(config), Keys{});
  config.limits.types.push_back(config.limits.types.front());
  EXPECT_EQ(complaints(config), Keys{"limits.types"});
}

TEST(Check, TwoServersCannotShareAPort) {
  Config config;
  config.admin.listen = config.grpc.listen;
  EXPECT_EQ(complaints(config), Keys{"admin.listen"});
  config.admin.listen.port = config.grpc.listen.port = 0;
  EXPECT_EQ(complaints(config), Keys{});
  config.http.listen = {"127.0.0.1", 0};
  EXPECT_EQ(complaints(config), Keys{});
  config.admin.listen.port = config.http.listen.port = 8080;
  EXPECT_EQ(complaints(config), Keys{"http.listen"});
}

TEST(Check, KeysOfTokensNeedAnIssuerAndAnAudience) {
  const ScratchFile keys("{}");
  Config config;
  config.http.jwks_file = keys.path();
  EXPECT_EQ(complaints(config), (Keys{"http.jwt_issuer", "http.jwt_audience"}));
  config.http.jwt_issuer = "https://id.example.com";
  config.http.jwt_audience = "notifications";
  EXPECT_EQ(complaints(config), Keys{});
  config.http.jwks_url = Url("https://id.example.com/jwks.json");
  EXPECT_EQ(complaints(config), Keys{"http.jwks_file"});
  config.http.jwks_file = "";
  EXPECT_EQ(complaints(config), Keys{});
  config.http.jwks_url = Url("http://id/jwks.json");
  config.http.jwks_ca_file = keys.path();
  EXPECT_EQ(complaints(config), Keys{"http.jwks_ca_file"});
}

TEST(Check, OriginsAreWrittenAsBrowsersSendThem) {
  Config config;
  config.http.cors_origins = {"https://app.example.com", "http://localhost:3000",
                              "https://[::1]:8"};
  EXPECT_EQ(complaints(config), Keys{});
  for (const char* bad : {"*", "https://*.example.com", "app.example.com", "https://a/", "null", "",
                          "https://", "https://A.example.com", "ftp://a", "https://u@a"}) {
    config.http.cors_origins = {bad};
    EXPECT_EQ(complaints(config), Keys{"http.cors_origins"}) << bad;
  }
}

TEST(Check, LimitsThatContradictEachOtherAreNamed) {
  Config config;
  config.accept.batch_max = config.accept.waiting_max + 1;
  config.deliver.lease_max = config.deliver.in_flight_max + 1;
  config.deliver.retry_delays.clear();
  config.recover.heartbeat_timeout = 3 * config.recover.heartbeat_interval - 1ms;
  config.shutdown.timeout = config.apns.request_timeout - 1ms;
  EXPECT_EQ(complaints(config),
            (Keys{"accept.batch_max", "deliver.lease_max", "deliver.retry_delays",
                  "recover.heartbeat_timeout", "shutdown.timeout"}));
}

TEST(Check, AProblemPointsToWhereTheValueCameFrom) {
  const auto config = load({.environment = {{"NOTIFY_SHUTDOWN_TIMEOUT", "1s"}}});
  ASSERT_TRUE(config);
  const Problems problems = check(*config);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].where, "env NOTIFY_SHUTDOWN_TIMEOUT");
}

}  // namespace
}  // namespace notify::config
