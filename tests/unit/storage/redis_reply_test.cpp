#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "storage/redis/reply.hpp"
#include "storage/redis/reply_parser.hpp"

namespace notify::redis {
namespace {

using base::Errc;

std::string encode(const Reply& reply) {
  const auto bulk = [](std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
  };
  switch (reply.type()) {
    case Reply::Type::nil: return "$-1\r\n";
    case Reply::Type::integer: return ":" + std::to_string(*reply.as_integer()) + "\r\n";
    case Reply::Type::status: return "+" + std::string(*reply.as_text()) + "\r\n";
    case Reply::Type::string: return bulk(*reply.as_text());
    case Reply::Type::error: return "-" + std::string(reply.error_prefix()) + "\r\n";
    case Reply::Type::array: break;
  }
  std::string all = "*" + std::to_string(reply.elements().size()) + "\r\n";
  for (const Reply& element : reply.elements()) all += encode(element);
  return all;
}

rc::Gen<Reply> any_reply(int depth) {
  const auto word = rc::gen::container<std::string>(rc::gen::inRange('A', 'Z'));
  const auto leaf = rc::gen::oneOf(
      rc::gen::just(Reply::nil()), rc::gen::map(rc::gen::arbitrary<std::int64_t>(), Reply::integer),
      rc::gen::map(rc::gen::arbitrary<std::string>(), Reply::string),
      rc::gen::map(word, Reply::status), rc::gen::map(word, Reply::error));
  if (depth == 0) return leaf;
  const auto nested = rc::gen::map(
      rc::gen::scale(0.2, rc::gen::container<std::vector<Reply>>(any_reply(depth - 1))),
      Reply::array);
  return rc::gen::oneOf(leaf, nested);
}

/// Feeds `bytes` in pieces of `size`; every complete reply, in order.
std::vector<Reply> parse_in_pieces(ReplyParser& parser, std::string_view bytes, std::size_t size) {
  std::vector<Reply> replies;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, size);
    bytes.remove_prefix(piece.size());
    EXPECT_TRUE(parser.feed(piece));
    for (auto reply = parser.next(); reply && reply->has_value(); reply = parser.next()) {
      replies.push_back(std::move(**reply));
    }
  }
  return replies;
}

RC_GTEST_PROP(RedisReplyParser, RepliesSurviveAnyPieces, ()) {
  const auto replies = *rc::gen::scale(0.3, rc::gen::container<std::vector<Reply>>(any_reply(3)));
  const auto size = *rc::gen::inRange<std::size_t>(1, 40);
  std::string bytes;
  for (const Reply& reply : replies) bytes += encode(reply);
  ReplyParser parser;
  RC_ASSERT(parse_in_pieces(parser, bytes, size) == replies);
}

TEST(RedisReplyParser, ReadsALeaseAByteAtATime) {
  const std::string bytes = "*3\r\n$2\r\nid\r\n*2\r\n:-5\r\n*-1\r\n*1\r\n*0\r\n-ERR no\r\n+OK\r\n";
  ReplyParser parser;
  const auto replies = parse_in_pieces(parser, bytes, 1);
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_EQ(replies[0],
            Reply::array({Reply::string("id"), Reply::array({Reply::integer(-5), Reply::nil()}),
                          Reply::array({Reply::array()})}));
  EXPECT_EQ(replies[1], Reply::error("ERR no"));
  EXPECT_EQ(replies[2], Reply::status("OK"));
}

Errc failure_of(std::string_view bytes, ReplyLimits limits = {}) {
  ReplyParser parser(limits);
  if (const auto fed = parser.feed(bytes); !fed) return fed.error().code;
  for (int i = 0; i < 1000; ++i) {
    const auto reply = parser.next();
    if (!reply) return reply.error().code;
    if (!reply->has_value()) break;
  }
  return Errc::internal;
}

TEST(RedisReplyParser, BadInputIsCorruptAndAllocatesNothing) {
  EXPECT_EQ(failure_of("hello\r\n"), Errc::corrupt);
  EXPECT_EQ(failure_of("%1\r\n"), Errc::corrupt) << "RESP3";
  EXPECT_EQ(failure_of("*1000000000\r\n"), Errc::corrupt);
  EXPECT_EQ(failure_of("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"),
            Errc::corrupt)
      << "nested too deep";
}

TEST(RedisReplyParser, HoldsItsLimitsOverAWholeReply) {
  const ReplyLimits small{.bytes_max = 8, .elements_max = 4};
  EXPECT_EQ(failure_of("$9\r\n123456789\r\n", small), Errc::corrupt);
  EXPECT_EQ(failure_of("*2\r\n$5\r\n12345\r\n$5\r\n12345\r\n", small), Errc::corrupt);
  EXPECT_EQ(failure_of("*2\r\n*2\r\n:1\r\n:2\r\n*1\r\n:1\r\n", small), Errc::corrupt);
  EXPECT_EQ(failure_of("$8\r\n12345678\r\n$8\r\n12345678\r\n", small), Errc::internal)
      << "each reply by itself is within the limits";
  ReplyParser parser(small);
  EXPECT_FALSE(parser.feed(std::string(std::size_t{3} << 20, 'x'))) << "an endless line";
}

TEST(RedisReply, ReadingItAsSomethingElseIsCorrupt) {
  EXPECT_EQ(Reply::nil().as_integer().error().code, Errc::corrupt);
  EXPECT_EQ(Reply::integer(1).as_text().error().code, Errc::corrupt);
  EXPECT_TRUE(Reply::nil().elements().empty());
}

TEST(RedisReply, AnErrorsFirstWordTellsWhatToDo) {
  const auto code = [](const char* text) { return Reply::error(text).to_error().code; };
  EXPECT_EQ(code("OOM command not allowed"), Errc::overloaded);
  EXPECT_EQ(code("LOADING Redis is loading"), Errc::unavailable);
  EXPECT_EQ(code("READONLY You can't write"), Errc::unavailable);
  EXPECT_EQ(code("CLUSTERDOWN Hash slot not served"), Errc::unavailable);
  EXPECT_EQ(code("BUSY Redis is busy"), Errc::unavailable);
  EXPECT_EQ(code("WRONGTYPE Operation"), Errc::corrupt);
  EXPECT_EQ(code("WRONGPASS invalid"), Errc::unauthenticated);
  EXPECT_EQ(code("ERR syntax error"), Errc::internal);
  EXPECT_EQ(code(""), Errc::internal);
  EXPECT_EQ(Reply::error("NOSCRIPT No matching script").error_prefix(), "NOSCRIPT");
}

TEST(RedisReply, AnErrorsDetailStopsBeforeWhatRedisQuotes) {
  const auto detail =
      Reply::error("ERR unknown command 'AUTHX', with args beginning with: 'hunter2'")
          .to_error()
          .detail;
  EXPECT_EQ(detail.find("hunter2"), std::string::npos);
  EXPECT_LE(Reply::error("ERR " + std::string(5000, 'x')).to_error().detail.size(), 160U);
}

}  // namespace
}  // namespace notify::redis
