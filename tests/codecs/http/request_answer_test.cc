#include <fmt/format.h>
#include <gtest/gtest.h>

#include "codecs/http/request_side.h"
#include "tests/codecs/http/http_rig.h"

namespace misrule::codecs::http {
namespace {

TEST(HttpRequest, theBodyOfAReplacedRequestIsNeverTheNextRequest) {
  const std::string body(200, 'A');
  Rig control;
  EXPECT_EQ(control.client(post("/bad", body) + get("/next")), post("/bad", body) + get("/next"));
  Rig rig(on_path("/bad", replace_with(503)));
  EXPECT_EQ(rig.client(post("/bad", body) + get("/next")), get("/next"));
  EXPECT_EQ(rig.to_client(), injected_503());
}

TEST(HttpRequest, theAnswerComesWhenTheBodyIsThere) {
  Rig rig(on_path("/bad", replace_with(503)));
  const std::string request = post("/bad", "0123456789");
  rig.client(request.substr(0, request.size() - 3));
  EXPECT_EQ(rig.to_client(), "");
  rig.client("789");
  EXPECT_EQ(rig.to_client(), injected_503());
  EXPECT_EQ(rig.pump.to_server(), "");
}

TEST(HttpRequest, aChunkedBodyIsDrainedWithItsTrailers) {
  Rig rig(on_path("/bad", replace_with(503)));
  const std::string head = "POST /bad HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(rig.client(head + "5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n" + get("/next")), get("/next"));
  EXPECT_EQ(rig.to_client(), injected_503());
}

}  // namespace
}  // namespace misrule::codecs::http
