#include "rules/codec.hpp"

#include <simdjson.h>

#include "base/json_object.hpp"
#include "base/text.hpp"

namespace notify::rules {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using simdjson::SUCCESS;
using Element = simdjson::dom::element;
using Strings = std::map<std::string, std::string>;

base::JsonObject to_json(const Strings& values) {
  base::JsonObject object;
  for (const auto& [name, value] : values) object.text(name, value);
  return object;
}

std::string text_or_empty(const Element& object, std::string_view key) {
  std::string_view value;
  return object[key].get(value) == SUCCESS ? std::string(value) : std::string();
}

bool flag_or_false(const Element& object, std::string_view key) {
  bool value = false;
  return object[key].get(value) == SUCCESS && value;
}

Strings strings_or_none(const Element& object, std::string_view key) {
  Strings values;
  simdjson::dom::object inner;
  if (object[key].get(inner) != SUCCESS) return values;
  for (const auto& field : inner) {
    std::string_view value;
    if (field.value.get(value) == SUCCESS) values.emplace(field.key, value);
  }
  return values;
}

std::string encode_retracted(const std::vector<Retracted>& retracts) {
  std::string list = "[";
  for (const Retracted& one : retracts) {
    base::JsonObject object;
    object.text("id", one.id.to_string())
        .text_if_set("collapse_id", one.collapse_id)
        .flag_if_set("background", one.background);
    if (list.size() > 1) list += ',';
    list += std::move(object).finish();
  }
  return list + ']';
}

std::vector<Retracted> read_retracted(const Element& object) {
  std::vector<Retracted> retracts;
  simdjson::dom::array list;
  if (object["retracts"].get(list) != SUCCESS) return retracts;
  for (const Element one : list) {
    const auto id = base::NotificationId::parse(text_or_empty(one, "id"));
    if (!id) continue;
    retracts.push_back({*id, text_or_empty(one, "collapse_id"), flag_or_false(one, "background")});
  }
  return retracts;
}

Presentation read_presentation(const Element& object) {
  Presentation p;
  p.data = strings_or_none(object, "data");
  p.collapse_id = text_or_empty(object, "collapse_id");
  std::int64_t badge = 0;
  if (object["badge"].get(badge) == SUCCESS) p.badge = static_cast<std::int32_t>(badge);
  p.sound = text_or_empty(object, "sound");
  p.category = text_or_empty(object, "category");
  p.mutable_content = flag_or_false(object, "mutable_content");
  p.background = flag_or_false(object, "background");
  p.mention = flag_or_false(object, "mention");
  p.retracts = read_retracted(object);
  return p;
}

std::optional<RecordedDecision> read_decision(const Element& metadata, std::string_view key) {
  Element object;
  if (metadata[key].get(object) != SUCCESS) return std::nullopt;
  const auto verdict = parse_verdict(text_or_empty(object, "verdict"));
  if (!verdict) return std::nullopt;
  RecordedDecision decision;
  decision.at = base::parse_time(text_or_empty(object, "at"));
  decision.verdict = *verdict;
  decision.by = text_or_empty(object, "by");
  decision.until = base::parse_time(text_or_empty(object, "until"));
  decision.is_grouped = object["group"].error() == SUCCESS;
  decision.by_defaults = text_or_empty(object, "settings") == "default";
  decision.leaves_out_defaults = text_or_empty(object, "others") == "default";
  simdjson::dom::array reasons;
  if (object["reasons"].get(reasons) != SUCCESS) return decision;
  for (const Element reason : reasons) {
    decision.reasons.push_back({text_or_empty(reason, "rule"), text_or_empty(reason, "result"),
                                text_or_empty(reason, "input")});
  }
  return decision;
}

std::optional<RetractionMark> read_mark(const Element& metadata) {
  Element object;
  if (metadata["retracted"].get(object) != SUCCESS) return std::nullopt;
  const auto at = base::parse_time(text_or_empty(object, "at"));
  if (!at) return std::nullopt;
  return RetractionMark{*at, base::NotificationId::parse(text_or_empty(object, "by")),
                        text_or_empty(object, "caller")};
}

}  // namespace

std::string encode_mark(const RetractionMark& mark) {
  base::JsonObject object;
  object.text("at", base::to_rfc3339(mark.at));
  if (mark.by) object.text("by", mark.by->to_string());
  return std::move(object.text_if_set("caller", mark.caller)).finish();
}

std::string encode_presentation(const Presentation& p) {
  base::JsonObject object;
  if (!p.data.empty()) object.object("data", to_json(p.data));
  object.text_if_set("collapse_id", p.collapse_id);
  if (p.badge) object.number("badge", *p.badge);
  object.text_if_set("sound", p.sound)
      .text_if_set("category", p.category)
      .flag_if_set("mutable_content", p.mutable_content)
      .flag_if_set("background", p.background)
      .flag_if_set("mention", p.mention);
  if (!p.retracts.empty()) object.raw("retracts", encode_retracted(p.retracts));
  return std::move(object).finish();
}

