// Times as RFC 3339 has them, in UTC. <chrono> knows the calendar without locale and time zones,
// whose tables a monitor should not load.
#include <array>
#include <chrono>

#include "base/text.h"
#include "console/log.h"

namespace umbel::console {

namespace {

using namespace std::chrono;

void put(char*& at, std::uint32_t number, int digits) {
  for (int i = digits - 1; i >= 0; --i, number /= 10) at[i] = static_cast<char>('0' + number % 10);
  at += digits;
}

// Takes exactly so many digits from the front.
std::optional<std::uint32_t> take(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool skip(std::string_view& text, std::string_view one_of) {
  if (text.empty() || !one_of.contains(text[0])) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<sys_days> take_date(std::string_view& text) {
  const auto y = take(text, 4);
  if (!y || !skip(text, "-")) return std::nullopt;
  const auto m = take(text, 2);
  if (!m || !skip(text, "-")) return std::nullopt;
  const auto d = take(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year(static_cast<int>(*y)), month(*m), day(*d)};
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

// "12:00", "12:00:00", "12:00:00.678"
std::optional<nanoseconds> take_clock(std::string_view& text) {
  const auto h = take(text, 2);
  if (!h || !skip(text, ":")) return std::nullopt;
  const auto m = take(text, 2);
  std::optional<std::uint32_t> s = 0;
  if (skip(text, ":")) s = take(text, 2);
  if (!m || !s || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
  nanoseconds fraction{0};
  if (skip(text, ".,")) {
    std::int64_t unit = 1'000'000'000;
    while (const auto digit = take(text, 1)) fraction += nanoseconds(*digit * (unit /= 10));
    if (unit == 1'000'000'000) return std::nullopt;
  }
  return hours(*h) + minutes(*m) + seconds(*s) + fraction;
}

// "", "Z", "+02:00"
std::optional<minutes> take_zone(std::string_view& text) {
  if (text.empty() || skip(text, "Zz")) return minutes(0);
  const bool west = text[0] == '-';
  if (!skip(text, "+-")) return std::nullopt;
  const auto h = take(text, 2);
  (void)skip(text, ":");
  const auto m = take(text, 2);
  if (!h || !m || *h > 23 || *m > 59) return std::nullopt;
  const minutes offset = hours(*h) + minutes(*m);
  return west ? -offset : offset;
}

std::optional<std::int64_t> moment(std::string_view text) {
  const auto date = take_date(text);
  if (!date) return std::nullopt;
  std::optional<nanoseconds> clock = nanoseconds(0);
  if (skip(text, "Tt ")) clock = take_clock(text);
  const auto zone = take_zone(text);
  if (!clock || !zone || !text.empty()) return std::nullopt;
  return (date->time_since_epoch() + *clock - *zone).count();
}

}  // namespace

void put_log_time(std::int64_t since, std::span<char, log_time_size> into) {
  const sys_time<nanoseconds> time{nanoseconds(since)};
  const sys_days today = floor<days>(time);
  const year_month_day date(today);
  const hh_mm_ss clock(time - today);
  char* at = into.data();
  put(at, static_cast<std::uint32_t>(static_cast<int>(date.year())), 4);
  *at++ = '-';
  put(at, static_cast<unsigned>(date.month()), 2);
  *at++ = '-';
  put(at, static_cast<unsigned>(date.day()), 2);
  *at++ = 'T';
  put(at, static_cast<std::uint32_t>(clock.hours().count()), 2);
  *at++ = ':';
  put(at, static_cast<std::uint32_t>(clock.minutes().count()), 2);
  *at++ = ':';
  put(at, static_cast<std::uint32_t>(clock.seconds().count()), 2);
  *at++ = '.';
  put(at, static_cast<std::uint32_t>(clock.subseconds().count()), 9);
  *at = 'Z';
}

std::string log_time(std::int64_t since) {
  std::array<char, log_time_size> text{};
  put_log_time(since, text);
  return {text.data(), text.size()};
}

Result<std::int64_t> parse_log_time(std::string_view text) {
  if (const auto time = moment(text)) return *time;
  // More digits than a double has would be lost: the two halves one by one. Fewer seconds than a
  // year's would rather be meant as a time ago.
  const auto halves = cut(text, '.');
  const auto whole = unsigned_number(halves ? halves->before : text);
  std::string digits(halves ? halves->after : "0");
  const bool fine = !digits.empty() && digits.size() <= 9;
  digits.resize(9, '0');
  const auto rest = unsigned_number(digits);
  if (fine && whole && rest && *whole >= 31'536'000 && *whole < 9'000'000'000)
    return static_cast<std::int64_t>(*whole * 1'000'000'000 + *rest);
  return fail("'" + std::string(text) + "' is no time",
              "write it like 2026-01-31T12:00:00Z, or as seconds since 1970");
}

}  // namespace umbel::console
