#pragma once

// What observe=[...] of a service holds: sources of events beside the proxies, and how they decode.

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "spec/model/topology.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

/// wal_stream(tables = ["orders"])
class WalStreamValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "wal_stream";
  explicit WalStreamValue(model::WalStream wanted) : wanted_(std::move(wanted)) {}
  const model::WalStream& wanted() const { return wanted_; }

  std::string_view type_name() const override { return kTypeName; }

 private:
  model::WalStream wanted_;
};

/// stdout(), file("log/app.log"): every other source.
class ObserverValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "observer";
  explicit ObserverValue(model::Observed wanted) : wanted_(std::move(wanted)) {}
  const model::Observed& wanted() const { return wanted_; }

  std::string_view type_name() const override { return kTypeName; }

 private:
  model::Observed wanted_;
};

/// json_decoder(), decoder("regex", pattern = "...").
class DecoderValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "decoder";
  explicit DecoderValue(model::LineDecoder wanted = {}) : wanted_(std::move(wanted)) {}
  const model::LineDecoder& wanted() const { return wanted_; }

  std::string_view type_name() const override { return kTypeName; }

 private:
  model::LineDecoder wanted_;
};

/// One entry of observe=[...] into the service that it stands in. Nothing, or what is wrong with
/// it.
struct ObserverProblem {
  std::string what = {};
  std::string help = {};
};
std::optional<ObserverProblem> add_observer(model::Service& service, const star::Value& entry);
/// What can only be said once all entries are known.
std::optional<ObserverProblem> check_observers(const model::Service& service);

}  // namespace misrule::dsl
