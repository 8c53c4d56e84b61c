#include <gtest/gtest.h>

#include <string>

#include "storage/redis/topology.hpp"
#include "storage/redis/url.hpp"

namespace notify::redis {
namespace {

Url parsed(const char* text) {
  auto url = parse_url(base::Secret(text));
  EXPECT_TRUE(url) << text;
  return url ? *url : Url{};
}

Address single(const Url& url) {
  const auto* server = std::get_if<SingleServer>(&url.topology);
  return server != nullptr ? server->address : Address{};
}

TEST(RedisUrl, ReadsASingleServer) {
  const Url plain = parsed("redis://cache.example");
  EXPECT_EQ(single(plain).to_string(), "cache.example:6379");
  EXPECT_FALSE(plain.tls);
  EXPECT_TRUE(plain.password.empty());

  const Url full = parsed("rediss://app:p%40ss%3Aword@10.0.0.1:7000/12");
  EXPECT_EQ(single(full).to_string(), "10.0.0.1:7000");
  EXPECT_TRUE(full.tls);
  EXPECT_EQ(full.user, "app");
  EXPECT_EQ(full.password.reveal(), "p@ss:word");
  EXPECT_EQ(full.database, 12);

  EXPECT_EQ(parsed("redis://:only@h/").password.reveal(), "only");
  EXPECT_EQ(single(parsed("redis://[::1]:6380")).host, "::1");
  EXPECT_EQ(single(parsed("redis://[::1]")).port, 6379);
}

TEST(RedisUrl, ReadsAUnixSocket) {
  const Url url = parsed("unix://:pw@/run/redis/redis.sock?db=2");
  EXPECT_EQ(single(url).unix_path, "/run/redis/redis.sock");
  EXPECT_EQ(url.password.reveal(), "pw");
  EXPECT_EQ(url.database, 2);
}

TEST(RedisUrl, ReadsSentinelAndClusterWhichThisVersionDoesNotServe) {
  const Url sentinel = parsed("redis+sentinel://:pw@s1,s2:26380/queue/3");
  const auto* sentinels = std::get_if<Sentinels>(&sentinel.topology);
  ASSERT_NE(sentinels, nullptr);
  ASSERT_EQ(sentinels->sentinels.size(), 2U);
  EXPECT_EQ(sentinels->sentinels[0].to_string(), "s1:26379");
  EXPECT_EQ(sentinels->sentinels[1].to_string(), "s2:26380");
  EXPECT_EQ(sentinels->master, "queue");
  EXPECT_EQ(sentinel.database, 3);

  const Url cluster = parsed("rediss+cluster://n1:7000,n2:7001");
  const auto* seeds = std::get_if<ClusterSeeds>(&cluster.topology);
  ASSERT_NE(seeds, nullptr);
  EXPECT_EQ(seeds->nodes.size(), 2U);
  EXPECT_TRUE(cluster.tls);

  for (const Url* url : {&sentinel, &cluster}) {
    const auto supported = check_supported(*url);
    ASSERT_FALSE(supported);
    EXPECT_EQ(supported.error().code, base::Errc::invalid);
    EXPECT_NE(supported.error().detail.find("not supported by this version"), std::string::npos);
    EXPECT_FALSE(make_topology(*url));
  }
  EXPECT_TRUE(check_supported(parsed("redis://h")));
}

TEST(RedisUrl, RefusesWhatItDoesNotUnderstandWithoutQuotingIt) {
  for (const char* wrong : {"",
                            "redis",
                            "redis:/h",
                            "http://h",
                            "redis+other://h",
                            "unix+cluster:///p",
                            "redis://",
                            "redis://:hunter2@",
                            "redis://h:0",
                            "redis://h:65536",
                            "redis://h:hunter2",
                            "redis://h/x",
                            "redis://h/-1",
                            "redis://a,b",
                            "redis://h?x=hunter2",
                            "redis://[::1",
                            "redis://[::1]7",
                            "redis://:hunter%2@h",
                            "redis://:hunter%zz@h",
                            "redis://user@h",
                            "unix://relative",
                            "unix:///",
                            "unix:///p?x=1",
                            "unix:///p?db=y",
                            "redis+sentinel://s1",
                            "redis+cluster://n1/1"}) {
    const auto url = parse_url(base::Secret(wrong));
    ASSERT_FALSE(url) << wrong;
    EXPECT_EQ(url.error().code, base::Errc::invalid);
    EXPECT_EQ(url.error().detail.find("hunter"), std::string::npos);
  }
}

}  // namespace
}  // namespace notify::redis
