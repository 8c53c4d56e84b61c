// Tokens that a provider calls dead, in deliver: reported one by one, and not at all if there are
// too many of them.

#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using rules::OutcomeKind;
using rules::Status;

const rules::Outcome kGone{.kind = OutcomeKind::token_gone,
                           .code = "400 BadDeviceToken",
                           .message = "the token is malformed"};

struct DeadTokensTest : FlowTest {
  std::unique_ptr<Node> node;
  std::uint8_t made = 0;

  void SetUp() override {
    NodeOptions options;
    options.leases_are_ours = true;
    node = std::make_unique<Node>(outside, "a", options);
    node->deliver.start();
  }
  void TearDown() override { node.reset(); }

  /// One notification to each of `count` users, a second apart.
  std::vector<rules::Notification> send(int count) {
    std::vector<rules::Notification> sent;
    for (int i = 0; i < count; ++i) {
      const auto user = fakes::sample_user(++made);
      outside.devices.of_user[user] = {fakes::sample_device(made)};
      sent.push_back(queued(made, user));
      outside.time.run_for(1s);
    }
    return sent;
  }
};

TEST_F(DeadTokensTest, AFewAmongManyAreReported) {
  send(80);
  outside.apple.to_all = kGone;
  send(15);
  outside.apple.to_all.reset();
  outside.time.run_for(70s);
  EXPECT_EQ(outside.devices.reported.size(), 15u);
  EXPECT_TRUE(node->braked.empty());
}

TEST_F(DeadTokensTest, WhenAllAreCalledDeadNoneIsReportedAndTheyAreTriedAgain) {
  outside.apple.to_all = kGone;
  const auto sent = send(40);
  outside.time.run_for(90s);
  EXPECT_TRUE(outside.devices.reported.empty());
  EXPECT_EQ(node->braked, (std::vector{true}));
  const auto& last = row(sent.back());
  EXPECT_EQ(last.record.status, Status::pending);
  EXPECT_NE(last.attempts.at(0).error_message.find("no token is dropped"), std::string::npos);

  outside.apple.to_all.reset();  // the endpoint is set right
  outside.time.run_for(10min);
  EXPECT_EQ(status(sent.back()), Status::delivered);
  outside.time.run_for(10min);
  send(1);
  EXPECT_EQ(node->braked, (std::vector{true, false}));
}

TEST_F(DeadTokensTest, FewInAllAreNoReasonForDoubt) {
  outside.apple.to_all = kGone;
  send(9);
  outside.time.run_for(70s);
  EXPECT_EQ(outside.devices.reported.size(), 9u);
  EXPECT_TRUE(node->braked.empty());
}

TEST_F(DeadTokensTest, OneDeadPhoneThatMuchIsSentToIsNotMany) {
  outside.apple.to_all = kGone;
  for (std::uint8_t i = 1; i <= 30; ++i) {
    queued(i);
    outside.time.run_for(1s);
  }
  outside.time.run_for(70s);
  EXPECT_TRUE(node->braked.empty());
  EXPECT_EQ(outside.devices.reported.size(), 1u);
}

TEST_F(DeadTokensTest, AWorkerThatStopsReportsNothingThatMayBeOneOfMany) {
  outside.apple.to_all = kGone;
  send(3);
  node->run(node->deliver.stop());
  EXPECT_TRUE(outside.devices.reported.empty());
}

}  // namespace
}  // namespace notify::flows
