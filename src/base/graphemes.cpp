#include "base/graphemes.hpp"

#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/text.hpp"

namespace notify::base {
namespace {

constexpr std::string_view kEllipsis = "…";  // one grapheme, one code point

struct CloseText {
  void operator()(UText* text) const { utext_close(text); }
};
struct CloseBreaks {
  void operator()(UBreakIterator* breaks) const { ubrk_close(breaks); }
};

/// Walks the ends of graphemes, as offsets in bytes.
class Graphemes {
 public:
  explicit Graphemes(std::string_view text) {
    UErrorCode error = U_ZERO_ERROR;
    text_.reset(
        utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &error));
    breaks_.reset(ubrk_open(UBRK_CHARACTER, "", nullptr, 0, &error));
    ubrk_setUText(breaks_.get(), text_.get(), &error);
    usable_ = U_SUCCESS(error) != 0;
  }

  /// Nothing after the last one, or if ICU has no data to go by.
  [[nodiscard]] std::optional<std::size_t> next() {
    const std::int32_t end = usable_ ? ubrk_next(breaks_.get()) : UBRK_DONE;
    if (end == UBRK_DONE) return std::nullopt;
    return static_cast<std::size_t>(end);
  }

 private:
  std::unique_ptr<UText, CloseText> text_;
  std::unique_ptr<UBreakIterator, CloseBreaks> breaks_;
  bool usable_ = false;
};

bool keeps(const TextBounds& have, const TextBounds& bounds) {
  return have.graphemes <= bounds.graphemes && have.code_points <= bounds.code_points &&
         have.bytes <= bounds.bytes;
}

}  // namespace

std::string cut_graphemes(std::string_view text, const TextBounds& bounds) {
  // There are no more graphemes than code points, nor more of these than bytes.
  const std::size_t least = std::min({bounds.graphemes, bounds.code_points, bounds.bytes});
  if (text.size() <= least) return std::string(text);

  TextBounds have{0, 0, 0};
  std::size_t kept = 0;  // bytes that leave room for the ellipsis
  Graphemes graphemes(text);
  while (const auto end = graphemes.next()) {
    ++have.graphemes;
    have.code_points += utf8_length(text.substr(have.bytes, *end - have.bytes)).value_or(1);
    have.bytes = *end;
    if (!keeps(have, bounds)) break;
    if (have.bytes == text.size()) return std::string(text);
    const TextBounds with_ellipsis{have.graphemes + 1, have.code_points + 1,
                                   have.bytes + kEllipsis.size()};
    if (keeps(with_ellipsis, bounds)) kept = have.bytes;
  }
  if (!keeps({1, 1, kEllipsis.size()}, bounds)) return {};
  std::string_view cut = text.substr(0, kept);
  while (!cut.empty() && (cut.back() == ' ' || cut.back() == '\n' || cut.back() == '\t')) {
    cut.remove_suffix(1);
  }
  return std::string(cut).append(kEllipsis);
}

}  // namespace notify::base
