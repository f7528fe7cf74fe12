#include "expr/depends.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "expr/position.h"

namespace tiphys::expr {

/// An instruction on one truth value: look a task up, turn it around, put it aside, compare it with the one last put
/// aside, or jump over what does not count.
struct Depends::Term {
  enum class Op : std::uint8_t { kResult, kBare, kNot, kPutAside, kEqual, kSkip, kSkipIfFalse, kSkipIfTrue } op;
  std::uint16_t mask = 0;
  std::uint32_t operand = 0;  ///< the task, or the instruction to go on with
};

namespace {

constexpr std::size_t kLongest = 64 * 1024;
constexpr int kDeepest = 100;

constexpr std::array<std::pair<std::string_view, std::uint16_t>, 8> kResults = {{
    {"Succeeded", kSucceeded},
    {"Failed", kFailed},
    {"Errored", kErrored},
    {"Skipped", kSkipped},
    {"Omitted", kOmitted},
    {"Daemoned", kDaemoned},
    {"AnySucceeded", kAnySucceeded},
    {"AllFailed", kAllFailed},
}};

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_name(char c) {
  return is_alphanumeric(c) || c == '-';
}

/// What the expression language, by which the original decides, does not take for a variable.
constexpr std::array<std::string_view, 14> kWords = {"true",     "false", "nil",     "not",      "and",
                                                     "or",       "in",    "matches", "contains", "startsWith",
                                                     "endsWith", "let",   "if",      "else"};

}  // namespace

class DependsParser {
 public:
  using Term = Depends::Term;
  using Op = Depends::Term::Op;

  explicit DependsParser(std::string_view text) : text_(text) {}

  Status parse() {
    if (text_.size() > kLongest) return fail(Code::kInvalidArgument, "the depends logic is longer than 64 KiB");
    TIPHYS_CHECK_OK(parse_choice(0));
    if (at_ != text_.size()) return unexpected("&&, || or the end");
    return {};
  }

  std::vector<std::string> tasks;
  std::vector<Term> terms;

 private:
  /// a ? b : c, and a ?: c, which is a ? a : c.
  Status parse_choice(int depth) {
    TIPHYS_CHECK_OK(parse_or(depth));
    if (!accept("?")) return {};
    if (depth == kDeepest) return error_at(at_ - 1, "the choices are nested too deeply");
    if (at_ < text_.size() && text_[at_] == '?') return unexpected("a task, ! or (");
    const bool same = accept(":");
    const std::size_t skip_first = skip(same ? Op::kSkipIfTrue : Op::kSkipIfFalse);
    if (!same) {
      TIPHYS_CHECK_OK(parse_choice(depth + 1));
      if (!accept(":")) return unexpected(":");
      const std::size_t skip_second = skip(Op::kSkip);
      land(skip_first);
      TIPHYS_CHECK_OK(parse_choice(depth + 1));
      land(skip_second);
      return {};
    }
    TIPHYS_CHECK_OK(parse_choice(depth + 1));
    land(skip_first);
    return {};
  }

  std::size_t skip(Op op) {
    terms.push_back({op});
    return terms.size() - 1;
  }
  void land(std::size_t skip) { terms[skip].operand = static_cast<std::uint32_t>(terms.size()); }

  /// a || b || c: whenever one is true the rest is skipped.
  Status parse_or(int depth) {
    std::vector<std::size_t> skips;
    for (;;) {
      TIPHYS_CHECK_OK(parse_and(depth));
      if (!accept("||")) break;
      skips.push_back(skip(Op::kSkipIfTrue));
    }
    for (const std::size_t each : skips) land(each);
    return {};
  }

  Status parse_and(int depth) {
    std::vector<std::size_t> skips;
    for (;;) {
      TIPHYS_CHECK_OK(parse_equality(depth));
      if (!accept("&&")) break;
      skips.push_back(skip(Op::kSkipIfFalse));
    }
    for (const std::size_t each : skips) land(each);
    return {};
  }

  Status parse_equality(int depth) {
    TIPHYS_CHECK_OK(parse_unary(depth));
    for (;;) {
      const bool equal = accept("==");
      if (!equal && !accept("!=")) return {};
      terms.push_back({Op::kPutAside});
      TIPHYS_CHECK_OK(parse_unary(depth));
      terms.push_back({Op::kEqual});
      if (!equal) terms.push_back({Op::kNot});
    }
  }

