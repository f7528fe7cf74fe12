// What the API server adds to pods, and refuses of any write, by what there is in a plane: LimitRanges, ResourceQuotas
// and PriorityClasses. Clients and the plane's own controllers are treated alike.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/executor.h"
#include "objects/quota_recount.h"
#include "objects/service_addresses.h"
#include "store/store.h"

namespace tiphys::objects {

class Admission final : public store::Admission {
 public:
  /// From here on it has its say in the store, as long as it lives. `seed`: of ServiceAddresses.
  static Result<std::unique_ptr<Admission>> start(Executor& executor, store::Store& store, std::string seed = "");
  ~Admission() override;

  /// Fills in a new object before its rules are looked at; to do so again changes nothing.
  Status fill(const cluster::Resource& resource, doc::Value& object) const;

  /// Gives an object what it has of the plane's own ranges, or tells what of it is not to be had.
  schema::FieldErrors allocate(const cluster::Resource& resource, doc::Value& object);

  /// The address that a Service has, or would be given.
  std::string service_address(std::string_view ns, std::string_view name) const {
    return addresses_.address_for(ns, name);
  }

  Status admit(const cluster::Resource& resource, doc::Value& object) override;
  bool charges(const cluster::Resource& resource, const std::string& ns) override;
  Result<std::vector<Also>> charge(const cluster::Resource& resource, const doc::Value* before,
                                   const doc::Value& after) override;
  bool follows(const cluster::Resource& resource, const std::string& ns) override;
  void settled(const cluster::Resource& resource, const cluster::Object& before, const cluster::Object& after) override;

 private:
  Admission(Executor& executor, store::Store& store, std::string seed)
      : store_(store), recount_(executor, store), addresses_(std::move(seed)) {}

  Status load();
  void learn(const cluster::Resource& resource, const cluster::Object& before, const cluster::Object& after);
  Status fill_priority(doc::Value& pod) const;
  const doc::Value* default_class() const;
  Status check_range(const cluster::Resource& resource, const doc::Value& object) const;
  Status check_default_class(const doc::Value* before, const doc::Value& after) const;

  store::Store& store_;
  QuotaRecount recount_;
  // As they are on disk; a quota's status is read anew for each object.
  std::map<std::string, std::map<std::string, cluster::Object>> ranges_;  ///< by namespace and name
  std::map<std::string, std::set<std::string>> quotas_;                   ///< their names by namespace
  std::map<std::string, cluster::Object> classes_;
  ServiceAddresses addresses_;
};

}  // namespace tiphys::objects
