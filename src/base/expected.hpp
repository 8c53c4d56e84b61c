#pragma once
// A value or an error, with std::expected's names: libstdc++ 12 has no <expected>, and a later
// compiler makes this an alias. There is no implicit conversion from an error; return
// `fail(Errc::..., "...")` instead.

#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/error.hpp"

namespace notify::base {

template <class E>
class Unexpected {
 public:
  explicit Unexpected(E error) : error_(std::move(error)) {}
  [[nodiscard]] const E& error() const& noexcept { return error_; }
  [[nodiscard]] E&& error() && noexcept { return std::move(error_); }

 private:
  E error_;
};

/// Errors: `value()` on an error is a programmer's mistake and ends the process; ask first.
template <class T, class E = Error>
class [[nodiscard]] Expected {
 public:
  using value_type = T;
  using error_type = E;

  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: as std's
  Expected(Unexpected<E> failure)                                          // NOLINT: as std's
      : state_(std::in_place_index<1>, std::move(failure).error()) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] T& value() & { return *checked(std::get_if<0>(&state_)); }
  [[nodiscard]] const T& value() const& { return *checked(std::get_if<0>(&state_)); }
  [[nodiscard]] T&& value() && { return std::move(*checked(std::get_if<0>(&state_))); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
  [[nodiscard]] T* operator->() { return &value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }

  [[nodiscard]] E& error() & { return *checked(std::get_if<1>(&state_)); }
  [[nodiscard]] const E& error() const& { return *checked(std::get_if<1>(&state_)); }
  [[nodiscard]] E&& error() && { return std::move(*checked(std::get_if<1>(&state_))); }

  template <class U>
  [[nodiscard]] T value_or(U&& other) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(other));
  }

  template <class F>
  auto and_then(F&& next) && -> std::invoke_result_t<F, T&&> {
    if (has_value()) return std::invoke(std::forward<F>(next), std::move(*this).value());
    return Unexpected<E>(std::move(*this).error());
  }

  template <class F>
  auto transform(F&& next) && -> Expected<std::invoke_result_t<F, T&&>, E> {
    if (has_value()) return std::invoke(std::forward<F>(next), std::move(*this).value());
    return Unexpected<E>(std::move(*this).error());
  }

 private:
  template <class P>
  static P* checked(P* pointer) {
    if (pointer == nullptr) std::abort();
    return pointer;
  }

  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Expected<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Expected() = default;
  Expected(Unexpected<E> failure)  // NOLINT: as std's
      : error_(std::in_place_index<1>, std::move(failure).error()) {}

  [[nodiscard]] bool has_value() const noexcept { return error_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (!has_value()) std::abort();
  }
  [[nodiscard]] E& error() & { return *checked(std::get_if<1>(&error_)); }
  [[nodiscard]] const E& error() const& { return *checked(std::get_if<1>(&error_)); }
  [[nodiscard]] E&& error() && { return std::move(*checked(std::get_if<1>(&error_))); }

 private:
  template <class P>
  static P* checked(P* pointer) {
    if (pointer == nullptr) std::abort();
    return pointer;
  }

  std::variant<std::monostate, E> error_;
};

/// The way to return a failure from a function that returns Expected<T>.
[[nodiscard]] inline Unexpected<Error> fail(Errc code, std::string detail) {
  return Unexpected<Error>(Error{code, std::move(detail)});
}
[[nodiscard]] inline Unexpected<Error> fail(Error error) {
  return Unexpected<Error>(std::move(error));
}

}  // namespace notify::base
