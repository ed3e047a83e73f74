#include "base/value.h"

#include <gtest/gtest.h>

#include <limits>

namespace umbel {

namespace {

Value sample() {
  Value value;
  value["none"] = Value();
  value["yes"] = true;
  value["negative"] = -5;
  value["zero"] = 0;
  value["large"] = std::numeric_limits<std::uint64_t>::max();
  value["half"] = 0.5;
  value["text"] = "a\"b\n\xC3\xA9";
  value["list"].append(1);
  value["list"].append("two");
  value["inner"]["member"] = std::string("x");
  return value;
}

TEST(Value, WritesJsonInTheOrderOfItsMembers) {
  EXPECT_EQ(json_text(sample()),
            R"({"none":null,"yes":true,"negative":-5,"zero":0,"large":18446744073709551615,)"
            R"("half":0.5,"text":"a\"b\né","list":[1,"two"],"inner":{"member":"x"}})");
  EXPECT_EQ(json_text(Value(Value::Array())), "[]");
  Value small;
  small["a"] = 1;
  EXPECT_EQ(json_text(small, 2), "{\n  \"a\": 1\n}");
}

TEST(Value, ReadsBackWhatItWrote) {
  const std::string text = json_text(sample());
  const Result<Value> read = parse_json(text);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(json_text(*read), text);
}

TEST(Value, ReadsBackCborWithBytes) {
  Value value = sample();
  value["raw"] = Value::Data(Value::Bytes{0, 255, 10});
  const Result<Value> read = parse_cbor(cbor_bytes(value));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read->find("raw")->as<Value::Bytes>(), (Value::Bytes{0, 255, 10}));
  EXPECT_EQ(json_text(*read), json_text(value));
}

TEST(Value, ShowsBytesAsBase64InJson) {
  const auto shown = [](std::string_view bytes) {
    return json_text(Value::Data(Value::Bytes(bytes.begin(), bytes.end())));
  };
  EXPECT_EQ(shown(""), R"("")");
  EXPECT_EQ(shown("f"), R"("Zg==")");
  EXPECT_EQ(shown("fo"), R"("Zm8=")");
  EXPECT_EQ(shown("foo"), R"("Zm9v")");
  EXPECT_EQ(shown("foobar"), R"("Zm9vYmFy")");
}

TEST(Value, FindsTheLastOfEqualNames) {
  Result<Value> value = parse_json(R"({"a": 1, "b": 2, "a": 3})");
  ASSERT_TRUE(value);
  EXPECT_EQ(*value->find("a")->as<std::uint64_t>(), 3U);
  (*value)["a"] = 4;
  EXPECT_EQ(*value->find("a")->as<std::int64_t>(), 4);
  EXPECT_EQ(value->find("c"), nullptr);
  EXPECT_EQ(Value("text").find("a"), nullptr);
}

TEST(Value, SaysWhereJsonIsWrong) {
  for (const char* wrong : {"", "{", "[1,]", "{\"a\" 1}", "nul", "1 2", "\"\xFF\""})
    EXPECT_FALSE(parse_json(wrong)) << wrong;
  const Result<Value> value = parse_json("{\n  \"a\": nope\n}");
  ASSERT_FALSE(value);
  EXPECT_NE(value.error().detail.find("line 2, column 9"), std::string::npos)
      << value.error().detail;
}

TEST(Value, RefusesBottomlessNesting) {
  EXPECT_TRUE(parse_json(std::string(500, '[') + std::string(500, ']')));
  const Result<Value> deep = parse_json(std::string(100'000, '['));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().detail, "nested deeper than 512 levels");
  EXPECT_FALSE(parse_cbor(std::vector<std::uint8_t>(100'000, 0x81)));
}

TEST(Value, RefusesBrokenCbor) {
  std::vector<std::uint8_t> bytes = cbor_bytes(sample());
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(parse_cbor(std::span(bytes).first(length))) << length;
  bytes.push_back(0);
  EXPECT_FALSE(parse_cbor(bytes)) << "something behind the end";
  // An array of 2^62 elements, a byte string of 2^62 bytes: the length must not be believed.
  EXPECT_FALSE(parse_cbor(std::vector<std::uint8_t>{0x9b, 0x40, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(parse_cbor(std::vector<std::uint8_t>{0x5b, 0x40, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Value, TextThatIsNoUtf8DoesNotEndTheProgram) {
  EXPECT_EQ(json_text(Value("a\xFFz")), "\"a\xEF\xBF\xBDz\"");
}

TEST(Value, NamesItsType) {
  EXPECT_EQ(Value().type_name(), "null");
  EXPECT_EQ(Value(false).type_name(), "true or false");
  EXPECT_EQ(Value(0).type_name(), "a number");
  EXPECT_EQ(Value("").type_name(), "a string");
  EXPECT_EQ(Value(Value::Array()).type_name(), "an array");
  EXPECT_EQ(Value(Value::Object()).type_name(), "an object");
}

}  // namespace

}  // namespace umbel
