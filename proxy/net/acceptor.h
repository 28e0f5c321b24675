#pragma once

// One listening socket of one loop, and the rules that concern who connects there.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/unique_fd.h"
#include "proxy/net/listener_record.h"
#include "proxy/net/loop.h"
#include "proxy/rules/rule_set.h"

namespace misrule::proxy {

class CommandLearner;
class Shard;

class Acceptor final : public Watched {
 public:
  Acceptor(Shard& shard, std::shared_ptr<ListenerRecord> record, UniqueFd fd);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  const Listener& listener() const { return record_->listener(); }
  ListenerRecord& record() const { return *record_; }
  const rules::Scope& scope() const { return scopes_.front(); }
  /// Of connections that speak `protocol`; scope() unless the listener finds that out.
  const rules::Scope& scope_of(model::Protocol protocol) const;
  /// Of the commands of a Redis server behind it.
  CommandLearner& learner() const { return *learner_; }
  void use(const rules::RuleSet* rules);
  /// No more connections; those that stand go on.
  void close();

  void on_event(std::uint32_t events) override;

 private:
  void accept_one(UniqueFd client);
  void try_later();

  Shard& shard_;
  std::shared_ptr<ListenerRecord> record_;
  UniqueFd fd_;
  std::vector<rules::Scope> scopes_ = {{}};  // The listener's, then one per kSniffed if it sniffs.
  Loop::Timer retry_ = {};
  const std::unique_ptr<CommandLearner> learner_;
};

}  // namespace misrule::proxy
