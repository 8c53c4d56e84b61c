#include "edges/cli/what_if.hpp"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "base/json_object.hpp"
#include "base/text.hpp"
#include "edges/cli/decision_text.hpp"
#include "rules/codec.hpp"
#include "rules/settings_codec.hpp"

namespace notify::edges {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using Json = nlohmann::json;

/// The columns of one row of a hypothetical table; the first that is wrong is remembered.
class Row {
 public:
  Row(const Json& line, const char* table, std::initializer_list<const char*> columns)
      : table_(table) {
    const auto found = line.find(table);
    if (found == line.end() || found->is_null()) return;
    if (!found->is_object()) {
      wrong_ = table_ + " must be an object";
      return;
    }
    row_ = *found;
    for (const auto& [name, value] : row_.items()) {
      const auto known = [&name = name](const char* column) { return name == column; };
      if (!std::any_of(columns.begin(), columns.end(), known)) complain(name, "is no column");
    }
  }

  [[nodiscard]] const std::string& wrong() const { return wrong_; }

  void read(const char* column, bool& into) {
    const Json* value = find(column);
    if (value == nullptr) return;
    if (!value->is_boolean()) return complain(column, "must be true or false");
    into = value->get<bool>();
  }
  void read(const char* column, std::string& into) {
    const Json* value = find(column);
    if (value == nullptr) return;
    if (!value->is_string()) return complain(column, "must be a text");
    into = value->get<std::string>();
  }
  /// Of a column that is JSON.
  void read_json(const char* column, std::string& into) {
    const Json* value = find(column);
    if (value == nullptr) return;
    into = value->is_string() ? value->get<std::string>() : value->dump();
    if (!Json::accept(into)) complain(column, "must be JSON");
  }
  template <class Time>
  void read_time(const char* column, Time& into) {
    std::string text;
    read(column, text);
    if (text.empty()) return;
    const auto time = base::parse_time(text);
    if (!time) return complain(column, "must be a time, as in 2026-11-22T23:54:25Z");
    into = *time;
  }
  template <class Id>
  void read_id(const char* column, Id& into) {
    std::string text;
    read(column, text);
    if (text.empty()) return;
    const auto id = base::Uuid::parse(text);
    if (!id) return complain(column, "must be a UUID");
    into = Id(*id);
  }

 private:
  const Json* find(const char* column) {
    const auto found = row_.find(column);
    return found == row_.end() || found->is_null() ? nullptr : &*found;
  }
  void complain(const std::string& column, const char* what) {
    if (wrong_.empty()) wrong_ = table_ + "." + column + " " + what;
  }

