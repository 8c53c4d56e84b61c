#include "edges/grpc/caller.hpp"

#include <gtest/gtest.h>

namespace notify::edges {
namespace {

TEST(IpOfPeer, IsItsAddressWithoutThePort) {
  EXPECT_EQ(ip_of_peer("ipv4:10.0.0.7:34567"), "10.0.0.7");
  EXPECT_EQ(ip_of_peer("ipv6:%5B::1%5D:34567"), "::1");
  EXPECT_EQ(ip_of_peer("unix:/run/a.sock"), "");
  EXPECT_EQ(ip_of_peer("unix:"), "");
}

// The examples of Envoy's manual, and of what somebody might put before what our proxy adds.
TEST(ForwardedUri, IsTheOneInTheLastElement) {
  EXPECT_EQ(forwarded_uri("By=http://frontend.lyft.com;Hash=468ed33be74eee6556d90c0149c1309e9;"
                          "URI=http://testclient.lyft.com"),
            "http://testclient.lyft.com");
  EXPECT_EQ(forwarded_uri("By=spiffe://w/ns/n;Hash=1f;URI=spiffe://w/ns/a,"
                          "By=spiffe://w/ns/n;Hash=2e;URI=spiffe://w/ns/b"),
            "spiffe://w/ns/b");
  EXPECT_EQ(forwarded_uri(R"(Hash=1f;Subject="/C=US/CN=x, y; z";URI=spiffe://w/a)"),
            "spiffe://w/a");
  EXPECT_EQ(forwarded_uri("Hash=1f; URI=spiffe://w/a"), "spiffe://w/a");
}

TEST(ForwardedUri, IsNotTakenFromAQuotedNameOrAnotherProxy) {
  EXPECT_EQ(forwarded_uri(R"(Hash=1f;Subject="CN=a;URI=spiffe://w/admin")"), std::nullopt);
  EXPECT_EQ(forwarded_uri(R"(Hash=1f;Subject="CN=a\";URI=spiffe://w/admin")"), std::nullopt);
  EXPECT_EQ(forwarded_uri("URI=spiffe://w/admin,By=spiffe://w/n;Hash=2e"), std::nullopt);
  EXPECT_EQ(forwarded_uri("Hash=2e;URI=spiffe://w/a;URI=spiffe://w/admin"), std::nullopt);
  EXPECT_EQ(forwarded_uri(""), std::nullopt);
  EXPECT_EQ(forwarded_uri("URI=spiffe://w/admin,"), std::nullopt);
}

}  // namespace
}  // namespace notify::edges
