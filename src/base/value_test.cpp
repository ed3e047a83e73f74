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

// RFC 8949, appendix A.
TEST(Value, WritesAndReadsTheExamplesOfCbor) {
  struct Example {
    Value value;
    Value::Bytes bytes;
  };
  const std::vector<Example> examples{
      {Value(23), {0x17}},
      {Value(24), {0x18, 0x18}},
      {Value(1000), {0x19, 0x03, 0xe8}},
      {Value(1000000), {0x1a, 0, 0x0f, 0x42, 0x40}},
      {Value(18446744073709551615U), {0x1b, 255, 255, 255, 255, 255, 255, 255, 255}},
      {Value(-1), {0x20}},
      {Value(-1000), {0x39, 0x03, 0xe7}},
      {Value(INT64_MIN), {0x3b, 0x7f, 255, 255, 255, 255, 255, 255, 255}},
      {Value(1.1), {0xfb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a}},
      {Value(false), {0xf4}},
      {Value(), {0xf6}},
      {Value("IETF"), {0x64, 'I', 'E', 'T', 'F'}},
      {Value(Value::Data(Value::Bytes{1, 2})), {0x42, 1, 2}},
  };
  for (const auto& [value, bytes] : examples) {
    EXPECT_EQ(cbor_bytes(value), bytes) << json_text(value);
    const Result<Value> read = parse_cbor(bytes);
    ASSERT_TRUE(read) << json_text(value);
    EXPECT_EQ(json_text(*read), json_text(value));
  }
  EXPECT_EQ(*parse_cbor(Value::Bytes{0xf9, 0x3e, 0x00})->as<double>(), 1.5);
  EXPECT_EQ(*parse_cbor(Value::Bytes{0xf9, 0xc4, 0x00})->as<double>(), -4.0);
  EXPECT_EQ(*parse_cbor(Value::Bytes{0xf9, 0x00, 0x01})->as<double>(), 5.960464477539063e-8);
  EXPECT_EQ(*parse_cbor(Value::Bytes{0xfa, 0x47, 0xc3, 0x50, 0x00})->as<double>(), 100000.0);
  // Below 64 bits, a tag, an indefinite length, a name that is a number.
  for (const Value::Bytes& wrong :
       {Value::Bytes{0x3b, 255, 255, 255, 255, 255, 255, 255, 255}, Value::Bytes{0xc1, 0x00},
        Value::Bytes{0x9f, 0xff}, Value::Bytes{0xa1, 0x01, 0x02}})
    EXPECT_FALSE(parse_cbor(wrong));
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
