// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/replacement/secret.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/hashing.h"

namespace e2qcow::ext2 {
namespace {

static_assert(Secret::kBytes == crypto_generichash_KEYBYTES);
static_assert(sizeof(Secret::Words) == crypto_shorthash_siphashx24_BYTES);

const unsigned char* bytes_of(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Secret Secret::random() {
  Bytes bytes;
  ::randombytes_buf(bytes.data(), bytes.size());
  return Secret(bytes);
}

Secret Secret::derived(std::string_view purpose, std::uint64_t number) const {
  Bytes result;
  crypto_generichash_state state;
  number = little_endian(number);
  ::crypto_generichash_init(&state, bytes_.data(), bytes_.size(), result.size());
  ::crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&number), sizeof number);
  ::crypto_generichash_update(&state, bytes_of(std::as_bytes(std::span(purpose))), purpose.size());
  ::crypto_generichash_final(&state, result.data(), result.size());
  return Secret(result);
}

Secret::Words Secret::hash(std::span<const std::byte> text) const {
  std::array<std::byte, sizeof(Words)> out;
  ::crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(out.data()), bytes_of(text), text.size(),
                                bytes_.data());
  return {load_le<std::uint64_t>(out, 0), load_le<std::uint64_t>(out, sizeof(std::uint64_t))};
}

void Secret::replace(std::span<std::byte> bytes) const {
  std::uint64_t state = hash(bytes).first;
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(next_number(state));
}

std::array<std::uint8_t, 8> Secret::fingerprint() const {
  const Secret whole = derived("fingerprint");
  std::array<std::uint8_t, 8> part;
  std::ranges::copy_n(whole.bytes().begin(), part.size(), part.begin());
  return part;
}

}  // namespace e2qcow::ext2
