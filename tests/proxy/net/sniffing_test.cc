#include "proxy/net/sniffing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/net/conversations.h"
#include "spec/model/rules.pb.h"
#include "tests/proxy/net/test_bed.h"

namespace misrule::proxy {
namespace {

using model::Protocol;
using namespace std::string_view_literals;

TEST(Sniff, FirstBytesTell) {
  const std::pair<std::string_view, Protocol> kSaid[] = {
      {"\0\0\0\x08\x04\xd2\x16\x2f"sv, Protocol::kPostgres},                  // SSLRequest
      {"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2"sv, Protocol::kPostgres},  // CancelRequest
      {"\0\0\0\x21\0\3\0\0user\0app\0"sv, Protocol::kPostgres},
      {"\0\0\0\x21\0\3\0\2user\0app\0"sv, Protocol::kPostgres},  // Protocol 3.2
      {"GET / HTTP/1.1\r\n", Protocol::kHttp},
      {"OPTIONS * HTTP/1.1\r\n", Protocol::kHttp},
      {"POST http://h/ HTTP/1.1\r\n", Protocol::kHttp},
      {"CONNECT db:5432 HTTP/1.1\r\n", Protocol::kHttp},
      {"*1\r\n$4\r\nPING\r\n", Protocol::kRedis},
      {"**", Protocol::kTcp},
      {"GET key\r\n", Protocol::kTcp},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Protocol::kTcp},
      {"\x16\x03\x01\x02\0\1"sv, Protocol::kTcp},  // TLS
      {"\0\0\0\x08\0\2\0\0"sv, Protocol::kTcp},    // Protocol 2 ended with PostgreSQL 14.
      {"\0\0\0\1\0\3\0\0"sv, Protocol::kTcp},
      {"\xff\xff", Protocol::kTcp},
      {"EHLO me\r\n", Protocol::kTcp},
  };
  for (const auto& [bytes, protocol] : kSaid) {
    EXPECT_EQ(sniff(bytes), protocol) << bytes;
    // Byte by byte the answer is never another one.
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto early = sniff(bytes.substr(0, size));
      EXPECT_TRUE(!early || *early == protocol) << bytes << " after " << size;
    }
  }
}

TEST(Sniff, RulesAreAimedAtWhatTheySpeakAbout) {
  const Listener listener{.service = "up", .interface = "main", .sniffs = true};
  model::RuleSet rules;
  rules.add_rules()->mutable_postgres();
  rules.add_rules()->mutable_http();
  rules.add_rules()->mutable_tcp();
  for (model::Rule& rule : *rules.mutable_rules()) {
    rule.mutable_target()->set_service("up");
    rule.mutable_target()->set_interface("main");
  }
  aim_at_sniffed(listener, rules);
  EXPECT_EQ(rules.rules(0).target().interface(), "main.postgres");
  EXPECT_EQ(rules.rules(1).target().interface(), "main.http");
  EXPECT_EQ(rules.rules(2).target().interface(), "main");
}

std::unique_ptr<codecs::Conversation> sniffing(Protocol, codecs::ConversationHost& host) {
  return make_sniffing_conversation(
      host, [&host](Protocol protocol) { return make_conversation(protocol, host); });
}

TEST(Sniff, AServerThatSpeaksFirstIsPlainTcp) {
  testing::TestBed bed(sniffing);
  testing::Pair pair = bed.connect();
  pair.server.send("220 hello\r\n");
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "220 hello\r\n");
  pair.client.send("G");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "G");
}

TEST(Sniff, WhatCameInPiecesFlowsWhole) {
  testing::TestBed bed(sniffing);
  testing::Pair pair = bed.connect();
  pair.client.send("GET");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "");
  pair.client.send(" / HTTP/1.1\r\nHost: h\r\n\r\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(Sniff, WhatNeverToldFlowsAtTheEnd) {
  testing::TestBed bed(sniffing);
  testing::Pair pair = bed.connect();
  pair.client.send("GE");
  pair.client.shut_sending();
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "GE");
  EXPECT_TRUE(pair.server.at_end());
}

}  // namespace
}  // namespace misrule::proxy
