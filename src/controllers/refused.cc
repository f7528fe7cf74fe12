#include "controllers/refused.h"

#include "engine/transient.h"

namespace tiphys::controllers {

bool refused_for_good(const Error& error) {
  switch (error.code) {
    case Code::kPermissionDenied:
      // A quota may have room later.
      return !engine::may_pass(error.message);
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange:
    case Code::kUnimplemented:
    case Code::kUnauthenticated:
      return true;
    default:
      return false;
  }
}

}  // namespace tiphys::controllers
