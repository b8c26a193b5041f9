// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/audit.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "base/extents.h"
#include "base/stop.h"
#include "ext2/selection/select.h"
#include "ext2/texts/filesystem_texts.h"
#include "ext2/texts/known_words.h"
#include "image/disk_file.h"
#include "qcow2/read/cached_disk.h"
#include "work/audit/other_contents.h"
#include "work/audit/places.h"
#include "work/audit/private_texts.h"
#include "work/audit/strings.h"
#include "work/audit/text_file.h"
#include "work/audit/thresholds.h"

namespace e2qcow::work {
namespace {

constexpr std::uint64_t kImageCacheBytes = 64 << 20;
constexpr std::uint64_t kPassBytes = 160 << 20;  // of strings in memory at a time
constexpr std::size_t kMaxWindow = 16;

// The parts of the image's file that are not data of the disk as it is.
std::vector<Extent> rest_of_file(const qcow2::Reader& reader) {
  std::vector<Extent> plain;
  for (std::uint64_t position = 0; position < reader.size();) {
    throw_if_stopped();
    const qcow2::Mapping mapping = reader.map(position);
    position = mapping.guest.end();
    if (mapping.kind == qcow2::Mapping::Kind::data)
      plain.push_back({*mapping.host_offset, mapping.guest.length});
  }
  return without(data_extents(reader.file()), sorted_and_joined(std::move(plain)));
}

// The image as the audit reads it.
class AuditedImage {
 public:
  AuditedImage(const Image& image, const ext2::SuperblockChoice& choice)
      : cached_(image.disk(), kImageCacheBytes),
        scattered_(cached_, name_of(image)),
        disk_(image.disk(), name_of(image)) {
    if (const auto superblock = ext2::search_superblock(scattered_, choice).superblock)
      filesystem_.emplace(scattered_, *superblock);
    disk_extents_ = data_extents(disk_);
    file_ = &image.reader().file();
    file_extents_ = rest_of_file(image.reader());
  }

  const ext2::Filesystem* filesystem() const { return filesystem_ ? &*filesystem_ : nullptr; }
  // For reading in order.
  const ReadableFile& disk() const { return disk_; }
  const std::vector<Extent>& disk_extents() const { return disk_extents_; }
  const ReadableFile& file() const { return *file_; }
  const std::vector<Extent>& file_extents() const { return file_extents_; }

 private:
  static std::string name_of(const Image& image) { return image.reader().file().name(); }

  qcow2::CachedDisk cached_;
  DiskFile scattered_;
  DiskFile disk_;
  std::optional<ext2::Filesystem> filesystem_;
  std::vector<Extent> disk_extents_;
  const ReadableFile* file_;
  std::vector<Extent> file_extents_;
};

// Names the classes of blocks in findings.
void add_classes(std::vector<AuditFinding>& findings, const ext2::Filesystem& filesystem, unsigned threads) {
  if (findings.empty()) return;
  ext2::Findings known_already;
  const auto runs =
      ext2::classify_blocks(filesystem, {.kind = DumpKind::all, .threads = threads}, known_already);
  for (AuditFinding& finding : findings) {
    if (finding.area != AuditArea::disk) continue;
    const std::uint64_t block = finding.offset / filesystem.geometry.block_size();
    const auto run = std::ranges::upper_bound(runs, block, {}, [](const auto& r) { return r.blocks.end(); });
    if (run != runs.end() && run->blocks.first <= block) finding.block_class = class_name(run->block_class);
  }
}

// The search for the strings of a device, in several passes if there are very many.
class Search {
 public:
  Search(const AuditedImage& image, const PrivateTexts& texts, const AuditOptions& options,
         AuditResult& result)
      : image_(image), texts_(texts), options_(options), result_(result), counts_(result.strings.emplace()) {
    if (options.report) report_.emplace(*options.report);
    const std::uint64_t searched = result.disk_bytes + result.file_bytes + result.report_bytes;
    threshold_ = threshold(texts.by_bits(), searched, kAcceptedChance);
    passes_ = (texts.count() * bytes_of(0) + texts.bytes()) / kPassBytes + 1;
  }

