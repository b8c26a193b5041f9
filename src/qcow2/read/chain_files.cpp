// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/chain_files.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include "base/file/posix_file.h"
#include "qcow2/format/read_header.h"

namespace e2qcow::qcow2 {
namespace {

std::string format_extension(const Reader& overlay) {
  for (const Extension& extension : overlay.extensions())
    if (extension.type == kBackingFormat)
      return {reinterpret_cast<const char*>(extension.data.data()), extension.data.size()};
  return "";
}

DiskFormat format_of(const Layer& layer, const Reader& overlay) {
  const auto format = layer.format ? layer.format : format_of_name(format_extension(overlay));
  if (!format)
    fail(Errc::unknown_format, fmt::format("{}: does not say whether its backing file {} is raw or qcow2",
                                           overlay.file().name(), layer.name));
  return *format;
}

}  // namespace

ChainFiles::ChainFiles(std::unique_ptr<ReadableFile> image, const std::vector<std::string>& backing) {
  const std::string name = image->name();
  layers_.push_back({name, DiskFormat::qcow2, std::move(image), stored_ranges(name)});
  for (const std::string& text : backing) open_backing(text);
}

void ChainFiles::open_backing(const std::string& text) {
  const auto [path, format] = parse_named_file(text);
  auto stored = stored_ranges(path);
  for (const Layer& layer : layers_)
    if (overlap(layer.stored, stored))
      fail(Errc::refused, fmt::format("{}: cannot be based on itself", path));
  layers_.push_back({path, format, open_for_reading(path), std::move(stored)});
}

std::vector<std::string> ChainFiles::names() const {
  std::vector<std::string> names;
  for (const Layer& layer : layers_) names.push_back(layer.name);
  return names;
}

OpenChain::OpenChain(std::vector<Layer> layers, DataFiles& data_files, const Examine& examine)
    : layers_(std::move(layers)) {
  add_image(layers_.front(), data_files, examine);
  for (std::size_t i = 1; i < layers_.size(); ++i) read_backing(layers_[i], data_files, examine);
  const auto& missing = readers_.back()->backing_file_name();
  if (missing && raw_base_ == nullptr)
    fail(Errc::missing_backing,
         fmt::format("{}: needs a backing file ('{}')", readers_.back()->file().name(), *missing));
  std::vector<const Reader*> images;
  for (const auto& reader : readers_) images.push_back(reader.get());
  chain_ = std::make_unique<Chain>(std::move(images), raw_base_);
}

void OpenChain::read_backing(Layer& layer, DataFiles& data_files, const Examine& examine) {
  const Reader& overlay = *readers_.back();
  if (raw_base_ != nullptr || !overlay.backing_file_name())
    fail(Errc::surplus_backing,
         fmt::format("{}: has no backing file; {} is one too many",
                     raw_base_ != nullptr ? raw_base_->name() : overlay.file().name(), layer.name));
  if (format_of(layer, overlay) == DiskFormat::qcow2)
    add_image(layer, data_files, examine);
  else
    raw_base_ = layer.file.get();
}

void OpenChain::add_image(Layer& layer, DataFiles& data_files, const Examine& examine) {
  if (read_header(*layer.file).has_data_file()) layer.data_file = data_files.take(layer.stored);
  auto reader = std::make_unique<Reader>(*layer.file, layer.data_file.get());
  examine(*reader);
  readers_.push_back(std::move(reader));
}

std::vector<std::string> warnings_of(const Reader& image) {
  std::vector<std::string> lines;
  const std::string& name = image.file().name();
  if ((image.header().incompatible_features & kDirty) != 0)
    lines.push_back(name + ": is marked as dirty: it was not closed properly; its data is read as it is");
  if ((image.header().incompatible_features & kCorrupt) != 0)
    lines.push_back(name + ": is marked as corrupt by QEMU; its data is read as it is");
  if (!image.contradiction().empty())
    lines.push_back(fmt::format("{}: contradicts itself ({}), but not in what its disk is read from", name,
                                image.contradiction()));
  return lines;
}

}  // namespace e2qcow::qcow2
