#include "cli/image_input.h"

#include <e2qcow/error.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/storage.h"
#include "base/temporary_file.h"
#include "cli/say.h"
#include "cli/text.h"
#include "qcow2/allocator.h"

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
    if (mapping.host_offset == 0 || mapping.host_offset < kept_front) continue;
    if (mapping.host_offset + reach < furthest) return false;
    const bool compressed = mapping.kind == qcow2::Mapping::Kind::compressed;
    furthest =
        std::max(furthest, mapping.host_offset + (compressed ? mapping.stored_length : mapping.guest.length));
  }
  return true;
}

void warn_of_marks(const qcow2::Header& header, const std::string& name) {
  if ((header.incompatible_features & qcow2::kDirty) != 0)
    say("{}: is marked as dirty: it was not closed; its data is read as it is\n", printable(name));
  if ((header.incompatible_features & qcow2::kCorrupt) != 0)
    say("{}: is marked as corrupt by QEMU; its data is read as it is\n", printable(name));
}

enum class BackingFormat { raw, qcow2 };

struct Backing {
  std::string path;
  std::string format;  // empty: not said
};

Backing parse_backing(const std::string& text) {
  for (const std::string format : {"raw", "qcow2"})
    if (text.ends_with(":" + format)) return {text.substr(0, text.size() - format.size() - 1), format};
  return {text, ""};
}

std::string format_extension(const qcow2::Reader& overlay) {
  for (const qcow2::Extension& extension : overlay.extensions())
    if (extension.type == qcow2::kBackingFormat)
      return {reinterpret_cast<const char*>(extension.data.data()), extension.data.size()};
  return "";
}

// Whether a file is raw or qcow2 is never guessed from what is in it: the user says so, or the image does.
BackingFormat format_of(const Backing& backing, const qcow2::Reader& overlay) {
  const std::string format = backing.format.empty() ? format_extension(overlay) : backing.format;
  if (format == "raw") return BackingFormat::raw;
  if (format == "qcow2") return BackingFormat::qcow2;
  throw CLI::ValidationError(fmt::format(
      "--backing: {} does not say whether its backing file is raw or qcow2; use {}:raw or {}:qcow2",
      overlay.file().name(), backing.path, backing.path));
}

}  // namespace

void add_backing_option(CLI::App& command, const std::string& name, ImageOptions& options) {
  command
      .add_option(
          name, options.backing,
          "The backing file of the image; again for that one's, and so on. Names in images open nothing")
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
      .add_option("--max-ratio", options.max_ratio,
                  "Refuse images that claim more compressed data than N times their size")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void add_image_options(CLI::App& command, ImageOptions& options) {
  command.add_option("IMAGE", options.path, "The qcow2 image (- for standard input)")->required();
  add_backing_option(command, "--backing", options);
  add_limit_options(command, options);
}

ImageInput::ImageInput(const ImageOptions& options) : options_(options) {
  if (options.path == "-") {
    auto pipe = std::make_unique<PipeFile>(STDIN_FILENO, "standard input");
    pipe_ = pipe.get();
    files_.push_back(std::move(pipe));
  } else {
    files_.push_back(open_for_reading(options.path));
  }
  names_.push_back(files_.front()->name());
  for (const std::string& text : options.backing) open_backing(text);
}

void ImageInput::open_backing(const std::string& text) {
  const std::string path = parse_backing(text).path;
  for (const std::string& name : names_)
    if (overlap(stored_ranges(name), stored_ranges(path)))
      fail(Errc::refused, fmt::format("{}: cannot be based on itself", path));
  files_.push_back(open_for_reading(path));
  names_.push_back(path);
}

std::vector<std::string> ImageInput::writable_directories() const {
  return pipe_ == nullptr ? std::vector<std::string>() : std::vector{temporary_directory()};
}

void ImageInput::read(unsigned threads) {
  read_top(threads);
  for (std::size_t i = 1; i < files_.size(); ++i) read_backing(i);
  const auto& missing = readers_.back()->backing_file_name();
  if (missing && raw_base_ == nullptr)
    fail(Errc::unsupported,
         fmt::format("{}: it needs a backing file ('{}'); name it with --backing FILE:raw or "
                     "FILE:qcow2 if you trust it",
                     readers_.back()->file().name(), *missing));
  std::vector<qcow2::Reader*> images;
  for (const auto& reader : readers_) images.push_back(reader.get());
  chain_ = std::make_unique<qcow2::Chain>(std::move(images), raw_base_);
}

void ImageInput::read_top(unsigned threads) {
  add_image(*files_.front());
  // Where the order does not fit, the pipe keeps all (in a temporary file when it is much).
  if (pipe_ != nullptr && is_in_order(reader(), pipe_->position(), qcow2::Allocator::kReach))
    pipe_->forget(window_for(threads, reader()));
}

void ImageInput::read_backing(std::size_t index) {
  const qcow2::Reader& overlay = *readers_.back();
  if (raw_base_ != nullptr || !overlay.backing_file_name())
    fail(Errc::refused, fmt::format("{}: it has no backing file; --backing {} is one too many",
                                    names_[index - 1], names_[index]));
  const Backing backing = parse_backing(options_.backing[index - 1]);
  if (format_of(backing, overlay) == BackingFormat::qcow2) {
    add_image(*files_[index]);
  } else {
    data_bytes_ += files_[index]->size();
    raw_base_ = files_[index].get();
  }
}

void ImageInput::add_image(const File& file) {
  auto reader = std::make_unique<qcow2::Reader>(file);
  if (reader->size() > options_.max_size)
    fail(Errc::refused, fmt::format("{}: its disk has {} bytes, more than the {} of --max-size", file.name(),
                                    reader->size(), options_.max_size));
  warn_of_marks(reader->header(), file.name());
  data_bytes_ += reader->check_tables(options_.max_ratio);
  readers_.push_back(std::move(reader));
}

void ImageInput::finish() {
  if (pipe_ != nullptr) pipe_->drain();
}

}  // namespace e2qcow::cli
