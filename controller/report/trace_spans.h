#pragma once

// What of a test's events is a span: the test itself, its steps, the requests that passed a proxy;
// what else happened to it, faults above all, are points in time on them.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "controller/events/trace_context.h"
#include "spec/model/event.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

using TraceAttributes = std::vector<std::pair<std::string, model::Field>>;

struct TracePoint {
  std::string name = {};
  std::int64_t time_ns = 0;
  TraceAttributes attributes = {};
};

struct TraceSpan {
  enum class Kind : unsigned char { kInternal = 1, kClient = 3 };
  enum class Status : unsigned char { kUnset = 0, kOk = 1, kError = 2 };

  std::string id = {};
  std::string parent = {};  ///< Empty: the test itself.
  std::string service = {};
  std::string name = {};
  Kind kind = Kind::kClient;
  std::int64_t begin_ns = 0;  ///< Since the test began.
  std::int64_t end_ns = 0;
  Status status = Status::kUnset;
  std::string message = {};  ///< Of an error.
  TraceAttributes attributes = {};
  std::vector<TracePoint> points = {};
  std::vector<TraceContext> links = {};  ///< To spans that others began.
};

/// The first is the test's own. `trace` is trace_id_of() its log's folder.
std::vector<TraceSpan> trace_spans(const model::TestReport& report,
                                   const std::vector<model::Event>& events,
                                   const std::string& trace);

}  // namespace misrule::controller
