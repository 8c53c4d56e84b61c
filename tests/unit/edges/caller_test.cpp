#include "edges/grpc/caller.hpp"

#include <gtest/gtest.h>

#include <string>

namespace notify::edges {
namespace {

TEST(IpOfHost, IsItsAddress) {
  EXPECT_EQ(ip_of_host("ipv4:10.0.0.7"), "10.0.0.7");
  EXPECT_EQ(ip_of_host("ipv6:%5B::1%5D"), "::1");
  EXPECT_EQ(ip_of_host("unix"), "");
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
}

TEST(ForwardedUri, IsNotTakenFromAQuotedNameOrAnotherProxy) {
  EXPECT_EQ(forwarded_uri(R"(Hash=1f;Subject="CN=a;URI=spiffe://w/admin")"), std::nullopt);
  EXPECT_EQ(forwarded_uri(R"(Hash=1f;Subject="CN=a\";URI=spiffe://w/admin")"), std::nullopt);
  EXPECT_EQ(forwarded_uri("URI=spiffe://w/admin,By=spiffe://w/n;Hash=2e"), std::nullopt);
  EXPECT_EQ(forwarded_uri("Hash=2e;URI=spiffe://w/a;URI=spiffe://w/admin"), std::nullopt);
  EXPECT_EQ(forwarded_uri(""), std::nullopt);
  EXPECT_EQ(forwarded_uri("URI=spiffe://w/admin,"), std::nullopt);
}

// What the caller has sent, open quotes and all, and what our proxy adds to it.
TEST(ForwardedUri, CannotBeHiddenByQuotesThatTheCallerLeavesOpen) {
  for (const std::string before :
       {R"(URI=spiffe://w/admin;Subject="x)", R"(URI=spiffe://w/admin;Subject="x\)",
        R"(URI=spiffe://w/admin;Subject="x\\)", R"(URI=spiffe://w/admin;X=\)",
        R"(URI=spiffe://w/admin;Subject=")"}) {
    for (const char* subject : {R"(Subject="";)", R"(Subject="CN=m";)", R"(Subject="CN=\"m\"";)",
                                R"(Subject="CN=a\"b";)", ""}) {
      const std::string added = std::string(",By=spiffe://w/n;Hash=2e;") + subject;
      EXPECT_NE(forwarded_uri(before + added + "URI=spiffe://w/mallory"), "spiffe://w/admin")
          << before << subject;
      EXPECT_EQ(forwarded_uri(before + added), std::nullopt) << before << subject;
    }
  }
}

TEST(ActorOf, ACallerThatIsKnownIsNobodyElse) {
  flows::Caller caller;
  caller.lane = caller.host = "ipv4:10.0.0.7";
  EXPECT_EQ(actor_of(caller, "").name, "ipv4:10.0.0.7");
  EXPECT_EQ(actor_of(caller, "Dora").name, "Dora");
  EXPECT_EQ(actor_of(caller, "Dora").origin, "ipv4:10.0.0.7");
  caller.identity = caller.lane = "spiffe://w/admin-tool";
  EXPECT_EQ(actor_of(caller, "Dora").name, "spiffe://w/admin-tool");
  EXPECT_EQ(actor_of(caller, "Dora").origin, "ipv4:10.0.0.7, for Dora");
  EXPECT_EQ(actor_of(caller, "").origin, "ipv4:10.0.0.7");
}

}  // namespace
}  // namespace notify::edges