  void run() {
    fill_counts();
    if (options_.transfer.progress != nullptr)
      options_.transfer.progress->begin(
          "search", passes_ * (result_.disk_bytes + result_.file_bytes + result_.report_bytes));
    for (std::uint64_t id = 0; id < texts_.end();) {
      id = run_pass(id);
      result_.findings = sorted(std::move(result_.findings));
    }
  }

 private:
  // The memory for a string of so many bytes, however it is looked for.
  static std::uint64_t bytes_of(std::uint64_t length) {
    return std::max(PatternSearch::memory(1, length), Places::kBytesEach + length);
  }

  void fill_counts() {
    counts_.total = texts_.count();
    counts_.kept = texts_.kept();
    counts_.fillers = texts_.fillers();
    counts_.shortest = threshold_.length;
    for (std::size_t i = 0; i < ext2::kTextKinds; ++i)
      counts_.kinds[i] = texts_.count(static_cast<ext2::TextKind>(i));
  }

  bool is_known_word(const std::string& text) const {
    return ext2::is_in_known_word(text) || texts_.kept_functions().contains(text);
  }

  // Returns the first string of the next pass.
  std::uint64_t run_pass(std::uint64_t first) {
    PatternSearch patterns(std::clamp<std::size_t>(threshold_.length, 1, kMaxWindow));
    Places places(block_size());
    std::uint64_t taken = 0;
    const std::uint64_t next = texts_.for_each_from(first, [&](const PrivateTexts::String& string) {
      const bool is_strong = threshold_.length > 0 && bits_in_any_case(string.bytes) >= threshold_.bits;
      const bool is_known = is_strong && is_known_word(string.bytes);
      if (is_known) ++counts_.known_words;
      const bool is_pattern = is_strong && !is_known && patterns.add(string.bytes, string.id);
      if (is_pattern)
        ++counts_.everywhere;
      else
        places.add(string);
      taken += bytes_of(string.bytes.size());
      return taken < kPassBytes;
    });
    patterns.prepare();
    places.prepare();
    search(patterns);
    compare(places);
    return next;
  }

  std::uint32_t block_size() const {
    return image_.filesystem() != nullptr ? image_.filesystem()->geometry.block_size() : 4096;
  }

  void search(const PatternSearch& patterns) {
    if (patterns.count() == 0) return;
    search(AuditArea::disk, image_.disk(), image_.disk_extents(), patterns);
    search(AuditArea::image_file, image_.file(), image_.file_extents(), patterns);
    if (report_) search(AuditArea::report, *report_, {{0, report_->size()}}, patterns);
  }

  void search(AuditArea area, const ReadableFile& file, const std::vector<Extent>& extents,
              const PatternSearch& patterns) {
    FirstHits hits = search_area(file, extents, patterns, options_.max_listed, options_.transfer);
    result_.found += hits.total();
    for (const Hit& hit : std::move(hits).take())
      result_.findings.push_back(finding(area, hit, /*is_in_place=*/false));
  }

  void compare(Places& places) {
    if (places.count() == 0 || image_.filesystem() == nullptr) {
      counts_.not_judged += places.count();
      return;
    }
    ext2::visit_texts(*image_.filesystem(), options_.transfer.threads,
                      [&](const ext2::Text& text) { places.compare(text); });
    const Places::Result judged = places.judge(kAcceptedChance / static_cast<double>(passes_));
    counts_.in_place += judged.by_place;
    counts_.at_offset += judged.by_offset;
    counts_.not_judged += judged.not_judged;
    counts_.chance += judged.has_too_many_matches ? 0 : judged.chance_matches;
    counts_.expected_chance += judged.expected;
    result_.found += judged.matches.size();
    FirstHits first(options_.max_listed);
    for (const auto& [id, offset] : judged.matches) first.add({offset, id, Form::as_it_was});
    for (const Hit& hit : std::move(first).take())
      result_.findings.push_back(finding(AuditArea::disk, hit, /*is_in_place=*/true));
  }

