#pragma once

// What interface(tls=...) says: True, or a dict of who has which certificate.

#include "spec/dsl/arguments.h"
#include "spec/model/topology.h"

namespace misrule::dsl {

/// None and False: no TLS. Wrong keys, types and files are errors of the call.
void take_interface_tls(const star::Args& args, const star::Value& value,
                        model::Interface& declared);

}  // namespace misrule::dsl
