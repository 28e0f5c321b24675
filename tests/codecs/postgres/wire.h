#pragma once

// Postgres messages as tests write and read them.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codecs/postgres/message.h"

namespace misrule::codecs::postgres::wire {

std::string message(char type, std::string_view body = {});

// The client's.
std::string startup(const std::vector<std::pair<std::string, std::string>>& parameters = {
                        {"user", "app"}, {"database", "shop"}});
std::string ssl_request();
std::string cancel_request(std::string_view key);
std::string query(std::string_view sql);
std::string parse(std::string_view name, std::string_view sql);
std::string bind(std::string_view portal, std::string_view statement);
std::string describe_statement(std::string_view name);
std::string describe_portal(std::string_view name);
std::string execute(std::string_view portal = "", unsigned rows_max = 0);
std::string close_statement(std::string_view name);
std::string sync();
std::string flush();
std::string copy_data(std::string_view data);
/// Parse, Bind, Execute of the unnamed statement and portal.
std::string parse_bind_execute(std::string_view sql);

// The server's.
std::string ready(char status = 'I');
std::string complete(std::string_view tag);
std::string error(std::string_view code, std::string_view text,
                  std::string_view severity = "ERROR");
std::string row(std::string_view value);
std::string columns(std::string_view name);
std::string key_data(std::string_view key);
/// AuthenticationOk, BackendKeyData, ReadyForQuery.
std::string welcome();

/// "E(ERROR 40001 fault) Z(I)", "Q(select 1)", "P(a select 1) B E(:) S": what a client or a server
/// would read there. What cannot be decoded is hex.
std::string spoken(std::string_view bytes, Sender sender);

}  // namespace misrule::codecs::postgres::wire
