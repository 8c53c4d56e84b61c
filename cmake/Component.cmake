# The two ways to add code: a component (a folder of src/) and a test executable.

add_library(notify_options INTERFACE)
target_include_directories(notify_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(notify_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wimplicit-fallthrough -Wunused-result -Wthread-safety
  -Wno-missing-field-initializers  # designated initializers leave the rest at its default
  -Werror)

# Settings that all code, tests and generated code must share.
add_library(notify_platform INTERFACE)
target_compile_definitions(notify_platform INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION
  SPDLOG_FMT_EXTERNAL)
target_compile_options(notify_platform INTERFACE
  -pthread  # gRPC's targets bring it; without it everywhere the precompiled header is refused
  $<$<CONFIG:Release>:-fstack-protector-strong> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>
  # ccache can only reuse objects built with a precompiled header that has no time stamp.
  "SHELL:-Xclang -fno-pch-timestamp")
target_link_options(notify_platform INTERFACE -fuse-ld=lld-16)
target_link_libraries(notify_platform INTERFACE Threads::Threads Boost::headers)
if(NOTIFY_SANITIZE)
  target_compile_options(notify_platform INTERFACE
    -fsanitize=${NOTIFY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(notify_platform INTERFACE -fsanitize=${NOTIFY_SANITIZE})
endif()

# One precompiled header for everything that touches Asio: halves the edit-build-test loop.
add_library(notify_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_link_libraries(notify_pch PRIVATE notify_platform notify_options)
target_precompile_headers(notify_pch PRIVATE
  <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/use_awaitable.hpp>
  <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp>
  <boost/asio/post.hpp> <boost/asio/steady_timer.hpp>
  <algorithm> <array> <chrono> <deque> <functional> <map> <memory> <optional> <string>
  <string_view> <unordered_map> <utility> <variant> <vector>)

# Under sanitizers a target is mostly built as a whole: what many files include is read once.
function(notify_in_batches target)
  if(NOTIFY_SANITIZE)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()
endfunction()

# notify_component(<name> [SOURCES ...] [DEPS <components>...] [LIBS <third party>...])
#   Makes the target notify_<name> with the alias notify::<name>. DEPS and LIBS are public when a
#   header of the component shows them; the layering check reads #includes, not this.
function(notify_component name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_library(notify_${name} STATIC ${ARG_SOURCES})
  add_library(notify::${name} ALIAS notify_${name})
  list(TRANSFORM ARG_DEPS PREPEND notify::)
  target_link_libraries(notify_${name} PUBLIC notify_platform ${ARG_DEPS} ${ARG_LIBS}
                                       PRIVATE notify_options)
  target_include_directories(notify_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_precompile_headers(notify_${name} REUSE_FROM notify_pch)
  notify_in_batches(notify_${name})
endfunction()

# All test programs, and only what they need: `cmake --build --preset tsan --target notify_tests`.
add_custom_target(notify_tests)

# notify_test(<name> LABEL unit|contract|integration SOURCES ... [DEPS ...] [LIBS ...] [NO_TSAN])
#   NO_TSAN: links gRPC, whose uninstrumented library gives false reports under TSan. Contracts are not
#   run under it either: what they run is run by unit and integration.
function(notify_test name)
  cmake_parse_arguments(ARG "NO_TSAN" "LABEL" "SOURCES;DEPS;LIBS" ${ARGN})
  if(NOTIFY_SANITIZE STREQUAL "thread" AND (ARG_NO_TSAN OR ARG_LABEL STREQUAL "contract"))
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_DEPS PREPEND notify::)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE
    notify_platform notify_options ${ARG_DEPS} ${ARG_LIBS} GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM notify_pch)
  notify_in_batches(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_dependencies(notify_tests ${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT 300)
endfunction()
