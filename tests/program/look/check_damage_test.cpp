// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>
#include <string_view>

#include "tests/program/support/check_against_qemu.h"
#include "tests/support/random.h"

namespace e2qcow::qcow2 {
namespace {

// Random damage to tables: qemu-img must never find more than we do.
class CheckDamageAgainstQemu : public CheckAgainstQemu {
 protected:
  void find_tables();
  void damage_and_compare();

 private:
  void add_table(std::uint64_t offset, std::uint64_t bytes) {
    if (offset != 0) tables_.push_back({offset, bytes});
  }
  void add_l1_table(Extent l1, std::uint64_t cluster_size) {
    add_table(l1.offset, l1.length);
    for (std::uint64_t position = 0; position < l1.length; position += sizeof(std::uint64_t))
      add_table(get64(l1.offset + position) & kOffsetMask, cluster_size);
  }
  void compare_damaged() const;

  std::vector<Extent> tables_;
};

void CheckDamageAgainstQemu::find_tables() {
  const auto file = open_for_reading(path("image"));
  Bytes front(4096);
  file->read(0, front);
  const Header header = decode_header(front, file->size(), file->name());
  const std::uint64_t cluster_size = header.geometry().cluster_size();
  const std::uint64_t l1_bytes = header.l1_size * sizeof(std::uint64_t);
  add_l1_table({header.l1_table_offset, l1_bytes}, cluster_size);
  add_table(header.refcount_table_offset, 64);
  add_table(get64(header.refcount_table_offset), 256);
  if (header.snapshot_count != 0) {
    add_table(header.snapshots_offset, 64);
    add_l1_table({get64(header.snapshots_offset), l1_bytes}, cluster_size);
  }
  for (const Extension& extension : decode_extensions(header, front).extensions) {
    if (extension.type != kBitmaps) continue;
    const auto directory = load_be<std::uint64_t>(extension.data, 16);
    add_table(directory, load_be<std::uint64_t>(extension.data, 8));
    add_table(get64(directory), 8);
  }
}

// Errors that we find and qemu-img, which looks only at references and refcounts, does not.
bool only_we_look_at(const std::string& message) {
  static constexpr std::array<std::string_view, 4> kStricter{
      // qcow2 spec, "L1 table entry", "L2 table entry": bit 63 is 0 if there is no cluster.
      "it is marked as copied, but has no",
      // qcow2 spec, "Standard Cluster Descriptor": with version 2 bit 0 is always 0.
      "a zero cluster in a version 2 image",
      // Metadata that is also something else changes when the other is written, whatever its refcount is.
      " overlaps the ",
      // As above: two parts of the disk would change together.
      "several of its entries have the L2 table at",
  };
  return std::ranges::any_of(kStricter,
                             [&](std::string_view text) { return message.find(text) != std::string::npos; });
}

void CheckDamageAgainstQemu::compare_damaged() const {
  const Judgement by_qemu = judge_by_qemu();
  const CheckResult result = check_image();
  const Judgement ours = judgement_of(result);
  EXPECT_GE(ours.verdict, by_qemu.verdict) << ours << "\n" << by_qemu << "\n" << joined(result.messages);
  if (ours.verdict <= by_qemu.verdict) return;
  for (const std::string& message : result.messages)
    EXPECT_TRUE(message.starts_with("leak") || only_we_look_at(message)) << message << "\n" << by_qemu;
}

// Bits are chosen in the first kilobyte of a table, which has most of the used entries.
void CheckDamageAgainstQemu::damage_and_compare() {
  find_tables();
  Random random;
  for (int round = rounds(40); round > 0; --round) {
    const Extent table = tables_[random.below(tables_.size())];
    const std::uint64_t words = divide_up(std::min<std::uint64_t>(table.length, 1024), sizeof(std::uint64_t));
    const std::uint64_t offset = table.offset + random.below(words) * sizeof(std::uint64_t);
    const std::uint64_t bit = 1ULL << random.below(64);
    SCOPED_TRACE(fmt::format("bit {:#x} at {}", bit, offset));
    const std::uint64_t intact = get64(offset);
    put64(offset, intact ^ bit);
    compare_damaged();
    put64(offset, intact);
  }
  expect_same_judgement(Verdict::clean);
}

TEST_F(CheckDamageAgainstQemu, OfAPlainImage) {
  make_disk(3 << 20);
  convert("");
  damage_and_compare();
}

TEST_F(CheckDamageAgainstQemu, OfAnImageOfSmallClusters) {
  make_disk(3 << 20);
  convert("-o cluster_size=512,refcount_bits=1");
  damage_and_compare();
}

TEST_F(CheckDamageAgainstQemu, OfACompressedVersion2Image) {
  make_disk(3 << 20);
  convert("-c -o compat=0.10,cluster_size=4k");
  damage_and_compare();
}

TEST_F(CheckDamageAgainstQemu, OfAnImageWithWideRefcounts) {
  make_disk(3 << 20);
  convert("-c -o refcount_bits=64,compression_type=zstd");
  damage_and_compare();
}

TEST_F(CheckDamageAgainstQemu, OfSnapshots) {
  make_disk(3 << 20);
  convert("-o cluster_size=4k");
  change("qemu-img snapshot -c one");
  write("1M 1M");
  damage_and_compare();
}

TEST_F(CheckDamageAgainstQemu, OfBitmaps) {
  create("-o cluster_size=4k", "3M");
  add_bitmap("", "one");
  write("1M 1M");
  damage_and_compare();
}

}  // namespace
}  // namespace e2qcow::qcow2
