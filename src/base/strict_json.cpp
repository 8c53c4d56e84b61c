#include "base/strict_json.hpp"

#include <set>
#include <vector>

namespace notify::base {
namespace {

using Json = nlohmann::json;

/// Looks at a text without building anything. (The parser's own callback would do both at once, but
/// takes time that grows with the square of an array's length.)
class Checker final : public nlohmann::json_sax<Json> {
 public:
  explicit Checker(int depth_max) : depth_max_(depth_max) {}
  [[nodiscard]] const char* flaw() const { return flaw_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }

  bool start_object(std::size_t) override {
    names_.emplace_back();
    return go_deeper();
  }
  bool key(string_t& name) override {
    if (names_.back().insert(name).second) return true;
    flaw_ = "has a name twice in one object";
    return false;
  }
  bool end_object() override {
    names_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override { return go_deeper(); }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    flaw_ = "is not valid JSON";
    return false;
  }

 private:
  bool go_deeper() {
    if (++depth_ > depth_max_) flaw_ = "is nested too deep";
    return flaw_ == nullptr;
  }

  int depth_max_;
  int depth_ = 0;
  std::vector<std::set<std::string>> names_;  // of the objects that are open, outermost first
  const char* flaw_ = nullptr;
};

}  // namespace

Expected<Json> parse_strict_json(std::string_view text, int depth_max) {
  Checker checker(depth_max);
  Json::sax_parse(text.begin(), text.end(), &checker);
  if (checker.flaw() != nullptr) return fail(Errc::invalid, checker.flaw());
  Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return fail(Errc::invalid, "is not valid JSON");
  return json;
}

}  // namespace notify::base