  Status parse_unary(int depth) {
    bool negated = false;
    while (accept("!")) negated = !negated;
    if (accept("(")) {
      if (depth == kDeepest) return error_at(at_ - 1, "the parentheses are nested too deeply");
      const std::size_t open = at_ - 1;
      TIPHYS_CHECK_OK(parse_choice(depth + 1));
      if (!accept(")")) {
        if (at_ == text_.size()) return error_at(open, "the parenthesis is not closed");
        return unexpected("&&, || or )");
      }
    } else {
      TIPHYS_CHECK_OK(parse_name());
    }
    if (negated) terms.push_back({Op::kNot});
    return {};
  }

  Status parse_name() {
    skip_space();
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (name.empty() || !is_alphanumeric(name[0])) {
      at_ = begin;
      return unexpected("a task, ! or (");
    }
    if (name[0] >= '0' && name[0] <= '9') return error_at(begin, quoted(name) + " must not begin with a digit");
    if (std::ranges::find(kWords, name) != kWords.end()) {
      return error_at(begin, quoted(name) + " is a word of the expression language: the task needs another name");
    }
    const auto known = std::ranges::find(tasks, name);
    const auto task = static_cast<std::uint32_t>(known - tasks.begin());
    if (known == tasks.end()) tasks.emplace_back(name);
    if (at_ == text_.size() || text_[at_] != '.') {
      terms.push_back({Op::kBare, 0, task});
      return {};
    }
    const std::size_t result_begin = ++at_;
    while (at_ < text_.size() && is_alphanumeric(text_[at_])) ++at_;
    const std::string_view result = text_.substr(result_begin, at_ - result_begin);
    for (const auto& [word, mask] : kResults) {
      if (word != result) continue;
      terms.push_back({Op::kResult, mask, task});
      return {};
    }
    std::vector<std::string> words;
    for (const auto& entry : kResults) words.emplace_back(entry.first);
    return error_at(result_begin, "task result '" + std::string(result) + "' for task '" + std::string(name) +
                                      "' is invalid" + did_you_mean(result, words));
  }

  static std::string quoted(std::string_view name) { return "the task '" + std::string(name) + "'"; }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool accept(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  Status unexpected(std::string_view wanted) {
    skip_space();
    if (at_ == text_.size()) return error_at(at_, "it ends where " + std::string(wanted) + " should follow");
    return error_at(at_, "unexpected '" + std::string(text_.substr(at_, 1)) + "', expected " + std::string(wanted));
  }
  Status error_at(std::size_t offset, const std::string& what) const {
    return fail(Code::kInvalidArgument, what + caret(text_, offset));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<Depends> Depends::compile(std::string_view text) {
  DependsParser parser(text);
  if (auto parsed = parser.parse(); !parsed) return std::unexpected(std::move(parsed).error());
  Depends depends;
  depends.tasks_ = std::move(parser.tasks);
  depends.terms_ = std::make_shared<const std::vector<Term>>(std::move(parser.terms));
  return depends;
}

bool Depends::uses_loop_result(std::size_t task) const {
  bool uses = false;
  if (!terms_) return uses;
  for (const Term& term : *terms_) {
    if (term.operand != task) continue;
    if (term.op == Term::Op::kBare) uses = false;
    if (term.op == Term::Op::kResult && (term.mask & (kAnySucceeded | kAllFailed))) uses = true;
  }
  return uses;
}

bool Depends::eval(const std::function<std::uint16_t(std::size_t)>& results,
                   const std::function<std::uint16_t(std::size_t)>& bare) const {
  if (!terms_) return true;
  bool truth = false;
  std::vector<bool> aside;
  for (std::size_t i = 0; i < terms_->size(); ++i) {
    const Term& term = (*terms_)[i];
    switch (term.op) {
      case Term::Op::kResult:
        truth = (results(term.operand) & term.mask) != 0;
        break;
      case Term::Op::kBare:
        truth = (results(term.operand) & bare(term.operand)) != 0;
        break;
      case Term::Op::kNot:
        truth = !truth;
        break;
      case Term::Op::kPutAside:
        aside.push_back(truth);
        break;
      case Term::Op::kEqual:
        truth = truth == aside.back();
        aside.pop_back();
        break;
      case Term::Op::kSkip:
        i = term.operand - 1;
        break;
      case Term::Op::kSkipIfFalse:
        if (!truth) i = term.operand - 1;
        break;
      case Term::Op::kSkipIfTrue:
        if (truth) i = term.operand - 1;
        break;
    }
  }
  return truth;
}

}  // namespace tiphys::expr
