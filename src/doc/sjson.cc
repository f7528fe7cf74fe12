#include "doc/sjson.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "doc/gjson/search.h"
#include "doc/sjson_path.h"
#include "doc/sjson_value.h"

namespace tiphys::doc {
namespace {

constexpr std::size_t kMaxText = std::size_t{16} << 20;
constexpr std::size_t kMaxResult = std::size_t{64} << 20;
constexpr std::size_t kMaxPath = 16 * 1024;
constexpr std::size_t kMaxParts = 500;

std::unexpected<Error> too_large(std::string_view what) {
  return fail(Code::kResourceExhausted, fmt::format("sjson: the {} is too large", what));
}

/// Cuts off what comes before a value that is deleted: its key, and the comma before it. True when there was no such
/// comma, so that the one after it must go.
bool cut_tail(std::string& out) {
  std::size_t i = out.find_last_of(",:[");
  if (i == std::string::npos) return false;
  if (out[i] == '[') return true;
  if (out[i] == ',') {
    out.resize(i);
    return false;
  }
  // Both quotes of the key; one after a backslash belongs to it.
  const auto quote_before = [&](std::size_t end) { return end == 0 ? std::string::npos : out.rfind('"', end - 1); };
  i = quote_before(i);
  do {
    if (i == std::string::npos) return false;
    i = quote_before(i);
    if (i == std::string::npos) return false;
    if (i == 0 || out[i - 1] != '\\') break;
    --i;
  } while (true);
  i = i == 0 ? std::string::npos : out.find_last_of("{,", i - 1);
  if (i == std::string::npos) return false;
  const bool first = out[i] == '{';
  out.resize(first ? i + 1 : i);
  return first;
}

class Edit {
 public:
  Edit(std::string_view raw, bool deletes) : raw_(raw), deletes_(deletes) {}

  /// The edited text; nullopt when nothing changes.
  Result<std::optional<std::string>> apply(std::string_view json, const std::vector<SjsonPart>& parts) {
    TIPHYS_TRY(const bool changed, edit(json, parts));
    if (out_.size() > kMaxResult) return too_large("result");
    if (!changed) return std::nullopt;
    return std::move(out_);
  }

 private:
  using Parts = std::span<const SjsonPart>;

  Result<gjson::Found> find(std::string_view json, std::string_view path) {
    gjson::Found found = gjson::get(work_, json, path);
    if (work_.is_exhausted()) return too_large("text");
    return found;
  }

  Result<gjson::Found> find(std::string_view json, const SjsonPart& part) {
    if (deletes_ && part.appends()) {
      TIPHYS_TRY(const gjson::Found size, find(json, "#"));
      const std::int64_t count = gjson::int_of(size);
      if (count > 0) return find(json, std::to_string(count - 1));
    }
    return find(json, part.search);
  }

  /// False when nothing changes.
  Result<bool> edit(std::string_view json, Parts parts) {
    TIPHYS_TRY(const gjson::Found found, find(json, parts[0]));
    if (found.index == 0) {
      if (deletes_) return false;
      TIPHYS_CHECK_OK(insert(json, parts));
      return true;
    }
    std::size_t end = found.index + found.raw.size();
    out_ += json.substr(0, found.index);
    if (parts.size() > 1) {
      TIPHYS_TRY(const bool changed, edit(found.raw, parts.subspan(1)));
      if (!changed) return false;
    } else if (!deletes_) {
      out_ += raw_;
    } else if (cut_tail(out_)) {
      const std::size_t next = gjson::skip_blanks(json, end);
      if (next < json.size() && json[next] == ',') end = next + 1;
    }
    out_ += json.substr(end);
    return true;
  }

  /// Puts a new member into what is, or becomes, an object or an array.
  Status insert(std::string_view json, Parts parts) {
    const auto index = parts[0].index();
    gjson::Found found = gjson::parse(work_, json);
    if (found.type != GjsonType::kJson) found = gjson::parse(work_, index ? "[]" : "{}");
    const std::string_view text = found.raw;
    const std::size_t first = gjson::skip_blanks(text, 1);
    const bool empty = first == text.size() || text[first] == '}' || text[first] == ']';
    if (text[0] == '{') {
      const std::size_t end = text.rfind('}');
      out_ += text.substr(0, end == std::string_view::npos ? 0 : end);
      if (!empty) out_ += ',';
      TIPHYS_CHECK_OK(build(parts, false));
      out_ += '}';
      return {};
    }
    if (parts[0].appends()) {
      std::string_view open = gjson::trim_blanks(text);
      if (open.ends_with(']')) open.remove_suffix(1);
      out_ += open;
      if (!empty) out_ += ',';
    } else if (index) {
      TIPHYS_CHECK_OK(pad(found, *index, empty));
    } else {
      return fail(Code::kInvalidArgument,
                  fmt::format("cannot set array element for non-numeric key '{}'", parts[0].name));
    }
    TIPHYS_CHECK_OK(build(parts, true));
    out_ += ']';
    return {};
  }

