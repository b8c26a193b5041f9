// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/signatures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "base/blkid_probe.h"
#include "base/bytes.h"
#include "base/extents.h"
#include "base/printable.h"

namespace e2qcow {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kAreaBytes = 64 * 1024;  // around a signature
constexpr std::size_t kVhdFooter = 512;          // at the end of a file

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  std::string_view text;
};

// Sources: the file(1) database; for Android, system/core/libsparse/sparse_format.h; for e2fsprogs,
// lib/ext2fs/undo_io.c and ext2_err.et (EXT2_ET_MAGIC_E2IMAGE).
constexpr Magic kMagics[] = {
    {0, "QFI\xfb\0\0\0\1"sv, "it is a qcow image of version 1; convert it first (qemu-img convert -O raw)"},
    {0, "QFI\xfb"sv, "it is a qcow2 image; the disk in it must be restored first, or opened by exec"},
    {0, "KDMV"sv, "it is a VMDK image; convert it first (qemu-img convert -O raw)"},
    {0, "COWD"sv, "it is a VMDK image; convert it first (qemu-img convert -O raw)"},
    {0, "# Disk DescriptorFile"sv, "it describes a VMDK image; convert it first (qemu-img convert -O raw)"},
    {64, "\x7f\x10\xda\xbe"sv, "it is a VDI image; convert it first (qemu-img convert -O raw)"},
    {0, "vhdxfile"sv, "it is a VHDX image; convert it first (qemu-img convert -O raw)"},
    {0, "conectix"sv, "it is a VHD image; convert it first (qemu-img convert -f vpc -O raw)"},
    {0, "QED\0"sv, "it is a QED image; convert it first (qemu-img convert -O raw)"},
    {0, "WithoutFreeSpace"sv, "it is a Parallels image; convert it first (qemu-img convert -O raw)"},
    {0, "WithouFreSpacExt"sv, "it is a Parallels image; convert it first (qemu-img convert -O raw)"},
    {0, "\x1f\x8b"sv, "it is gzip-compressed; unpack it first (gzip -dc)"},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     "it is xz-compressed; unpack it first (xz -dc)"},
    {0, "\x28\xb5\x2f\xfd"sv, "it is zstd-compressed; unpack it first (zstd -dc)"},
    {0, "BZh"sv, "it is bzip2-compressed; unpack it first (bzip2 -dc)"},
    {0, "\x04\x22\x4d\x18"sv, "it is lz4-compressed; unpack it first (lz4 -dc)"},
    {0, "\x3a\xff\x26\xed"sv, "it is an Android sparse image; unpack it first (simg2img)"},
    {0, "E2UNDO02"sv, "it is an undo file of e2fsprogs; e2undo applies it"},
    {0, "\x10\xb7\x2b\x7f"sv, "it is a classic e2image file; e2fsprogs reads it (e2image -I, debugfs -i)"},
    {0, "LUKS\xba\xbe"sv,
     "it is encrypted with LUKS; open it (cryptsetup open) and use the device that appears"},
};

struct Kind {
  std::string_view type;  // of libblkid
  std::string_view text;
};

constexpr Kind kKinds[] = {
    {"crypto_LUKS", "it is encrypted with LUKS; open it (cryptsetup open) and use the device that appears"},
    {"BitLocker", "it is encrypted with BitLocker"},
    {"LVM2_member", "it is a physical volume of LVM; use the logical volumes on it (vgchange -ay, lvs)"},
    {"linux_raid_member", "it is a member of a RAID; use the assembled device (mdadm --assemble)"},
    {"DM_verity_hash", "it holds the hashes of dm-verity"},
    {"swap", "it is swap space"},
    {"jbd", "it is the journal of an ext file system"},
};

