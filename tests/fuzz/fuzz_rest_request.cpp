// What an end user sends once let in: verb, path, query, If-Match and body, as far as the message
// that a method is called with.

#include "edges/rest/transcode.hpp"
#include "fuzz/input.hpp"
#include "unit/edges_rest/fake_methods.hpp"

namespace {

using namespace notify;
using namespace notify::edges::rest;

const base::UserId kUser = *base::UserId::parse("018f3c2a-0000-4000-8000-0000000000aa");

const RouteTable& routes() {
  static FakeMethods methods;
  static const RouteTable kRoutes = RouteTable::create(methods.table.methods()).value();
  return kRoutes;
}

void check(const flows::Answer<std::unique_ptr<Message>>& request) {
  if (!request) {
    for (const auto& violation : request.error().violations) {
      fuzz::require(!violation.description.empty() && violation.description.size() < 100,
                    "a violation says what is wrong, and quotes nothing");
    }
    return;
  }
  fuzz::require(is_only_about(**request, kUser), "a request is about its user only");
  const auto* field = (*request)->GetDescriptor()->FindFieldByName(kUserField);
  if (field != nullptr) {
    fuzz::require((*request)->GetReflection()->GetString(**request, field) == kUser.to_string(),
                  "a request names its user");
  }
  (void)to_json(**request);
  (void)etag_of(**request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto& resources = routes().resources();
  const Resource& resource = resources[input.byte() % resources.size()];
  const Route& route = resource.routes[input.byte() % resource.routes.size()];
  RequestParts parts{.user = kUser};
  for (const Segment& segment : resource.path) {
    if (segment.is_field) parts.variables[segment.text] = "some-id";
  }
  const auto target = parse_target("/" + std::string(input.text()));
  if (target) {
    (void)routes().find(target->segments);
    parts.query = target->query;
  }
  const std::string_view if_match = input.text();
  if (!if_match.empty()) parts.if_match = if_match;
  parts.body = input.rest();
  check(to_request(route, parts));
  return 0;
}
