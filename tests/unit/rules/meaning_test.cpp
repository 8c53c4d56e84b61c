#include "rules/meaning.hpp"

#include <gtest/gtest.h>
#include <set>

#include "rules/push_service.hpp"

namespace notify::rules {
namespace {

std::string row_text(const PushService& service, const Meaning& row) {
  std::string text(service.name);
  text += ' ' + std::to_string(row.status);
  if (!row.reason.empty()) text.append(" ").append(row.reason);
  if (row.form == AnswerForm::names_token) text += " names_token";
  return text;
}

/// Written by hand: nobody makes another answer drop tokens by a slip.
TEST(Meanings, OnlyTheseAnswersDropAnAddress) {
  const std::set<std::string> expected = {"apns 400 BadDeviceToken",
                                          "apns 400 DeviceTokenNotForTopic",
                                          "apns 410 ExpiredToken",
                                          "apns 410 Unregistered",
                                          "apns 410",
                                          "fcm 404 UNREGISTERED",
                                          "fcm 403 SENDER_ID_MISMATCH",
                                          "fcm 400 INVALID_ARGUMENT names_token",
                                          "webpush 400 VapidPkHashMismatch",
                                          "webpush 403 VapidPkHashMismatch",
                                          "webpush 404 errno 102",
                                          "webpush 410 errno 103",
                                          "webpush 410 errno 105",
                                          "webpush 410 errno 106",
                                          "webpush 404",
                                          "webpush 410"};
  std::set<std::string> found;
  for (const PushService& service : push_services()) {
    for (const Meaning& row : service.answers) {
      if (kind_of(final_consequence(row)) == OutcomeKind::token_gone ||
          row.leads_to == Consequence::drop_address) {
        found.insert(row_text(service, row));
      }
    }
  }
  EXPECT_EQ(found, expected);
}

TEST(Meanings, ARowThatTriesAgainSaysWhatFollowsIfThatFails) {
  for (const PushService& service : push_services()) {
    for (const Meaning& row : service.answers) {
      const Consequence last = final_consequence(row);
      EXPECT_FALSE(tries_again(last)) << row_text(service, row);
      EXPECT_NE(last, Consequence::unknown) << row_text(service, row);
    }
  }
}

TEST(Meanings, OnlyAnAnswerOfTheProviderItselfCountsAgainstItsServer) {
  Meaning row{.status = 503, .leads_to = Consequence::retry_provider};
  EXPECT_TRUE(outcome_of(row, 503, "").is_of_server);
  row.leads_to = Consequence::retry_address;
  EXPECT_FALSE(outcome_of(row, 429, "").is_of_server);
}

TEST(Meanings, NoRowStandsTwiceAndTheLastFitsEveryStatus) {
  for (const PushService& service : push_services()) {
    std::set<std::string> seen;
    for (const Meaning& row : service.answers) {
      const std::string key =
          row_text(service, row) + std::string(name(row.form)) + std::to_string(row.status_max);
      EXPECT_TRUE(seen.insert(key).second) << key;
      EXPECT_EQ(row.reason.empty(), row.form == AnswerForm::status) << key;
      EXPECT_FALSE(row.message.empty()) << key;
    }
    const Meaning& last = service.answers.back();
    EXPECT_EQ(last.form, AnswerForm::status);
    EXPECT_TRUE(last.has_status(kStatusMin) && last.has_status(kStatusMax)) << service.name;
  }
}

}  // namespace
}  // namespace notify::rules
