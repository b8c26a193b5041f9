// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/write_image.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include "base/extents.h"
#include "base/file/data_cursor.h"
#include "base/file/null_file.h"
#include "base/file/output_stream.h"
#include "base/file/spool_file.h"
#include "base/file/temporary_file.h"
#include "image/compare.h"
#include "image/covering_source.h"
#include "image/extent_source.h"
#include "qcow2/read/chain.h"
#include "qcow2/write/stream_writer.h"
#include "qcow2/write/writer.h"
#include "work/two_passes.h"

namespace e2qcow::work {
namespace {

using qcow2::TableWriter;

void copy(const ReadableFile& file, std::vector<Extent> extents, ImageSink& sink, const char* phase,
          const TransferOptions& options, const BaseImage* base = nullptr) {
  std::vector<Extent> all = with_extents_of(base, file, extents);
  if (options.progress) options.progress->begin(phase, total_length(all));
  const ExtentSource source(file, std::move(extents));
  if (base == nullptr) return transfer(source, sink, options);
  transfer(CoveringSource(source, std::move(all)), sink, options);
}

// Holes are zeros and cost nothing.
std::uint64_t write_to(File& target, TableWriter::Background background, const ImageOutput& output,
                       const ReadableFile& file, std::span<const Extent> extents,
                       const TransferOptions& options) {
  const BaseImage* base = output.base;
  const auto extensions = [&] {
    auto all = output.extensions(ImageOutput::When::after_data);
    if (base != nullptr) all.push_back(base->identity());
    return all;
  };
  qcow2::Writer writer(target, output.layout,
                       {.version = output.format.version,
                        .compression = output.format.compression,
                        .background = background,
                        .digest = output.format.digest_to_write(),
                        .extensions = extensions,
                        .base = base == nullptr ? nullptr : &base->known(),
                        .backing_name = base == nullptr ? "" : base->name()});
  copy(file, data_in(file, extents), writer, "dump", options, base);
  return writer.image_size();
}

// The second time it has the extensions of the first: what they say of losses must be true of both.
void write_twice(const ImageOutput& output, const ReadableFile& file, const std::vector<Extent>& extents,
                 const TransferOptions& options, OutputStream& out) {
  constexpr std::uint64_t kInProgress = 8 << 20;  // the most that a batch has, and more
  ImageOutput twice = output;
  twice.format.digest =
      std::nullopt;  // those of tables are known when these were written, and cannot be read
  std::optional<std::vector<qcow2::Extension>> extensions;
  twice.extensions = [&](ImageOutput::When when) {
    if (!extensions) extensions = output.extensions(when);
    return *extensions;
  };
  write_in_two_passes(
      file.name(), output.layout.data_offset, qcow2::Allocator::kReach + kInProgress, out,
      [&](File& target) { write_to(target, TableWriter::Background::zeros, twice, file, extents, options); });
}

std::uint64_t write_to_pipe(const ImageOutput& output, const ReadableFile& file,
                            const std::vector<Extent>& extents, const TransferOptions& options) {
  OutputStream out = standard_output();
  // The offset of a cluster depends on the compressed size of those before it, or on what the base has.
  const bool is_known_last = output.format.compression || output.base != nullptr;
  if (is_known_last && output.spool == Spool::none) {
    write_twice(output, file, extents, options, out);
  } else if (is_known_last) {
    SpoolFile spool(temporary_directory());
    write_to(spool, TableWriter::Background::zeros, output, file, extents, options);
    send(spool, out);
  } else {
    const auto extensions = output.extensions(ImageOutput::When::before_data);
    qcow2::StreamWriter writer(out, output.layout, output.format.version, extensions, extents,
                               output.format.digest_to_write());
    copy(file, extents, writer, "dump", options);
  }
  return out.written();
}

// From the disk, and not from what is still in memory.
void verify_image(const ImageOutput& output, const ReadableFile& file, const std::vector<Extent>& extents,
                  const TransferOptions& options) {
  PosixFile& image = output.file->file();
  image.sync();
  image.drop_cache();
  if (options.progress) options.progress->begin("verify", total_length(extents));
  qcow2::Reader reader(image);
  reader.check_tables();
  std::vector<const qcow2::Reader*> images{&reader};
  const ReadableFile* raw_base = nullptr;
  if (output.base != nullptr) {
    for (const auto& below : output.base->readers()) images.push_back(below.get());
    raw_base = output.base->raw_base();
  }
  const qcow2::Chain written(std::move(images), raw_base);
  const ExtentSource source(file, data_in(file, extents));
  if (const auto offset = first_difference(written, source, options))
    fail(Errc::corrupt, fmt::format("{}: verification failed: it differs from {} at {}", image.name(),
                                    file.name(), output.begin + *offset));
}

}  // namespace

std::vector<Extent> with_extents_of(const BaseImage* base, const ReadableFile& file,
                                    const std::vector<Extent>& extents) {
  if (base == nullptr) return extents;
  std::vector<Extent> all = base->extents(image_size(file));
  all.insert(all.end(), extents.begin(), extents.end());
  return sorted_and_joined(std::move(all));
}

std::uint64_t write_image(const ImageOutput& output, const ReadableFile& file,
                          const std::vector<Extent>& extents, const TransferOptions& options) {
  if (output.file == nullptr) return write_to_pipe(output, file, extents, options);
  OutputFile& target = *output.file;
  const auto background =
      target.is_block_device() ? TableWriter::Background::old_data : TableWriter::Background::zeros;
  const std::uint64_t size = write_to(target.file(), background, output, file, extents, options);
  if (output.verify) verify_image(output, file, extents, options);
  if (output.commit) target.commit(Durability::if_it_replaces);
  return size;
}

std::uint64_t weigh_image(const ImageFormat& format, const qcow2::Layout& layout, const ReadableFile& file,
                          const std::vector<Extent>& extents, const TransferOptions& options) {
  NullFile nowhere;
  qcow2::Writer writer(nowhere, layout,
                       {.version = format.version,
                        .compression = format.compression,
                        .background = TableWriter::Background::zeros,
                        .digest = format.digest_to_write()});
  copy(file, data_in(file, extents), writer, "weigh", options);
  return writer.image_size();
}

}  // namespace e2qcow::work
