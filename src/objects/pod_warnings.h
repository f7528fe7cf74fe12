// What whoever makes pods, or templates of them, is warned of: what is taken, and seldom meant
// (k8s.io/kubernetes/pkg/api/pod/warnings.go).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"

namespace tiphys::objects {

/// Of a pod or a template; `at` is "" or where the template is: "spec.template".
void warn_of_pod(const doc::Value& pod, std::string_view at, std::vector<std::string>& warnings);

/// KindRules::warn of Pods, and of what has its template in spec.template and in that of a CronJob.
void warn_of_new_pod(const doc::Value& object, const doc::Value* before, std::vector<std::string>& warnings);
void warn_of_template(const doc::Value& object, const doc::Value* before, std::vector<std::string>& warnings);
void warn_of_cron_job(const doc::Value& object, const doc::Value* before, std::vector<std::string>& warnings);

}  // namespace tiphys::objects
