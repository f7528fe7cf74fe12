// Counts anew what the quotas of a namespace have in use, when something that they count is gone (k8s.io/kubernetes/
// pkg/controller/resourcequota). One namespace at a time.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "base/executor.h"
#include "objects/resource_list.h"
#include "store/store.h"

namespace tiphys::objects {

class QuotaRecount {
 public:
  QuotaRecount(Executor& executor, store::Store& store) : executor_(executor), store_(store) {}

  void mark(const std::string& ns);

 private:
  struct Count;

  void begin();
  void next_quota(const std::shared_ptr<Count>& count);
  void next_resource(const std::shared_ptr<Count>& count);
  void next_page(const std::shared_ptr<Count>& count, std::string token);
  void write(const std::shared_ptr<Count>& count);
  void later(const std::shared_ptr<Count>& count, const Error& why);

  Executor& executor_;
  store::Store& store_;
  std::set<std::string> marked_;
  bool busy_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tiphys::objects
