#include "edges/http/version.hpp"

namespace notify::edges::http {

Version this_build() {
  return {NOTIFY_VERSION, NOTIFY_REVISION, NOTIFY_BUILD_TYPE, "clang " __clang_version__};
}

}  // namespace notify::edges::http
