#include "proxy/net/connection.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "base/log.h"
#include "codecs/postgres/channel_binding.h"
#include "codecs/postgres/replies.h"
#include "proxy/net/acceptor.h"
#include "proxy/net/passing.h"
#include "proxy/net/shard.h"
#include "proxy/net/sniffing.h"
#include "proxy/net/tls_listener.h"
#include "proxy/net/tls_opening.h"

namespace misrule::proxy {

namespace {

constexpr Logger kLog{"proxy/net"};
/// How long a graceful end waits for the peers to see it.
constexpr auto kDrain = std::chrono::seconds(2);
/// Far enough to mean never, near enough to be added to any time.
constexpr auto kHeldMax = std::chrono::years(1);

using codecs::Act;
using codecs::Answer;
using codecs::Close;
using codecs::Direction;
using codecs::Hold;
using codecs::Released;
using codecs::Step;
using codecs::Substitute;

std::unique_ptr<codecs::Conversation> conversation_for(const Shard& shard, const Listener& listener,
                                                       ConnectionHost& host) {
  const auto make = [&shard, &host](model::Protocol protocol) {
    return shard.make_conversation(protocol, host);
  };
  return listener.sniffs ? make_sniffing_conversation(host, make) : make(listener.protocol);
}

}  // namespace

Connection::Connection(Shard& shard, const Acceptor& acceptor, std::uint64_t number, Ends ends)
    : shard_(shard),
      acceptor_(acceptor),
      number_(number),
      began_(shard.loop().now()),
      host_(shard, acceptor, number, ends.client.fd()),
      conversation_(conversation_for(shard, acceptor.listener(), host_)),
      client_(shard.loop(), std::move(ends.client), *this),
      server_(shard.loop(), std::move(ends.server), *this),
      client_out_(shard.loop(), client_, *this, shard.options().seed + 2 * number),
      server_out_(shard.loop(), server_, *this, shard.options().seed + 2 * number + 1),
      to_server_{.direction = Direction::kToServer,
                 .in = client_,
                 .out = server_out_,
                 .back = client_out_,
                 .gate = Gate(shard.loop())},
      to_client_{.direction = Direction::kToClient,
                 .in = server_,
                 .out = client_out_,
                 .back = server_out_,
                 .gate = Gate(shard.loop())} {}

Connection::~Connection() { shard_.loop().cancel(deadline_); }

void Connection::start() { connecting_ = connect(); }

Task Connection::connect() {
  if (co_await server_.connected() && phase_ == Phase::kConnecting) {
    phase_ = Phase::kOpening;
    use_link_faults();
    if (acceptor_.record().tls() != nullptr) co_await open_legs();
    if (phase_ == Phase::kOpening) phase_ = Phase::kFlowing;
    up_ = run(to_server_);
    down_ = run(to_client_);
  } else {
    // Refused, or ended meanwhile: a reset is the nearest thing to the server's own refusal.
    reset();
    ended_ = 2;
    settled();
  }
}

Task Connection::open_legs() {
  const Listener& listener = acceptor_.listener();
  opening_ = std::make_unique<TlsOpening>(*acceptor_.record().tls(),
                                          TlsOpening::Ends{.loop = shard_.loop(),
                                                           .client = client_,
                                                           .server = server_,
                                                           .client_out = client_out_,
                                                           .server_out = server_out_},
                                          listener.protocol, listener.sniffs);
  co_await opening_->run();
  if (phase_ != Phase::kOpening) co_return;
  if (!opening_->ok()) {
    co_await refuse_legs();
  } else if (opening_->hides_channel_binding()) {
    conversation_ = codecs::postgres::without_channel_binding(std::move(conversation_));
  }
}

Task Connection::refuse_legs() {
  if (!opening_->why().empty()) host_.tls_failed(opening_->why());
  begin_closing();
  const bool speaks_postgres = acceptor_.listener().protocol == model::Protocol::kPostgres;
  const bool can_be_told = !opening_->client_is_sealed() || client_out_.is_sealed();
  if (speaks_postgres && can_be_told && !opening_->why().empty()) {
    co_await client_out_.write(codecs::postgres::error_response(
        {.code = "08006", .message = opening_->why(), .severity = "FATAL"}));
  }
  server_out_.end_at_once();
  client_out_.end_at_once();
  server_.shutdown_send();
  co_await client_out_.finish();
  // What still comes is drained, so that no reset overtakes what was said last.
  client_.read_as_it_is();
  server_.read_as_it_is();
}

void Connection::meet_first_bytes(ByteView unread) {
  const Listener& listener = acceptor_.listener();
  const bool is_decoded = listener.sniffs || listener.protocol != model::Protocol::kTcp;
  const bool is_ended = opening_ && opening_->client_is_sealed();
  if (!is_decoded || is_ended || !looks_like_tls(unread)) return;
  host_.went_opaque(
      "the client speaks TLS, which this listener does not end: it flows undecoded, and rules see "
      "nothing of it. Give the listener tls (a certificate or one made on the fly), or let the "
      "client connect without");
  conversation_ = make_passing_conversation();
}

// A lane is the connection's, which outlives its coroutines.
// NOLINTBEGIN(cppcoreguidelines-avoid-reference-coroutine-parameters)

Task Connection::run(Lane& lane) {
  try {
    co_await pump(lane);
    co_await end(lane);
  } catch (const std::exception& error) {
    kLog.error("a connection is reset: {}", error.what());
    reset();
  }
  if (++ended_ == 2) {
    settled();
  } else if (to_server_.out_broken && phase_ != Phase::kDead) {
    end_within(kDrain);
  }
}

Task Connection::pump(Lane& lane) {
  bool is_first = lane.direction == Direction::kToServer;
  if (is_first && flowing()) co_await carry_out(lane, walk(lane, {}));
  // What TLS has not taken of the first bytes has been read already.
  bool is_read = !lane.in.unread().empty();
  while (flowing() && !lane.out_broken) {
    ByteView unread = lane.in.unread();
    if (!std::exchange(is_read, false)) unread = co_await lane.in.read();
    if (unread.empty() || !flowing()) break;
    if (std::exchange(is_first, false)) meet_first_bytes(unread);
    if (unread.size() < lane.need) continue;
    Step step = walk(lane, unread);
    if (step.act) {
      co_await carry_out(lane, std::move(step));
      continue;
    }
    lane.need = step.need;
    if (step.pass == 0) continue;
    WriteTurn turn(lane.out.turns());
    co_await turn;
    if (!flowing()) break;
    tell_passing(lane);
    lane.out_broken = !co_await lane.out.write(unread.substr(0, step.pass));
    lane.in.consume(step.pass);
    count(lane, step.pass);
  }
}

Task Connection::carry_out(Lane& lane, Step step) {
  while (flowing() && !lane.out_broken) {
    Turns turns = ask_turns(lane, step);
    co_await turns.out;
    if (step.pass > 0 && flowing()) {
      tell_passing(lane);
      lane.out_broken = !co_await lane.out.write(lane.in.unread().substr(0, step.pass));
      lane.in.consume(step.pass);
      count(lane, step.pass);
    }
    lane.need = step.need;
    if (!step.act) {
      co_await turns.back;
      break;
    }
    co_await apply(lane, *std::move(step.act), std::move(turns));
    if (!flowing()) break;
    step = walk(lane, lane.in.unread());
  }
}

Connection::Turns Connection::ask_turns(Lane& lane, const Step& step) {
  const Act* act = step.act ? &*step.act : nullptr;
  const bool closes = act != nullptr && std::holds_alternative<Close>(*act);
  const bool client_is_out = lane.direction == Direction::kToClient;
  const bool out = step.pass > 0 || (act != nullptr && std::holds_alternative<Substitute>(*act)) ||
                   (closes && client_is_out);
  const bool back =
      (act != nullptr && std::holds_alternative<Answer>(*act)) || (closes && !client_is_out);
  Turns turns;
  if (out) turns.out = WriteTurn(lane.out.turns());
  if (back) turns.back = WriteTurn(lane.back.turns());
  return turns;
}

Task Connection::apply(Lane& lane, Act act, Turns turns) {
  if (auto* substitute = std::get_if<Substitute>(&act)) {
    lane.in.consume(substitute->bytes);
    if (flowing() && !lane.out_broken) {
      if (!substitute->with.empty()) tell_passing(lane);
      lane.out_broken = !co_await lane.out.write(substitute->with);
      count(lane, substitute->with.size());
    }
  } else if (auto* answer = std::get_if<Answer>(&act)) {
    lane.in.consume(answer->bytes);
    turns.out.give_back();
    co_await turns.back;
    // An answer that cannot be written is noticed by the pump that reads from there.
    if (flowing()) co_await lane.back.write(answer->with);
  } else if (auto* held = std::get_if<Hold>(&act)) {
    turns.out.give_back();
    co_await hold(lane, *held);
  } else if (auto* closing = std::get_if<Close>(&act)) {
    const bool client_is_out = lane.direction == Direction::kToClient;
    co_await close(std::move(*closing), std::move(client_is_out ? turns.out : turns.back));
  }
}

Task Connection::hold(Lane& lane, Hold held) {
  if (client_.gone()) kill();
  if (!flowing()) co_return;
  lane.held_unit = held.unit;
  lane.is_cancellable = held.cancellable;
  tell_cancellable();
  host_.hold_began(held.unit);
  const TimePoint due = shard_.loop().now() + std::min<Duration>(held.for_at_most, kHeldMax);
  const Released why = co_await lane.gate.wait_until(due);
  lane.held_unit = 0;
  lane.is_cancellable = false;
  tell_cancellable();
  if (flowing()) conversation_->released(lane.direction, why);
}

void Connection::begin_closing() {
  phase_ = Phase::kClosing;
  end_within(kDrain + client_out_.lag());
  release_gates(Released::kRuleEnded);
}

Task Connection::close(Close close, WriteTurn client_turn) {
  begin_closing();
  co_await client_turn;
  if (!close.to_client.empty()) co_await client_out_.write(close.to_client);
  if (close.reset) {
    reset();
  } else {
    server_out_.end_at_once();
    server_.shutdown_send();
    if (client_out_.is_sealed()) co_await client_out_.end_sealed(std::move(client_turn));
    co_await client_out_.finish();
  }
}

void Connection::link_ends(bool by_reset) {
  if (phase_ == Phase::kDead) return;
  if (by_reset) return reset();
  begin_closing();
  client_out_.abort();
  server_out_.abort();
  client_.shutdown_send();
  server_.shutdown_send();
}

void Connection::link_sends(const Stream& to) {
  host_.passes(&to == &server_ ? Direction::kToServer : Direction::kToClient);
}

void Connection::use_link_faults() {
  const auto stands = [this] { return flowing() || phase_ == Phase::kOpening; };
  if (!stands()) return;
  const rules::LinkShapes shapes = host_.link_faults();
  server_out_.use(shapes.to_server);
  if (stands()) client_out_.use(shapes.to_client);
}

Task Connection::end(Lane& lane) {
  const bool was_flowing = flowing();
  host_.walks(lane.direction);
  std::optional<Act> last = conversation_->ended(lane.direction);
  if (was_flowing && opening_) host_.tls_failed(opening_->failure_of(lane.in));
  if (was_flowing && last) co_await apply_last(lane, *std::move(last));
  if (flowing() && lane.in.was_reset()) {
    // A reset does not come through a silent network either.
    if (lane.out.is_stalled()) co_await lane.out.finish();
    if (flowing()) reset();
  } else if (flowing()) {
    co_await finish(lane);
  }
  // A server that is gone: what the client still sends goes nowhere until it has been told.
  const bool to_nowhere = lane.out_broken && lane.direction == Direction::kToServer && ended_ == 0;
  if (phase_ == Phase::kClosing || to_nowhere) co_await drain(lane);
}

Task Connection::finish(Lane& lane) {
  // An end that TLS was not told of may be a cut: it is handed on as one.
  const bool is_meant = !opening_ || !opening_->was_cut(lane.in);
  if (is_meant && lane.out.is_sealed()) co_await lane.out.end_sealed(WriteTurn(lane.out.turns()));
  co_await lane.out.finish();
}

Task Connection::apply_last(Lane& lane, Act act) {
  const Step step{.act = std::move(act)};
  Turns turns = ask_turns(lane, step);
  co_await turns.out;
  co_await apply(lane, *step.act, std::move(turns));
}

Task Connection::drain(Lane& lane) {
  while (!(co_await lane.in.read()).empty()) lane.in.consume(lane.in.unread().size());
}

// NOLINTEND(cppcoreguidelines-avoid-reference-coroutine-parameters)

void Connection::end_within(Duration limit) {
  shard_.loop().cancel(deadline_);
  deadline_ = shard_.loop().at(shard_.loop().now() + limit, [this] {
    deadline_ = {};
    kill();
  });
}

Step Connection::walk(const Lane& lane, ByteView unread) {
  host_.walks(lane.direction);
  return conversation_->walk(lane.direction, unread);
}

/// Before the bytes go: what their receiver does because of them comes after it.
void Connection::tell_passing(const Lane& lane) {
  if (!lane.out.is_shaped()) host_.passes(lane.direction);
}

void Connection::count(Lane& lane, std::size_t bytes) {
  lane.bytes += bytes;
  ShardCounts& counts = shard_.counts();
  (lane.direction == Direction::kToServer ? counts.bytes_to_server : counts.bytes_to_client)
      .add(bytes);
}

void Connection::reset() {
  client_.reset_on_close();
  server_.reset_on_close();
  kill();
}

void Connection::kill() {
  phase_ = Phase::kDead;
  client_.abort();
  server_.abort();
  client_out_.abort();
  server_out_.abort();
  release_gates(Released::kRuleEnded);
}

void Connection::release_gates(Released why) {
  to_server_.gate.release(why);
  to_client_.gate.release(why);
}

void Connection::release_held(const std::function<bool(std::uint64_t tag)>& is_gone) {
  for (Lane* lane : {&to_server_, &to_client_}) {
    if (!lane->gate.waiting()) continue;
    if (is_gone(host_.tag_of(lane->held_unit))) lane->gate.release(Released::kRuleEnded);
  }
}

std::size_t Connection::release_by_hand(std::uint64_t tag) {
  std::size_t released = 0;
  for (Lane* lane : {&to_server_, &to_client_}) {
    if (!lane->gate.waiting() || host_.tag_of(lane->held_unit) != tag) continue;
    lane->gate.release(Released::kByHand);
    ++released;
  }
  return released;
}

void Connection::tell_cancellable() {
  host_.set_held(to_server_.is_cancellable || to_client_.is_cancellable);
}

void Connection::cancel_held() {
  for (Lane* lane : {&to_server_, &to_client_}) {
    if (lane->is_cancellable) lane->gate.release(Released::kCancelled);
  }
}

std::string Connection::state_text() const {
  if (phase_ == Phase::kConnecting) return "connecting";
  if (phase_ == Phase::kOpening) return "tls handshake";
  if (phase_ != Phase::kFlowing) return "closing";
  if (host_.opaque()) return "opaque";
  const std::string_view says = conversation_->state();
  return std::string(says.empty() ? "flowing" : says);
}

ConnectionState Connection::state() const {
  const Listener& listener = acceptor_.listener();
  const auto protocol = host_.protocol();
  return {.name = host_.name(),
          .service = listener.service,
          .interface = listener.interface,
          .client = client_.peer_text(),
          .protocol = std::string(protocol ? model::protocol_name(*protocol) : "unknown"),
          .state = state_text(),
          .held = to_server_.gate.waiting() || to_client_.gate.waiting(),
          .age = shard_.loop().now() - began_,
          .bytes_to_server = to_server_.bytes,
          .bytes_to_client = to_client_.bytes};
}

void Connection::peer_gone(const Stream& stream) {
  // A server that is gone may have left a reply that is held; what is held for it fails by itself.
  if (&stream != &client_) return;
  const bool held = to_server_.gate.waiting() || to_client_.gate.waiting();
  const bool begins = phase_ == Phase::kConnecting || phase_ == Phase::kOpening;
  if (begins || (flowing() && held)) kill();
}

void Connection::settled() {
  shard_.loop().cancel(deadline_);
  host_.connection_ended();
  shard_.connection_ended(number_);
}

}  // namespace misrule::proxy