Expected<Presentation> decode_presentation(std::string_view json) {
  simdjson::dom::parser parser;
  Element root;
  if (parser.parse(json.data(), json.size()).get(root) != SUCCESS) {
    return fail(Errc::corrupt, "the payload of a notification is not JSON");
  }
  return read_presentation(root);
}

std::string encode_metadata(const Notification& n, std::string_view decision) {
  base::JsonObject object;
  if (!n.labels.empty()) object.object("labels", to_json(n.labels));
  if (!decision.empty()) object.raw("decision", decision);
  if (n.template_used) {
    base::JsonObject used;
    used.text("name", n.template_used->name).number("revision", n.template_used->revision);
    object.object("template", std::move(used.text_if_set("locale", n.template_used->locale)));
  }
  if (n.deliver_at) object.text("deliver_at", base::to_rfc3339(*n.deliver_at));
  return std::move(object).finish();
}

Expected<Metadata> decode_metadata(std::string_view json) {
  simdjson::dom::parser parser;
  Element root;
  if (parser.parse(json.data(), json.size()).get(root) != SUCCESS) {
    return fail(Errc::corrupt, "the metadata of a notification is not JSON");
  }
  Metadata metadata;
  metadata.labels = strings_or_none(root, "labels");
  metadata.decisions = {read_decision(root, "decision"), read_decision(root, "later")};
  Element used;
  if (root["template"].get(used) == SUCCESS) {
    std::int64_t revision = 0;
    if (used["revision"].get(revision) != SUCCESS) revision = 0;
    metadata.template_used =
        TemplateUsed{text_or_empty(used, "name"), static_cast<std::int32_t>(revision),
                     text_or_empty(used, "locale")};
  }
  metadata.deliver_at = base::parse_time(text_or_empty(root, "deliver_at"));
  metadata.cancelled_at = base::parse_time(text_or_empty(root, "cancelled_at"));
  metadata.retracted = read_mark(root);
  return metadata;
}

std::string encode_queue_item(const Notification& n) {
  base::JsonObject object(512);
  object.number("v", kQueueItemVersion)
      .text("id", n.id.to_string())
      .text("user", n.user.to_string());
  if (n.conversation) object.text("conversation", n.conversation->to_string());
  if (n.message) object.text("message", n.message->to_string());
  object.text("type", n.type)
      .text("title", n.title)
      .text("body", n.body)
      .raw("payload", encode_presentation(n.presentation));
  if (!n.labels.empty()) object.object("labels", to_json(n.labels));
  object.text("priority", name(n.priority))
      .number("expires_at", n.expires_at.time_since_epoch().count());
  if (n.deliver_at) object.number("deliver_at", n.deliver_at->time_since_epoch().count());
  return std::move(object).finish();
}

Expected<Notification> decode_queue_item(std::string_view json) {
  simdjson::dom::parser parser;
  Element root;
  if (parser.parse(json.data(), json.size()).get(root) != SUCCESS) {
    return fail(Errc::corrupt, "a queue item is not JSON");
  }
  std::int64_t version = 0;
  if (root["v"].get(version) != SUCCESS || version != kQueueItemVersion) {
    return fail(Errc::corrupt, "a queue item has a version that this program does not know");
  }
  const auto id = base::NotificationId::parse(text_or_empty(root, "id"));
  const auto user = base::UserId::parse(text_or_empty(root, "user"));
  const auto priority = parse_priority(text_or_empty(root, "priority"));
  std::int64_t expires_at = 0;
  Element payload;
  const bool complete = id && user && priority && root["expires_at"].get(expires_at) == SUCCESS &&
                        root["payload"].get(payload) == SUCCESS;
  if (!complete) return fail(Errc::corrupt, "a queue item lacks a field");
  Notification n;
  n.id = *id;
  n.user = *user;
  n.conversation = base::ConversationId::parse(text_or_empty(root, "conversation"));
  n.message = base::MessageId::parse(text_or_empty(root, "message"));
  n.type = text_or_empty(root, "type");
  n.title = text_or_empty(root, "title");
  n.body = text_or_empty(root, "body");
  n.presentation = read_presentation(payload);
  n.labels = strings_or_none(root, "labels");
  n.priority = *priority;
  n.expires_at = base::WallTime(std::chrono::milliseconds(expires_at));
  std::int64_t deliver_at = 0;
  if (root["deliver_at"].get(deliver_at) == SUCCESS) {
    n.deliver_at = base::WallTime(std::chrono::milliseconds(deliver_at));
  }
  return n;
}

}  // namespace notify::rules
