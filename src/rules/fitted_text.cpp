#include "rules/fitted_text.hpp"

#include "base/graphemes.hpp"

namespace notify::rules {
namespace {

/// The largest number of bytes, up to `most`, with which `fits` holds; 0 if it holds with none.
std::size_t largest_that_fits(std::size_t most, const std::function<bool(std::size_t)>& fits) {
  std::size_t low = 0;
  while (low < most) {
    const std::size_t middle = low + (most - low + 1) / 2;
    if (fits(middle)) {
      low = middle;
    } else {
      most = middle - 1;
    }
  }
  return low;
}

}  // namespace

std::string cut_to_fit(const ShownTexts& texts, std::size_t payload_max,
                       const std::function<std::string(const ShownTexts&)>& render) {
  ShownTexts shown = texts;
  const auto cut = [&](std::string ShownTexts::*text) {
    const auto with = [&](std::size_t bytes) {
      shown.*text = base::cut_graphemes(texts.*text, {.bytes = bytes});
      return render(shown);
    };
    return with(largest_that_fits((texts.*text).size(), [&](std::size_t bytes) {
      return with(bytes).size() <= payload_max;
    }));
  };
  std::string payload = cut(&ShownTexts::body);
  if (payload.size() > payload_max) payload = cut(&ShownTexts::title);
  return payload;
}

}  // namespace notify::rules
