// A server for tests: it tells what it was asked, and answers what it is told to.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace tiphys::web {

class ScriptedServer {
 public:
  /// `answer` gives the bytes for a request's bytes, on a thread of the server; "" lets the client wait.
  explicit ScriptedServer(std::function<std::string(const std::string&)> answer);
  ~ScriptedServer();

  std::string url(const std::string& target = "/") const;
  /// What came, in order.
  std::vector<std::string> requests();

 private:
  void run();

  std::function<std::string(const std::string&)> answer_;
  UniqueFd listener_, stop_;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

/// "HTTP/1.1 200 OK" with these headers (each with its line break) and the body.
std::string answer_with(int status, const std::string& body, const std::string& headers = "");

}  // namespace tiphys::web
