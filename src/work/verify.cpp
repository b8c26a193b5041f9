// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/verify.h"

#include <e2qcow/error.h>

#include <algorithm>
#include <map>

#include "base/extents.h"
#include "base/file/posix_file.h"
#include "image/disk_file.h"
#include "qcow2/check/checker.h"
#include "qcow2/format/read_header.h"
#include "qcow2/read/compare_contents.h"
#include "qcow2/read/digest_state.h"
#include "qcow2/read/identity.h"
#include "work/disk_classes.h"

namespace e2qcow::work {
namespace {

using qcow2::DigestState;

constexpr const char* kDamagedOrCommitted = "it is damaged, or was committed into by qemu-img";
constexpr const char* kChanged = "another program has changed it";

bool is_damage(const std::error_code& code) {
  return code == Errc::corrupt || code == Errc::truncated || code == Errc::implausible;
}

void judge(VerifyResult& result, Verdict verdict, const std::string& why = "") {
  result.verdict = verdict;
  result.why = why;
}

bool is_clean(const ReadableFile& file, unsigned threads) {
  const qcow2::CheckResult check = qcow2::check(file, {.threads = threads});
  return check.corruptions == 0;
}

// Without digests to compare with.
void judge_without_table(VerifyResult& result, const DigestState& state, bool is_clean) {
  if (!state.place) return judge(result, Verdict::no_digests, "it holds no digests");
  const std::string gone = "its digests were overwritten or cut off";
  if (!is_clean) return judge(result, Verdict::differs, gone + ", and its tables are damaged");
  if (!state.is_marked) return judge(result, Verdict::changed, gone + ": " + kChanged);
  judge(result, Verdict::no_digests, gone + ", as qemu-img commit does, or are damaged");
}

// After the comparison with the table. A commit into the image changes its tables or its data, and leaves the
// mark; damage does, too, but a check sees what damaged tables contradict.
void judge_with_table(VerifyResult& result, const DigestState& state, bool is_clean) {
  const bool same = result.differences.empty();
  const bool as_written = state.tables_are_as_written();
  if (same && as_written && state.is_marked) return judge(result, Verdict::whole);
  if (same && as_written)
    return judge(result, Verdict::opened_since,
                 "another program has opened it for writing since, and changed nothing");
  if (!is_clean) return judge(result, Verdict::differs, "its tables are damaged");
  if (!state.is_marked) return judge(result, Verdict::changed, kChanged);
  if (as_written) return judge(result, Verdict::differs, kDamagedOrCommitted);
  judge(result, Verdict::changed,
        "its tables are not as they were written: it was committed into by qemu-img, or is damaged");
}

bool is_whole(const VerifyResult& result) {
  return result.verdict == Verdict::whole || result.verdict == Verdict::opened_since;
}

bool differs(const VerifyResult& result) {
  return !result.differences.empty();
}

VerifyResult verify_image(const qcow2::Reader& image, const TransferOptions& transfer) {
  VerifyResult result{.image = image.file().name(), .cluster_size = image.header().geometry().cluster_size()};
  const DigestState state = qcow2::read_digest_state(image);
  if (state.seal) result.digest = state.seal->kind;
  if (!state.table) {
    judge_without_table(result, state, !state.place || is_clean(image.file(), transfer.threads));
    return result;
  }
  result.clusters = state.table->clusters();
  if (transfer.progress)
    transfer.progress->begin("verify", result.clusters * image.header().geometry().cluster_size());
  result.differences = qcow2::different_clusters(image, *state.table, transfer);
  const bool is_as_expected = state.tables_are_as_written() && !differs(result);
  judge_with_table(result, state, is_as_expected || is_clean(image.file(), transfer.threads));
  return result;
}

// The clusters of the differences that overlap each class.
void add_classes(VerifyResult& result, const DiskClasses& classes) {
  std::map<BlockClass, std::uint64_t> counts;
  std::map<BlockClass, std::uint64_t> counted_until;
  for (const auto& [blocks, block_class] : classes.runs) {
    const Extent range{blocks.first * classes.block_size, blocks.count * classes.block_size};
    for (const Extent& different : from_first_after(result.differences, range.offset)) {
      if (!overlaps(different, range)) break;
      const Extent common = common_part(different, range);
      const std::uint64_t first = std::max(common.offset / result.cluster_size, counted_until[block_class]);
      const std::uint64_t end = (common.end() - 1) / result.cluster_size + 1;
      if (first < end) counts[block_class] += end - first;
      counted_until[block_class] = std::max(end, first);
    }
  }
  result.classes.assign(counts.begin(), counts.end());
}

void add_files(VerifyResult& result, const ReadableFile& disk) {
  const auto superblock = ext2::read_superblock(disk, ext2::kSuperblockOffset);
  if (!superblock) return;
  const ext2::Filesystem filesystem(disk, *superblock);
  result.files = ext2::find_file_names(filesystem, nullptr, result.differences, {}).hit;
}

// As far as the damaged file system tells.
void add_what_is_hit(VerifyResult& result, const ImageSource& chain, unsigned threads) {
  const qcow2::DecodableDisk disk(chain);
  try {
    if (const auto classes = classify_disk(disk, result.image, true, threads)) {
      add_classes(result, *classes);
      add_files(result, DiskFile(disk, result.image));
    }
  } catch (const std::system_error& error) {
    if (error.code() == Errc::interrupted) throw;
  }
}

}  // namespace

VerifyFiles::VerifyFiles(const ImageOptions& options) : options_(options) {
  files_.push_back(open_for_reading(options.path));
  for (const std::string& text : options.backing) {
    const auto [path, format] = qcow2::parse_named_file(text);
    files_.push_back(open_for_reading(path));
    is_raw_at_the_bottom_ = format ? *format == qcow2::DiskFormat::raw : !qcow2::has_magic(*files_.back());
    if (is_raw_at_the_bottom_) break;
  }
}

std::vector<VerifyResult> VerifyFiles::verify(const TransferOptions& transfer) && {
  const ReadableFile* raw = is_raw_at_the_bottom_ ? files_.back().get() : nullptr;
  std::vector<VerifyResult> results;
  std::vector<std::unique_ptr<qcow2::Reader>> images;
  for (const auto& file : files_) {
    if (file.get() == raw) break;
    try {
      auto image = std::make_unique<qcow2::Reader>(*file);
      refuse_too_large(*image, options_);
      image->check_tables(options_.max_ratio);
      results.push_back(verify_image(*image, transfer));
      images.push_back(std::move(image));
    } catch (const std::system_error& error) {
      if (!is_damage(error.code())) throw;
      results.push_back({.image = file->name(), .verdict = Verdict::differs, .why = error.what()});
      return results;  // no disk is left to look at
    }
  }
  for (std::size_t depth = 0; depth + 1 < images.size(); ++depth)
    if (is_whole(results[depth]) && qcow2::lies_on_another(*images[depth], *images[depth + 1]))
      judge(results[depth], Verdict::changed,
            results[depth + 1].image + " is not the image that it was made on, or has changed since");
  for (std::size_t depth = 0; depth < images.size(); ++depth) {
    const bool is_complete = raw != nullptr || !images.back()->backing_file_name();
    if (!is_complete || !differs(results[depth])) continue;
    std::vector<const qcow2::Reader*> readers;
    for (std::size_t i = depth; i < images.size(); ++i) readers.push_back(images[i].get());
    add_what_is_hit(results[depth], qcow2::Chain(std::move(readers), raw), transfer.threads);
  }
  return results;
}

}  // namespace e2qcow::work
