#include "objects/pod_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/quantity.h"
#include "base/strings.h"
#include "objects/kind_rules.h"
#include "objects/names.h"

namespace tiphys::objects {
namespace {

using Warnings = std::vector<std::string>;

const doc::Array& list_of(const doc::Value& object, std::string_view member) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(object, member);
  return found && found->is_array() ? found->get_array() : kNone;
}

std::int64_t number_of(const doc::Value& object, std::string_view member) {
  const doc::Value* found = doc::find(object, member);
  return found && found->is_int64() ? found->get_int64() : 0;
}

constexpr std::pair<std::string_view, std::string_view> kOldLabels[] = {
    {"beta.kubernetes.io/arch", R"(deprecated since v1.14; use "kubernetes.io/arch" instead)"},
    {"beta.kubernetes.io/os", R"(deprecated since v1.14; use "kubernetes.io/os" instead)"},
    {"failure-domain.beta.kubernetes.io/region",
     R"(deprecated since v1.17; use "topology.kubernetes.io/region" instead)"},
    {"failure-domain.beta.kubernetes.io/zone", R"(deprecated since v1.17; use "topology.kubernetes.io/zone" instead)"},
    {"beta.kubernetes.io/instance-type", R"(deprecated since v1.17; use "node.kubernetes.io/instance-type" instead)"},
};

constexpr std::pair<std::string_view, std::string_view> kOldAnnotations[] = {
    {"scheduler.alpha.kubernetes.io/critical-pod",
     R"(non-functional in v1.16+; use the "priorityClassName" field instead)"},
    {"security.alpha.kubernetes.io/sysctls", R"(non-functional in v1.11+; use the "sysctls" field instead)"},
    {"security.alpha.kubernetes.io/unsafe-sysctls", R"(non-functional in v1.11+; use the "sysctls" field instead)"},
    {"seccomp.security.alpha.kubernetes.io/pod", R"(non-functional in v1.27+; use the "seccompProfile" field instead)"},
};

/// Writes down what is found in one pod.
class PodWarnings {
 public:
  PodWarnings(const doc::Value& pod, std::string_view at, Warnings& warnings)
      : pod_(pod), spec_(spec_of(pod)), at_(at.empty() ? "" : std::string(at) + "."), warnings_(warnings) {}

  void find() {
    labels_of_nodes();
    null_selectors("topologySpreadConstraints", list_of(spec_, "topologySpreadConstraints"));
    annotations();
    same_twice("hostAliases", "ip");
    same_twice("imagePullSecrets", "name");
    each_container([&](const doc::Value& container, const std::string& at) {
      fractions(container, at);
      variables(container, at);
    });
    each_container([&](const doc::Value& container, const std::string& at) { ports(container, at); });
    each_container([&](const doc::Value& container, const std::string& at) { port_names(container, at); });
    if (number_of(spec_, "terminationGracePeriodSeconds") < 0) {
      tell("spec.terminationGracePeriodSeconds", "must be >= 0; negative values are invalid and will be treated as 1");
    }
    affinities("podAffinity");
    affinities("podAntiAffinity");
  }

 private:
  struct Port {
    std::string at, host_ip;
    std::int64_t host_port;
  };

  void tell(std::string_view field, std::string_view what) {
    warnings_.push_back(fmt::format("{}{}: {}", at_, field, what));
  }

  template <typename Visit>
  void each_container(Visit&& visit) {
    for (const char* list : {"initContainers", "containers"}) {
      std::size_t i = 0;
      for (const doc::Value& container : list_of(spec_, list)) visit(container, fmt::format("spec.{}[{}]", list, i++));
    }
  }

  void labels_of_nodes() {
    for (const auto& [label, advice] : kOldLabels) {
      if (doc::find(spec_, "nodeSelector", label)) tell(fmt::format("spec.nodeSelector[{}]", label), advice);
    }
  }

  void annotations() {
    for (const auto& [name, advice] : kOldAnnotations) {
      const bool settled = name.starts_with("seccomp") && doc::find(spec_, "securityContext", "seccompProfile");
      if (settled || !doc::find(pod_, "metadata", "annotations", name)) continue;
      tell(fmt::format("metadata.annotations[{}]", name), advice);
    }
  }

  void same_twice(std::string_view list, std::string_view member) {
    std::set<std::string_view> seen;
    std::size_t i = 0;
    for (const doc::Value& one : list_of(spec_, list)) {
      const auto value = doc::find_string(one, member);
      const std::string at = fmt::format("spec.{}[{}].{}", list, i++, member);
      if (!seen.insert(value).second) tell(at, fmt::format("duplicate {} \"{}\"", member, value));
      if (value.empty() && member == "name") tell(at, "invalid empty name \"\"");
    }
  }

  void null_selectors(std::string_view at, const doc::Array& terms, std::string_view within = {}) {
    std::size_t i = 0;
    for (const doc::Value& term : terms) {
      const doc::Value* of = within.empty() ? &term : doc::find(term, within);
      const std::string here = fmt::format("spec.{}[{}]{}{}.labelSelector", at, i++, within.empty() ? "" : ".", within);
      if (!of || !doc::find(*of, "labelSelector")) tell(here, "a null labelSelector results in matching no pod");
    }
  }

