#pragma once
// Templates in a map, and the audit's entries beside it. It keeps the contract of tests/contract.

#include <map>
#include <utility>

#include "fakes/fake_link.hpp"
#include "stores/templates.hpp"

namespace notify::fakes {

/// Lifetime: `link` outlives this.
class FakeTemplates final : public stores::Templates {
 public:
  struct Faults {
    FakeFault find;
    FakeFault list;
    FakeFault change;
  };
  Faults faults;
  std::map<std::string, stores::TemplateRow> rows;
  std::vector<stores::AuditEntry> audited;
  std::size_t finds = 0;

  explicit FakeTemplates(FakeLink& link) : link_(link) {}

  /// As somebody put it there.
  void put(std::string name, std::string type, std::string data) {
    stores::TemplateRow row{name, std::move(type), std::move(data), true, 1, now(), now()};
    rows[std::move(name)] = std::move(row);
  }

  [[nodiscard]] async::Task<base::Expected<stores::TemplateRow>> find(std::string name,
                                                                      base::Deadline) override {
    ++finds;
    return link_.travel(faults.find, [this, name = std::move(name)] { return look(name); });
  }

  [[nodiscard]] async::Task<base::Expected<std::vector<stores::TemplateRow>>> list(
      stores::TemplatePage page, base::Deadline) override {
    return link_.travel(faults.list, [this, page = std::move(page)] {
      std::vector<stores::TemplateRow> found;
      for (auto at = rows.upper_bound(page.after); at != rows.end(); ++at) {
        if (found.size() == static_cast<std::size_t>(page.limit)) break;
        if (!page.with_inactive && !at->second.active) continue;
        if (page.type.empty() || page.type == at->second.type) found.push_back(at->second);
      }
      return base::Expected<std::vector<stores::TemplateRow>>(std::move(found));
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::TemplateRow>> create(stores::TemplateRow row,
                                                                        stores::AuditEntry entry,
                                                                        base::Deadline) override {
    return link_.travel(faults.change, [this, row = std::move(row), entry = std::move(entry)] {
      if (rows.contains(row.name)) return failed(base::Errc::already_exists);
      stores::TemplateRow made = row;
      made.revision = 1;
      made.created_at = now();
      return store(std::move(made), entry);
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::TemplateRow>> update(stores::TemplateRow row,
                                                                        stores::AuditEntry entry,
                                                                        base::Deadline) override {
    return link_.travel(faults.change, [this, row = std::move(row), entry = std::move(entry)] {
      const auto found = rows.find(row.name);
      if (found == rows.end()) return failed(base::Errc::not_found);
      if (found->second.revision != row.revision) return failed(base::Errc::conflict);
      stores::TemplateRow changed = row;
      ++changed.revision;
      changed.created_at = found->second.created_at;
      return store(std::move(changed), entry);
    });
  }

 private:
  using Row = base::Expected<stores::TemplateRow>;

  static Row failed(base::Errc code) { return base::fail(code, "as the contract says"); }
  [[nodiscard]] base::WallTime now() const { return link_.timers.clock().now(); }

  Row look(const std::string& name) {
    const auto found = rows.find(name);
    return found == rows.end() ? failed(base::Errc::not_found) : Row(found->second);
  }

  Row store(stores::TemplateRow row, stores::AuditEntry entry) {
    row.updated_at = now();
    entry.detail.insert(entry.detail.size() - 1,
                        std::string(entry.detail == "{}" ? "" : ",") +
                            "\"revision\":" + std::to_string(row.revision));
    audited.push_back(std::move(entry));
    rows[row.name] = row;
    return row;
  }

  FakeLink& link_;
};

}  // namespace notify::fakes
