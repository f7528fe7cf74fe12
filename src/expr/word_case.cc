#include "expr/word_case.h"

#include <vector>

#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

bool is_connector(char32_t c) {
  return c == '-' || c == '_' || is_space(c);
}

enum class Kind { kNone, kNumber, kUpper, kAlphabet, kConnector, kPunctuation, kOther };

struct Word {
  Kind kind = Kind::kNone;
  std::string_view text{};
};

/// A letter of a script with words: Chinese has none.
bool is_alphabet(char32_t c) {
  const bool chinese = (c >= 0x3400 && c <= 0x4D85) || (c >= 0x4E00 && c <= 0x9FCC) || (c >= 0x20000 && c <= 0x2B81D);
  return !chinese && is_letter(c);
}

Kind kind_of(char32_t c) {
  if (is_connector(c)) return Kind::kConnector;
  if (is_punctuation(c)) return Kind::kPunctuation;
  if (is_upper(c)) return Kind::kUpper;
  if (is_alphabet(c)) return Kind::kAlphabet;
  return is_number(c) ? Kind::kNumber : Kind::kOther;
}

/// The next code point that is not malformed, its size with what was skipped; `otherwise` when there is none.
CodePoint next_valid(std::string_view text, char32_t otherwise) {
  std::size_t size = 0;
  while (size < text.size()) {
    const CodePoint c = code_point_at(text, size);
    size += c.size;
    if (c.value != 0xFFFD) return {c.value, size};
  }
  return {otherwise, size};
}

/// The first word of a text that is not empty. "HTTPServer" is HTTP and Server, "FirstName" is First and Name.
Word next_word(std::string_view text) {
  const CodePoint first = next_valid(text, 0xFFFD);
  if (first.value == 0xFFFD) return {Kind::kNone, text};
  const Kind kind = kind_of(first.value);
  Kind run = kind;
  std::size_t size = first.size;
  CodePoint last = first;
  for (std::size_t count = 1; size < text.size(); ++count) {
    const CodePoint c = next_valid(text.substr(size), last.value);
    // Hyphens and underscores connect words, but do not end other punctuation.
    const bool punctuation = run == Kind::kPunctuation && is_punctuation(c.value);
    const Kind next = punctuation ? run : kind_of(c.value);
    if (next != run) {
      if (run != Kind::kUpper || next != Kind::kAlphabet) break;
      if (count > 1) return {kind, text.substr(0, size - last.size)};
      run = Kind::kAlphabet;
    }
    size += c.size;
    last = c;
  }
  return {kind, text.substr(0, size)};
}

std::vector<Word> split_words(std::string_view text) {
  std::vector<Word> words;
  while (!text.empty()) {
    words.push_back(next_word(text));
    text.remove_prefix(words.back().text.size());
  }
  return words;
}

void append_word(const Word& word, char connector, std::string& out) {
  if (word.kind != Kind::kUpper && word.kind != Kind::kConnector) {
    out += word.text;
    return;
  }
  for (const char32_t c : code_points(word.text)) {
    if (is_connector(c)) {
      out += connector;
    } else {
      append_utf8(is_upper(c) ? to_lower(c) : c, out);
    }
  }
}

}  // namespace

std::string connect_words(std::string_view text, char connector) {
  const std::vector<Word> words = split_words(text);
  const auto kind = [&](std::size_t i) { return i < words.size() ? words[i].kind : Kind::kNone; };
  std::string out;
  std::size_t i = 0;
  const auto append_parts = [&] {
    for (; kind(i) == Kind::kAlphabet || kind(i) == Kind::kNumber; ++i) append_word(words[i], connector, out);
  };
  const auto connect = [&](bool at_end) {
    const Kind next = kind(i);
    if (next == Kind::kConnector || next == Kind::kPunctuation || (next == Kind::kNone && !at_end)) return;
    out += connector;
  };
  while (i + 1 < words.size()) {
    const Kind before = kind(i);
    append_word(words[i++], connector, out);
    if (before == Kind::kConnector || before == Kind::kPunctuation) continue;
    if (before == Kind::kNumber) {
      append_parts();
      connect(false);
    } else if (kind(i) != Kind::kNumber) {
      connect(true);
    } else if (i + 1 < words.size()) {
      // Digits belong to the word before them ("Bld4Floor"), or to lower case letters after them ("http2xx").
      const bool letters_follow = kind(i + 1) == Kind::kAlphabet;
      if (letters_follow) out += connector;
      append_word(words[i++], connector, out);
      append_parts();
      connect(!letters_follow);
    }
  }
  if (i < words.size()) append_word(words[i], connector, out);
  return out;
}

