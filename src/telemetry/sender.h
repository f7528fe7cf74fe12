// Requests to one collector, one after the other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.h"
#include "base/random.h"
#include "telemetry/collector_call.h"

namespace tiphys::telemetry {

/// Something that is sent in one piece.
struct Shipment {
  std::string message;    ///< of OTLP
  std::size_t items = 0;  ///< spans or data points in it
};

/// Sends a shipment again while that may help: after what the collector asks for, else after 5 s, half as long again
/// each time up to 30 s, with chance in it. What has not arrived after a minute is lost. The log tells once that
/// nothing arrives and once that it does again. Executor's thread only.
class Sender {
 public:
  using Dropped = std::function<void(std::size_t items)>;
  Sender(Executor& executor, web::HttpClient& http, Random& random, Endpoint endpoint, Dropped dropped);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }
  /// Nothing is under way, nor is there something to wait for.
  bool idle() const { return !done_; }
  /// An answer has not come yet.
  bool asks() const { return call_ && timer_ == 0; }
  /// Only when idle. `done` is called later, once there is room for the next one.
  void send(Shipment shipment, std::move_only_function<void()> done);
  /// Ends what is under way, and gives back what may not have arrived.
  std::optional<Shipment> stop();
  /// Looks at the answer to a shipment that another has sent: true when it has arrived.
  bool settle(const Shipment& shipment, const Result<web::HttpAnswer>& answer);

 private:
  void attempt();
  void answered(const Result<web::HttpAnswer>& answer);
  void arrived(const Shipment& shipment, const Delivery& delivery);
  void fails(std::string_view why, std::string_view consequence);
  void pause(Duration time);
  Duration next_delay();

  Executor& executor_;
  web::HttpClient& http_;
  Random& random_;
  const Endpoint endpoint_;
  const Dropped dropped_;

  std::optional<Shipment> shipment_;
  std::move_only_function<void()> done_;  ///< none: idle
  Time first_attempt_{};
  std::unique_ptr<web::HttpCall> call_;
  Executor::TimerId timer_ = 0;
  Duration delay_{};  ///< between the last attempts; zero after one that has arrived
  bool failing_ = false;
  bool told_rejected_ = false;
};

}  // namespace tiphys::telemetry
