// CBOR (RFC 8949) written and read straight from our own values: through the library's document an
// image of a hundred processes took as long to be described as to be copied. A head is a type in
// three bits and a number; what the number counts follows. Written is the shortest form of each, of
// definite length; that is what is read, and besides floating-point numbers of any size.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/value.h"

namespace umbel {

namespace {

enum class Major : std::uint8_t { natural, negative, bytes, text, array, object, tag, simple };
constexpr std::uint8_t is_false = 20, is_true = 21, is_null = 22, half_float = 25,
                       single_float = 26, double_float = 27;
// Above it the number is in that many bytes behind the head.
constexpr std::uint8_t in_head = 23;

class Writer {
 public:
  std::vector<std::uint8_t> take() && { return std::move(out_); }

  void operator()(std::nullptr_t) { head(Major::simple, is_null); }
  void operator()(bool value) { head(Major::simple, value ? is_true : is_false); }
  void operator()(std::int64_t value) {
    if (value >= 0)
      head(Major::natural, static_cast<std::uint64_t>(value));
    else
      head(Major::negative, static_cast<std::uint64_t>(-1 - value));
  }
  void operator()(std::uint64_t value) { head(Major::natural, value); }
  void operator()(double value) {
    out_.push_back(first_byte(Major::simple, double_float));
    number(std::bit_cast<std::uint64_t>(value), sizeof value);
  }
  void operator()(const std::string& text) {
    head(Major::text, text.size());
    out_.insert(out_.end(), text.begin(), text.end());
  }
  void operator()(const Value::Bytes& bytes) {
    head(Major::bytes, bytes.size());
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  void operator()(const Value::Array& array) {
    head(Major::array, array.size());
    for (const Value& element : array) std::visit(*this, element.data());
  }
  void operator()(const Value::Object& object) {
    head(Major::object, object.size());
    for (const auto& [name, member] : object) {
      (*this)(name);
      std::visit(*this, member.data());
    }
  }

 private:
  static std::uint8_t first_byte(Major major, std::uint8_t low) {
    return static_cast<std::uint8_t>(static_cast<std::uint8_t>(major) << 5 | low);
  }
  void number(std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) out_.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  }
  void head(Major major, std::uint64_t value) {
    if (value <= in_head) {
      out_.push_back(first_byte(major, static_cast<std::uint8_t>(value)));
      return;
    }
    const auto power = static_cast<std::uint8_t>(
        value > 0xff ? value > 0xffff ? value > 0xffffffff ? 3 : 2 : 1 : 0);
    out_.push_back(first_byte(major, static_cast<std::uint8_t>(in_head + 1 + power)));
    number(value, std::size_t{1} << power);
  }
  std::vector<std::uint8_t> out_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> left) : left_(left) {}
  bool at_end() const { return left_.empty(); }

  Result<Value> value(int depth) {
    constexpr int deepest = 512;
    if (depth > deepest) return fail("nested deeper than 512 levels");
    const Head head = TRY(next());
    switch (head.major) {
      case Major::natural:
        return Value(head.number);
      case Major::negative:
        if (head.number > INT64_MAX) return fail("a number below what 64 bits can hold");
        return Value(-1 - static_cast<std::int64_t>(head.number));
      case Major::bytes: {
        const auto raw = TRY(take(head.number));
        return Value(Value::Data(Value::Bytes(raw.begin(), raw.end())));
      }
      case Major::text:
        return Value(TRY(text(head.number)));
      case Major::array:
        return array(head.number, depth);
      case Major::object:
        return object(head.number, depth);
      case Major::simple:
        return simple(head);
      case Major::tag:
        break;
    }
    return fail("a tag, which means nothing here");
  }

 private:
  struct Head {
    Major major{};
    std::uint8_t low = 0;
    std::uint64_t number = 0;
  };
  Result<std::span<const std::uint8_t>> take(std::uint64_t size) {
    if (size > left_.size()) return fail("ends in the middle");
    const auto taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  Result<Head> next() {
    const std::uint8_t first = TRY(take(1)).front();
    Head head{.major = static_cast<Major>(first >> 5),
              .low = static_cast<std::uint8_t>(first & 31)};
    head.number = head.low;
    if (head.low <= in_head) return head;
    if (head.low > double_float) return fail("of indefinite length");
    head.number = 0;
    for (const std::uint8_t byte : TRY(take(std::uint64_t{1} << (head.low - in_head - 1))))
      head.number = head.number << 8 | byte;
    return head;
  }
  Result<std::string> text(std::uint64_t size) {
    const auto raw = TRY(take(size));
    return std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
  }
  // Each element takes a byte at least, so a length that lies costs nothing.
  std::size_t room(std::uint64_t count) const {
    return static_cast<std::size_t>(std::min<std::uint64_t>(count, left_.size()));
  }
  Result<Value> array(std::uint64_t count, int depth) {
    Value::Array made;
    made.reserve(room(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      Value element = TRY(value(depth + 1));
      made.push_back(std::move(element));
    }
    return Value(Value::Data(std::move(made)));
  }
  Result<Value> object(std::uint64_t count, int depth) {
    Value::Object made;
    made.reserve(room(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      const Head head = TRY(next());
      if (head.major != Major::text) return fail("a member whose name is no text");
      std::string name = TRY(text(head.number));
      Value member = TRY(value(depth + 1));
      made.emplace_back(std::move(name), std::move(member));
    }
    return Value(Value::Data(std::move(made)));
  }
  static Result<Value> simple(const Head& head) {
    switch (head.low) {
      case is_false:
        return Value(false);
      case is_true:
        return Value(true);
      case is_null:
        return Value();
      case half_float:
        return Value(half(static_cast<std::uint16_t>(head.number)));
      case single_float:
        return Value(double{std::bit_cast<float>(static_cast<std::uint32_t>(head.number))});
      case double_float:
        return Value(std::bit_cast<double>(head.number));
      default:
        return fail("a simple value that is not known");
    }
  }
  // RFC 8949, appendix D.
  static double half(std::uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = 0;
    if (exponent == 31)
      size = fraction == 0 ? INFINITY : NAN;
    else if (exponent == 0)
      size = std::ldexp(fraction, -24);
    else
      size = std::ldexp(fraction + 1024, exponent - 25);
    return (bits & 0x8000) != 0 ? -size : size;
  }
  std::span<const std::uint8_t> left_;
};

}  // namespace

Result<Value> parse_cbor(std::span<const std::uint8_t> bytes) {
  Reader reader(bytes);
  Value value = TRY(reader.value(1));
  if (!reader.at_end()) return fail("something follows its end");
  return value;
}

std::vector<std::uint8_t> cbor_bytes(const Value& value) {
  Writer writer;
  std::visit(writer, value.data());
  return std::move(writer).take();
}

}  // namespace umbel
