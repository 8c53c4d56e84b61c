#pragma once
// Keys of the curve P-256 as OpenSSL holds them, and the bytes that protocols send of them. Only
// for the files of this folder. Source: SEC 1 §2.3.3 (uncompressed points), RFC 7518 §6.2.1
// (coordinates).

#include <string>
#include <string_view>

#include "crypto/openssl.hpp"

namespace notify::crypto {

inline constexpr std::size_t kCoordinateLength = 32;
inline constexpr std::size_t kPointLength = 1 + 2 * kCoordinateLength;

/// A new key pair; null if OpenSSL has no random numbers.
[[nodiscard]] Pkey make_pair();

/// A public key of an uncompressed point; null if it has another form or is not on the curve.
[[nodiscard]] Pkey import_point(std::string_view point);

/// A key pair of a private scalar (32 bytes, big-endian) and its point; null if OpenSSL refuses it.
[[nodiscard]] Pkey import_pair(std::string_view scalar, std::string_view point);

/// The public part of a P-256 key as an uncompressed point; empty if OpenSSL fails.
[[nodiscard]] std::string point_of(const EVP_PKEY& key);

}  // namespace notify::crypto
