#include "clients/key_source.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

namespace notify::clients {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using std::chrono::seconds;

constexpr std::size_t kDocumentMax = 64 * 1024;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
  });
}

}  // namespace

std::optional<seconds> max_age_of(std::string_view cache_control) {
  std::optional<seconds> age;
  while (!cache_control.empty()) {
    const std::size_t comma = std::min(cache_control.find(','), cache_control.size());
    const std::string_view directive = trimmed(cache_control.substr(0, comma));
    cache_control.remove_prefix(std::min(comma + 1, cache_control.size()));
    if (same_word(directive, "no-store") || same_word(directive, "no-cache")) return seconds(0);
    const std::size_t equals = directive.find('=');
    if (equals == directive.npos || !same_word(directive.substr(0, equals), "max-age")) continue;
    const std::string_view digits = directive.substr(equals + 1);
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && number >= 0) age = seconds(number);
  }
  return age;
}

KeyUrl::KeyUrl(async::Timers& timers, http1::Url url, std::unique_ptr<net::TlsContext> tls)
    : timers_(timers), url_(std::move(url)), tls_(std::move(tls)) {}

Expected<std::unique_ptr<KeyUrl>> KeyUrl::create(async::Timers& timers, std::string_view url,
                                                 std::string ca_file) {
  auto parsed = http1::parse_url(url);
  if (!parsed) return fail(std::move(parsed).error());
  std::unique_ptr<net::TlsContext> tls;
  if (parsed->tls) {
    auto made = net::TlsContext::create({.ca_file = std::move(ca_file), .alpn = ""});
    if (!made) return fail(std::move(made).error());
    tls = std::move(*made);
  }
  return std::unique_ptr<KeyUrl>(new KeyUrl(timers, std::move(*parsed), std::move(tls)));
}

async::Task<Expected<KeySource::Document>> KeyUrl::fetch(base::Deadline deadline) {
  http1::GetLimits limits;
  limits.body_max_bytes = kDocumentMax;
  auto response = co_await http1::get(timers_, url_, tls_.get(), limits, deadline);
  if (!response) co_return fail(response.error());
  if (response->status != 200) {
    co_return fail(Errc::unavailable, "HTTP status " + std::to_string(response->status));
  }
  co_return Document{std::move(response->body), max_age_of(response->header("cache-control"))};
}

async::Task<Expected<KeySource::Document>> KeyFile::fetch(base::Deadline) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path_, error);
  if (error) co_return fail(Errc::unavailable, error.message());
  if (size > kDocumentMax) co_return fail(Errc::corrupt, "the file is longer than 64 KiB");
  std::ifstream file(path_, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) co_return fail(Errc::unavailable, "the file cannot be read");
  co_return Document{std::move(text), std::nullopt};
}

}  // namespace notify::clients
