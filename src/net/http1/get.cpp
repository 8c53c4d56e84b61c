#include "net/http1/get.hpp"

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <span>

#include "base/async/with_deadline.hpp"
#include "net/http2/origin.hpp"

namespace notify::http1 {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using async::Task;
using base::Errc;
using base::Expected;
using boost::system::error_code;

using Parser = bhttp::response_parser<bhttp::string_body>;

base::Unexpected<base::Error> bad_answer(const error_code& error) {
  return base::fail(Errc::corrupt, "the answer is malformed or too long: " + error.message());
}

/// Hands the parser what has arrived; what it does not take yet stays in the buffer.
error_code feed(Parser& parser, beast::flat_buffer& buffer) {
  error_code error;
  while (!parser.is_done() && buffer.size() > 0) {
    const std::size_t taken = parser.put(buffer.data(), error);
    buffer.consume(taken);
    if (error == bhttp::error::need_more) return {};
    if (error || taken == 0) break;
  }
  return error;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

Task<Expected<Response>> read_response(net::Transport& transport, GetLimits limits) {
  constexpr std::size_t kChunk = 4096;
  Parser parser;
  parser.eager(true);
  parser.header_limit(static_cast<std::uint32_t>(limits.header_max_bytes));
  parser.body_limit(limits.body_max_bytes);
  beast::flat_buffer buffer(limits.header_max_bytes + 2 * kChunk);
  while (!parser.is_done()) {
    const std::size_t room = std::min(kChunk, buffer.max_size() - buffer.size());
    if (room == 0) co_return base::fail(Errc::corrupt, "the answer's header is too long");
    const auto into = buffer.prepare(room);
    const auto read = co_await transport.read({static_cast<char*>(into.data()), into.size()});
    error_code error;
    if (read) {
      buffer.commit(*read);
      error = feed(parser, buffer);
    } else {
      if (read.error().code == Errc::cancelled) co_return base::fail(read.error());
      // The end of the connection may be the end of the answer, if nothing else tells it.
      parser.put_eof(error);
      if (!error && !parser.is_done()) co_return base::fail(read.error());
    }
    if (error) co_return bad_answer(error);
  }
  Response response;
  response.status = static_cast<int>(parser.get().result_int());
  for (const auto& field : parser.get()) {
    response.headers.push_back({lower_case(field.name_string()), std::string(field.value())});
  }
  response.body = std::move(parser.get().body());
  co_return response;
}

Task<Expected<Response>> exchange(async::Timers& timers, Url url, const net::TlsContext* tls,
                                  GetLimits limits, std::vector<Header> headers) {
  auto transport = co_await net::Transport::connect(timers, url.endpoint, url.tls ? tls : nullptr,
                                                    limits.connect);
  if (!transport) co_return base::fail(transport.error());
  std::string request = "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority +
                        "\r\nAccept: application/json\r\nConnection: close\r\n";
  for (const Header& header : headers) request += header.name + ": " + header.value + "\r\n";
  request += "\r\n";
  const auto written = co_await (*transport)->write(request);
  if (!written) co_return base::fail(written.error());
  co_return co_await read_response(**transport, limits);
}

}  // namespace

Expected<Url> parse_url(std::string_view text) {
  text = text.substr(0, text.find('#'));
  const std::size_t scheme_end = text.find("://");
  const std::size_t from = scheme_end == text.npos ? 0 : scheme_end + 3;
  const std::size_t path = std::min(text.find_first_of("/?", from), text.size());
  auto origin = http2::parse_origin(text.substr(0, path));
  if (!origin) return base::fail(std::move(origin).error());
  const auto is_printable = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!std::all_of(text.begin(), text.end(), is_printable)) {
    return base::fail(Errc::invalid, "the URL has characters that must be percent-encoded");
  }
  Url url;
  url.tls = origin->scheme == "https";
  url.endpoint = origin->endpoint;
  url.authority = origin->authority;
  url.target = text.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

Task<Expected<Response>> get(async::Timers& timers, Url url, const net::TlsContext* tls,
                             GetLimits limits, base::Deadline deadline,
                             std::vector<Header> headers) {
  auto response = co_await async::with_deadline(
      timers, deadline, exchange(timers, std::move(url), tls, limits, std::move(headers)));
  // A read that the deadline cuts off says that it was cancelled.
  const bool is_late = !response && response.error().code == Errc::cancelled;
  if (is_late) co_return base::fail(Errc::timed_out, "the deadline passed");
  co_return std::move(response);
}

}  // namespace notify::http1
