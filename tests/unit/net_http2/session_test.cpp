#include "net/http2/session.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "unit/net_http2/server_peer.hpp"

namespace notify::http2 {
namespace {

using base::Errc;
using testing_peer::ReceivedRequest;
using testing_peer::ServerPeer;

Request push(std::string path = "/3/device/00fc13") {
  return {.path = std::move(path),
          .headers = {{"authorization", "bearer abc", Indexing::never},
                      {"apns-topic", "org.example.app"}},
          .body = R"({"aps":{"alert":"hi"}})"};
}

struct SessionTest : testing::Test {
  ServerPeer peer{3};
  Session session{{.authority = "push.example.org",
                   .response_headers_max = 1024,
                   .response_body_max = 100'000}};
  std::vector<Event> events;
  std::vector<ReceivedRequest> requests;

  SessionTest() {
    peer.on_request = [this](const ReceivedRequest& request) { requests.push_back(request); };
  }

  /// Carries bytes both ways until both sides are silent.
  void exchange() {
    for (;;) {
      std::string there;
      session.write(there, 1 << 20);
      if (!there.empty()) EXPECT_TRUE(peer.receive(there));
      const std::string back = peer.take_output();
      if (!back.empty()) EXPECT_TRUE(session.receive(back));
      for (Event& event : session.take_events()) events.push_back(std::move(event));
      if (there.empty() && back.empty()) return;
    }
  }

  StreamId submit(const Request& request = push()) {
    const auto id = session.submit(request);
    EXPECT_TRUE(id) << (id ? "" : id.error().detail);
    return id ? *id : 0;
  }

  const Result* result_of(StreamId id) {
    const Result* found = nullptr;
    for (const Event& event : events) {
      const auto* ended = std::get_if<StreamEnded>(&event);
      if (ended == nullptr || ended->id != id) continue;
      EXPECT_EQ(found, nullptr) << "a stream ended twice";
      found = &ended->result;
    }
    return found;
  }

  void expect_failure(StreamId id, Errc code, Processed processed) {
    const Result* result = result_of(id);
    ASSERT_NE(result, nullptr) << "stream " << id << " did not end";
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().error.code, code) << result->error().error.detail;
    EXPECT_EQ(result->error().processed, processed);
  }
};

TEST_F(SessionTest, CarriesARequestAndItsResponse) {
  const StreamId id = submit();
  exchange();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].find(":method")->value, "POST");
  EXPECT_EQ(requests[0].find(":scheme")->value, "https");
  EXPECT_EQ(requests[0].find(":authority")->value, "push.example.org");
  EXPECT_EQ(requests[0].find(":path")->value, "/3/device/00fc13");
  EXPECT_EQ(requests[0].find("apns-topic")->value, "org.example.app");
  EXPECT_EQ(requests[0].body, R"({"aps":{"alert":"hi"}})");
  EXPECT_EQ(session.open_streams(), 1u);

  peer.respond(id, 400, R"({"reason":"BadTopic"})", {{"apns-id", "x-1"}});
  exchange();
  const Result* result = result_of(id);
  ASSERT_TRUE(result != nullptr && *result);
  EXPECT_EQ((*result)->status, 400);
  EXPECT_EQ((*result)->header("apns-id"), "x-1");
  EXPECT_EQ((*result)->body, R"({"reason":"BadTopic"})");
  EXPECT_EQ(session.open_streams(), 0u);
}

TEST_F(SessionTest, WritesPathAndSecretsAsNeverIndexedLiterals) {
  submit();
  exchange();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_TRUE(requests[0].find(":path")->never_indexed);
  EXPECT_TRUE(requests[0].find("authorization")->never_indexed);
  EXPECT_FALSE(requests[0].find("apns-topic")->never_indexed);
}

TEST_F(SessionTest, IndexedHeadersCostAlmostNothingTheSecondTime) {
  exchange();
  const auto bytes_of_one = [this] {
    const StreamId id = submit({.path = "/p", .headers = {{"apns-topic", std::string(200, 't')}}});
    std::string out;
    session.write(out, 1 << 20);
    EXPECT_TRUE(peer.receive(out));
    peer.respond(id, 200);
    exchange();
    return out.size();
  };
  EXPECT_GT(bytes_of_one(), 100u);
  EXPECT_LT(bytes_of_one(), 40u);
}

TEST_F(SessionTest, KeepsToThePeersStreamLimit) {
  exchange();
  EXPECT_EQ(session.limit(), 3u);
  const StreamId first = submit();
  submit();
  submit();
  const auto fourth = session.submit(push());
  ASSERT_FALSE(fourth);
  EXPECT_EQ(fourth.error().code, Errc::overloaded);
  exchange();
  peer.respond(first, 200);
  exchange();
  submit();
  exchange();
  EXPECT_EQ(requests.size(), 4u);
  EXPECT_EQ(peer.open_most, 3u);
}

TEST_F(SessionTest, SeesANewStreamLimit) {
  exchange();
  events.clear();
  peer.settings(7);
  exchange();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<LimitChanged>(events[0]));
  EXPECT_EQ(session.limit(), 7u);
}

