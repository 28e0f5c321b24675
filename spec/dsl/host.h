#pragma once

// What a running test can do to the world. The vocabulary calls it; controller/run implements it.
//
// All calls may block and may come from several threads at once (parallel()); the vocabulary makes
// them with the interpreter lock released.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "spec/model/event.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::dsl {

struct HttpStep {
  std::string method = {};  ///< "GET"
  std::string path = {};    ///< With the query, if any.
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct SqlStep {
  std::string sql = {};
  bool wants_rows = true;     ///< query(); exec() counts rows instead.
  std::string database = {};  ///< Empty: the one that the service's env names.
  std::string user = {};
  /// For $1, $2 and so on; nothing is NULL. Without any the text may hold several statements.
  std::vector<std::optional<std::string>> params = {};
};

struct RedisStep {
  std::vector<std::string> words = {};  ///< "SET", "key", "value".
  bool pairs = false;                   ///< The reply's list is names and values in turn.
};

struct StepCall {
  std::string service = {};
  std::string interface = {};
  std::variant<HttpStep, SqlStep, RedisStep> step = {};
  Duration timeout = std::chrono::seconds(30);
  model::SourcePosition position = {};  ///< Of the call in the spec.
};

/// A step that is refused, reset or too late is a reply with ok false, never an Error of the call.
struct StepReply {
  bool ok = false;         ///< Answered, and not by an error: status below 400, or no SQL error.
  int status = 0;          ///< HTTP; 0 if there was no answer.
  std::string error = {};  ///< Empty if answered; else what went wrong, for people.
  std::string code = {};   ///< SQLSTATE of a SQL error.
  std::string body = {};   ///< As text.
  model::Json data =
      {};  ///< JSON body; SQL: a list of row objects, or the count of exec(). Empty text: none.
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< Names in lower case.
  Duration took = {};
};

using ArmId = std::uint64_t;
using EventPtr = std::shared_ptr<const model::Event>;

class TestHost {
 public:
  virtual ~TestHost() = default;

  /// Emits step_send and step_recv around it.
  virtual StepReply step(const StepCall& call) = 0;

  /// Makes these rules active in front of those armed already. kInvalid: a rule is wrong for its
  /// target (the rule's id is in the text); nothing is armed then.
  virtual Result<ArmId> arm(std::vector<model::Rule> rules) = 0;
  /// Ends them: what they held goes on, a service that they ended is started again and waited for,
  /// a database that recovers is waited for. An error is infrastructure (the service did not come
  /// back).
  virtual Status disarm(ArmId armed) = 0;

  /// Lets go what the armed rules with this label (or id) hold now; how many units. kInvalid: no
  /// such rule is armed.
  virtual Result<std::size_t> release(const std::string& label) = 0;

  /// Every event so far, in the order in which people read them. Grows only.
  virtual std::vector<EventPtr> events() = 0;
  /// Waits for an event beyond the first `seen`; false at the deadline.
  virtual bool wait_for_event(std::size_t seen, TimePoint deadline) = 0;
  /// Returns once what the sources had emitted when it was called has arrived (a safety assertion
  /// decides only then). kTimeout: undecided.
  virtual Status barrier(Duration at_most) = 0;

  /// What the test itself says; the event is complete but for its numbers and times.
  virtual void tell(model::Event event) = 0;
  /// Keeps a file with the test's results; the name that it got. kLimit: it is too much.
  virtual Result<std::string> attach(const std::string& name, const std::string& bytes) = 0;

  /// Returns at that time, or earlier when the test is to end.
  virtual void pause(TimePoint until) = 0;
  /// Of the run.
  virtual std::uint64_t seed() const = 0;

  virtual const Clock& clock() const = 0;
};

}  // namespace misrule::dsl
