#pragma once

// What observe=[...] of a service holds: sources of events beside the proxies, and how they decode.

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

/// json_decoder(), decoder("json"): there is only this one.
class DecoderValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "decoder";
  std::string_view type_name() const override { return kTypeName; }
};

}  // namespace misrule::dsl