// Adds the bytes of the part around this offset, cut at its ends.
void add_area(std::vector<Extent>& areas, std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t begin = std::min(offset, size) / kAreaBytes * kAreaBytes;
  if (begin < size) areas.push_back({begin, std::min(kAreaBytes, size - begin)});
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view find_magic(std::string_view front) {
  const auto found = std::ranges::find_if(kMagics, [&](const Magic& magic) {
    return front.size() > magic.offset && front.substr(magic.offset).starts_with(magic.bytes);
  });
  return found == std::end(kMagics) ? "" : found->text;
}

std::string text_of_type(std::string_view type, std::string_view label) {
  const auto known = std::ranges::find(kKinds, type, &Kind::type);
  if (known != std::end(kKinds)) return std::string(known->text);
  const std::string named = label.empty() ? "" : fmt::format(" labelled '{}'", printable(label));
  return fmt::format("it holds {}{}", type, named);
}

constexpr int kAmbivalent = -2;  // of libblkid: there are signatures of several kinds

std::string text_of_all(const Probe& probe) {
  std::string types;
  blkid_reset_probe(probe.get());
  while (blkid_do_probe(probe.get()) == 0)
    for (const char* const name : {"TYPE", "PTTYPE"})
      if (const std::string_view type = value_of(probe, name); !type.empty() && !type.starts_with("ext"))
        types += fmt::format("{}{}", types.empty() ? "" : ", ", type);
  return types.empty() ? "" : fmt::format("it holds the signatures of several things ({})", types);
}

// Partition tables come last: they may be remains in a sector that a file system does not use.
std::string find_by_libblkid(const ReadableFile& disk, Extent part) {
  const ProbedPart probed(disk, part);
  const Probe probe = probe_of(probed);
  if (!probe) return "";
  blkid_probe_enable_superblocks(probe.get(), 1);
  blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL);
  blkid_probe_enable_partitions(probe.get(), 1);
  const int result = blkid_do_safeprobe(probe.get());
  if (result == kAmbivalent) return text_of_all(probe);
  if (result != 0) return "";
  const std::string_view type = value_of(probe, "TYPE");
  if (!type.empty()) return text_of_type(type, value_of(probe, "LABEL"));
  const std::string_view table = value_of(probe, "PTTYPE");
  return table.empty() ? "" : fmt::format("it holds a partition table ({})", table);
}

// What has no descriptor may be a pipe.
enum class Look { at_all, at_front_of_pipes };

std::string find_anything(const ReadableFile& file, Extent part, Look look) {
  std::array<std::byte, 512> bytes{};
  const auto front = std::span(bytes).first(std::min<std::uint64_t>(bytes.size(), part.length));
  const std::size_t length = file.read_up_to(part.offset, front);
  if (length == 0) return "it is empty";
  if (const auto text = find_magic(as_text(front.first(length))); !text.empty()) return std::string(text);
  if (look == Look::at_front_of_pipes && !file.descriptor()) return "";
  if (auto text = find_by_libblkid(file, part); !text.empty()) return text;
  if (part.length < kVhdFooter) return "";
  file.read(part.end() - kVhdFooter, bytes);
  return as_text(bytes).starts_with("conectix")
             ? "it is a VHD image; convert it first (qemu-img convert -f vpc -O raw)"
             : "";
}

}  // namespace

std::vector<Extent> recognised_areas(const ReadableFile& disk, Extent part) {
  std::vector<Extent> areas;
  add_area(areas, 0, part.length);
  const std::uint64_t end_bytes = std::min(kAreaBytes, part.length);
  if (end_bytes > 0) areas.push_back({part.length - end_bytes, end_bytes});
  if (part.empty()) return areas;
  const ProbedPart probed(disk, part);
  const Probe probe = probe_of(probed);
  if (!probe) return sorted_and_joined(std::move(areas));
  blkid_probe_enable_superblocks(probe.get(), 1);
  blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_BADCSUM);
  blkid_probe_enable_partitions(probe.get(), 1);
  blkid_probe_set_partitions_flags(probe.get(), BLKID_PARTS_MAGIC);
  while (blkid_do_probe(probe.get()) == 0)
    for (const char* const name : {"SBMAGIC_OFFSET", "PTMAGIC_OFFSET"})
      if (const char* text = value_of(probe, name); *text != '\0')
        add_area(areas, std::strtoull(text, nullptr, 10), part.length);
  return sorted_and_joined(std::move(areas));
}

Signature find_signature(const PosixFile& disk) {
  const Probe probe = probe_of(disk.fd(), {});
  if (!probe) return {};
  blkid_probe_enable_partitions(probe.get(), 1);
  blkid_probe_enable_superblocks(probe.get(), 1);
  if (blkid_do_fullprobe(probe.get()) != 0) return {};
  return {value_of(probe, "TYPE"), value_of(probe, "LABEL"), value_of(probe, "PTTYPE")};
}

std::string describe_contents(const ReadableFile& file) {
  const std::uint64_t size = file.descriptor() ? file.size() : kVhdFooter;
  return find_anything(file, {0, size}, Look::at_front_of_pipes);
}

std::string describe_contents(const ReadableFile& disk, Extent part) {
  const Extent inside = common_part(part, {0, disk.size()});
  return inside.empty() ? "" : find_anything(disk, inside, Look::at_all);
}

std::string describe_other_contents(const ReadableFile& disk, Extent part) {
  const std::string text = find_anything(disk, part, Look::at_all);
  return text.starts_with("it holds ext") ? "" : text;
}

}  // namespace e2qcow
