// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/restore_target.h"

#include <filesystem>

#include "nbd/nbd_name.h"
#include "nbd/open_nbd.h"

namespace e2qcow::work {

RestoreTarget::RestoreTarget(const std::string& name, const nbd::Options& remote, bool updates) {
  std::error_code none;
  if (nbd::is_nbd_name(name))
    remote_ = nbd::open_nbd(name, nbd::Access::write, remote);
  else if (updates && std::filesystem::is_regular_file(name, none))
    updated_ = open_for_update(name);
  else
    local_.emplace(name);
}

File& RestoreTarget::file() {
  if (remote_) return *remote_;
  return updated_ ? *updated_ : static_cast<File&>(local_->file());
}

std::vector<std::string> RestoreTarget::naming_directories() const {
  if (is_in_place()) return {};
  return {local_->directory()};
}

void RestoreTarget::commit() {
  if (remote_ || updated_)
    file().sync();
  else
    local_->commit(Durability::synced);
}

}  // namespace e2qcow::work
