#include "doc/gjson/query.h"

#include <algorithm>
#include <compare>

#include "doc/utf8.h"

namespace tiphys::doc::gjson {
namespace {

bool is_trueish(const Found& found) {
  if (found.type == GjsonType::kString) return parse_bool(found.str) == true;
  return found.type == GjsonType::kTrue || (found.type == GjsonType::kNumber && found.num != 0);
}

bool is_falseish(const Found& found) {
  if (found.type == GjsonType::kString) return parse_bool(found.str) == false;
  return found.type == GjsonType::kNull || found.type == GjsonType::kFalse ||
         (found.type == GjsonType::kNumber && found.num == 0);
}

/// `~true` and its like: whether a value is what the word says; nullopt for unknown words.
std::optional<bool> is_like(std::string_view word, const Found& found) {
  if (word == "*") return found.exists();
  if (word == "null") return found.type == GjsonType::kNull;
  if (word == "true") return is_trueish(found);
  if (word == "false") return is_falseish(found);
  return std::nullopt;
}

bool holds(std::string_view op, std::partial_ordering order) {
  if (op == "=") return order == 0;
  if (op == "!=") return order != 0;
  if (op == "<") return order < 0;
  if (op == "<=") return order <= 0;
  if (op == ">") return order > 0;
  if (op == ">=") return order >= 0;
  return false;
}

/// Booleans are ordered, but `>=` holds for every true and `<=` for every false.
bool holds_for_bool(std::string_view op, bool value, std::string_view other) {
  if (op == "=") return other == (value ? "true" : "false");
  if (op == "!=") return other != (value ? "true" : "false");
  if (op == (value ? ">" : "<")) return other == (value ? "false" : "true");
  return op == (value ? ">=" : "<=");
}

/// One match of a glob; its recursion follows the stars of the pattern.
class Glob {
 public:
  Glob(Workspace& work, std::size_t text_size) : work_(work), branches_left_(text_size * kBranchesPerByte) {}

  enum class Verdict { kNo, kYes, kGaveUp };

  Verdict match(std::string_view text, std::string_view pattern) {
    if (branches_left_ < 0 || !work_.charge(kBranchCost)) return Verdict::kGaveUp;
    --branches_left_;
    while (!pattern.empty()) {
      const CodePoint wanted = code_point_at(pattern, 0);
      const CodePoint next = text.empty() ? CodePoint{0, 0} : code_point_at(text, 0);
      if (wanted.value == '*') {
        while (pattern.size() > 1 && pattern[1] == '*') pattern.remove_prefix(1);
        if (pattern.size() == 1) return Verdict::kYes;
        if (!trim_suffix(text, pattern)) return Verdict::kNo;
        if (pattern.size() == 1) return Verdict::kYes;
        const Verdict verdict = match(text, pattern.substr(1));
        if (verdict != Verdict::kNo) return verdict;
        if (text.empty()) return Verdict::kNo;
        text.remove_prefix(std::min(next.size, text.size()));
        continue;
      }
      if (text.empty()) return Verdict::kNo;
      CodePoint literal = wanted;
      if (wanted.value == '\\') {
        pattern.remove_prefix(1);
        if (pattern.empty()) return Verdict::kNo;
        literal = code_point_at(pattern, 0);
      }
      if (wanted.value != '?' && literal.value != next.value) return Verdict::kNo;
      text.remove_prefix(next.size);
      pattern.remove_prefix(literal.size);
    }
    return text.empty() ? Verdict::kYes : Verdict::kNo;
  }

 private:
  /// Takes from both what follows the pattern's last star; false when they differ there.
  bool trim_suffix(std::string_view& text, std::string_view& pattern) {
    while (!text.empty() && pattern.size() > 1) {
      if (!work_.charge(1)) return false;
      const CodePoint wanted = last_code_point(pattern);
      std::size_t backslashes = 0;
      while (pattern[pattern.size() - wanted.size - backslashes - 1] == '\\') ++backslashes;
      const bool escaped = backslashes % 2 == 1;
      if (wanted.value == '*' && !escaped) return true;
      const CodePoint last = last_code_point(text);
      if ((wanted.value != '?' || escaped) && wanted.value != last.value) return false;
      text.remove_suffix(last.size);
      pattern.remove_suffix(wanted.size + (escaped ? 1 : 0));
    }
    return true;
  }

  static constexpr std::size_t kBranchesPerByte = 10'000;
  static constexpr std::size_t kBranchCost = 32;
  Workspace& work_;
  std::int64_t branches_left_;
};

}  // namespace

bool matches_query(Workspace& work, const Query& query, const Found& found) {
  if (query.value.starts_with('~')) {
    const auto like = is_like(std::string_view(query.value).substr(1), found);
    if (!like) return false;
    return query.op.empty() || holds_for_bool(query.op, *like, "true");
  }
  if (!found.exists()) return false;
  if (query.op.empty()) return true;
  switch (found.type) {
    case GjsonType::kString:
      if (query.op == "%") return matches_glob(work, found.str, query.value);
      if (query.op == "!%") return !matches_glob(work, found.str, query.value);
      return holds(query.op, found.str <=> std::string_view(query.value));
    case GjsonType::kNumber:
      return holds(query.op, found.num <=> parse_float(query.value));
    case GjsonType::kTrue:
    case GjsonType::kFalse:
      return holds_for_bool(query.op, found.type == GjsonType::kTrue, query.value);
    default:
      return false;
  }
}

bool matches_glob(Workspace& work, std::string_view text, std::string_view pattern) {
  return pattern == "*" || Glob(work, text.size()).match(text, pattern) == Glob::Verdict::kYes;
}

}  // namespace tiphys::doc::gjson
