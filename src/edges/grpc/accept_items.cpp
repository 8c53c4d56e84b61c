#include "edges/grpc/accept_items.hpp"

#include <utility>

namespace notify::edges {

async::Task<flows::Accept::Answers> accept_items(flows::Accept& accept,
                                                 std::vector<rules::SendRequest> requests,
                                                 const SpoiltItems& spoilt, flows::Caller caller) {
  if (spoilt.empty()) co_return co_await accept.accept(std::move(requests), std::move(caller));
  std::vector<rules::SendRequest> readable;
  readable.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!spoilt.contains(i)) readable.push_back(std::move(requests[i]));
  }
  flows::Accept::Answers accepted;
  if (!readable.empty()) {
    accepted = co_await accept.accept(std::move(readable), std::move(caller));
  }
  flows::Accept::Answers answers;
  answers.reserve(requests.size());
  auto next = accepted.begin();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto found = spoilt.find(i);
    if (found == spoilt.end()) {
      answers.push_back(std::move(*next++));
    } else {
      answers.emplace_back(flows::refuse(found->second));
    }
  }
  co_return answers;
}

}  // namespace notify::edges
