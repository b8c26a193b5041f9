// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/journal_pair.h"

#include <sodium.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace e2qcow::work {

DumpRecord::Pair pair_of(const Device& device) {
  constexpr std::uint64_t kSuperblocks = 8 << 10;  // that of a journal's log as well
  DumpRecord::Pair pair{};
  crypto_generichash_state state;
  ::crypto_generichash_init(&state, nullptr, 0, pair.size());
  for (const Device* each : {&device, device.journal()}) {
    std::vector<std::byte> bytes(std::min(kSuperblocks, each->part().length));
    each->file().read(0, bytes);
    ::crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  ::crypto_generichash_final(&state, pair.data(), pair.size());
  return pair;
}

std::string journal_image_name(const std::string& image) {
  constexpr std::string_view kEnding = ".qcow2";
  const std::string stem = image.ends_with(kEnding) ? image.substr(0, image.size() - kEnding.size()) : image;
  return stem + ".journal.qcow2";
}

}  // namespace e2qcow::work