TEST_F(SessionTest, GoAwayFailsTheStreamsAboveItsLastIdAsNotProcessedAndKeepsTheOthers) {
  const StreamId first = submit();
  const StreamId second = submit();
  exchange();
  peer.go_away(first, R"({"reason":"Shutdown"})");
  exchange();
  expect_failure(second, Errc::unavailable, Processed::no);
  EXPECT_EQ(result_of(first), nullptr);
  EXPECT_FALSE(session.accepting());
  EXPECT_EQ(session.submit(push()).error().code, Errc::unavailable);
  const auto goaway = std::find_if(events.begin(), events.end(), [](const Event& event) {
    return std::holds_alternative<GoingAway>(event);
  });
  ASSERT_NE(goaway, events.end());
  EXPECT_EQ(std::get<GoingAway>(*goaway).debug_data, R"({"reason":"Shutdown"})");
  EXPECT_EQ(std::get<GoingAway>(*goaway).last_stream_id, first);

  peer.respond(first, 200);
  exchange();
  ASSERT_NE(result_of(first), nullptr);
  EXPECT_TRUE(*result_of(first));
}

TEST_F(SessionTest, GoAwayFailsWhatWasNotWrittenYetEvenBelowItsLastId) {
  exchange();
  const StreamId id = submit();
  peer.go_away((1U << 31) - 1, "");
  EXPECT_TRUE(session.receive(peer.take_output()));
  exchange();
  expect_failure(id, Errc::unavailable, Processed::no);
  EXPECT_TRUE(requests.empty());
}

TEST_F(SessionTest, ARefusedStreamWasNotProcessed) {
  const StreamId id = submit();
  exchange();
  peer.reset(id, NGHTTP2_REFUSED_STREAM);
  exchange();
  expect_failure(id, Errc::unavailable, Processed::no);
  EXPECT_TRUE(session.accepting());
}

TEST_F(SessionTest, AStreamResetForAnotherReasonMayHaveBeenProcessed) {
  const StreamId id = submit();
  exchange();
  peer.reset(id, NGHTTP2_INTERNAL_ERROR);
  exchange();
  expect_failure(id, Errc::unavailable, Processed::unknown);
}

