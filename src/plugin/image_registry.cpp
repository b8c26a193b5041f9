// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/image_registry.h"

#include <pthread.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <map>
#include <mutex>
#include <vector>

namespace e2qcow::plugin {
namespace {

class ImageRegistry {
 public:
  ImageRegistry() { settings(); }  // outlive us

  std::shared_ptr<OpenImage> open(const std::string& path, Access access) {
    const std::scoped_lock lock(mutex_);
    auto image = find_or_open(path);
    if (access == Access::write) image->make_writable();
    missed_overlays_[image->name()] = image->missed_overlay();
    if (image->has_own_changes() && std::ranges::find(kept_, image) == kept_.end()) kept_.push_back(image);
    return image;
  }

  void end() noexcept {
    report_missed_overlays();
    for (const auto& image : all()) {
      try {
        image->flush();
        if (image->has_own_changes()) settings().say(image->name() + ": its changes are discarded");
      } catch (const std::exception& error) {
        settings().say(error.what());
      }
    }
  }

  void before_fork() noexcept {
    mutex_.lock();
    report_missed_overlays();
    for (const auto& image : all()) image->before_fork();
  }
  void after_fork() noexcept { mutex_.unlock(); }
  void in_child() noexcept {
    for (const auto& image : all()) image->in_child();
    mutex_.unlock();
  }

 private:
  std::shared_ptr<OpenImage> find_or_open(const std::string& path) {
    std::erase_if(images_, [](const auto& image) { return image.expired(); });
    for (const auto& image : all())
      if (image->is_stored_at(path)) return image;
    auto image = std::make_shared<OpenImage>(path, settings());
    images_.push_back(image);
    return image;
  }

  // At the end, because programs open an image to look at it before they open it for writing; or when a
  // program forks, because the child of fuse2fs has no standard error.
  void report_missed_overlays() noexcept {
    for (const auto& [name, text] : missed_overlays_)
      if (!text.empty()) settings().say(text);
    missed_overlays_.clear();
  }

  std::vector<std::shared_ptr<OpenImage>> all() const {
    std::vector<std::shared_ptr<OpenImage>> images;
    for (const auto& weak : images_)
      if (auto image = weak.lock()) images.push_back(std::move(image));
    return images;
  }

  std::mutex mutex_;  // guards the members below
  std::vector<std::weak_ptr<OpenImage>> images_;
  std::map<std::string, std::string> missed_overlays_;  // of each image; the text may be empty
  std::vector<std::shared_ptr<OpenImage>> kept_;        // images whose changes would otherwise be lost
};

ImageRegistry& open_images() {
  static ImageRegistry images;
  static const bool kRegistered =
      ::pthread_atfork([] { open_images().before_fork(); }, [] { open_images().after_fork(); },
                       [] { open_images().in_child(); }) == 0 &&
      std::atexit([] { open_images().end(); }) == 0;
  static_cast<void>(kRegistered);
  return images;
}

}  // namespace

std::shared_ptr<OpenImage> open_image(const std::string& path, Access access) {
  return open_images().open(path, access);
}

}  // namespace e2qcow::plugin
