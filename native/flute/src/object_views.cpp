#include "flute/src/object_views.hpp"

#include <algorithm>

namespace streamverse::flute {
namespace {

constexpr size_t kRangesMax = 65536;

// The byte ranges inside [offset, end) whose symbols' bit is `value`.
std::vector<ByteRange> Scan(const ObjectView& view, bool value, uint64_t offset, uint64_t end) {
    std::vector<ByteRange> ranges;
    const uint64_t lastSymbol =
        std::min(view.map->symbols(), (end + view.symbolBytes - 1) / view.symbolBytes);
    for (uint64_t at = offset / view.symbolBytes; at < lastSymbol && ranges.size() < kRangesMax;) {
        const uint64_t first = view.map->Find(value, at, lastSymbol);
        if (first >= lastSymbol) {
            break;
        }
        at = view.map->Find(!value, first, lastSymbol);
        const uint64_t begin = std::max(offset, first * view.symbolBytes);
        const uint64_t stop = std::min(end, at * view.symbolBytes);
        ranges.push_back({begin, stop - begin});
    }
    return ranges;
}

}  // namespace

void ObjectViews::Set(uint64_t id, ObjectView view) {
    const std::lock_guard lock(mutex_);
    views_[id] = std::move(view);
}

void ObjectViews::Remove(uint64_t id) {
    const std::lock_guard lock(mutex_);
    views_.erase(id);
}

ObjectView ObjectViews::Find(uint64_t id) const {
    const std::lock_guard lock(mutex_);
    const auto found = views_.find(id);
    return found == views_.end() ? ObjectView{} : found->second;
}

std::vector<ByteRange> ObjectViews::Missing(uint64_t id) const {
    const ObjectView view = Find(id);
    if (view.complete || view.transferLength == 0) {
        return {};
    }
    if (!view.map) {
        return {{0, view.transferLength}};
    }
    return Scan(view, false, 0, view.transferLength);
}

std::vector<ByteRange> ObjectViews::Available(uint64_t id, uint64_t offset, uint64_t length) const {
    const ObjectView view = Find(id);
    if (offset >= view.transferLength || length == 0) {
        return {};
    }
    const uint64_t end = offset + std::min(length, view.transferLength - offset);
    if (view.complete) {
        return {{offset, end - offset}};
    }
    return view.map ? Scan(view, true, offset, end) : std::vector<ByteRange>{};
}

}  // namespace streamverse::flute