TEST_F(SessionTest, ATooLongBodyEndsTheStreamAndOnlyThat) {
  const StreamId id = submit();
  const StreamId other = submit();
  exchange();
  peer.respond(id, 200, std::string(100'001, 'x'));
  exchange();
  expect_failure(id, Errc::corrupt, Processed::unknown);
  ASSERT_EQ(peer.resets.size(), 1u);
  EXPECT_EQ(peer.resets[0], std::make_pair(id, std::uint32_t{NGHTTP2_CANCEL}));
  peer.respond(other, 200, std::string(100'000, 'y'));
  exchange();
  ASSERT_TRUE(result_of(other) != nullptr && *result_of(other));
  EXPECT_EQ((*result_of(other))->body.size(), 100'000u);
}

TEST_F(SessionTest, TooLongHeadersEndTheStream) {
  const StreamId id = submit();
  exchange();
  peer.respond(id, 200, "", {{"x-long", std::string(1100, 'x')}});
  exchange();
  expect_failure(id, Errc::corrupt, Processed::unknown);
  EXPECT_TRUE(session.accepting());
}

TEST_F(SessionTest, ACancelledStreamIsResetAndGivesNoEvent) {
  const StreamId id = submit();
  exchange();
  EXPECT_EQ(session.cancel(id), Processed::unknown);
  EXPECT_EQ(session.cancel(id), std::nullopt);
  exchange();
  EXPECT_EQ(result_of(id), nullptr);
  ASSERT_EQ(peer.resets.size(), 1u);
  EXPECT_EQ(peer.resets[0].second, std::uint32_t{NGHTTP2_CANCEL});
}

TEST_F(SessionTest, AStreamCancelledBeforeItsHeadersWereWrittenNeverReachesThePeer) {
  exchange();
  const StreamId id = submit();
  EXPECT_EQ(session.cancel(id), Processed::no);
  const StreamId next = submit();
  exchange();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].id, next);
  EXPECT_EQ(result_of(id), nullptr);
}

TEST_F(SessionTest, ALostConnectionTellsWrittenFromUnwritten) {
  const StreamId written = submit();
  exchange();
  const StreamId unwritten = submit();
  session.fail_all({Errc::unavailable, "cut"});
  for (Event& event : session.take_events()) events.push_back(std::move(event));
  expect_failure(written, Errc::unavailable, Processed::unknown);
  expect_failure(unwritten, Errc::unavailable, Processed::no);
}

TEST_F(SessionTest, AnswersPingAndSeesTheAnswerToItsOwn) {
  exchange();
  session.ping();
  exchange();
  EXPECT_EQ(peer.pings, 1u);
  EXPECT_TRUE(std::holds_alternative<PingAnswered>(events.back()));
}

TEST_F(SessionTest, GoAwayFinishesTheSession) {
  exchange();
  session.go_away();
  exchange();
  EXPECT_EQ(peer.goaways, std::vector<std::uint32_t>{NGHTTP2_NO_ERROR});
  EXPECT_TRUE(session.finished());
}

TEST_F(SessionTest, BytesThatAreNoHttp2EndTheSession) {
  exchange();
  (void)session.receive("HTTP/1.1 400 Bad Request\r\n\r\n and more bytes to fill a frame header");
  exchange();
  EXPECT_FALSE(session.accepting());
  EXPECT_TRUE(session.finished());
}

TEST_F(SessionTest, RefusesWhatHttpForbidsWithoutATrace) {
  exchange();
  Request split = push();
  split.headers.push_back({"x", "a\r\nb"});
  Request unnamed = push();
  unnamed.headers.push_back({"Upper Case", "a"});
  for (const Request& request : {split, unnamed, push(""), push("/a b")}) {
    const auto id = session.submit(request);
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().code, Errc::invalid);
  }
  EXPECT_EQ(session.open_streams(), 0u);
  EXPECT_FALSE(session.wants_write());
}

TEST_F(SessionTest, AnInterimResponseIsNotTheResponse) {
  const StreamId id = submit();
  exchange();
  // RFC 9113 §8.1: HEADERS with :status 103 (RFC 7541: literal with the indexed name 8), link.
  std::string frame("\x00\x00\x05\x01\x04\x00\x00\x00", 8);
  frame += static_cast<char>(id);
  frame += std::string(
      "\x08\x03"
      "103",
      5);
  EXPECT_TRUE(session.receive(frame));
  peer.respond(id, 200, "", {{"apns-id", "x-2"}});
  exchange();
  const Result* result = result_of(id);
  ASSERT_TRUE(result != nullptr && *result);
  EXPECT_EQ((*result)->status, 200);
  EXPECT_EQ((*result)->headers.size(), 1u);
}

TEST_F(SessionTest, ALargeRequestBodyWaitsForThePeersWindow) {
  const StreamId id = submit({.path = "/p", .body = std::string(300'000, 'b')});
  exchange();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].body.size(), 300'000u);
  peer.respond(id, 200);
  exchange();
  EXPECT_TRUE(*result_of(id));
}

TEST_F(SessionTest, StopsAppendingOnceTheWriteIsLongEnough) {
  exchange();
  submit({.path = "/p", .body = std::string(60'000, 'b')});
  std::string out;
  session.write(out, 10'000);
  EXPECT_GE(out.size(), 10'000u);
  EXPECT_LT(out.size(), 10'000u + 16'384u + 9u);
  EXPECT_TRUE(session.wants_write());
}

TEST(Session, TakesNoNewStreamsWhenItsIdsAreUsedUp) {
  Session session({.authority = "a", .first_stream_id = 0x7fffffff});
  EXPECT_TRUE(session.accepting());
  EXPECT_TRUE(session.submit(push()));
  EXPECT_FALSE(session.accepting());
  EXPECT_EQ(session.submit(push()).error().code, Errc::unavailable);
}

}  // namespace
}  // namespace notify::http2
