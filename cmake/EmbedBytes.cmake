# cmake -DINPUT=file -DOUTPUT=stem -P EmbedBytes.cmake: makes stem.cc and stem.h with the bytes of the
# file as notify::proto::descriptor_set().
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REPEAT "....." 16 line)  # 16 bytes
string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT}.h "#pragma once
// Generated: a google.protobuf.FileDescriptorSet with the comments of its sources.
#include <string_view>
namespace notify::proto {
std::string_view descriptor_set();
}
")
get_filename_component(name ${OUTPUT} NAME)
file(WRITE ${OUTPUT}.cc "#include \"notification/${name}.h\"
namespace notify::proto {
namespace {
const unsigned char kBytes[] = {
${bytes}};
}
std::string_view descriptor_set() {
  return {reinterpret_cast<const char*>(kBytes), sizeof kBytes};
}
}
")
