// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/image.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/file/posix_file.h"
#include "base/process/standard_descriptors.h"
#include "qcow2/format/read_header.h"
#include "qcow2/read/identity.h"
#include "qcow2/write/allocator.h"
#include "work/open_disk.h"

namespace e2qcow::work {
namespace {

// The most that all threads have in progress, and how far our images jump back.
std::uint64_t window_for(unsigned threads, const qcow2::Reader& reader) {
  const std::uint64_t batch = std::max<std::uint64_t>(1 << 20, reader.read_unit()) * 2;
  return qcow2::Allocator::kReach + (2 * threads + 2) * batch;
}

// Whether the image's data comes in the order in which it is needed, except for jumps that a window covers.
bool is_in_order(const qcow2::Reader& reader, std::uint64_t kept_front, std::uint64_t reach) {
  std::uint64_t furthest = 0;
  std::uint64_t position = 0;
  while (position < reader.size()) {
    const qcow2::Mapping mapping = reader.map(position);
    position = mapping.guest.end();
    if (!mapping.is_stored() || *mapping.host_offset < kept_front) continue;
    if (*mapping.host_offset + reach < furthest) return false;
    const bool compressed = mapping.kind == qcow2::Mapping::Kind::compressed;
    furthest = std::max(furthest,
                        *mapping.host_offset + (compressed ? mapping.stored_length : mapping.guest.length));
  }
  return true;
}

// If the order does not fit, the pipe keeps everything (in a temporary file if there is much).
void forget_front(PipeFile& pipe, const qcow2::Reader& image, unsigned threads) {
  if (is_in_order(image, pipe.position(), qcow2::Allocator::kReach)) pipe.forget(window_for(threads, image));
}

std::unique_ptr<PipeFile> open_pipe(const ImageOptions& options) {
  if (options.path != "-") return nullptr;
  if (is_terminal(kStandardInput)) fail(Errc::refused, "standard input is a terminal, and has no image");
  return std::make_unique<PipeFile>(kStandardInput, "standard input");
}

// All checks that are possible before data is read.
qcow2::TableSummary check_image(qcow2::Reader& image, const ImageOptions& options) {
  refuse_too_large(image, options);
  const qcow2::TableSummary tables = image.check_tables(options.max_ratio);
  for (const std::string& warning : qcow2::warnings_of(image)) options.notice(warning);
  return tables;
}

// Has the image check what is read of it. False, and a notice, if it should and cannot.
bool can_check(qcow2::Reader& image, const ImageOptions& options) {
  if (!options.verify || image.file().size() == PipeFile::kUnknownSize) return true;
  const std::string why_not = qcow2::check_contents(image);
  if (!why_not.empty()) options.notice(why_not);
  return why_not.empty();
}

}  // namespace

bool is_image(const std::string& path) {
  try {
    return qcow2::has_magic(*open_for_reading(path));
  } catch (const std::system_error&) {
    return false;
  }
}

void refuse_too_large(const qcow2::Reader& image, const ImageOptions& options) {
  if (image.size() > options.max_size)
    fail(Errc::too_large, fmt::format("{}: its disk has {} bytes, more than the {} that are accepted",
                                      image.file().name(), image.size(), options.max_size));
}

Image::Image(qcow2::ChainFiles files, qcow2::DataFiles& data_files, PipeFile* pipe,
             const ImageOptions& options, unsigned threads)
    : pipe_(pipe),
      max_ratio_(options.max_ratio),
      notice_(options.notice),
      chain_(std::move(files).read(data_files, [&](qcow2::Reader& image) {
        const qcow2::TableSummary tables = check_image(image, options);
        is_unchecked_ = !can_check(image, options) || is_unchecked_;
        data_bytes_ += tables.data_bytes();
        contradicts_itself_ = contradicts_itself_ || !image.contradiction().empty();
        if (pipe == nullptr || &image.file() != pipe) return;
        piped_tables_ = tables;
        if (options.verify) piped_check_.emplace(image);
        forget_front(*pipe, image, threads);
      })) {
  if (chain_.raw_base() != nullptr) data_bytes_ += chain_.raw_base()->size();
  if (!options.verify) return;
  const std::string doubt = qcow2::refuse_other_bases(readers(), chain_.raw_base());
  if (!doubt.empty()) notice_(doubt);
}

std::optional<DumpRecord> Image::record() const {
  for (const auto& reader : readers())
    if (auto record = reader->record()) return record;
  return std::nullopt;
}

std::function<void()> Image::begin_check() {
  // With backing files a cluster may be read in parts.
  if (!piped_check_ || readers().size() > 1 || chain_.raw_base() != nullptr) return [] {};
  piped_check_->begin();
  return [this] {
    const std::string why_not = piped_check_->finish();
    is_unchecked_ = !why_not.empty();
    if (is_unchecked_) notice_(why_not);
  };
}

void Image::finish() const {
  if (pipe_ == nullptr) return;
  pipe_->drain();
  reader().check_size(piped_tables_, pipe_->size(), max_ratio_);
}

ImageFiles::ImageFiles(const ImageOptions& options) : ImageFiles(options, open_pipe(options)) {}

ImageFiles::ImageFiles(const ImageOptions& options, std::unique_ptr<PipeFile> pipe)
    : options_(options),
      pipe_(pipe.get()),
      files_(pipe ? std::unique_ptr<ReadableFile>(std::move(pipe))
                  : open_disk(options.path, {.takes_hints = true}, options.remote),
             options.backing),
      data_files_(options.data_files) {}

ImageFiles::ImageFiles(std::unique_ptr<ReadableFile> image, const ImageOptions& options)
    : options_(options),
      pipe_(nullptr),
      files_(std::move(image), options.backing),
      data_files_(options.data_files) {}

Image ImageFiles::read(unsigned threads, qcow2::DataFiles& data_files) && {
  return {std::move(files_), data_files, pipe_, options_, threads};
}

Image ImageFiles::read(unsigned threads) && {
  Image image(std::move(files_), data_files_, pipe_, options_, threads);
  data_files_.refuse_surplus();
  return image;
}

}  // namespace e2qcow::work
