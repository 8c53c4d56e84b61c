#include "telemetry/trace.hpp"

#include <gtest/gtest.h>
#include <map>

namespace notify::telemetry {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kSpan = "00f067aa0ba902b7";
const std::string kParent = "00-" + kTrace + "-" + kSpan + "-01";

TEST(Traceparent, ComesBackAsItWent) {
  const auto context = parse_traceparent(kParent);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id_hex(), kTrace);
  EXPECT_EQ(context->span_id_hex(), kSpan);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(format_traceparent(*context), kParent);
}

TEST(Traceparent, FlagsAreTestedByBit) {
  EXPECT_TRUE(parse_traceparent("00-" + kTrace + "-" + kSpan + "-03")->sampled);
  EXPECT_FALSE(parse_traceparent("00-" + kTrace + "-" + kSpan + "-02")->sampled);
}

TEST(Traceparent, LaterVersionsAreReadAsFarAsTheyAreKnown) {
  EXPECT_TRUE(parse_traceparent("01-" + kTrace + "-" + kSpan + "-01"));
  EXPECT_TRUE(parse_traceparent("01-" + kTrace + "-" + kSpan + "-01-more"));
  EXPECT_FALSE(parse_traceparent("01-" + kTrace + "-" + kSpan + "-01more"));
}

TEST(Traceparent, InvalidOnesAreIgnoredAltogether) {
  const std::string zeros(32, '0');
  for (const std::string& wrong :
       {std::string(), std::string("00"), "ff-" + kTrace + "-" + kSpan + "-01",
        "00-" + zeros + "-" + kSpan + "-01", "00-" + kTrace + "-0000000000000000-01",
        "00-" + kTrace + "-" + kSpan + "-01-more", "00-" + kTrace + "-" + kSpan + "-0",
        "00-" + kTrace + "-" + kSpan + "-0g", "00_" + kTrace + "-" + kSpan + "-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kSpan + "-01"}) {
    EXPECT_FALSE(parse_traceparent(wrong)) << wrong;
  }
}

TEST(B3, SingleHeaderIsReadWithAndWithoutItsOptionalParts) {
  EXPECT_EQ(parse_b3(kTrace + "-" + kSpan)->trace_id_hex(), kTrace);
  EXPECT_TRUE(parse_b3(kTrace + "-" + kSpan)->sampled);
  EXPECT_TRUE(parse_b3(kTrace + "-" + kSpan + "-d")->sampled);
  EXPECT_FALSE(parse_b3(kTrace + "-" + kSpan + "-0-" + kSpan)->sampled);
  EXPECT_EQ(parse_b3("a3ce929d0e0e4736-" + kSpan)->trace_id_hex(),
            "0000000000000000a3ce929d0e0e4736");
  for (const std::string& wrong :
       {std::string(), std::string("0"), kTrace, kTrace + "-" + kSpan + "-x",
        kTrace + "-" + kSpan + "-1-" + kSpan + "-1", kTrace + "-" + kSpan + "-1-zz"}) {
    EXPECT_FALSE(parse_b3(std::string_view(wrong))) << wrong;
  }
}

TEST(B3, ComesBackAsItWent) {
  const auto context = parse_traceparent(kParent);
  EXPECT_EQ(parse_b3(std::string_view(format_b3(*context))), context);
}

class Extract : public ::testing::Test {
 protected:
  TraceContext extracted() {
    return extract(
        [this](std::string_view name) -> std::string_view {
          const auto found = headers_.find(name);
          return found == headers_.end() ? std::string_view() : found->second;
        },
        rng_);
  }
  std::map<std::string, std::string, std::less<>> headers_;
  base::SeededRng rng_{7};
};

TEST_F(Extract, PrefersTraceparentAndKeepsItsState) {
  headers_ = {{"traceparent", kParent}, {"tracestate", "vendor=1"}, {"b3", kSpan + "-" + kSpan}};
  EXPECT_EQ(extracted().trace_id_hex(), kTrace);
  EXPECT_EQ(extracted().tracestate, "vendor=1");
}

TEST_F(Extract, DropsAStateThatCouldBreakAHeader) {
  headers_ = {{"traceparent", kParent}, {"tracestate", "a=1\r\nx: y"}};
  EXPECT_EQ(extracted().tracestate, "");
}

TEST_F(Extract, ForgetsTheStateOfAnInvalidParent) {
  headers_ = {{"traceparent", "nonsense"}, {"tracestate", "vendor=1"}};
  EXPECT_EQ(extracted().tracestate, "");
  EXPECT_NE(extracted().trace_id_hex(), std::string(32, '0'));
}

TEST_F(Extract, ReadsTheSeveralB3Headers) {
  headers_ = {{"x-b3-traceid", kTrace}, {"x-b3-spanid", kSpan}, {"x-b3-sampled", "0"}};
  EXPECT_EQ(extracted().trace_id_hex(), kTrace);
  EXPECT_FALSE(extracted().sampled);
  headers_["x-b3-flags"] = "1";
  EXPECT_TRUE(extracted().sampled);
}

TEST_F(Extract, StartsANewTraceOtherwise) {
  const TraceContext first = extracted();
  const TraceContext second = extracted();
  EXPECT_NE(first.trace_id, second.trace_id);
  EXPECT_EQ(parse_traceparent(format_traceparent(first)), first);
}

TEST(Trace, AChildHasItsOwnSpanInTheSameTrace) {
  base::SeededRng rng(7);
  const TraceContext parent = new_trace(rng);
  const TraceContext child = child_of(parent, rng);
  EXPECT_EQ(child.trace_id, parent.trace_id);
  EXPECT_NE(child.span_id, parent.span_id);
}

}  // namespace
}  // namespace notify::telemetry
