#include "base/record.h"

#include <gtest/gtest.h>

namespace umbel {

namespace {

enum class Colour { red, green };
constexpr auto name_table(Colour) {
  return std::array<Named<Colour>, 2>{{{Colour::red, "red"}, {Colour::green, "green"}}};
}
enum class Level : std::uint8_t { low = 1, high = 200 };

struct Leaf {
  std::int32_t c = 7;
  std::optional<std::string> note;
};
void fields(auto& archive, Leaf& leaf) {
  archive("c", leaf.c);
  archive("note", leaf.note);
}

struct Branch {
  std::vector<Leaf> b;
  std::map<std::string, Leaf> named;
};
void fields(auto& archive, Branch& branch) {
  archive("b", branch.b);
  archive("named", branch.named);
}

struct Tree {
  Branch a;
  Colour colour = Colour::red;
  Level level = Level::low;
  bool on = false;
  std::uint16_t port = 0;
  double share = 0;
  HostPid pid;
  std::array<std::uint8_t, 3> triple{};
  Value::Bytes raw;
  Value free;
};
void fields(auto& archive, Tree& tree) {
  archive("a", tree.a);
  archive("colour", tree.colour);
  archive("level", tree.level);
  archive("on", tree.on);
  archive("port", tree.port);
  archive("share", tree.share);
  archive("pid", tree.pid);
  archive("triple", tree.triple);
  archive("raw", tree.raw);
  archive("free", tree.free);
}

Tree sample() {
  Tree tree;
  tree.a.b = {Leaf{.c = -1}, Leaf{.c = 2, .note = "two"}};
  tree.a.named["x.y"] = Leaf{.c = 3};
  tree.colour = Colour::green;
  tree.level = Level::high;
  tree.on = true;
  tree.port = 65535;
  tree.share = 0.25;
  tree.pid = HostPid(42);
  tree.triple = {1, 2, 3};
  tree.raw = {0, 255};
  tree.free["any"] = "thing";
  return tree;
}

TEST(Record, IsReadBackAsItWasWritten) {
  const Value written = to_value(sample());
  const Result<Value> carried = parse_cbor(cbor_bytes(written));
  ASSERT_TRUE(carried);
  const Result<Tree> tree = from_value<Tree>(*carried);
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(cbor_bytes(to_value(*tree)), cbor_bytes(written));
  EXPECT_EQ(tree->a.b.at(1).note, "two");
  EXPECT_EQ(tree->a.named.at("x.y").c, 3);
  EXPECT_EQ(tree->pid, HostPid(42));
  EXPECT_EQ(tree->level, Level::high);
}

TEST(Record, WritesNamesOfEnumsAndLeavesOutWhatIsNotThere) {
  const Value written = to_value(sample());
  EXPECT_EQ(json_text(*written.find("colour")), R"("green")");
  EXPECT_EQ(json_text(*written.find("level")), "200");
  EXPECT_EQ(json_text(*written.find("a")->find("b")), R"([{"c":-1},{"c":2,"note":"two"}])");
}

Result<Tree> tree_of(std::string_view json) {
  const Value value = TRY(parse_json(json));
  return from_value<Tree>(value);
}

TEST(Record, KeepsDefaultsAndPassesOverTheUnknown) {
  const Result<Tree> tree = tree_of(R"({"a": {"b": [{}]}, "unheard-of": [1, 2]})");
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(tree->a.b.at(0).c, 7);
  EXPECT_EQ(tree->colour, Colour::red);
}

TEST(Record, NullIsAnEmptyListAndNoValue) {
  const Result<Tree> tree = tree_of(R"({"a": {"b": null, "named": null}, "triple": null})");
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_TRUE(tree->a.b.empty());
  const Result<Tree> note = tree_of(R"({"a": {"b": [{"note": null}]}})");
  ASSERT_TRUE(note) << note.error().message();
  EXPECT_FALSE(note->a.b.at(0).note);
}

struct Wrong {
  std::string_view json, message;
};

TEST(Record, AnErrorGivesThePathToIt) {
  for (const auto& [json, message] : std::to_array<Wrong>({
           {R"({"a": {"b": [{}, {}, {"c": "x"}]}})",
            "a.b[2].c: must be a whole number, not a string"},
           {R"({"a": {"b": [5]}})", "a.b[0]: must be an object, not a number"},
           {R"({"a": {"b": {}}})", "a.b: must be an array, not an object"},
           {R"({"a": {"b": [{"note": 1}]}})", "a.b[0].note: must be a string, not a number"},
           {R"({"a": {"named": {"k": {"c": 1.5}}}})",
            "a.named.k.c: must be a whole number, not a number"},
           {R"({"a": {"named": []}})", "a.named: must be an object, not an array"},
           {R"({"colour": "blue"})", "colour: 'blue' is not known here"},
           {R"({"colour": 1})", "colour: must be a string, not a number"},
           {R"({"level": 256})", "level: is out of range"},
           {R"({"port": 65536})", "port: is out of range"},
           {R"({"port": -1})", "port: is out of range"},
           {R"({"pid": true})", "pid: must be a whole number, not true or false"},
           {R"({"on": 1})", "on: must be true or false, not a number"},
           {R"({"share": "half"})", "share: must be a number, not a string"},
           {R"({"triple": [1, 2, 3, 4]})", "triple: has too many elements"},
           {R"({"triple": [1, 999]})", "triple[1]: is out of range"},
           {R"({"raw": "text"})", "raw: must be bytes, not a string"},
       })) {
    const Result<Tree> tree = tree_of(json);
    ASSERT_FALSE(tree) << json;
    EXPECT_EQ(tree.error().message(), message);
  }
}

TEST(Record, TheFirstErrorCounts) {
  const Result<Tree> tree = tree_of(R"({"colour": "blue", "port": -1})");
  EXPECT_EQ(tree.error().message(), "colour: 'blue' is not known here");
}

TEST(Record, AWholeNumberIsANumber) {
  EXPECT_EQ(tree_of(R"({"share": 3})")->share, 3.0);
  EXPECT_EQ(tree_of(R"({"share": -3})")->share, -3.0);
}

TEST(Record, ATopLevelErrorReadsWell) {
  const Result<Tree> tree = from_value<Tree>(Value("text"));
  EXPECT_EQ(tree.error().message(), "must be an object, not a string");
}

TEST(RecordDeathTest, AnEnumValueThatHasNoNameIsABug) {
  EXPECT_DEATH(to_value(static_cast<Colour>(9)), "without a name");
}

}  // namespace

}  // namespace umbel
