// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/digest.h"

#include <sodium.h>
#include <xxhash.h>

#include <cstring>
#include <new>

#ifdef E2QCOW_HAS_AVX2
#include "base/xxh3_avx2.h"
#endif

namespace e2qcow {
namespace {

// In the order of bytes that xxHash prints and stores.
Digest canonical(XXH128_hash_t hash) {
  Digest digest;
  XXH128_canonical_t bytes;
  ::XXH128_canonicalFromHash(&bytes, hash);
  std::memcpy(digest.bytes.data(), bytes.digest, sizeof bytes.digest);
  return digest;
}

unsigned char* raw(Digest& digest) {
  return reinterpret_cast<unsigned char*>(digest.bytes.data());
}

const unsigned char* raw(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Digest xxh3_of(std::span<const std::byte> bytes) {
#ifdef E2QCOW_HAS_AVX2
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) {
    Digest digest;
    ::e2qcow_xxh3_avx2(bytes.data(), bytes.size(), raw(digest));
    return digest;
  }
#endif
  return canonical(::XXH3_128bits(bytes.data(), bytes.size()));
}

}  // namespace

std::optional<DigestKind> digest_kind(std::uint64_t number) {
  for (const DigestKind kind : {DigestKind::xxh3, DigestKind::sha256})
    if (number == static_cast<std::uint64_t>(kind)) return kind;
  return std::nullopt;
}

std::string_view digest_name(DigestKind kind) {
  return kind == DigestKind::xxh3 ? "xxh3" : "sha256";
}

Digest digest_of(DigestKind kind, std::span<const std::byte> bytes) {
  if (kind == DigestKind::xxh3) return xxh3_of(bytes);
  Digest digest;
  ::crypto_hash_sha256(raw(digest), raw(bytes), bytes.size());
  return digest;
}

struct Hasher::State {
  State() : xxh3(::XXH3_createState()) {
    if (xxh3 == nullptr) throw std::bad_alloc();
    ::XXH3_128bits_reset(xxh3);
    ::crypto_hash_sha256_init(&sha256);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { ::XXH3_freeState(xxh3); }

  XXH3_state_t* xxh3;
  crypto_hash_sha256_state sha256{};
};

Hasher::Hasher(DigestKind kind) : kind_(kind), state_(std::make_unique<State>()) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::add(std::span<const std::byte> bytes) {
  if (kind_ == DigestKind::xxh3)
    ::XXH3_128bits_update(state_->xxh3, bytes.data(), bytes.size());
  else
    ::crypto_hash_sha256_update(&state_->sha256, raw(bytes), bytes.size());
}

Digest Hasher::finish() {
  if (kind_ == DigestKind::xxh3) return canonical(::XXH3_128bits_digest(state_->xxh3));
  Digest digest;
  ::crypto_hash_sha256_final(&state_->sha256, raw(digest));
  return digest;
}

}  // namespace e2qcow
