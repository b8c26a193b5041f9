// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ext2/interpretation/superblock_search.h"
#include "ext2/structures/filesystem.h"
#include "work/audit/area_search.h"
#include "work/audit/audited_file.h"
#include "work/audit/remaining_text.h"
#include "work/device.h"
#include "work/image.h"

namespace e2qcow::work {

struct AuditOptions {
  ext2::SuperblockChoice superblock{};  // of the image's file system
  std::optional<std::string> report{};  // the text of a report to search as well
  std::size_t max_listed = 1000;        // findings
  TransferOptions transfer{};
};

// Where something was found.
enum class AuditArea : std::uint8_t {
  disk,        // of the image; a guest offset
  image_file,  // the rest of it: header, tables, compressed data, free space; a host offset
  report
};

// A private string that is still there, or a text that an anonymised dump does not have.
struct AuditFinding {
  AuditArea area;
  std::uint64_t offset;
  std::uint64_t length;  // in the area
  // What the string is on the device, or without a device in the image.
  ext2::TextKind kind;
  std::uint64_t owner;
  std::uint64_t inode;
  std::uint64_t device_offset;  // in the file system of the device; without one that of the image
  Form form = Form::as_it_was;
  bool is_in_place = false;   // a short string, compared with those in its place
  std::string block_class{};  // of the disk's block; empty: it has none
};

// What was done with the strings of the device.
struct StringCounts {
  std::array<std::uint64_t, ext2::kTextKinds> kinds{};
  std::uint64_t total = 0;
  std::uint64_t everywhere = 0;   // searched for everywhere
  std::size_t shortest = 0;       // the length of the shortest of these
  std::uint64_t in_place = 0;     // compared with all strings in their place
  std::uint64_t at_offset = 0;    // compared with the string at their offset
  std::uint64_t not_judged = 0;   // too short and too many to say anything about
  std::uint64_t chance = 0;       // matches of these
  double expected_chance = 0;     // and how many are expected by chance
  std::uint64_t known_words = 0;  // parts of words that images have anyway; only compared in place
  std::uint64_t kept = 0;         // texts that a dump keeps, and were not collected
  std::uint64_t fillers = 0;      // texts that cannot be told from filler, and were not collected
};

struct AuditResult {
  AuditedFile image{};
  std::uint64_t disk_bytes = 0;  // of data on the disk
  std::uint64_t file_bytes = 0;  // of the rest of the image's file
  std::uint64_t report_bytes = 0;
  bool has_filesystem = false;            // in the image
  bool is_marked = false;                 // its record says that it is anonymised
  bool is_whole = true;                   // everything could be read
  std::optional<StringCounts> strings{};  // absent: without a device
  RemainingText remaining{0};
  std::uint64_t found = 0;  // strings of the device
  // The first ones, by area and offset; without a device, what is left where an anonymised dump has nothing.
  std::vector<AuditFinding> findings;

  bool has_leaked() const { return found != 0 || remaining.left() != 0; }
  // Whether that means anything: without a device, nobody can tell real names from new ones.
  bool is_conclusive() const { return is_whole && has_filesystem && (strings || is_marked); }
};

// The acceptable number of matches by chance: in the search everywhere, again in the comparison of places,
// and in that of offsets.
constexpr double kAcceptedChance = 0.001;

// Throws Errc::refused if the image cannot be a dump of the device, or that is an anonymised dump itself: the
// audit would find nothing, and prove nothing.
void refuse_unlike_device(const Image& image, const Device& device, const ext2::SuperblockChoice& superblock);

// Looks in the image for the texts of `device`, or if that is null, for whatever an anonymised dump should
// not have. `spool` is an empty file for the strings.
AuditResult audit(const Image& image, const ext2::Filesystem* device, std::unique_ptr<File> spool,
                  const AuditOptions& options);

}  // namespace e2qcow::work
