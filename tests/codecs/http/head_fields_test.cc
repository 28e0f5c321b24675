// The smuggling corpus: messages that two readers could take differently flow as they came, and no
// rule acts on anything behind them.

#include "codecs/http/head_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/codecs/http/http_rig.h"

namespace misrule::codecs::http {
namespace {

struct Case {
  std::string name;
  std::string fields;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class Smuggling : public testing::TestWithParam<Case> {};

TEST_P(Smuggling, flowsIdenticallyAndNoRuleActsBehindIt) {
  const std::string head = "POST /x HTTP/1.1\r\nHost: shop\r\n" + GetParam().fields + "\r\n";
  const std::string bytes = get("/before") + head + "0\r\n\r\n" + get("/bad");
  Rig rig(on_path("/bad", replace_with(503)));
  EXPECT_EQ(rig.client(bytes), bytes);
  EXPECT_EQ(rig.host.decided, 1U);
  EXPECT_TRUE(rig.host.opaque.has_value());
  const std::string replies = std::string(kOk) + "HTTP/1.1 400 Bad\r\n\r\n anything";
  EXPECT_EQ(rig.server(replies), replies);
  EXPECT_FALSE(rig.pump.closed());
}

// The control: what the corpus is a distortion of is decoded.
TEST(SmugglingControl, theSoundFormsAreDecoded) {
  for (const std::string fields :
       {"Transfer-Encoding: chunked\r\n", "transfer-encoding:\tCHUNKED \r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Content-Length: 5\r\n"}) {
    const std::string head = "POST /x HTTP/1.1\r\nHost: shop\r\n" + fields + "\r\n";
    Rig rig(on_path("/bad", replace_with(503)));
    EXPECT_EQ(rig.client(head + "0\r\n\r\n" + get("/bad")), head + "0\r\n\r\n") << fields;
    EXPECT_EQ(rig.host.decided, 2U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Corpus, Smuggling,
    testing::Values(
        Case{"lengthAndCoding", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"},
        Case{"codingAndLength", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"},
        Case{"twoLengths", "Content-Length: 5\r\nContent-Length: 6\r\n"},
        Case{"twoEqualLengths", "Content-Length: 5\r\nContent-Length: 5\r\n"},
        Case{"lengthList", "Content-Length: 5, 5\r\n"},
        Case{"lengthPlus", "Content-Length: +5\r\n"}, Case{"lengthMinus", "Content-Length: -5\r\n"},
        Case{"lengthHex", "Content-Length: 0x5\r\n"}, Case{"lengthEmpty", "Content-Length:\r\n"},
        Case{"lengthOverflow", "Content-Length: 99999999999999999999\r\n"},
        Case{"codingThenIdentity", "Transfer-Encoding: chunked, identity\r\n"},
        Case{"identity", "Transfer-Encoding: identity\r\n"},
        Case{"codingTwice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
        Case{"chunkedChunked", "Transfer-Encoding: chunked, chunked\r\n"},
        Case{"codingUnknown", "Transfer-Encoding: xchunked\r\n"},
        Case{"codingQuoted", "Transfer-Encoding: \"chunked\"\r\n"},
        Case{"codingVerticalTab",
             "Transfer-Encoding: \x0b"
             "chunked\r\n"},
        Case{"codingWithoutChunked", "Transfer-Encoding: gzip\r\n"},
        Case{"blankBeforeColon", "Transfer-Encoding : chunked\r\n"},
        Case{"tabBeforeColon", "Content-Length\t: 5\r\n"},
        Case{"folded", "X: a\r\n Transfer-Encoding: chunked\r\n"}, Case{"foldedFirst", " X: a\r\n"},
        Case{"noColon", "Transfer-Encoding\r\n"}, Case{"emptyName", ": x\r\n"},
        Case{"bareLf", "X: a\nTransfer-Encoding: chunked\r\n"},
        Case{"bareCr", "X: a\rTransfer-Encoding: chunked\r\n"},
        Case{"nul", std::string("X: a\0b\r\n", 8)}),
    [](const auto& info) { return info.param.name; });

TEST(Smuggling, chunkSizesThatTwoReadersTakeDifferently) {
  for (const std::string size : {"+5", "-5", "0x5", " 5", "5 ", "5 ;x", "", "g", ";x", "5\n",
                                 "10000000000000000", "fffffffffffffffff", "5;a\n"}) {
    const std::string bytes = "POST /x HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n" +
                              size + "\r\nhello\r\n0\r\n\r\n" + get("/bad");
    Rig rig(on_path("/bad", replace_with(503)));
    EXPECT_EQ(rig.client(bytes), bytes) << size;
    EXPECT_TRUE(rig.host.opaque.has_value()) << size;
    EXPECT_EQ(rig.host.decided, 1U) << size;
  }
}

TEST(Smuggling, anAbsoluteTargetMustAgreeWithHost) {
  Rig agree;
  agree.client("GET http://shop:80/a HTTP/1.1\r\nHost: SHOP:80\r\n\r\n");
  EXPECT_EQ(agree.host.log.front(), "decide 1 GET /a");
  Rig differ;
  differ.client("GET http://shop/a HTTP/1.1\r\nHost: other\r\n\r\n");
  EXPECT_EQ(*differ.host.opaque, "request: Host differs from the request target");
}

TEST(Smuggling, codingInAnOldRequest) {
  Rig rig;
  rig.client("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(rig.host.opaque.has_value());
}

}  // namespace
}  // namespace misrule::codecs::http
