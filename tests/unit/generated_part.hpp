#pragma once
// Pages of docs/ that have a part which is made from the code.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace notify::tests {

/// Fails if the generated part of docs/PAGE differs from `made`; with UPDATE_DOCS it is written.
inline void expect_generated_part(const std::string& page, const std::string& made) {
  const std::string path = NOTIFY_SOURCE_DIR "/docs/" + page;
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::string begin = "<!-- generated: begin -->\n";
  const std::string end = "\n<!-- generated: end -->\n";
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find(end);
  ASSERT_NE(from, text.npos) << path;
  ASSERT_NE(to, text.npos) << path;
  const std::string wanted = text.substr(0, from + begin.size()) + made + text.substr(to);
  if (std::getenv("UPDATE_DOCS") != nullptr) std::ofstream(path) << wanted;
  EXPECT_TRUE(text == wanted || std::getenv("UPDATE_DOCS") != nullptr)
      << "docs/" << page << " does not match the code; run this test with UPDATE_DOCS=1";
}

}  // namespace notify::tests
