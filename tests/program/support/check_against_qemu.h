// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "base/bytes.h"
#include "base/file/posix_file.h"
#include "qcow2/check/checker.h"
#include "qcow2/format/format.h"
#include "tests/program/support/support.h"

namespace e2qcow::qcow2 {

using test::Outcome;
using test::Words;

// In the order of severity.
enum class Verdict { clean, leaks, corrupt };

struct Judgement {
  Verdict verdict = Verdict::clean;
  std::uint64_t corruptions = 0;
  std::uint64_t leaks = 0;
  std::uint64_t image_end_offset = 0;
  std::uint64_t total_clusters = 0;
  std::uint64_t allocated_clusters = 0;
  std::uint64_t compressed_clusters = 0;
  std::uint64_t fragmented_clusters = 0;
  friend bool operator==(const Judgement&, const Judgement&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Judgement& judgement) {
  return out << fmt::format("verdict {}: {} corruptions, {} leaks; end {}; clusters {} of {}, {} + {}",
                            static_cast<int>(judgement.verdict), judgement.corruptions, judgement.leaks,
                            judgement.image_end_offset, judgement.allocated_clusters,
                            judgement.total_clusters, judgement.compressed_clusters,
                            judgement.fragmented_clusters);
}

// qemu-img ends with 1 if it gives up: on an image that it cannot open, or that is too damaged to continue
// with.
inline Verdict verdict_of_qemu(int exit_status) {
  if (exit_status == 0) return Verdict::clean;
  return exit_status == 3 ? Verdict::leaks : Verdict::corrupt;
}

inline Judgement judgement_of_qemu(const Outcome& outcome) {
  Judgement judgement;
  judgement.verdict = verdict_of_qemu(outcome.status);
  const auto json = nlohmann::json::parse(outcome.out, nullptr, false);
  if (!json.is_object()) return judgement;
  const auto number = [&](const char* name) { return json.value(name, std::uint64_t{0}); };
  judgement.corruptions = number("corruptions");
  judgement.leaks = number("leaks");
  judgement.image_end_offset = number("image-end-offset");
  judgement.total_clusters = number("total-clusters");
  judgement.allocated_clusters = number("allocated-clusters");
  judgement.compressed_clusters = number("compressed-clusters");
  judgement.fragmented_clusters = number("fragmented-clusters");
  return judgement;
}

inline Judgement judgement_of(const CheckResult& result) {
  Judgement judgement;
  if (result.leaks != 0) judgement.verdict = Verdict::leaks;
  if (result.corruptions != 0) judgement.verdict = Verdict::corrupt;
  judgement.corruptions = result.corruptions;
  judgement.leaks = result.leaks;
  judgement.image_end_offset = result.image_end_offset;
  judgement.total_clusters = result.total_clusters;
  judgement.allocated_clusters = result.allocated_clusters;
  judgement.compressed_clusters = result.compressed_clusters;
  judgement.fragmented_clusters = result.fragmented_clusters;
  return judgement;
}

inline std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

// "--option value" as two words.
inline Words split(const std::string& text) {
  Words words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

constexpr std::uint64_t kOffsetMask = 0x00ff'ffff'ffff'fe00;
constexpr std::uint64_t kL1OffsetField = 40;
constexpr std::uint64_t kRefcountTableField = 48;
constexpr std::uint64_t kAutoclearField = 88;

// An image "image" that qemu-img makes, of a raw disk "disk" or of nothing.
class CheckAgainstQemu : public test::IntegrationTest {
 protected:
  void SetUp() override {
    for (const char* program : {"qemu-img", "qemu-io"}) {
      test::require_program(program);
      if (IsSkipped() || HasFatalFailure()) return;
    }
  }

  // Data that can be compressed, data that cannot, and holes.
  void make_disk(std::uint64_t size) {
    test::write_file(path("disk"), "");
    std::filesystem::resize_file(path("disk"), size);
    std::mt19937_64 random(size);
    for (std::uint64_t offset = 0; offset + (16 << 10) <= size; offset += 40 << 10) {
      std::string data(16 << 10, 'a');
      if (offset % 3 != 0) std::ranges::generate(data, [&] { return static_cast<char>(random()); });
      test::patch_file(path("disk"), offset, data);
    }
  }

  // Runs a program that takes the image after `words`, as most of qemu-img does.
  void change(const std::string& words) {
    Words command = split(words);
    command.emplace_back("image");
    output_of(command);
  }
  void convert(const std::string& options) {
    change("qemu-img convert -f raw -O qcow2 " + options + " disk");
  }
  void create(const std::string& options, const std::string& size) {
    Words command = split("qemu-img create -q -f qcow2 " + options + " image");
    command.push_back(size);
    output_of(command);
  }
  void resize(const std::string& options, const std::string& size) {
    Words command = split("qemu-img resize -q " + options + " image");
    command.push_back(size);
    output_of(command);
  }
  void add_bitmap(const std::string& options, const std::string& name) {
    Words command = split("qemu-img bitmap --add " + options + " image");
    command.push_back(name);
    output_of(command);
  }
  void write(const std::string& range) {
    output_of({"qemu-io", "-f", "qcow2", "-c", "write " + range, "image"});
  }

  Judgement judge_by_qemu() const {
    return judgement_of_qemu(run({"qemu-img", "check", "-f", "qcow2", "--output=json", "image"}));
  }
  CheckResult check_image() const { return check(*open_for_reading(path("image"))); }

  void expect_same_judgement(Verdict verdict) const {
    const CheckResult result = check_image();
    EXPECT_EQ(judgement_of(result), judge_by_qemu()) << joined(result.messages);
    EXPECT_EQ(judgement_of(result).verdict, verdict);
  }

  std::uint64_t get64(std::uint64_t offset) const {
    std::uint64_t value = 0;
    open_for_reading(path("image"))->read(offset, std::as_writable_bytes(std::span(&value, 1)));
    return big_endian(value);
  }
  void put64(std::uint64_t offset, std::uint64_t value) const {
    std::string bytes(sizeof value, '\0');
    store_be(std::as_writable_bytes(std::span(bytes)), 0, value);
    test::patch_file(path("image"), offset, bytes);
  }
};

}  // namespace e2qcow::qcow2
