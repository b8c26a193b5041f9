// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/error.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/process/sandbox.h"
#include "base/stop.h"
#include "cli/command.h"
#include "cli/image_options.h"
#include "cli/message.h"
#include "cli/sizes.h"
#include "image/block_class.h"
#include "work/disk_classes.h"

namespace e2qcow::cli {
namespace {

using Kind = qcow2::Mapping::Kind;
using Place = qcow2::Chain::LayerMapping;

struct MapOptions {
  work::ImageOptions image{.notice = say_line};
  bool classes = false;
  Common common;
};

bool continues(const Place& before, const Place& next) {
  const bool both_compressed =
      before.mapping.kind == Kind::compressed && next.mapping.kind == Kind::compressed;
  return next.depth == before.depth && (both_compressed || qcow2::continues(before.mapping, next.mapping));
}

// visit(place): the longest ranges that are stored in the same way and in one piece.
template <typename Visit>
void for_each_place(const qcow2::Chain& disk, Visit visit) {
  std::optional<Place> place;
  for (std::uint64_t position = 0; position < disk.size();) {
    throw_if_stopped();
    const Place next = disk.map(position);
    position = next.mapping.guest.end();
    if (place && continues(*place, next)) {
      place->mapping.guest.length += next.mapping.guest.length;
      continue;
    }
    if (place) visit(*place);
    place = next;
  }
  if (place) visit(*place);
}

// Lines are printed one by one: a disk may have millions of ranges.
class JsonArray {
 public:
  void add(const nlohmann::ordered_json& element) {
    fmt::print("{}{}", first_ ? "[ " : ",\n  ", element.dump());
    first_ = false;
  }
  void finish() const { fmt::print("{}]\n", first_ ? "[ " : ""); }

 private:
  bool first_ = true;
};

void print_map_json(const qcow2::Chain& disk) {
  JsonArray array;
  for_each_place(disk, [&](const Place& place) {
    const Kind kind = place.mapping.kind;
    const bool stored = place.mapping.is_stored();
    nlohmann::ordered_json json{{"start", place.mapping.guest.offset},
                                {"length", place.mapping.guest.length},
                                {"depth", place.depth},
                                {"present", kind != Kind::unallocated},
                                {"zero", !stored},
                                {"data", stored},
                                {"compressed", kind == Kind::compressed}};
    if (kind != Kind::compressed && place.mapping.host_offset) json["offset"] = *place.mapping.host_offset;
    array.add(json);
  });
  array.finish();
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::unallocated:
      return "unallocated";
    case Kind::zeros:
      return "zeros";
    case Kind::data:
      return "data";
    case Kind::compressed:
      return "compressed";
  }
  return "";
}

// The files of a chain, by depth.
struct FileNames {
  std::vector<std::string> tables;
  std::vector<std::string> data;  // other than those of the tables if images have external data files
};

FileNames names_of(const work::Image& image, const std::vector<std::string>& files) {
  FileNames names{files, files};
  for (std::size_t depth = 0; depth < image.readers().size(); ++depth)
    names.data[depth] = image.readers()[depth]->data_file().name();
  return names;
}

// Empty: in none.
std::string file_of(const Place& place, const FileNames& names) {
  if (place.mapping.kind == Kind::unallocated) return "";
  return (place.mapping.kind == Kind::data ? names.data : names.tables).at(place.depth);
}

void print_map(const qcow2::Chain& disk, const FileNames& names) {
  fmt::print("{:>18} {:>18}  {:<11} {:>18}  {}\n", "start", "length", "stored as", "at", "in");
  for_each_place(disk, [&](const Place& place) {
    const qcow2::Mapping& mapping = place.mapping;
    const std::string at = mapping.kind == Kind::data ? std::to_string(*mapping.host_offset) : "";
    fmt::print("{:>18} {:>18}  {:<11} {:>18}  {}\n", mapping.guest.offset, mapping.guest.length,
               name_of(mapping.kind), at, printable(file_of(place, names)));
  });
}

void print_classes(const work::DiskClasses& classes, bool as_json) {
  JsonArray array;
  if (!as_json) fmt::print("{:>18} {:>18}  {}\n", "start", "length", "holds");
  for (const auto& [blocks, block_class] : classes.runs) {
    const std::uint64_t start = blocks.first * classes.block_size;
    const std::uint64_t length = blocks.count * classes.block_size;
    const auto name = class_name(block_class);
    if (as_json)
      array.add({{"start", start}, {"length", length}, {"class", name}});
    else
      fmt::print("{:>18} {:>18}  {}\n", start, length, name);
  }
  if (as_json) array.finish();
}

void print_classes(const MapOptions& options, const work::Image& image) {
  const auto record = image.reader().record();
  const bool all = !record || record->kind == DumpKind::all;
  const auto classes =
      work::classify_disk(image.disk(), options.image.path, all, thread_count(options.common));
  if (!classes) fail(Errc::not_ext2, options.image.path + ": there is no ext2/3/4 file system in it");
  print_classes(*classes, options.common.json);
}

int run_map(const MapOptions& options) {
  work::ImageFiles files(options.image);
  const std::vector<std::string> names = files.names();
  give_up_rights({});
  const work::Image image = std::move(files).read(thread_count(options.common));
  image.finish();
  if (options.classes)
    print_classes(options, image);
  else if (options.common.json)
    print_map_json(image.disk());
  else
    print_map(image.disk(), names_of(image, names));
  return image.contradicts_itself() ? kWithLosses : kDone;
}

}  // namespace

void add_map(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<MapOptions>();
  CLI::App* command = app.add_subcommand("map", "Show where and how an image stores each range of its disk");
  add_image_options(*command, options->image);
  command->add_flag("--classes", options->classes,
                    "Show instead what each range of the ext2/3/4 file system is used for");
  add_json_option(*command, options->common);
  command->footer("Example: e2qcow map --classes sdb1.qcow2");
  command->callback([options, &chosen] { chosen.run = [options] { return run_map(*options); }; });
}

}  // namespace e2qcow::cli
