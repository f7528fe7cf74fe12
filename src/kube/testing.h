// What tests of the client need: time that does not pass, a server that holds objects.
#pragma once

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <vector>

#include "base/asio_executor.h"
#include "cluster/api_status.h"
#include "doc/patch.h"
#include "http/testing.h"

namespace tiphys::kube {

/// Timers run at once; what they were to wait is written down.
class HastyExecutor final : public Executor {
 public:
  explicit HastyExecutor(boost::asio::io_context& context) : executor_(make_asio_executor(context)) {}

  std::vector<Duration> delays;

  Time now() override { return now_; }
  void post(Task task) override { executor_->post(std::move(task)); }
  TimerId schedule(Time when, Task task) override {
    if (when > now_) delays.push_back(when - now_);
    return executor_->schedule(Time{}, std::move(task));
  }
  void cancel(TimerId timer) override { executor_->cancel(timer); }
  void move_on(Duration duration) { now_ += duration; }

 private:
  std::unique_ptr<Executor> executor_;
  Time now_{std::chrono::seconds(1'800'000'000)};
};

/// Objects by their paths, with versions: GET, PUT, PATCH (merge), DELETE.
class FakeObjects {
 public:
  std::map<std::string, doc::Value> objects;

  void put(const std::string& path, const std::string& json) {
    doc::Value object = doc::parse_json(json).value();
    stamp(object);
    objects[path] = std::move(object);
  }

  http::Answer answer(const http::SeenRequest& request) {
    const auto it = objects.find(request.target);
    if (it == objects.end()) return refuse({Code::kNotFound, "not found"});
    if (request.method == "GET") return http::reply(200, doc::to_json(it->second));
    if (request.method == "DELETE") {
      const doc::Value gone = it->second;
      objects.erase(it);
      return http::reply(200, doc::to_json(gone));
    }
    doc::Value body = doc::parse_json(request.body).value();
    const std::string_view version = doc::find_string(body, "metadata", "resourceVersion");
    if (!version.empty() && version != doc::find_string(it->second, "metadata", "resourceVersion")) {
      return refuse({Code::kAborted, "the object has been modified"});
    }
    const doc::Value before = it->second;
    if (request.method == "PUT") {
      it->second = std::move(body);
    } else if (const Status patched = doc::apply_merge_patch(it->second, body); !patched) {
      return refuse(patched.error());
    }
    if (it->second != before) stamp(it->second);
    return http::reply(200, doc::to_json(it->second));
  }

  static http::Answer refuse(const Error& error, const std::string& headers = "") {
    return http::reply(cluster::http_code(error.code), cluster::status_json(error), headers);
  }

 private:
  void stamp(doc::Value& object) {
    doc::ensure_object(object.as_object(), "metadata")["resourceVersion"] = std::to_string(++version_);
  }
  std::uint64_t version_ = 100;
};

}  // namespace tiphys::kube
