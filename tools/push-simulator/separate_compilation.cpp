// The code of Asio's TLS and of Beast, compiled once here; Asio's core is in component base.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
