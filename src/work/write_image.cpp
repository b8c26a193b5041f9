// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/write_image.h"

#include "base/extents.h"
#include "base/file/null_file.h"
#include "base/file/output_stream.h"
#include "base/file/temporary_file.h"
#include "image/extent_source.h"
#include "qcow2/write/stream_writer.h"
#include "qcow2/write/writer.h"

namespace e2qcow::work {
namespace {

using qcow2::TableWriter;

std::uint64_t write_to(File& file, TableWriter::Background background, const ImageOutput& output,
                       const ImageSource& source, const TransferOptions& options) {
  const auto extensions = [&] { return output.extensions(ImageOutput::When::after_data); };
  qcow2::Writer writer(file, output.layout,
                       {output.format.version, output.format.compression, background, extensions});
  transfer(source, writer, options);
  return writer.image_size();
}

std::uint64_t write_to_pipe(const ImageOutput& output, const ImageSource& source,
                            std::span<const Extent> extents, const TransferOptions& options) {
  OutputStream out = standard_output();
  // The offset of a cluster depends on the compressed size of those before it.
  if (output.format.compression) {
    const auto spool = open_temporary_file();
    write_to(*spool, TableWriter::Background::zeros, output, source, options);
    send(*spool, out);
  } else {
    const auto extensions = output.extensions(ImageOutput::When::before_data);
    qcow2::StreamWriter writer(out, output.layout, output.format.version, extensions, extents);
    transfer(source, writer, options);
  }
  return out.written();
}

}  // namespace

std::uint64_t write_image(const ImageOutput& output, const ImageSource& source,
                          std::span<const Extent> extents, const TransferOptions& options) {
  if (output.file == nullptr) return write_to_pipe(output, source, extents, options);
  OutputFile& file = *output.file;
  const auto background =
      file.is_block_device() ? TableWriter::Background::old_data : TableWriter::Background::zeros;
  const std::uint64_t size = write_to(file.file(), background, output, source, options);
  file.commit(Durability::if_it_replaces);
  return size;
}

std::uint64_t weigh_image(const ImageFormat& format, const qcow2::Layout& layout, const ReadableFile& file,
                          const std::vector<Extent>& extents, const TransferOptions& options) {
  if (options.progress) options.progress->begin("weigh", total_length(extents));
  NullFile nowhere;
  qcow2::Writer writer(nowhere, layout, {.version = format.version, .compression = format.compression});
  ExtentSource source(file, extents);
  transfer(source, writer, options);
  return writer.image_size();
}

}  // namespace e2qcow::work