  /// The open array up to the element at `index`.
  Status pad(const gjson::Found& array, std::int64_t index, bool empty) {
    const std::vector<gjson::Found> elements = gjson::elements(work_, array);
    out_ += '[';
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (i > 0) out_ += ',';
      out_ += elements[i].raw;
    }
    const auto missing = index - static_cast<std::int64_t>(elements.size());
    if (elements.empty()) return repeat("null,", missing);
    TIPHYS_CHECK_OK(repeat(",null", missing));
    if (!empty) out_ += ',';
    return {};
  }

  Status repeat(std::string_view text, std::int64_t count) {
    if (count > static_cast<std::int64_t>(kMaxResult / text.size())) return too_large("index");
    for (std::int64_t i = 0; i < count; ++i) out_ += text;
    return out_.size() > kMaxResult ? too_large("result") : Status();
  }

  /// The value within the objects and arrays that the parts ask for; the first part is a key unless it is in an array.
  Status build(Parts parts, bool in_array) {
    std::string closing;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!in_array) {
        append_sjson_string(parts[i].name, out_);
        out_ += ':';
      }
      if (i + 1 == parts.size()) break;
      const auto index = parts[i + 1].index();
      in_array = index || parts[i + 1].appends();
      out_ += in_array ? '[' : '{';
      closing += in_array ? ']' : '}';
      TIPHYS_CHECK_OK(repeat("null,", index.value_or(0)));
    }
    out_ += raw_;
    out_.append(closing.rbegin(), closing.rend());
    return {};
  }

  gjson::Workspace work_;
  std::string_view raw_;
  bool deletes_;
  std::string out_;
};

/// Puts `raw` in the place of pieces of a text: their starts, in descending order, and sizes.
Result<std::string> replace_all(std::string_view json, std::string_view raw,
                                const std::vector<std::pair<std::size_t, std::size_t>>& pieces) {
  std::vector<std::string_view> after;  // the new text from `edge` on, its first piece last
  std::size_t edge = json.size();
  std::size_t size = json.size();
  for (const auto& [start, length] : pieces) {
    std::size_t overlap = start + length > edge ? start + length - edge : 0;
    if (overlap == 0) after.push_back(json.substr(start + length, edge - start - length));
    // What is replaced reaches into what replaced another piece.
    while (overlap > 0 && !after.empty()) {
      const std::size_t cut = std::min(overlap, after.back().size());
      after.back().remove_prefix(cut);
      overlap -= cut;
      if (after.back().empty()) after.pop_back();
    }
    if (overlap > 0 || start > edge)
      return fail(Code::kInvalidArgument, "sjson: the path finds what is not in the text");
    after.push_back(raw);
    edge = start;
    size += raw.size();
    if (size > kMaxResult) return too_large("result");
  }
  std::string out(json.substr(0, edge));
  for (auto piece = after.rbegin(); piece != after.rend(); ++piece) out += *piece;
  return out;
}

/// Replaces all that a path of gjson finds in the text.
Result<std::string> replace_found(std::string_view json, std::string_view path, std::string_view raw) {
  gjson::Workspace work;
  const gjson::Found found = gjson::get(work, json, path);
  if (work.is_exhausted()) return too_large("text");
  if (!found.exists()) return std::string(json);
  std::string text(json);
  if (found.index != 0) {
    TIPHYS_TRY(text, replace_all(json, raw, {{found.index, found.raw.size()}}));
  }
  if (!found.indexes || found.indexes->empty()) return text;
  std::vector<std::pair<std::size_t, std::size_t>> pieces;
  gjson::for_each(work, found, [&](const gjson::Found&, const gjson::Found& value) {
    if (pieces.size() < found.indexes->size()) pieces.emplace_back((*found.indexes)[pieces.size()], value.raw.size());
  });
  if (pieces.size() != found.indexes->size()) return std::string(json);
  std::ranges::stable_sort(pieces, std::greater(), &std::pair<std::size_t, std::size_t>::first);
  return replace_all(text, raw, pieces);
}

Result<std::string> edit(std::string_view json, std::string_view path, std::string_view raw, bool deletes) {
  if (json.size() > kMaxText || raw.size() > kMaxText) return too_large("text");
  if (path.size() > kMaxPath) return too_large("path");
  if (path.empty()) return fail(Code::kInvalidArgument, "path cannot be empty");
  const auto parts = read_sjson_parts(path, kMaxParts);
  if (!parts) {
    if (deletes) return fail(Code::kInvalidArgument, "cannot delete value from a complex path");
    return replace_found(json, path, raw);
  }
  if (parts->size() > kMaxParts) return too_large("path");
  TIPHYS_TRY(auto edited, Edit(raw, deletes).apply(json, *parts));
  return edited ? std::move(*edited) : std::string(json);
}

}  // namespace

Result<std::string> sjson_set(std::string_view json, std::string_view path, const Value& value) {
  return edit(json, path, to_sjson(value), false);
}

Result<std::string> sjson_set_raw(std::string_view json, std::string_view path, std::string_view raw) {
  return edit(json, path, raw, false);
}

Result<std::string> sjson_delete(std::string_view json, std::string_view path) {
  return edit(json, path, {}, true);
}

}  // namespace tiphys::doc
