// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/chain_files.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include "base/file/posix_file.h"
#include "base/storage.h"

namespace e2qcow::qcow2 {
namespace {

struct Backing {
  std::string path;
  std::string format;  // empty: not said
};

Backing parse_backing(const std::string& text) {
  for (const std::string format : {"raw", "qcow2"})
    if (text.ends_with(":" + format)) return {text.substr(0, text.size() - format.size() - 1), format};
  return {text, ""};
}

std::string format_extension(const Reader& overlay) {
  for (const Extension& extension : overlay.extensions())
    if (extension.type == kBackingFormat)
      return {reinterpret_cast<const char*>(extension.data.data()), extension.data.size()};
  return "";
}

bool is_qcow2(const Backing& backing, const Reader& overlay) {
  const std::string format = backing.format.empty() ? format_extension(overlay) : backing.format;
  if (format == "raw" || format == "qcow2") return format == "qcow2";
  fail(Errc::refused,
       fmt::format("--backing: {} does not say whether its backing file is raw or qcow2; use {}:raw or "
                   "{}:qcow2",
                   overlay.file().name(), backing.path, backing.path));
}

}  // namespace

ChainFiles::ChainFiles(std::unique_ptr<ReadableFile> image, std::vector<std::string> backing)
    : backing_(std::move(backing)) {
  names_.push_back(image->name());
  files_.push_back(std::move(image));
  for (const std::string& text : backing_) open_backing(text);
}

void ChainFiles::open_backing(const std::string& text) {
  const std::string path = parse_backing(text).path;
  for (const std::string& name : names_)
    if (overlap(stored_ranges(name), stored_ranges(path)))
      fail(Errc::refused, fmt::format("{}: cannot be based on itself", path));
  files_.push_back(open_for_reading(path));
  names_.push_back(path);
}

void ChainFiles::read(const std::function<void(Reader&)>& examine) {
  add_image(*files_.front(), examine);
  for (std::size_t i = 1; i < files_.size(); ++i) read_backing(i, examine);
  const auto& missing = readers_.back()->backing_file_name();
  if (missing && raw_base_ == nullptr)
    fail(Errc::unsupported,
         fmt::format("{}: it needs a backing file ('{}'); name it with --backing FILE:raw or "
                     "FILE:qcow2 if you trust it",
                     readers_.back()->file().name(), *missing));
  std::vector<const Reader*> images;
  for (const auto& reader : readers_) images.push_back(reader.get());
  chain_ = std::make_unique<Chain>(std::move(images), raw_base_);
}

void ChainFiles::read_backing(std::size_t index, const std::function<void(Reader&)>& examine) {
  const Reader& overlay = *readers_.back();
  if (raw_base_ != nullptr || !overlay.backing_file_name())
    fail(Errc::refused, fmt::format("{}: it has no backing file; --backing {} is one too many",
                                    names_[index - 1], names_[index]));
  if (is_qcow2(parse_backing(backing_[index - 1]), overlay))
    add_image(*files_[index], examine);
  else
    raw_base_ = files_[index].get();
}

void ChainFiles::add_image(const ReadableFile& file, const std::function<void(Reader&)>& examine) {
  auto reader = std::make_unique<Reader>(file);
  examine(*reader);
  readers_.push_back(std::move(reader));
}

std::vector<std::string> warnings_of(const Reader& image) {
  std::vector<std::string> lines;
  const std::string& name = image.file().name();
  if ((image.header().incompatible_features & kDirty) != 0)
    lines.push_back(name + ": is marked as dirty: it was not closed; its data is read as it is");
  if ((image.header().incompatible_features & kCorrupt) != 0)
    lines.push_back(name + ": is marked as corrupt by QEMU; its data is read as it is");
  return lines;
}

}  // namespace e2qcow::qcow2
