// SPDX-License-Identifier: GPL-2.0-or-later
// A table of digests whose own digest is right, as somebody makes it who wants to be believed.
#include <system_error>

#include "base/bytes.h"
#include "qcow2/read/digest_table.h"
#include "tests/fuzz/promises.h"
#include "tests/support/memory_file.h"

using namespace e2qcow;
using qcow2::DigestSeal;

namespace {

constexpr std::size_t kCounts = 16;  // how many runs and clusters the input claims

void look_up(const qcow2::DigestTable& table) {
  std::uint64_t found = 0;
  std::uint64_t cluster = 0;
  while (const auto run = table.next_run(cluster)) {
    require(run->count > 0 && run->end() > cluster);
    require(table.find(run->first).has_value() && table.find(run->end() - 1).has_value());
    require(run->end() == ~0ULL || !table.find(run->end()).has_value());
    found += run->count;
    cluster = run->end();
  }
  require(found == table.clusters());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  if (bytes.size() < kCounts) return 0;
  const auto table = bytes.subspan(kCounts);
  DigestSeal seal{.cluster_bits = 9,
                  .runs = load_be<std::uint64_t>(bytes, 0),
                  .clusters = load_be<std::uint64_t>(bytes, 8)};
  const bool fits = seal.runs <= size && seal.clusters <= size && seal.table_bytes() <= table.size();
  if (fits) seal.table = digest_of(seal.kind, table.first(seal.table_bytes()));
  std::vector<std::byte> image = qcow2::encode_seal(seal);
  image.insert(image.end(), table.begin(), table.end());
  image.resize(round_up(image.size(), qcow2::kSectorSize));
  try {
    const MemoryFile file(image);
    const qcow2::DigestPlace place;
    const auto read = qcow2::read_seal(file, place, {.cluster_bits = 9});
    if (!read) return 0;
    if (const auto opened = qcow2::DigestTable::open(file, place, *read)) look_up(*opened);
  } catch (const std::system_error&) {  // refused, with a reason
  }
  return 0;
}
