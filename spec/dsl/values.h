#pragma once

// The things that a spec declares, as Starlark values: services, interfaces, healthchecks, rules.

#include <optional>
#include <string>

#include "spec/dsl/session.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

/// interface("main", "postgres", 5432): not yet part of a service.
class InterfaceDeclaration final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "interface declaration";
  InterfaceDeclaration(model::Interface declared, star::Span at)
      : declared_(std::move(declared)), at_(at) {}
  const model::Interface& declared() const { return declared_; }
  star::Span at() const { return at_; }

  std::string_view type_name() const override { return kTypeName; }
  void write_repr(star::Writer& out) const override;

 private:
  model::Interface declared_;
  star::Span at_;
};

/// tcp("localhost:5432"), http("localhost:8080/health").
class HealthcheckValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "healthcheck";
  explicit HealthcheckValue(model::Healthcheck check) : check_(std::move(check)) {}
  const model::Healthcheck& check() const { return check_; }

  std::string_view type_name() const override { return kTypeName; }

 private:
  model::Healthcheck check_;
};

/// One interface of a service: api.public.
class InterfaceValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "interface";
  InterfaceValue(std::string service, model::Interface declared)
      : service_(std::move(service)), declared_(std::move(declared)) {}
  const std::string& service() const { return service_; }
  const model::Interface& declared() const { return declared_; }

  std::string_view type_name() const override { return kTypeName; }
  void write_repr(star::Writer& out) const override;
  std::uint64_t hash() const override;
  std::optional<bool> equals(const star::Value& other) const override;
  std::optional<star::Value> dynamic_attribute(star::Symbol name) override;
  void list_dynamic_attributes(std::vector<star::Symbol>& out) const override;
  [[noreturn]] void raise_no_attribute(star::Symbol name) const override;
  star::Complaint no_attribute(star::Symbol name) const;

 private:
  std::string service_;
  model::Interface declared_;
};

/// What service(...) returns. Its attributes are its interfaces, and the steps if it has only one.
class ServiceValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "service";
  explicit ServiceValue(model::Service declared) : declared_(std::move(declared)) {}
  const model::Service& declared() const { return declared_; }

  std::string_view type_name() const override { return kTypeName; }
  void write_repr(star::Writer& out) const override;
  std::uint64_t hash() const override { return identity_hash(); }
  std::optional<star::Value> dynamic_attribute(star::Symbol name) override;
  void list_dynamic_attributes(std::vector<star::Symbol>& out) const override;
  [[noreturn]] void raise_no_attribute(star::Symbol name) const override;
  star::Complaint no_attribute(star::Symbol name) const;

 private:
  model::Service declared_;
};

/// "api" for a service value, its own text for a string; nothing for anything else.
std::optional<std::string> service_name_of(const star::Value& value);

/// What a step is called on an interface of this protocol: get, post, ... or query, exec.
const std::vector<std::string>& step_names(model::Protocol protocol);
/// Any of them on any protocol.
bool is_step_name(std::string_view name);
/// The callable api.public.post.
star::Value make_step(const std::string& service, const model::Interface& interface,
                      std::string_view step);
/// Takes a step's arguments, looks at them, and does nothing.
star::Value make_step_check(model::Protocol protocol, std::string_view step);

}  // namespace misrule::dsl
