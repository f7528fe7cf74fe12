// Putting a file of this host into a bucket, large ones in parts.
#pragma once

#include <cstdint>
#include <string>

#include "artifact/s3_encryption.h"
#include "artifact/s3_protocol.h"

namespace tiphys::artifact {

class S3Upload {
 public:
  /// `part_bytes` 0: by the file's size.
  S3Upload(S3Server& server, const S3Encryption& encryption, std::uint64_t part_bytes)
      : server_(server), encryption_(encryption), part_bytes_(part_bytes) {}

  Attempt put(const std::string& key, const std::string& host_path, std::uint64_t size);

 private:
  Attempt put_in_parts(const std::string& key, const std::string& host_path, std::uint64_t size, std::uint64_t part);
  Attempt put_parts(const S3Request& base, const std::string& host_path, std::uint64_t size, std::uint64_t part,
                    std::string& list);

  S3Server& server_;
  const S3Encryption& encryption_;
  const std::uint64_t part_bytes_;
};

}  // namespace tiphys::artifact
