#include "proxy/main/settings.h"

#include <chrono>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace misrule::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

std::string error_of(const StandaloneArguments& arguments) {
  const auto settings = settle(arguments);
  return settings ? "no error" : settings.error().what;
}

/// A file with this text, for one test.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& text)
      : path_(testing::TempDir() + "settings_test_" + std::to_string(::getpid()) + ".yaml") {
    std::ofstream(path_) << text;
  }
  ~ScratchFile() { ::unlink(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Settings, WhatIsNotSaidIsLoopbackAndOneLoop) {
  const auto settings = settle({.upstream = "127.0.0.1:5432"});
  ASSERT_TRUE(settings) << settings.error().what;
  ASSERT_EQ(settings->listeners.size(), 1U);
  const Listener& listener = settings->listeners.front();
  EXPECT_TRUE(listener.sniffs);
  EXPECT_EQ(endpoint_text(listener.listen), "127.0.0.1:0");
  EXPECT_EQ(listener.service + "." + listener.interface, "upstream.main");
  EXPECT_EQ(settings->loops, 1U);
  EXPECT_EQ(settings->seed, 1U);
  EXPECT_EQ(settings->drain, seconds(30));
  EXPECT_FALSE(settings->admin);
}

TEST(Settings, APortAloneIsOneOfLoopback) {
  for (const char* text : {"6432", ":6432", "127.0.0.1:6432", "localhost:6432"}) {
    const auto settings = settle({.listen = text, .upstream = "127.0.0.1:1", .admin = text});
    ASSERT_TRUE(settings) << settings.error().what;
    EXPECT_EQ(endpoint_text(settings->listeners.front().listen), "127.0.0.1:6432");
    EXPECT_EQ(endpoint_text(*settings->admin), "127.0.0.1:6432");
  }
  const auto told = settle({.listen = "0.0.0.0:6432", .upstream = "127.0.0.1:1"});
  EXPECT_EQ(endpoint_text(told->listeners.front().listen), "0.0.0.0:6432");
}

TEST(Settings, RoutesHaveNamesOfTheirOwn) {
  const auto settings = settle(
      {.routes = {"1,postgres,127.0.0.1:2,db", "3,auto,unix:/s,db.replica", "5,tcp,127.0.0.1:6"}});
  ASSERT_TRUE(settings) << settings.error().what;
  std::vector<std::string> names;
  for (const Listener& listener : settings->listeners) {
    names.push_back(listener.service + "." + listener.interface);
  }
  EXPECT_THAT(names, testing::ElementsAre("db.main", "db.replica", "upstream3.main"));
  EXPECT_THAT(error_of({.routes = {"1,tcp,127.0.0.1:2,db", "3,tcp,127.0.0.1:4,db"}}),
              HasSubstr("two proxies are called db.main"));
  EXPECT_THAT(error_of({.routes = {"1,tcp,127.0.0.1:2,a,b"}}), HasSubstr("--route"));
}

TEST(Settings, TheCommandLineWinsOverTheFile) {
  const ScratchFile file(
      "proxies:\n  - {listen: '1', upstream: 'unix:/s', protocol: http}\n"
      "rules: r.yaml\nadmin: unix:/a\nloops: 3\nseed: 4\ndrain: 2m\n");
  const auto filed = settle({.config = file.path()});
  ASSERT_TRUE(filed) << filed.error().what;
  EXPECT_EQ(filed->rules_file, testing::TempDir() + "r.yaml");
  EXPECT_EQ(endpoint_text(*filed->admin), "unix:/a");
  EXPECT_EQ(filed->loops, 3U);
  EXPECT_EQ(filed->seed, 4U);
  EXPECT_EQ(filed->drain, minutes(2));
  const auto said = settle({.config = file.path(),
                            .rules = "mine.yaml",
                            .admin = "unix:/b",
                            .loops = 1,
                            .seed = 9,
                            .drain = "250ms"});
  EXPECT_EQ(said->rules_file, "mine.yaml");
  EXPECT_EQ(endpoint_text(*said->admin), "unix:/b");
  EXPECT_EQ(said->loops, 1U);
  EXPECT_EQ(said->seed, 9U);
  EXPECT_EQ(said->drain, milliseconds(250));
}

TEST(Settings, MistakesOfTheFileAreNamedWhereTheyStand) {
  const ScratchFile file("proxies:\n  - {listen: '1', upstreem: 'unix:/s'}\n");
  EXPECT_THAT(error_of({.config = file.path()}),
              HasSubstr(file.path() + ":2:19: unknown key \"upstreem\" (did you mean upstream?)"));
  const ScratchFile missing("proxies:\n  - {listen: '1'}\n");
  EXPECT_THAT(error_of({.config = missing.path()}),
              HasSubstr(":2:5: a proxy has \"listen\" and \"upstream\""));
}

TEST(Settings, WordsAreKnown) {
  const std::string upstream = "127.0.0.1:1";
  EXPECT_THAT(error_of({.protocol = "postgre", .upstream = upstream}),
              HasSubstr("did you mean postgres?"));
  EXPECT_THAT(error_of({.upstream = upstream, .log_level = "wran"}),
              HasSubstr("did you mean warn?"));
  EXPECT_THAT(error_of({.upstream = upstream, .log_format = "xml"}), HasSubstr("text, json"));
  EXPECT_THAT(error_of({.listen = "unix:relative", .upstream = upstream}),
              HasSubstr("an absolute path"));
  EXPECT_THAT(error_of({.listen = "unix:/" + std::string(200, 'x'), .upstream = upstream}),
              HasSubstr("at most 107"));
  for (const char* wrong : {"", "5", "s", "-1s", "1h", "99999999999999999999s", "1 s"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(Settings, TlsIsSaidByAnyOfItsWords) {
  const auto plain = settle({.upstream = "127.0.0.1:1"});
  EXPECT_FALSE(plain->listeners.front().tls || plain->listeners.front().upstream_tls);
  EXPECT_FALSE(needs_authority(*plain));
  const auto made =
      settle({.upstream = "127.0.0.1:1", .tls = {.ca_out = "ca.pem", .upstream_verify = "chain"}});
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_TRUE(needs_authority(*made));
  EXPECT_THAT(made->ca_outs, testing::ElementsAre("ca.pem"));
  EXPECT_EQ(made->listeners.front().upstream_tls->verify, ServerTls::Verify::kChain);
  const auto given = settle({.upstream = "127.0.0.1:1", .tls = {.cert = "c", .key = "k"}});
  EXPECT_FALSE(needs_authority(*given));
  EXPECT_THAT(error_of({.upstream = "127.0.0.1:1", .tls = {.upstream_verify = "maybe"}}),
              HasSubstr("verify \"maybe\""));
}

TEST(Settings, ARouteSaysWhichOfItsSidesSpeaksTls) {
  const auto settings = settle({.routes = {"tls:0,http,127.0.0.1:1,a", "0,http,tls:127.0.0.1:1,b",
                                           "tls:unix:/tmp/x,tcp,tls:127.0.0.1:1,c"}});
  ASSERT_TRUE(settings) << settings.error().what;
  std::vector<std::pair<bool, bool>> sides;
  for (const Listener& listener : settings->listeners) {
    sides.emplace_back(listener.tls.has_value(), listener.upstream_tls.has_value());
  }
  EXPECT_THAT(sides, testing::ElementsAre(std::pair(true, false), std::pair(false, true),
                                          std::pair(true, true)));
}

TEST(Settings, FilesOfTlsAreBesideTheFileThatNamesThem) {
  const ScratchFile file(
      "proxies:\n"
      "  - {listen: '0', upstream: '127.0.0.1:1', tls: {cert: s.pem, key: /k.pem, ca_out: "
      "out.pem},\n"
      "     upstream_tls: {ca: ca.pem, server_name: db, verify: full}}\n");
  const auto settings = settle({.config = file.path()});
  ASSERT_TRUE(settings) << settings.error().what;
  const Listener& listener = settings->listeners.front();
  EXPECT_EQ(listener.tls->cert, testing::TempDir() + "s.pem");
  EXPECT_EQ(listener.tls->key, "/k.pem");
  EXPECT_EQ(listener.upstream_tls->ca, testing::TempDir() + "ca.pem");
  EXPECT_EQ(listener.upstream_tls->server_name, "db");
  EXPECT_THAT(settings->ca_outs, testing::ElementsAre(testing::TempDir() + "out.pem"));
}

}  // namespace
}  // namespace misrule::proxy
