// Asio's own code, compiled once here instead of in every translation unit.
#include <boost/asio/impl/src.hpp>
