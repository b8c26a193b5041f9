// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/verify.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/process/sandbox.h"
#include "cli/command.h"
#include "cli/hints.h"
#include "cli/image_options.h"
#include "cli/message.h"
#include "cli/sizes.h"

namespace e2qcow::cli {
namespace {

using Json = nlohmann::ordered_json;
using work::Verdict;
using work::VerifyResult;

constexpr std::size_t kMaxDifferences = 20;  // of each kind
constexpr std::size_t kMaxListed = 10000;    // the same, in JSON

struct VerifyCommand {
  std::vector<std::string> images{};
  work::ImageOptions options{.verify = false};
  Common common;
};

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::whole:
      return "whole";
    case Verdict::opened_since:
      return "opened-since";
    case Verdict::differs:
      return "differs";
    case Verdict::changed:
      return "changed";
    case Verdict::no_digests:
      return "no-digests";
  }
  return "";
}

int status_of(Verdict verdict) {
  if (verdict == Verdict::whole || verdict == Verdict::opened_since) return kDone;
  return verdict == Verdict::differs ? kDiffers : kNotKnown;
}

// The worse of two: what differs, what could not be looked at, what is not known.
int worse(int a, int b) {
  const auto rank = [](int status) {
    return status == kDiffers ? 3 : status == kFailed ? 2 : status == kNotKnown ? 1 : 0;
  };
  return rank(a) < rank(b) ? b : a;
}

Json json_of(const VerifyResult& result) {
  Json json{{"image", printable(result.image)}, {"verdict", name_of(result.verdict)}};
  if (!result.why.empty()) json["why"] = printable(result.why);
  if (result.digest) json["digest"] = digest_name(*result.digest);
  json["clusters"] = result.clusters;
  std::uint64_t bytes = 0;
  Json ranges = Json::array();
  for (const Extent& range : result.differences) {
    bytes += range.length;
    if (ranges.size() < kMaxListed) ranges.push_back({{"start", range.offset}, {"length", range.length}});
  }
  json["different-bytes"] = bytes;
  json["differences"] = ranges;
  json["classes"] = Json::object();
  for (const auto& [block_class, clusters] : result.classes)
    json["classes"][class_name(block_class)] = clusters;
  json["files"] = Json::array();
  for (std::size_t i = 0; i < std::min(result.files.size(), kMaxListed); ++i)
    json["files"].push_back({{"inode", result.files[i].inode}, {"path", printable(result.files[i].path)}});
  return json;
}

template <typename Items, typename Print>
void print_some(const Items& items, const char* more, Print print) {
  for (std::size_t i = 0; i < std::min(items.size(), kMaxDifferences); ++i) print(items[i]);
  if (items.size() > kMaxDifferences) fmt::print("  and {} more {}\n", items.size() - kMaxDifferences, more);
}

void print_text(const VerifyResult& result) {
  static const std::map<Verdict, const char*> kTexts{{Verdict::whole, "whole"},
                                                     {Verdict::opened_since, "whole"},
                                                     {Verdict::differs, "DIFFERS"},
                                                     {Verdict::changed, "CHANGED"},
                                                     {Verdict::no_digests, "not known"}};
  const std::string why = result.why.empty()
                              ? fmt::format("{} clusters are what was written", result.clusters)
                              : printable(result.why);
  fmt::print("{}: {}: {}\n", printable(result.image), kTexts.at(result.verdict), why);
  print_some(result.differences, "ranges", [](const Extent& range) {
    fmt::print("  {} bytes at {} are not what was written\n", range.length, range.offset);
  });
  for (const auto& [block_class, clusters] : result.classes)
    fmt::print("  {}: {} clusters\n", class_name(block_class), clusters);
  print_some(result.files, "files", [](const ext2::AffectedFile& file) {
    fmt::print("  {} (inode {})\n", file.path.empty() ? "path unknown" : printable(file.path), file.inode);
  });
}

// All files are open before the first byte is read. One that cannot be verified does not keep the others from
// it.
class Images {
 public:
  Images(const VerifyCommand& command, const CLI::App& app) : command_(command), app_(app) {
    for (const std::string& path : command.images) open(path);
  }
  void verify() {
    for (work::VerifyFiles& files : files_) {
      guarded([&] {
        const auto results = with_progress(command_.common, [&](const TransferOptions& transfer) {
          return std::move(files).verify(transfer);
        });
        for (const VerifyResult& result : results) report(result);
      });
    }
    if (command_.common.json) fmt::print("{}\n", Json::object({{"images", json_}}).dump(2));
  }
  int status() const { return status_; }

 private:
  void open(const std::string& path) {
    guarded([&] {
      work::ImageOptions options = command_.options;
      options.path = path;
      files_.emplace_back(options);
    });
  }
  template <typename Work>
  void guarded(Work work) {
    try {
      work();
    } catch (const std::system_error& error) {
      if (error.code() == Errc::interrupted || command_.images.size() == 1) throw;
      say("e2qcow: {}\n", error_text(error, app_));
      status_ = worse(status_, kFailed);
    }
  }
  void report(const VerifyResult& result) {
    status_ = worse(status_, status_of(result.verdict));
    if (command_.common.json)
      json_.push_back(json_of(result));
    else if (!command_.common.quiet || status_of(result.verdict) != kDone)
      print_text(result);
  }

  const VerifyCommand& command_;
  const CLI::App& app_;
  std::vector<work::VerifyFiles> files_;
  Json json_ = Json::array();
  int status_ = kDone;
};

int run_verify(const VerifyCommand& command, const CLI::App& app) {
  if (command.images.size() > 1 && !command.options.backing.empty())
    throw CLI::ValidationError("--backing: can be given for one IMAGE only");
  Images images(command, app);
  give_up_rights({});
  images.verify();
  return images.status();
}

}  // namespace

void add_verify(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<VerifyCommand>();
  CLI::App* command = app.add_subcommand(
      "verify",
      "Compare images with the digests in them (exit 0: whole, 2: different, 4: no digests, or changed by "
      "another program)");
  command->add_option("IMAGE", options->images, "The qcow2 images")->required();
  add_backing_option(*command, "--backing", options->options);
  add_limit_options(*command, options->options);
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow verify sdb1.qcow2 sdc1.qcow2");
  command->callback([options, command, &chosen] {
    chosen.has_own_statuses(kFailed);
    chosen.run = [options, command] { return run_verify(*options, *command); };
  });
}

}  // namespace e2qcow::cli