std::string pascal_case(std::string_view text) {
  const std::u32string letters = code_points(text);
  std::string out;
  std::size_t i = 0;
  // Connectors at the beginning stay.
  for (; i < letters.size() && is_connector(letters[i]); ++i) append_utf8(letters[i], out);
  // Where nothing else follows, the last one comes twice.
  if (i == letters.size() && i > 0) append_utf8(letters.back(), out);
  bool first = true;
  bool lowering = false;
  for (; i < letters.size(); ++i) {
    const char32_t c = letters[i];
    if (is_connector(c)) {
      const bool last = i + 1 == letters.size();
      if (last || is_connector(letters[i + 1])) append_utf8(c, out);
      first = true;
      continue;
    }
    if (first) {
      lowering = is_upper(c);
      append_utf8(to_upper(c), out);
    } else {
      if (!is_upper(c)) lowering = false;
      append_utf8(lowering ? to_lower(c) : c, out);
    }
    first = false;
  }
  return out;
}

std::string title_case(std::string_view text) {
  std::string out;
  char32_t before = ' ';
  for (const char32_t c : code_points(text)) {
    const bool in_word =
        is_letter(before) || is_digit(before) || before == '_' || (before >= 0x80 && !is_space(before));
    append_utf8(in_word ? c : to_title(c), out);
    before = c;
  }
  return out;
}

std::string untitle_case(std::string_view text) {
  std::string out;
  bool first = true;
  for (const char32_t c : code_points(text)) {
    append_utf8(first ? to_lower(c) : c, out);
    first = is_space(c);
  }
  return out;
}

std::string swap_case(std::string_view text) {
  std::string out;
  bool begins_word = true;
  for (const char32_t c : code_points(text)) {
    if (is_upper(c) || is_title(c)) {
      append_utf8(to_lower(c), out);
      begins_word = false;
    } else if (is_lower(c)) {
      append_utf8(begins_word ? to_title(c) : to_upper(c), out);
      begins_word = false;
    } else {
      append_utf8(c, out);
      begins_word = is_space(c);
    }
  }
  return out;
}

std::string initials(std::string_view text) {
  std::string out;
  bool begins_word = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (begins_word && !is_space(byte)) append_utf8(byte, out);
    begins_word = is_space(byte);
  }
  return out;
}

std::string without_space(std::string_view text) {
  std::string out;
  bool found = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_space(byte)) {
      found = true;
    } else {
      append_utf8(byte, out);
    }
  }
  return found ? out : std::string(text);
}

std::string wrap_words(std::string_view text, std::size_t width, std::string_view line_end, bool cut_words) {
  std::string out;
  while (text.size() > width) {
    if (text.starts_with(' ')) {
      text.remove_prefix(1);
      continue;
    }
    std::size_t end = text.substr(0, width + 1).rfind(' ');
    std::size_t skipped = 1;
    if (end == std::string_view::npos) {
      end = cut_words ? width : text.find(' ', width);
      skipped = cut_words ? 0 : 1;
    }
    if (end == std::string_view::npos) break;
    out += text.substr(0, end);
    out += line_end;
    text.remove_prefix(end + skipped);
  }
  out += text;
  return out;
}

}  // namespace tiphys::expr
