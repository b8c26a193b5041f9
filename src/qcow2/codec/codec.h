// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// Compresses clusters, one at a time. Keep it for many, because making one is expensive.
class Encoder {
 public:
  virtual ~Encoder() = default;
  // The number of bytes written to `out`; 0 if the result does not fit.
  virtual std::size_t encode(std::span<const std::byte> cluster, std::span<std::byte> out) = 0;
};

struct Compression {
  CompressionType type = CompressionType::zstd;
  int level = 0;  // 0: the library's default
};
std::unique_ptr<Encoder> make_encoder(Compression compression);

// Decompresses clusters, one at a time. Keep it for many.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Fills `cluster` exactly. Bytes in `stored` after the data are ignored. Returns false if the data is
  // damaged, too short, or (zstd) longer than the cluster.
  virtual bool decode(std::span<const std::byte> stored, std::span<std::byte> cluster) = 0;
};
std::unique_ptr<Decoder> make_decoder(CompressionType type);

// Lends out codecs to threads, and makes as many as are in use at once.
template <typename Codec>
class CodecPool {
 public:
  // Returns the codec to the pool at the end of its life. The pool must outlive it.
  class Loan {
   public:
    Loan(CodecPool& pool, std::unique_ptr<Codec> codec) : pool_(pool), codec_(std::move(codec)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool_.give_back(std::move(codec_)); }
    Codec* operator->() const { return codec_.get(); }

   private:
    CodecPool& pool_;
    std::unique_ptr<Codec> codec_;
  };

  template <typename Make>
  Loan borrow(Make make) {
    {
      const std::scoped_lock lock(mutex_);
      if (!idle_.empty()) {
        auto codec = std::move(idle_.back());
        idle_.pop_back();
        return Loan(*this, std::move(codec));
      }
    }
    return Loan(*this, make());
  }

 private:
  void give_back(std::unique_ptr<Codec> codec) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(codec));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Codec>> idle_;
};

}  // namespace e2qcow::qcow2
