#pragma once

// What a step gives back.

#include <optional>

#include "spec/dsl/host.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

class ResponseValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "response";
  explicit ResponseValue(StepReply reply) : reply_(std::move(reply)) {}
  const StepReply& reply() const { return reply_; }
  /// Decoded once; raises if the step failed, or if what claims to be JSON is not.
  star::Value decoded();

  std::string_view type_name() const override { return kTypeName; }
  void write_repr(star::Writer& out) const override;
  bool truth() const override { return reply_.ok; }
  const star::MemberTable* members() const override;
  void visit_children(star::ValueVisitor& visitor) const override;
  void drop_children() override { data_.reset(); }

 private:
  StepReply reply_;
  std::optional<star::Value> data_;
};

}  // namespace misrule::dsl
