#include "server/session/command_relay.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "doc/value.h"

namespace tiphys::server {
namespace {

/// Of a message {"Width": 80, "Height": 24}.
constexpr std::size_t kMostSizeBytes = 4096;
constexpr std::int64_t kMostColumns = 0xffff;

unsigned short extent(const doc::Value& size, std::string_view name) {
  const doc::Value* value = doc::find(size, name);
  if (!value || !value->is_int64()) return 0;
  return static_cast<unsigned short>(std::clamp<std::int64_t>(value->get_int64(), 0, kMostColumns));
}

}  // namespace

std::string command_end(int code, const std::vector<std::string>& command, EndForm form) {
  const std::string words =
      code == 0 ? ""
                : fmt::format("command terminated with non-zero exit code: error executing command [{}], exit code {}",
                              fmt::join(command, " "), code);
  if (form == EndForm::kWords) return words;
  if (code == 0) return doc::to_json(doc::Object{{"metadata", doc::Object()}, {"status", "Success"}});
  const doc::Object cause{{"reason", "ExitCode"}, {"message", std::to_string(code)}};
  return doc::to_json(doc::Object{{"metadata", doc::Object()},
                                  {"status", "Failure"},
                                  {"message", words},
                                  {"reason", "NonZeroExitCode"},
                                  {"details", doc::Object{{"causes", doc::Array{cause}}}}});
}

void CommandRelay::begin(const CommandChannels& channels, std::function<void()> on_end) {
  channels_ = channels;
  on_end_ = std::move(on_end);
  session_->wait([this](const Result<int>& code) {
    code_ = code.value_or(255);
    maybe_end();
  });
  pass_output(Output::kOut, channels_.out);
  pass_output(Output::kErr, channels_.err);
  if (channels_.in) pass_input();
  if (channels_.resize) read_sizes();
  if (channels_.error) channels_.error->discard();
}

void CommandRelay::pass_output(Output from, Channel* to) {
  session_->read(from, [this, from, to](Result<std::string> piece) {
    if (!piece || piece->empty()) return end_output(to);
    // What nobody asked for is read nevertheless: the command goes on.
    if (!to) return pass_output(from, to);
    to->write(*piece, [this, from, to] { pass_output(from, to); });
  });
}

void CommandRelay::end_output(Channel* channel) {
  if (channel) channel->close();
  --open_outputs_;
  maybe_end();
}

void CommandRelay::pass_input() {
  channels_.in->read([this](std::string bytes) {
    if (bytes.empty()) return session_->close_input();
    session_->write(std::move(bytes),
                    [this](const Status& written) { written ? pass_input() : channels_.in->discard(); });
  });
}

/// Documents one after another, each in a line or a message of its own.
void CommandRelay::read_sizes() {
  channels_.resize->read([this](const std::string& bytes) {
    if (bytes.empty()) return;
    size_text_ += bytes;
    for (auto end = size_text_.find('}'); end != std::string::npos; end = size_text_.find('}')) {
      if (const auto size = doc::parse_json(size_text_.substr(0, end + 1))) {
        const unsigned short columns = extent(*size, "Width");
        const unsigned short rows = extent(*size, "Height");
        if (columns > 0 && rows > 0) session_->resize(columns, rows);
      }
      size_text_.erase(0, end + 1);
    }
    if (size_text_.size() > kMostSizeBytes) return channels_.resize->discard();
    read_sizes();
  });
}

void CommandRelay::maybe_end() {
  if (!code_ || open_outputs_ > 0 || !on_end_) return;
  const auto end = std::exchange(on_end_, nullptr);
  if (channels_.in) channels_.in->discard();
  if (channels_.resize) channels_.resize->discard();
  if (!channels_.error) return end();
  const std::string told = command_end(*code_, command_, form_);
  if (told.empty()) {
    channels_.error->close();
    return end();
  }
  channels_.error->write(told, [this, end] {
    channels_.error->close();
    end();
  });
}

}  // namespace tiphys::server
