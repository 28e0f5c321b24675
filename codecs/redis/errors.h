#pragma once

// What a real redis-server says when it refuses, by the word that its errors begin with.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/facts.h"
#include "codecs/redis/command_table.h"

namespace misrule::codecs::redis {

/// Which commands a server can answer with an error.
enum class Refuses : std::uint8_t {
  kAny,
  kWrites,   ///< Those that write.
  kGrowing,  ///< Those that may need memory; in a transaction all.
  kNamed,    ///< Those that RealError::commands names.
};

struct RealError {
  std::string_view code;  ///< "READONLY".
  std::string_view text;  ///< Of redis-server 7.0, without the code; {} stands for the command.
                          ///< Empty: it depends on more than that, and must be given.
  Refuses refuses = Refuses::kAny;
  std::string_view commands = {};  ///< kNamed: "|EVALSHA|EVALSHA_RO|".
};

const RealError* find_error(std::string_view code);
std::vector<std::string_view> error_codes();

/// "OOM" of "OOM command not allowed ...": a first word in capitals, as servers begin errors.
std::string_view leading_code(std::string_view message);

/// Could a server answer the command so? True for commands and codes that are not known.
bool can_refuse(std::string_view code, const CommandTraits* command, bool in_transaction);

/// Does a server say so only when it carries the command out, not when it queues it in a
/// transaction? Then the rest of the transaction is carried out.
bool is_told_late(const ErrorText& error);

/// "READONLY You can't write ..." without the leading dash: one line, whatever `error` contains.
std::string error_line(const ErrorText& error, std::string_view command);

}  // namespace misrule::codecs::redis
