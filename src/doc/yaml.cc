#include "doc/yaml.h"

#include <fmt/format.h>
#include <libfyaml.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "doc/document_builder.h"
#include "doc/yaml_quoted.h"

namespace tiphys::doc {
namespace {

constexpr std::size_t kMaxText = std::size_t{32} << 20;

struct Deleter {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
  // Not fy_diag_unref(), which keeps what was collected.
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};

std::string_view token_text(fy_token* token) {
  if (!token) return {};
  std::size_t size = 0;
  const char* text = fy_token_get_text(token, &size);
  return text ? std::string_view(text, size) : std::string_view();
}

Mark to_mark(const fy_mark* mark) {
  if (!mark) return {};
  return {static_cast<std::uint32_t>(mark->line + 1), static_cast<std::uint32_t>(mark->column + 1)};
}

/// Bytes of the UTF-8 character that `text` starts with; 0 when it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (lead < 0xC2 || length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what is above the last character.
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) >= 0xA0)) return 0;
  if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) >= 0x90)) return 0;
  return length;
}

/// U+2028 and U+2029 break lines in YAML 1.1. To scalars that have them libfyaml 0.7 appends bytes that are not its
/// own.
bool is_separator(std::string_view character) {
  return character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9";
}

Built check_characters(std::string_view text, bool json) {
  Mark mark{1, 1};
  for (std::size_t i = 0; i < text.size(); ++mark.column) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return std::unexpected(Complaint{mark, "a byte that is no UTF-8"});
    if (text[i] == '\0') return std::unexpected(Complaint{mark, "a zero byte"});
    if (!json && is_separator(text.substr(i, length))) {
      return std::unexpected(
          Complaint{mark, "a line separator (U+2028 or U+2029); write \\u2028 or \\u2029 within double quotes"});
    }
    if (text[i] == '\n') mark = {mark.line + 1, 0};
    i += length;
  }
  return {};
}

bool same_but_for_space(std::string_view a, std::string_view b) {
  constexpr std::string_view kSpace = " \r\n";
  for (;;) {
    a.remove_prefix(std::min(a.find_first_not_of(kSpace), a.size()));
    b.remove_prefix(std::min(b.find_first_not_of(kSpace), b.size()));
    if (a.empty() || b.empty()) return a.empty() && b.empty();
    const std::size_t length = std::min({a.find_first_of(kSpace), b.find_first_of(kSpace), a.size(), b.size()});
    if (a.substr(0, length) != b.substr(0, length)) return false;
    a.remove_prefix(length);
    b.remove_prefix(length);
  }
}