  void affinities(std::string_view which) {
    const doc::Value* affinity = doc::find(spec_, "affinity", which);
    if (!affinity) return;
    constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
    constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
    null_selectors(fmt::format("affinity.{}.{}", which, kRequired), list_of(*affinity, kRequired));
    null_selectors(fmt::format("affinity.{}.{}", which, kPreferred), list_of(*affinity, kPreferred), "podAffinityTerm");
  }

  void fractions(const doc::Value& container, const std::string& at) {
    for (const char* resource : {"memory", "ephemeral-storage"}) {
      for (const char* member : {"limits", "requests"}) {
        const doc::Value* amount = doc::find(container, "resources", member, resource);
        const auto quantity = amount ? Quantity::parse(doc::scalar_text(*amount)) : Result<Quantity>(Quantity());
        if (!quantity || quantity->is_whole()) continue;
        tell(fmt::format("{}.resources.{}[{}]", at, member, resource),
             fmt::format("fractional byte value \"{}\" is invalid, must be an integer", quantity->text()));
      }
    }
  }

  void variables(const doc::Value& container, const std::string& at) {
    std::set<std::string_view> seen;
    std::size_t i = 0;
    for (const doc::Value& variable : list_of(container, "env")) {
      const std::size_t here = i++;
      const auto name = doc::find_string(variable, "name"), value = doc::find_string(variable, "value");
      if (seen.insert(name).second) continue;
      // One that is made of the one before may be meant.
      const std::string reference = fmt::format("$({})", name);
      if (!doc::find(variable, "valueFrom") && value != reference && value.find(reference) != value.npos) continue;
      tell(fmt::format("{}.env[{}]", at, here),
           fmt::format("hides previous definition of \"{}\", which may be dropped when using apply", name));
    }
  }

  void ports(const doc::Value& container, const std::string& at) {
    std::size_t i = 0;
    for (const doc::Value& port : list_of(container, "ports")) {
      Port own{fmt::format("{}.ports[{}]", at, i++), std::string(doc::find_string(port, "hostIP")),
               number_of(port, "hostPort")};
      auto& others = ports_[{number_of(port, "containerPort"), std::string(doc::find_string(port, "protocol"))}];
      for (const Port& other : others) {
        const bool one_anywhere = own.host_ip.empty() != other.host_ip.empty();
        if (own.host_ip == other.host_ip && own.host_port == other.host_port) {
          tell(own.at, fmt::format("duplicate port definition with {}{}", at_, other.at));
        } else if (own.host_port == 0 || other.host_port == 0) {
          tell(own.at, fmt::format("overlapping port definition with {}{}", at_, other.at));
        } else if (own.host_port == other.host_port && one_anywhere) {
          tell(own.at, fmt::format("dangerously ambiguous port definition with {}{}", at_, other.at));
        }
      }
      others.push_back(std::move(own));
    }
  }

  void port_names(const doc::Value& container, const std::string& at) {
    std::size_t i = 0;
    for (const doc::Value& port : list_of(container, "ports")) {
      const std::string here = fmt::format("{}.ports[{}]", at, i++);
      const auto name = doc::find_string(port, "name");
      if (name.empty()) continue;
      const auto [first, is_first] = port_names_.try_emplace(name, at_ + here);
      if (is_first) continue;
      tell(here, fmt::format("duplicate port name \"{0}\" with {1}, services and probes that select ports by name will "
                             "use {1}",
                             name, first->second));
    }
  }

  const doc::Value& pod_;
  const doc::Value& spec_;
  std::string at_;
  Warnings& warnings_;
  std::map<std::pair<std::int64_t, std::string>, std::vector<Port>> ports_{};
  std::map<std::string_view, std::string> port_names_{};
};

/// Those of a change that leaves the spec alone were told before.
bool is_new_spec(const doc::Value& object, const doc::Value* before) {
  return !before || spec_of(*before) != spec_of(object);
}

}  // namespace

void warn_of_pod(const doc::Value& pod, std::string_view at, Warnings& warnings) {
  PodWarnings(pod, at, warnings).find();
}

void warn_of_new_pod(const doc::Value& object, const doc::Value* before, Warnings& warnings) {
  if (before) return;
  const auto name = doc::find_string(object, "metadata", "name");
  if (const Complaints complaints = name.empty() ? Complaints() : dns_label(name); !complaints.empty()) {
    const std::string why = name.find('.') == name.npos ? join(complaints, " ") : "must not contain dots";
    warnings.push_back(
        fmt::format("metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS "
                    "label is recommended: [{}]",
                    why));
  }
  warn_of_pod(object, "", warnings);
}

void warn_of_template(const doc::Value& object, const doc::Value* before, Warnings& warnings) {
  const doc::Value* pods = is_new_spec(object, before) ? doc::find(object, "spec", "template") : nullptr;
  if (pods) warn_of_pod(*pods, "spec.template", warnings);
}

void warn_of_cron_job(const doc::Value& object, const doc::Value* before, Warnings& warnings) {
  const doc::Value* pods =
      is_new_spec(object, before) ? doc::find(object, "spec", "jobTemplate", "spec", "template") : nullptr;
  if (pods) warn_of_pod(*pods, "spec.jobTemplate.spec.template", warnings);
}

}  // namespace tiphys::objects
