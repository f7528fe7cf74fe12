#include "cluster/retry_annotation.h"

#include <utility>

namespace tiphys::cluster {

std::string retry_annotation(doc::Array restarted, bool other_parameters) {
  return doc::to_json(doc::Object{{"restart", std::move(restarted)}, {"otherParameters", other_parameters}});
}

}  // namespace tiphys::cluster
