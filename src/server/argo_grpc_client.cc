#include "server/argo_grpc_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/percent.h"
#include "http/http2_client.h"
#include "schema/protobuf.h"
#include "server/argo/grpc_frames.h"
#include "server/argo_answer.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kGrpc = "application/grpc";
/// What is kept of a page that is no answer.
constexpr std::size_t kMostPageBytes = 16 * 1024;

std::string_view find_field(const http::Fields& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &http::Fields::value_type::first);
  return found == fields.end() ? std::string_view() : found->second;
}

/// By grpc-status and grpc-message.
Status status_of(const http::Fields& fields) {
  constexpr unsigned kLastCode = 16;
  const std::string_view text = find_field(fields, "grpc-status");
  unsigned code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Code::kInternal, "the server ended the call without its status");
  }
  if (code == 0) return {};
  const std::string message(find_field(fields, "grpc-message"));
  return fail(code <= kLastCode ? static_cast<Code>(code) : Code::kUnknown,
              percent_decode(message, false).value_or(message));
}

/// One call and its answer. Of a method that answers once it holds itself until then; who reads a stream holds it.
class Calling final : public std::enable_shared_from_this<Calling> {
 public:
  Calling(const argo::Method& method, const std::shared_ptr<argo::Answer>& answer) : method_(method), answer_(answer) {}

  void start(http::Http2Client client, http::Request request) {
    endpoint_ = client.endpoint();
    if (!method_.streams) {
      held_answer_ = answer_.lock();
      self_ = shared_from_this();
    }
    http::Http2Sink sink;
    sink.on_head = [weak = weak_from_this()](unsigned code, const http::Fields& fields) {
      if (const auto self = weak.lock()) self->begin(code, fields);
    };
    sink.on_body = [weak = weak_from_this()](std::string_view part) {
      if (const auto self = weak.lock()) self->take(part);
    };
    sink.on_end = [weak = weak_from_this()](Result<http::Fields> trailers) {
      if (const auto self = weak.lock()) self->end(std::move(trailers));
    };
    call_ = client.call(std::move(request), std::move(sink));
  }

  /// Nobody reads it any more.
  void leave() { call_.reset(); }

 private:
  void begin(unsigned code, const http::Fields& fields) {
    code_ = code;
    head_ = fields;
    is_grpc_ = code == 200 && find_field(fields, "content-type").starts_with(kGrpc);
    messages_ = GrpcMessages(std::string(find_field(fields, "grpc-encoding")), kMostGrpcMessageBytes);
  }

  void take(std::string_view part) {
    if (!is_grpc_) {
      page_ += part.substr(0, kMostPageBytes - page_.size());
      return;
    }
    messages_.add(part);
    while (call_) {
      const auto message = messages_.next();
      if (!message) return refuse(message.error());
      if (!*message) return;
      auto document = schema::decode_message(*method_.response, **message);
      if (!document) {
        return refuse({Code::kInternal, "the server's answer cannot be read: " + document.error().message});
      }
      give(std::move(*document));
    }
  }

  void give(doc::Value message) {
    const auto to = answer_.lock();
    if (!to) return leave();
    if (method_.streams) return to->send(doc::to_json(message));
    if (!only_.is_null()) return refuse({Code::kInternal, "the server answers with several messages to one call"});
    only_ = std::move(message);
  }

  void end(Result<http::Fields> trailers) {
    if (!trailers) return refuse(std::move(trailers.error()));
    if (!is_grpc_) return refuse(error_of_page());
    // An answer that is nothing but a status has it in its head.
    const Status status = status_of(find_field(*trailers, "grpc-status").empty() ? head_ : *trailers);
    if (!status) return refuse(status.error());
    if (!messages_.whole()) return refuse({Code::kInternal, "the server's answer ends in the midst of a message"});
    if (!method_.streams && only_.is_null()) return refuse({Code::kInternal, "the server answers with no message"});
    const auto to = finish();
    if (to) method_.streams ? to->end() : to->reply(only_);
  }

  Error error_of_page() const {
    if (code_ == 200) return not_of_argo(endpoint_, page_);
    Error error = error_of_answer(code_, page_);
    if (error.code == Code::kUnimplemented) {
      error.message = fmt::format("{} answers, but not by gRPC: HTTP {}{}", endpoint_.text(), code_, first_line(page_));
    }
    return error;
  }

  void refuse(Error error) {
    const auto to = finish();
    if (to) to->refuse(std::move(error));
  }

  /// Who is to hear of the end. This may go with what is returned.
  std::shared_ptr<argo::Answer> finish() {
    auto to = answer_.lock();
    call_.reset();
    held_answer_.reset();
    self_.reset();
    return to;
  }

  const argo::Method& method_;
  const std::weak_ptr<argo::Answer> answer_;
  std::shared_ptr<argo::Answer> held_answer_;
  std::shared_ptr<Calling> self_;
  http::Endpoint endpoint_{};
  std::unique_ptr<http::Call> call_;  ///< null: it is over
  unsigned code_ = 0;
  http::Fields head_;
  bool is_grpc_ = false;
  GrpcMessages messages_{"", kMostGrpcMessageBytes};
  doc::Value only_;   ///< of a method that answers once
  std::string page_;  ///< what came in place of messages
};

class Feed final : public cluster::Watch {
 public:
  explicit Feed(std::shared_ptr<Calling> calling) : calling_(std::move(calling)) {}
  ~Feed() override { calling_->leave(); }

 private:
  std::shared_ptr<Calling> calling_;
};

class GrpcClient final : public argo::Services {
 public:
  GrpcClient(boost::asio::io_context& context, ArgoServer server)
      : headers_(std::move(server.headers)), client_(context, std::move(server.endpoint)) {
    headers_.emplace_back("te", "trailers");
    headers_.emplace_back("grpc-accept-encoding", kGrpcEncodings);
  }

  void call(argo::Call call) override {
    const argo::Method* method = argo::find_method(call.method.service, call.method.name);
    TIPHYS_CHECK(method, "who asks names methods that there are");
    const auto message = schema::encode_message(*method->request, std::move(call.request));
    if (!message) return call.answer->refuse(message.error());
    auto calling = std::make_shared<Calling>(*method, call.answer);
    calling->start(client_, {.method = "POST",
                             .target = fmt::format("/{}/{}", method->service, method->name),
                             .content_type = std::string(kGrpc),
                             .body = grpc_frame(*message),
                             .headers = headers_,
                             .endless = method->streams});
    if (method->streams) call.answer->hold(std::make_unique<Feed>(std::move(calling)));
  }

 private:
  http::Fields headers_;
  http::Http2Client client_;
};

}  // namespace

std::unique_ptr<argo::Services> make_argo_grpc_client(boost::asio::io_context& context, ArgoServer server) {
  return std::make_unique<GrpcClient>(context, std::move(server));
}

}  // namespace tiphys::server
