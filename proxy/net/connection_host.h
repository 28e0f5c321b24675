#pragma once

// What one connection's conversation asks and tells: rules are asked, events are told.
//
// Keeps, per unit that will be told, when it began and which rule touched it. No secret reaches an
// event: conversations hand over no authentication message, and SQL that sets a password is masked.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codecs/conversation.h"
#include "codecs/lean_queue.h"
#include "proxy/rules/rule_set.h"
#include "spec/model/event.h"
#include "spec/model/topology.h"

namespace misrule::proxy {

class Acceptor;
class Shard;

class ConnectionHost final : public codecs::ConversationHost {
 public:
  /// `client`: its socket, which outlives this.
  ConnectionHost(Shard& shard, const Acceptor& acceptor, std::uint64_t connection, int client);
  ~ConnectionHost() override;
  ConnectionHost(const ConnectionHost&) = delete;
  ConnectionHost& operator=(const ConnectionHost&) = delete;

  codecs::Verb decide(const codecs::Facts& facts) override;
  bool is_idle() const override;
  void passed(std::uint64_t units) override;
  void exchanged(const codecs::Exchange& exchange) override;
  bool follows() const override { return !open_.empty(); }
  void hold_ended(std::uint64_t unit, codecs::Released why) override;
  void went_opaque(std::string_view why) override;
  void cancellable_by(std::string_view key) override;
  bool cancel_held(std::string_view key) override;
  void speaks(std::string_view protocol) override;
  std::string route_to(std::string_view node) override;
  const codecs::redis::ServerCommands* server_commands() const override;
  void met_unknown_command(std::string_view name) override;
  bool wants(codecs::Detail what) const override;
  bool wants(codecs::Phase phase) const override;
  void skipped(std::uint64_t unit, std::string_view why) override;

  /// The conversation walks over bytes that come from there.
  void walks(codecs::Direction direction) { walked_ = direction; }
  /// Bytes of the connection go on to their receiver now.
  void passes(codecs::Direction direction);
  /// TLS did not begin on a leg, or broke; nothing if `why` is empty.
  void tls_failed(std::string_view why);
  /// The link faults that hold for this connection now.
  rules::LinkShapes link_faults();
  const std::string& name() const { return actor_.name(); }
  /// What is spoken; nothing while it is being found out.
  std::optional<model::Protocol> protocol() const { return protocol_; }
  bool opaque() const { return opaque_; }
  /// The rule that touched a unit that is under way; 0: none.
  std::uint64_t tag_of(std::uint64_t unit) const;
  /// For CancelRequests: something of this connection is held now, or not any more.
  void set_held(bool held);
  /// Of units that wait to be released there is an event, so that somebody can do it.
  void hold_began(std::uint64_t unit);
  /// Tells what its conversation left untold: those units will never have a reply.
  void connection_ended();

 private:
  struct OpenUnit {
    std::uint64_t unit = 0;
    std::uint64_t tag = 0;
    rules::Spent spent = {};
    TimePoint began = {};
    model::Event event = {};
  };
  void open_unit(const codecs::Facts& facts, const rules::Decision& decision);
  void add_rule(OpenUnit& open, const rules::Decision& decision);
  model::Event begin_event() const;
  std::string_view protocol_name() const;
  void tell(OpenUnit& open, const codecs::Exchange& exchange);

  Shard& shard_;
  const Acceptor& acceptor_;
  const std::uint64_t connection_;
  const int client_;
  rules::Actor actor_;
  codecs::LeanQueue<OpenUnit> open_;  // They end in the order in which they began, mostly.
  std::vector<std::string> cancel_keys_;
  std::optional<model::Protocol> protocol_;
  bool opaque_ = false;
  codecs::Direction walked_ = codecs::Direction::kToServer;
};

}  // namespace misrule::proxy
