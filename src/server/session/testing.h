// A client's side of sessions, and what they lead to, for tests.
#pragma once

#include <map>
#include <string>

#include "cluster/session.h"
#include "server/session/websocket.h"
#include "server/session/wire.h"

namespace tiphys::server {

inline std::string client_frame(WebSocketMessage::Kind kind, std::string_view payload) {
  std::string frame = websocket_frame(kind, payload);
  frame[1] = static_cast<char>(frame[1] | 0x80);
  const std::string mask = "mask";
  std::string masked = frame.substr(0, frame.size() - payload.size()) + mask;
  for (std::size_t i = 0; i < payload.size(); ++i) masked += static_cast<char>(payload[i] ^ mask[i % mask.size()]);
  return masked;
}

/// Keeps what is sent.
struct FakeWire final : Wire {
  void send(std::string bytes) override {
    unsent_bytes += holds ? bytes.size() : 0;
    sent += bytes;
  }
  std::size_t unsent() const override { return unsent_bytes; }
  void pause(bool pause) override { paused = pause; }
  void close(bool peer_is_done) override {
    closed = true;
    done_too = peer_is_done;
  }

  std::string sent;
  std::size_t unsent_bytes = 0;
  bool holds = false;  ///< nothing is taken
  bool paused = false, closed = false, done_too = false;
};

/// A command or port whose answers the test gives.
struct FakeSession final : cluster::Session {
  struct State {
    cluster::Done<std::string> out, err;
    cluster::Done<void> write;
    cluster::Done<int> wait;
    std::string input, sizes;
    bool input_closed = false, gone = false;

    void give(cluster::Done<std::string>& read, std::string piece) { std::exchange(read, nullptr)(std::move(piece)); }
    void take() { std::exchange(write, nullptr)(Status()); }
    void end(int code) { std::exchange(wait, nullptr)(code); }
  };
  explicit FakeSession(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~FakeSession() override { state_->gone = true; }

  void read(Output from, cluster::Done<std::string> done) override {
    (from == Output::kOut ? state_->out : state_->err) = std::move(done);
  }
  void write(std::string bytes, cluster::Done<void> done) override {
    state_->input += bytes;
    state_->write = std::move(done);
  }
  void close_input() override { state_->input_closed = true; }
  void resize(unsigned short columns, unsigned short rows) override {
    state_->sizes += std::to_string(columns) + "x" + std::to_string(rows) + " ";
  }
  void wait(cluster::Done<int> done) override { state_->wait = std::move(done); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::server
