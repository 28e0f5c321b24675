#pragma once

// The one interface between the pumps of proxy/net and a protocol.
//
// A Conversation keeps one connection's session state exact, even while no rule exists, because
// rules arrive while pooled connections are open. It owns no bytes, sockets, clocks or threads: the
// pump lends it what is unread in one direction, and it says how far that may flow and what to do
// there. Both directions of a connection are walked on one thread, never at once.
//
// The pump's contract: when the connection stands, walk(kToServer, {}) once, its act applied, so
// that a unit that needs no bytes (a connection) can be decided. Then, per direction d:
//
//   unread = in.read()                      all bytes not yet consumed, at least one of them new
//   loop: step = walk(d, unread)
//         write step.pass bytes of unread to the other side, as they came, and consume them
//         if step.act: apply it, then walk again over what is left, even if that is nothing
//         else: read more
//   end of stream: ended(d) once; its act is applied; then the half-close travels
//
// Whoever writes to a side holds its write turn for the whole of one step (pass and act), so
// an Answer lands at a message border: a conversation gives one only when, by its own account, the
// reply stream stands at a border and nothing older is owed.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/clock.h"
#include "codecs/facts.h"

namespace misrule::codecs::redis {
class ServerCommands;
}  // namespace misrule::codecs::redis

namespace misrule::codecs {

enum class Direction : std::uint8_t { kToServer, kToClient };

/// Drop the next `bytes` of unread (which are all there) and send `with` onwards in their place.
/// bytes 0 injects, an empty `with` swallows.
struct Substitute {
  std::size_t bytes = 0;
  std::string with = {};
};

/// Drop the next `bytes` of unread and send `with` back to where they came from.
struct Answer {
  std::size_t bytes = 0;
  std::string with = {};
};

/// Leave what is unread where it is and go no further in this direction for `for_at_most`, or until
/// the host releases the unit; then call released(). The other direction flows on.
struct Hold {
  Duration for_at_most = {};
  std::uint64_t unit = 0;
  bool cancellable = true;  ///< A request to cancel the unit ends it.
};

/// End the connection: `to_client` is sent first, then both sides are closed. Graceful: shut down
/// for sending, drain what still arrives for up to 2 s, close. Reset: SO_LINGER 0.
struct Close {
  bool reset = false;
  std::string to_client = {};
};

using Act = std::variant<Substitute, Answer, Hold, Close>;

struct Step {
  std::size_t pass = 0;  ///< Front bytes of unread that flow now.
  std::optional<Act> act = {};
  /// With no act and pass < unread.size(): do not walk again before this many bytes are unread
  /// (0: any growth). The buffer grows for it, up to the codec's own limit.
  std::size_t need = 0;
};

enum class Released : std::uint8_t {
  kDue,        ///< The time of the hold is over.
  kRuleEnded,  ///< The rule is gone: go on at once.
  kByHand,     ///< Somebody let it go: as if its time were over.
  kCancelled,  ///< The client asked for cancellation (a CancelRequest on another connection).
};

/// What a conversation asks of, and tells, its surroundings. All calls are made from within walk(),
/// released() or ended(), on their thread, and return at once.
class ConversationHost {
 public:
  virtual ~ConversationHost() = default;

  /// Asked exactly once per unit, before any of it flows (and once more for Phase::kReply, if that
  /// is wanted); but see is_idle().
  virtual Verb decide(const Facts& facts) = 0;
  /// No rule could be about a request now, and nobody listens: a unit of Phase::kRequest may go its
  /// way undecided and untold, as long as passed() counts it. Most traffic of a sidecar does.
  virtual bool is_idle() const { return false; }
  /// So many units went their way while is_idle().
  virtual void passed(std::uint64_t) {}
  /// Does any rule in force want this? What is expensive to find out is left alone otherwise.
  virtual bool wants(Detail) const { return false; }
  /// The same of units of a phase other than kRequest: they need not be decided otherwise.
  virtual bool wants(Phase) const { return false; }
  /// The verb that was decided for this unit cannot be carried out as things stand; the unit goes
  /// its way untouched. An event says why, and the rule has not fired.
  virtual void skipped(std::uint64_t, std::string_view) {}
  /// Told exactly once per unit that was decided; not at all while nobody follows().
  virtual void exchanged(const Exchange& exchange) = 0;
  /// Does anybody want to be told of a unit that is under way?
  virtual bool follows() const { return true; }
  /// A hold of a unit ended otherwise than by its time: for the events.
  virtual void hold_ended(std::uint64_t unit, Released why) = 0;
  /// From now on bytes flow undecoded in both directions. Told at most once.
  virtual void went_opaque(std::string_view why) = 0;
  /// This connection can be cancelled by `key` (Postgres: the 8 or more bytes of BackendKeyData).
  virtual void cancellable_by(std::string_view key) = 0;
  /// Ends the hold of the connection with that key, if one is held there; false if none is.
  virtual bool cancel_held(std::string_view key) = 0;
  /// Where clients meet a proxy of the server at `node` ("host:port"; ":port" is on the host of
  /// this connection's server) instead of the server itself; empty: nowhere. "plain:" or "tls:" in
  /// front: that is what is spoken there.
  virtual std::string route_to(std::string_view) { return {}; }
  /// What the Redis server behind this connection has told of its commands, if anything; it lives
  /// until walk() returns.
  virtual const redis::ServerCommands* server_commands() const { return nullptr; }
  /// A command that neither it nor the built-in table knows.
  virtual void met_unknown_command(std::string_view) {}
  /// The protocol's name, once it is known: where it is found out from the first bytes.
  virtual void speaks(std::string_view) {}
};

class Conversation {
 public:
  virtual ~Conversation() = default;

  virtual Step walk(Direction direction, ByteView unread) = 0;
  /// The side that `direction` comes from has ended its stream, with nothing left unread but what
  /// walk() did not pass. What is unread is dropped after the act.
  virtual std::optional<Act> ended(Direction direction) = 0;
  /// The Hold last returned for this direction is over. The pump walks again afterwards.
  virtual void released(Direction direction, Released why) = 0;
  /// The unit that is held now in either direction, if any.
  virtual std::optional<std::uint64_t> held_unit() const = 0;
  /// The session as people say it: "idle", "transaction", "opaque". Empty: nothing to say.
  virtual std::string_view state() const { return {}; }
};

}  // namespace misrule::codecs
