#include "push-simulator/browsers.hpp"

#include <algorithm>
#include <utility>

#include "base/json_object.hpp"
#include "base/text.hpp"
#include "push-simulator/web_push_crypto.hpp"

namespace notify::simulator {
namespace {

using nlohmann::json;

constexpr int kOk = 200;
constexpr int kBadRequest = 400;
constexpr int kConflict = 409;
constexpr int kTooMany = 429;
// Delivered, not decrypted, not delivered.
constexpr std::int64_t kFirstAck = 100;
constexpr std::int64_t kLastAck = 102;
// The service worker threw, its promise was rejected, another failure.
constexpr std::int64_t kFirstNack = 301;
constexpr std::int64_t kLastNack = 303;
constexpr std::string_view kBadCode = "code is none that a browser sends";

json counts_by_code(const std::map<std::int64_t, std::uint64_t>& counts) {
  json value = json::object();
  for (const auto& [code, count] : counts) value[std::to_string(code)] = count;
  return value;
}

/// The application server's key without padding, as senders name it. nullopt if it is no point of
/// P-256; empty if the browser named none.
std::optional<std::string> sender_key_of(const json& message) {
  const auto point = base::base64url_decode(message.value("key", ""));
  if (!point) return std::nullopt;
  if (point->empty()) return std::string();
  if (!public_key_of(*point)) return std::nullopt;
  return base::base64url_encode(*point);
}

std::string channel_answer(std::string_view type, std::string_view channel, int status) {
  base::JsonObject json;
  json.text("messageType", type).text("channelID", channel).number("status", status);
  return std::move(json).finish();
}

}  // namespace

void Browsers::receive(BrowserLink& link, std::string_view text) {
  const json message = json::parse(text, nullptr, false);
  if (!message.is_object()) return refuse(link, "a message is a JSON object");
  try {
    understand(link, message);
  } catch (const json::exception&) {
    refuse(link, "a field of the message is missing or has the wrong type");
  }
}

void Browsers::understand(BrowserLink& link, const json& message) {
  const std::string type = message.value("messageType", "");
  if (message.empty() || type == "ping") return link.send("{}");
  if (type == "hello") return hello(link, message);
  const auto online = online_.find(&link);
  if (online == online_.end()) return refuse(link, "the first message is a hello");
  Browser& browser = browsers_.at(online->second);
  if (type == "register") return enroll(link, message, online->second);
  if (type == "unregister") return unregister(link, message, browser);
  if (type == "ack") return take_acks(link, message, browser);
  if (type == "nack") {
    const auto code = message.at("code").get<std::int64_t>();
    if (code < kFirstNack || code > kLastNack) return refuse(link, kBadCode);
    ++counts_.nacks[code];
    return;
  }
  // There are no broadcasts, so a subscription to them has no answer.
  if (type == "broadcast_subscribe") return;
  refuse(link, "messageType is none that a browser sends");
}

void Browsers::hello(BrowserLink& link, const json& message) {
  if (online_.contains(&link)) return refuse(link, "one hello is enough");
  if (!message.value("use_webpush", false)) return refuse(link, "use_webpush must be true");
  std::string uaid = message.value("uaid", "");
  if (!browsers_.contains(uaid)) {
    if (browsers_.size() >= kMaxBrowsers) return refuse(link, "there are too many browsers");
    uaid = ids_.next().to_string();
  }
  Browser& browser = browsers_[uaid];
  if (browser.link != nullptr) {
    BrowserLink& old = *browser.link;
    disconnected(old);
    old.close("the browser has connected anew");
  }
  browser.link = &link;
  online_.emplace(&link, uaid);
  base::JsonObject welcome;
  welcome.text("messageType", "hello").text("uaid", uaid).number("status", kOk);
  welcome.raw("use_webpush", "true").raw("broadcasts", "{}");
  link.send(std::move(welcome).finish());
  drop_expired(browser);
  for (Message& waiting : browser.waiting) send(browser, waiting);
}

void Browsers::enroll(BrowserLink& link, const json& message, const std::string& uaid) {
  const std::string id = message.at("channelID").get<std::string>();
  const auto refused = [&](int status) { link.send(channel_answer("register", id, status)); };
  if (!base::Uuid::parse(id)) return refuse(link, "channelID is a UUID");
  auto key = sender_key_of(message);
  if (!key) return refused(kBadRequest);
  Browser& browser = browsers_.at(uaid);
  auto channel = browser.channels.find(id);
  if (channel == browser.channels.end()) {
    if (browser.enrolled >= kMaxChannels) return refused(kTooMany);
    ++browser.enrolled;
    const std::string subscription = ids_.next().to_string();
    subscriptions_.add_channel(subscription, *key);
    channels_.emplace(subscription, Channel{uaid, id});
    channel = browser.channels.emplace(id, subscription).first;
  } else {  // the answer may have been lost with the connection
    const auto known = subscriptions_.find(channel->second);
    if (!known || known->vapid_key != *key) return refused(kConflict);
  }
  base::JsonObject registered;
  registered.text("messageType", "register").text("channelID", id).number("status", kOk);
  registered.text("pushEndpoint", subscriptions_.endpoint_of(channel->second));
  link.send(std::move(registered).finish());
}

void Browsers::unregister(BrowserLink& link, const json& message, Browser& browser) {
  const std::string id = message.at("channelID").get<std::string>();
  const auto channel = browser.channels.find(id);
  if (channel != browser.channels.end()) {
    subscriptions_.end_channel(channel->second);
    channels_.at(channel->second).registered = false;
    std::erase_if(browser.waiting,
                  [&](const Message& waiting) { return waiting.channel == channel->first; });
    browser.channels.erase(channel);
  }
  link.send(channel_answer("unregister", id, kOk));
}

void Browsers::take_acks(BrowserLink& link, const json& message, Browser& browser) {
  for (const json& update : message.at("updates")) {
    const auto& channel = update.at("channelID").get_ref<const std::string&>();
    const auto& version = update.at("version").get_ref<const std::string&>();
    const auto code = update.at("code").get<std::int64_t>();
    if (code < kFirstAck || code > kLastAck) return refuse(link, kBadCode);
    // An unknown one is of a message that has expired, or was acknowledged before.
    const auto found =
        std::find_if(browser.waiting.begin(), browser.waiting.end(), [&](const Message& waiting) {
          return waiting.id == version && waiting.channel == channel;
        });
    if (found == browser.waiting.end()) continue;
    browser.waiting.erase(found);
    ++counts_.acks[code];
    ++channels_.at(browser.channels.at(channel)).acks[code];
  }
}

void Browsers::refuse(BrowserLink& link, std::string_view why) {
  ++counts_.closed;
  link.close(why);
}

void Browsers::disconnected(BrowserLink& link) {
  const auto online = online_.find(&link);
  if (online == online_.end()) return;
  Browser& browser = browsers_.at(online->second);
  browser.link = nullptr;
  for (Message& message : browser.waiting) message.on_its_way = false;
  online_.erase(online);
}

void Browsers::deliver(std::string_view subscription, const RelayedMessage& message) {
  const auto channel = channels_.find(subscription);
  if (channel == channels_.end() || !channel->second.registered) return;
  Browser& browser = browsers_.at(channel->second.browser);
  drop_expired(browser);
  const std::chrono::seconds ttl = std::min(message.ttl, kMaxTtl);
  if (ttl.count() == 0 && browser.link == nullptr) {
    ++counts_.expired;
    return;
  }
  if (!message.topic.empty()) {
    counts_.replaced += std::erase_if(browser.waiting, [&](const Message& waiting) {
      return !waiting.on_its_way && waiting.channel == channel->second.id &&
             waiting.topic == message.topic;
    });
  }
  if (browser.waiting.size() >= kMaxWaiting) {
    browser.waiting.pop_front();
    ++counts_.dropped;
  }
  browser.waiting.push_back({std::string(message.id), channel->second.id, std::string(message.body),
                             std::string(message.topic), ttl, clock_.now() + ttl});
  send(browser, browser.waiting.back());
}

void Browsers::send(Browser& browser, Message& message) {
  if (browser.link == nullptr) return;
  ++(message.times_sent == 0 ? counts_.sent : counts_.sent_again);
  ++message.times_sent;
  message.on_its_way = true;
  base::JsonObject headers;
  headers.text("encoding", "aes128gcm");
  base::JsonObject json(2 * message.body.size());
  json.text("messageType", "notification").text("channelID", message.channel);
  json.text("version", message.id).number("ttl", message.ttl.count());
  json.text("data", base::base64url_encode(message.body)).object("headers", std::move(headers));
  browser.link->send(std::move(json).finish());
}

/// A message on its way stays: its acknowledgement is to be counted.
void Browsers::drop_expired(Browser& browser) {
  counts_.expired += std::erase_if(browser.waiting, [&](const Message& message) {
    return !message.on_its_way && message.expires_at <= clock_.now();
  });
}

void Browsers::cut_all() {
  for (const auto& [uaid, browser] : browsers_) {
    if (browser.link == nullptr) continue;
    BrowserLink& link = *browser.link;
    disconnected(link);
    link.cut();
  }
}

void Browsers::clear() {
  cut_all();
  browsers_.clear();
  channels_.clear();
  clear_counts();
}

void Browsers::clear_counts() {
  counts_ = {};
  for (auto& [subscription, channel] : channels_) channel.acks.clear();
}

json Browsers::stats() {
  std::size_t waiting = 0;
  std::size_t channels = 0;
  for (auto& [uaid, browser] : browsers_) {
    drop_expired(browser);
    waiting += browser.waiting.size();
    channels += browser.channels.size();
  }
  return {{"known", browsers_.size()},
          {"connected", online_.size()},
          {"channels", channels},
          {"waiting", waiting},
          {"sent", counts_.sent},
          {"sent_again", counts_.sent_again},
          {"replaced", counts_.replaced},
          {"expired", counts_.expired},
          {"dropped", counts_.dropped},
          {"closed", counts_.closed},
          {"acks", counts_by_code(counts_.acks)},
          {"nacks", counts_by_code(counts_.nacks)}};
}

std::optional<json> Browsers::channel_stats(std::string_view subscription) {
  const auto found = channels_.find(subscription);
  if (found == channels_.end()) return std::nullopt;
  const Channel& channel = found->second;
  Browser& browser = browsers_.at(channel.browser);
  drop_expired(browser);
  const auto waiting =
      std::count_if(browser.waiting.begin(), browser.waiting.end(),
                    [&](const Message& message) { return message.channel == channel.id; });
  return json{{"connected", browser.link != nullptr},
              {"registered", channel.registered},
              {"waiting", waiting},
              {"acks", counts_by_code(channel.acks)}};
}

}  // namespace notify::simulator
