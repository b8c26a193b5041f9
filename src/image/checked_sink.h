// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <functional>
#include <utility>

namespace e2qcow {

// Another sink, which is finished only if a check does not throw.
class CheckedSink : public ImageSink {
 public:
  // The sink must outlive it.
  CheckedSink(ImageSink& sink, std::function<void()> check) : sink_(sink), check_(std::move(check)) {}

  std::uint64_t granularity() const override { return sink_.granularity(); }
  void pack(Batch& batch) const override { sink_.pack(batch); }
  void append(const Batch& batch) override { sink_.append(batch); }
  bool wants_more() const override { return sink_.wants_more(); }
  void finish() override {
    check_();
    sink_.finish();
  }

 private:
  ImageSink& sink_;
  std::function<void()> check_;
};

}  // namespace e2qcow
