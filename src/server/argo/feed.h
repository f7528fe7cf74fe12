// What feeds a stream of Argo's API.
#pragma once

#include <memory>

#include "argo/call.h"
#include "cluster/cluster.h"

namespace tiphys::server {

/// Keeps the stream's answer, which sources know only weakly.
class Feed final : public cluster::Watch {
 public:
  Feed(std::shared_ptr<argo::Answer> answer, std::unique_ptr<cluster::Watch> source)
      : answer_(std::move(answer)), source_(std::move(source)) {}
  void pause(bool paused) override {
    if (source_) source_->pause(paused);
  }

 private:
  const std::shared_ptr<argo::Answer> answer_;
  const std::unique_ptr<cluster::Watch> source_;  // goes first
};

}  // namespace tiphys::server
