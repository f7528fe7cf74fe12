#include "expr/jq.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "expr/confined.h"
#include "expr/go_json.h"
#include "expr/jq_syntax.h"
#include "expr/libjq.h"

namespace tiphys::expr {
namespace {

constexpr std::size_t kLongest = 64 * 1024;
constexpr std::size_t kMaxOutputs = 10'000;

// What the child writes: a line for each output, then one of these and the rest of a message.
constexpr char kOutput = '=';
constexpr char kDone = '.';
constexpr char kFailed = '!';

/// A filter that is evaluated, in the child.
class Evaluation {
 public:
  Evaluation(const Libjq& jq, int out) : jq_(jq), out_(out) {}

  void run(const std::string& program, std::string_view input) {
    jq_state* const state = jq_.jq_init();
    jq_.jq_set_error_cb(state, keep_first, this);
    if (jq_.jq_compile(state, program.c_str()) == 0) return end(kFailed, complaint_);
    jq_.jq_start(state, jq_.jv_parse_sized(input.data(), static_cast<int>(input.size())), 0);
    for (std::size_t count = 0;; ++count) {
      const jv value = jq_.jq_next(state);
      if (jq_.jv_get_kind(value) == JV_KIND_INVALID) {
        if (jq_.jq_halted(state)) return end(kFailed, "the filter halts");
        if (!jq_.jv_invalid_has_msg(jq_.jv_copy(value))) return end(kDone, "");
        return end(kFailed, message_of(jq_.jv_invalid_get_msg(value)));
      }
      if (count == kMaxOutputs) return end(kFailed, fmt::format("it has more than {} outputs", kMaxOutputs));
      if (!is_finite(jq_.jv_copy(value))) return end(kFailed, "JSON has no number for an infinite output or nan");
      if (!write_all(out_, kOutput + dump(value) + '\n')) return;
    }
  }

 private:
  static void keep_first(void* evaluation, jv message) {
    auto& self = *static_cast<Evaluation*>(evaluation);
    if (self.complaint_.empty()) self.complaint_ = self.message_of(message);
  }

  bool is_finite(jv value) const {
    bool finite = true;
    switch (jq_.jv_get_kind(value)) {
      case JV_KIND_NUMBER:
        finite = std::isfinite(jq_.jv_number_value(value));
        break;
      case JV_KIND_ARRAY:
        for (int i = 0; finite && i < jq_.jv_array_length(jq_.jv_copy(value)); ++i) {
          finite = is_finite(jq_.jv_array_get(jq_.jv_copy(value), i));
        }
        break;
      case JV_KIND_OBJECT:
        for (int i = jq_.jv_object_iter(value); finite && jq_.jv_object_iter_valid(value, i);
             i = jq_.jv_object_iter_next(value, i)) {
          finite = is_finite(jq_.jv_object_iter_value(value, i));
        }
        break;
      default:
        break;
    }
    jq_.jv_free(value);
    return finite;
  }

  std::string message_of(jv message) const {
    return jq_.jv_get_kind(message) == JV_KIND_STRING ? text_of(message) : dump(message);
  }
  std::string text_of(jv string) const {
    return {jq_.jv_string_value(string), static_cast<std::size_t>(jq_.jv_string_length_bytes(jq_.jv_copy(string)))};
  }
  std::string dump(jv value) const {
    const jv text = jq_.jv_dump_string(value, JV_PRINT_SORTED);
    std::string out = text_of(text);
    jq_.jv_free(text);
    return out;
  }
  void end(char how, std::string_view message) const { write_all(out_, how + std::string(message)); }

  const Libjq& jq_;
  int out_;
  std::string complaint_;  ///< the first one of the compiler
};

std::unexpected<Error> wrong(Code code, std::string_view filter, std::string_view message) {
  constexpr std::size_t kShown = 100;
  if (filter.size() <= kShown) return fail(code, fmt::format("jq: {}: {}", filter, message));
  std::size_t size = kShown;
  while (size > 0 && (static_cast<unsigned char>(filter[size]) & 0xC0) == 0x80) --size;
  return fail(code, fmt::format("jq: {}...: {}", filter.substr(0, size), message));
}

/// "jq: error: MESSAGE at <top-level>, line 3:..." as "line 1: MESSAGE", the lines counted in the filter.
std::string explain(std::string_view complaint, bool many_lines) {
  constexpr std::string_view kLead = "jq: error: ";
  constexpr std::string_view kPlace = " at <top-level>, line ";
  if (complaint.starts_with(kLead)) complaint.remove_prefix(kLead.size());
  const auto place = complaint.find(kPlace);
  if (place == std::string_view::npos) return std::string(complaint);
  std::string_view message = complaint.substr(0, place);
  if (const auto hint = message.find(" (Unix shell quoting issues?)"); hint != std::string_view::npos) {
    message = message.substr(0, hint);
  }
  if (!many_lines) return std::string(message);
  const int line = std::atoi(complaint.data() + place + kPlace.size());
  return fmt::format("line {}: {}", line - std::ranges::count(kJqPrelude, '\n'), message);
}

Status check_size(std::string_view filter) {
  if (filter.size() > kLongest) return wrong(Code::kInvalidArgument, filter, "it is longer than 64 KiB");
  if (filter.find('\0') != std::string_view::npos) return wrong(Code::kInvalidArgument, filter, "it contains a NUL");
  if (trim(filter).empty()) return wrong(Code::kInvalidArgument, filter, "it is empty");
  return {};
}

/// The outputs of the program, which is made of the filter.
Result<std::vector<doc::Value>> run(std::string_view filter, const std::string& program, const std::string& json) {
  const Result<Libjq>& jq = libjq();
  if (!jq) return wrong(jq.error().code, filter, jq.error().message);
  const auto written = run_confined([&](int out) { Evaluation(*jq, out).run(program, json); });
  if (!written) return wrong(written.error().code, filter, written.error().message);

  std::vector<doc::Value> outputs;
  std::string_view rest = *written;
  while (rest.starts_with(kOutput)) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    auto value = doc::parse_json(rest.substr(1, end - 1));
    if (!value) return wrong(value.error().code, filter, "an output is no value: " + value.error().message);
    outputs.push_back(std::move(*value));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (rest.starts_with(kFailed)) {
    return wrong(Code::kInvalidArgument, filter, explain(rest.substr(1), filter.find('\n') != std::string_view::npos));
  }
  if (!rest.starts_with(kDone)) return wrong(Code::kAborted, filter, "it ended early");
  return outputs;
}

}  // namespace

Result<std::vector<doc::Value>> run_jq(std::string_view filter, const doc::Value& input) {
  TIPHYS_CHECK_OK(check_size(filter));
  return run(filter, std::string(kJqPrelude) + to_jq16(filter), go_json_raw(input));
}

Status check_jq(std::string_view filter) {
  TIPHYS_CHECK_OK(check_size(filter));
  if (!libjq()) return {};
  // It gets no input; what may be a comment ends before the bracket.
  TIPHYS_CHECK_OK(run(filter, std::string(kJqPrelude) + "empty|(" + to_jq16(filter) + "\n)", "null"));
  return {};
}

}  // namespace tiphys::expr
