// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/image_input.h"

#include <e2qcow/error.h>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/sizes.h"
#include "qcow2/write/allocator.h"

namespace e2qcow::cli {
namespace {

// What several threads have in the works, at most, and how far our images jump back.
std::uint64_t window_for(unsigned threads, const qcow2::Reader& reader) {
  const std::uint64_t batch = std::max<std::uint64_t>(1 << 20, reader.read_unit()) * 2;
  return qcow2::Allocator::kReach + (2 * threads + 2) * batch;
}

// Whether the image's data comes in the order in which it is needed, apart from jumps that a window covers.
bool is_in_order(qcow2::Reader& reader, std::uint64_t kept_front, std::uint64_t reach) {
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

}  // namespace

void add_backing_option(CLI::App& command, const std::string& name, ImageOptions& options) {
  command
      .add_option(name, options.backing,
                  "Backing file of the image; repeat for its own backing file, and so on. Names stored in "
                  "images are never opened")
      ->type_name("FILE[:raw|qcow2]")
      ->allow_extra_args(false);
}

void add_limit_options(CLI::App& command, ImageOptions& options) {
  command
      .add_option_function<std::string>(
          "--max-size", [&options](const std::string& text) { options.max_size = parse_size(text); },
          "Refuse images of larger disks (default: 1P)")
      ->type_name("SIZE");
  command
      .add_option(
          "--max-ratio", options.max_ratio,
          "Refuse images whose compressed data claims more than N times the size of the file (default: 4096)")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40).description(""));
}

void add_image_options(CLI::App& command, ImageOptions& options) {
  command.add_option("IMAGE", options.path, "The qcow2 image (-: standard input)")->required();
  add_backing_option(command, "--backing", options);
  add_limit_options(command, options);
}

ImageInput::ImageInput(const ImageOptions& options)
    : options_(options), files_(open_image(options.path), options.backing) {}

std::unique_ptr<ReadableFile> ImageInput::open_image(const std::string& path) {
  if (path != "-") return open_for_reading(path);
  auto pipe = std::make_unique<PipeFile>(STDIN_FILENO, "standard input");
  pipe_ = pipe.get();
  return pipe;
}

void ImageInput::read(unsigned threads) {
  files_.read([&](qcow2::Reader& image) {
    examine(image);
    if (pipe_ != nullptr && &image.file() == pipe_) forget_front(image, threads);
  });
  if (files_.raw_base() != nullptr) data_bytes_ += files_.raw_base()->size();
}

// Where the order does not fit, the pipe keeps all (in a temporary file when it is much).
void ImageInput::forget_front(qcow2::Reader& image, unsigned threads) {
  if (is_in_order(image, pipe_->position(), qcow2::Allocator::kReach))
    pipe_->forget(window_for(threads, image));
}

void ImageInput::examine(qcow2::Reader& image) {
  if (image.size() > options_.max_size)
    fail(Errc::refused, fmt::format("{}: its disk has {} bytes, more than the {} of --max-size",
                                    image.file().name(), image.size(), options_.max_size));
  for (const std::string& warning : qcow2::warnings_of(image)) say("{}\n", printable(warning));
  data_bytes_ += image.check_tables(options_.max_ratio);
}

void ImageInput::finish() {
  if (pipe_ == nullptr) return;
  pipe_->drain();
  files_.reader().check_size(pipe_->size(), options_.max_ratio);
}

}  // namespace e2qcow::cli
