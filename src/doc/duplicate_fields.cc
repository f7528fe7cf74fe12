#include "doc/duplicate_fields.h"

#include <algorithm>
#include <deque>

#include "doc/value.h"

namespace tiphys::doc {
namespace {

/// An object or a list that has not ended.
struct Frame {
  bool object = false;
  bool wants_key = false;                ///< the next text is one
  std::size_t index = 0;                 ///< of a list's element
  std::vector<std::string_view> keys{};  ///< of an object's members so far
};

std::string path_of(const std::vector<Frame>& frames) {
  std::string path;
  for (const Frame& frame : frames) {
    if (frame.object) {
      if (!path.empty()) path += '.';
      path += frame.keys.back();
    } else {
      path += '[' + std::to_string(frame.index) + ']';
    }
  }
  return path;
}

/// Behind the last quote of the text whose first quote is at `at`.
std::size_t end_of_text(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(at + 1, json.size());
}

class Search {
 public:
  explicit Search(std::string_view json) : json_(json) {}

  std::vector<std::string> run() {
    for (std::size_t at = 0; at < json_.size(); ++at) {
      const char c = json_[at];
      if (c == '{' || c == '[') {
        frames_.push_back({.object = c == '{', .wants_key = c == '{'});
      } else if (c == '}' || c == ']') {
        end();
      } else if (c == ',' && !frames_.empty()) {
        frames_.back().wants_key = frames_.back().object;
        ++frames_.back().index;
      } else if (c == '"') {
        at = text(at) - 1;
      }
    }
    return std::move(found_);
  }

 private:
  std::size_t text(std::size_t at) {
    const std::size_t end = end_of_text(json_, at);
    if (frames_.empty() || !frames_.back().wants_key) return end;
    frames_.back().wants_key = false;
    frames_.back().keys.push_back(meant(json_.substr(at, end - at)));
    return end;
  }

  /// A key without its quotes and what is escaped.
  std::string_view meant(std::string_view quoted) {
    if (quoted.find('\\') != quoted.npos) {
      const auto parsed = parse_json(quoted);
      if (parsed && parsed->is_string()) return unescaped_.emplace_back(parsed->get_string());
    }
    return quoted.substr(1, quoted.size() - 2);
  }

  void end() {
    if (frames_.empty()) return;
    auto& keys = frames_.back().keys;
    std::ranges::sort(keys);
    // Each but the first of its equals.
    std::vector<std::string_view> again;
    for (std::size_t i = 1; i < keys.size(); ++i) {
      if (keys[i] == keys[i - 1]) again.push_back(keys[i]);
    }
    for (const std::string_view key : again) {
      keys.push_back(key);
      found_.push_back(path_of(frames_));
    }
    frames_.pop_back();
  }

  std::string_view json_;
  std::vector<Frame> frames_{};
  std::deque<std::string> unescaped_{};
  std::vector<std::string> found_{};
};

}  // namespace

std::vector<std::string> duplicate_fields(std::string_view json) {
  return Search(json).run();
}

}  // namespace tiphys::doc
