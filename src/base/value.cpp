// nlohmann-json's event parser feeds a stack of our own values. JSON text is written straight from
// the values: through a document, a start spent a tenth of its time on its three records. This is
// the only file that includes the library.
#include "base/value.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace umbel {

namespace {

using Document = nlohmann::ordered_json;

// Builds a Value from parse events; open_ holds the containers begun and not ended yet.
class Builder : public nlohmann::json_sax<Document> {
 public:
  Value root;
  std::string problem;

  bool null() override { return add(Value()); }
  bool boolean(bool value) override { return add(Value(value)); }
  bool number_integer(number_integer_t value) override { return add(Value(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(Value(value)); }
  bool number_float(number_float_t value, const string_t&) override { return add(Value(value)); }
  bool string(string_t& value) override { return add(Value(std::string_view(value))); }
  bool binary(binary_t&) override { return false; }  // JSON has none
  bool start_object(std::size_t) override { return open(Value::Object()); }
  bool key(string_t& name) override {
    open_.back()->as<Value::Object>()->emplace_back(std::move(name), Value());
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Value::Array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    problem = e.what();
    if (const std::size_t at = problem.find("at "); at != std::string::npos) problem.erase(0, at);
    return false;
  }

 private:
  bool add(Value value) {
    place(std::move(value));
    return true;
  }
  template <class Container>
  bool open(Container empty) {
    if (open_.size() >= 512) {
      problem = "nested deeper than 512 levels";
      return false;
    }
    open_.push_back(&place(Value(Value::Data(std::move(empty)))));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  Value& place(Value value) {
    if (open_.empty()) return root = std::move(value);
    if (auto* array = open_.back()->as<Value::Array>())
      return array->emplace_back(std::move(value));
    return open_.back()->as<Value::Object>()->back().second = std::move(value);
  }
  // Stable: only the innermost container grows while a pointer to it is held.
  std::vector<Value*> open_;
};

std::string base64(const Value::Bytes& bytes) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(bytes.size() - i, 3);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (j < left ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      text += j <= left ? digits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

class JsonWriter {
 public:
  explicit JsonWriter(int indent) : indent_(indent) {}
  std::string take() && { return std::move(text_); }

  void operator()(std::nullptr_t) { text_ += "null"; }
  void operator()(bool value) { text_ += value ? "true" : "false"; }
  void operator()(std::int64_t value) { text_ += std::to_string(value); }
  void operator()(std::uint64_t value) { text_ += std::to_string(value); }
  // Rare: the library knows the shortest digits that read back the same.
  void operator()(double value) { text_ += Document(value).dump(); }
  void operator()(const Value::Bytes& bytes) { text_.append(1, '"').append(base64(bytes)) += '"'; }
  void operator()(const std::string& value) {
    if (std::ranges::all_of(value, is_plain))
      text_.append(1, '"').append(value) += '"';
    else
      text_ += Document(value).dump(-1, ' ', false, Document::error_handler_t::replace);
  }
  void operator()(const Value::Array& array) {
    list('[', array, ']', [&](const Value& element) { std::visit(*this, element.data()); });
  }
  void operator()(const Value::Object& object) {
    list('{', object, '}', [&](const auto& member) {
      (*this)(member.first);
      text_ += indent_ < 0 ? ":" : ": ";
      std::visit(*this, member.second.data());
    });
  }

 private:
  static bool is_plain(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }
  void list(char begin, const auto& elements, char end, auto&& each) {
    text_ += begin;
    ++depth_;
    for (const auto& element : elements) {
      if (&element != &elements.front()) text_ += ',';
      new_line();
      each(element);
    }
    --depth_;
    if (!elements.empty()) new_line();
    text_ += end;
  }
  void new_line() {
    if (indent_ >= 0) text_.append(1, '\n').append(static_cast<std::size_t>(indent_ * depth_), ' ');
  }
  std::string text_;
  int indent_, depth_ = 0;
};

}  // namespace

std::string_view Value::type_name() const {
  static constexpr std::array<std::string_view, std::variant_size_v<Data>> names{
      "null",     "true or false", "a number", "a number", "a number",
      "a string", "bytes",         "an array", "an object"};
  return names.at(data_.index());
}

const Value* Value::find(std::string_view name) const {
  const auto* object = as<Object>();
  if (object == nullptr) return nullptr;
  // The last of equal names counts, as in most JSON readers.
  const auto found =
      std::ranges::find(object->rbegin(), object->rend(), name,
                        [](const auto& member) { return std::string_view(member.first); });
  return found == object->rend() ? nullptr : &found->second;
}

Value& Value::operator[](std::string_view name) {
  if (is_null()) data_ = Object();
  auto* object = as<Object>();
  ensure(object != nullptr, "a member of something that is no object");
  const auto found =
      std::ranges::find(object->rbegin(), object->rend(), name,
                        [](const auto& member) { return std::string_view(member.first); });
  if (found != object->rend()) return found->second;
  return object->emplace_back(std::string(name), Value()).second;
}

Value& Value::append(Value element) {
  if (is_null()) data_ = Array();
  auto* array = as<Array>();
  ensure(array != nullptr, "an element of something that is no array");
  return array->emplace_back(std::move(element));
}

Result<Value> parse_json(std::string_view text) {
  Builder builder;
  if (!Document::sax_parse(text, &builder))
    return fail(builder.problem.empty() ? "not readable" : builder.problem);
  return std::move(builder.root);
}

std::string json_text(const Value& value, int indent) {
  JsonWriter writer(indent);
  std::visit(writer, value.data());
  return std::move(writer).take();
}

}  // namespace umbel
