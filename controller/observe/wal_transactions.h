#pragma once

// Which events are the messages of a WAL stream? Rows are told when their transaction has
// committed, together, in the order of the commits, and once however often they are sent.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "controller/observe/pgoutput.h"
#include "spec/model/event.h"
#include "spec/model/topology.h"

namespace misrule::controller {

/// Of one transaction, until it commits; and of what a server may say about tables.
struct WalLimits {
  std::size_t rows = 1'000'000;
  std::size_t bytes = std::size_t{256} << 20U;
  std::size_t relations = 100'000;
};

struct WalTransaction {
  std::int64_t commit_time_us = 0;        ///< Since 2000-01-01 UTC.
  std::vector<model::Event> events = {};  ///< Without a service and times.
};

/// One thread only.
class WalTransactions {
 public:
  using OnCommit = std::function<void(WalTransaction)>;
  WalTransactions(model::WalStream wanted, OnCommit on_commit, WalLimits limits = {});

  Status take(const pgoutput::WalPiece& data);
  /// What was sent of a transaction that has not ended comes again.
  void connection_lost();
  /// Behind the last commit that was told; what comes before it is not told again.
  pgoutput::Lsn told() const { return told_; }
  void start_at(pgoutput::Lsn lsn) { told_ = lsn; }

 private:
  Status take_begin(const pgoutput::Begin& begin);
  Status take_commit(const pgoutput::Commit& commit);
  Status take_relation(pgoutput::Relation relation);
  Status take_change(const pgoutput::Change& change, pgoutput::Lsn at);
  Status take_truncate(const pgoutput::Truncate& truncate, pgoutput::Lsn at);
  Result<const pgoutput::Relation*> find(std::uint32_t relation) const;
  bool is_wanted(const pgoutput::Relation& relation) const;
  bool is_wanted_column(const std::string& name) const;
  model::Event begin_event(const pgoutput::Relation& relation, const char* action,
                           pgoutput::Lsn at) const;
  std::string row_json(const pgoutput::Relation& relation, const pgoutput::Row& row, bool keys_only,
                       bool& whole) const;
  Status keep(model::Event event, std::size_t bytes);

  model::WalStream wanted_;
  OnCommit on_commit_;
  WalLimits limits_;
  pgoutput::Lsn told_ = 0;
  std::map<std::uint32_t, pgoutput::Relation> relations_ = {};
  std::optional<pgoutput::Begin> open_ = {};
  std::vector<model::Event> events_ = {};
  std::size_t bytes_ = 0;
};

}  // namespace misrule::controller
