// Small texts from outside: ids, tokens of pages, times, trace headers, URLs.

#include "base/text.hpp"
#include "base/uuid.hpp"
#include "fuzz/input.hpp"
#include "net/http2/origin.hpp"
#include "storage/redis/url.hpp"
#include "telemetry/trace.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace notify;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto uuid = base::Uuid::parse(text)) {
    fuzz::require(base::Uuid::parse(uuid->to_string()) == uuid, "an id survives a round trip");
  }
  if (const auto decoded = base::base64url_decode(text)) {
    fuzz::require(base::base64url_decode(base::base64url_encode(*decoded)) == decoded,
                  "base64url survives a round trip");
  }
  if (const auto length = base::utf8_length(text)) {
    fuzz::require(*length <= size, "no text has more characters than bytes");
    std::string json;
    base::append_json_string(json, text);
    fuzz::require(json.size() >= size + 2, "a JSON string holds its text");
  }
  (void)base::find_control_character(text);
  (void)base::parse_sql_timestamp(text);
  (void)telemetry::parse_traceparent(text);
  (void)telemetry::parse_b3(text);
  (void)http2::parse_origin(text);
  (void)redis::parse_url(base::Secret(std::string(text)));
  return 0;
}
