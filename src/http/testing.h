// A server that answers as a test tells it: errors, cuts, silence.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tiphys::http {

struct SeenRequest {
  std::string method, target, body;
  std::string authorization, content_type, accept;
  int connection = 0;  ///< counted from 1
};

struct Answer {
  enum class Then { kKeep, kClose, kHold };
  std::string bytes;  ///< as they go over the wire; none: no answer at all
  /// kHold: nothing further comes, until the server is told to push.
  Then then = Then::kKeep;
};

Answer reply(unsigned code, const std::string& body, const std::string& headers = "");
/// A chunked answer that goes on: with kClose it is cut off, without an end.
Answer stream(const std::string& text, Answer::Then then);

/// A self-signed certificate for localhost and 127.0.0.1, which is an authority, too.
struct TestCertificate {
  std::string certificate, key;
  static TestCertificate make();
};

/// Listens on 127.0.0.1, on the context's thread.
class ScriptedServer {
 public:
  using Script = std::function<Answer(const SeenRequest&)>;
  /// With a certificate it speaks TLS.
  ScriptedServer(boost::asio::io_context& context, Script script, const TestCertificate* certificate = nullptr);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;

  unsigned short port() const;
  const std::vector<SeenRequest>& seen() const;
  int connections() const;
  /// A chunk for all answers that are held.
  void push(const std::string& text);
  /// Closes the connections of those that are held.
  void cut();

  class State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::http
