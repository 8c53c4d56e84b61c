#pragma once
// How each type of value is read, written and described. One set of overloads per type; a row of
// the field table finds its set by the type of its member.

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "config/types.hpp"

namespace notify::config {

/// A value as it stands in its source. In the environment a list is written with commas.
struct Raw {
  std::string text;
  std::vector<std::string> items;  ///< of a YAML list
  bool is_list = false;
};

/// What a value must satisfy alone. For a list it holds for each item.
struct Rules {
  std::int64_t min = 0;  ///< in the base unit: a count, milliseconds, bytes, a port
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string_view> schemes;  ///< of a URL; empty: any
  bool may_be_empty = false;              ///< of a URL or an address
};

/// A Problem without its place.
struct Flaw {
  std::string what;
  std::string hint;
};

/// Reads `raw` into `into`, which is untouched if there is a flaw.
/// Errors: the flaw; it repeats the value only if the type cannot hold a secret.
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, std::string& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, std::size_t& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, Bytes& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, bool& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, Duration& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, Address& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, Url& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, FilePath& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, base::Secret& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, LogLevel& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, LogFormat& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, OverLimit& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, Rate& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, TypeRate& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, WhenDown& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules, ApnsEnvironment& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules,
                                        std::vector<std::string>& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules,
                                        std::vector<Duration>& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules,
                                        std::vector<Rate>& into);
[[nodiscard]] std::optional<Flaw> parse(const Raw& raw, const Rules& rules,
                                        std::vector<TypeRate>& into);

/// The value as YAML that reads back as the same value, except that secrets become `***`.
[[nodiscard]] std::string to_yaml(const std::string& value);
[[nodiscard]] std::string to_yaml(const std::size_t& value);
[[nodiscard]] std::string to_yaml(const Bytes& value);
[[nodiscard]] std::string to_yaml(const bool& value);
[[nodiscard]] std::string to_yaml(const Duration& value);
[[nodiscard]] std::string to_yaml(const Address& value);
[[nodiscard]] std::string to_yaml(const Url& value);
[[nodiscard]] std::string to_yaml(const FilePath& value);
[[nodiscard]] std::string to_yaml(const base::Secret& value);
[[nodiscard]] std::string to_yaml(const LogLevel& value);
[[nodiscard]] std::string to_yaml(const LogFormat& value);
[[nodiscard]] std::string to_yaml(const OverLimit& value);
[[nodiscard]] std::string to_yaml(const Rate& value);
[[nodiscard]] std::string to_yaml(const TypeRate& value);
[[nodiscard]] std::string to_yaml(const WhenDown& value);
[[nodiscard]] std::string to_yaml(const ApnsEnvironment& value);
[[nodiscard]] std::string to_yaml(const std::vector<std::string>& value);
[[nodiscard]] std::string to_yaml(const std::vector<Duration>& value);
[[nodiscard]] std::string to_yaml(const std::vector<Rate>& value);
[[nodiscard]] std::string to_yaml(const std::vector<TypeRate>& value);

/// The name of the type, and what values it allows under `rules`, for people.
struct Description {
  std::string type;
  std::string allowed;
};
[[nodiscard]] Description describe(const std::string& tag, const Rules& rules);
[[nodiscard]] Description describe(const std::size_t& tag, const Rules& rules);
[[nodiscard]] Description describe(const Bytes& tag, const Rules& rules);
[[nodiscard]] Description describe(const bool& tag, const Rules& rules);
[[nodiscard]] Description describe(const Duration& tag, const Rules& rules);
[[nodiscard]] Description describe(const Address& tag, const Rules& rules);
[[nodiscard]] Description describe(const Url& tag, const Rules& rules);
[[nodiscard]] Description describe(const FilePath& tag, const Rules& rules);
[[nodiscard]] Description describe(const base::Secret& tag, const Rules& rules);
[[nodiscard]] Description describe(const LogLevel& tag, const Rules& rules);
[[nodiscard]] Description describe(const LogFormat& tag, const Rules& rules);
[[nodiscard]] Description describe(const OverLimit& tag, const Rules& rules);
[[nodiscard]] Description describe(const WhenDown& tag, const Rules& rules);
[[nodiscard]] Description describe(const ApnsEnvironment& tag, const Rules& rules);
[[nodiscard]] Description describe(const std::vector<std::string>& tag, const Rules& rules);
[[nodiscard]] Description describe(const std::vector<Duration>& tag, const Rules& rules);
[[nodiscard]] Description describe(const std::vector<Rate>& tag, const Rules& rules);
[[nodiscard]] Description describe(const std::vector<TypeRate>& tag, const Rules& rules);

}  // namespace notify::config
