// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/audited_file.h"

#include <sodium.h>

#include <algorithm>
#include <vector>

#include "base/stop.h"
#include "ext2/structures/description.h"

namespace e2qcow::work {
namespace {

std::array<std::uint8_t, 32> sha256_of(const ReadableFile& file) {
  constexpr std::uint64_t kPiece = 1 << 20;
  crypto_hash_sha256_state state;
  ::crypto_hash_sha256_init(&state);
  std::vector<std::byte> bytes;
  for (std::uint64_t offset = 0; offset < file.size(); offset += bytes.size()) {
    throw_if_stopped();
    bytes.resize(std::min(kPiece, file.size() - offset));
    file.read(offset, bytes);
    ::crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  std::array<std::uint8_t, 32> hash{};
  ::crypto_hash_sha256_final(&state, hash.data());
  return hash;
}

}  // namespace

AuditedFile identify(const Image& image, const ext2::Filesystem* filesystem) {
  const ReadableFile& file = image.reader().file();
  AuditedFile identity{.bytes = file.size(), .sha256 = sha256_of(file)};
  if (filesystem != nullptr) identity.filesystem_uuid = ext2::describe(filesystem->superblock).uuid;
  if (const auto record = image.record()) identity.key = record->anonymized_with;
  return identity;
}

}  // namespace e2qcow::work
