#include "ext2/selection.h"

#include <algorithm>
#include <numeric>
#include <queue>
#include <tuple>

#include "ext2/data_cursor.h"

namespace e2qcow::ext2 {
namespace {

using ClassRun = Selection::ClassRun;

bool later(const ClassRun& a, const ClassRun& b) {
  return std::tie(a.blocks.first, a.block_class) > std::tie(b.blocks.first, b.block_class);
}

// Hands out runs by their beginning, of equals the class that counts first.
class RunQueue {
 public:
  explicit RunQueue(std::vector<ClassRun> runs) : runs_(std::move(runs)), rests_(&later) {
    std::ranges::sort(runs_, [](const ClassRun& a, const ClassRun& b) { return later(b, a); });
  }

  const ClassRun* top() const {
    const ClassRun* run = next_ < runs_.size() ? &runs_[next_] : nullptr;
    if (!rests_.empty() && (run == nullptr || later(*run, rests_.top()))) return &rests_.top();
    return run;
  }
  ClassRun pop() {
    const ClassRun run = *top();
    if (next_ < runs_.size() && top() == &runs_[next_])
      ++next_;
    else
      rests_.pop();
    return run;
  }
  // Puts back what is left of a run from `first` on.
  void put_back(ClassRun run, std::uint64_t first) {
    if (first < run.blocks.end()) rests_.push({{first, run.blocks.end() - first}, run.block_class});
  }

 private:
  std::vector<ClassRun> runs_;
  std::size_t next_ = 0;
  std::priority_queue<ClassRun, std::vector<ClassRun>, decltype(&later)> rests_;
};

void append_joined(std::vector<Extent>& extents, Extent extent) {
  if (!extents.empty() && extents.back().end() == extent.offset)
    extents.back().length += extent.length;
  else
    extents.push_back(extent);
}

}  // namespace

void Selection::add(BlockClass block_class, BlockRun run) {
  if (run.count == 0) return;
  if (!runs_.empty() && runs_.back().block_class == block_class && runs_.back().blocks.end() == run.first)
    runs_.back().blocks.count += run.count;
  else
    runs_.push_back({run, block_class});
}

void Selection::add(const Selection& other) {
  runs_.insert(runs_.end(), other.runs_.begin(), other.runs_.end());
}

std::vector<ClassRun> Selection::sorted() && {
  RunQueue queue(std::move(runs_));
  std::vector<ClassRun> sorted;
  while (queue.top() != nullptr) {
    ClassRun run = queue.pop();
    while (queue.top() != nullptr && queue.top()->blocks.first < run.blocks.end()) {
      if (queue.top()->block_class < run.block_class) {
        const ClassRun above = *queue.top();
        queue.put_back(run, above.blocks.end());
        run.blocks.count = above.blocks.first - run.blocks.first;
        break;
      }
      queue.put_back(queue.pop(), run.blocks.end());
    }
    if (run.blocks.count > 0) sorted.push_back(run);
  }
  return sorted;
}

std::uint64_t SelectedExtents::bytes() const {
  return std::accumulate(class_bytes.begin(), class_bytes.end(), std::uint64_t{0});
}

SelectedExtents extents_of(Selection selection, const File& file, std::uint32_t block_size) {
  SelectedExtents selected;
  DataCursor data(file);
  for (const ClassRun& run : std::move(selection).sorted()) {
    const Extent wanted{run.blocks.first * block_size, run.blocks.count * block_size};
    data.for_each_in(wanted, [&](Extent part) {
      append_joined(selected.extents, part);
      selected.class_bytes[static_cast<std::size_t>(run.block_class)] += part.length;
    });
  }
  return selected;
}

}  // namespace e2qcow::ext2
