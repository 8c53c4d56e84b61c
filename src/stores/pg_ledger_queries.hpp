#pragma once
// A batch as the ledger's statements want it. Apart from the stores that run them, so that the
// benchmark can run the same queries over libpq alone.

#include <vector>

#include "storage/pg/query.hpp"
#include "stores/ledger.hpp"

namespace notify::stores {

/// Accepts a batch, in one statement.
[[nodiscard]] pg::Query append_query(const std::vector<Submission>& batch);

/// Who holds the keys of the submissions at these places of the batch.
[[nodiscard]] pg::Query find_keys_query(const std::vector<Submission>& batch,
                                        const std::vector<std::size_t>& places);

/// The statements that write a batch of outcomes; those that would touch nothing are left out.
[[nodiscard]] std::vector<pg::Query> record_queries(const std::vector<DeliveryRecord>& batch);

}  // namespace notify::stores
