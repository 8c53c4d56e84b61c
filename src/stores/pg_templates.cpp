#include "stores/pg_templates.hpp"

#include <utility>

#include "stores/pg_appends.hpp"
#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

#define NOTIFY_TEMPLATE_COLUMNS                                                        \
  "template_name, notification_type, template_data, is_active, revision, created_at, " \
  "updated_at"

/// The unique index on template_name.
constexpr pg::Statement kFind = {"templates_find", "SELECT " NOTIFY_TEMPLATE_COLUMNS
                                                   " FROM notification_templates "
                                                   "WHERE template_name = $1"};

/// The unique index on template_name, from the cursor upwards.
constexpr pg::Statement kList = {"templates_list",
                                 "SELECT " NOTIFY_TEMPLATE_COLUMNS
                                 " FROM notification_templates WHERE template_name > $1 "
                                 "AND (is_active OR $3) "
                                 "AND ($4::text IS NULL OR notification_type = $4) "
                                 "ORDER BY template_name LIMIT $2"};

/// What follows a change that returns its row as `changed`; $5 to $11 are the audit's.
#define NOTIFY_TEMPLATE_NOTED                                                            \
  ", noted AS (INSERT INTO audit_log (id, at, actor, action, subject_type, subject_id, " \
  "detail) SELECT $5::uuid, $6::timestamp, $7::text, $8::text, $9::text, $10::text, "    \
  "$11::jsonb || jsonb_build_object('revision', revision) FROM changed) "                \
  "SELECT " NOTIFY_TEMPLATE_COLUMNS " FROM changed"

/// The unique index on template_name.
constexpr pg::Statement kCreate = {
    "templates_create",
    "WITH changed AS (INSERT INTO notification_templates "
    "(template_name, notification_type, template_data, is_active) "
    "VALUES ($1, $2, $3::jsonb, $4) ON CONFLICT (template_name) DO NOTHING "
    "RETURNING " NOTIFY_TEMPLATE_COLUMNS ")" NOTIFY_TEMPLATE_NOTED};

/// The unique index on template_name. The revision is the trigger's.
constexpr pg::Statement kUpdate = {
    "templates_update",
    "WITH changed AS (UPDATE notification_templates SET notification_type = $2, "
    "template_data = $3::jsonb, is_active = $4 WHERE template_name = $1 AND revision = $12 "
    "RETURNING " NOTIFY_TEMPLATE_COLUMNS ")" NOTIFY_TEMPLATE_NOTED};

Expected<TemplateRow> read_row(const pg::Result& result, std::size_t index) {
  pg::Row row(result, index);
  TemplateRow read;
  read.name = row.text(0);
  read.type = row.text(1);
  read.data = row.text(2);
  read.active = row.boolean(3);
  read.revision = static_cast<std::int32_t>(row.int64(4));
  read.created_at = row.timestamp(5);
  read.updated_at = row.timestamp(6);
  if (row.fault()) return fail(*row.fault());
  return read;
}

pg::Params change_params(const TemplateRow& row, const AuditEntry& entry) {
  pg::Params params;
  params.text(row.name).text(row.type).text(row.data).boolean(row.active);
  params.uuid(entry.id).timestamp(entry.id.instant()).text(entry.actor).text(entry.action);
  params.text(entry.subject_type).text(entry.subject_id).text(entry.detail);
  return params;
}

}  // namespace

struct PgTemplates::Change {
  pg::Query query;
  base::WallTime at;
};

async::Task<Expected<TemplateRow>> PgTemplates::find(std::string name, base::Deadline deadline) {
  if (pool_.connected() == 0) co_return fail(no_connection());
  const auto found = co_await pool_.query({kFind, std::move(pg::Params().text(name))}, deadline);
  if (!found) co_return fail(to_error(found.error()));
  if (found->empty()) co_return fail(Errc::not_found, "there is no such template");
  co_return read_row(*found, 0);
}

async::Task<Expected<std::vector<TemplateRow>>> PgTemplates::list(TemplatePage page,
                                                                  base::Deadline deadline) {
  if (pool_.connected() == 0) co_return fail(no_connection());
  pg::Params params;
  params.text(page.after).int64(page.limit).boolean(page.with_inactive);
  params.text(page.type.empty() ? std::nullopt : std::optional(page.type));
  const auto result = co_await pool_.query({kList, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  std::vector<TemplateRow> rows;
  rows.reserve(result->rows());
  for (std::size_t i = 0; i < result->rows(); ++i) {
    auto row = read_row(*result, i);
    if (!row) co_return fail(std::move(row).error());
    rows.push_back(std::move(*row));
  }
  co_return rows;
}

async::Task<Expected<TemplateRow>> PgTemplates::create(TemplateRow row, AuditEntry entry,
                                                       base::Deadline deadline) {
  const Change change{{kCreate, change_params(row, entry)}, entry.id.instant()};
  const auto made = co_await run(change, deadline);
  if (!made) co_return fail(to_error(made.error()));
  if (made->empty()) co_return fail(Errc::already_exists, "there is a template of this name");
  co_return read_row(*made, 0);
}

async::Task<Expected<TemplateRow>> PgTemplates::update(TemplateRow row, AuditEntry entry,
                                                       base::Deadline deadline) {
  Change change{{kUpdate, change_params(row, entry)}, entry.id.instant()};
  change.query.params.int64(row.revision);
  const auto changed = co_await run(change, deadline);
  if (!changed) co_return fail(to_error(changed.error()));
  if (!changed->empty()) co_return read_row(*changed, 0);
  const auto there = co_await find(row.name, deadline);
  if (!there) co_return fail(there.error());
  co_return fail(Errc::conflict, "the template has another revision");
}

/// Runs it, and runs it again if nothing was committed and that can help.
/// Lifetime: `change` is in the caller's frame.
async::Task<pg::Expected<pg::Result>> PgTemplates::run(const Change& change,
                                                       base::Deadline deadline) {
  if (pool_.connected() == 0) {
    co_return pg::fail(pg::Fault::connection, Errc::unavailable, no_connection().detail);
  }
  auto done = co_await pool_.query(change.query, deadline);
  if (!done && done.error().fault == pg::Fault::no_partition &&
      co_await make_partitions(pool_, change.at, deadline)) {
    done = co_await pool_.query(change.query, deadline);
  }
  if (!done && done.error().is_safe_to_retry()) done = co_await pool_.query(change.query, deadline);
  co_return done;
}

}  // namespace notify::stores