  std::string table_;
  Json row_ = Json::object();
  std::string wrong_;
};

/// What a decision is asked about.
struct Question {
  rules::Notification notification;
  rules::UserSettings user;
  rules::ConversationSettings conversation;
  base::WallTime now;
  bool is_cancelled = false;
};

std::string read_notification(const Json& line, Question& question, const WhatIfOptions& options) {
  Row row(line, "notification",
          {"id", "user_id", "conversation_id", "message_id", "notification_type", "title", "body",
           "payload", "metadata", "status", "priority", "created_at", "due_at", "expires_at",
           "sent_at", "delivered_at", "opened_at", "expired_at"});
  rules::Notification& n = question.notification;
  base::WallTime created_at = question.now;
  std::string payload = "{}";
  std::string status;
  n.type = "message";
  row.read_time("created_at", created_at);
  n.id = base::NotificationId(base::uuid_v7_from(created_at, {}));
  row.read_id("id", n.id);
  row.read_id("user_id", n.user);
  row.read_id("conversation_id", n.conversation);
  row.read_id("message_id", n.message);
  row.read("notification_type", n.type);
  row.read_json("payload", payload);
  row.read("status", status);
  n.expires_at = n.created_at() + options.expiry.of(n.type);
  row.read_time("expires_at", n.expires_at);
  if (auto presentation = rules::decode_presentation(payload)) {
    n.presentation = std::move(*presentation);
  }
  question.is_cancelled = status == rules::name(rules::Status::cancelled);
  return row.wrong();
}

std::string read_user(const Json& line, Question& question) {
  Row row(
      line, "user_settings",
      {"id", "user_id", "notifications_enabled", "sound_enabled", "vibration_enabled",
       "notification_sound", "quiet_hours", "preferences", "created_at", "updated_at", "revision"});
  rules::UserColumns columns;
  row.read("notifications_enabled", columns.notifications_enabled);
  row.read("sound_enabled", columns.sound_enabled);
  row.read("vibration_enabled", columns.vibration_enabled);
  row.read("notification_sound", columns.notification_sound);
  row.read_json("quiet_hours", columns.quiet_hours);
  row.read_json("preferences", columns.preferences);
  question.user = rules::to_settings(columns);
  return row.wrong();
}

std::string read_conversation(const Json& line, Question& question) {
  Row row(line, "conversation_settings",
          {"id", "user_id", "conversation_id", "notifications_enabled", "sound_enabled",
           "notification_level", "muted_until", "custom_settings", "created_at", "updated_at",
           "revision"});
  rules::ConversationColumns columns;
  row.read("notifications_enabled", columns.notifications_enabled);
  row.read("sound_enabled", columns.sound_enabled);
  row.read("notification_level", columns.notification_level);
  row.read_time("muted_until", columns.muted_until);
  row.read_json("custom_settings", columns.custom_settings);
  question.conversation = rules::to_settings(columns);
  if (!rules::parse_notification_level(columns.notification_level) && row.wrong().empty()) {
    return "conversation_settings.notification_level must be \"all\", \"mentions\" or \"none\"";
  }
  return row.wrong();
}

Expected<Question> read_line(const std::string& text, base::WallTime now,
                             const WhatIfOptions& options) {
  const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object()) return fail(Errc::invalid, "it is no JSON object");
  Question question;
  question.now = now;
  for (const auto& [name, value] : line.items()) {
    if (name == "notification" || name == "user_settings" || name == "conversation_settings") {
      continue;
    }
    if (name != "now") {
      return fail(Errc::invalid, "\"" + name +
                                     "\" is none of notification, user_settings, "
                                     "conversation_settings, now");
    }
    const auto time = base::parse_time(value.is_string() ? value.get<std::string>() : "");
    if (!time) return fail(Errc::invalid, "now must be a time, as in 2026-11-22T23:54:25Z");
    question.now = *time;
  }
  std::string wrong = read_notification(line, question, options);
  if (wrong.empty()) wrong = read_user(line, question);
  if (wrong.empty()) wrong = read_conversation(line, question);
  if (!wrong.empty()) return fail(Errc::invalid, std::move(wrong));
  return question;
}

void print_json(std::ostream& out, const rules::Circumstances& facts,
                const rules::Decision& decision) {
  base::JsonObject answer;
  answer.text("verdict", rules::name(decision.verdict));
  if (decision.until) {
    answer.text("until", base::to_rfc3339(*decision.until));
  } else {
    answer.raw("until", "null");
  }
  answer.raw("reasons", rules::encode_findings(rules::findings(facts, decision)));
  out << std::move(answer).finish() << '\n';
}

}  // namespace

std::size_t what_if(std::istream& in, std::ostream& out, const base::Clock& clock,
                    const WhatIfOptions& options) {
  std::size_t wrong = 0;
  std::size_t number = 0;
  for (std::string text; std::getline(in, text);) {
    ++number;
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto question = read_line(text, clock.now(), options);
    if (!question) {
      ++wrong;
      base::JsonObject error;
      error.text("error", "line " + std::to_string(number) + ": " + question.error().detail);
      out << std::move(error).finish() << '\n';
      continue;
    }
    rules::Circumstances facts{question->notification, question->user, question->conversation,
                               question->now};
    facts.is_cancelled = question->is_cancelled;
    facts.is_critical = options.types.is_critical(question->notification);
    facts.is_groupable = options.types.is_groupable(question->notification);
    facts.is_kept = options.expiry.is_kept(question->notification.type);
    const rules::Decision decision = rules::decide(facts);
    if (options.as_json) {
      print_json(out, facts, decision);
    } else {
      out << tell(facts, decision);
    }
  }
  return wrong;
}

}  // namespace notify::edges
