// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/open_image.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/file/output_file.h"
#include "base/file/temporary_file.h"
#include "base/storage.h"
#include "plugin/overlay_name.h"
#include "qcow2/format/read_header.h"
#include "work/refusals.h"

namespace e2qcow::plugin {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<PosixFile> open_unambiguous(const std::string& path) {
  auto file = open_for_reading(path);
  work::refuse_ambiguous(*file);
  return file;
}

qcow2::OpenChain open_chain(const std::string& path, const Settings& settings) {
  qcow2::ChainFiles files(open_unambiguous(path), settings.backing);
  return std::move(files).read([&](const qcow2::Reader& image) {
    for (const std::string& warning : qcow2::warnings_of(image)) settings.say(warning);
  });
}

// A file named by the user is used only if it is empty. The file shared by all programs of a run may also
// lack a header, if a program was killed while creating it.
bool is_unused(const PosixFile& overlay, bool is_named) {
  return is_named ? overlay.size() == 0 : !qcow2::has_magic(overlay);
}

// Whether the shared file of a run still exists: its name contains the number of the process that holds it
// open, which another process may have by now. Files of other processes have names.
bool is_shared_file(const std::string& path) {
  std::error_code not_there;
  return fs::is_regular_file(path, not_there) && fs::hard_link_count(path, not_there) == 0;
}

std::optional<qcow2::Extension> record_of(const qcow2::Reader& image) {
  const auto& extensions = image.extensions();
  const auto record = std::ranges::find(extensions, qcow2::kDumpRecord, &qcow2::Extension::type);
  return record == extensions.end() ? std::nullopt : std::optional(*record);
}

void create_named(const std::string& path, const qcow2::OverlayBase& base) {
  OutputFile output(path);
  qcow2::create_overlay(output.file(), base);
  output.commit(Durability::if_it_replaces);
}

}  // namespace

OpenImage::OpenImage(const std::string& path, const Settings& settings)
    : settings_(settings), path_(fs::canonical(path)), chain_(open_chain(path, settings)) {
  disk_ = std::make_unique<qcow2::CachedDisk>(chain_.disk(), settings_.cache_bytes);
  read_existing_overlay();
}

bool OpenImage::is_stored_at(const std::string& path) const {
  const auto ours = chain_.reader().file().descriptor();
  return ours && overlap(stored_ranges(ours->fd), stored_ranges(path));
}

void OpenImage::read_existing_overlay() {
  const bool is_named = !settings_.overlay.empty();
  const std::string& path = is_named ? settings_.overlay : settings_.temporary;
  if (is_named ? !fs::exists(path) : !is_shared_file(path)) return;
  to_read_.file = open_for_reading(path);
  if (is_unused(*to_read_.file, is_named) || !is_based_on_us(*to_read_.file)) return;
  to_read_.overlay = std::make_unique<qcow2::Overlay>(*to_read_.file, *disk_, Durability::none);
  overlay_ = to_read_.overlay.get();
}

bool OpenImage::is_based_on_us(const PosixFile& overlay) const {
  const qcow2::Reader reader(overlay);
  if (!reader.backing_file_name() || !is_backing_name(*reader.backing_file_name(), path_, overlay.name()))
    return false;
  const auto theirs = record_of(reader);
  const auto ours = record_of(chain_.reader());
  if (theirs && ours && theirs->data != ours->data)
    fail(Errc::refused,
         fmt::format("{}: was made on top of another dump than the current {}", overlay.name(), path_));
  return true;
}

qcow2::OverlayBase OpenImage::base(const std::string& name) const {
  return {name, size(), record_of(chain_.reader())};
}

void OpenImage::make_writable() {
  const std::scoped_lock lock(mutex_);
  if (to_change_.overlay) return;
  if (!settings_.overlay.empty()) return open_overlay(settings_.overlay, Durability::synced);
  if (is_shared_file(settings_.temporary)) open_overlay(settings_.temporary, Durability::none);
  if (to_change_.overlay) return;
  auto file = open_temporary_file();
  qcow2::create_overlay(*file, base(path_));
  use(std::move(file), Durability::none);
  has_own_changes_ = true;
}

// An overlay of another image is left alone, and no other file replaces one that the user has named.
void OpenImage::open_overlay(const std::string& path, Durability durability) {
  const bool is_named = durability == Durability::synced;
  const qcow2::OverlayBase new_base = base(is_named ? backing_name(path_, path) : path_);
  if (!fs::exists(path)) create_named(path, new_base);
  auto file = open_for_update(path);
  if (is_unused(*file, is_named)) qcow2::create_overlay(*file, new_base);
  if (is_based_on_us(*file)) return use(std::move(file), durability);
  if (is_named) fail(Errc::refused, fmt::format("{}: is not an overlay of {}", path, path_));
}

void OpenImage::use(std::unique_ptr<PosixFile> file, Durability durability) {
  to_change_.file = std::move(file);
  to_change_.overlay = std::make_unique<qcow2::Overlay>(*to_change_.file, *disk_, durability);
  overlay_ = to_change_.overlay.get();
}

void OpenImage::read(std::uint64_t guest_offset, std::span<std::byte> out) {
  if (qcow2::Overlay* overlay = overlay_)
    overlay->read(guest_offset, out);
  else
    disk_->read(guest_offset, out);
}

qcow2::Overlay& OpenImage::to_write() {
  if (is_child_) fail(Errc::in_use, path_ + ": is being changed by the parent process");
  if (!to_change_.overlay) fail(Errc::refused, path_ + ": was not opened for writing");
  return *to_change_.overlay;
}

void OpenImage::write(std::uint64_t guest_offset, std::span<const std::byte> data) {
  to_write().write(guest_offset, data);
}

void OpenImage::zero(Extent guest) {
  to_write().zero(guest);
}

void OpenImage::flush() {
  if (to_change_.overlay && !is_child_) to_change_.overlay->flush();
}

}  // namespace e2qcow::plugin
