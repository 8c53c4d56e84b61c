// What comes back from Redis and PostgreSQL: items of the queue, presentations, metadata,
// templates, shared settings.

#include "fuzz/input.hpp"
#include "rules/codec.hpp"
#include "rules/settings_entry.hpp"
#include "rules/template.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace notify::rules;
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  if (const auto item = decode_queue_item(json)) {
    const auto again = decode_queue_item(encode_queue_item(*item));
    notify::fuzz::require(again && *again == *item, "an item is what it was encoded from");
  }
  if (const auto presentation = decode_presentation(json)) {
    const auto again = decode_presentation(encode_presentation(*presentation));
    notify::fuzz::require(again && *again == *presentation, "a presentation survives a round trip");
  }
  (void)decode_metadata(json);
  const std::string text(json);
  const std::string stamp = encode_last_updated({});
  for (const SettingsFields& fields :
       {SettingsFields{text, "{}", "{}", stamp}, SettingsFields{"{}", text, "{}", stamp},
        SettingsFields{"{}", "{}", text, stamp}, SettingsFields{"{}", "{}", "{}", text}}) {
    const auto settings = decode_settings(fields);
    if (!settings) continue;
    const auto again = decode_settings(encode_settings(*settings));
    notify::fuzz::require(again && (settings->user.revision == 0 || *again == *settings),
                          "settings survive a round trip");
  }
  if (auto wording = decode_template(json)) {
    const auto again = decode_template(encode_template(*wording));
    notify::fuzz::require(again && *again == *wording, "a template survives a round trip");
    const auto compiled = Template::compile(std::move(*wording));
    if (!compiled) return 0;
    const auto rendered = compiled->render("fr-CA", {});
    notify::fuzz::require(!rendered || rendered->body.find_first_of("{}") == std::string::npos,
                          "no brace of a template is left");
  }
  return 0;
}