/// One pass of libfyaml over a text.
class Reader {
 public:
  Reader(std::string_view text, Marks marks, bool json)
      : text_(text), empty_(std::move(marks)), builder_(empty_), json_(json) {
    fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = nullptr;
    diag_cfg.level = FYET_ERROR;
    diag_cfg.colorize = false;
    diag_.reset(fy_diag_create(&diag_cfg));
    fy_diag_set_collect_errors(diag_.get(), true);
    fy_parse_cfg cfg{};
    cfg.flags =
        static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_1 |
                                        FYPCF_SLOPPY_FLOW_INDENTATION | (json ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE));
    cfg.diag = diag_.get();
    parser_.reset(fy_parser_create(&cfg));
  }

  std::expected<std::vector<Document>, Complaint> read() {
    if (!parser_ || fy_parser_set_string(parser_.get(), text_.data(), text_.size()) != 0) {
      return std::unexpected(Complaint{{}, "no memory for the parser"});
    }
    while (fy_event* event = fy_parser_parse(parser_.get())) {
      const Built built = take(event);
      fy_parser_event_free(parser_.get(), event);
      if (!built) return std::unexpected(built.error());
    }
    if (fy_parser_get_stream_error(parser_.get())) return std::unexpected(parser_complaint());
    return std::move(documents_);
  }

 private:
  Built take(fy_event* event) {
    const Mark mark = to_mark(fy_event_start_mark(event));
    switch (event->type) {
      case FYET_DOCUMENT_START:
        builder_ = DocumentBuilder(empty_);
        return {};
      case FYET_DOCUMENT_END: {
        Document document = builder_.release();
        if (!document.root.is_null()) documents_.push_back(std::move(document));
        return {};
      }
      case FYET_SCALAR:
        return take_scalar(event->scalar, mark);
      case FYET_ALIAS:
        // The mark is behind the asterisk.
        return builder_.alias(token_text(event->alias.anchor), {mark.line, mark.column - 1});
      case FYET_MAPPING_START:
        return builder_.begin_container(true, token_text(event->mapping_start.anchor), mark);
      case FYET_SEQUENCE_START:
        return builder_.begin_container(false, token_text(event->sequence_start.anchor), mark);
      case FYET_MAPPING_END:
      case FYET_SEQUENCE_END:
        return builder_.end_container(mark);
      default:
        return {};
    }
  }

  Built take_scalar(const fy_event_scalar_data& scalar, Mark mark) {
    const fy_scalar_style style = scalar.value ? fy_scalar_token_get_style(scalar.value) : FYSS_PLAIN;
    ScalarEvent event{{}, style == FYSS_PLAIN, token_text(scalar.tag), token_text(scalar.anchor), mark};
    const bool quoted = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
    // The mark of a quoted scalar is behind its quote.
    if (quoted && mark.column > 1) --event.mark.column;
    std::optional<std::string> own;
    if (quoted) {
      const std::size_t start = fy_token_start_mark(scalar.value)->input_pos;
      const auto raw = text_.substr(start, fy_token_end_mark(scalar.value)->input_pos - start);
      // JSON has no line breaks there, and U+0085 is none in it.
      if (!json_ || raw.find_first_of("\r\n") != std::string_view::npos) {
        own = style == FYSS_SINGLE_QUOTED ? read_single_quoted(raw) : read_double_quoted(raw);
      }
    }
    const bool block = style == FYSS_LITERAL || style == FYSS_FOLDED;
    if (block && !builder_.open_container().line) {
      if (const Built fine = check_root_block(scalar.value, mark); !fine) return fine;
    }
    // libfyaml 0.7 leaks memory over the text of some quoted scalars: asked for only where ours is not read.
    event.text = own ? std::string_view(*own) : token_text(scalar.value);
    if (block) {
      if (const Built fine = check_block(scalar.value, event); !fine) return fine;
    }
    return builder_.scalar(event);
  }

  /// A document that is a block scalar: libfyaml 0.7 leaks memory over the text of some that are not indented.
  Built check_root_block(fy_token* token, Mark mark) const {
    const std::size_t start = std::min(fy_token_start_mark(token)->input_pos, text_.size());
    const std::size_t first = text_.find_first_not_of("\r\n", start);
    if (first == std::string_view::npos || text_[first] == ' ') return {};
    return std::unexpected(Complaint{mark, "the text of a block must be indented"});
  }

  /// Corrects what libfyaml 0.7 makes of a block scalar: its mark is at the margin, a last line without line feed gets
  /// one, and a text that is not indented enough comes with bytes that are not its own.
  Built check_block(fy_token* token, ScalarEvent& event) const {
    const std::size_t start = std::min(fy_token_start_mark(token)->input_pos, text_.size());
    const std::size_t first = text_.find_first_not_of(" \r\n", start);
    const bool blank = event.text.find_first_not_of("\r\n") == std::string_view::npos;
    if (first == std::string_view::npos && !blank) event.text = "";  // bytes that are not its own
    if (first == std::string_view::npos || blank) return {};
    const std::size_t line = text_.substr(0, first).rfind('\n') + 1;
    event.mark.line += static_cast<std::uint32_t>(std::ranges::count(text_.substr(start, first - start), '\n'));
    event.mark.column = static_cast<std::uint32_t>(first - line + 1);
    if (event.mark.column <= builder_.indentation()) {
      return std::unexpected(Complaint{event.mark, "the text of a block must be indented deeper than what holds it"});
    }
    const fy_mark* end = fy_token_end_mark(token);
    const std::size_t stop = end ? std::min(end->input_pos, text_.size()) : text_.size();
    if (!same_but_for_space(event.text, text_.substr(first, stop - std::min(first, stop)))) {
      return std::unexpected(Complaint{event.mark, "the text of this block must be indented deeper than its | or >"});
    }
    if (stop == text_.size() && !text_.ends_with('\n') && event.text.ends_with('\n')) {
      event.text.remove_suffix(1);
    }
    return {};
  }

  Complaint parser_complaint() {
    void* previous = nullptr;
    const fy_diag_error* error = fy_diag_errors_iterate(diag_.get(), &previous);
    if (!error) return {{}, "not YAML"};
    const Mark mark{static_cast<std::uint32_t>(std::max(error->line, 0)),
                    static_cast<std::uint32_t>(std::max(error->column, 1))};
    if (const Mark tab = tab_near(mark.line); tab.line) return {tab, "a tab may not indent; use spaces"};
    const std::string_view what = error->msg;
    // The end of the text is no help to find the bracket.
    if (const Mark open = builder_.open_container(); open.line && what.find("without a closing") != what.npos) {
      return {open, error->msg};
    }
    return {mark, error->msg};
  }

  /// A tab in the indentation of the line or one of its neighbours, the usual cause of an odd complaint.
  Mark tab_near(std::uint32_t line) const {
    std::string_view rest = text_;
    for (std::uint32_t at = 1; at <= line + 1; ++at) {
      const std::string_view current = rest.substr(0, rest.find('\n'));
      const auto indent = current.substr(0, current.find_first_not_of(" \t"));
      const auto tab = indent.find('\t');
      if (at + 1 >= line && tab != std::string_view::npos && indent.size() < current.size()) {
        return {at, static_cast<std::uint32_t>(tab + 1)};
      }
      if (current.size() == rest.size()) break;
      rest.remove_prefix(current.size() + 1);
    }
    return {};
  }

  std::string_view text_;
  Marks empty_;
  DocumentBuilder builder_;
  const bool json_;
  std::unique_ptr<fy_diag, Deleter> diag_;
  std::unique_ptr<fy_parser, Deleter> parser_;
  std::vector<Document> documents_;
};

}  // namespace

Result<std::vector<Document>> parse_yaml(std::string_view text, std::string_view file) {
  if (text.size() > kMaxText) {
    return fail(Code::kInvalidArgument, fmt::format("{}: larger than {} MiB", file, kMaxText >> 20));
  }
  const auto shared = std::make_shared<const std::string>(text);
  const Marks marks{std::string(file), shared};
  if (const Built valid = check_characters(text, true); !valid) {
    return fail(Code::kInvalidArgument, fmt::format("{}:{}:{}: {}", file, valid.error().mark.line,
                                                    valid.error().mark.column, valid.error().what));
  }
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) {
    // What is no JSON may still be YAML's flow style, whose complaint is then the better one.
    if (auto documents = Reader(*shared, marks, true).read()) return std::move(*documents);
  }
  if (const Built valid = check_characters(text, false); !valid) {
    return fail(Code::kInvalidArgument, marks.render(valid.error().mark, valid.error().what));
  }
  auto documents = Reader(*shared, marks, false).read();
  if (documents) return std::move(*documents);
  return fail(Code::kInvalidArgument, marks.render(documents.error().mark, documents.error().what));
}

}  // namespace tiphys::doc