  AuditFinding finding(AuditArea area, const Hit& hit, bool is_in_place) const {
    const PrivateTexts::String string = texts_.read(hit.id);
    const std::uint64_t length = hit.form == Form::utf16 ? 2 * string.bytes.size() - 1 : string.bytes.size();
    return {area,         hit.offset,    length,   string.kind, string.owner,
            string.inode, string.offset, hit.form, is_in_place, {}};
  }

  std::vector<AuditFinding> sorted(std::vector<AuditFinding> findings) const {
    std::ranges::stable_sort(
        findings, {}, [](const AuditFinding& finding) { return std::pair(finding.area, finding.offset); });
    if (findings.size() > options_.max_listed) findings.resize(options_.max_listed);
    return findings;
  }

  const AuditedImage& image_;
  const PrivateTexts& texts_;
  const AuditOptions& options_;
  AuditResult& result_;
  StringCounts& counts_;
  std::optional<TextFile> report_;
  Threshold threshold_{};
  std::uint64_t passes_ = 1;
};

bool is_anonymized(const Image& image) {
  const auto record = image.record();
  return record && record->anonymized_with.has_value();
}

void list_remaining(AuditResult& result) {
  for (const RemainingText::Left& left : result.remaining.first_left())
    result.findings.push_back({AuditArea::disk,
                               left.offset,
                               left.length,
                               left.kind,
                               left.owner,
                               left.inode,
                               left.offset,
                               Form::as_it_was,
                               false,
                               {}});
}

}  // namespace

// Strict dumps have other UUIDs.
void refuse_unlike_device(const Image& image, const Device& device,
                          const ext2::SuperblockChoice& superblock) {
  const AuditedImage audited(image, superblock);
  const ext2::Filesystem* ours = audited.filesystem();
  const ext2::Filesystem* theirs = device.filesystem();
  if (ours == nullptr || theirs == nullptr) return;
  const auto record = image.record();
  const bool has_other_uuid = !(record && record->is_strictly_anonymized) &&
                              !std::ranges::equal(ours->superblock.raw.s_uuid, theirs->superblock.raw.s_uuid);
  if (has_other_uuid || ours->geometry.block_size() != theirs->geometry.block_size() ||
      ours->geometry.claimed_blocks() != theirs->geometry.claimed_blocks())
    fail(Errc::refused, fmt::format("{}: is not a dump of {}, whose file system has another UUID or size",
                                    image.reader().file().name(), device.name()));
}

AuditResult audit(const Image& image, const ext2::Filesystem* device, std::unique_ptr<File> spool,
                  const AuditOptions& options) {
  const unsigned threads = options.transfer.threads;
  PrivateTexts texts(std::move(spool));
  if (device != nullptr)
    ext2::visit_texts(*device, threads, [&](const ext2::Text& text) { texts.add(text); });
  texts.finish();
  const AuditedImage audited(image, options.superblock);
  AuditResult result;
  auto identity = std::async(std::launch::async, [&] { return identify(image, audited.filesystem()); });
  result.disk_bytes = total_length(audited.disk_extents());
  result.file_bytes = total_length(audited.file_extents());
  result.report_bytes = options.report ? options.report->size() : 0;
  result.has_filesystem = audited.filesystem() != nullptr;
  result.is_marked = is_anonymized(image);
  result.remaining = RemainingText(options.max_listed);
  if (result.has_filesystem)
    ext2::visit_texts(*audited.filesystem(), threads,
                      [&](const ext2::Text& text) { result.remaining.add(text); });
  if (result.has_filesystem)
    visit_other_contents(*audited.filesystem(), audited.disk(), audited.disk_extents(), threads,
                         [&](const ext2::Text& text) { result.remaining.add(text); });
  if (device != nullptr) Search(audited, texts, options, result).run();
  if (result.findings.empty()) list_remaining(result);
  if (result.has_filesystem) add_classes(result.findings, *audited.filesystem(), threads);
  result.image = identity.get();
  return result;
}

}  // namespace e2qcow::work
