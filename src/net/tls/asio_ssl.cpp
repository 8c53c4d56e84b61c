// Asio's OpenSSL code, compiled once here instead of in every translation unit.
#include <boost/asio/ssl/impl/src.hpp>
