#pragma once
// A payload has a limit, and its texts give way to the rest: a notification that was accepted can
// always be sent.

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "rules/style.hpp"

namespace notify::rules {

/// So many bytes of title and body are always shown: what is accepted leaves room for them.
inline constexpr std::size_t kTextAlwaysShown = kOwnTextMax;

/// `render` of the texts, if that is too long at first.
[[nodiscard]] std::string cut_to_fit(const ShownTexts& texts, std::size_t payload_max,
                                     const std::function<std::string(const ShownTexts&)>& render);

/// Renders the texts. If the payload is over `payload_max` bytes, the body is cut between
/// characters as readers count them until it fits, down to nothing, and then the title. A payload
/// that is too long without texts is returned as it is.
template <class Render>
[[nodiscard]] std::string fit_texts(const ShownTexts& texts, std::size_t payload_max,
                                    Render render) {
  std::string payload = render(texts);
  if (payload.size() <= payload_max) return payload;
  return cut_to_fit(texts, payload_max, render);
}

}  // namespace notify::rules
